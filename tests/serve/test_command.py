"""``dedup serve`` as a process: sockets, signals, options."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from urllib.parse import quote

import pytest

pytest.importorskip("uvicorn", reason="the extra serve is not installed")

from dedup.cli.serve import _display_path
from dedup.index.index import Index
from tests.paths import ROOT

from .test_answers import BRIDGE, HONEY

#: A parent that ignores SIGINT (nohup, shells' background jobs) would pass that on, so the child
#: resets it.
_RUN = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from dedup.cli import main; from dedup.cli.serve import serve_command; main.add_command(serve_command); main()"
)
COMMAND = [sys.executable, "-W", "ignore", "-c", _RUN, "serve"]
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ask(address, method="GET", value=None, headers=None):
    """Send a request; return status and body of the response."""
    data = value if isinstance(value, bytes) or value is None else json.dumps(value).encode()
    headers = {"content-type": "application/json"} if headers is None else headers
    request = urllib.request.Request(address, data, headers, method=method)
    try:
        # With a cold cache, the first request compiles the kernels.
        with OPENER.open(request, timeout=120) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


@contextmanager
def served(*options):
    """Start a service; yield its address and its process."""
    process = subprocess.Popen([*COMMAND, "--port", "0", *options], cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        line = process.stderr.readline()
        while line and " serves " not in line:
            line += process.stderr.readline()
        found = re.search(r"at (http://\S+) \(see", line)
        assert found, line + process.stderr.read()
        yield found[1], process
    finally:
        process.kill()
        process.communicate()


def stopped(process, number=signal.SIGTERM):
    """Send a signal to a service; return its exit code and stderr."""
    process.send_signal(number)
    _, stderr = process.communicate(timeout=60)
    return process.returncode, stderr


def test_a_service_starts_answers_and_stops_at_sigterm(tmp_path):
    path = str(tmp_path / "news.index")
    with served("--index", path) as (address, process):
        assert json.loads(ask(f"{address}/health")[1])["status"] == "alive"
        assert json.loads(ask(f"{address}/ingest", "POST", {"id": "أخبار/1%2F", "text": BRIDGE})[1])["action"] == "index"
        status, copy = ask(f"{address}/ingest", "POST", {"id": "b2", "text": BRIDGE})
        assert (status, json.loads(copy)["canonical_id"]) == (200, "أخبار/1%2F")
        assert json.loads(ask(f"{address}/documents/{quote('أخبار/1%2F', safe='')}")[1])["doc_id"] == "أخبار/1%2F"
        assert ask(f"{address}/documents/b2", "DELETE")[0] == 204
        code, stderr = stopped(process)
    assert (code, stderr) == (0, "dedup has stopped; the index is closed.\n")
    with Index.open(path, mode="a") as index:  # the lock is free
        assert len(index) == 1


def test_ctrl_c_stops_the_service_and_closes_the_index(tmp_path):
    path = str(tmp_path / "news.index")
    with served("--index", path) as (address, process):
        ask(f"{address}/ingest", "POST", {"id": "b1", "text": BRIDGE})
        code, stderr = stopped(process, signal.SIGINT)
    assert code == 130
    assert "Traceback" not in stderr and "stopped" in stderr
    with Index.open(path, mode="a") as index:
        assert len(index) == 1


@pytest.mark.slow
def test_requests_in_progress_are_answered_before_the_service_stops(tmp_path):
    path = str(tmp_path / "news.index")
    rows = [{"id": f"d{number}", "text": f"{HONEY} {number}"} for number in range(1000)]
    with served("--index", path) as (address, process):
        ask(f"{address}/ingest", "POST", {"id": "warm", "text": BRIDGE})
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), 60) as connection:
            body = json.dumps(rows).encode()
            head = f"POST /ingest/batch HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body)
            deadline = time.monotonic() + 30
            while not any(sign in ask(f"{address}/metrics")[1] for sign in (b"dedup_waiting_requests 1.0", b'path="/ingest/batch"')):
                assert time.monotonic() < deadline
            process.send_signal(signal.SIGTERM)
            answer = b""
            while piece := connection.recv(1 << 16):
                answer += piece
        process.communicate(timeout=60)
    assert answer.startswith(b"HTTP/1.1 200")
    verdicts = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert len(verdicts) == 1000
    with Index.open(path, mode="r") as index:
        assert len(index) == 1001


@pytest.mark.slow
def test_a_reader_serves_beside_a_writer(tmp_path):
    path = str(tmp_path / "news.index")
    with Index.open(path, mode="a") as index, served("--index", path, "--read-only") as (address, _):
        index.ingest({"id": "b1", "text": BRIDGE})
        assert json.loads(ask(f"{address}/check", "POST", {"id": "b2", "text": BRIDGE})[1])["canonical_id"] == "b1"
        status, body = ask(f"{address}/ingest", "POST", {"id": "b2", "text": BRIDGE})
        assert (status, json.loads(body)["code"]) == (503, "read_only")


@pytest.mark.slow
def test_a_body_on_a_socket_is_limited_in_size_and_time(tmp_path):
    with served("--index", str(tmp_path / "news.index"), "--max-body", "1KB", "--timeout", "0.5") as (address, _):
        host, port = address.removeprefix("http://").split(":")
        head = b"POST /check HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        for sent, says in (
            (b"Content-Length: 5000\r\n\r\n", b"413"),
            (b"Transfer-Encoding: chunked\r\n\r\n" + b"400\r\n" + b" " * 0x400 + b"\r\n1\r\n \r\n", b"413"),
            (b"Content-Length: 50\r\n\r\n{", b"408"),
        ):
            with socket.create_connection((host, int(port)), 20) as connection:
                connection.sendall(head + sent)
                answer = b""
                while piece := connection.recv(65536):  # until it is closed
                    answer += piece
            assert answer.startswith(b"HTTP/1.1 " + says), answer
            assert b"application/problem+json" in answer
        assert ask(f"{address}/health")[0] == 200


@pytest.mark.slow
def test_verbose_logs_requests(tmp_path):
    with served("--index", str(tmp_path / "news.index"), "--log-json", "-v") as (address, process):
        ask(f"{address}/health")
        _, stderr = stopped(process)
    lines = [json.loads(line) for line in stderr.splitlines() if line.startswith("{")]
    assert any("GET /health" in line["message"] for line in lines)


@pytest.mark.slow
def test_small_responses_are_sent_without_delay(tmp_path):
    with served("--index", str(tmp_path / "news.index")) as (address, _):
        connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=30)
        seconds = []
        for _ in range(20):
            begun = time.perf_counter()
            connection.request("GET", "/health")
            connection.getresponse().read()
            seconds.append(time.perf_counter() - begun)
        connection.close()
    assert sorted(seconds)[10] < 0.03  # Nagle's algorithm adds 0.04


def run(*options, **more):
    return subprocess.run([*COMMAND, *options], cwd=ROOT, capture_output=True, text=True, timeout=120, **more)


@pytest.mark.slow
def test_an_address_in_use_is_reported_before_the_index_is_made(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("--index", str(tmp_path / "news.index"), "--port", str(port))
    assert done.returncode == 2
    assert done.stderr == f"Error: cannot listen on 127.0.0.1 port {port}: Address already in use. Choose another --host or --port.\n"
    assert not (tmp_path / "news.index").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    "options, says",
    [
        (["--max-body", "2 apples"], "'2 apples' is not a size. Write for example 2MB, 500KB or 100000 (bytes)."),
        (["--max-body", "0"], "max_body is 0, but must be more than 0"),
        (["--max-batch-body", "1GB"], "max_held is 134217728, but must not be less than max_body and max_batch_body"),
        (["--read-only", "--keep", "90d"], "--keep removes documents, which --read-only does not allow."),
        (["--keep", "soon"], "keep must be a positive duration"),
        (["--durability", "hope"], "'hope' is not one of"),
    ],
)
def test_invalid_options_are_reported(tmp_path, options, says):
    done = run("--index", str(tmp_path / "news.index"), "--port", "0", *options)
    assert done.returncode == 2
    assert says in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_missing_index_is_reported(tmp_path):
    done = run("--index", str(tmp_path / "news.index"), "--port", "0", "--read-only")
    assert done.returncode == 3
    assert "Traceback" not in done.stderr and "news.index" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("secret", ["redis://:ge@heim@127.0.0.1:6379/0", "redis://127.0.0.1:6379/0?password=geheim&prefix=news"])
def test_the_password_of_an_index_is_not_shown(secret):
    shown = _display_path(secret)
    assert shown.startswith("redis://127.0.0.1:6379/0?prefix=") and "ge" not in shown and "heim" not in shown
    assert _display_path("news.index") == "news.index"


@pytest.mark.slow
def test_a_missing_extra_is_reported_with_the_command_to_install_it(tmp_path):
    (tmp_path / "starlette.py").write_text("raise ModuleNotFoundError('no module', name='starlette')\n")
    done = run("--index", str(tmp_path / "news.index"), env=os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"})
    assert done.returncode == 2
    assert done.stderr == "Error: the service needs the package starlette. Install it with: pip install 'dedup-news[serve]'\n"


@pytest.mark.slow
def test_help_needs_no_extra(tmp_path):
    (tmp_path / "starlette.py").write_text("raise ModuleNotFoundError('no module', name='starlette')\n")
    done = run("--help", env=os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"})
    assert done.returncode == 0
    assert "--max-batch-body SIZE" in done.stdout

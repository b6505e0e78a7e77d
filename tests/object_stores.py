"""Local object stores for tests: a complete one (moto), and one that misbehaves."""

from __future__ import annotations

import re
import threading
from collections import Counter
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


class BadStore:
    """Serves one object under every name; ``mode`` says how it treats requests.

    ``good``; ``closes``: breaks off each response; ``closes_once``; ``silent``: stops in the middle
    of each response; ``denied``; ``changes``: a new version at each request.
    """

    def __init__(self, content: bytes) -> None:
        self.content, self.mode, self.asked = content, "good", Counter()
        self._ended = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(store):  # noqa: N805 - self is the request
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def begin(self, status, length, **fields):
                self.send_response(status)
                version = store.asked["HEAD"] if store.mode == "changes" else 0
                for name, value in {
                    "Content-Length": length,
                    "ETag": f'"v{version}"',
                    "Last-Modified": formatdate(0, usegmt=True),
                    **fields,
                }.items():
                    self.send_header(name, str(value))
                self.end_headers()

            def do_HEAD(self):
                store.asked["HEAD"] += 1
                self.begin(403 if store.mode == "denied" else 200, len(store.content))

            def do_PUT(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.begin(403, 0)

            def do_POST(self):
                self.do_PUT()

            def do_GET(self):
                store.asked["GET"] += 1
                span = re.match(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
                if store.mode == "denied":
                    self.begin(403, 0)
                    return
                if span is None:  # a listing: nothing is here
                    answer = b'<?xml version="1.0"?><ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>'
                    self.begin(200, len(answer))
                    self.wfile.write(answer)
                    return
                first, last = int(span[1]), min(int(span[2]), len(store.content) - 1)
                piece = store.content[first : last + 1]
                half = piece[: len(piece) // 2]
                mode = store.mode
                if mode == "closes_once":
                    mode, store.mode = "closes", "good"
                self.begin(206, len(piece), **{"Content-Range": f"bytes {first}-{last}/{len(store.content)}"})
                self.wfile.write(half if mode in ("closes", "silent") else piece)
                self.wfile.flush()
                if mode == "closes":
                    self.close_connection = True
                elif mode == "silent":
                    store._ended.wait(60)

        return Handler

"""A small HTTP server that answers through the protocol objects and keeps what they decoded."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from carloop.connectors import ROUTES
from carloop.connectors.protocol import Request, Response
from carloop.core.events import Envelope, Received, Rejected
from carloop.kit.errors import CarloopError
from tests.support.waiting import until

KEY = "wk_test"


class Capture:
    """What clients sent, in order of arrival."""

    def __init__(self) -> None:
        self.url = ""
        self.pages: dict[str, tuple[str, bytes]] = {}
        self.requests: list[Request] = []
        self.keys: list[str] = []
        self.events: list[Envelope] = []
        self.rejected: list[Rejected] = []
        self.refused: list[CarloopError] = []
        self._lock = threading.Lock()

    def take(self, request: Request) -> Response:
        """Answer one request as the gateway does."""
        protocol = ROUTES.get((request.method, request.path))
        if protocol is None:
            kind, body = self.pages.get(request.path, ("text/plain", b""))
            return Response(200 if body else 404, {"content-type": kind}, body)
        try:
            unwrapped = protocol.unwrap(request, protocol.limits)
            received = Received(
                tenant=1,
                source=1,
                protocol=protocol.name,
                received_at=int(time.time() * 1000),
                body=unwrapped.body,
                hint=unwrapped.hint,
            )
            decoded = protocol.decode(received, protocol.limits)
        except CarloopError as error:
            self.refused.append(error)
            return protocol.refused(request, error)
        with self._lock:
            self.requests.append(request)
            self.keys.append(
                protocol.credentials(request) or protocol.credentials_in(unwrapped.body)
            )
            if not unwrapped.check_only:
                self.events += decoded.events
            self.rejected += decoded.rejected
        return protocol.accepted(request, decoded)

    def wait(self, wanted: Callable[[], bool]) -> None:
        """Wait until ``wanted`` holds, or fail with what did arrive."""
        until(wanted, lambda: (self.names(), self.rejected, self.refused), every=0.05)
        assert self.rejected == []
        assert self.refused == []

    def names(self) -> list[str]:
        """Names of the events that arrived."""
        return [event.event for event in self.events]

    def of(self, name: str) -> Envelope:
        """The one event of this name."""
        (event,) = [event for event in self.events if event.event == name]
        return event


@contextmanager
def capturing(files: dict[str, Path] | None = None) -> Iterator[Capture]:
    """Run the server on a free port; ``files`` are served as scripts beside it."""
    capture = Capture()
    for path, file in (files or {}).items():
        capture.pages[path] = ("application/javascript", file.read_bytes())

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            url = urlsplit(self.path)
            size = int(self.headers.get("content-length") or 0)
            request = Request(
                self.command,
                url.path,
                dict(reversed(parse_qsl(url.query, keep_blank_values=True))),
                {name.lower(): value for name, value in self.headers.items()},
                self.rfile.read(size),
            )
            response = capture.take(request)
            self.send_response(response.status)
            for name, value in response.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(response.body)))
            self.end_headers()
            self.wfile.write(response.body)

        do_GET = do_POST = handle_any  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    capture.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield capture
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

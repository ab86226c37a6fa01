"""A small web server that hands out orders page by page, and can misbehave on demand."""

from __future__ import annotations

import base64
import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Answer = tuple[int, dict[str, str], bytes]
PER_PAGE = 4


@dataclass
class Api:
    """The server's orders, what it was asked, and what goes wrong next.

    Attributes:
        orders: objects with ``id`` and ``updated_at``.
        troubles: answers given first, one per request; a number is seconds of silence.
        asked: ``(path, parameters, headers)`` of every request.
        guard: says whether the credentials of a request are good.
    """

    port: int = 0
    orders: list[dict[str, Any]] = field(default_factory=list)
    troubles: list[Answer | float] = field(default_factory=list)
    asked: list[tuple[str, dict[str, str], dict[str, str]]] = field(default_factory=list)
    guard: Callable[[Mapping[str, str], Mapping[str, str]], bool] = lambda query, headers: True
    before: Callable[[], None] = lambda: None

    def url(self, path: str) -> str:
        """An address of this server."""
        return f"http://127.0.0.1:{self.port}{path}"

    def fill(self, first: int, last: int, day: int = 1) -> None:
        """Orders of a day, one each minute."""
        self.orders += [
            {
                "id": n,
                "mobile": f"139{n:08d}",
                "updated_at": f"2026-06-{day:02d}T08:{n % 60:02d}:00Z",
            }
            for n in range(first, last + 1)
        ]


def _page(api: Api, path: str, query: Mapping[str, str]) -> Answer:
    found = api.orders
    if "since" in query:
        found = [o for o in found if o["updated_at"] >= query["since"]]
    step = int(query.get("size", PER_PAGE))
    if path == "/all":
        return _json(found)
    if path == "/cursor":
        first = int(query.get("after", "at-0").removeprefix("at-"))
        more = first + step < len(found)
        meta = {"next": f"at-{first + step}" if more else None, "total": len(found)}
        return _json({"data": {"items": found[first : first + step]}, "meta": meta})
    if path == "/link":
        first = int(query.get("start", "0"))
        status, headers, body = _json(found[first : first + step])
        if first + step < len(found):
            rest = "&".join(f"{k}={v}" for k, v in query.items() if k != "start")
            headers["Link"] = (
                f'</link?{rest}&start={first + step}>; rel="next", </link>; rel="first"'
            )
        return status, headers, body
    if path == "/page":
        first = (int(query["page"]) - 1) * step
        return _json({"items": found[first : first + step]}) if first <= len(found) else (
            404, {}, b'{"detail":"Invalid page."}'
        )  # fmt: skip
    if path == "/offset":
        first = int(query["offset"])
        return _json({"items": found[first : first + step] or None})
    return 404, {}, b"{}"


def _json(value: Any) -> Answer:
    return 200, {"Content-Type": "application/json"}, json.dumps(value).encode()


def _handler(api: Api) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {n: v[0] for n, v in parse_qs(parts.query).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            api.asked.append((parts.path, query, headers))
            api.before()
            if api.troubles:
                trouble = api.troubles.pop(0)
                if isinstance(trouble, float):
                    time.sleep(trouble)
                    return
                self._say(*trouble)
            elif not api.guard(query, headers):
                self._say(401, {}, b"{}")
            else:
                self._say(*_page(api, parts.path, query))

        def _say(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
            if "gzip" in self.headers.get("accept-encoding", "") and len(body) > 200:
                headers = {**headers, "Content-Encoding": "gzip"}
                body = gzip.compress(body)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    return Handler


class _Quiet(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who hung up is no news."""


@contextmanager
def an_api() -> Iterator[Api]:
    """The server, on a free port."""
    api = Api()
    server = _Quiet(("127.0.0.1", 0), _handler(api))
    api.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def basic(user: str, password: str) -> str:
    """The header of basic authentication (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

"""A small ClickHouse over HTTP: what the real client needs, answered by chDB in its own process.

It does what a server does and chDB does not: refuses several statements, applies each request's
settings and forgets them afterwards, answers errors with their code in a header.
"""

from __future__ import annotations

import http.server
import io
import os
import re
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import chdb
from python_multipart.multipart import parse_form

from carloop.kit.errors import InvalidInput
from carloop.stores.clickhouse.statements import split
from tests.support.waiting import PATIENCE_SECONDS

_TRANSPORT = frozenset(
    {
        "query",
        "database",
        "default_format",
        "wait_end_of_query",
        "query_id",
        "session_id",
        "client_protocol_version",
        "enable_http_compression",
        "send_progress_in_http_headers",
        "http_headers_progress_interval_ms",
    }
)
TIDY_SECONDS = 15.0
_INSERT_WITH_DATA = re.compile(rb"\s*INSERT\s+INTO\s+[^;']*?\sFORMAT\s+\w+\s", re.IGNORECASE)
_FORMAT = re.compile(r"\bFORMAT\s+(\w+)\s*$", re.IGNORECASE)
_CODE = re.compile(r"Code: (\d+)\.")


class Refused(Exception):
    """A request the server will not run; the text starts with ClickHouse's code."""


def run(path: str, fields: dict[str, str], body: bytes, *, read_only: bool) -> tuple[bytes, str]:
    """Answer one request on a handle of its own; returns the body and its format."""
    text = fields.get("query", "").encode()
    sql = text + b"\n" + body if text and body else text or body
    _require_one(sql)
    settings = {k: v for k, v in fields.items() if k not in _TRANSPORT and k[:6] != "param_"}
    params = {k[6:]: v for k, v in fields.items() if k.startswith("param_")}
    if read_only:
        settings.setdefault("readonly", "2")
    handle = chdb.connect(path)
    try:
        if fields.get("database", "default") != "default":
            raise Refused("Code: 81. DB::Exception: only the database default")
        for name in sorted(settings, key=lambda n: n == "readonly"):
            value = settings[name].replace("\\", "\\\\").replace("'", "\\'")
            handle.query(f"SET {name} = '{value}'", "TabSeparated")
        named = _FORMAT.search(sql.decode(errors="replace"))
        output = "TabSeparated" if named else "TabSeparatedWithNames"
        answer = handle.query(sql, output, params=params).bytes() or b""
    finally:
        handle.close()
    if named or not answer:
        return answer, named.group(1) if named else ""
    return answer[answer.index(b"\n") + 1 :], "TabSeparated"


def _require_one(sql: bytes) -> None:
    head = _INSERT_WITH_DATA.match(sql)
    statement = (head.group() if head else sql).decode(errors="replace")
    try:
        several = len(split(statement)) != 1
    except InvalidInput:
        several = True
    if several:
        raise Refused("Code: 62. DB::Exception: Multi-statements are not allowed (SYNTAX_ERROR)")


class Handler(http.server.BaseHTTPRequestHandler):
    """ClickHouse's HTTP interface over one chDB path."""

    protocol_version = "HTTP/1.1"
    path_of_chdb = ""

    def do_GET(self) -> None:
        if urlsplit(self.path).path == "/ping":
            self._answer(200, b"Ok.\n", {})
        else:
            self._serve(read_only=True)

    def do_POST(self) -> None:
        self._serve(read_only=False)

    def _serve(self, *, read_only: bool) -> None:
        fields = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        body = self._body()
        if self.headers.get("Content-Type", "").startswith("multipart/form-data"):
            fields |= _form(self.headers["Content-Type"], body)
            body = b""
        try:
            answer, format_ = run(self.path_of_chdb, fields, body, read_only=read_only)
        except Exception as error:
            found = _CODE.search(str(error))
            code = found.group(1) if found else "1002"
            self._answer(500, str(error).encode(), {"X-ClickHouse-Exception-Code": code})
        else:
            self._answer(200, answer, {"X-ClickHouse-Format": format_} if format_ else {})

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def _form(content_type: str, body: bytes) -> dict[str, str]:
    fields: dict[str, str] = {}

    def on_field(field: Any) -> None:
        fields[field.field_name.decode()] = (field.value or b"").decode()

    headers = {"Content-Type": content_type.encode(), "Content-Length": str(len(body)).encode()}
    parse_form(headers, io.BytesIO(body), on_field, lambda _file: None)
    return fields


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """One thread per connection."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed before its answer is nothing to tell of."""


@contextmanager
def facade(directory: Path) -> Iterator[str]:
    """Run the facade in a process of its own; gives its URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.clickhouse_facade", str(directory)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        port = int(process.stdout.readline())
        yield f"http://127.0.0.1:{port}/default"
    finally:
        process.stdin.close()
        process.wait(timeout=PATIENCE_SECONDS)
        process.stdout.close()


def _tidy(handle: Any) -> None:
    """Remove old parts, which a server does by itself and chDB, when idle, hardly ever."""
    tables = (
        "SELECT name FROM system.tables WHERE database = 'default' AND engine LIKE '%MergeTree'"
    )
    while True:
        time.sleep(TIDY_SECONDS)
        for name in str(handle.query(tables, "TabSeparated")).split():
            handle.query(f"SYSTEM START CLEANUP {name}")


def main() -> None:
    """Serve the chDB at the path given until stdin closes; print the port first."""
    Handler.path_of_chdb = sys.argv[1]
    keeper = chdb.connect(sys.argv[1])
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    threading.Thread(target=_tidy, args=(chdb.connect(sys.argv[1]),), daemon=True).start()
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    sys.stdin.read()
    server.shutdown()
    keeper.close()
    os._exit(0)


if __name__ == "__main__":
    main()

"""Servers of files for tests: S3 with its signatures checked, and SFTP of another maker's."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

import asyncssh

ACCESS, SECRET, REGION = "AKIDCARLOOP", "s3cret-of-the-bucket", "eu-test-1"


@dataclass
class Bucket:
    """Objects of the bucket ``dealer`` and what its server is to do wrong."""

    port: int = 0
    objects: dict[str, bytes] = field(default_factory=dict)
    busy: int = 0
    """So many requests are answered by 503 first."""
    failing: str = ""
    """An object that is answered by 503."""

    @property
    def settings(self) -> dict[str, Any]:
        """Of a feed."""
        return {
            "place": "s3", "endpoint": f"http://127.0.0.1:{self.port}", "region": REGION,
            "bucket": "dealer", "access_key_id": ACCESS, "secret_access_key": SECRET,
        }  # fmt: skip


def expected_signature(method: str, target: str, headers: Mapping[str, str], body: str) -> str:
    """By *Authenticating Requests (AWS Signature Version 4)*, step by step, from what arrived."""
    told = headers["authorization"].removeprefix("AWS4-HMAC-SHA256 ")
    parts = dict(part.strip().split("=", 1) for part in told.split(","))
    _, date, region, service, end = parts["Credential"].split("/")
    path, _, query = target.partition("?")
    pairs = sorted(p.partition("=")[::2] for p in query.split("&")) if query else []
    names = parts["SignedHeaders"].split(";")
    canonical = "\n".join([
        method, path, "&".join(f"{n}={v}" for n, v in pairs),
        *(f"{name}:{' '.join(headers[name].split())}" for name in names), "",
        parts["SignedHeaders"], body,
    ])  # fmt: skip
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    scope = f"{date}/{region}/{service}/{end}"
    signed = f"AWS4-HMAC-SHA256\n{headers['x-amz-date']}\n{scope}\n{digest}"
    key = ("AWS4" + SECRET).encode()
    for step in (date, region, service, end):
        key = hmac.digest(key, step.encode(), "sha256")
    return hmac.digest(key, signed.encode(), "sha256").hex()


def _handler(bucket: Bucket) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            told = headers.get("authorization", "")
            content = headers.get("x-amz-content-sha256", "")
            if bucket.busy or (bucket.failing and self.path.endswith(f"/{bucket.failing}")):
                bucket.busy = max(0, bucket.busy - 1)
                self._say(503, b"<Error><Code>SlowDown</Code></Error>")
            elif f"Credential={ACCESS}/" not in told:
                self._say(403, b"<Error><Code>InvalidAccessKeyId</Code></Error>")
            elif not told.endswith(expected_signature(self.command, self.path, headers, content)):
                self._say(403, b"<Error><Code>SignatureDoesNotMatch</Code></Error>")
            else:
                self._serve(headers)

        do_HEAD = do_GET

        def _serve(self, headers: Mapping[str, str]) -> None:
            parts = urlsplit(self.path)
            name, _, key = unquote(parts.path).removeprefix("/").partition("/")
            query = {n: v[0] for n, v in parse_qs(parts.query).items()}
            if name != "dealer":
                self._say(404, b"<Error><Code>NoSuchBucket</Code></Error>")
            elif "list-type" in query:
                self._say(200, self._listing(query).encode())
            elif key not in bucket.objects:
                self._say(404, b"<Error><Code>NoSuchKey</Code></Error>")
            else:
                self._object(bucket.objects[key], headers)

        def _object(self, body: bytes, headers: Mapping[str, str]) -> None:
            tag = f'"{hashlib.md5(body).hexdigest()}"'
            if headers.get("if-match", tag) != tag:
                self._say(412, b"<Error><Code>PreconditionFailed</Code></Error>")
                return
            more = {"ETag": tag, "Last-Modified": "Mon, 01 Jun 2026 08:00:00 GMT"}
            if "range" in headers:
                first, last = headers["range"].removeprefix("bytes=").split("-")
                piece = body[int(first) : int(last) + 1]
                more["Content-Range"] = f"bytes {first}-{int(first) + len(piece) - 1}/{len(body)}"
                self._say(206, piece, more)
            else:
                self._say(200, body, more)

        def _listing(self, query: Mapping[str, str]) -> str:
            names = sorted(n for n in bucket.objects if n.startswith(query.get("prefix", "")))
            first = int(query.get("continuation-token", "0").removeprefix("page "))
            shown, rest = names[first : first + 3], names[first + 3 :]
            told = "".join(
                f"<Contents><Key>{escape(n)}</Key><Size>{len(bucket.objects[n])}</Size>"
                f"<LastModified>2026-06-01T08:00:00.000Z</LastModified>"
                f"<ETag>&quot;{hashlib.md5(bucket.objects[n]).hexdigest()}&quot;</ETag></Contents>"
                for n in shown
            )
            more = f"<NextContinuationToken>page {first + 3}</NextContinuationToken>" * bool(rest)
            return (
                '<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
                f"<Name>dealer</Name><KeyCount>{len(shown)}</KeyCount><MaxKeys>3</MaxKeys>"
                f"<IsTruncated>{str(bool(rest)).lower()}</IsTruncated>{more}{told}"
                "</ListBucketResult>"
            )

        def _say(self, status: int, body: bytes, more: Mapping[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in (more or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    return Handler


@contextmanager
def a_bucket() -> Iterator[Bucket]:
    """A server of S3's protocol; it hands out three names at a time."""
    bucket = Bucket()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(bucket))
    bucket.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield bucket
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Doorman(asyncssh.SSHServer):  # type: ignore[misc]
    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("carloop", "s3cret-of-the-server")


@dataclass
class Drop:
    """A folder served over SFTP."""

    folder: Path
    port: int
    fingerprint: str
    client_key: str

    @property
    def settings(self) -> dict[str, Any]:
        """Of a feed."""
        return {
            "place": "sftp", "host": "127.0.0.1", "port": self.port, "username": "carloop",
            "password": "s3cret-of-the-server", "host_key": self.fingerprint, "folder": "/in",
        }  # fmt: skip


@contextmanager
def a_drop(folder: Path) -> Iterator[Drop]:
    """asyncssh as the server: not the library that the feed is made with."""
    (folder / "in").mkdir(parents=True)
    host, client = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    keys = folder / "authorized_keys"
    keys.write_bytes(client.export_public_key())
    loop = asyncio.new_event_loop()

    async def begin() -> Any:
        return await asyncssh.listen(
            "127.0.0.1", 0, server_host_keys=[host], server_factory=_Doorman,
            authorized_client_keys=str(keys),
            sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=str(folder)),
        )  # fmt: skip

    server = loop.run_until_complete(begin())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def end() -> None:
        server.close()
        await server.wait_closed()
        rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    try:
        text = client.export_private_key().decode()
        yield Drop(folder / "in", server.get_port(), host.get_fingerprint(), text)
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

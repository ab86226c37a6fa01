"""GET over HTTP for feeds: guarded addresses, one deadline a request, bounded answers."""

from __future__ import annotations

import ssl
import zlib
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

import httpcore

from carloop.connectors.transport import inflate
from carloop.core.feeds import Allowed
from carloop.kit.egress import ConnectForbidden, GuardedBackend
from carloop.kit.errors import InvalidInput, Malformed, Retryable, TooLarge

MOST_BYTES = 32 * 1024 * 1024


class Answer(NamedTuple):
    """What a server said; names of headers in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Web:
    """Asks servers that may be reached; follows no redirect by itself.

    Args:
        allowed: private hosts that may be reached.
        seconds: how long one request may take, from the connection to the last byte.
        path: the setting that names the address, for complaints.
        port: a port of public hosts besides 80 and 443.
    """

    def __init__(self, allowed: Allowed, seconds: float, path: str, port: int = 443) -> None:
        self._seconds = seconds
        self._path = path
        self._pool = httpcore.ConnectionPool(
            max_keepalive_connections=0,
            network_backend=GuardedBackend((80, 443, port), allowed.hosts, seconds),
        )

    def get(self, url: str, headers: Mapping[str, str], most: int = MOST_BYTES) -> Answer:
        """One answer, whatever its status; at most ``most`` bytes, on the wire and unpacked.

        Raises:
            InvalidInput: ``address_forbidden``, ``tls_failed``, ``answer_too_large``,
                ``answer_broken``.
            Retryable: ``unreachable``, ``timed_out``, ``source_gone``.
        """
        seconds = self._seconds
        timeout = {"connect": min(seconds, 10.0), "read": seconds, "write": seconds, "pool": 1.0}
        sent: dict[bytes | str, bytes | str] = dict(headers.items())
        try:
            with self._pool.stream(
                "GET", url, headers=sent, extensions={"timeout": timeout}
            ) as response:
                body = bytearray()
                for piece in response.iter_stream():
                    body += piece
                    if len(body) > most:
                        raise self._too_large()
                told = {
                    n.decode("latin-1").lower(): v.decode("latin-1") for n, v in response.headers
                }
                return Answer(response.status, told, self._plain(bytes(body), told, most))
        except ConnectForbidden as error:
            raise InvalidInput(
                "a private address; the installation must allow it",
                code="address_forbidden",
                path=self._path,
            ) from error
        except httpcore.ConnectError as error:
            raise self._unconnected(error) from error
        except httpcore.TimeoutException as error:
            raise Retryable("the server does not answer in time", code="timed_out") from error
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise Retryable("the server hung up", code="source_gone") from error
        except (httpcore.UnsupportedProtocol, UnicodeError, ValueError) as error:
            raise InvalidInput(
                "no usable address", code="setting_invalid", path=self._path
            ) from error

    def close(self) -> None:
        """Hang up."""
        self._pool.close()

    def _unconnected(self, error: BaseException) -> InvalidInput | Retryable:
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, ssl.SSLError):
                return InvalidInput(
                    "no TLS, or a certificate that is not trusted",
                    code="tls_failed",
                    path=self._path,
                )
            cause = cause.__cause__ or cause.__context__
        return Retryable("the server cannot be reached", code="unreachable")

    def _plain(self, body: bytes, headers: Mapping[str, str], most: int) -> bytes:
        encoding = headers.get("content-encoding", "").strip().lower()
        if encoding in ("", "identity") or not body:
            return body
        try:
            if encoding in ("gzip", "x-gzip"):
                return inflate(body, most)
            if encoding == "deflate":
                return inflate(body, most, zlib.MAX_WBITS)
        except TooLarge as error:
            raise self._too_large() from error
        except Malformed as error:
            raise InvalidInput("the answer is broken", code="answer_broken") from error
        raise InvalidInput("the answer is packed unknowably", code="answer_broken")

    def _too_large(self) -> InvalidInput:
        return InvalidInput("the answer is too large", code="answer_too_large", path=self._path)


def checked_url(url: str, path: str) -> str:
    """An address of HTTP without a user in it.

    Raises:
        InvalidInput: ``setting_invalid``.
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or "@" in urlsplit(url).netloc or not url.isascii() or "#" in url or " " in url:
        raise InvalidInput(
            "http(s)://…, in ASCII, without user and fragment", code="setting_invalid", path=path
        )
    return url


def port_of(url: str) -> int:
    """The port that an address names or means."""
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 80)


def origin_of(url: str) -> tuple[str, str, int]:
    """Scheme, host and port: who gets the credentials."""
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), port_of(url)

"""One request to the server, and what its answer means."""

from __future__ import annotations

import gzip
import json
import random
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import Message
from email.utils import parsedate_to_datetime
from http.client import HTTPException, HTTPMessage
from typing import IO, Any
from urllib.parse import urlsplit

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 60.0
LONGEST_ASKED_S = 3600.0
WORTH_PACKING = 1024
MOST_ANSWER = 4 * 1024 * 1024


@dataclass(frozen=True)
class Answer:
    """What the server said; ``status`` 0 where nobody knows whether the events arrived."""

    status: int
    body: dict[str, Any]
    retry_after: str | None = None
    trouble: str = ""

    @property
    def taken(self) -> bool:
        """The batch is safe."""
        return 200 <= self.status < 300

    @property
    def key_refused(self) -> bool:
        """The batch may be good, but the key is not."""
        return self.status in (401, 403)

    @property
    def batch_refused(self) -> bool:
        """This batch will never be taken. Any other refusal may be the way's fault, and passes."""
        return self.status in (400, 413, 422)

    @property
    def code(self) -> str:
        """The server's reason."""
        return self.trouble or str(self.body.get("code") or f"http_{self.status}")


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A key is for one server alone."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> None:
        return None


class Wire:
    """Posts batches to ``{server}/api/events``.

    Args:
        server: the address without a path; ``http`` or ``https``.
        timeout: seconds that one request may take to answer.

    Raises:
        ValueError: not such an address.
    """

    def __init__(self, server: str, write_key: str, timeout: float, historical: bool) -> None:
        parts = urlsplit(server)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("server is an http or https address")
        if not write_key or not write_key.isascii() or not write_key.isprintable():
            raise ValueError("a write key is needed")
        self._url = server.rstrip("/") + "/api/events"
        self._key = write_key
        self._timeout = timeout
        self._historical = historical
        self._opener = urllib.request.build_opener(_NoRedirects())

    def post(self, events: Sequence[bytes]) -> Answer:
        """Send one batch; never raises for what the network or the server does."""
        head = b'{"sent_at":%d,"historical":%s,"events":[' % (
            int(time.time() * 1000),
            b"true" if self._historical else b"false",
        )
        body = head + b",".join(events) + b"]}"
        headers = {
            "Authorization": f"Bearer {self._key}",
            "Content-Type": "application/json",
            "User-Agent": "carloop-client-python",
        }
        if len(body) > WORTH_PACKING:
            body = gzip.compress(body, 5)
            headers["Content-Encoding"] = "gzip"
        request = urllib.request.Request(self._url, body, headers, method="POST")
        try:
            with self._opener.open(request, timeout=self._timeout) as response:
                return _answer(response.status, response.headers, response.read(MOST_ANSWER))
        except urllib.error.HTTPError as error:
            with error:
                return _refusal(error)
        except (OSError, HTTPException) as error:
            return Answer(0, {}, None, type(error).__name__)


def _refusal(error: urllib.error.HTTPError) -> Answer:
    try:
        content = error.read(MOST_ANSWER)
    except (OSError, HTTPException):
        content = b""
    return _answer(error.code, error.headers, content)


def _answer(status: int, headers: Message, content: bytes) -> Answer:
    try:
        body = json.loads(content)
    except ValueError:
        body = {}
    return Answer(status, body if isinstance(body, dict) else {}, headers.get("Retry-After"))


def wait_seconds(failures: int, retry_after: str | None, now: float) -> float:
    """How long to wait after so many failures: as asked, else doubling, with chance.

    >>> wait_seconds(1, "7", 0.0)
    7.0
    >>> wait_seconds(1, "Thu, 01 Jan 1970 00:01:00 GMT", 0.0)
    60.0
    >>> all(0.25 <= wait_seconds(1, None, 0.0) <= 0.5 for _ in range(100))
    True
    """
    asked = _asked(retry_after, now) if retry_after else None
    if asked is not None:
        return min(asked, LONGEST_ASKED_S)
    full = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(failures - 1, 16))
    return full / 2 + random.random() * full / 2  # noqa: S311 - chance, not a secret


def _asked(retry_after: str, now: float) -> float | None:
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after)
    try:
        seconds = parsedate_to_datetime(retry_after).timestamp() - now
    except (TypeError, ValueError):
        return None
    return seconds if seconds > 0 else None

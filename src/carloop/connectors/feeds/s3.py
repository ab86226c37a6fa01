"""S3 and what speaks its protocol: two requests, signed (AWS Signature Version 4).

Our own few lines instead of a client library, so that every connection goes through the guard.
Source: *Signature Calculations for the Authorization Header*, Amazon S3 API Reference.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, BinaryIO
from urllib.parse import quote, urlsplit
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from carloop.connectors.feeds.file_places import (
    MOST_LISTED,
    Entry,
    FileGone,
    Pieces,
    epoch,
    fits,
    too_many,
)
from carloop.connectors.feeds.web import Answer, Web, checked_url, port_of
from carloop.core.feeds import Allowed
from carloop.kit.errors import CarloopError, InvalidInput, Retryable
from carloop.kit.settings import Reader

ADDRESSING = ("auto", "path", "virtual")
EMPTY = hashlib.sha256(b"").hexdigest()
LISTING = 8 * 1024 * 1024
ATTEMPTS = 4
_VIRTUAL = (".amazonaws.com", ".amazonaws.com.cn", ".aliyuncs.com", ".myqcloud.com")
_CREDENTIALS = {
    "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken", "AuthFailure",
}  # fmt: skip


def authorization(
    method: str, url: str, headers: Mapping[str, str], region: str, key_id: str, key: str
) -> str:
    """The ``Authorization`` header of a request.

    Args:
        method: of the request.
        url: with its path and query as they are sent, both percent-encoded.
        headers: those to be signed, in lower case: ``host``, ``x-amz-date``,
            ``x-amz-content-sha256`` at least.
        region: of the bucket.
        key_id: of the credentials.
        key: their secret.
    """
    parts, at = urlsplit(url), headers["x-amz-date"]
    scope = f"{at[:8]}/{region}/s3/aws4_request"
    names = ";".join(sorted(headers))
    told = "".join(f"{name}:{headers[name].strip()}\n" for name in sorted(headers))
    query = "&".join(sorted(part if "=" in part else f"{part}=" for part in parts.query.split("&"))
                     if parts.query else [])  # fmt: skip
    request = "\n".join(
        [method, parts.path or "/", query, told, names, headers["x-amz-content-sha256"]]
    )
    text = f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    secret = f"AWS4{key}".encode()
    for part in scope.split("/"):
        secret = hmac.new(secret, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()
    credential = f"{key_id}/{scope}"
    return f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"


class S3Place:
    """A bucket, or what begins with a prefix in it.

    Raises:
        InvalidInput: a setting is missing or wrong.
    """

    def __init__(self, settings: Mapping[str, Any], allowed: Allowed, seconds: int) -> None:
        read = Reader(settings)
        self._region = read.text("region", "us-east-1", 64)
        self._bucket = read.text("bucket", limit=63)
        endpoint = read.text("endpoint", "", 500) or f"https://s3.{self._region}.amazonaws.com"
        endpoint = checked_url(endpoint, "endpoint").rstrip("/")
        host = urlsplit(endpoint).hostname or ""
        way = read.choice("addressing", "auto", ADDRESSING)
        virtual = way == "virtual" or (way == "auto" and host.endswith(_VIRTUAL))
        if not all(char.isalnum() or char in ".-_" for char in self._bucket):
            raise InvalidInput("no name of a bucket", code="setting_invalid", path="bucket")
        if urlsplit(endpoint).path or urlsplit(endpoint).query:
            raise InvalidInput("no path in it", code="setting_invalid", path="endpoint")
        scheme, _, rest = endpoint.partition("://")
        self._base = (
            f"{scheme}://{self._bucket}.{rest}" if virtual else f"{endpoint}/{self._bucket}"
        )
        self._prefix = read.text("folder", "", 1000).strip("/")
        self._prefix += "/" if self._prefix else ""
        self._key_id = read.text("access_key_id", "", 200)
        self._key = read.text("secret_access_key", "" if not self._key_id else None)
        self._web = Web(allowed, seconds, "endpoint", port_of(endpoint))

    def entries(self, pattern: str) -> Iterator[Entry]:
        """Objects whose name fits; the part of the pattern without wildcards narrows the list."""
        plain = pattern[: next((n for n, c in enumerate(pattern) if c in "*?["), len(pattern))]
        token, listed = "", 0
        while True:
            query = {"list-type": "2", "prefix": self._prefix + plain, "max-keys": "1000"}
            query |= {"continuation-token": token} if token else {}
            page = self._xml(self._get("", query, {}, LISTING))
            for found in page.findall("Contents"):
                listed += 1
                if listed > MOST_LISTED:
                    raise too_many()
                name = _text(found, "Key").removeprefix(self._prefix)
                if name and not name.endswith("/") and fits(name, pattern):
                    changed = epoch(_text(found, "LastModified"))
                    size = int(_text(found, "Size") or 0)
                    yield Entry(name, size, changed, _text(found, "ETag"))
            token = _text(page, "NextContinuationToken")
            if _text(page, "IsTruncated") != "true" or not token:
                return

    def open(self, entry: Entry) -> BinaryIO:
        """An object, as it was when it was listed."""
        return _Object(entry, self._piece).buffered()

    def unchanged(self, entry: Entry) -> bool:
        """Yes: each piece was asked for with its tag."""
        return True

    def close(self) -> None:
        """Hang up."""
        self._web.close()

    def _piece(self, entry: Entry, offset: int, size: int) -> bytes:
        headers = {"range": f"bytes={offset}-{offset + size - 1}"}
        headers |= {"if-match": entry.stamp} if entry.stamp else {}
        answer = self._get(self._prefix + entry.name, {}, headers, size)
        return answer.body

    def _get(
        self, name: str, query: Mapping[str, str], headers: Mapping[str, str], most: int
    ) -> Answer:
        """An answer that says yes; tried again while the server says that it is busy."""
        path = "/" + quote(name, safe="/~") if name or not urlsplit(self._base).path else ""
        url = self._base + path
        if query:
            url += "?" + "&".join(
                f"{quote(k, safe='~')}={quote(v, safe='~')}" for k, v in sorted(query.items())
            )
        pause = 0.25
        for attempt in range(ATTEMPTS):
            trouble: CarloopError
            try:
                answer = self._web.get(url, self._signed(url, headers), max(most, 64 * 1024))
                if answer.status in (200, 206):
                    return answer
                trouble = self._refusal(answer, bool(name))
            except Retryable as error:
                trouble = error
            if not isinstance(trouble, Retryable) or attempt == ATTEMPTS - 1:
                raise trouble
            time.sleep(pause)
            pause *= 2
        raise AssertionError

    def _signed(self, url: str, headers: Mapping[str, str]) -> dict[str, str]:
        told = {"host": urlsplit(url).netloc, "accept-encoding": "identity", **headers}
        if not self._key_id:
            return told
        now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        signed = {"host": told["host"], "x-amz-date": now, "x-amz-content-sha256": EMPTY}
        signature = authorization("GET", url, signed, self._region, self._key_id, self._key)
        return told | signed | {"authorization": signature}

    def _refusal(self, answer: Answer, of_object: bool) -> CarloopError:
        status = answer.status
        code = _text(self._xml(answer), "Code") if answer.body[:1] == b"<" else ""
        if status == 412 or (status == 404 and of_object) or status == 416:
            raise FileGone
        if code in _CREDENTIALS or status == 401:
            return InvalidInput(
                "the server refuses these credentials",
                code="credentials_refused",
                path="secret_access_key",
            )
        if status == 403:
            return InvalidInput("no right to read this", code="permission_missing", path="bucket")
        if status == 404:
            return InvalidInput("no such bucket", code="bucket_unknown", path="bucket")
        if status in (301, 302, 307, 400):
            return InvalidInput("the bucket is elsewhere", code="region_wrong", path="region")
        if status >= 500 or status == 429:
            return Retryable("the server fails", code="source_failing")
        return InvalidInput("the server refuses this", code="request_refused", path="endpoint")

    def _xml(self, answer: Answer) -> Element:
        try:
            root: Element = fromstring(answer.body, forbid_dtd=True)
        except (ParseError, DefusedXmlException, ValueError) as error:
            raise InvalidInput(
                "the answer is not that of S3", code="answer_broken", path="endpoint"
            ) from error
        for element in root.iter():
            element.tag = element.tag.rpartition("}")[2]
        return root


class _Object(Pieces):
    def __init__(self, entry: Entry, piece: Callable[[Entry, int, int], bytes]) -> None:
        super().__init__(entry.size)
        self._entry, self._piece = entry, piece

    def fetch(self, offset: int, size: int) -> bytes:
        return self._piece(self._entry, offset, size)


def _text(element: Element, name: str) -> str:
    return (element.findtext(name) or "").strip()

"""JSON from an API over HTTP, page by page: whole, or what changed since the last time."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar, Self
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

import msgspec

from carloop.connectors.feeds.broker import (
    PAGE_BYTES,
    SAMPLE,
    digest,
    message_record,
    own_id,
    sample_of,
    texts,
)
from carloop.connectors.feeds.paging import STYLES, Page, Paging, Where, page_of, scalar
from carloop.connectors.feeds.web import Answer, Web, checked_url, origin_of, port_of
from carloop.core.feeds import (
    MOST_PAGE_RECORDS,
    Allowed,
    Cursor,
    FeedColumn,
    FeedPage,
    FeedRecord,
    Probe,
    Stop,
)
from carloop.kit.errors import CarloopError, InvalidInput, Retryable
from carloop.kit.settings import Reader, refuse_unknown

AUTH = ("none", "bearer", "basic", "header", "query")
OVERLAP_SECONDS = 60
ATTEMPTS = 4
FIRST_PAUSE_SECONDS = 0.25
LONGEST_WAIT_SECONDS = 60.0
"""A server that asks for a longer pause ends the run; the next one comes by its schedule."""
FURTHEST_AHEAD = timedelta(days=1)
MOST_PAGES = 1_000_000
MOST_REDIRECTS = 5
_SECRET_HEADERS = {"authorization", "proxy-authorization", "cookie", "x-api-key", "api-key"}
_OWN_HEADERS = {"host", "content-length", "transfer-encoding", "connection", "accept-encoding"}
_STALE = {400, 404, 409, 410, 422}
_any = msgspec.json.Decoder().decode
_normal = msgspec.json.Encoder(order="deterministic").encode


class _Refused(InvalidInput):
    """A status that says no."""

    def __init__(self, status: int) -> None:
        code = {404: "page_unknown", 410: "page_unknown"}.get(status, "request_refused")
        super().__init__(f"the server answers {status}", code=code, path="url")
        self.answered = status


class HttpPull:
    """Reads lists of JSON objects by GET, one page after the other.

    An object is known by ``key``, or else by its content: without a key, equal ones count once.
    With ``watermark`` and ``since_param`` each run asks for what changed since the newest one
    seen, less an overlap; without them each run reads everything.
    """

    kind: ClassVar[str] = "http"
    title: ClassVar[Mapping[str, str]] = {"zh": "HTTP 接口(JSON)", "en": "HTTP API (JSON)"}
    endless: ClassVar[bool] = False

    def __init__(self, settings: Mapping[str, Any], allowed: Allowed) -> None:
        refuse_unknown(settings, self.schema())
        read = Reader(settings)
        self._url = checked_url(read.text("url", limit=2000), "url")
        self._headers = _headers(settings)
        self._auth = read.choice("auth", "none", AUTH)
        self._user = read.text("username", None if self._auth == "basic" else "", 256)
        self._password = read.text("password", "")
        keyed = self._auth in ("bearer", "header", "query")
        self._token = read.text("token", None if keyed else "")
        self._key_name = read.text("key_name", "X-Api-Key" if self._auth == "header" else
                                   None if self._auth == "query" else "", 100)  # fmt: skip
        if not all(c.isascii() and (c.isalnum() or c in "-_.") for c in self._key_name):
            raise InvalidInput("no name", code="setting_invalid", path="key_name")
        if not (self._token + self._password + self._user).isascii() and self._auth != "basic":
            raise InvalidInput("no usable text", code="setting_invalid", path="token")
        self._items = read.text("items", "", 200)
        self._key = [path.split(".") for path in texts(settings, "key", 8, 200)]
        self._paging = Paging(settings)
        self._watermark = read.text("watermark", "", 200)
        self._since = read.text("since_param", "", 100)
        self._begin = read.text("since_start", "", 200)
        self._overlap = read.integer("overlap_seconds", OVERLAP_SECONDS, 0, 30 * 86_400)
        self._total = read.text("total_path", "", 200)
        self._spacing = 60 / read.integer("requests_per_minute", 120, 1, 6_000)
        seconds = read.integer("timeout_seconds", 30, 1, 300)
        if bool(self._watermark) != bool(self._since):
            missing = "since_param" if self._watermark else "watermark"
            raise InvalidInput(
                "a watermark and its parameter go together", code="setting_missing", path=missing
            )
        self._web = Web(allowed, seconds, "url", port_of(self._url))
        self._asked = 0.0

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """JSON schema of the settings."""
        return _schema()

    @classmethod
    def open(cls, settings: Mapping[str, Any], allowed: Allowed) -> Self:
        """A feed of one list; connects to nothing yet."""
        return cls(settings, allowed)

    def probe(self) -> Probe:
        """The first page, asked for once."""
        page, _, _ = self._page({}, self._begin or None, _never, 1)
        sample, notes = sample_of(self._records(page.items[:SAMPLE]))
        marked = [body for body in sample if self._mark(body) is not None]
        if self._watermark and len(marked) < len(sample):
            notes = (*notes, "watermark_nulls")
        return Probe(sample=sample, total=self._told(page), notes=notes)

    def columns(self) -> tuple[FeedColumn, ...]:
        """None: JSON declares nothing."""
        return ()

    def count(self) -> int | None:
        """What the first page says of the whole, where ``total_path`` names it."""
        if not self._total or self._watermark:
            return None
        page, _, _ = self._page({}, None, _never, 1)
        return self._told(page)

    def acknowledge(self, page: FeedPage) -> None:
        """Nothing: the server keeps what it has."""

    def close(self) -> None:
        """Hang up."""
        self._web.close()

    def pages(self, cursor: Cursor | None, stop: Stop) -> Iterator[FeedPage]:
        """What each page of the API holds.

        The cursor tells ``since`` of the pull under way, the highest watermark seen in it
        (``high``) and where its next page is (``next``). ``high`` becomes ``since`` only when the
        pull came to its end: its items may stand in any order.
        """
        told = dict(cursor or {})
        since, high = told.get("since"), told.get("high")
        where: Where = told.get("next") or {}
        resumed = bool(where)
        previous = b""
        for _ in range(MOST_PAGES):
            if stop():
                return
            try:
                page, url, link = self._page(where, since or self._begin or None, stop, ATTEMPTS)
            except _Refused as refused:
                if resumed and refused.answered in _STALE:
                    where, resumed = {}, False
                    continue
                if self._paging.style == "page" and where and refused.answered == 404:
                    yield FeedPage((), cursor=self._ended(since, high))
                    return
                raise
            except _Stopped:
                return
            resumed = False
            if where and page.items and page.body == previous and self._paging.style != "link":
                raise InvalidInput("each page is the same", code="paging_stuck", path="paging")
            previous = page.body
            records = self._records(page.items)
            for record in records:
                high = self._higher(high, self._mark(record.body) if not record.code else None)
            following = self._paging.after(where, url, page, link)
            if following is not None and "url" in following:
                following = {"url": self._without_key(str(following["url"]))}
            after = (
                self._ended(since, high)
                if following is None
                else {"since": since, "high": high, "next": dict(following)}
            )
            yield from _cut(records, after, self._told(page))
            if following is None:
                return
            where = following
        raise InvalidInput("pages without end", code="paging_stuck", path="paging")

    def _ended(self, since: Any, high: Any) -> dict[str, Any]:
        newest = self._higher(since, high)
        return {} if newest is None else {"since": newest}

    def _page(self, where: Where, since: Any, stop: Stop, attempts: int) -> tuple[Page, str, str]:
        """``(page, address it came from, Link header)``; tried again where that may help."""
        url = str(where["url"]) if "url" in where else self._address(where, since)
        pause = FIRST_PAUSE_SECONDS
        for left in range(attempts - 1, -1, -1):
            wait = pause
            try:
                answer, came_from = self._get(url, stop)
                if answer.status < 300:
                    body = _text(answer)
                    return page_of(body, self._items), came_from, answer.headers.get("link", "")
                trouble, asked = self._refusal(answer)
                wait = pause if asked is None else asked
            except Retryable as error:
                trouble = error
            if not isinstance(trouble, Retryable) or not left or wait > LONGEST_WAIT_SECONDS:
                raise trouble
            _wait(wait, stop)
            pause *= 2
        raise AssertionError

    def _get(self, url: str, stop: Stop) -> tuple[Answer, str]:
        """An answer after redirects; credentials go to the configured server alone."""
        for _ in range(MOST_REDIRECTS + 1):
            _wait(self._asked + self._spacing - time.monotonic(), stop)
            self._asked = time.monotonic()
            own = origin_of(url) == origin_of(self._url)
            answer = self._web.get(
                self._with_key(url) if own else url, self._sent() if own else dict(_PLAIN)
            )
            target = answer.headers.get("location", "")
            if answer.status not in (301, 302, 303, 307, 308) or not target:
                return answer, url
            following = self._without_key(checked_url(urljoin(url, target), "url"))
            if url.startswith("https:") and not following.startswith("https:"):
                raise InvalidInput("sent on to plain HTTP", code="redirect_refused", path="url")
            url = following
        raise InvalidInput("sent on too often", code="redirect_refused", path="url")

    def _sent(self) -> dict[str, str]:
        headers = {**_PLAIN, **self._headers}
        if self._auth == "bearer":
            headers["authorization"] = f"Bearer {self._token}"
        elif self._auth == "basic":
            told = base64.b64encode(f"{self._user}:{self._password}".encode()).decode()
            headers["authorization"] = f"Basic {told}"
        elif self._auth == "header":
            headers[self._key_name.lower()] = self._token
        return headers

    def _address(self, where: Where, since: Any) -> str:
        query = self._paging.query(where)
        if since is not None and self._since:
            query[self._since] = str(_less(since, self._overlap))
        return _asking(self._url, query)

    def _with_key(self, url: str) -> str:
        return _asking(url, {self._key_name: self._token}) if self._auth == "query" else url

    def _without_key(self, url: str) -> str:
        """A link that a server made of our request must not carry the key into the cursor."""
        if self._auth != "query":
            return url
        parts = urlsplit(url)
        kept = [(n, v) for n, v in parse_qsl(parts.query, True) if n != self._key_name]
        return urlunsplit(parts._replace(query=urlencode(kept)))

    def _refusal(self, answer: Answer) -> tuple[CarloopError, float | None]:
        """What a status means, and for how long the server asks to be left alone."""
        status = answer.status
        if status == 401 or (status == 403 and self._auth == "none"):
            path = "auth" if self._auth == "none" else "password" if self._user else "token"
            return InvalidInput("credentials refused", code="credentials_refused", path=path), None
        if status == 403:
            return InvalidInput("no right to read", code="permission_missing", path="url"), None
        if status in (408, 425, 429) or status >= 500:
            asked = _retry_after(answer.headers.get("retry-after", ""))
            code = "rate_limited" if status == 429 or asked is not None else "source_failing"
            later = None if asked is None else int(asked + 0.999)
            return Retryable("not now", code=code, retry_after_seconds=later), asked
        return _Refused(status), None

    def _records(self, raws: Sequence[bytes]) -> list[FeedRecord]:
        return [self._record(raw) for raw in raws]

    def _record(self, raw: bytes) -> FeedRecord:
        try:
            content = digest(_normal(_any(raw)))
        except (msgspec.MsgspecError, RecursionError):
            content = digest(raw)
        own = own_id(raw, self._key)
        key = content if own is None else own.decode()
        return message_record(key, raw, {}, content)

    def _mark(self, body: bytes) -> str | int | float | None:
        """The watermark of an object; one far in the future would hide all that follows."""
        found = scalar(body, self._watermark) if self._watermark else None
        at = _instant(found)
        ahead = at is not None and at > datetime.now(UTC) + FURTHEST_AHEAD
        return None if ahead or isinstance(found, bool) or found == "" else found

    def _higher(self, one: Any, other: Any) -> Any:
        if one is None or other is None:
            return other if one is None else one
        return max(one, other, key=_rank)

    def _told(self, page: Page) -> int | None:
        found = scalar(page.body, self._total) if self._total else None
        return found if isinstance(found, int) and not isinstance(found, bool) else None


class _Stopped(Exception):
    """The run is to end."""


_PLAIN = {
    "accept": "application/json", "accept-encoding": "gzip", "user-agent": "carloop-feed/1",
}  # fmt: skip


def _never() -> bool:
    return False


def _wait(seconds: float, stop: Stop) -> None:
    ends = time.monotonic() + seconds
    while (left := ends - time.monotonic()) > 0:
        if stop():
            raise _Stopped
        time.sleep(min(left, 0.1))


def _asking(url: str, query: Mapping[str, str]) -> str:
    """An address with these parameters in place of its own of the same names."""
    parts = urlsplit(url)
    kept = [(n, v) for n, v in parse_qsl(parts.query, True) if n not in query]
    return urlunsplit(parts._replace(query=urlencode([*kept, *query.items()])))


def _retry_after(text: str) -> float | None:
    """Seconds of ``Retry-After``, said as a number or as a date; None where neither."""
    if text.strip().isascii() and text.strip().isdigit():
        return float(text[:10])
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())


def _text(answer: Answer) -> bytes:
    """The body in UTF-8; what declares GBK is recoded."""
    kind = answer.headers.get("content-type", "").lower()
    body = answer.body.removeprefix(b"\xef\xbb\xbf")
    if any(f"charset={name}" in kind.replace('"', "") for name in ("gbk", "gb2312", "gb18030")):
        try:
            return body.decode("gb18030").encode()
        except UnicodeDecodeError as error:
            raise InvalidInput("not the encoding it says", code="answer_broken") from error
    return body


def _instant(mark: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(mark) if isinstance(mark, str) and len(mark) >= 10 else None
    except ValueError:
        return None
    return at if at is None or at.tzinfo else at.replace(tzinfo=UTC)


def _rank(mark: Any) -> tuple[int, float, str]:
    """Instants by time, numbers by size, other texts by their letters."""
    at = _instant(mark)
    if at is not None:
        return 2, at.timestamp(), ""
    if isinstance(mark, int | float):
        return 1, float(mark), ""
    return (1, float(mark), "") if str(mark).isdecimal() else (0, 0.0, str(mark))


def _less(mark: Any, seconds: int) -> Any:
    """A time earlier by the overlap, in its own form; anything else as it is.

    >>> _less("2026-06-01T08:00:00Z", 60), _less("2026-06-01 08:00:00", 60), _less(7, 60)
    ('2026-06-01T07:59:00Z', '2026-06-01 07:59:00', 7)
    """
    if _instant(mark) is None or len(mark) < 16:
        return mark
    earlier = datetime.fromisoformat(mark) - timedelta(seconds=seconds)
    text = earlier.isoformat("T" if "T" in mark else " ")
    return text.removesuffix("+00:00") + "Z" if mark.endswith("Z") else text


def _cut(
    records: Sequence[FeedRecord], cursor: Mapping[str, Any], total: int | None
) -> Iterator[FeedPage]:
    """Pages of the feed; the last of them brings the cursor."""
    first, weight = 0, 0
    for place, record in enumerate(records):
        weight += len(record.body)
        if place > first and (weight > PAGE_BYTES or place - first >= MOST_PAGE_RECORDS):
            yield FeedPage(records[first:place], total=total)
            first, weight = place, len(record.body)
    yield FeedPage(records[first:], cursor=cursor, total=total)


def _headers(settings: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    told = settings.get("headers", "")
    if not isinstance(told, str) or len(told) > 10_000:
        raise InvalidInput("lines of text", code="setting_invalid", path="headers")
    for line in filter(None, map(str.strip, told.split("\n"))):
        name, colon, value = line.partition(":")
        name = name.strip().lower()
        if not colon or not name or not all(c.isalnum() or c in "-_" for c in name):
            raise InvalidInput("Name: value", code="setting_invalid", path="headers")
        if name in _OWN_HEADERS or not (line.isascii() and line.isprintable()):
            raise InvalidInput("not to be set", code="setting_invalid", path="headers")
        if name in _SECRET_HEADERS:
            raise InvalidInput(
                "a credential; say it by auth, where it is kept secret",
                code="header_secret",
                path="headers",
            )
        found[name] = value.strip()
    return found


def _schema() -> dict[str, Any]:
    def text(longest: int, title: str, told: str = "", **more: Any) -> dict[str, Any]:
        hint = {"description": told} if told else {}
        return {"type": "string", "maxLength": longest, "title": title, **hint, **more}

    def number(low: int, high: int, default: int, title: str) -> dict[str, Any]:
        told = {"type": "integer", "minimum": low, "maximum": high, "default": default}
        return {**told, "title": title}

    properties: dict[str, Any] = {
        "url": text(2000, "URL"),
        "auth": {"type": "string", "enum": list(AUTH), "default": "none", "title": "Credentials",
                 "description": "header and query: an API key"},
        "username": text(256, "User (basic)"),
        "password": text(2000, "Password (basic)", writeOnly=True),
        "token": text(2000, "Token or API key", writeOnly=True),
        "key_name": text(100, "Header or parameter of the API key",
                         "X-Api-Key unless set; a parameter must be named"),
        "headers": text(10_000, "Further headers", "a line each, Name: value; no credentials"),
        "items": text(200, "Path to the list", "such as data.items; none: the answer is the list"),
        "key": {
            "type": "array", "maxItems": 8, "items": {"type": "string", "maxLength": 200},
            "title": "Paths within an object that together name it for ever",
            "description": "none: its content",
        },
        "paging": {"type": "string", "enum": list(STYLES), "default": "none", "title": "Pages",
                   "description": "cursor: in the answer; link: the address of the next page"},
        "next_path": text(200, "Path to the next cursor or link", "none: the header Link"),
        "page_param": text(100, "Parameter of the cursor, page or offset"),
        "first_page": number(0, 1, 1, "Number of the first page"),
        "size_param": text(100, "Parameter of the page's size"),
        "page_size": number(1, 10_000, 100, "Objects of a page, where its parameter is set"),
        "watermark": text(200, "Path to what grows with every change", "such as updated_at"),
        "since_param": text(100, "Parameter that takes the newest watermark"),
        "since_start": text(200, "Its first value"),
        "overlap_seconds": number(0, 30 * 86_400, OVERLAP_SECONDS,
                                  "Ask from so long before the newest watermark, if a time"),
        "total_path": text(200, "Path to the number of all objects"),
        "requests_per_minute": number(1, 6_000, 120, "Requests a minute, at most"),
        "timeout_seconds": number(1, 300, 30, "Longest time for one request (s)"),
    }  # fmt: skip
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["url"],
        "properties": properties,
    }

"""A stream of Redis or Valkey, read through a consumer group of its own.

An entry is known by its stream and id. Entries that were handed out and never acknowledged are
claimed first.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self, cast

import msgspec
import redis
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    NoPermissionError,
    RedisError,
    ResponseError,
)
from redis.retry import Retry

from carloop.connectors.feeds.broker import (
    CONNECT_SECONDS,
    LINK_PROPERTIES,
    PAGE_RECORDS,
    SAMPLE,
    WAIT_SECONDS,
    BrokerLink,
    batches,
    cut,
    instant_text,
    message_record,
    network_failure,
    no_right,
    refused,
    sample_of,
)
from carloop.core.feeds import Allowed, Cursor, FeedColumn, FeedPage, FeedRecord, Probe, Stop
from carloop.kit.errors import CarloopError, InvalidInput, Retryable
from carloop.kit.settings import Reader, refuse_unknown

GROUP = "carloop"
STARTS = ("beginning", "new")
Entry = tuple[bytes, dict[bytes, bytes] | None]


class RedisStreams:
    """Reads one stream."""

    kind: ClassVar[str] = "redis_streams"
    title: ClassVar[Mapping[str, str]] = {"zh": "Redis 流", "en": "Redis stream"}
    endless: ClassVar[bool] = True

    def __init__(self, settings: Mapping[str, Any], allowed: Allowed) -> None:
        refuse_unknown(settings, self.schema())
        read = Reader(settings)
        self._link = BrokerLink(settings, allowed, 6379, 6379)
        self._database = read.integer("database", 0, 0, 1_000_000)
        self._stream = read.text("stream", limit=500)
        self._group = read.text("group", GROUP, 200) or GROUP
        self._consumer = read.text("consumer", GROUP, 200) or GROUP
        self._field = read.text("field", "", 200)
        self._start = read.choice("start", "beginning", STARTS)
        self._client: redis.Redis | None = None
        self._claim_from = "0-0"

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """JSON schema of the settings."""
        return {
            "type": "object",
            "additionalProperties": False,
            "required": ["host", "stream"],
            "properties": {
                **LINK_PROPERTIES,
                "database": {"type": "integer", "minimum": 0, "maximum": 1_000_000, "default": 0},
                "stream": {"type": "string", "minLength": 1, "maxLength": 500, "title": "Stream"},
                "group": {
                    "type": "string", "maxLength": 200, "default": GROUP,
                    "title": "Consumer group, of this feed alone",
                },
                "consumer": {"type": "string", "maxLength": 200, "default": GROUP},
                "field": {
                    "type": "string", "maxLength": 200,
                    "title": "Field that holds the JSON; none: the fields are the record",
                },
                "start": {"type": "string", "enum": list(STARTS), "default": "beginning"},
            },
        }  # fmt: skip

    @classmethod
    def open(cls, settings: Mapping[str, Any], allowed: Allowed) -> Self:
        """A feed of one stream; connects to nothing yet."""
        return cls(settings, allowed)

    def probe(self) -> Probe:
        """The length of the stream and its newest entries; no group is made."""
        client = self._connected()
        try:
            self._check(client)
            newest = cast(list[Entry], client.xrevrange(self._stream, count=SAMPLE))
            total = int(client.xlen(self._stream))
        except (RedisError, OSError) as error:
            raise _failure(error) from error
        finally:
            self.close()
        sample, notes = sample_of(map(self._record, newest))
        return Probe(sample=sample, total=total, notes=notes)

    def columns(self) -> tuple[FeedColumn, ...]:
        """None: entries declare nothing."""
        return ()

    def count(self) -> int | None:
        """Entries of the stream now, where it is read from its beginning."""
        if self._start != "beginning":
            return None
        try:
            return int(self._connected().xlen(self._stream))
        except (RedisError, OSError) as error:
            raise _failure(error) from error

    def pages(self, cursor: Cursor | None, stop: Stop) -> Iterator[FeedPage]:
        """What was not acknowledged, then entries as they come; the cursor is the last id.

        The cursor serves where somebody removed the group: it is made again from there.
        """
        client = self._connected()
        try:
            self._check(client)
            self._make_group(client, cursor)
            yield from self._claimed(client, stop)
            for batch in batches(lambda: self._fetch(client), stop):
                yield from self._pages(batch, keep=False)
        except (RedisError, OSError) as error:
            raise _failure(error) from error

    def acknowledge(self, page: FeedPage) -> None:
        """The group may forget these entries; the stream keeps them."""
        if not page.handle or self._client is None:
            return
        try:
            self._client.xack(self._stream, self._group, *cast(list[bytes], page.handle))
        except (RedisError, OSError) as error:
            raise _failure(error) from error

    def close(self) -> None:
        """Hang up."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _connected(self) -> redis.Redis:
        if self._client is None:
            context = self._link.context()
            secured: dict[str, Any] = {} if context is None else {"carloop_context": context}
            pool = redis.ConnectionPool(
                connection_class=redis.Connection if context is None else _Secured,
                **secured,
                host=self._link.address(),
                port=self._link.port,
                db=self._database,
                username=self._link.username or None,
                password=self._link.password or None,
                socket_timeout=CONNECT_SECONDS,
                socket_connect_timeout=CONNECT_SECONDS,
                protocol=2,
                retry=Retry(NoBackoff(), 0),
                client_name="carloop",
            )
            self._client = redis.Redis(connection_pool=pool)
        return self._client

    def _check(self, client: redis.Redis) -> None:
        kind = client.type(self._stream)
        if kind != b"stream":
            raise InvalidInput("no such stream", code="stream_unknown", path="stream")

    def _make_group(self, client: redis.Redis, cursor: Cursor | None) -> None:
        first = "0" if self._start == "beginning" else "$"
        begin = str((cursor or {}).get("id", first))
        try:
            client.xgroup_create(self._stream, self._group, begin)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise

    def _claimed(self, client: redis.Redis, stop: Stop) -> Iterator[FeedPage]:
        """Entries of a former connection; those the stream lost meanwhile are told, not hidden."""
        begin: Any = "0-0"
        while not stop():
            answer = cast(
                Sequence[Any],
                client.xautoclaim(
                    self._stream, self._group, self._consumer, 0, begin, count=PAGE_RECORDS
                ),
            )
            begin, entries = answer[0], answer[1]
            lost = [(id_, None) for id_ in (answer[2] if len(answer) > 2 else [])]
            if entries or lost:
                yield from self._pages([*entries, *lost], keep=True)
            if begin in (b"0-0", "0-0"):
                return

    def _fetch(self, client: redis.Redis) -> list[Entry]:
        answer = cast(
            Any,
            client.xreadgroup(
                self._group,
                self._consumer,
                {self._stream: ">"},
                count=PAGE_RECORDS,
                block=int(WAIT_SECONDS * 1000),
            ),
        )
        return list(answer[0][1]) if answer else []

    def _pages(self, batch: list[Entry], *, keep: bool) -> Iterator[FeedPage]:
        if not batch:
            yield FeedPage(())
            return
        for piece in cut(batch, _size):
            cursor = None if keep else {"id": piece[-1][0].decode()}
            records = [self._record(entry) for entry in piece]
            yield FeedPage(records, cursor, handle=[id_ for id_, _ in piece])

    def _record(self, entry: Entry) -> FeedRecord:
        id_, fields = entry[0].decode(), entry[1]
        key = f"{self._stream}/{id_}"
        if fields is None:
            return FeedRecord(key, b"", "", "message_gone")
        ms = id_.partition("-")[0]
        meta = {"topic": self._stream, "id": id_, "at": instant_text(int(ms))}
        if self._field:
            payload = fields.pop(self._field.encode(), None)
            if payload is None:
                return FeedRecord(key, _as_json(fields), "", "field_missing")
            return message_record(key, payload, meta)
        try:
            plain = {name.decode(): value.decode() for name, value in fields.items()}
        except UnicodeDecodeError:
            return FeedRecord(key, _as_json(fields), "", "invalid_encoding")
        return message_record(key, msgspec.json.encode(plain), meta)


class _Secured(redis.Connection):
    """TLS by a context that checks the server's name."""

    def __init__(self, carloop_context: ssl.SSLContext, **kwargs: Any) -> None:
        super().__init__(**kwargs)  # type: ignore[no-untyped-call]
        self._context = carloop_context

    def _connect(self) -> Any:
        plain = super()._connect()  # type: ignore[no-untyped-call]
        try:
            return self._context.wrap_socket(plain)
        except OSError:
            plain.close()
            raise


def _as_json(fields: Mapping[bytes, bytes]) -> bytes:
    """Fields to look at in quarantine, whatever bytes they hold."""
    return msgspec.json.encode(
        {n.decode(errors="replace"): v.decode(errors="replace") for n, v in fields.items()}
    )[: 256 * 1024]


def _size(entry: Entry) -> int:
    return sum(map(len, (entry[1] or {}).values()))


def _failure(error: BaseException) -> CarloopError:
    """What redis-py says, in our words."""
    if isinstance(error, AuthenticationError):
        return refused()
    if isinstance(error, NoPermissionError):
        return no_right("stream")
    if isinstance(error, redis.exceptions.TimeoutError):
        return Retryable("the server does not answer in time", code="timed_out")
    if isinstance(error, redis.exceptions.ConnectionError):
        causes = (error.__cause__, error.__context__)
        inner = next((one for one in causes if isinstance(one, OSError)), error)
        return network_failure(inner)
    if isinstance(error, ResponseError):
        return _of_response(str(error))
    return network_failure(error)


def _of_response(text: str) -> CarloopError:
    if text.startswith(("WRONGPASS", "NOAUTH")) or "AUTH" in text[:40]:
        return refused()
    if text.startswith("NOGROUP"):
        return Retryable("the group is gone", code="source_gone")
    if text.startswith(("LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN")):
        return Retryable("the server cannot serve now", code="unreachable")
    if text.startswith("WRONGTYPE"):
        return InvalidInput("no such stream", code="stream_unknown", path="stream")
    return InvalidInput("the server refuses this", code="query_refused")

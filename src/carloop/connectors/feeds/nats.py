"""A JetStream stream of NATS, read through a durable pull consumer.

A message is known by its stream, the stream's time of creation and its sequence number. The durable
consumer is made where it is absent, and used as it is where it exists.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self

import nats
import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, StreamInfo

from carloop.connectors.feeds.async_link import LoopThread
from carloop.connectors.feeds.broker import (
    CONNECT_SECONDS,
    LINK_PROPERTIES,
    SAMPLE,
    WAIT_SECONDS,
    BrokerLink,
    batches,
    cut,
    gone,
    header_texts,
    instant_text,
    message_record,
    network_failure,
    no_right,
    refused,
    sample_of,
    topic_meta,
)
from carloop.core.feeds import Allowed, Cursor, FeedColumn, FeedPage, FeedRecord, Probe, Stop
from carloop.kit.errors import CarloopError, InvalidInput, Retryable
from carloop.kit.settings import Reader, refuse_unknown

DURABLE = "carloop"
STARTS = {"beginning": DeliverPolicy.ALL, "new": DeliverPolicy.NEW}
BATCH = 500
ACK_SECONDS = 30
PENDING = 5_000


class Nats:
    """Reads one stream, or some subjects of it."""

    kind: ClassVar[str] = "nats"
    title: ClassVar[Mapping[str, str]] = {"zh": "NATS JetStream 流", "en": "NATS JetStream"}
    endless: ClassVar[bool] = True

    def __init__(self, settings: Mapping[str, Any], allowed: Allowed) -> None:
        refuse_unknown(settings, self.schema())
        read = Reader(settings)
        self._link = BrokerLink(settings, allowed, 4222, 4222)
        self._token = read.text("token", "")
        self._stream = _name(read.text("stream", limit=255), "stream")
        self._subject = read.text("subject", "", 500)
        self._durable = _name(read.text("durable", DURABLE, 200) or DURABLE, "durable")
        self._start = read.choice("start", "beginning", tuple(STARTS))
        self._ack = read.integer("ack_seconds", ACK_SECONDS, 1, 3600)
        self._reading: _Reading | None = None

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """JSON schema of the settings."""
        return {
            "type": "object",
            "additionalProperties": False,
            "required": ["host", "stream"],
            "properties": {
                **LINK_PROPERTIES,
                "token": {"type": "string", "maxLength": 2000, "writeOnly": True},
                "stream": {"type": "string", "minLength": 1, "maxLength": 255, "title": "Stream"},
                "subject": {
                    "type": "string", "maxLength": 500,
                    "title": "Subjects, * for one level, > for all below; none: the whole stream",
                },
                "durable": {
                    "type": "string", "maxLength": 200, "default": DURABLE,
                    "title": "Durable consumer, of this feed alone",
                },
                "start": {"type": "string", "enum": list(STARTS), "default": "beginning"},
                "ack_seconds": {
                    "type": "integer", "minimum": 1, "maximum": 3600, "default": ACK_SECONDS,
                    "title": "Handed out again when not acknowledged for so long (s)",
                },
            },
        }  # fmt: skip

    @classmethod
    def open(cls, settings: Mapping[str, Any], allowed: Allowed) -> Self:
        """A feed of one stream; connects to nothing yet."""
        return cls(settings, allowed)

    def probe(self) -> Probe:
        """The stream's length and its newest messages; no consumer is made."""
        reading = self._connected()
        try:
            info, newest = reading.look(self._stream)
        finally:
            self.close()
        sample, notes = sample_of(newest)
        return Probe(sample=sample, total=info.state.messages, notes=notes)

    def columns(self) -> tuple[FeedColumn, ...]:
        """None: messages declare nothing."""
        return ()

    def count(self) -> int | None:
        """Messages of the stream now, where it is read whole and from its beginning."""
        if self._subject or self._start != "beginning":
            return None
        return self._connected().info(self._stream).state.messages

    def pages(self, cursor: Cursor | None, stop: Stop) -> Iterator[FeedPage]:
        """Messages as they come; the cursor serves where somebody removed the consumer."""
        reading = self._connected()
        created = reading.subscribe(self._stream, self._config(cursor))
        for batch in batches(reading.fetch, stop):
            for piece in cut(batch, lambda message: len(message.data)):
                last = piece[-1].metadata.sequence.stream if piece else None
                yield FeedPage(
                    [_record(message, created) for message in piece],
                    None if last is None else {"stream": created, "sequence": last},
                    handle=piece,
                )

    def acknowledge(self, page: FeedPage) -> None:
        """The consumer may forget these messages."""
        if self._reading is not None and isinstance(page.handle, list) and page.handle:
            self._reading.acknowledge(page.handle)

    def close(self) -> None:
        """Hang up."""
        if self._reading is not None:
            self._reading.close()
            self._reading = None

    def _connected(self) -> _Reading:
        if self._reading is None:
            self._link.address()
            reading = _Reading(self._link.allowed)
            self._reading = reading
            reading.connect(self._link, self._token)
        return self._reading

    def _config(self, cursor: Cursor | None) -> _Wanted:
        return _Wanted(self._durable, self._subject, STARTS[self._start], self._ack, cursor or {})


class _Wanted:
    """The consumer to be made where it is absent."""

    def __init__(
        self,
        durable: str,
        subject: str,
        start: DeliverPolicy,
        ack_seconds: int,
        cursor: Mapping[str, Any],
    ) -> None:
        self.durable = durable
        self._subject = subject
        self._start = start
        self._ack = ack_seconds
        self._cursor = cursor

    def config(self, created: str) -> ConsumerConfig:
        """After the last message kept, if it is still the same stream."""
        config = ConsumerConfig(
            durable_name=self.durable,
            deliver_policy=self._start,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=self._ack,
            max_ack_pending=PENDING,
            filter_subject=self._subject or None,
        )
        if self._cursor.get("stream") == created:
            config.deliver_policy = DeliverPolicy.BY_START_SEQUENCE
            config.opt_start_seq = int(self._cursor["sequence"]) + 1
        return config


class _Reading:
    """One connection, on a loop of its own that answers the server's pings meanwhile."""

    def __init__(self, allowed: Allowed) -> None:
        self._thread = LoopThread("feed-nats", allowed)
        self._client = Client()
        self._js: JetStreamContext = self._client.jetstream(timeout=CONNECT_SECONDS)
        self._subscription: JetStreamContext.PullSubscription | None = None
        self._told: list[Exception] = []

    def connect(self, link: BrokerLink, token: str) -> None:
        """Connect once; a broken connection ends the run, and the next one begins anew."""
        user = {"user": link.username, "password": link.password} if link.username else {}
        tls = link.context()
        secured = {"tls": tls, "tls_hostname": link.host} if tls else {}

        async def work() -> None:
            await self._client.connect(
                f"{'tls' if tls else 'nats'}://{_literal(link.host)}:{link.port}",
                allow_reconnect=False,
                connect_timeout=CONNECT_SECONDS,
                max_reconnect_attempts=1,
                reconnect_time_wait=0.1,  # type: ignore[arg-type]
                error_cb=self._note,
                name="carloop",
                token=token or None,
                **user,  # type: ignore[arg-type]
                **secured,  # type: ignore[arg-type]
            )

        self._call(work())

    def info(self, stream: str) -> StreamInfo:
        """The stream as it is now."""

        async def work() -> StreamInfo:
            try:
                return await self._js.stream_info(stream)
            except nats.js.errors.NotFoundError as error:
                raise _no_stream() from error

        found: StreamInfo = self._call(work())
        return found

    def look(self, stream: str) -> tuple[StreamInfo, list[FeedRecord]]:
        """The stream and its newest messages."""
        info = self.info(stream)

        async def work() -> list[FeedRecord]:
            found: list[FeedRecord] = []
            first = max(info.state.first_seq, info.state.last_seq - SAMPLE + 1)
            for sequence in range(info.state.last_seq, first - 1, -1):
                if not sequence:
                    break
                try:
                    raw = await self._js.get_msg(stream, sequence)
                except nats.js.errors.NotFoundError:
                    continue
                meta = topic_meta(raw.subject or "", ".")
                found.append(message_record(f"{stream}/{sequence}", raw.data or b"", meta))
            return found

        return info, self._call(work())

    def subscribe(self, stream: str, wanted: _Wanted) -> str:
        """Bind to the consumer; returns when the stream was created, as a text."""
        created = str(self.info(stream).created or "")

        async def work() -> None:
            try:
                found = (await self._js.consumer_info(stream, wanted.durable)).config
                if found.deliver_subject or found.ack_policy != AckPolicy.EXPLICIT:
                    raise InvalidInput(
                        "a consumer that pushes, or acknowledges by itself",
                        code="consumer_unfit",
                        path="durable",
                    )
            except nats.js.errors.NotFoundError:
                await self._js.add_consumer(stream, wanted.config(created))
            self._subscription = await self._js.pull_subscribe_bind(
                durable=wanted.durable, stream=stream
            )

        self._call(work())
        return created

    def fetch(self) -> list[Msg]:
        """What came; raises ``Retryable`` once the connection is lost."""
        assert self._subscription is not None
        subscription = self._subscription

        async def work() -> list[Msg]:
            try:
                return await subscription.fetch(BATCH, timeout=WAIT_SECONDS)
            except TimeoutError:
                return []

        found: list[Msg] = self._call(work())
        if not found and not self._client.is_connected:
            raise gone()
        return found

    def acknowledge(self, messages: list[Msg]) -> None:
        """Send the acknowledgements and wait until the server has them."""

        async def work() -> None:
            for message in messages:
                await self._client.publish(message.reply, b"+ACK")
            await self._client.flush(CONNECT_SECONDS)

        self._call(work())

    def close(self) -> None:
        """Hang up and end the thread."""

        async def work() -> None:
            if not self._client.is_closed:
                await self._client.close()

        try:
            self._thread.call(work(), CONNECT_SECONDS)
        except (nats.errors.Error, OSError, CarloopError):
            return
        finally:
            self._thread.close()

    async def _note(self, error: Exception) -> None:
        self._told.append(error)

    def _call(self, work: Any) -> Any:
        try:
            return self._thread.call(work, CONNECT_SECONDS)
        except CarloopError:
            raise
        except (nats.errors.Error, OSError) as error:
            raise self._failure(error) from error

    def _failure(self, error: BaseException) -> CarloopError:
        """What nats-py says, in our words."""
        told = [error, *self._told]
        if any(isinstance(e, nats.errors.AuthorizationError) or _denied(e) for e in told):
            return refused()
        if any("permissions violation" in str(e).lower() for e in told):
            return no_right("stream")
        if isinstance(
            error, nats.js.errors.ServiceUnavailableError | nats.errors.NoRespondersError
        ):
            return InvalidInput("the server has no JetStream", code="no_jetstream", path="host")
        if isinstance(error, nats.js.errors.NotFoundError):
            return _no_stream()
        if isinstance(error, nats.js.errors.APIError):
            return InvalidInput("the server refuses this", code="query_refused")
        below = next((e for e in told if isinstance(e, OSError | CarloopError)), None)
        if below is not None:
            return network_failure(below)
        if isinstance(error, nats.errors.NoServersError):
            return Retryable("the server cannot be reached", code="unreachable")
        return gone()


def _record(message: Msg, created: str) -> FeedRecord:
    told = message.metadata
    meta = topic_meta(message.subject, ".")
    meta["headers"] = header_texts((message.headers or {}).items())
    meta["at"] = instant_text(told.timestamp.timestamp() * 1000)
    key = f"{told.stream}/{created}/{told.sequence.stream}"
    return message_record(key, message.data, meta)


def _denied(error: BaseException) -> bool:
    text = str(error).lower()
    return "authorization violation" in text or "authentication" in text


def _no_stream() -> InvalidInput:
    return InvalidInput("no such stream", code="stream_unknown", path="stream")


def _name(text: str, path: str) -> str:
    if any(sign in text for sign in " .*>/\\"):
        raise InvalidInput("no blanks, dots or wildcards", code="setting_invalid", path=path)
    return text


def _literal(host: str) -> str:
    return f"[{host}]" if ":" in host else host

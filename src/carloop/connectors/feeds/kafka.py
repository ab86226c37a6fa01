"""A topic of a Kafka-compatible broker, all partitions of it, without joining a group.

Where reading goes on is kept in the feed's own cursor; the group's offsets are written afterwards,
for whoever watches its lag. A message is known by topic, partition, offset and its own content.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka import errors as kafka

from carloop.connectors.feeds.async_link import LoopThread
from carloop.connectors.feeds.broker import (
    CONNECT_SECONDS,
    LINK_PROPERTIES,
    PAGE_BYTES,
    PAGE_RECORDS,
    SAMPLE,
    WAIT_SECONDS,
    BrokerLink,
    batches,
    cut,
    digest,
    gone,
    guarded,
    header_text,
    header_texts,
    instant_text,
    message_record,
    network_failure,
    no_right,
    refused,
    sample_of,
    texts,
)
from carloop.core.feeds import Allowed, Cursor, FeedColumn, FeedPage, FeedRecord, Probe, Stop
from carloop.kit.errors import CarloopError, InvalidInput, Retryable
from carloop.kit.settings import Reader, refuse_unknown

GROUP = "carloop"
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
STARTS = ("beginning", "new")
METADATA_SECONDS = 30
Offsets = dict[int, int]


class Kafka:
    """Reads one topic."""

    kind: ClassVar[str] = "kafka"
    title: ClassVar[Mapping[str, str]] = {"zh": "Kafka 主题", "en": "Kafka topic"}
    endless: ClassVar[bool] = True

    def __init__(self, settings: Mapping[str, Any], allowed: Allowed) -> None:
        refuse_unknown(settings, self.schema())
        read = Reader(settings)
        self._link = BrokerLink(settings, allowed, 9092, 9093)
        self._others = [_address(text) for text in texts(settings, "other_brokers", 20, 300)]
        self._topic = read.text("topic", limit=249)
        self._group = read.text("group", GROUP, 200)
        self._mechanism = read.choice("mechanism", "PLAIN", MECHANISMS)
        self._start = read.choice("start", "beginning", STARTS)
        self._consumer: _Consumer | None = None

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """JSON schema of the settings."""
        return {
            "type": "object",
            "additionalProperties": False,
            "required": ["host", "topic"],
            "properties": {
                **LINK_PROPERTIES,
                "other_brokers": {
                    "type": "array", "maxItems": 20, "items": {"type": "string", "maxLength": 300},
                    "title": "Further brokers to ask first, as host:port",
                },
                "mechanism": {
                    "type": "string", "enum": list(MECHANISMS), "default": "PLAIN", "title": "SASL",
                },
                "topic": {"type": "string", "minLength": 1, "maxLength": 249, "title": "Topic"},
                "group": {
                    "type": "string", "maxLength": 200, "default": GROUP,
                    "title": "Group whose offsets are written; empty: none",
                },
                "start": {"type": "string", "enum": list(STARTS), "default": "beginning"},
            },
        }  # fmt: skip

    @classmethod
    def open(cls, settings: Mapping[str, Any], allowed: Allowed) -> Self:
        """A feed of one topic; connects to nothing yet."""
        return cls(settings, allowed)

    def probe(self) -> Probe:
        """How many messages there are, and the newest; no group is touched."""
        consumer = self._connected("")
        try:
            low, high = consumer.edges()
            each = max(1, SAMPLE // max(1, len(high)))
            consumer.seek({p: max(low[p], high[p] - each) for p in high})
            total = sum(high[p] - low[p] for p in high)
            found = consumer.look(min(total, SAMPLE))
        finally:
            self.close()
        sample, notes = sample_of(map(self._record, found))
        return Probe(sample=sample, total=total, notes=notes)

    def columns(self) -> tuple[FeedColumn, ...]:
        """None: messages declare nothing."""
        return ()

    def count(self) -> int | None:
        """Offsets of the topic now, where it is read from its beginning.

        Transaction marks and compacted messages count too.
        """
        if self._start != "beginning":
            return None
        low, high = self._connected("").edges()
        return sum(high[p] - low[p] for p in high)

    def pages(self, cursor: Cursor | None, stop: Stop) -> Iterator[FeedPage]:
        """Messages of all partitions from the cursor on: ``{"offsets": {"<partition>": next}}``.

        Offsets that the broker has forgotten before they were read are told as a record
        ``message_gone``; a topic that was made anew is read from its beginning.
        """
        consumer = self._connected(self._group)
        known = {int(p): int(o) for p, o in (cursor or {}).get("offsets", {}).items()}
        offsets, lost = self._placed(consumer, known, first=cursor is None)
        if offsets != known:
            yield FeedPage(lost, cursor=_cursor(offsets))
        for batch in batches(consumer.fetch, stop):
            for piece in cut(batch, lambda message: len(message.value or b"")):
                offsets |= {message.partition: message.offset + 1 for message in piece}
                records = [self._record(message) for message in piece]
                handle = dict(offsets) if piece else None
                yield FeedPage(records, _cursor(offsets) if piece else None, handle=handle)
            if consumer.grown():
                offsets, _ = self._placed(consumer, offsets, first=False)

    def acknowledge(self, page: FeedPage) -> None:
        """Write the group's offsets; our own cursor does not depend on them."""
        if self._consumer is not None and self._group and isinstance(page.handle, dict):
            self._consumer.commit(page.handle)

    def close(self) -> None:
        """Hang up."""
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None

    def _placed(
        self, consumer: _Consumer, known: Offsets, *, first: bool
    ) -> tuple[Offsets, list[FeedRecord]]:
        """Seek every partition; ``(offsets, what was lost)``."""
        low, high = consumer.edges()
        offsets: Offsets = {}
        lost: list[FeedRecord] = []
        for partition in sorted(high):
            at = known.get(partition)
            if at is None:
                at = high[partition] if first and self._start == "new" else low[partition]
            elif at > high[partition]:
                at = low[partition]
            elif at < low[partition]:
                key = f"{self._topic}/{partition}/{at}-{low[partition] - 1}"
                lost.append(FeedRecord(key, b"", "", "message_gone"))
                at = low[partition]
            offsets[partition] = at
        consumer.seek(offsets)
        return offsets, lost

    def _record(self, message: ConsumerRecord[bytes, bytes]) -> FeedRecord:
        payload = message.value or b""
        meta = {
            "topic": message.topic,
            "key": header_text(message.key),
            "headers": header_texts(message.headers),
            "at": instant_text(message.timestamp),
        }
        version = digest(payload, str(message.timestamp).encode())
        key = f"{message.topic}/{message.partition}/{message.offset}"
        return message_record(key, payload, meta, version)

    def _connected(self, group: str) -> _Consumer:
        if self._consumer is None:
            self._link.address()
            for host, port in self._others:
                guarded(host, port, self._link.allowed)
            servers = [f"{h}:{p}" for h, p in ((self._link.host, self._link.port), *self._others)]
            self._consumer = _Consumer(self._link.allowed, self._topic)
            self._consumer.connect(servers, group, self._security())
        return self._consumer

    def _security(self) -> dict[str, Any]:
        tls, named = self._link.context(), bool(self._link.username)
        found: dict[str, Any] = {
            "security_protocol": ("SASL_" if named else "") + ("SSL" if tls else "PLAINTEXT"),
            "ssl_context": tls,
        }
        if named:
            found["sasl_mechanism"] = self._mechanism
            found["sasl_plain_username"] = self._link.username
            found["sasl_plain_password"] = self._link.password
        return found


class _Consumer:
    """One client of a cluster, on a loop of its own that guards every broker it is told of."""

    def __init__(self, allowed: Allowed, topic: str) -> None:
        self._thread = LoopThread("feed-kafka", allowed)
        self._topic = topic
        self._consumer: AIOKafkaConsumer[bytes, bytes] | None = None
        self._assigned: set[int] = set()
        self._looked = time.monotonic()

    def connect(self, servers: Sequence[str], group: str, security: Mapping[str, Any]) -> None:
        """Connect and find the topic.

        Raises:
            InvalidInput: ``credentials_refused``, ``topic_unknown``, ``permission_missing``.
            Retryable: ``unreachable``, ``timed_out``.
        """

        async def work() -> None:
            self._consumer = AIOKafkaConsumer(
                bootstrap_servers=list(servers),
                client_id="carloop",
                group_id=group or None,
                enable_auto_commit=False,
                auto_offset_reset="none",
                isolation_level="read_committed",
                fetch_max_bytes=PAGE_BYTES,
                fetch_max_wait_ms=int(WAIT_SECONDS * 1000),
                metadata_max_age_ms=METADATA_SECONDS * 1000,
                request_timeout_ms=CONNECT_SECONDS * 1000,
                **security,
            )
            await self._consumer.start()
            cluster = await self._consumer._client.fetch_all_metadata()
            self._assign(cluster.partitions_for_topic(self._topic) or set())
            if not self._assigned:
                raise InvalidInput("no such topic", code="topic_unknown", path="topic")

        self._call(work(), 2 * CONNECT_SECONDS)

    def edges(self) -> tuple[Offsets, Offsets]:
        """First offset and next offset of every partition; all of them are read from now on."""
        consumer = self._opened()

        async def work() -> tuple[Offsets, Offsets]:
            self._assign(self._assigned | (consumer.partitions_for_topic(self._topic) or set()))
            parts = [TopicPartition(self._topic, p) for p in sorted(self._assigned)]
            low = await consumer.beginning_offsets(parts)
            high = await consumer.end_offsets(parts)
            return {t.partition: o for t, o in low.items()}, {
                t.partition: o for t, o in high.items()
            }

        found: tuple[Offsets, Offsets] = self._call(work(), 2 * CONNECT_SECONDS)
        return found

    def seek(self, offsets: Mapping[int, int]) -> None:
        """Go on at these offsets."""
        consumer = self._opened()

        async def work() -> None:
            for partition, offset in offsets.items():
                consumer.seek(TopicPartition(self._topic, partition), offset)

        self._call(work(), CONNECT_SECONDS)

    def fetch(self) -> list[ConsumerRecord[bytes, bytes]]:
        """What came, in order within each partition."""
        consumer = self._opened()

        async def work() -> list[ConsumerRecord[bytes, bytes]]:
            found = await consumer.getmany(
                timeout_ms=int(WAIT_SECONDS * 1000), max_records=PAGE_RECORDS
            )
            return [message for part in found.values() for message in part]

        found: list[ConsumerRecord[bytes, bytes]] = self._call(work(), CONNECT_SECONDS)
        if not found and self._looked + METADATA_SECONDS < time.monotonic():
            self._looked = time.monotonic()
            self._check_alive()
        return found

    def look(self, most: int) -> list[ConsumerRecord[bytes, bytes]]:
        """Up to so many messages, for a few seconds."""
        found: list[ConsumerRecord[bytes, bytes]] = []
        for _ in range(12):
            if len(found) >= most:
                break
            found += self.fetch()
        return found

    def grown(self) -> bool:
        """Whether the topic has partitions that are not read yet."""
        found = self._opened().partitions_for_topic(self._topic) or set()
        return bool(found - self._assigned)

    def commit(self, offsets: Mapping[int, int]) -> None:
        """Write the group's offsets."""
        consumer = self._opened()

        async def work() -> None:
            await consumer.commit(
                {TopicPartition(self._topic, p): offset for p, offset in offsets.items()}
            )

        self._call(work(), CONNECT_SECONDS)

    def close(self) -> None:
        """Hang up and end the thread."""

        async def work() -> None:
            if self._consumer is not None:
                await self._consumer.stop()

        try:
            self._thread.call(work(), CONNECT_SECONDS)
        except (kafka.KafkaError, OSError, CarloopError):
            return
        finally:
            self._thread.close()

    def _assign(self, partitions: set[int]) -> None:
        if partitions != self._assigned:
            self._assigned = set(partitions)
            parts = [TopicPartition(self._topic, p) for p in sorted(partitions)]
            self._opened().assign(parts)

    def _check_alive(self) -> None:
        """Idle for long: ask the cluster for the topic's end, which fails where it is gone."""
        consumer = self._opened()

        async def work() -> None:
            parts = [TopicPartition(self._topic, p) for p in self._assigned]
            await consumer.end_offsets(parts)

        self._call(work(), 2 * CONNECT_SECONDS)

    def _opened(self) -> AIOKafkaConsumer[bytes, bytes]:
        assert self._consumer is not None
        return self._consumer

    def _call(self, work: Any, seconds: float) -> Any:
        try:
            return self._thread.call(work, seconds)
        except (kafka.KafkaError, OSError) as error:
            raise _failure(error) from error


def _cursor(offsets: Offsets) -> dict[str, Any]:
    return {"offsets": {str(p): offset for p, offset in sorted(offsets.items())}}


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 1 <= int(port) <= 65535:
        raise InvalidInput("host:port", code="setting_invalid", path="other_brokers")
    return host, int(port)


_DENIED = (
    kafka.AuthenticationFailedError,
    kafka.SaslAuthenticationFailed,
    kafka.AuthenticationMethodNotSupported,
    kafka.UnsupportedSaslMechanismError,
)


def _failure(error: BaseException) -> CarloopError:
    """What aiokafka says, in our words."""
    if isinstance(error, _DENIED):
        return refused()
    if isinstance(error, kafka.TopicAuthorizationFailedError):
        return no_right("topic")
    if isinstance(error, kafka.GroupAuthorizationFailedError):
        return no_right("group")
    if isinstance(error, kafka.UnknownTopicOrPartitionError | kafka.InvalidTopicError):
        return InvalidInput("no such topic", code="topic_unknown", path="topic")
    if isinstance(error, kafka.UnsupportedCodecError):
        return InvalidInput(
            "messages are packed in a way nobody here can undo", code="codec_unsupported"
        )
    if isinstance(error, kafka.OffsetOutOfRangeError | kafka.NoOffsetForPartitionError):
        return gone()
    if isinstance(error, kafka.KafkaTimeoutError | kafka.RequestTimedOutError):
        return Retryable("the broker does not answer in time", code="timed_out")
    if isinstance(error, kafka.KafkaError):
        return Retryable("the broker cannot be reached", code="unreachable")
    return network_failure(error)

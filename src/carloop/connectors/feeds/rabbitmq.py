"""A queue of RabbitMQ (AMQP 0-9-1): read and acknowledged, never declared or bound.

A message is known by its ``message_id`` property, or by the paths in ``message_id``, or by routing
key, timestamp and content. One that cannot be read is kept in quarantine and acknowledged: nothing
is rejected, so a dead-letter exchange receives nothing from here.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, NamedTuple, Self

import pika
from pika.adapters.blocking_connection import BlockingChannel, BlockingConnection
from pika.exceptions import (
    AMQPConnectionError,
    AMQPError,
    AuthenticationError,
    ChannelClosedByBroker,
    ConnectionClosedByBroker,
    ProbableAccessDeniedError,
    ProbableAuthenticationError,
)

from carloop.connectors.feeds.broker import (
    CONNECT_SECONDS,
    ID_PROPERTY,
    LINK_PROPERTIES,
    PAGE_RECORDS,
    SAMPLE,
    WAIT_SECONDS,
    BrokerLink,
    batches,
    cut,
    digest,
    gone,
    header_texts,
    id_paths,
    instant_text,
    message_record,
    network_failure,
    no_right,
    own_id,
    refused,
    sample_of,
)
from carloop.connectors.feeds.inbox import Inbox
from carloop.core.feeds import Allowed, Cursor, FeedColumn, FeedPage, FeedRecord, Probe, Stop
from carloop.kit.errors import CarloopError, InvalidInput, Retryable
from carloop.kit.settings import Reader, refuse_unknown

HEARTBEAT_SECONDS = 30
PREFETCH = 1_000
BEAT_SECONDS = 0.05


class _Message(NamedTuple):
    tag: int
    exchange: str
    routing_key: str
    properties: Any
    payload: bytes


class RabbitMq:
    """Reads one queue."""

    kind: ClassVar[str] = "rabbitmq"
    title: ClassVar[Mapping[str, str]] = {"zh": "RabbitMQ 队列", "en": "RabbitMQ queue"}
    endless: ClassVar[bool] = True

    def __init__(self, settings: Mapping[str, Any], allowed: Allowed) -> None:
        refuse_unknown(settings, self.schema())
        read = Reader(settings)
        self._link = BrokerLink(settings, allowed, 5672, 5671)
        self._vhost = read.text("virtual_host", "/", 255)
        self._queue = read.text("queue", limit=255)
        self._prefetch = read.integer("prefetch", PREFETCH, 1, 5_000)
        self._id_paths = id_paths(settings)
        self._consumer: _Consumer | None = None

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """JSON schema of the settings."""
        return {
            "type": "object",
            "additionalProperties": False,
            "required": ["host", "queue"],
            "properties": {
                **LINK_PROPERTIES,
                "virtual_host": {"type": "string", "maxLength": 255, "default": "/"},
                "queue": {"type": "string", "minLength": 1, "maxLength": 255, "title": "Queue"},
                "prefetch": {
                    "type": "integer", "minimum": 1, "maximum": 5_000, "default": PREFETCH,
                    "title": "Messages under way at once",
                },
                "message_id": ID_PROPERTY,
            },
        }  # fmt: skip

    @classmethod
    def open(cls, settings: Mapping[str, Any], allowed: Allowed) -> Self:
        """A feed of one queue; connects to nothing yet."""
        return cls(settings, allowed)

    def probe(self) -> Probe:
        """The number of waiting messages and the first of them, which go back to their places."""
        connection = self._connected()
        try:
            channel = connection.channel()
            declared = channel.queue_declare(self._queue, passive=True)
            waiting = int(declared.method.message_count)
            found: list[_Message] = []
            while len(found) < min(SAMPLE, waiting):
                method, properties, payload = channel.basic_get(self._queue)
                if method is None:
                    break
                found.append(
                    _Message(
                        method.delivery_tag,
                        method.exchange,
                        method.routing_key,
                        properties,
                        payload,
                    )
                )
        except (AMQPError, OSError) as error:
            raise _failure(error) from error
        finally:
            _hang_up(connection)
        sample, notes = sample_of(map(self._record, found))
        return Probe(sample=sample, total=waiting, notes=notes)

    def columns(self) -> tuple[FeedColumn, ...]:
        """None: messages declare nothing."""
        return ()

    def count(self) -> int | None:
        """Unknown: a queue forgets what was read."""
        return None

    def pages(self, cursor: Cursor | None, stop: Stop) -> Iterator[FeedPage]:
        """Messages as they come; the queue knows where we are."""
        consumer = _Consumer(self._connected(), self._queue, self._prefetch)
        self._consumer = consumer
        for batch in batches(consumer.fetch, stop):
            for piece in cut(batch, lambda message: len(message.payload)):
                yield FeedPage([self._record(message) for message in piece], handle=piece)

    def acknowledge(self, page: FeedPage) -> None:
        """The queue may forget these messages."""
        if self._consumer is not None and isinstance(page.handle, list) and page.handle:
            self._consumer.acknowledge(page.handle[-1].tag)

    def close(self) -> None:
        """Hang up; what was not acknowledged goes back into the queue."""
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None

    def _connected(self) -> BlockingConnection:
        address, context = self._link.address(), self._link.context()
        parameters = pika.ConnectionParameters(
            host=address,
            port=self._link.port,
            virtual_host=self._vhost,
            credentials=pika.PlainCredentials(
                self._link.username or "guest",
                self._link.password or "guest",
                erase_on_connect=True,
            ),
            heartbeat=HEARTBEAT_SECONDS,
            blocked_connection_timeout=60,
            socket_timeout=CONNECT_SECONDS,
            stack_timeout=CONNECT_SECONDS,
            connection_attempts=1,
            ssl_options=pika.SSLOptions(context, self._link.host) if context else None,
            client_properties={"connection_name": "carloop"},
        )
        try:
            return BlockingConnection(parameters)
        except (AMQPError, OSError) as error:
            raise _failure(error) from error

    def _record(self, message: _Message) -> FeedRecord:
        properties = message.properties
        at = getattr(properties, "timestamp", None)
        headers = header_texts((getattr(properties, "headers", None) or {}).items())
        meta = {
            "topic": message.routing_key,
            "exchange": message.exchange,
            "headers": headers,
            "at": instant_text(at * 1000 if isinstance(at, int) else None),
        }
        own = own_id(message.payload, self._id_paths)
        if own is not None:
            name = digest(own)
            return message_record(f"{self._queue}/{name}", message.payload, meta, "")
        sent = getattr(properties, "message_id", None)
        name = sent[:200] if isinstance(sent, str) and sent else ""
        if not name:
            parts = (message.exchange, message.routing_key, str(at or ""))
            name = digest(*(part.encode() for part in parts), message.payload)
        return message_record(f"{self._queue}/{name}", message.payload, meta)


class _Consumer:
    """Keeps the connection alive in a thread of its own, however long a page takes elsewhere."""

    def __init__(self, connection: BlockingConnection, queue: str, prefetch: int) -> None:
        self._inbox: Inbox[_Message] = Inbox(prefetch + 1)
        self._connection = connection
        self._closing = threading.Event()
        try:
            self._channel: BlockingChannel = connection.channel()
            self._channel.queue_declare(queue, passive=True)
            self._channel.basic_qos(prefetch_count=prefetch)
            self._channel.add_on_cancel_callback(lambda _frame: self._inbox.fail(gone()))
            self._channel.basic_consume(queue, self._came, auto_ack=False)
        except (AMQPError, OSError) as error:
            _hang_up(connection)
            raise _failure(error) from error
        self._thread = threading.Thread(target=self._run, name="feed-rabbitmq", daemon=True)
        self._thread.start()

    def fetch(self) -> list[_Message]:
        """What came; raises ``Retryable`` once the connection is lost."""
        return self._inbox.take(PAGE_RECORDS, WAIT_SECONDS)

    def acknowledge(self, tag: int) -> None:
        """All messages up to this one; they were handed out, and so paged, in order."""
        try:
            self._connection.add_callback_threadsafe(
                lambda: self._channel.basic_ack(tag, multiple=True)
            )
        except AMQPError:
            self._inbox.fail(gone())

    def close(self) -> None:
        """Send what is to be acknowledged, then hang up."""
        self._closing.set()
        self._inbox.close()
        self._thread.join(CONNECT_SECONDS)

    def _came(self, channel: Any, method: Any, properties: Any, payload: bytes) -> None:
        self._inbox.put(
            _Message(method.delivery_tag, method.exchange, method.routing_key, properties, payload)
        )

    def _run(self) -> None:
        try:
            while not self._closing.is_set():
                self._connection.process_data_events(BEAT_SECONDS)
            self._connection.process_data_events(0)
        except (AMQPError, OSError) as error:
            self._inbox.fail(_while_reading(error))
        except Exception as error:
            self._inbox.fail(network_failure(error))
        finally:
            _hang_up(self._connection)


def _hang_up(connection: BlockingConnection) -> None:
    """Close; a connection that is broken already is closed enough."""
    try:
        if connection.is_open:
            connection.close()
    except (AMQPError, OSError):
        return


def _while_reading(error: Exception) -> CarloopError:
    found = _failure(error)
    return gone() if found.code == "unreachable" else found


def _failure(error: BaseException) -> CarloopError:
    """What pika says, in our words."""
    if isinstance(error, ProbableAuthenticationError | AuthenticationError):
        return refused()
    if isinstance(error, ProbableAccessDeniedError):
        return no_right("virtual_host")
    if isinstance(error, ChannelClosedByBroker):
        return _of_channel(error.reply_code)
    if isinstance(error, ConnectionClosedByBroker):
        if error.reply_code in (403, 530):
            return no_right("virtual_host")
        return Retryable("the broker hung up", code="source_gone")
    if isinstance(error, AMQPConnectionError):
        for cause in (*error.args, error.__cause__):
            inner = getattr(cause, "exception", cause)
            if isinstance(inner, OSError):
                return network_failure(inner)
        return Retryable("the broker cannot be reached", code="unreachable")
    return network_failure(error)


def _of_channel(code: int) -> CarloopError:
    if code == 404:
        return InvalidInput("no such queue", code="queue_unknown", path="queue")
    if code == 403:
        return no_right("queue")
    if code == 405:
        return Retryable("somebody else reads this queue alone", code="queue_locked")
    return InvalidInput("the broker refuses this", code="query_refused")

"""Topics of an MQTT broker: vehicle telematics, footfall counters, sensors.

The broker keeps a session for the client id while nobody listens and hands out again what was not
acknowledged. MQTT numbers no messages, so one is known by its topic and content, or by the paths
in ``message_id``: without these, two equal messages of one topic are one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self
from uuid import uuid4

import msgspec
from paho.mqtt.client import Client, MQTTMessage, MQTTv5, MQTTv311, topic_matches_sub
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

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
    message_record,
    network_failure,
    no_right,
    own_id,
    refused,
    sample_of,
    texts,
    topic_meta,
)
from carloop.connectors.feeds.inbox import Inbox
from carloop.core.feeds import Allowed, Cursor, FeedColumn, FeedPage, FeedRecord, Probe, Stop
from carloop.kit.errors import CarloopError, InvalidInput, Retryable
from carloop.kit.settings import Reader, refuse_unknown

VERSIONS = {"5": MQTTv5, "3.1.1": MQTTv311}
KEEPALIVE_SECONDS = 30
IN_FLIGHT = 1_000
SESSION_SECONDS = 7 * 86_400
PROBE_SECONDS = 3.0
_REFUSED = {134, 135, 4, 5}


class Mqtt:
    """Reads topics at QoS 1; a message is acknowledged once it is kept."""

    kind: ClassVar[str] = "mqtt"
    title: ClassVar[Mapping[str, str]] = {"zh": "MQTT(车联网)", "en": "MQTT"}
    endless: ClassVar[bool] = True

    def __init__(self, settings: Mapping[str, Any], allowed: Allowed) -> None:
        refuse_unknown(settings, self.schema())
        read = Reader(settings)
        self._link = BrokerLink(settings, allowed, 1883, 8883)
        self._topics = _filters(settings)
        self._client_id = read.text("client_id", limit=128)
        self._version = VERSIONS[read.choice("version", "5", tuple(VERSIONS))]
        self._session = read.integer("session_seconds", SESSION_SECONDS, 60, 0xFFFF_FFFE)
        self._id_paths = id_paths(settings)
        self._session_link: _Session | None = None

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """JSON schema of the settings."""
        return {
            "type": "object",
            "additionalProperties": False,
            "required": ["host", "client_id", "topics"],
            "properties": {
                **LINK_PROPERTIES,
                "version": {"type": "string", "enum": list(VERSIONS), "default": "5"},
                "client_id": {
                    "type": "string", "minLength": 1, "maxLength": 128, "title": "Client id",
                    "description": "the broker keeps messages under it: of this feed alone",
                },
                "topics": {
                    "type": "array", "minItems": 1, "maxItems": 50,
                    "items": {"type": "string", "minLength": 1, "maxLength": 1000},
                    "title": "Topics, + for one level, # for all below",
                },
                "session_seconds": {
                    "type": "integer", "minimum": 60, "maximum": 0xFFFF_FFFE,
                    "default": SESSION_SECONDS,
                    "title": "How long the broker keeps messages while nobody listens (MQTT 5)",
                },
                "message_id": ID_PROPERTY,
            },
        }  # fmt: skip

    @classmethod
    def open(cls, settings: Mapping[str, Any], allowed: Allowed) -> Self:
        """A feed of some topics; connects to nothing yet."""
        return cls(settings, allowed)

    def probe(self) -> Probe:
        """Listen for three seconds under another client id, without a session."""
        session = _Session(self._link, f"{self._client_id[:80]}-{uuid4().hex[:12]}", self._version)
        try:
            session.connect(0, clean=True)
            session.subscribe(self._topics, 0)
            found = session.inbox.take(SAMPLE, PROBE_SECONDS, quiet=PROBE_SECONDS)
        finally:
            session.close()
        sample, notes = sample_of(map(self._record, found))
        return Probe(sample=sample, notes=notes if found else ("no_messages_seen",))

    def columns(self) -> tuple[FeedColumn, ...]:
        """None: messages declare nothing."""
        return ()

    def count(self) -> int | None:
        """Unknown: a broker does not tell."""
        return None

    def pages(self, cursor: Cursor | None, stop: Stop) -> Iterator[FeedPage]:
        """Messages as they come; the cursor names the topics subscribed to."""
        session = _Session(self._link, self._client_id, self._version)
        self._session_link = session
        session.connect(self._session, clean=False)
        known = (cursor or {}).get("topics", [])
        session.unsubscribe([topic for topic in known if topic not in self._topics])
        session.subscribe(self._topics, 1)
        if known != self._topics:
            yield FeedPage((), cursor={"topics": self._topics})
        for batch in batches(session.fetch, stop):
            for piece in cut(batch, lambda message: len(message.payload)):
                yield FeedPage([self._record(message) for message in piece], handle=piece)

    def acknowledge(self, page: FeedPage) -> None:
        """The broker may forget these messages."""
        if self._session_link is not None and isinstance(page.handle, list):
            self._session_link.acknowledge(page.handle)

    def close(self) -> None:
        """Hang up; the session stays with the broker."""
        if self._session_link is not None:
            self._session_link.close()
            self._session_link = None

    def _record(self, message: MQTTMessage) -> FeedRecord:
        topic, payload = _topic(message), bytes(message.payload)
        meta = topic_meta(topic)
        told = _user_properties(message)
        meta["headers"] = header_texts(told)
        place = next((t for t in self._topics if _matches(t, topic)), "#")
        own = own_id(payload, self._id_paths)
        if own is not None:
            return message_record(f"{place}@{digest(topic.encode(), own)}", payload, meta, "")
        properties = msgspec.json.encode(told) if told else b""
        name = digest(topic.encode(), properties, payload)
        return message_record(f"{place}@{name}", payload, meta, "")


class _Session:
    """One connection; its messages come through :attr:`inbox`."""

    def __init__(self, link: BrokerLink, client_id: str, version: int) -> None:
        self.inbox: Inbox[MQTTMessage] = Inbox(4 * IN_FLIGHT)
        self._link = link
        self._five = version == MQTTv5
        self._client_id = client_id
        self._version = version
        self._answered = threading.Event()
        self._code = -1
        self._client: Client | None = None

    def connect(self, session_seconds: int, *, clean: bool) -> None:
        """Connect and wait for the broker's word.

        Raises:
            InvalidInput: ``credentials_refused``, ``client_id_refused``, ``tls_failed``,
                ``address_forbidden``.
            Retryable: ``unreachable``, ``timed_out``.
        """
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
            clean_session=None if self._five else clean,
            protocol=self._version,  # type: ignore[arg-type]
            manual_ack=True,
            reconnect_on_failure=False,
        )
        client.suppress_exceptions = True
        if self._link.username or self._link.password:
            client.username_pw_set(self._link.username, self._link.password or None)
        context = self._link.context()
        if context is not None:
            client.tls_set_context(context)
        client.connect_timeout = CONNECT_SECONDS
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_message = lambda _client, _data, message: self.inbox.put(message)
        client.on_subscribe = self._subscribed
        self._client = client
        extra: dict[str, Any] = {}
        if self._five:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = session_seconds
            properties.ReceiveMaximum = IN_FLIGHT
            extra = {"clean_start": clean, "properties": properties}
        try:
            client.connect(self._link.address(), self._link.port, KEEPALIVE_SECONDS, **extra)
        except (OSError, CarloopError) as error:
            raise network_failure(error) from error
        client.loop_start()
        self._await_word()
        if self._code in _REFUSED:
            raise refused()
        if self._code == 133:
            raise InvalidInput(
                "the broker does not take this client id",
                code="client_id_refused",
                path="client_id",
            )
        if self._code != 0:
            raise Retryable("the broker cannot serve now", code="unreachable")

    def subscribe(self, topics: list[str], qos: int) -> None:
        """Ask for topics; kept messages of known ones are not sent again (MQTT 5).

        Raises:
            InvalidInput: ``permission_missing``, ``topic_refused``.
        """
        assert self._client is not None
        self._answered.clear()
        if self._five:
            options = SubscribeOptions(
                qos=qos, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB
            )
            self._client.subscribe([(topic, options) for topic in topics])
        else:
            self._client.subscribe([(topic, qos) for topic in topics])
        self._await_word()
        if self._code in (128, 135):
            raise no_right("topics")
        if self._code > 2:
            raise InvalidInput("the broker refuses a topic", code="topic_refused", path="topics")

    def unsubscribe(self, topics: list[str]) -> None:
        """Give up topics of a former setting."""
        if topics and self._client is not None:
            self._client.unsubscribe(topics)

    def fetch(self) -> list[MQTTMessage]:
        """What came; raises ``Retryable`` once the connection is lost."""
        assert self._client is not None
        found = self.inbox.take(PAGE_RECORDS, WAIT_SECONDS)
        if not found and not self._client.is_connected():
            raise gone()
        return found

    def acknowledge(self, messages: list[MQTTMessage]) -> None:
        """PUBACK; whatever is lost on the way comes again."""
        assert self._client is not None
        for message in messages:
            if self._client.ack(message.mid, message.qos) == MQTTErrorCode.MQTT_ERR_NO_CONN:
                break

    def close(self) -> None:
        """DISCONNECT after what is under way, and end the client's thread."""
        self.inbox.close()
        if self._client is not None:
            self._client.disconnect()
            self._client.loop_stop()

    def _await_word(self) -> None:
        if not self._answered.wait(CONNECT_SECONDS):
            raise Retryable("the broker does not answer in time", code="timed_out")
        if self._code < 0:
            raise gone()

    def _connected(self, client: Any, data: Any, flags: Any, reason: Any, properties: Any) -> None:
        self._code = reason.value
        self._answered.set()

    def _subscribed(self, client: Any, data: Any, mid: int, reasons: Any, properties: Any) -> None:
        self._code = max((reason.value for reason in reasons), default=0)
        self._answered.set()

    def _disconnected(
        self, client: Any, data: Any, flags: Any, reason: Any, properties: Any
    ) -> None:
        if not self._answered.is_set():
            self._code = -1
        self._answered.set()
        self.inbox.fail(gone())


def _filters(settings: Mapping[str, Any]) -> list[str]:
    topics = texts(settings, "topics", 50, 1000)
    if not topics:
        raise InvalidInput("at least one topic", code="setting_missing", path="topics")
    for topic in topics:
        levels = topic.split("/")
        wild = [level for level in levels if ("+" in level or "#" in level) and len(level) > 1]
        if wild or "#" in levels[:-1]:
            raise InvalidInput(
                "+ stands for a whole level, # at the end", code="setting_invalid", path="topics"
            )
    return topics


def _topic(message: MQTTMessage) -> str:
    try:
        return message.topic
    except UnicodeDecodeError:
        return ""


def _matches(wanted: str, topic: str) -> bool:
    if wanted.startswith("$share/"):
        wanted = wanted.split("/", 2)[-1]
    return topic_matches_sub(wanted, topic)


def _user_properties(message: MQTTMessage) -> list[tuple[str, str]]:
    """User properties and correlation data (MQTT 5), which redelivery leaves as they are."""
    properties = getattr(message, "properties", None)
    if properties is None:
        return []
    found = list(getattr(properties, "UserProperty", []))
    correlation = getattr(properties, "CorrelationData", None)
    return found + ([("correlation", bytes(correlation).hex())] if correlation else [])

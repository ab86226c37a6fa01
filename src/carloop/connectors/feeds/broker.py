"""What every broker feed shares: where it connects, what a message becomes, how pages are cut.

A message becomes a JSON object: its own members, and ``$message`` with what the broker knows about
it (``topic``, its levels by number, ``key``, ``headers``, ``at``). A payload that is JSON but no
object stands under ``$value``.
"""

from __future__ import annotations

import hashlib
import logging
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from carloop.core.feeds import LONGEST_RECORD, Allowed, FeedPage, FeedRecord, Stop
from carloop.kit.egress import AddressForbidden, HostUnknown, resolve
from carloop.kit.errors import CarloopError, InvalidInput, Retryable
from carloop.kit.settings import Reader

T = TypeVar("T")

for _driver in ("aiokafka", "nats", "paho", "pika", "redis"):
    logging.getLogger(_driver).setLevel(logging.CRITICAL + 1)
"""What drivers say may quote addresses and values; runs tell their end in our own codes."""

ENCRYPTION = ("verify", "require", "disable")
SAMPLE = 20
PAGE_RECORDS = 1_000
PAGE_BYTES = 8 * 1024 * 1024
WAIT_SECONDS = 0.25
"""How long one look for messages waits; so soon a feed notices that it is to stop."""
IDLE_SECONDS = 15.0
CONNECT_SECONDS = 10
LONGEST_PEM = 100_000
LONGEST_META = 8 * 1024
META = "$message"
VALUE = "$value"

LINK_PROPERTIES: dict[str, Any] = {
    "host": {"type": "string", "maxLength": 253, "title": "Host"},
    "port": {"type": "integer", "minimum": 1, "maximum": 65535},
    "username": {"type": "string", "maxLength": 256},
    "password": {"type": "string", "maxLength": 2000, "writeOnly": True},
    "encryption": {
        "type": "string", "enum": list(ENCRYPTION), "default": "verify", "title": "TLS",
        "description": "verify: with the server's name checked; require: whoever answers",
    },
    "ca": {
        "type": "string", "maxLength": LONGEST_PEM,
        "title": "Certificates (PEM) trusted besides the public ones",
    },
}  # fmt: skip


class BrokerLink:
    """Address, credentials and TLS of a broker, checked.

    Raises:
        InvalidInput: a setting is missing or wrong; ``path`` names it.
    """

    def __init__(self, settings: Mapping[str, Any], allowed: Allowed, port: int, tls: int) -> None:
        read = Reader(settings)
        self.host = read.text("host", limit=253)
        self.encryption = read.choice("encryption", "verify", ENCRYPTION)
        self.port = read.integer("port", port if self.encryption == "disable" else tls, 1, 65535)
        self.username = read.text("username", "", 256)
        self.password = read.text("password", "")
        self.allowed = allowed
        self._ca = _pem(settings.get("ca", ""))
        if self._ca:
            self.context()

    def address(self) -> str:
        """The one address to connect to.

        Raises:
            InvalidInput: ``address_forbidden``.
            Retryable: ``unreachable``: the name does not resolve now.
        """
        return guarded(self.host, self.port, self.allowed)

    def context(self) -> ssl.SSLContext | None:
        """TLS that checks the server's name, whatever address is connected to; None: plain."""
        if self.encryption == "disable":
            return None
        context = NamedContext(ssl.PROTOCOL_TLS_CLIENT)
        context.name = self.host
        if self.encryption == "require":
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            return context
        context.load_default_certs()
        if self._ca:
            try:
                context.load_verify_locations(cadata=self._ca)
            except ssl.SSLError as error:
                raise InvalidInput(
                    "no certificates in PEM", code="setting_invalid", path="ca"
                ) from error
        return context


class NamedContext(ssl.SSLContext):
    """Checks a name that its caller, who was told a bare address, does not know."""

    name: str = ""

    def wrap_socket(self, sock: Any, *args: Any, **kwargs: Any) -> ssl.SSLSocket:
        """As ever, for :attr:`name`."""
        kwargs["server_hostname"] = self.name
        return super().wrap_socket(sock, *args, **kwargs)


def _pem(value: Any) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_PEM:
        raise InvalidInput("certificates in PEM", code="setting_invalid", path="ca")
    return value.strip()


def guarded(host: str, port: int, allowed: Allowed) -> str:
    """The address of a host that may be reached; raises as :meth:`BrokerLink.address`."""
    try:
        return resolve(host, port, (port,), allowed.hosts)
    except AddressForbidden as error:
        raise InvalidInput(
            "a private address; the installation must allow it",
            code="address_forbidden",
            path="host",
        ) from error
    except HostUnknown as error:
        raise Retryable("the host does not resolve", code="unreachable") from error


def refused() -> InvalidInput:
    """The broker does not take these credentials."""
    return InvalidInput(
        "the broker refuses these credentials", code="credentials_refused", path="password"
    )


def no_right(path: str) -> InvalidInput:
    """The credentials are good, and may not read this."""
    return InvalidInput("no right to read this", code="permission_missing", path=path)


def network_failure(error: BaseException) -> CarloopError:
    """What went wrong below the broker's own protocol, in our words."""
    if isinstance(error, CarloopError):
        return error
    if isinstance(error, ssl.SSLError):
        return InvalidInput(
            "no TLS, or a certificate that is not trusted", code="tls_failed", path="encryption"
        )
    if isinstance(error, TimeoutError):
        return Retryable("the broker does not answer in time", code="timed_out")
    return Retryable("the broker cannot be reached", code="unreachable")


def gone() -> Retryable:
    """The connection broke while reading."""
    return Retryable("the broker hung up", code="source_gone")


_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_any = msgspec.json.Decoder()
_encode = msgspec.json.Encoder(order="deterministic").encode


def message_record(
    key: str, payload: bytes, meta: Mapping[str, Any], version: str | None = None
) -> FeedRecord:
    """A message as a record; one that cannot be read carries the reason.

    Without a ``version`` it is the content, so that a number that a broker gives out a second
    time names something new.

    Codes: ``row_too_long``, ``malformed_json``, ``invalid_encoding``, ``empty_body``.

    >>> message_record("k", b'{"a":1}', {"topic": "t"}).body
    b'{"a":1,"$message":{"topic":"t"}}'
    >>> message_record("k", b"[1,2]", {}).body
    b'{"$value":[1,2]}'
    >>> message_record("k", b"oops", {}).code
    'malformed_json'
    """
    version = digest(payload) if version is None else version
    if len(payload) > LONGEST_RECORD - LONGEST_META:
        return FeedRecord(key, payload[:LONGEST_RECORD], version, "row_too_long")
    code, body = _object(payload)
    if code:
        return FeedRecord(key, payload, version, code)
    told = {name: value for name, value in meta.items() if value not in (None, "", {})}
    if not told:
        return FeedRecord(key, body, version)
    tail = _encode(told)
    if len(tail) > LONGEST_META - 32:
        tail = _encode({name: value for name, value in told.items() if name != "headers"})
    comma = b"" if body[1:-1].strip() == b"" else b","
    return FeedRecord(key, body[:-1] + comma + b'"$message":' + tail + b"}", version)


def _object(payload: bytes) -> tuple[str, bytes]:
    """``(code, JSON object)``."""
    text = payload.removeprefix(b"\xef\xbb\xbf").strip()
    if not text:
        return "empty_body", b""
    try:
        if text[:1] == b"{":
            _fields.decode(text)
            text.decode()
            return "", text
        _any.decode(text)
    except UnicodeDecodeError:
        return "invalid_encoding", b""
    except (msgspec.DecodeError, RecursionError):
        try:
            text.decode()
        except UnicodeDecodeError:
            return "invalid_encoding", b""
        return "malformed_json", b""
    return "", b'{"$value":' + text + b"}"


def topic_meta(topic: str, separator: str = "/") -> dict[str, Any]:
    """A topic and its levels, counted from 1.

    >>> topic_meta("cars/LSV1/speed")
    {'topic': 'cars/LSV1/speed', 'level': {'1': 'cars', '2': 'LSV1', '3': 'speed'}}
    """
    levels = topic.split(separator)[:16]
    return {"topic": topic, "level": {str(n): level for n, level in enumerate(levels, 1)}}


def header_text(value: Any) -> str | None:
    """A header as text; None where it is none."""
    if isinstance(value, bytes | bytearray):
        try:
            return bytes(value).decode()
        except UnicodeDecodeError:
            return None
    if isinstance(value, str | int | float):
        return str(value)
    return None


def header_texts(headers: Iterable[tuple[Any, Any]]) -> dict[str, str]:
    """Headers as texts, the last of a name; what is no text is left out."""
    found = ((str(name), header_text(value)) for name, value in headers)
    return {name: text for name, text in found if text is not None}


def instant_text(ms: int | float | None) -> str | None:
    """Milliseconds since the epoch as RFC 3339; None where there is no such time.

    >>> instant_text(1_782_000_000_000)
    '2026-06-21T00:00:00+00:00'
    """
    if ms is None or not 0 < ms < 253_402_300_799_999:
        return None
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat()


def digest(*parts: bytes) -> str:
    """Names content: 32 hex digits."""
    found = hashlib.blake2b(digest_size=16)
    for part in parts:
        found.update(len(part).to_bytes(8, "big"))
        found.update(part)
    return found.hexdigest()


def own_id(payload: bytes, paths: Sequence[Sequence[str]]) -> bytes | None:
    """What a message calls itself, by the configured paths; None where one of them is absent.

    >>> own_id(b'{"head":{"id":7},"vin":"L"}', [["head", "id"], ["vin"]])
    b'[7,"L"]'
    """
    if not paths:
        return None
    try:
        document = _any.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    found: list[Any] = []
    for path in paths:
        value = document
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        if value is None or value == "":
            return None
        found.append(value)
    return _encode(found)


ID_PROPERTY: dict[str, Any] = {
    "type": "array",
    "items": {"type": "string", "maxLength": 200, "minLength": 1},
    "maxItems": 8,
    "title": "Paths within the message that together name it for ever",
    "description": "such as head.message_id; none: the broker's own id, or else the content",
}


def id_paths(settings: Mapping[str, Any]) -> list[list[str]]:
    """The setting ``message_id``: dotted paths.

    Raises:
        InvalidInput: ``setting_invalid``.
    """
    value = texts(settings, "message_id", 8, 200)
    return [path.split(".") for path in value]


def texts(settings: Mapping[str, Any], name: str, most: int, longest: int) -> list[str]:
    """A list of printable texts; empty where absent.

    Raises:
        InvalidInput: ``setting_invalid``.
    """
    value = settings.get(name, [])
    if (
        not isinstance(value, list)
        or len(value) > most
        or not all(
            isinstance(v, str) and v and len(v) <= longest and v.isprintable() for v in value
        )
    ):
        raise InvalidInput("a list of texts", code="setting_invalid", path=name)
    return value


def batches(fetch: Callable[[], list[T]], stop: Stop) -> Iterator[list[T]]:
    """What ``fetch`` finds, which waits a moment; now and then an empty list while idle."""
    told = time.monotonic()
    while not stop():
        found = fetch()
        if found or time.monotonic() - told >= IDLE_SECONDS:
            told = time.monotonic()
            yield found


def cut(messages: Sequence[T], size: Callable[[T], int]) -> Iterator[Sequence[T]]:
    """Pieces of at most :data:`PAGE_RECORDS` and, beyond one message, :data:`PAGE_BYTES`.

    >>> [len(piece) for piece in cut(["m"] * 40, lambda _: LONGEST_RECORD)]
    [32, 8]
    """
    first, weight = 0, 0
    for place, message in enumerate(messages):
        weight += min(size(message), LONGEST_RECORD)
        if place > first and (weight > PAGE_BYTES or place - first >= PAGE_RECORDS):
            yield messages[first:place]
            first, weight = place, min(size(message), LONGEST_RECORD)
    yield messages[first:]


def sample_of(records: Iterable[FeedRecord]) -> tuple[tuple[bytes, ...], tuple[str, ...]]:
    """``(sample, notes)`` of a probe: readable records, and a note where some are not."""
    found = list(records)[:SAMPLE]
    readable = tuple(record.body for record in found if not record.code)
    return readable, ("unreadable_messages",) if len(readable) < len(found) else ()


EMPTY = FeedPage(())

"""Webhook: one signed JSON POST per message."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

import httpcore

from carloop.core.message import Delivery, Message, Outcome, Refused, Sent, Unclear
from carloop.kit.clock import to_ms
from carloop.kit.egress import ConnectForbidden, GuardedBackend
from carloop.kit.errors import InvalidInput
from carloop.kit.settings import Reader, refuse_unknown

PORTS = (80, 443, 8080, 8443)
_MAX_ANSWER = 64 * 1024
_MAX_RETRY_AFTER = 86_400.0
_TRANSIENT = {408, 425, 429, 503}
_UNCLEAR = {409, 500, 502, 504}


class Webhook:
    """POSTs a message to a URL; the receiver proves the sender by HMAC and repeats by key."""

    kind: ClassVar[str] = "webhook"
    title: ClassVar[Mapping[str, str]] = {"zh": "Webhook", "en": "Webhook"}

    def __init__(self, settings: Mapping[str, Any], allowed_hosts: tuple[str, ...]) -> None:
        refuse_unknown(settings, self.schema())
        read = Reader(settings)
        self._url = _checked(read.text("url"))
        self._secret = read.text("secret")
        self._address_type = read.text("address_type", "")
        self._delivery = Delivery(
            read.choice("delivery", Delivery.AT_MOST_ONCE, tuple(str(d) for d in Delivery))
        )
        self._receipt_secret = read.text("receipt_secret", "")
        self._timeout = read.integer("timeout_seconds", 10, 1, 60)
        self._pool = httpcore.ConnectionPool(
            max_keepalive_connections=0,
            network_backend=GuardedBackend(PORTS, allowed_hosts, self._timeout),
        )

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """JSON schema of the settings."""
        secret = {"type": "string", "writeOnly": True, "minLength": 1, "maxLength": 2000}
        return {
            "type": "object",
            "additionalProperties": False,
            "required": ["url", "secret"],
            "properties": {
                "url": {"type": "string", "format": "uri", "title": "URL"},
                "secret": {**secret, "title": "Signing secret"},
                "address_type": {
                    "type": "string",
                    "title": "Identifier to include (mobile, email, …); empty for none",
                },
                "delivery": {
                    "type": "string",
                    "enum": [str(d) for d in Delivery],
                    "default": str(Delivery.AT_MOST_ONCE),
                    "title": "at_least_once: the receiver de-duplicates on Idempotency-Key",
                },
                "receipt_secret": {**secret, "title": "Secret that signs receipts"},
                "timeout_seconds": {"type": "integer", "minimum": 1, "maximum": 60, "default": 10},
            },
        }

    @classmethod
    def open(cls, settings: Mapping[str, Any], allowed_hosts: tuple[str, ...]) -> Self:
        """A channel from its settings; raises ``InvalidInput``."""
        return cls(settings, allowed_hosts)

    @property
    def address_type(self) -> str:
        """The identifier type the body carries, empty for none."""
        return self._address_type

    @property
    def delivery(self) -> Delivery:
        """Whether the receiver de-duplicates."""
        return self._delivery

    @property
    def receipt_secret(self) -> str:
        """The secret that signs receipts."""
        return self._receipt_secret

    @property
    def timeout_seconds(self) -> float:
        """The longest one attempt may take."""
        return self._timeout

    def send(self, message: Message, now: datetime) -> Outcome:
        """POST the message once."""
        body = _body(message)
        at = str(to_ms(now) // 1000)
        headers: dict[bytes | str, bytes | str] = {
            "Content-Type": "application/json",
            "User-Agent": "carloop-webhook/1",
            "Idempotency-Key": message.key,
            "X-Carloop-Timestamp": at,
            "X-Carloop-Signature": signature(self._secret, at, body),
        }
        seconds = float(self._timeout)
        timeout = {"connect": seconds, "read": seconds, "write": seconds, "pool": seconds}
        try:
            with self._pool.stream(
                "POST", self._url, headers=headers, content=body, extensions={"timeout": timeout}
            ) as response:
                return judge(response.status, _headers(response), _read(response), now)
        except ConnectForbidden:
            return Refused("address_forbidden", retry=False)
        except httpcore.ConnectError:
            return Refused("connect_failed", retry=True)
        except (httpcore.ConnectTimeout, httpcore.PoolTimeout):
            return Refused("connect_timeout", retry=True)
        except httpcore.TimeoutException:
            return Unclear("timeout")
        except (httpcore.NetworkError, httpcore.ProtocolError):
            return Unclear("connection_lost")

    def close(self) -> None:
        """Close open connections."""
        self._pool.close()


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """``v1=`` + HMAC-SHA256 over ``timestamp.body``, in hex."""
    signed = timestamp.encode() + b"." + body
    return "v1=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def judge(status: int, headers: Mapping[str, str], body: bytes, now: datetime) -> Outcome:
    """What an HTTP answer says about the message.

    A 429 or 503, and any 5xx that names ``Retry-After``, promises that nothing was done. A bare
    500, 502 or 504 promises nothing: the message may have been taken before the failure.

    >>> now = datetime(2026, 11, 22, tzinfo=UTC)
    >>> judge(204, {}, b"", now), judge(502, {}, b"", now).reason
    (Sent(provider_id=''), 'http_502')
    """
    if 200 <= status < 300:
        return Sent(_provider_id(body))
    after = _seconds(headers.get("retry-after", ""), now)
    if status in _TRANSIENT or (status >= 500 and after is not None):
        return Refused(f"http_{status}", retry=True, retry_after_seconds=after)
    if status in _UNCLEAR:
        return Unclear(f"http_{status}")
    return Refused(f"http_{status}", retry=False)


def _body(message: Message) -> bytes:
    document = {
        "key": message.key,
        "person": message.person,
        "address": message.address,
        "subject": message.subject,
        "text": message.text,
        "html": message.html,
        "unsubscribe_url": message.unsubscribe_url,
        "variables": dict(message.variables),
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        raise InvalidInput("url is not usable", code="setting_invalid", path="url") from error
    if not usable or parts.username or not url.isascii():
        raise InvalidInput(
            "url must be http(s), ASCII, without user", code="setting_invalid", path="url"
        )
    return url


def _headers(response: httpcore.Response) -> dict[str, str]:
    return {name.decode("latin-1").lower(): v.decode("latin-1") for name, v in response.headers}


def _read(response: httpcore.Response) -> bytes:
    """The answer's body, empty where it is too long or breaks off: the status alone decides."""
    taken = b""
    try:
        for chunk in response.iter_stream():
            taken += chunk
            if len(taken) > _MAX_ANSWER:
                return b""
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException):
        return b""
    return taken


def _provider_id(body: bytes) -> str:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    found = answer.get("id", "") if isinstance(answer, dict) else ""
    usable = isinstance(found, str) and len(found) <= 200 and found.isprintable()
    return found if usable else ""


def _seconds(retry_after: str, now: datetime) -> float | None:
    """``Retry-After`` in seconds from now, given as a number or as an HTTP date."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), _MAX_RETRY_AFTER)
    try:
        wanted = parsedate_to_datetime(text)
    except ValueError:
        return None
    if wanted.tzinfo is None:
        wanted = wanted.replace(tzinfo=UTC)
    return min(max((wanted - now).total_seconds(), 0.0), _MAX_RETRY_AFTER)

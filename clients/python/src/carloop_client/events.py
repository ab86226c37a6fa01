"""Events as ``POST /api/events`` takes them: checked and encoded when they are made."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any, Union
from uuid import UUID, uuid4

from carloop_client.errors import InvalidEvent

Identifiers = Union[Mapping[str, Any], Sequence[Mapping[str, str]]]
"""``{"login_id": "m-1", "openid": {"namespace": "wx12", "value": "o…"}}``, or a list of
``{"type", "value", "namespace"}``."""
Entities = Mapping[str, Union[str, Sequence[str]]]
"""Keys by entity type: ``{"dealer": "D001"}``."""

LARGEST = 256 * 1024
LONGEST_NAME = 128
LONGEST_ID = 255


def encode(
    event: str,
    identifiers: Identifiers | None,
    properties: Mapping[str, Any] | None,
    *,
    entities: Entities | None = None,
    profile: Mapping[str, Any] | None = None,
    occurred_at: datetime | None = None,
    message_id: str | None = None,
) -> tuple[str, bytes]:
    """The message id and the JSON of one event.

    Raises:
        InvalidEvent: ``name_invalid``, ``missing_identifier``, ``invalid_timestamp``,
            ``invalid_type``, ``too_large``.
    """
    if message_id is None:
        message_id = uuid4().hex
    for name, text, longest in (
        ("event", event, LONGEST_NAME),
        ("message_id", message_id, LONGEST_ID),
    ):
        if not isinstance(text, str) or not 0 < len(text) <= longest or not text.isprintable():
            raise InvalidEvent("name_invalid", name)
    if not identifiers and not entities:
        raise InvalidEvent("missing_identifier", "identifiers")
    body: dict[str, Any] = {
        "message_id": message_id,
        "event": event,
        "occurred_at": _milliseconds(occurred_at),
    }
    for name, part in (
        ("identifiers", identifiers),
        ("entities", entities),
        ("properties", properties),
        ("profile", profile),
    ):
        if part:
            body[name] = part
    return message_id, _json(body)


def _milliseconds(at: datetime | None) -> int:
    if at is None:
        at = datetime.now(timezone.utc)
    elif not isinstance(at, datetime) or at.tzinfo is None:
        raise InvalidEvent("invalid_timestamp", "occurred_at")
    milliseconds = round(at.timestamp() * 1000)
    if milliseconds < 0:
        raise InvalidEvent("invalid_timestamp", "occurred_at")
    return milliseconds


def _json(body: dict[str, Any]) -> bytes:
    try:
        text = json.dumps(
            body, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain
        )
        encoded = text.encode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidEvent("invalid_type", "properties") from error
    if len(encoded) > LARGEST:
        raise InvalidEvent("too_large")
    return encoded


def _plain(value: Any) -> Any:
    """Values that JSON has no word for."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise TypeError("a time without a zone")
        return value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    raise TypeError(type(value).__name__)

"""Small readers of single values that several protocols share."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import msgspec

from carloop.connectors.json_guard import BadEvent, check_text
from carloop.core.events import Limits
from carloop.kit.errors import Malformed

Key = str | int
Time = str | int | float
LONGEST_ID = 255
FORM_FIELDS = 1000


def id_text(value: Key | None, path: str) -> str:
    """An id as text without outer blanks; empty where there is none.

    Raises:
        BadEvent: ``name_invalid`` (longer than 255 characters), ``nul``, ``invalid_utf8``.
    """
    text = "" if value is None else str(value).strip()
    if len(text) > LONGEST_ID:
        raise BadEvent("name_invalid", path)
    return check_text(text, path)


def event_name(value: str | None, path: str = "event") -> str:
    """An event's name.

    Raises:
        BadEvent: ``name_invalid``: absent, longer than 128 characters or not printable.
    """
    text = (value or "").strip()
    if not text or len(text) > 128 or not text.isprintable():
        raise BadEvent("nul" if "\x00" in text else "name_invalid", path)
    return check_text(text, path)


def form_fields(body: bytes, limits: Limits) -> dict[str, str]:
    """The fields of a form; the first of a name counts.

    Raises:
        Malformed: ``form_broken``.
    """
    try:
        pairs = parse_qsl(
            body.decode(),
            keep_blank_values=True,
            max_num_fields=min(FORM_FIELDS, limits.keys),
            errors="strict",
        )
    except (UnicodeDecodeError, ValueError) as error:
        raise Malformed("the body is not a form", code="form_broken") from error
    return dict(reversed(pairs))


def json_of(raw: bytes | str, path: str) -> Any:
    """JSON that stands inside another value.

    Raises:
        BadEvent: ``malformed_json``, ``invalid_utf8``, ``number_out_of_range``, ``too_deep``.
    """
    try:
        return msgspec.json.decode(raw)
    except msgspec.ValidationError as error:
        raise BadEvent("number_out_of_range", path) from error
    except msgspec.DecodeError as error:
        raise BadEvent("malformed_json", path) from error
    except UnicodeError as error:
        raise BadEvent("invalid_utf8", path) from error
    except RecursionError as error:
        raise BadEvent("too_deep", path) from error

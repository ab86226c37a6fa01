"""Reading JSON from strangers: bounded, exact, and one bad event never harms its neighbours.

The batch is split into events without looking into them, each event is decoded alone, and its free
part (``properties``) stays bytes. Byte counts decide which events are harmless; only a suspicious
one is walked.
"""

from __future__ import annotations

import math
import re
from typing import Any

import msgspec
import numpy as np

from carloop.core.events import Limits, Rejected
from carloop.kit.errors import Malformed, TooLarge

INT64 = 2**63
_DIGITS = bytes.maketrans(b"0123456789", b"0" * 10)
_LONG_NUMBER = b"0" * 19
_EXPONENTS = (b"0e", b"0E")
_ESCAPES = (b"\\u0000", b"\\ud", b"\\uD")
_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class BadEvent(Exception):
    """One event cannot be taken; becomes a ``Rejected`` of its batch."""

    def __init__(self, code: str, path: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.path = path

    def rejected(self, index: int, raw: bytes) -> Rejected:
        """The record that goes to quarantine, with the event's own bytes."""
        return Rejected(index=index, code=self.code, path=self.path, raw=raw)


_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


def split(
    body: bytes, key: str | None, limits: Limits
) -> tuple[dict[str, msgspec.Raw], list[bytes]]:
    """The events of a body and its other top-level fields.

    A body is an array of events, an object with the array under ``key`` (if any), or one event.

    Raises:
        Malformed: neither; or so broken that its events cannot be told apart.
        TooLarge: ``too_many_events``.
    """
    try:
        head, events = _split_sound(body, key, limits)
    except _BROKEN:
        head, events = _split_broken(body, key, limits)
    if events != [body] and any(too_deep(bytes(value), limits) for value in head.values()):
        raise Malformed("nested too deeply", code="too_deep")
    return head, events


def _check_number(events: int, limits: Limits) -> None:
    if events > limits.events_per_batch:
        raise TooLarge(
            f"more than {limits.events_per_batch} events in one batch", code="too_many_events"
        )


def _bytes_of(array: bytes, limits: Limits) -> list[bytes]:
    raws = _ARRAY.decode(array)
    _check_number(len(raws), limits)
    return [bytes(raw) for raw in raws]


def _split_sound(
    body: bytes, key: str | None, limits: Limits
) -> tuple[dict[str, msgspec.Raw], list[bytes]]:
    first = body.lstrip(b" \t\r\n")[:1]
    if first == b"[":
        return {}, _bytes_of(body, limits)
    if first != b"{":
        raise Malformed("the body is neither a JSON object nor an array", code="malformed_json")
    head = _OBJECT.decode(body)
    if key is None or key not in head:
        return head, [body]
    array = bytes(head.pop(key))
    if array[:1] != b"[":
        raise Malformed(f"{key} is not an array", code="invalid_type", path=key)
    return head, _bytes_of(array, limits)


def _split_broken(
    body: bytes, key: str | None, limits: Limits
) -> tuple[dict[str, msgspec.Raw], list[bytes]]:
    """Split by brackets and commas outside strings, whatever lies between them."""
    depth, commas = _structure(body)
    start = body.find(b"[") if body.lstrip()[:1] == b"[" else _array_under(body, key, depth)
    if start < 0 or depth[-1] != 0 or depth.min() < 0:
        raise Malformed("the body is not valid JSON", code="malformed_json")
    inside = int(depth[start])
    end = start + int(np.argmax(depth[start:] < inside))
    cuts = np.flatnonzero(commas[start:end] & (depth[start:end] == inside)) + start
    _check_number(len(cuts) + 1, limits)
    edges = [start, *cuts.tolist(), end]
    events = [body[a + 1 : b].strip() for a, b in zip(edges, edges[1:], strict=False)]
    try:
        rest = body[:start] + b"[]" + body[end + 1 :]
        return _split_sound(rest, key, limits)[0], [] if events == [b""] else events
    except _BROKEN as cause:
        raise Malformed("the body is not valid JSON", code="malformed_json") from cause


def _structure(body: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Nesting depth after each byte, and which bytes are commas, both outside strings."""
    plain = np.frombuffer(body.replace(b"\\\\", b"__").replace(b'\\"', b"__"), dtype=np.uint8)
    outside = (np.cumsum(plain == ord('"')) & 1) == 0
    opens = np.isin(plain, list(b"[{")) & outside
    closes = np.isin(plain, list(b"]}")) & outside
    return np.cumsum(opens.astype(np.int32) - closes.astype(np.int32)), (plain == 0x2C) & outside


def _array_under(body: bytes, key: str | None, depth: np.ndarray) -> int:
    if key is None:
        return -1
    for found in re.finditer(rb'"%s"\s*:\s*\[' % re.escape(key.encode()), body):
        if depth[found.start()] == 1:
            return found.end() - 1
    return -1


def decode_event(decoder: msgspec.json.Decoder[Any], raw: bytes, limits: Limits) -> Any:
    """One event by its typed decoder.

    Raises:
        BadEvent: ``too_large``, ``malformed_json``, ``invalid_utf8``, ``too_deep``,
            ``invalid_type`` with the path.
    """
    if len(raw) > limits.event:
        raise BadEvent("too_large")
    if too_deep(raw, limits):
        raise BadEvent("too_deep")
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        code = "number_out_of_range" if "out of range" in str(error) else "invalid_type"
        raise BadEvent(code, _path_of(error)) from error
    except msgspec.DecodeError as error:
        raise BadEvent("malformed_json") from error
    except UnicodeDecodeError as error:
        raise BadEvent("invalid_utf8") from error
    except RecursionError as error:
        raise BadEvent("too_deep") from error


def too_deep(raw: bytes, limits: Limits) -> bool:
    """Whether JSON nests deeper than the limit."""
    if raw.count(b"{") + raw.count(b"[") <= limits.depth:
        return False
    return int(_structure(raw)[0].max()) > limits.depth


def _path_of(error: msgspec.ValidationError) -> str:
    """``properties.a`` out of ``Expected …, got … - at `$.properties.a```."""
    _, marker, path = str(error).rpartition(" - at `$")
    return path.rstrip("`").lstrip(".") if marker else ""


def calm(body: bytes) -> bool:
    """Whether no string of a body can hold what ``check_text`` looks for.

    Nothing is escaped, and raw control characters and broken UTF-8 are no JSON.
    """
    return b"\\" not in body and (body.isascii() or _utf8(body))


def guard_object(
    raw: bytes, limits: Limits, path: str = "properties", *, calm: bool = False
) -> bytes:
    """A JSON object that is safe to store, as bytes; unchanged where nothing is wrong.

    Integers beyond int64 become strings. ``calm``: see :func:`calm`, of the whole body.

    Raises:
        BadEvent: ``invalid_type``, ``too_many_keys``, ``key_too_long``, ``nul``,
            ``number_out_of_range``, ``invalid_utf8``.
    """
    if raw == b"{}" or (_harmless_short(raw, limits) if calm else _harmless(raw, limits)):
        return raw
    try:
        value = msgspec.json.decode(raw)
    except msgspec.ValidationError as error:
        raise BadEvent("number_out_of_range", path) from error
    except msgspec.DecodeError as error:
        raise BadEvent("malformed_json", path) from error
    except UnicodeDecodeError as error:
        raise BadEvent("invalid_utf8", path) from error
    if value is None:
        return b"{}"
    if not isinstance(value, dict):
        raise BadEvent("invalid_type", path)
    return msgspec.json.encode(guard_value(value, limits, path))


def _harmless_short(raw: bytes, limits: Limits) -> bool:
    """Of a calm body: too short for long keys or many of them, and its numbers are in range."""
    if len(raw) > limits.key_length or len(raw) > limits.keys or raw[:1] != b"{":
        return _harmless(raw, limits)
    shape = raw.translate(_DIGITS)
    return _LONG_NUMBER not in shape and b"0e" not in shape and b"0E" not in shape


def _harmless(raw: bytes, limits: Limits) -> bool:
    if raw[:1] != b"{":
        return False
    if raw.count(b":") > limits.keys:
        return False
    if len(raw) > limits.key_length and not _short_strings(raw, limits.key_length):
        return False
    if not raw.isascii() and not _utf8(raw):
        return False
    if b"\\u" in raw and any(escape in raw for escape in _ESCAPES):
        return False
    shape = raw.translate(_DIGITS)
    return _LONG_NUMBER not in shape and not any(e in shape for e in _EXPONENTS)


def _short_strings(raw: bytes, longest: int) -> bool:
    return b"\\" not in raw and max(map(len, raw.split(b'"'))) <= longest


def _utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def guard_value(value: Any, limits: Limits, path: str) -> Any:
    """A decoded value that is safe to store; integers beyond int64 become strings.

    Raises:
        BadEvent: as :func:`guard_object`.
    """
    return _walk(value, limits, path, [limits.keys])


def _walk(value: Any, limits: Limits, path: str, keys_left: list[int]) -> Any:
    if isinstance(value, str):
        return check_text(value, path)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if -INT64 <= value < INT64 else str(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise BadEvent("number_out_of_range", path)
        return value
    if isinstance(value, list):
        return [_walk(item, limits, path, keys_left) for item in value]
    keys_left[0] -= len(value)
    if keys_left[0] < 0:
        raise BadEvent("too_many_keys", path)
    for key in value:
        if len(key) > limits.key_length:
            raise BadEvent("key_too_long", path)
        check_text(key, path)
    return {
        key: _walk(item, limits, f"{path}.{key}"[:200], keys_left) for key, item in value.items()
    }


def check_text(value: str, path: str) -> str:
    """The text itself.

    Raises:
        BadEvent: ``nul`` where it holds U+0000, ``invalid_utf8`` where it holds a lone surrogate.
    """
    if "\x00" in value:
        raise BadEvent("nul", path)
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise BadEvent("invalid_utf8", path) from error
    return value

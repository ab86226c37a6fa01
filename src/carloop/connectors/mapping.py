r"""A declarative mapping: where in somebody else's JSON an event's parts stand.

```json
{"items": "data.clues[]", "event": "lead_submitted", "message_id": "clue_id",
 "occurred_at": {"path": "create_time", "time": "%Y-%m-%d %H:%M:%S", "zone": "Asia/Shanghai"},
 "identifiers": [{"type": "mobile", "path": "telphone"}],
 "entities": [{"type": "dealer", "path": "store.id"}],
 "properties": {"channel": {"value": "douyin"}, "series": "answers[label=意向车系].value"},
 "profile": {"set": {"name": "name"}}}
```

A source of a value is a path, or an object with ``path`` (or ``paths``: the first that is not
empty) or ``value`` (a constant), and perhaps ``map`` (by text), ``default``, ``type`` (text,
number, boolean, list), ``split``, ``prefix``, ``time`` with ``zone``, ``required``. A path is keys
joined by dots, ``[2]`` for a place in a list, ``[key=value]`` for the first element whose key has
that value; a dot within a key is written ``\.``. ``items`` names the list whose elements are one
event each; paths start at the element, or with ``$`` at the whole body.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from carloop.connectors.json_guard import BadEvent
from carloop.kit.clock import to_ms
from carloop.kit.errors import InvalidInput

STEP = re.compile(r"((?:[^.\[\]\\]|\\.)+)|\[(\d{1,6})\]|\[([^\]=]{1,100})=([^\]]{0,200})\]")
EPOCHS = {"s": 1000, "ms": 1, "us": 0.001}
MOST_SOURCES = 300
CODE = "mapping_invalid"


class Step(NamedTuple):
    """One step of a path: a key, a place, or the element whose ``where`` is ``equals``."""

    key: str = ""
    place: int = -1
    where: str = ""
    equals: str = ""


class _Time(NamedTuple):
    form: str
    zone: tzinfo


class _SourceSpec(msgspec.Struct, forbid_unknown_fields=True):
    path: str | None = None
    paths: list[str] | None = None
    value: str | int | float | bool | list[str] | None = None
    map: dict[str, str | int | float | bool] | None = None
    default: str | int | float | bool | None = None
    type: str = ""
    split: str = ""
    prefix: str = ""
    time: str = ""
    zone: str = ""
    required: bool = False


Spec = str | _SourceSpec


class _Typed(msgspec.Struct, forbid_unknown_fields=True):
    """A source with the type of identifier or entity it gives."""

    type: str
    path: str | None = None
    paths: list[str] | None = None
    value: str | int | None = None
    map: dict[str, str | int | float | bool] | None = None
    split: str = ""
    prefix: str = ""
    required: bool = False
    namespace: Spec = ""


class _Ops(msgspec.Struct, forbid_unknown_fields=True):
    set: dict[str, Spec] = {}
    set_once: dict[str, Spec] = {}
    increment: dict[str, Spec] = {}
    append: dict[str, Spec] = {}


class MappingSpec(msgspec.Struct, forbid_unknown_fields=True):
    """A mapping as it is written."""

    event: Spec
    items: str = ""
    message_id: Spec | None = None
    occurred_at: Spec | None = None
    identifiers: list[_Typed] = []
    entities: list[_Typed] = []
    properties: dict[str, Spec] = {}
    profile: _Ops = msgspec.field(default_factory=_Ops)


class Value(NamedTuple):
    """A compiled source of one value."""

    name: str
    paths: tuple[tuple[Step, ...], ...]
    spec: _SourceSpec
    time: _Time | None

    def of(self, item: Any, body: Any) -> Any:
        """The value for one element; None where there is none.

        Raises:
            BadEvent: ``not_mapped``, ``missing_value``, ``invalid_type``, ``invalid_timestamp``.
        """
        found = self.spec.value if not self.paths else None
        for path in self.paths:
            found = _walk(path, item, body)
            if found not in (None, "", [], {}):
                break
        if found in (None, "", [], {}):
            found = self.spec.default
        elif self.spec.map is not None:
            found = self._mapped(found)
        if found is None or found == "":
            if self.spec.required:
                raise BadEvent("missing_value", self.name)
            return None
        if self.time is not None:
            return _instant(found, self.time, self.name)
        return _typed(found, self.spec, self.name)

    def _mapped(self, found: Any) -> Any:
        assert self.spec.map is not None
        text = found if isinstance(found, str) else msgspec.json.encode(found).decode()
        if text in self.spec.map:
            return self.spec.map[text]
        if self.spec.default is not None:
            return self.spec.default
        raise BadEvent("not_mapped", self.name)


class Typed(NamedTuple):
    """A compiled identifier or entity."""

    type: str
    value: Value
    namespace: Value | None


class Compiled(NamedTuple):
    """A mapping, ready for use."""

    items: tuple[Step, ...] | None
    event: Value
    message_id: Value | None
    occurred_at: Value | None
    identifiers: tuple[Typed, ...]
    entities: tuple[Typed, ...]
    properties: Mapping[str, Value]
    profile: Mapping[str, Mapping[str, Value]]

    def elements(self, body: Any) -> list[Any]:
        """The elements that become events: those of ``items``, or the body itself.

        Raises:
            BadEvent: ``items_missing``: there is no list where the mapping says.
        """
        if self.items is None:
            return body if isinstance(body, list) else [body]
        found = _walk(self.items, body, body) if self.items else body
        if isinstance(found, dict):
            return [found]
        if not isinstance(found, list):
            raise BadEvent("items_missing", "items")
        return found

    def unread(self, item: Any) -> list[str]:
        """Top-level keys of an element that no path begins with: what the mapping leaves out."""
        values = [self.event, self.message_id, self.occurred_at, *self.properties.values()]
        values += [typed.value for typed in (*self.identifiers, *self.entities)]
        values += [value for ops in self.profile.values() for value in ops.values()]
        read = {path[0].key for value in values if value for path in value.paths if path}
        return sorted(item.keys() - read) if isinstance(item, dict) else []


@lru_cache(maxsize=256)
def compile_mapping(text: str) -> Compiled:
    """A mapping from its JSON.

    Raises:
        InvalidInput: ``mapping_invalid`` with the path of the fault.
    """
    try:
        spec = msgspec.json.decode(text, type=MappingSpec)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        _, marker, where = str(error).rpartition(" - at `$")
        path = f"mapping{where.rstrip('`')}" if marker else "mapping"
        raise InvalidInput(str(error), code=CODE, path=path) from error
    ops = {k: getattr(spec.profile, k) for k in ("set", "set_once", "increment", "append")}
    if sum(map(len, (spec.properties, spec.identifiers, spec.entities, *ops.values()))) > (
        MOST_SOURCES
    ):
        raise InvalidInput("too many values", code=CODE, path="mapping")
    items = spec.items[:-2] if spec.items.endswith("[]") else spec.items
    compiled = Compiled(
        None if not spec.items else _path(items, "items") if items != "$" else (),
        _value(spec.event, "event"),
        None if spec.message_id is None else _value(spec.message_id, "message_id"),
        None if spec.occurred_at is None else _value(spec.occurred_at, "occurred_at", "iso"),
        tuple(_typed_source(one, f"identifiers[{n}]") for n, one in enumerate(spec.identifiers)),
        tuple(_typed_source(one, f"entities[{n}]") for n, one in enumerate(spec.entities)),
        {name: _value(one, f"properties.{name}") for name, one in spec.properties.items()},
        {k: {n: _value(v, f"profile.{k}.{n}") for n, v in vs.items()} for k, vs in ops.items()},
    )
    if not compiled.identifiers and not compiled.entities:
        raise InvalidInput("names nobody and nothing", code=CODE, path="mapping.identifiers")
    return compiled


def _typed_source(one: _Typed, name: str) -> Typed:
    spec = _SourceSpec(
        path=one.path, paths=one.paths, value=one.value, map=one.map,
        split=one.split, prefix=one.prefix, required=one.required,
    )  # fmt: skip
    namespace: Spec = one.namespace
    if isinstance(namespace, str):
        named = _value(_SourceSpec(value=namespace), name) if namespace else None
    else:
        named = _value(namespace, f"{name}.namespace")
    if not one.type:
        raise InvalidInput("a type is needed", code=CODE, path=f"mapping.{name}.type")
    return Typed(one.type, _value(spec, name), named)


def _value(spec: Spec, name: str, time: str = "") -> Value:
    literal = name == "event" and isinstance(spec, str)
    if isinstance(spec, str):
        spec = _SourceSpec(value=spec) if literal else _SourceSpec(path=spec)
    paths = tuple(_path(p, name) for p in (spec.paths or ([spec.path] if spec.path else [])))
    if not paths and spec.value is None and spec.default is None:
        raise InvalidInput("neither path nor value", code=CODE, path=f"mapping.{name}")
    if spec.type not in ("", "text", "number", "boolean", "list"):
        raise InvalidInput("no such type", code=CODE, path=f"mapping.{name}.type")
    form = spec.time or time
    return Value(name, paths, spec, _time(form, spec.zone, name) if form else None)


def _time(form: str, zone: str, name: str) -> _Time:
    try:
        found = ZoneInfo(zone) if zone else UTC
    except (KeyError, ValueError, OSError) as error:
        raise InvalidInput("no such zone", code=CODE, path=f"mapping.{name}.zone") from error
    if form not in EPOCHS and form not in ("iso", "auto") and "%" not in form:
        raise InvalidInput("no such form of time", code=CODE, path=f"mapping.{name}.time")
    return _Time(form, found)


def _path(text: str, name: str) -> tuple[Step, ...]:
    steps: list[Step] = []
    at = 0
    while at < len(text):
        if text[at] == "." and at and text[at - 1] != ".":
            at += 1
        found = STEP.match(text, at)
        if found is None:
            raise InvalidInput(f"cannot read the path {text!r}", code=CODE, path=f"mapping.{name}")
        if found[1] is not None:
            steps.append(Step(key=re.sub(r"\\(.)", r"\1", found[1])))
        elif found[2] is not None:
            steps.append(Step(place=int(found[2])))
        else:
            steps.append(Step(where=found[3], equals=found[4]))
        at = found.end()
    if not steps:
        raise InvalidInput("an empty path", code=CODE, path=f"mapping.{name}")
    return tuple(steps)


def _walk(path: tuple[Step, ...], item: Any, body: Any) -> Any:
    found = item
    if path and path[0].key == "$":
        found, path = body, path[1:]
    for step in path:
        if isinstance(found, str) and found[:1] in ("{", "["):
            found = _inner(found)
        if step.key:
            found = found.get(step.key) if isinstance(found, dict) else None
        elif not isinstance(found, list):
            return None
        elif step.where:
            found = next((one for one in found if _is(one, step)), None)
        else:
            found = found[step.place] if step.place < len(found) else None
    return found


def _inner(text: str) -> Any:
    """JSON that a sender put into a text; the text itself where it is none."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return text


def _is(one: Any, step: Step) -> bool:
    return isinstance(one, dict) and str(one.get(step.where)) == step.equals


def _typed(found: Any, spec: _SourceSpec, name: str) -> Any:
    if spec.split and isinstance(found, str):
        return [part.strip() for part in found.split(spec.split) if part.strip()]
    if spec.type == "number" and isinstance(found, str):
        try:
            return int(found) if re.fullmatch(r"[+-]?\d{1,18}", found.strip()) else float(found)
        except ValueError as error:
            raise BadEvent("invalid_type", name) from error
    if spec.type == "boolean" and not isinstance(found, bool):
        word = str(found).strip().lower()
        if word not in ("1", "0", "true", "false", "yes", "no", "是", "否"):
            raise BadEvent("invalid_type", name)
        return word in ("1", "true", "yes", "是")
    if spec.type == "list" and not isinstance(found, list):
        found = [found]
    if (spec.type == "text" or spec.prefix) and not isinstance(found, str):
        found = msgspec.json.encode(found).decode()
    return spec.prefix + found if spec.prefix else found


def _instant(found: Any, time: _Time, name: str) -> int:
    """Milliseconds since the epoch."""
    try:
        if time.form in EPOCHS:
            return int(float(found) * EPOCHS[time.form])
        if time.form == "auto" and re.fullmatch(r"\d{10}|\d{13}", str(found)):
            return int(found) * (1000 if len(str(found)) == 10 else 1)
        text = str(found).strip()
        iso = time.form in ("iso", "auto")
        at = datetime.fromisoformat(text) if iso else datetime.strptime(text, time.form)  # noqa: DTZ007
        return to_ms(at if at.tzinfo else at.replace(tzinfo=time.zone))
    except (ValueError, OverflowError, TypeError) as error:
        raise BadEvent("invalid_timestamp", name) from error

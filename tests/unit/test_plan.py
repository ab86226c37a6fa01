"""The plan refuses what a declared event must not be, and personal values leave no trace."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from carloop.app.ingest.personal import suspicious, without_personal
from carloop.app.plan import AHEAD_MS, OLD_MS, Plan, check_time
from carloop.core.events import EntityRef, Envelope
from carloop.core.fields import FieldType
from carloop.core.pack import EventType, Property

T = {"zh": "", "en": ""}
RIDE = EventType(
    "ride",
    T,
    properties=(
        Property("bike", T, required=True, entity="bike"),
        Property("km", T, FieldType.NUMBER),
        Property("wet", T, FieldType.BOOLEAN),
        Property("due", T, FieldType.DATE),
        Property("at", T, FieldType.DATETIME),
        Property("tags", T, FieldType.LIST),
        Property("kind", T, codes=("race", "tour")),
    ),
)
PLAN = Plan({"ride": RIDE})


@pytest.mark.parametrize(
    ("properties", "violation"),
    [
        ({"bike": "b1"}, None),
        ({"bike": 7, "km": 1.5, "wet": False, "due": "2026-01-31", "tags": ["a"]}, None),
        ({"bike": "b1", "at": "2026-01-31T08:00:00Z", "kind": "race", "own": {"x": 1}}, None),
        ({}, ("missing_property", "properties.bike")),
        ({"bike": None}, ("missing_property", "properties.bike")),
        ({"bike": ["b1"]}, ("invalid_type", "properties.bike")),
        ({"bike": "b", "km": "12"}, ("invalid_type", "properties.km")),
        ({"bike": "b", "km": True}, ("invalid_type", "properties.km")),
        ({"bike": "b", "wet": 1}, ("invalid_type", "properties.wet")),
        ({"bike": "b", "due": "31.1.2026"}, ("invalid_type", "properties.due")),
        ({"bike": "b", "at": "soon"}, ("invalid_type", "properties.at")),
        ({"bike": "b", "tags": "a"}, ("invalid_type", "properties.tags")),
        ({"bike": "b", "kind": "walk"}, ("invalid_code", "properties.kind")),
    ],
)
def test_declared_events_are_checked(
    properties: dict[str, Any], violation: tuple[str, str] | None
) -> None:
    assert PLAN.check("ride", properties) == violation
    assert PLAN.check("nobody declared", properties) is None


def test_an_entity_may_be_named_beside_the_properties() -> None:
    assert PLAN.check("ride", {}, [EntityRef("bike", "b1")]) is None
    other = PLAN.check("ride", {}, [EntityRef("shop", "s1")])
    assert other == ("missing_property", "properties.bike")


@pytest.mark.parametrize(
    ("offset", "code"),
    [
        (AHEAD_MS, None),
        (AHEAD_MS + 1, "time_in_future"),
        (-OLD_MS, None),
        (-OLD_MS - 1, "time_too_old"),
    ],
)
def test_times_are_bounded_at_the_edge(offset: int, code: str | None) -> None:
    now = 1_763_769_600_000
    event = Envelope(index=0, message_id="m", event="e", occurred_at=now + offset, identifiers=[])
    found = check_time(event, now)
    assert (found and found.code) == code


@pytest.mark.parametrize(
    ("value", "clean"),
    [
        ("13912345679", "<13912345679>"),
        ("call +86 139-1234-5679 now", "call <13912345679> now"),
        (13912345679, "<13912345679>"),
        ("a.b@c.cn", "<a.b@c.cn>"),
        ("11010519491231002X", "<11010519491231002X>"),
        ("110105194912310021", "110105194912310021"),
        ("LSVAA4182E2184847", "<LSVAA4182E2184847>"),
        ("粤B12345", "<粤B12345>"),
        ("1763769600000", "1763769600000"),
        ("order 2026112200012345678", "order 2026112200012345678"),
        ("12912345679", "12912345679"),
        (
            {"13912345679": ["x", {"deep": "a@b.cn"}]},
            {"<13912345679>": ["x", {"deep": "<a@b.cn>"}]},
        ),
        (True, True),
        (None, None),
        (3.5, 3.5),
    ],
)
def test_what_looks_personal_is_replaced(value: Any, clean: Any) -> None:
    assert without_personal(value, lambda text: f"<{text}>") == clean
    if clean != value:
        assert suspicious(msgspec.json.encode(value))

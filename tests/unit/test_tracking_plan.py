"""The tracking plan as values and files: coverage, changes, departures, import and export."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import openpyxl
import pandas
import pytest
import yaml

from carloop.app.tracking.changes import changes
from carloop.app.tracking.coverage import covered, points_met, points_of
from carloop.app.tracking.departures import Guard, misfits, unplanned
from carloop.app.tracking.documents import Reader, check, plan_document
from carloop.app.tracking.files import MOST_BYTES, read_plan, to_workbook, to_yaml
from carloop.app.tracking.metrics import metric_states
from carloop.app.tracking.reality import Arrived, Looked, Seen
from carloop.core.fields import FieldType
from carloop.core.pack import EventType, Metric, Pack, Property
from carloop.core.ports.segments import SavedFunnel
from carloop.core.registry import Catalogue
from carloop.core.tracking import (
    PlannedEvent,
    PointStatus,
    Severities,
    Severity,
    TrackingPlan,
    base_event,
)
from carloop.kit.errors import CarloopError

NOW = datetime(2026, 11, 22, tzinfo=UTC)
DOCUMENT: dict[str, Any] = {
    "carloop_plan": 1,
    "touchpoints": [
        {"name": "app", "title": {"zh": "车主 App", "en": "App"}, "sources": ["app", "app, old"]},
        {"name": "web"},
    ],
    "events": [
        {
            "name": "=cmd|' /C calc'!A0",
            "owner": "'quoted",
            "touchpoints": {"app": "retired"},
        },
        {
            "name": "order_placed",
            "title": {"zh": "下单", "en": "Order placed"},
            "stage": "sale",
            "owner": "王芳",
            "description": "two\nlines",
            "touchpoints": {"app": "live", "web": "test"},
            "properties": [
                {"name": "price", "type": "number", "required": True, "status": "live"},
                {
                    "name": "payment",
                    "title": {"zh": "付款"},
                    "type": "string",
                    "allowed": ["yes", "1", "a,b", "@sum", "[x"],
                    "owner": "-1+1",
                    "status": "accept",
                },
            ],
        },
    ],
}  # fmt: skip


def plan(document: Any = DOCUMENT) -> TrackingPlan:
    reader = Reader()
    made = reader.plan(document)
    assert reader.faults == []
    return made


def faults(document: Any) -> list[tuple[str, str]]:
    reader = Reader()
    reader.plan(document)
    return [(fault.path, fault.code) for fault in reader.faults]


def seen(arrived: Mapping[tuple[str, int], int], bodies: Mapping[tuple[str, int], Any]) -> Seen:
    return Seen(
        NOW,
        30,
        tuple(Arrived(event, source, n, 1, 2) for (event, source), n in arrived.items()),
        tuple(Looked(event, source, list(found)) for (event, source), found in bodies.items()),
    )


def test_851_of_949_points_live_are_89_7_percent() -> None:
    """25 places of collection and 949 points were designed; 10 places and 851 points live."""
    names = [f"t{n}" for n in range(25)]
    points = [(f"e{n // 25}", names[n % 25]) for n in range(949)]
    events: dict[str, dict[str, PointStatus]] = {}
    for event, place in points:
        events.setdefault(event, {})[place] = PointStatus.LIVE
    events["old"] = {"t0": PointStatus.RETIRED}
    designed = TrackingPlan(events={n: PlannedEvent(name=n, points=p) for n, p in events.items()})
    got = covered(points_of(designed), set(points[:851]) | {("old", "t0")})
    assert (got.planned, got.live, got.silent, got.retired_seen) == (949, 851, 98, 1)
    assert got.share == pytest.approx(0.8967, abs=5e-5)
    assert f"{100 * (got.share or 0):.1f}" == "89.7"
    assert designed.points == 949
    by_place = [covered(points_of(designed, name), set(points[:851])) for name in names]
    assert (sum(c.planned for c in by_place), sum(c.live for c in by_place)) == (949, 851)
    assert covered([], set()).share is None


def test_a_point_is_met_where_its_touchpoint_sends() -> None:
    counts = {("order_placed", 7): 5, ("order_placed", 9): 2}
    met = points_met(plan(), counts, {"app": 7, "elsewhere": 9})
    assert met == {("order_placed", "app"): 5}
    anywhere = TrackingPlan(events={"order_placed": base_event(EventType("order_placed", {}))})
    assert points_met(anywhere, counts, {}) == {("order_placed", "*"): 7}
    early = covered(points_of(anywhere), {("order_placed", "*")})
    assert (early.planned, early.live, early.early) == (1, 1, 1)


def test_changes_name_every_member_and_forget_order() -> None:
    after = yaml.safe_load(yaml.safe_dump(DOCUMENT))
    order = after["events"][1]
    order["properties"].reverse()
    assert changes(plan(), plan(after)) == []
    order["touchpoints"]["web"] = "live"
    order["properties"][1]["type"] = "string"
    del order["stage"]
    after["events"][0] = {"name": "fresh"}
    after["touchpoints"][1]["sources"] = ["site"]
    told = [(c.subject, c.name, c.kind, [tuple(m) for m in c.members]) for c in
            changes(plan(), plan(after))]  # fmt: skip
    assert told == [
        ("touchpoint", "web", "changed", [("sources", None, '["site"]')]),
        ("event", "=cmd|' /C calc'!A0", "removed", []),
        ("event", "fresh", "added", []),
        (
            "event", "order_placed", "changed",
            [
                ("properties.price.type", "number", "string"),
                ("stage", "sale", None),
                ("touchpoints.web", "test", "live"),
            ],
        ),
    ]  # fmt: skip


def test_a_plan_survives_yaml_and_other_readers_see_the_same() -> None:
    body = to_yaml(plan_document(plan()))
    assert plan(read_plan("plan.YAML", body)) == plan()
    other = yaml.safe_load(body)
    (order,) = (e for e in other["events"] if e["name"] == "order_placed")
    assert order["properties"][1]["allowed"] == ["yes", "1", "a,b", "@sum", "[x"]


def test_a_plan_survives_a_workbook_and_pandas_reads_it() -> None:
    body = to_workbook(plan_document(plan()))
    assert plan(read_plan("plan.xlsx", body)) == plan()
    sheets = pandas.read_excel(io.BytesIO(body), sheet_name=None, dtype=str)
    assert list(sheets) == ["touchpoints", "events", "points", "properties"]
    points = sheets["points"].set_index(["event", "touchpoint"])["status"]
    assert points["order_placed", "app"] == "live"
    assert list(sheets["properties"]["type"]) == ["number", "string"]


def test_no_cell_of_an_export_is_a_formula() -> None:
    book = openpyxl.load_workbook(io.BytesIO(to_workbook(plan_document(plan()))))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value]
    assert {cell.data_type for cell in cells} == {"s"}
    assert not [cell.value for cell in cells if cell.value[0] in "=+-@\t\r"]
    assert "'=cmd|' /C calc'!A0" in {cell.value for cell in cells}


def test_a_sheet_made_by_hand_is_read() -> None:
    book = openpyxl.Workbook()
    events = book.active
    assert events is not None
    events.title = "Events"
    events.append(["Name", "title_zh", "owner", "remark"])
    events.append(["searched", "搜索", 7, "ignored"])
    book.create_sheet("properties").append(["event", "name", "type", "required", "allowed"])
    book["properties"].append(["searched", "kind", "string", True, "a， b"])
    book["properties"].append(["only_here", "n", "number", None, None])
    out = io.BytesIO()
    book.save(out)
    made = plan(read_plan("x.xlsx", out.getvalue()))
    searched = made.events["searched"]
    assert (searched.title, searched.owner) == ({"zh": "搜索"}, "7")
    assert (searched.properties[0].required, searched.properties[0].allowed) == (True, ("a", "b"))
    assert made.events["only_here"].properties[0].type is FieldType.NUMBER


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", bytes(65 * 1024 * 1024))
    return out.getvalue()


LAUGHS = "a: &a [x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9)
)


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("p.yaml", LAUGHS.encode(), "yaml_alias"),
        ("p.yaml", b"events: !!python/object/apply:os.system ['true']", "yaml_tag"),
        ("p.yaml", b"!!binary aGVsbG8=", "yaml_tag"),
        ("p.yaml", b"[" * 50 + b"]" * 50, "too_deep"),
        ("p.yaml", b"a: 1\n---\nb: 2", "too_deep"),
        ("p.yaml", b"events: [", "yaml_invalid"),
        ("p.yaml", b"\xff\xfe\x00", "yaml_invalid"),
        ("p.yaml", b"- a\n" * (MOST_BYTES // 4 + 1), "too_large_plan"),
        ("p.xlsx", b"no workbook", "file_broken"),
        ("p.xlsx", bomb(), "too_large_unpacked"),
        ("p.csv", b"a,b", "format_unknown"),
    ],
    ids=lambda value: value[:12] if isinstance(value, str) else "body",
)
def test_a_hostile_file_is_refused(name: str, body: bytes, code: str) -> None:
    with pytest.raises(CarloopError) as refused:
        read_plan(name, body)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("document", "path", "code"),
    [
        ("text", "", "plan_shape"),
        ({"evil": 1}, "", "plan_member_unknown"),
        ({"events": [{}]}, "events[0].name", "plan_name_invalid"),
        ({"events": [{"name": "a\x00"}]}, "events[0].name", "plan_name_invalid"),
        ({"events": [{"name": "a"}, {"name": "a"}]}, "events[1].name", "plan_repeated"),
        ({"events": [{"name": "a"}] * 2001}, "events", "plan_too_many"),
        ({"events": [{"name": "a", "owner": "x" * 201}]}, "events[0].owner", "plan_text_invalid"),
        (
            {"events": [{"name": "a", "touchpoints": {"app": "done"}}]},
            "events[0].touchpoints.app",
            "plan_value_unknown",
        ),
        (
            {"events": [{"name": "a", "properties": [{"name": "p", "type": "money"}]}]},
            "events[0].properties[0].type",
            "plan_value_unknown",
        ),
        ({"touchpoints": [{"name": " app"}]}, "touchpoints[0].name", "plan_name_invalid"),
    ],
)
def test_a_wrong_document_says_where(document: Any, path: str, code: str) -> None:
    assert faults(document) == [(path, code)]


def test_what_a_pack_fixes_stays_and_touchpoints_must_be_there() -> None:
    price = Property("price", {}, FieldType.NUMBER, required=True)
    declared = {"order_placed": EventType("order_placed", {}, properties=(price,))}
    reader = Reader()
    document = {
        "events": [
            {
                "name": "order_placed",
                "touchpoints": {"tv": "live"},
                "properties": [{"name": "price", "type": "string"}],
            }
        ]
    }
    check(reader, reader.plan(document), declared, lambda name: f"{name}.")
    assert [tuple(fault) for fault in reader.faults] == [
        ("order_placed.touchpoints.tv", "plan_touchpoint_unknown"),
        ("order_placed.properties[0].type", "plan_base_type"),
        ("order_placed.properties[0].required", "plan_base_required"),
    ]


BODIES = [
    {"price": 1, "payment": "yes", "extra": "a"},
    {"price": "12 万", "payment": "cash", "$lib": "js"},
    {"payment": 1},
    {"price": True},
]


def test_departures_are_counted_with_samples() -> None:
    there = seen(
        {("order_placed", 7): 40, ("surprise", 7): 3, ("surprise", 8): 4, ("$identify", 7): 9},
        {("order_placed", 7): BODIES},
    )
    rows = unplanned(plan(), there)
    assert [(r.event, r.property, r.count, r.looked, r.sources) for r in rows] == [
        ("surprise", "", 7, 7, (7, 8)),
        ("order_placed", "extra", 1, 4, (7,)),
    ]
    assert rows[1].samples == ("a",)
    assert [
        (m.property, m.code, m.count, m.looked, m.samples)
        for m in misfits(plan(), there, frozenset())
    ] == [
        ("price", "invalid_type", 2, 4, ["12 万", "true"]),
        ("payment", "invalid_code", 1, 4, ["cash"]),
        ("price", "missing_property", 1, 4, []),
    ]
    bound = frozenset({("order_placed", "price")})
    assert "missing_property" not in {m.code for m in misfits(plan(), there, bound)}


@pytest.mark.parametrize(
    ("event", "body", "code"),
    [
        ("surprise", {}, "unplanned_event"),
        ("order_placed", BODIES[0], "unplanned_property"),
        ("order_placed", {"price": "x"}, "invalid_type"),
        ("order_placed", {}, "missing_property"),
        ("order_placed", {"price": 1, "vin": "LSV", "$lib": "js"}, None),
        ("$identify", {"anything": 1}, None),
    ],
)
def test_a_strict_source_is_held_to_the_plan(event: str, body: Any, code: str | None) -> None:
    strict = Severities(Severity.QUARANTINE, Severity.QUARANTINE, Severity.QUARANTINE)
    found = Guard(plan(), strict, frozenset()).check(event, body, {"vin": "vehicle"})
    assert (found.code if found else None) == code
    assert Guard(plan(), Severities(), frozenset()).check(event, body, {}) is None


def test_a_figure_names_the_feed_it_lacks() -> None:
    pack = Pack(
        "p",
        {},
        metrics=(
            Metric("value", {"en": "Value"}, ("order_placed.price",)),
            Metric("rate", {"en": "Rate"}, ("order_placed", "never_sent", "unheard.of")),
            Metric("mix", {"en": "Mix"}, ("order_placed.colour",)),
        ),
    )
    planned = {**DOCUMENT, "events": [*DOCUMENT["events"], {"name": "never_sent"}]}
    steps = {"steps": [{"event": "order_placed"}], "breakdown": {"property": "payment"}}
    funnel = SavedFunnel(1, "u", "F", steps)
    there = seen({("order_placed", 7): 40}, {("order_placed", 7): BODIES})
    states = metric_states(Catalogue.of([pack]), [funnel], plan(planned), there)
    assert [(s.name, s.computable) for s in states] == [
        ("mix", False), ("rate", False), ("funnel:u", True), ("value", True),
    ]  # fmt: skip
    rate = states[1]
    assert [(n.event, n.property, n.missing, n.touchpoints) for n in rate.needs] == [
        ("order_placed", "", "", ("app", "web")),
        ("never_sent", "", "event_not_seen", ("*",)),
        ("unheard", "of", "event_not_planned", ()),
    ]
    assert [n.missing for n in states[0].needs] == ["property_not_seen"]

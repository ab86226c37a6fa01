"""The demo: deterministic, well-formed, and holding the truths that were planted."""

import json
from collections import Counter, defaultdict
from datetime import datetime
from typing import Any

import pytest

from carloop.connectors import PROTOCOLS
from carloop.core.events import OWN_LIMITS, Received
from carloop.packs.automotive import PACK
from carloop.packs.automotive.vin import normalise_vin

END_MS = 1_795_305_600_000
DAY = 86_400.0
Event = dict[str, Any]


@pytest.fixture(scope="module")
def events() -> list[Event]:
    assert PACK.demo
    made: list[Event] = []
    for batch in PACK.demo("6000", 7, END_MS):
        assert batch.events <= OWN_LIMITS.events_per_batch
        assert len(batch.body) <= OWN_LIMITS.wire
        body = json.loads(batch.body)
        assert len(body) == batch.events
        made += body
    return made


def at(event: Event) -> float:
    return datetime.fromisoformat(event["occurred_at"]).timestamp()


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert PACK.demo
    first = [b.body for b in PACK.demo("300", 3, END_MS)]
    assert first == [b.body for b in PACK.demo("300", 3, END_MS)]
    assert first != [b.body for b in PACK.demo("300", 4, END_MS)]


def test_message_ids_are_unique_and_nothing_lies_in_the_future(events: list[Event]) -> None:
    assert len({e["message_id"] for e in events}) == len(events)
    assert max(at(e) for e in events) <= END_MS / 1000


def test_the_own_protocol_takes_every_event() -> None:
    assert PACK.demo
    for batch in PACK.demo("300", 3, END_MS):
        received = Received(tenant=1, source=1, protocol="own", received_at=END_MS, body=batch.body)
        decoded = PROTOCOLS["own"].decode(received, OWN_LIMITS)
        assert (len(decoded.events), list(decoded.rejected)) == (batch.events, [])


def test_every_event_is_planned_and_holds_what_the_plan_requires(events: list[Event]) -> None:
    plan = {e.name: e for e in PACK.event_types}
    for event in events:
        kind = plan[event["event"]]
        for prop in kind.properties:
            assert not prop.required or prop.name in event["properties"], (kind.name, prop.name)
        assert {p.name for p in kind.properties} >= set(event["properties"]), event


def test_vehicles_have_valid_vins_apart_from_a_few_planted_typos(events: list[Event]) -> None:
    vins = {e["properties"]["vin"] for e in events if "vin" in e["properties"]}
    typos = {v for v in vins if "O" in v}
    assert len(vins) > 1000
    assert len(typos) < len(vins) / 50
    assert all(normalise_vin(v) == v for v in vins - typos)


def test_connected_owners_are_more_active_and_everyone_drops_after_month_four(
    events: list[Event],
) -> None:
    joined = {
        e["identifiers"]["login_id"]: at(e) for e in events if e["event"] == "account_registered"
    }
    mobiles = {
        e["identifiers"]["login_id"]: e["identifiers"]["mobile"]
        for e in events
        if e["event"] == "account_registered"
    }
    connected = {
        e["identifiers"]["mobile"]
        for e in events
        if e["event"] == "vehicle_delivered" and e["properties"]["connected"]
    }
    opened: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for e in events:
        if e["event"] == "app_opened":
            who = e["identifiers"]["login_id"]
            opened[who][int((at(e) - joined[who]) // (30 * DAY))] += 1
    long_ago = [u for u in joined if joined[u] < END_MS / 1000 - 200 * DAY]
    in_window = [u for u in long_ago if joined[u] > END_MS / 1000 - 530 * DAY]
    first_month = {
        flag: sum(opened[u][0] for u in in_window if (mobiles[u] in connected) is flag)
        / max(1, sum((mobiles[u] in connected) is flag for u in in_window))
        for flag in (True, False)
    }
    assert first_month[True] > 1.6 * first_month[False]
    early = sum(opened[u][m] for u in in_window for m in (1, 2, 3)) / 3
    late = sum(opened[u][m] for u in in_window for m in (4, 5)) / 2
    assert late < 0.45 * early


def test_the_best_channel_buys_several_times_as_often_as_the_worst(events: list[Event]) -> None:
    channel = {
        e["identifiers"]["mobile"]: e["properties"]["channel"]
        for e in events
        if e["event"] == "lead_submitted" and "mobile" in e["identifiers"]
    }
    bought = {e["identifiers"]["mobile"] for e in events if e["event"] == "order_placed"}
    leads, deals = Counter(channel.values()), Counter(channel[m] for m in bought if m in channel)
    assert deals["转介绍"] / leads["转介绍"] > 3 * deals["抖音"] / leads["抖音"]


def test_hard_identity_cases_are_there(events: list[Event]) -> None:
    phones: defaultdict[str, set[str]] = defaultdict(set)
    tablets: defaultdict[str, set[str]] = defaultdict(set)
    for e in events:
        ids = e.get("identifiers", {})
        name = e.get("profile", {}).get("set", {}).get("name")
        if name and "mobile" in ids:
            phones[ids["mobile"]].add(name)
        if str(ids.get("anonymous_id", "")).startswith("tablet-"):
            tablets[ids["anonymous_id"]].add(ids["mobile"])
    assert any(len(names) > 8 for names in phones.values()), "no staff phone"
    assert any(len(mobiles) > 1 for mobiles in tablets.values()), "no shared showroom tablet"
    assert "13800138000" in phones, "no placeholder phone"
    assert any(e["event"] == "ownership_transferred" for e in events)
    fleets = Counter(e["properties"]["uscc"] for e in events if e["event"] == "fleet_delivered")
    assert max(fleets.values()) >= 5

"""Unmodified clients of PostHog, Snowplow and CloudEvents, each sending a small story."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx


def posthog_python(url: str, key: str, gzip: bool = False) -> None:
    """``posthog``: capture, set, set_once, alias, group."""
    from posthog import Posthog

    client = Posthog(key, host=url, gzip=gzip, disable_geoip=True, max_retries=1)
    client.capture(
        "test_drive_booked",
        distinct_id="ph-1",
        properties={"series": "C5"},
        groups={"dealer": "D001"},
    )
    client.set(distinct_id="ph-1", properties={"email": "ph@example.com"})
    client.set_once(distinct_id="ph-1", properties={"first_seen": "web"})
    client.alias(previous_id="ph-anon", distinct_id="ph-1")
    client.group_identify("dealer", "D001", {"city": "上海"}, distinct_id="ph-1")
    client.capture("no_login")
    client.flush()
    client.shutdown()


def snowplow_python(url: str, key: str, method: str) -> None:
    """``snowplow-tracker``: page view, self-describing and structured events."""
    from snowplow_tracker import (
        Emitter,
        PageView,
        SelfDescribing,
        SelfDescribingJson,
        StructuredEvent,
        Subject,
        Tracker,
    )

    logging.getLogger("snowplow_tracker.emitters").setLevel(logging.ERROR)
    at = urlsplit(url)
    emitter = Emitter(at.hostname, protocol="http", port=at.port, method=method, batch_size=1)
    tracker = Tracker("t", emitter, Subject().set_user_id("sp-1"), app_id=key)
    tracker.track(PageView("https://e.example/", "C5"))
    campaign = SelfDescribingJson("iglu:com.acme/campaign/jsonschema/1-0-0", {"name": "spring"})
    booked = SelfDescribingJson(
        "iglu:com.acme/test_drive_booked/jsonschema/1-0-0", {"series": "C5"}
    )
    tracker.track(SelfDescribing(booked, context=[campaign]))
    tracker.track(StructuredEvent("leads", "brochure", value=2.0))
    tracker.flush()


def cloudevent(url: str, mode: str) -> None:
    """``cloudevents``: one event in one of the three content modes."""
    from cloudevents.core.bindings import http
    from cloudevents.core.formats.json import JSONFormat
    from cloudevents.core.v1.event import CloudEvent

    event = CloudEvent(
        attributes={
            "id": "ce-event-1",
            "source": "https://crm.example/",
            "type": "com.example.test_drive_booked",
            "specversion": "1.0",
            "subject": "login_id:ce-1",
            "time": datetime(2026, 11, 22, 8, tzinfo=UTC),
            "datacontenttype": "application/json",
            "partner": "p1",
        },
        data={"series": "C5"},
    )
    write = http.to_binary if mode == "binary" else http.to_structured
    message = write(event, JSONFormat())
    headers, body = dict(message.headers), message.body
    if mode == "batch":
        headers = {"content-type": "application/cloudevents-batch+json"}
        body = b"[" + body + b"]"
    httpx.post(f"{url}/cloudevents", headers=headers, content=body).raise_for_status()

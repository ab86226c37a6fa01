"""CloudEvents, PostHog, Snowplow, Jitsu, pixels and ADF: what their senders mean."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlencode

import pytest

from carloop.connectors.protocol import Request
from carloop.core.events import EntityRef, Envelope, ProfileOp
from carloop.core.identifiers import RawIdentifier
from tests.support import clients as senders
from tests.support import push_clients
from tests.support.capture import KEY, Capture, capturing
from tests.support.connectors import AT, code_of, post, taken, text


@pytest.fixture
def capture() -> Iterator[Capture]:
    with capturing() as capture:
        yield capture


def properties(event: Envelope) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(event.properties)
    return found


def one(request: Request) -> Envelope:
    decoded, answer = taken(request)
    assert decoded.rejected == []
    assert answer.status == 200
    (event,) = decoded.events
    return event


class TestCloudEvents:
    def test_the_three_modes_of_the_public_library_are_one_event(self, capture: Capture) -> None:
        for mode in ("structured", "binary", "batch"):
            push_clients.cloudevent(capture.url, mode)
        assert (capture.rejected, capture.refused) == ([], [])
        assert len(capture.events) == 3
        first = capture.events[0]
        assert first.event == "com.example.test_drive_booked"
        assert first.identifiers == [RawIdentifier("login_id", "ce-1")]
        assert properties(first) == {"ce_partner": "p1", "series": "C5"}
        assert {(e.message_id, e.occurred_at, e.properties) for e in capture.events} == {
            (first.message_id, AT, first.properties)
        }

    def test_data_in_the_words_of_the_own_protocol(self) -> None:
        data = {"identifiers": {"mobile": "13912345678"}, "entities": {"dealer": "D001"},
                "properties": {"channel": "x"}, "profile": {"set": {"name": "王芳"}}}  # fmt: skip
        body = {"specversion": "1.0", "id": "1", "source": "s", "type": "lead_submitted",
                "subject": "a lead", "data": data}  # fmt: skip
        event = one(post("/cloudevents", text(body), content_type="application/cloudevents+json"))
        assert event.identifiers == [RawIdentifier("mobile", "13912345678")]
        assert event.entities == [EntityRef("dealer", "D001")]
        assert properties(event) == {"subject": "a lead", "channel": "x"}
        assert event.profile == [ProfileOp("set", "name", "王芳")]

    def test_source_and_id_together_name_the_event(self) -> None:
        def id_of(source: str, id_: str) -> str:
            body = {"specversion": "1.0", "id": id_, "source": source, "type": "t"}
            request = post("/cloudevents", text(body), content_type="application/cloudevents+json")
            return one(request).message_id

        assert id_of("a", "1") == id_of("a", "1")
        assert len({id_of("a", "1"), id_of("b", "1"), id_of("a", "11")}) == 3

    def test_what_is_no_cloudevent_is_refused(self) -> None:
        assert code_of(post("/cloudevents", b'{"a":1}')) == "not_a_cloudevent"
        old = {"specversion": "0.3", "id": "1", "source": "s", "type": "t"}
        request = post("/cloudevents", text(old), content_type="application/cloudevents+json")
        assert [bad.code for bad in taken(request)[0].rejected] == ["unknown_type"]


class TestPosthog:
    @pytest.mark.parametrize("gzip", [False, True])
    def test_the_python_client(self, capture: Capture, gzip: bool) -> None:
        push_clients.posthog_python(capture.url, KEY, gzip)
        capture.wait(lambda: len(capture.events) == 6)
        assert set(capture.keys) == {KEY}
        booked = capture.of("test_drive_booked")
        assert booked.identifiers == [RawIdentifier("login_id", "ph-1")]
        assert properties(booked)["series"] == "C5"
        assert booked.entities == [EntityRef("dealer", "D001")]
        sets = [op for event in capture.events for op in event.profile]
        assert ProfileOp("set", "email", "ph@example.com") in sets
        assert ProfileOp("set_once", "first_seen", "web") in sets
        alias = capture.of("$alias")
        assert alias.bind
        assert {i.value for i in alias.identifiers} == {"ph-anon", "ph-1"}
        group = capture.of("$group")
        assert group.entities == [EntityRef("dealer", "D001")]
        ids = [event.message_id for event in capture.events]
        assert len(set(ids)) == len(ids)

    def test_a_browser_is_anonymous_until_it_identifies(self) -> None:
        inside = {"token": KEY, "$device_id": "dev-1", "distinct_id": "dev-1",
                  "$current_url": "https://e.example/", "$is_identified": False}  # fmt: skip
        page = {"event": "$pageview", "uuid": "u1", "properties": inside, "offset": 1500}
        data = base64.b64encode(text([page])).decode()
        request = post("/e/", urlencode({"data": data}).encode())
        event = one(request)
        assert (event.event, event.occurred_at) == ("page_viewed", AT - 1500)
        assert event.identifiers == [RawIdentifier("anonymous_id", "dev-1")]
        assert properties(event)["url"] == "https://e.example/"
        assert "token" not in properties(event)
        ids = {"$anon_distinct_id": "dev-1", "$user_id": "u-1", "$device_id": "dev-1"}
        identify = {"event": "$identify", "uuid": "u2", "distinct_id": "u-1",
                    "$set": {"name": "王"}, "properties": ids}  # fmt: skip
        event = one(post("/e/", text(identify)))
        assert event.bind
        assert event.identifiers == [
            RawIdentifier("login_id", "u-1"),
            RawIdentifier("anonymous_id", "dev-1"),
        ]

    def test_the_clock_of_the_sender_is_corrected(self) -> None:
        body = {"batch": [{"event": "e", "distinct_id": "u", "timestamp": "2026-11-22T08:59:00Z"}],
                "sent_at": "2026-11-22T09:00:00Z"}  # fmt: skip
        assert one(post("/batch/", text(body))).occurred_at == AT - 60_000


class TestSnowplow:
    @pytest.mark.parametrize("method", ["post", "get"])
    def test_the_python_tracker(self, capture: Capture, method: str) -> None:
        push_clients.snowplow_python(capture.url, KEY, method)
        capture.wait(lambda: len(capture.events) == 3)
        assert set(capture.keys) == {KEY}
        page = capture.of("page_viewed")
        assert page.identifiers == [RawIdentifier("login_id", "sp-1")]
        assert (properties(page)["url"], properties(page)["title"]) == ("https://e.example/", "C5")
        booked = capture.of("test_drive_booked")
        assert properties(booked)["series"] == "C5"
        assert properties(booked)["contexts"] == {"campaign": {"name": "spring"}}
        assert properties(capture.of("brochure"))["value"] == 2.0
        assert KEY not in json.dumps([properties(event) for event in capture.events])

    def test_the_senders_clock_and_its_true_time(self) -> None:
        def at(**times: str) -> int:
            pairs = {"e": "pv", "duid": "d", "eid": "e1", **times}
            return one(Request("GET", "/i", pairs, {})).occurred_at

        ahead = {"dtm": str(AT + 3_600_000 - 5000), "stm": str(AT + 3_600_000)}
        assert at(**ahead) == AT - 5000
        assert at(**ahead, ttm=str(AT - 9)) == AT - 9
        assert at() == AT


class TestJitsu:
    @pytest.mark.node
    def test_the_client(self, capture: Capture) -> None:
        senders.need_node("@jitsu/js")
        senders.node("jitsu.mjs", capture.url, f"{KEY}:any")
        capture.wait(lambda: len(capture.events) == 3)
        assert set(capture.keys) == {KEY}
        assert sorted(capture.names()) == ["$identify", "page_viewed", "test_drive_booked"]
        assert properties(capture.of("test_drive_booked"))["series"] == "C5"

    def test_its_paths_name_the_call(self) -> None:
        call = {"userId": "u", "event": "e", "messageId": "m", "writeKey": "***"}
        assert one(post("/api/s/track", text(call))).event == "e"
        assert one(post("/api/s/event", text({"type": "page", "userId": "u"}))).event == (
            "page_viewed"
        )


class TestPixels:
    def test_the_own_pixel_counts_every_request_unless_it_names_itself(self) -> None:
        query = {"event": "mail_opened", "id.login_id": "u1", "entity.dealer": "D001",
                 "p.campaign": "spring", "write_key": KEY}  # fmt: skip
        request = Request("GET", "/pixel.gif", query, {})
        decoded, answer = taken(request)
        assert answer.body[:6] == b"GIF89a"
        (event,) = decoded.events
        assert event.identifiers == [RawIdentifier("login_id", "u1")]
        assert event.entities == [EntityRef("dealer", "D001")]
        assert properties(event) == {"campaign": "spring"}
        later = taken(request, AT + 1000)[0].events[0]
        assert later.message_id != event.message_id
        named = Request("GET", "/pixel.gif", {**query, "message_id": "m1"}, {})
        assert taken(named, AT + 1000)[0].events[0].message_id == "m1"

    def test_a_beacon_is_the_own_protocol_in_plain_text(self) -> None:
        body = {"event": "e", "identifiers": {"anonymous_id": "a"}}
        assert one(post("/beacon", text(body), content_type="text/plain")).event == "e"

    def test_rudderstacks_pixel_tells_its_event_in_the_query(self) -> None:
        query = {"writeKey": KEY, "anonymousId": "a1", "event": "e", "properties.series": "C5",
                 "context.page.url": "https://e.example/"}  # fmt: skip
        decoded, answer = taken(Request("GET", "/pixel/v1/track", query, {}))
        assert answer.headers["content-type"] == "image/gif"
        (event,) = decoded.events
        assert event.identifiers == [RawIdentifier("anonymous_id", "a1")]
        assert properties(event) == {"url": "https://e.example/", "series": "C5"}


LEAD = """<?ADF VERSION "1.0"?><?XML VERSION "1.0"?>
<ADF><prospect status="new"><id sequence="1" source="Site">L-7</id>
<requestdate>2026-11-22T8:47:50-08:0</requestdate>
<vehicle interest="buy" status="new"><year>2026</year><make>Volvo</make><model>EX30</model>
<vin>LSVAA4182E2184847</vin><colorcombination><exteriorcolor>blue</exteriorcolor>
</colorcombination></vehicle>
<customer><contact><name part="first">Ann</name><name part="last">Lee</name>
<phone type="voice">13912345678</phone><email>ann@example.com</email>
<address><city>Shanghai</city></address></contact><comments>call &amp; ask</comments></customer>
<vendor><id source="x">D001</id><vendorname>North</vendorname></vendor>
<provider><name part="full">Portal</name></provider></prospect></ADF>"""


class TestAdf:
    def test_a_lead_as_real_feeds_write_it(self) -> None:
        event = one(post("/adf", LEAD.encode(), content_type="application/x-adf+xml"))
        assert event.event == "lead_submitted"
        assert event.identifiers == [
            RawIdentifier("mobile", "13912345678"),
            RawIdentifier("email", "ann@example.com"),
        ]
        assert event.entities == [EntityRef("dealer", "D001")]
        assert event.occurred_at == 1_795_366_070_000  # 2026-11-22T16:47:50Z
        found = properties(event)
        assert (found["channel"], found["lead_no"], found["model"]) == ("Portal", "L-7", "EX30")
        assert found["vehicles"][0]["colour"] == "blue"
        assert found["comments"] == "call & ask"
        assert ProfileOp("set", "name", "Ann Lee") in event.profile

    def test_the_same_lead_in_an_email_is_the_same_event(self) -> None:
        mail = EmailMessage()
        mail["Subject"] = "Lead"
        mail.set_content("See the attachment.")
        mail.add_attachment(LEAD.encode(), maintype="application", subtype="xml")
        mailed = one(post("/adf", bytes(mail), content_type="message/rfc822"))
        assert mailed == one(post("/adf", LEAD.encode()))

    @pytest.mark.parametrize(
        "evil",
        [
            '<!DOCTYPE adf [<!ENTITY a "b">]>' + LEAD,
            '<!doctype adf SYSTEM "file:///etc/passwd">' + LEAD,
            LEAD.replace("<ADF>", '<ADF><!DOCTYPE x [<!ENTITY l "lol">]>'),
        ],
    )
    def test_document_types_are_refused(self, evil: str) -> None:
        assert code_of(post("/adf", evil.encode())) == "xml_forbidden"

    def test_a_prospect_without_contact_leaves_its_neighbour_alone(self) -> None:
        body = LEAD.replace("<ADF>", "<ADF><prospect><id>L-6</id></prospect>")
        decoded, _ = taken(post("/adf", body.encode()))
        assert [event.index for event in decoded.events] == [1]
        assert [(b.index, b.code) for b in decoded.rejected] == [(0, "missing_identifier")]

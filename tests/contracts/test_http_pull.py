"""An API read page by page, whatever its style, and whatever goes wrong on the way."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carloop.connectors.feeds.http_pull import HttpPull
from carloop.connectors.feeds.paging import next_link, page_of, scalar
from carloop.core.feeds import Allowed, Cursor, FeedRecord
from carloop.kit.errors import CarloopError, InvalidInput, Retryable
from tests.support.an_api import Answer, Api, an_api, basic

HERE = Allowed(("127.0.0.1",))
SECRET = "s3cret-of-the-api"
STYLES: dict[str, dict[str, Any]] = {
    "none": {"path": "/all"},
    "cursor": {
        "path": "/cursor", "items": "data.items", "paging": "cursor", "next_path": "meta.next",
        "page_param": "after",
    },
    "link": {"path": "/link", "paging": "link", "size_param": "size", "page_size": 3},
    "page": {"path": "/page", "items": "items", "paging": "page"},
    "offset": {"path": "/offset", "items": "items", "paging": "offset"},
}  # fmt: skip


@pytest.fixture
def api() -> Iterator[Api]:
    with an_api() as api:
        yield api


def opened(api: Api, style: str = "cursor", **other: Any) -> HttpPull:
    told = STYLES[style] | {"key": ["id"], "requests_per_minute": 6_000} | other
    told = {"url": api.url(told.pop("path")), **told}
    return HttpPull.open(told, HERE)


def read(feed: HttpPull, cursor: Cursor | None = None) -> tuple[list[FeedRecord], Cursor | None]:
    records: list[FeedRecord] = []
    with closing(feed):
        for page in feed.pages(cursor, lambda: False):
            records += page.records
            cursor = cursor if page.cursor is None else page.cursor
    return records, cursor


def failed(feed: HttpPull) -> CarloopError:
    with closing(feed), pytest.raises(CarloopError) as caught:
        list(feed.pages(None, lambda: False))
    assert SECRET not in str(caught.value)
    return caught.value


def ids(records: list[FeedRecord]) -> list[int]:
    return [json.loads(record.body)["id"] for record in records]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("orders", [0, 1, 8, 11])
def test_every_style_of_paging_gives_each_object_once(api: Api, style: str, orders: int) -> None:
    api.fill(1, orders)
    records, cursor = read(opened(api, style))
    assert ids(records) == list(range(1, orders + 1))
    assert [record.key for record in records] == [f"[{n}]" for n in range(1, orders + 1)]
    assert cursor == {}


@pytest.mark.parametrize("style", ["cursor", "link", "page", "offset"])
def test_reading_goes_on_at_the_next_page(api: Api, style: str) -> None:
    api.fill(1, 11)
    with closing(opened(api, style)) as feed:
        first = next(iter(feed.pages(None, lambda: False)))
    api.asked.clear()
    rest, _ = read(opened(api, style), json.loads(json.dumps(first.cursor)))
    assert ids([*first.records, *rest]) == list(range(1, 12))


def test_an_object_is_new_when_its_content_is_not_when_its_letters_are(api: Api) -> None:
    api.orders = [{"id": 1, "a": {"x": 1, "y": 2}}]
    (one,), _ = read(opened(api))
    api.orders = [{"a": {"y": 2, "x": 1}, "id": 1}]
    (same,), _ = read(opened(api))
    api.orders = [{"id": 1, "a": {"x": 1, "y": 3}}]
    (other,), _ = read(opened(api))
    assert (one.key, one.version) == (same.key, same.version)
    assert one.key == other.key
    assert one.version != other.version


def test_what_changed_is_asked_for_and_a_late_change_is_found(api: Api) -> None:
    told: dict[str, Any] = {
        "watermark": "updated_at",
        "since_param": "since",
        "overlap_seconds": 300,
    }
    api.fill(1, 30)
    records, cursor = read(opened(api, **told))
    assert len(records) == 30
    assert cursor == {"since": "2026-06-01T08:30:00Z"}
    api.orders.insert(0, {"id": 99, "updated_at": "2026-06-01T08:28:00Z"})
    api.fill(40, 41, day=2)
    records, cursor = read(opened(api, **told), cursor)
    assert api.asked[-1][1]["since"] == "2026-06-01T08:25:00Z"
    assert set(ids(records)) == {99, *range(25, 31), 40, 41}
    assert cursor == {"since": "2026-06-02T08:41:00Z"}
    assert read(opened(api, **told), cursor)[1] == cursor


def test_a_watermark_from_the_far_future_hides_nothing(api: Api) -> None:
    told: dict[str, Any] = {"watermark": "updated_at", "since_param": "since"}
    api.fill(1, 3)
    api.orders.append({"id": 4, "updated_at": "2999-01-01T00:00:00Z"})
    records, cursor = read(opened(api, **told))
    assert len(records) == 4
    assert cursor == {"since": "2026-06-01T08:03:00Z"}


def test_a_pull_that_broke_off_does_not_move_the_watermark(api: Api) -> None:
    told: dict[str, Any] = {"watermark": "updated_at", "since_param": "since"}
    api.fill(1, 11)
    api.orders.reverse()
    with closing(opened(api, **told)) as feed:
        first = next(iter(feed.pages(None, lambda: False)))
    assert first.cursor is not None
    assert first.cursor["since"] is None
    rest, cursor = read(opened(api, **told), first.cursor)
    assert len(first.records) + len(rest) == 11
    assert cursor == {"since": "2026-06-01T08:11:00Z"}


def test_a_cursor_that_the_server_forgot_begins_the_pull_anew(api: Api) -> None:
    api.fill(1, 8)
    with closing(opened(api)) as feed:
        first = next(iter(feed.pages(None, lambda: False)))
    api.troubles = [(410, {}, b"{}")]
    assert len(read(opened(api), first.cursor)[0]) == 8


def test_a_server_that_asks_for_patience_gets_it(api: Api) -> None:
    api.fill(1, 8)
    api.troubles = [(429, {"Retry-After": "1"}, b""), (503, {}, b"")]
    began = time.monotonic()
    records, _ = read(opened(api))
    assert len(records) == 8
    assert time.monotonic() - began >= 1.5
    api.troubles = [(429, {"Retry-After": "3600"}, b"")]
    asked = len(api.asked)
    error = failed(opened(api))
    assert (error.code, error.retry_after_seconds) == ("rate_limited", 3_600)
    assert len(api.asked) == asked + 1


def test_requests_keep_their_distance(api: Api) -> None:
    api.fill(1, 12)
    began = time.monotonic()
    read(opened(api, requests_per_minute=300))
    assert time.monotonic() - began >= 2 * 60 / 300
    assert len(api.asked) == 3


def test_a_server_that_fails_is_tried_four_times_and_keeps_what_was_read(api: Api) -> None:
    api.fill(1, 12)
    with closing(opened(api)) as feed:
        pages = feed.pages(None, lambda: False)
        first = next(pages)
        api.troubles = [(500, {}, b"oops")] * 4
        with pytest.raises(Retryable) as caught:
            next(pages)
    assert caught.value.code == "source_failing"
    rest, _ = read(opened(api), first.cursor)
    assert ids([*first.records, *rest]) == list(range(1, 13))


def test_a_server_that_is_silent_is_left_in_time(api: Api) -> None:
    api.troubles = [3.0]
    began = time.monotonic()
    with closing(opened(api, timeout_seconds=1)) as feed, pytest.raises(Retryable) as caught:
        feed.probe()
    assert caught.value.code in ("timed_out", "source_gone")
    assert time.monotonic() - began < 2.5


def test_a_server_that_goes_away_is_told() -> None:
    with an_api() as api:
        feed = opened(api)
    with closing(feed), pytest.raises(Retryable) as caught:
        feed.probe()
    assert caught.value.code == "unreachable"


def test_a_run_that_is_stopped_does_not_wait(api: Api) -> None:
    api.troubles = [(429, {"Retry-After": "50"}, b"")]
    began = time.monotonic()
    with closing(opened(api)) as feed:
        assert list(feed.pages(None, lambda: bool(api.asked))) == []
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    ("auth", "good"),
    [
        ({"auth": "bearer", "token": SECRET}, ("authorization", f"Bearer {SECRET}")),
        (
            {"auth": "basic", "username": "u", "password": SECRET},
            ("authorization", basic("u", SECRET)),
        ),
        ({"auth": "header", "token": SECRET}, ("x-api-key", SECRET)),
        ({"auth": "header", "token": SECRET, "key_name": "X-Dms"}, ("x-dms", SECRET)),
    ],
)
def test_credentials_are_shown_to_the_server(
    api: Api, auth: dict[str, str], good: tuple[str, str]
) -> None:
    api.fill(1, 6)
    api.guard = lambda query, headers: headers.get(good[0]) == good[1]
    assert len(read(opened(api, **auth, headers="X-Tenant: 7\nX-Other: a, b"))[0]) == 6
    assert api.asked[-1][2]["x-tenant"] == "7"
    secret = "password" if "password" in auth else "token"
    assert failed(opened(api, **auth | {secret: "other"})).code == "credentials_refused"


def test_a_key_in_the_query_never_reaches_the_cursor(api: Api) -> None:
    api.fill(1, 7)
    api.guard = lambda query, headers: query.get("api_key") == SECRET
    with closing(opened(api, "link", auth="query", key_name="api_key", token=SECRET)) as feed:
        pages = list(feed.pages(None, lambda: False))
    assert sum(len(page.records) for page in pages) == 7
    assert len(pages) == 3
    assert not [page for page in pages if SECRET in json.dumps(page.cursor)]


def test_credentials_do_not_follow_to_another_server(api: Api) -> None:
    api.fill(1, 3)
    with an_api() as other:
        other.fill(1, 2)
        api.troubles = [(302, {"Location": other.url("/cursor")}, b"")]
        read(opened(api, auth="bearer", token=SECRET))
        assert "authorization" not in other.asked[0][2]
        api.troubles = [(200, {"Link": f'<{other.url("/link")}>; rel="next"'}, b"[]")]
        read(opened(api, "link", auth="query", key_name="k", token=SECRET))
        assert "k" not in other.asked[-1][1]


@pytest.mark.parametrize(
    "target", ["http://169.254.169.254/latest", "http://[::1]/", "http://10.0.0.1/"]
)
def test_nobody_is_sent_on_to_a_private_address(api: Api, target: str) -> None:
    api.troubles = [(302, {"Location": target}, b"")]
    assert failed(opened(api)).code == "address_forbidden"
    api.troubles = [(200, {"Link": f'<{target}>; rel="next"'}, b"[]")]
    assert failed(opened(api, "link")).code == "address_forbidden"


@pytest.mark.parametrize("target", ["file:///etc/passwd", "gopher://127.0.0.1/", "http://u:p@x/"])
def test_odd_addresses_are_refused(api: Api, target: str) -> None:
    api.troubles = [(302, {"Location": target}, b"")]
    assert failed(opened(api)).code == "setting_invalid"
    with pytest.raises(InvalidInput) as caught:
        HttpPull.open({"url": target}, HERE)
    assert caught.value.path == "url"


def test_a_private_address_needs_leave(api: Api) -> None:
    feed = HttpPull.open({"url": api.url("/all")}, Allowed())
    assert failed(feed).code == "address_forbidden"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((200, {}, b"<html>log in</html>"), "answer_broken"),
        ((200, {}, b'{"data":{"rows":[]}}'), "items_missing"),
        ((200, {}, b'{"data":{"items":{"id":1}}}'), "items_missing"),
        ((200, {}, b"[" * 100_000), "answer_broken"),
        ((200, {}, b'{"data":{"items":[1]},"meta":{"next":"at-0"}}'), ""),
        ((200, {}, b" " * (33 * 1024 * 1024)), "answer_too_large"),
        ((403, {}, b""), "credentials_refused"),
        ((404, {}, b""), "page_unknown"),
        ((418, {}, b""), "request_refused"),
        ((302, {"Location": "/cursor"}, b""), ""),
    ],
)
def test_an_answer_that_is_no_page_is_told(api: Api, answer: Any, code: str) -> None:
    api.troubles = [answer]
    if code:
        assert failed(opened(api)).code == code
    else:
        read(opened(api))


def test_pages_that_repeat_themselves_end_with_a_word(api: Api) -> None:
    same: Answer = (200, {}, b'{"data":{"items":[{"id":1}]},"meta":{"next":"x"}}')
    api.troubles = [same] * 3
    assert failed(opened(api)).code == "paging_stuck"
    api.troubles = [(200, {}, b'{"items":[{"id":1}]}')] * 3
    assert failed(opened(api, "page")).code == "paging_stuck"


def test_objects_that_cannot_be_read_are_kept_with_their_reason(api: Api) -> None:
    api.troubles = [(200, {}, b'[{"id":1},7,{"id":12345678901234567890123},{"no":"id"}]')]
    records, _ = read(opened(api, "none"))
    assert [record.code for record in records] == [""] * 4
    assert json.loads(records[1].body) == {"$value": 7}
    assert b"12345678901234567890123" in records[2].body
    api.troubles = [(200, {}, b'[{"id":1,"text":"' + b"x" * 300_000 + b'"}]')]
    assert [record.code for record in read(opened(api, "none"))[0]] == ["row_too_long"]


def test_a_trial_shows_objects_their_number_and_what_is_missing(api: Api) -> None:
    api.fill(1, 30)
    api.orders[1].pop("updated_at")
    told: dict[str, Any] = {
        "watermark": "updated_at",
        "since_param": "since",
        "total_path": "meta.total",
    }
    with closing(opened(api, **told)) as feed:
        probe = feed.probe()
    assert len(probe.sample) == 4
    assert probe.total == 30
    assert probe.notes == ("watermark_nulls",)


@pytest.mark.parametrize(
    ("told", "path"),
    [
        ({"auth": "basic"}, "username"),
        ({"auth": "bearer"}, "token"),
        ({"auth": "query", "token": "x"}, "key_name"),
        ({"headers": "Authorization: Bearer x"}, "headers"),
        ({"headers": "no colon"}, "headers"),
        ({"headers": "X-A: 1\rX-B: 2"}, "headers"),
        ({"watermark": "w"}, "since_param"),
        ({"paging": "cursor"}, "next_path"),
        ({"url": "127.0.0.1/x"}, "url"),
        ({"bogus": 1}, "bogus"),
    ],
)
def test_settings_that_cannot_be_are_named(told: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        HttpPull.open({"url": "https://api.example.com/x"} | told, HERE)
    assert caught.value.path == path


@settings(max_examples=300, deadline=None)
@given(
    body=st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["data", "items", "next", "x"]), inner, max_size=3)
        ),
        max_leaves=12,
    ).map(lambda value: json.dumps(value).encode()),
    path=st.sampled_from(["", "data", "data.items", "x.next"]),
)
def test_no_answer_surprises(body: bytes, path: str) -> None:
    """Against the standard library's reading of the same."""
    try:
        page = page_of(body, path)
    except InvalidInput:
        return
    found = json.loads(body)
    for step in path.split(".") if path else ():
        found = found[step]
    assert [json.loads(item) for item in page.items] == (found or [])
    scalar(body, "data.next")


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet='<>;,="next rel/x', max_size=80))
def test_no_link_header_surprises(header: str) -> None:
    assert isinstance(next_link(header), str)

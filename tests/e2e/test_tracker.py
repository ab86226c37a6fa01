"""The web tracker in a real browser, on a site of another origin, sending to a real server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request

from tests.support.server import Server, serving
from tests.support.waiting import BROWSER_MS
from tests.support.website import DOMAIN, Source, Website, visiting, website

pytestmark = pytest.mark.browser
GRANTED = "analytics=granted,marketing=granted"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("tracker") / "data") as server:
        yield server


@pytest.fixture(scope="module")
def token(server: Server) -> str:
    return server.token()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with visiting() as browser:
        yield browser


@pytest.fixture
def site() -> Iterator[Website]:
    with website() as site:
        yield site


@pytest.fixture
def source(server: Server, token: str, site: Website, request: pytest.FixtureRequest) -> Source:
    origins = [site.origin(), site.origin(f"m.{DOMAIN}"), site.origin(f"club.m.{DOMAIN}")]
    return Source.make(server, token, request.node.name[:60], *origins)


class Visit:
    """One visitor's browser; notes what is sent to carloop and what goes wrong."""

    def __init__(self, browser: Browser) -> None:
        self.context: BrowserContext = browser.new_context(viewport={"width": 1000, "height": 600})
        self.context.set_default_timeout(BROWSER_MS)
        self.sent: list[str] = []
        self.troubles: list[str] = []
        self.page = self.open()

    def open(self) -> Page:
        page = self.context.new_page()
        page.on("request", self._note)
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("console", lambda m: self.troubles.append(m.text) if m.type == "error" else None)
        return page

    def _note(self, request: Request) -> None:
        if request.url.endswith("/api/events"):
            self.sent.append(request.post_data or "")

    def traces(self) -> list[str]:
        """Names of everything kept on the visitor's device."""
        kept: list[str] = self.page.evaluate(
            "() => [...Object.keys(localStorage), ...Object.keys(sessionStorage)]"
        )
        return kept + [str(cookie.get("name")) for cookie in self.context.cookies()]

    def tell(self, script: str) -> Any:
        return self.page.evaluate(f"() => {{ const t = carloop.tracker; return {script}; }}")


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    visit = Visit(browser)
    yield visit
    visit.context.close()
    assert visit.troubles == []


def page(source: Source, body: str = "", consent: str = GRANTED, **data: str) -> str:
    """A page that loads the tracker with these settings."""
    more = "".join(f' data-{name.replace("_", "-")}="{value}"' for name, value in data.items())
    return f"""<!doctype html><html><head><title>看车</title>
<script src="{source.server.url}/sdk/carloop.js" data-write-key="{source.key}"
 data-consent="{consent}"{more}></script></head><body>{body}</body></html>"""


def properties(events: list[Any], name: str) -> list[dict[str, Any]]:
    return [event["properties"] for event in events if event["event"] == name]


def test_the_file_is_small(server: Server) -> None:
    with server.client() as client:
        answer = client.get("/sdk/carloop.js", headers={"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) <= 12 * 1024


def test_before_consent_nothing_is_sent_and_nothing_is_stored(
    visit: Visit, site: Website, source: Source
) -> None:
    body = '<button id="b" data-carloop-click="book">预约</button>'
    site.pages["/"] = page(source, body, consent="", clicks="marked")
    site.headers["content-security-policy"] = (
        f"default-src 'none'; script-src {source.server.url}; connect-src {source.server.url}"
    )
    visit.page.goto(site.origin() + "/?utm_source=douyin&clickid=k-1")
    visit.page.click("#b")
    visit.tell("t.identify('m-consent', {name: '王芳'})")
    visit.tell("t.flush()")
    visit.page.evaluate("() => dispatchEvent(new Event('pagehide'))")
    assert visit.sent == []
    assert visit.traces() == []
    visit.tell("t.consent({analytics: 'granted', marketing: 'denied'}, {version: '2026-11'})")
    visit.tell("t.flush()")
    events = source.wait("page_viewed", "element_clicked", "$identify", "consent_given")
    (viewed,) = properties(events, "page_viewed")
    assert viewed["utm_source"] == "douyin"
    assert "clickid" not in viewed
    assert viewed["consent_version"] == "2026-11"
    assert viewed["consent_purposes"] == ["analytics"]
    assert {"carloop_id", "carloop_session", "carloop.consent"} <= set(visit.traces())
    visit.tell("t.consent({analytics: 'denied'})")
    assert visit.traces() == []
    before = len(visit.sent)
    visit.page.click("#b")
    visit.tell("t.flush()")
    assert len(visit.sent) == before
    with source.server.client(source.token) as api:
        (person,) = api.get("/api/persons?identifier=login_id:m-consent").json()["items"]
    assert person


def test_events_made_offline_arrive_when_the_network_is_back(
    visit: Visit, site: Website, source: Source
) -> None:
    site.pages["/"] = page(source)
    visit.page.goto(site.origin() + "/")
    source.wait("page_viewed")
    visit.context.set_offline(True)
    visit.tell("t.track('test_drive_booked', {series: 'C5'})")
    visit.tell("t.flush()")
    assert visit.tell("t.pending()") == 1
    visit.context.set_offline(False)
    visit.page.wait_for_function("() => carloop.tracker.pending() === 0")
    assert len(properties(source.wait("test_drive_booked"), "test_drive_booked")) == 1


def test_what_got_no_answer_survives_a_reload_and_is_there_once(
    visit: Visit, site: Website, source: Source
) -> None:
    site.pages["/"] = page(source, pages="false", dwell="false")
    visit.page.goto(site.origin() + "/")

    answers = {"lost": True}

    def lose_the_answer(route: Any) -> None:
        answer = route.fetch()  # It arrives …
        if answers["lost"]:
            route.abort()  # … but nobody hears of it.
        else:
            route.fulfill(response=answer)

    visit.page.route("**/api/events", lose_the_answer)
    visit.tell("t.track('lead_submitted', {channel: 'web'})")
    visit.tell("t.flush()")
    source.wait("lead_submitted")
    assert visit.tell("t.pending()") == 1
    answers["lost"] = False
    visit.page.reload()
    visit.page.wait_for_function("() => carloop.tracker.pending() === 0")
    ids = [e["message_id"] for text in visit.sent for e in json.loads(text)["events"]]
    assert len(ids) >= 2
    assert len(set(ids)) == 1
    visit.tell("t.track('after')")
    visit.tell("t.flush()")
    assert len(properties(source.wait("after"), "lead_submitted")) == 1
    visit.troubles.clear()  # The request we broke.


def test_a_busy_server_is_given_the_time_it_asks_for(
    visit: Visit, site: Website, source: Source
) -> None:
    site.pages["/"] = page(source, pages="false", dwell="false")
    visit.page.goto(site.origin() + "/")
    allow = {
        "access-control-allow-origin": site.origin(),
        "access-control-expose-headers": "Retry-After",
        "retry-after": "5",
    }
    visit.page.route("**/api/events", lambda route: route.fulfill(status=503, headers=allow))
    visit.tell("t.track('a')")
    visit.tell("t.flush()")
    visit.page.unroute("**/api/events")
    visit.tell("t.flush()")
    assert len(visit.sent) == 1
    source.wait("a")
    visit.troubles.clear()  # The 503 we made.


def test_a_visitor_who_leaves_is_not_cut_off(visit: Visit, site: Website, source: Source) -> None:
    site.pages["/"] = page(source)
    visit.page.goto(site.origin() + "/")
    visit.tell("t.track('last_words', {n: 1})")
    visit.page.goto("about:blank")
    events = source.wait("page_viewed", "last_words", "page_left")
    assert properties(events, "page_left")[0]["duration_s"] > 0


def test_routes_of_a_single_page_site_are_pages(
    visit: Visit, site: Website, source: Source
) -> None:
    site.pages["/cars"] = page(source)
    visit.page.goto(site.origin() + "/cars?token=secret-1")
    visit.page.evaluate("() => history.pushState({}, '', '/cars/c5')")
    visit.page.evaluate("() => history.replaceState({}, '', '/cars/c5#photos')")
    visit.page.evaluate("() => history.pushState({}, '', '/dealers')")
    visit.page.go_back()
    visit.page.wait_for_url("**/cars/c5#photos")
    visit.tell("t.flush()")
    views = properties(source.wait(*["page_viewed"] * 4, *["page_left"] * 3), "page_viewed")
    assert sorted(view["path"] for view in views) == ["/cars", "/cars/c5", "/cars/c5", "/dealers"]
    assert len({view["page_view_id"] for view in views}) == 4
    assert len({view["session_id"] for view in views}) == 1
    (dealers,) = [view for view in views if view["path"] == "/dealers"]
    assert dealers["referrer"].endswith("/cars/c5")
    assert "secret-1" not in "".join(visit.sent)


def test_only_what_was_really_seen_counts_as_seen_and_once(
    visit: Visit, site: Website, source: Source
) -> None:
    body = """<div data-carloop-expose="top" data-carloop-prop-series="C5"
 style="height:100px">C5</div><div style="height:3000px"></div>
<div id="low" data-carloop-expose="low" style="height:100px">低</div>
<div id="late"></div>"""
    site.pages["/"] = page(source, body)
    visit.page.goto(site.origin() + "/")
    flush = "t.flush().then(() => t.pending())"
    visit.tell(flush)
    events = source.wait("content_exposed")
    assert [p["content_id"] for p in properties(events, "content_exposed")] == ["top"]
    assert properties(events, "content_exposed")[0]["series"] == "C5"
    # A glance: in view, and out again before a second has passed.
    visit.page.evaluate(
        """() => new Promise((done) => { scrollTo(0, 5000); requestAnimationFrame(() =>
        requestAnimationFrame(() => { scrollTo(0, 0); done(); })); })"""
    )
    visit.page.wait_for_timeout(1500)  # Longer than a look would have taken.
    visit.tell(flush)
    assert "low" not in "".join(visit.sent)
    visit.page.evaluate(
        """() => { const late = document.createElement('p'); late.textContent = '晚';
        late.setAttribute('data-carloop-expose', 'late');
        document.getElementById('late').append(late); scrollTo(0, 5000); }"""
    )
    events = source.wait(*["content_exposed"] * 3)
    seen = [p["content_id"] for p in properties(events, "content_exposed")]
    assert sorted(seen) == ["late", "low", "top"]
    visit.page.evaluate("() => scrollTo(0, 0)")
    visit.page.wait_for_timeout(1500)
    visit.tell(flush)
    assert "".join(visit.sent).count('"content_id":"top"') == 1


def test_clicks_tell_where_and_never_what_was_typed(
    visit: Visit, site: Website, source: Source
) -> None:
    body = """<a id="a" href="#x?phone=13905712846">试驾 <b>C5</b></a>
<input id="i" value="13905712846"><textarea id="t">13905712846</textarea>
<label>13905712846 <input id="c" type="checkbox"></label>
<div data-carloop-private><button id="p">王芳 13905712846</button></div>
<div id="e" contenteditable>13905712846</div>"""
    site.pages["/"] = page(source, body, clicks="all")
    visit.page.goto(site.origin() + "/")
    visit.page.fill("#i", "13905712846")
    for name in ("#a b", "#i", "#t", "#c", "#p", "#e"):
        visit.page.click(name)
    visit.tell("t.flush()")
    clicks = properties(source.wait(*["element_clicked"] * 5), "element_clicked")
    assert "13905712846" not in "".join(visit.sent)
    assert len(clicks) == 5
    (link,) = [click for click in clicks if click["element"] == "a#a"]
    assert link["text"] == "试驾 C5"
    assert 0 < link["x"] < link["page_width"]
    assert link["viewport"] == "1000x600"


def test_one_visitor_across_subdomains_and_pages(
    visit: Visit, site: Website, source: Source
) -> None:
    site.pages["/"] = page(source)
    hosts = [f"www.{DOMAIN}", f"m.{DOMAIN}", f"club.m.{DOMAIN}"]
    for host in hosts:
        visit.page.goto(site.origin(host) + "/")
        visit.tell("t.flush()")
    source.wait(*["page_viewed"] * 3)
    told = [event for text in visit.sent for event in json.loads(text)["events"]]
    assert len({event["identifiers"]["anonymous_id"] for event in told}) == 1
    assert len({event["properties"]["session_id"] for event in told}) == 1
    assert {c.get("domain") for c in visit.context.cookies()} == {f".{DOMAIN}"}
    visit.tell("t.reset()")
    visit.tell("t.track('other')")
    visit.tell("t.flush()")
    other = json.loads(visit.sent[-1])["events"][-1]["identifiers"]["anonymous_id"]
    assert other not in {event["identifiers"]["anonymous_id"] for event in told}


def test_a_wrong_clock_is_corrected(visit: Visit, site: Website, source: Source) -> None:
    site.pages["/"] = page(source, pages="false", dwell="false")
    visit.page.clock.set_fixed_time(datetime(2024, 2, 29, 12, tzinfo=UTC))
    visit.page.goto(site.origin() + "/")
    visit.tell("t.track('timed')")
    visit.tell("t.flush()")
    (event,) = source.wait("timed")
    occurred = datetime.fromisoformat(event["occurred_at"])
    received = datetime.fromisoformat(event["received_at"])
    assert abs((received - occurred).total_seconds()) < 60


def test_a_page_of_another_site_cannot_use_the_key(
    visit: Visit, site: Website, source: Source
) -> None:
    site.pages["/"] = page(source)
    visit.page.goto(site.origin(f"thief.{DOMAIN}") + "/")
    visit.tell("t.flush()")
    site.pages["/own"] = page(source)
    visit.page.goto(site.origin() + "/own")
    visit.tell("t.flush()")
    source.wait("page_viewed")
    paths = [view["path"] for view in properties(source.events(), "page_viewed")]
    assert paths == ["/own"]
    visit.troubles.clear()  # The refusal.


def test_a_browser_that_says_no_is_obeyed_where_the_site_wants_it(
    browser: Browser, site: Website, source: Source
) -> None:
    site.pages["/"] = page(source, respect_privacy_signals="true")
    visit = Visit(browser)
    script = "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {value: true})"
    visit.context.add_init_script(script)
    visit.page.goto(site.origin() + "/")
    visit.tell("t.consent({analytics: 'granted'})")
    visit.tell("t.flush()")
    assert visit.sent == []
    assert visit.traces() == []
    visit.context.close()

"""What is photographed: every page of the console, and what opens on it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

ROUTES = Path(__file__).parents[2] / "console" / "src" / "routes.tsx"
STATES = ("full", "empty", "loading", "error")
FUNNEL = ("lead_submitted", "store_visited", "test_drive_completed", "order_placed")
LEADS = "手机号,姓名,城市,时间,channel\n" + "".join(
    f"139662807{n:02},王芳,上海,2026-11-01 10:{n:02}:00,官网\n" for n in range(20)
)

Ids = Mapping[str, str]
Act = Callable[[Any], None]


@dataclass(frozen=True)
class Scene:
    """A page, how to reach it, and what to do there before the picture.

    ``path`` is filled in with the ids of the site; ``states`` are those it is shown in.
    """

    name: str
    route: str
    path: str
    act: Act | None = None
    states: tuple[str, ...] = STATES

    def at(self, ids: Ids) -> str:
        """The path on a site with these ids."""
        return self.path.format(**ids)


def _button(words: str) -> Act:
    return lambda page: page.get_by_role("button", name=re.compile(words)).first.click()


def _tab(number: int) -> Act:
    return lambda page: page.locator("#main").get_by_role("tab").nth(number).click()


def _first(selector: str) -> Act:
    return lambda page: page.locator(selector).first.click()


def _key(keys: str) -> Act:
    return lambda page: page.keyboard.press(keys)


def _choose_file(page: Any) -> None:
    file = {"name": "leads.csv", "mimeType": "text/csv", "buffer": LEADS.encode()}
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_text("leads.csv").wait_for()
    page.locator("tbody tr.ant-table-row").first.wait_for()


def _funnel(breakdown: str | None = None) -> str:
    asked: dict[str, Any] = {
        "steps": [{"event": e, "where": []} for e in FUNNEL],
        "window": {"days": 90},
    }
    if breakdown:
        asked["breakdown"] = {"property": breakdown}
    return "/funnel?f=" + quote(json.dumps(asked), safe="")


def _opened(name: str, page: Scene, act: Act | None = None, path: str = "") -> Scene:
    """What opens on a page that has people's data; in no other state."""
    return Scene(name, page.route, path or page.path, act, ("full",))


LIVE = Scene("live", "live", "/live")
PERSONS = Scene("persons", "persons", "/persons?q={name}")
PERSON = Scene("person", "persons/:id", "/persons/{person}")
BUILDER = Scene("builder", "segments/:id/edit", "/segments/{segment}/edit")
FUNNELS = Scene("funnel", "funnel", _funnel())
JOURNEY = Scene("journey", "journeys/:id", "/journeys/{journey}")
CHANNELS = Scene("channels", "channels", "/channels")
SOURCES = Scene("sources", "sources", "/sources")
FEEDS = Scene("feeds", "feeds", "/feeds")
IMPORTS = Scene("imports", "imports", "/imports")
QUALITY = Scene("quality", "quality", "/quality?days=30")
QUARANTINE = Scene("quarantine", "quarantine", "/quarantine")
PLAN = Scene("plan", "plan", "/plan")
CATALOGUE = Scene("catalogue", "catalogue", "/catalogue")
OVERVIEW = Scene("overview", "", "/")
USERS = Scene("users", "users", "/users")

SCENES = (
    OVERVIEW,
    LIVE,
    _opened("live-event", LIVE, _first("tbody .ant-btn-link")),
    PERSONS,
    _opened("persons-begin", PERSONS, path="/persons"),
    PERSON,
    _opened("person-relations", PERSON, _tab(1)),
    _opened("person-identifiers", PERSON, _tab(2)),
    _opened("person-graph", PERSON, _tab(3)),
    _opened("person-history", PERSON, _tab(4)),
    _opened("person-erase", PERSON, _button("删除个人数据|Erase")),
    Scene("entities", "entities", "/entities"),
    Scene("entity", "entities/:type/:id", "/entities/{entity_type}/{entity}"),
    Scene("segments", "segments", "/segments"),
    Scene("segment", "segments/:id", "/segments/{segment}"),
    BUILDER,
    _opened("builder-new", BUILDER, path="/segments/new/edit"),
    FUNNELS,
    _opened("funnel-breakdown", FUNNELS, path=_funnel("channel")),
    _opened("funnel-begin", FUNNELS, path="/funnel"),
    _opened("funnel-people", FUNNELS, _first("tbody .ant-btn-link")),
    _opened("funnel-sql", FUNNELS, _button("SQL")),
    Scene("journeys", "journeys", "/journeys"),
    JOURNEY,
    _opened("journey-send", JOURNEY, _first(".react-flow__node:nth-child(2)")),
    _opened("journey-sends", JOURNEY, _first("#main .ant-tabs-tab:nth-child(2)")),
    CHANNELS,
    _opened("channels-new", CHANNELS, _button("新建渠道|New channel")),
    SOURCES,
    _opened("sources-one", SOURCES, _first("tbody .ant-btn-link")),
    _opened("sources-new", SOURCES, _button("新建数据源|New source")),
    FEEDS,
    _opened("feeds-one", FEEDS, path="/feeds?feed={feed}"),
    _opened("feeds-new", FEEDS, path="/feeds?new"),
    IMPORTS,
    _opened("imports-map", IMPORTS, _choose_file),
    QUALITY,
    _opened("quality-findings", QUALITY, path="/quality?days=30&tab=findings"),
    _opened("quality-rules", QUALITY, path="/quality?tab=rules"),
    _opened("quality-expected", QUALITY, path="/quality?tab=expected"),
    QUARANTINE,
    PLAN,
    _opened("plan-event", PLAN, _first("tbody .ant-btn-link")),
    _opened("plan-unplanned", PLAN, _tab(1)),
    _opened("plan-metrics", PLAN, _tab(3)),
    _opened("plan-settings", PLAN, _tab(5)),
    _opened("plan-import", PLAN, _button("^导入$|^Import$|导入|Import")),
    CATALOGUE,
    _opened("catalogue-fields", CATALOGUE, _tab(1)),
    _opened("catalogue-identifiers", CATALOGUE, _tab(2)),
    Scene("jobs", "jobs", "/jobs"),
    USERS,
    _opened("users-new", USERS, _button("新建用户|New user")),
    Scene("keys", "keys", "/keys"),
    Scene("audit", "audit", "/audit"),
    Scene("sends-unknown", "sends/unknown", "/sends/unknown"),
    Scene("suppressions", "suppressions", "/suppressions"),
    Scene("settings", "settings", "/settings"),
    Scene("lost", "*", "/no-such-page", states=("full",)),
    _opened("palette", OVERVIEW, _key("Control+k")),
    _opened("shortcuts", OVERVIEW, _key("?")),
)


def routes() -> set[str]:
    """The paths of ``routes.tsx``, as it writes them."""
    text = ROUTES.read_text("utf-8")
    return set(re.findall(r'page\("([^"]*)"', text)) | set(re.findall(r'\{ path: "(\*)"', text))

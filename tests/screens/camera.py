"""Takes the pictures: a scene, in a state, in a language, at a width."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Route, TimeoutError

from tests.screens.scenes import Scene
from tests.screens.site import Site
from tests.support.browser import Visitor

HEIGHT = 900
LONGEST = 1600
DATA = re.compile(r"/api/(?!session)")


@dataclass(frozen=True)
class Look:
    """How the console is shown, and to whom."""

    language: str = "zh"
    width: int = 1280
    theme: str = "light"
    user: str = "admin"

    def __str__(self) -> str:
        extra = [one for one in (self.theme, self.user) if one not in ("light", "admin")]
        return "-".join([self.language, str(self.width), *extra])


@dataclass(frozen=True)
class Shot:
    """A picture taken, and what seems wrong with it."""

    scene: Scene
    state: str
    look: Look
    file: Path
    faults: tuple[str, ...]


@dataclass(frozen=True)
class Camera:
    """Photographs sites; ``console`` is a build of the console to show instead of the server's."""

    browser: Browser
    out: Path
    console: Path | None = None
    whole: bool = True
    """The whole page up to ``LONGEST`` pixels, rather than what is seen without scrolling."""

    def take(self, site: Site, scene: Scene, state: str, look: Look) -> Shot:
        """One picture, and what can be told wrong of it without eyes."""
        cookies = site.cookies[look.user]
        visitor = Visitor.open(
            self.browser,
            site.url,
            language=look.language,
            theme=look.theme,
            width=look.width,
            cookies=cookies,
        )
        held: list[Route] = []
        try:
            self._prepare(visitor.page, state, look.language, held)
            visitor.page.goto(f"{site.url}/console{scene.at(site.ids)}")
            faults = [*self._settle(visitor, scene, state), *_overflow(visitor.page)]
            if state in ("full", "empty"):
                faults += [t for t in visitor.troubles if "404" not in t]
            file = self.out / f"{scene.name}--{state}--{look}.png"
            self._press(visitor.page, file)
            return Shot(scene, state, look, file, tuple(dict.fromkeys(faults)))
        finally:
            for route in held:
                route.abort()
            visitor.page.unroute_all(behavior="ignoreErrors")
            visitor.close()

    def _prepare(self, page: Page, state: str, language: str, held: list[Route]) -> None:
        if self.console is not None:
            page.route(re.compile(r"/console/"), lambda route: self._serve(route))
        if state == "loading":
            page.route(DATA, lambda route: held.append(route))
        if state == "error":
            page.route(DATA, lambda route: _refuse(route, 503 if language == "zh" else 500))

    def _serve(self, route: Route) -> None:
        assert self.console is not None
        file = self.console / re.sub(r"^.*?/console/|\?.*$", "", route.request.url)
        route.fulfill(path=file if file.is_file() else self.console / "index.html")

    def _settle(self, visitor: Visitor, scene: Scene, state: str) -> list[str]:
        page = visitor.page
        try:
            if state == "loading":
                page.locator("#main h1, #main .ant-skeleton").first.wait_for()
                page.wait_for_timeout(300)
                return []
            page.locator("#main h1, #main [role=alert]").first.wait_for()
            if state == "error":
                return _alerted(page)
            visitor.settle()
            if state == "full" and scene.act is not None:
                scene.act(page)
                visitor.settle()
        except TimeoutError as late:
            return [str(late).splitlines()[0]]
        page.wait_for_timeout(500)
        return []

    def _press(self, page: Page, file: Path) -> None:
        width = page.viewport_size["width"]
        high = (
            page.evaluate("() => document.documentElement.scrollHeight") if self.whole else HEIGHT
        )
        page.set_viewport_size({"width": width, "height": max(HEIGHT, min(LONGEST, high))})
        page.wait_for_timeout(150)
        page.screenshot(path=file)


def _refuse(route: Route, status: int) -> None:
    code = "engine_unavailable" if status == 503 else "internal"
    body = {"type": f"urn:carloop:problem:{code}", "title": "", "status": status, "code": code,
            "message": ""}  # fmt: skip
    route.fulfill(status=status, content_type="application/problem+json", body=json.dumps(body))


def _alerted(page: Page) -> list[str]:
    try:
        page.locator("#main [role=alert]").first.wait_for()
    except TimeoutError:
        return ["says nothing of the error"]
    page.wait_for_timeout(200)
    return [] if page.locator("#main [role=alert] button").count() else ["offers no way on"]


def _overflow(page: Page) -> list[str]:
    wide: dict[str, Any] = page.evaluate(
        "() => ({page: document.documentElement.scrollWidth, window: window.innerWidth})"
    )
    return [f"wider than its window: {wide}"] if wide["page"] > wide["window"] else []

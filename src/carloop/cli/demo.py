"""``carloop demo``: a pack's made-up customers through the real pipeline."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from carloop.bootstrap.files import replace_file
from carloop.bootstrap.packs import load_catalogue, load_packs
from carloop.bootstrap.settings import Settings
from carloop.cli.connect import Api, Data, connect
from carloop.cli.keys import ensure_source
from carloop.core.demo import DemoBatch
from carloop.core.events import Received
from carloop.core.ports.journal import Journal
from carloop.core.scope import Role
from carloop.core.sources import SourceKind
from carloop.kit.clock import SystemClock, to_ms
from carloop.kit.errors import NotFound, Unavailable

EVENTS = {"s": 1_500_000, "m": 15_000_000, "l": 75_000_000}
"""About how many events a size has; only for the progress bar."""
EVENTS_EACH = 75
GROUP = 16
HOUR_MS = 3_600_000
STALLED_SECONDS = 120

Report = Callable[[str, float], None]
"""Told a phase and its part done, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A demo that was begun: the same three values make the same events, so that it can go on."""

    size: str
    seed: int
    until: int
    done: bool = False


def check_size(size: str) -> str:
    """``size``, where there is such a demo.

    Raises:
        BadParameter: it is neither one of the sizes nor a number of people.
    """
    if size not in EVENTS and not (size.isascii() and size.isdecimal() and int(size)):
        raise typer.BadParameter("one of s, m, l, or a number of people")
    return size


def demo(
    data: Data = None,
    size: Annotated[
        str, typer.Option(help="s, m, l (20 000 people, or many more), or a number.")
    ] = "s",
    seed: Annotated[int, typer.Option(help="The same seed makes the same people.")] = 7,
    once: Annotated[
        bool, typer.Option("--once", help="Only where nothing is loaded, or to end a demo begun.")
    ] = False,
) -> None:
    """Load a demonstration: people, places and things, and all that they did."""
    hour = to_ms(SystemClock().now()) // HOUR_MS * HOUR_MS
    begun: Begun | None = Begun(check_size(size), seed, hour)
    with connect(data) as api:
        if once:
            begun = _unfinished(api, begun)
        if begun is None:
            return
        with _lines() if once else _bars() as report:
            _load(api, begun, report)
        _remember(api.settings, replace(begun, done=True))
        _scoped_manager(api)


def _unfinished(api: Api, fresh: Begun | None) -> Begun | None:
    """The demo to go on with, ``fresh`` where nothing was ever loaded, or None."""
    if api.settings.demo_file.exists():
        begun = Begun(**json.loads(api.settings.demo_file.read_text("utf-8")))
        return None if begun.done else begun
    return None if api.call("GET", "/api/overview")["accepted_batches"] else fresh


def _remember(settings: Settings, begun: Begun) -> None:
    replace_file(settings.demo_file, json.dumps(asdict(begun)).encode())


def _load(api: Api, begun: Begun, report: Report) -> None:
    """Write the demo into the journal and watch it being loaded.

    Raises:
        NotFound: ``demo_missing``: no pack in force has one.
    """
    generate = next((p.demo for p in load_packs(api.settings.packs) if p.demo), None)
    if generate is None:
        raise NotFound("no pack in force has a demo", code="demo_missing")
    if api.engine is not None:
        api.engine.start()
        journal: Journal = api.engine.stores.journal
    else:
        from carloop.bootstrap.gateway import open_journal

        journal = open_journal(api.settings)
    _remember(api.settings, begun)
    expected = EVENTS.get(begun.size) or EVENTS_EACH * int(begun.size)
    group: list[Received] = []
    sources: dict[str, int] = {}
    last = events = 0
    for batch in generate(begun.size, begun.seed, begun.until):
        group.append(_received(api, sources, batch))
        events += batch.events
        if len(group) >= GROUP:
            last = journal.append(group)[-1]
            group = []
            report("writing", min(1.0, events / expected))
    if group:
        last = journal.append(group)[-1]
    report("writing", 1.0)
    _wait_until_loaded(api, last, report)


@contextmanager
def _bars() -> Iterator[Report]:
    columns = (TextColumn("{task.description:>8}"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as progress:
        tasks: dict[str, Any] = {}

        def report(phase: str, part: float) -> None:
            if phase not in tasks:
                tasks[phase] = progress.add_task(phase, total=1.0)
            progress.update(tasks[phase], completed=part)

        yield report


@contextmanager
def _lines() -> Iterator[Report]:
    """A line for every tenth, to be read between other output."""
    said: dict[str, int] = {}

    def report(phase: str, part: float) -> None:
        tenth = int(part * 10)
        if tenth > said.get(phase, 0):
            said[phase] = tenth
            typer.echo(f"carloop: demo: {phase} {tenth * 10} %")

    typer.echo("carloop: demo: loading beside the server, which is ready to use")
    yield report
    typer.echo("carloop: demo: complete")


def _received(api: Api, sources: dict[str, int], batch: DemoBatch) -> Received:
    from carloop.bootstrap.stores import TENANT

    if batch.source not in sources:
        made = ensure_source(api, batch.source, SourceKind.SERVER, historical=True)
        sources[batch.source] = int(made["id"])
    return Received(
        tenant=TENANT,
        source=sources[batch.source],
        protocol="own",
        received_at=to_ms(SystemClock().now()),
        body=batch.body,
    )


def _wait_until_loaded(api: Api, last: int, report: Report) -> None:
    """Watch the loader until it has passed batch ``last``.

    Raises:
        Unavailable: ``loader_stalled``: nothing moved for two minutes.
    """
    first = loaded = int(api.call("GET", "/api/overview")["loaded_batches"])
    moved = time.monotonic()
    while loaded < last:
        time.sleep(0.5)
        now = int(api.call("GET", "/api/overview")["loaded_batches"])
        if now > loaded:
            loaded, moved = now, time.monotonic()
            report("loading", min(1.0, (loaded - first) / (last - first)))
        elif time.monotonic() - moved > STALLED_SECONDS:
            raise Unavailable("the loader does not move", code="loader_stalled")
    report("loading", 1.0)


def _scoped_manager(api: Api) -> None:
    """A manager limited to the first scope entity, to see the product through such eyes."""
    dimensions = load_catalogue(api.settings.packs).scope_dimensions
    if not dimensions:
        return
    dimension = dimensions[0]
    name = f"{dimension}-demo"
    if any(user["username"] == name for user in api.call("GET", "/api/users")["items"]):
        return
    found = api.call("GET", f"/api/entities/{dimension}")["items"]
    if not found:
        return
    key = found[0]["key"]
    body = {"username": name, "roles": [Role.DEALER_MANAGER.value], "dims": {dimension: [key]}}
    password = api.call("POST", "/api/users", body)["password"]
    typer.echo(f"carloop: {dimension} {key} has a manager: user {name}, password {password}")

"""``carloop demo``: a pack's made-up customers through the real pipeline."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from carloop.bootstrap.gateway import open_journal
from carloop.bootstrap.packs import load_packs
from carloop.bootstrap.stores import TENANT
from carloop.cli.connect import Api, Data, connect
from carloop.cli.keys import ensure_source
from carloop.core.demo import DemoBatch
from carloop.core.events import Received
from carloop.core.ports.journal import Journal
from carloop.core.sources import SourceKind
from carloop.kit.clock import SystemClock, to_ms
from carloop.kit.errors import NotFound, Unavailable

EVENTS = {"s": 1_500_000, "m": 15_000_000, "l": 75_000_000}
"""About how many events a size has; only for the progress bar."""
GROUP = 16
DAY_MS = 86_400_000
STALLED_SECONDS = 120


def demo(
    data: Data = None,
    size: Annotated[str, typer.Option(help="s, m or l: 20 000 people, or many more.")] = "s",
    seed: Annotated[int, typer.Option(help="The same seed makes the same people.")] = 7,
) -> None:
    """Load a demonstration: people, dealers, vehicles, and all that they did."""
    if size not in EVENTS:
        raise typer.BadParameter("one of s, m, l", param_hint="--size")
    with connect(data) as api:
        generate = next((p.demo for p in load_packs(api.settings.packs) if p.demo), None)
        if generate is None:
            raise NotFound("no pack in force has a demo", code="demo_missing")
        if api.engine is not None:
            api.engine.start()
            journal: Journal = api.engine.stores.journal
        else:
            journal = open_journal(api.settings)
        midnight = to_ms(SystemClock().now()) // DAY_MS * DAY_MS
        with _progress() as progress:
            task = progress.add_task("writing", total=EVENTS[size])
            group: list[Received] = []
            sources: dict[str, int] = {}
            last = 0
            for batch in generate(size, seed, midnight):
                group.append(_received(api, sources, batch))
                progress.advance(task, batch.events)
                if len(group) >= GROUP:
                    last = journal.append(group)[-1]
                    group = []
            if group:
                last = journal.append(group)[-1]
            progress.update(task, completed=EVENTS[size])
            _wait_until_loaded(api, last, progress)
        _manager(api)


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description:>8}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )


def _received(api: Api, sources: dict[str, int], batch: DemoBatch) -> Received:
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


def _wait_until_loaded(api: Api, last: int, progress: Progress) -> None:
    """Watch the loader until it has passed batch ``last``.

    Raises:
        Unavailable: ``loader_stalled``: nothing moved for two minutes.
    """
    first = int(api.call("GET", "/api/overview")["loaded_batches"])
    task = progress.add_task("loading", total=max(1, last - first))
    loaded, moved = first, time.monotonic()
    while loaded < last:
        time.sleep(0.5)
        now = int(api.call("GET", "/api/overview")["loaded_batches"])
        if now > loaded:
            loaded, moved = now, time.monotonic()
            progress.update(task, completed=loaded - first)
        elif time.monotonic() - moved > STALLED_SECONDS:
            raise Unavailable("the loader does not move", code="loader_stalled")
    progress.update(task, completed=max(1, last - first))


def _manager(api: Api) -> None:
    """A manager of the first dealer, to see the product through a dealer's eyes."""
    kinds = [kind for pack in load_packs(api.settings.packs) for kind in pack.entity_types]
    dimension = next((kind.name for kind in kinds if kind.scope_dimension), None)
    name = f"{dimension}-demo"
    if dimension is None or any(
        user["username"] == name for user in api.call("GET", "/api/users")["items"]
    ):
        return
    found = api.call("GET", f"/api/entities/{dimension}")["items"]
    if not found:
        return
    key = found[0]["key"]
    body = {"username": name, "roles": ["dealer_manager"], "dims": {dimension: [key]}}
    password = api.call("POST", "/api/users", body)["password"]
    typer.echo(f"manager of {dimension} {key}: user {name}, password {password}")

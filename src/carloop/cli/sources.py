"""``carloop source``: the sources that are read, tried and run from the command line."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from carloop.cli.connect import Api, Data, Refused, connect
from carloop.kit.errors import InvalidInput, NotFound

app = typer.Typer(help="Sources that are read: add, list, test and run them.", no_args_is_help=True)

POLL_SECONDS = 0.3
Name = Annotated[str, typer.Argument(help="Name of the source.")]


@app.command("list")
def list_sources(data: Data = None) -> None:
    """Every source that is read, its schedule, and how its last run ended."""
    with connect(data) as api:
        for feed in _all(api):
            last = feed["last_run"]
            ended = "never run" if last is None else f"{last['state']}, {last['records']} records"
            told = f" ({feed['code']})" if feed["code"] else ""
            typer.echo(f"{feed['name']}\t{feed['kind']}\t{feed['schedule']}\t{ended}{told}")


@app.command("add")
def add(
    file: Annotated[Path, typer.Argument(help="JSON: name, kind, settings, mapping, schedule.")],
    data: Data = None,
) -> None:
    """Add a source from a JSON document; without a mapping one is proposed from what it holds."""
    if not file.is_file():
        raise NotFound(f"no file {file}", code="file_unknown")
    try:
        body = json.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise InvalidInput("the file is not JSON", code="malformed_json") from error
    if not isinstance(body, dict):
        raise InvalidInput("the file holds no JSON object", code="not_an_object")
    with connect(data) as api:
        if "mapping" not in body:
            trial = {"kind": body.get("kind"), "settings": body.get("settings")}
            body["mapping"] = api.call("POST", "/api/feeds/try", trial)["mapping"]
        feed = api.call("POST", "/api/feeds", body)
    typer.echo(feed["id"])


@app.command("test")
def try_out(
    name: Annotated[str | None, typer.Argument(help="One source; all unless told.")] = None,
    data: Data = None,
) -> None:
    """Connect to each source and look; nothing is read in. Fails where one does not answer."""
    failed = 0
    with connect(data) as api:
        feeds = _all(api) if name is None else [_named(api, name)]
        if not feeds:
            typer.echo("no source is set up to be read")
        for feed in feeds:
            try:
                trial = api.call("POST", f"/api/feeds/{feed['id']}/try")
            except Refused as error:
                failed += 1
                typer.echo(f"FAIL  {feed['name']}: {error.code}: {error.message}")
                continue
            total = "" if trial["total"] is None else f", {trial['total']} records"
            notes = "".join(f", {note}" for note in trial["notes"])
            typer.echo(f"ok    {feed['name']}: {len(trial['columns'])} columns{total}{notes}")
    if failed:
        raise typer.Exit(1)


@app.command("run")
def run(
    name: Name,
    data: Data = None,
    again: Annotated[
        bool, typer.Option("--again", help="From the beginning; nothing is stored twice.")
    ] = False,
) -> None:
    """Read a source now and wait for the end of the run, or of the one under way."""
    with connect(data) as api:
        if api.engine is not None:
            api.engine.start()
        feed = _named(api, name)
        before = feed["last_run"]["id"] if feed["last_run"] else 0
        try:
            api.call("POST", f"/api/feeds/{feed['id']}/run", {"again": again})
        except Refused as error:
            if error.code != "feed_running" or again:
                raise
            before = 0
        last: dict[str, Any] | None = None
        while last is None or last["id"] == before or last["state"] == "running":
            time.sleep(POLL_SECONDS)
            last = api.call("GET", f"/api/feeds/{feed['id']}")["last_run"]
        while api.engine is not None and api.engine.lag().batches:
            time.sleep(POLL_SECONDS)
    typer.echo(f"{last['state']}: {last['records']} records read, {last['bad']} unreadable")
    if last["state"] == "failed":
        raise Refused(f"the run failed: {last['code']}", code=last["code"])


def _all(api: Api) -> list[dict[str, Any]]:
    feeds: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        page = api.call("GET", "/api/feeds", query={"cursor": cursor} if cursor else None)
        feeds += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return feeds


def _named(api: Api, name: str) -> dict[str, Any]:
    for feed in _all(api):
        if name in (feed["name"], feed["id"]):
            return feed
    raise NotFound(f"no source {name!r} that is read", code="feed_unknown")

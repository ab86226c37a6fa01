"""``carloop quality``: judge a file before it is imported; needs no server and keeps nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from carloop.bootstrap.settings import Settings
from carloop.kit.errors import InvalidInput, NotFound


def judge_file(
    file: Annotated[Path, typer.Argument(help="CSV, JSON lines, Parquet or Excel.")],
    rules: Annotated[
        Path | None, typer.Option(help="A JSON file with a list of rules; none: suggested.")
    ] = None,
    reference: Annotated[
        list[str] | None,
        typer.Option(help="NAME=FILE:COLUMN, a table that rules refer to; may be repeated."),
    ] = None,
    zone: Annotated[str, typer.Option(help="Zone of times without offset.")] = "Asia/Shanghai",
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole report.")] = False,
) -> None:
    """Judge the quality of a file: scores per column, and where its faults are."""
    from carloop.app.quality.files import FileQuality, parse_rules, read_reference
    from carloop.bootstrap.packs import load_catalogue

    for path in (file, *([rules] if rules else [])):
        _must_exist(path)
    references = {}
    for text in reference or []:
        name, place, key = _reference(text)
        references[name] = read_reference(place, key)
    report = FileQuality(load_catalogue(Settings.from_env().packs)).profile(
        file,
        rules=parse_rules(rules.read_text("utf-8")) if rules else None,
        zone=zone,
        references=references,
    )
    typer.echo(json.dumps(report, ensure_ascii=False, indent=2)) if as_json else _print(report)


def _reference(text: str) -> tuple[str, Path, str]:
    name, _, place = text.partition("=")
    path, _, key = place.rpartition(":")
    if not (name and path and key):
        raise InvalidInput("a reference is NAME=FILE:COLUMN", code="reference_invalid")
    _must_exist(Path(path))
    return name, Path(path), key


def _must_exist(path: Path) -> None:
    if not path.is_file():
        raise NotFound(f"no file {path}", code="file_unknown")


def _print(report: dict[str, Any]) -> None:
    typer.echo(f"{report['rows']} rows, {report['unreadable']} unreadable")
    for score in report["scores"]:
        typer.echo(f"{score['dimension']}: {_percent(score)}")
    for column in report["columns"]:
        typer.echo(
            f"  {column['name']}: completeness {_percent(column['completeness'])},"
            f" correctness {_percent(column['correctness'])}"
        )
    for found in report["findings"]:
        rows = ", ".join(f"row {e['row']} {e['shown']!r}" for e in found["examples"][:3])
        typer.echo(
            f"{found['failed']} of {found['checked']} in {found['column']}:"
            f" {found['code']} ({found['kind']}); {rows}"
        )
    for rule in report["skipped"]:
        typer.echo(f"not judged, for want of what it refers to: {json.dumps(rule)}")


def _percent(score: dict[str, Any]) -> str:
    if score["percent"] is None:
        return "-"
    return f"{score['percent']:.2f} % ({score['good']} of {score['total']})"

"""A plan as YAML or as a workbook, both ways; nothing in a file is ever carried out."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import ParseError

import yaml

from carloop.app.imports.report import safe_cell
from carloop.app.tracking.documents import FORMAT
from carloop.kit.errors import InvalidInput, TooLarge

MOST_BYTES = 1024 * 1024
MOST_DEPTH, MOST_NODES = 12, 200_000
MOST_UNPACKED = 64 * 1024 * 1024
MOST_ROWS = 100_000
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SHEETS: Mapping[str, Sequence[str]] = {
    "touchpoints": ("name", "title_zh", "title_en", "sources"),
    "events": ("name", "title_zh", "title_en", "stage", "owner", "description"),
    "points": ("event", "touchpoint", "status"),
    "properties": (
        "event", "name", "title_zh", "title_en", "type", "required", "allowed", "owner", "status",
        "description",
    ),
}  # fmt: skip
_LIST_COLUMNS = ("sources", "allowed")
Rows = dict[str, list[dict[str, str]]]


def read_plan(name: str, body: bytes) -> Any:
    """The document in a file; the ending of its name says which format.

    Raises:
        TooLarge: ``too_large_plan``, ``too_large_unpacked``.
        InvalidInput: ``format_unknown``, ``yaml_invalid``, ``yaml_alias``, ``yaml_tag``,
            ``too_deep``, ``file_broken``, ``plan_sheet_missing``, ``plan_column_missing``.
    """
    if len(body) > MOST_BYTES:
        raise TooLarge(f"the file is larger than {MOST_BYTES} bytes", code="too_large_plan")
    ending = name.lower().rpartition(".")[2]
    if ending in ("yaml", "yml", "json"):
        return from_yaml(body)
    if ending == "xlsx":
        return from_workbook(body)
    raise InvalidInput("a plan is a .yaml or an .xlsx file", code="format_unknown", path="file")


def to_yaml(document: Mapping[str, Any]) -> bytes:
    """Readable YAML; texts that look like something else are quoted."""
    text: str = yaml.safe_dump(dict(document), allow_unicode=True, sort_keys=False, width=100)
    return text.encode()


def from_yaml(body: bytes) -> Any:
    """The document; scalars stay texts. JSON is YAML too.

    Anchors, aliases, tags and further documents are refused before anything is built of them, so
    that neither a bomb nor an object of ours can come of a file.
    """
    try:
        text = body.decode("utf-8-sig")
        _refuse_tricks(text)
        return yaml.load(text, Loader=_LOADER)  # noqa: S506 - every scalar stays a text
    except (UnicodeDecodeError, yaml.YAMLError, ValueError) as error:
        raise InvalidInput("not readable as YAML", code="yaml_invalid", path="file") from error


_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


def _refuse_tricks(text: str) -> None:
    depth = documents = 0
    for nodes, event in enumerate(yaml.parse(text, Loader=_LOADER)):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise InvalidInput("a plan has no aliases", code="yaml_alias", path="file")
        if getattr(event, "tag", None):
            raise InvalidInput("a plan has no tags", code="yaml_tag", path="file")
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MOST_DEPTH or nodes > MOST_NODES or documents > 1:
            raise InvalidInput("the plan is nested too deeply or too large", code="too_deep",
                               path="file")  # fmt: skip


def to_workbook(document: Mapping[str, Any]) -> bytes:
    """Four sheets of texts; a text that a spreadsheet would compute is written with ``'``."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    book = Workbook(write_only=True)
    rows = _to_rows(document)
    for sheet_name, columns in SHEETS.items():
        sheet = book.create_sheet(sheet_name)
        sheet.freeze_panes = "A2"
        header = [WriteOnlyCell(sheet, value=column) for column in columns]
        for cell in header:
            cell.font = Font(bold=True)
        sheet.append(header)
        for row in rows[sheet_name]:
            cells = []
            for column in columns:
                cell = WriteOnlyCell(sheet, value=safe_cell(row.get(column, "")))
                cell.data_type = "s"
                cells.append(cell)
            sheet.append(cells)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def from_workbook(body: bytes) -> Any:
    """The document in a workbook of the sheets that :func:`to_workbook` writes.

    A formula counts as its last value. Only ``events`` has to be there.
    """
    _refuse_bombs(body)
    from openpyxl import load_workbook

    try:
        book = load_workbook(io.BytesIO(body), read_only=True, data_only=True)
    except (KeyError, ValueError, TypeError, ParseError, zipfile.BadZipFile) as error:
        raise InvalidInput("not a readable workbook", code="file_broken", path="file") from error
    try:
        names = {sheet.title.strip().lower(): sheet for sheet in book.worksheets}
        if "events" not in names:
            raise InvalidInput(
                "no sheet is called events", code="plan_sheet_missing", path="events"
            )
        rows = {
            name: list(_records(names[name], name, columns)) if name in names else []
            for name, columns in SHEETS.items()
        }
    except (KeyError, ValueError, TypeError, ParseError, zipfile.BadZipFile) as error:
        raise InvalidInput("not a readable workbook", code="file_broken", path="file") from error
    finally:
        book.close()
    return _from_rows(rows)


def _refuse_bombs(body: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            unpacked = sum(part.file_size for part in archive.infolist())
    except (zipfile.BadZipFile, ValueError) as error:
        raise InvalidInput("not a readable workbook", code="file_broken", path="file") from error
    if unpacked > MOST_UNPACKED:
        raise TooLarge("the workbook unpacks to too much", code="too_large_unpacked")


def _records(sheet: Any, name: str, columns: Sequence[str]) -> Iterator[dict[str, str]]:
    heads: list[str] | None = None
    for number, values in enumerate(sheet.iter_rows(values_only=True, max_col=50)):
        if number > MOST_ROWS:
            raise TooLarge(f"more than {MOST_ROWS} rows in a sheet", code="too_large_plan")
        texts = [_text(value) for value in values]
        if not any(texts):
            continue
        if heads is None:
            heads = [text.lower() for text in texts]
            first = columns[0]
            if first not in heads:
                raise InvalidInput(f"the sheet {name} has no column {first}",
                                   code="plan_column_missing", path=f"{name}.{first}")  # fmt: skip
            continue
        record = dict(zip(heads, texts, strict=False))
        yield {column: record.get(column, "") for column in columns}


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value).strip()
    return text[1:] if text.startswith("'") and safe_cell(text[1:]) == text else text


def _to_rows(document: Mapping[str, Any]) -> Rows:
    rows: Rows = {name: [] for name in SHEETS}
    for place in document["touchpoints"]:
        rows["touchpoints"].append(_plain(place))
    for event in document["events"]:
        rows["events"].append(_plain(event))
        for touchpoint, status in event["touchpoints"].items():
            rows["points"].append(
                {"event": event["name"], "touchpoint": touchpoint, "status": status}
            )
        for planned in event.get("properties", ()):
            rows["properties"].append({**_plain(planned), "event": event["name"]})
    return rows


def _plain(one: Mapping[str, Any]) -> dict[str, str]:
    """Cells of one record: titles by language, lists as JSON, the rest as texts."""
    title = one.get("title", {})
    cells = {"title_zh": title.get("zh", ""), "title_en": title.get("en", "")}
    for name, value in one.items():
        if name in _LIST_COLUMNS:
            cells[name] = json.dumps(value, ensure_ascii=False) if value else ""
        elif isinstance(value, bool):
            cells[name] = "true" if value else "false"
        elif isinstance(value, str):
            cells[name] = value
    return cells


def _from_rows(rows: Rows) -> dict[str, Any]:
    events: dict[str, dict[str, Any]] = {}
    ordered: list[dict[str, Any]] = []
    for row in rows["events"]:
        event = _record(row)
        ordered.append(event)
        events.setdefault(row["name"], event)
    _inside(rows["points"], events, ordered, _point)
    _inside(rows["properties"], events, ordered, _property)
    return {
        FORMAT: 1,
        "touchpoints": [_record(row) for row in rows["touchpoints"]],
        "events": ordered,
    }


def _inside(
    rows: Sequence[dict[str, str]],
    events: dict[str, dict[str, Any]],
    ordered: list[dict[str, Any]],
    put: Callable[[dict[str, Any], dict[str, str]], None],
) -> None:
    """Put rows into the events they name; an event that only they name is one all the same."""
    for row in rows:
        name = row["event"]
        if name not in events:
            events[name] = {"name": name}
            ordered.append(events[name])
        put(events[name], row)


def _point(event: dict[str, Any], row: dict[str, str]) -> None:
    event.setdefault("touchpoints", {})[row["touchpoint"]] = row["status"]


def _property(event: dict[str, Any], row: dict[str, str]) -> None:
    rest = {name: value for name, value in row.items() if name != "event"}
    event.setdefault("properties", []).append(_record(rest))


def _record(row: Mapping[str, str]) -> dict[str, Any]:
    title = {n: row[f"title_{n}"] for n in ("zh", "en") if row.get(f"title_{n}")}
    record: dict[str, Any] = {"title": title} if title else {}
    for name, value in row.items():
        if value and not name.startswith("title_"):
            record[name] = _listed(value) if name in _LIST_COLUMNS else value
    return record


def _listed(text: str) -> list[str]:
    """A JSON list, or texts with commas between."""
    if text.startswith("["):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, list):
            return [one if isinstance(one, str) else json.dumps(one) for one in found]
    return [part.strip() for part in text.replace("，", ",").split(",") if part.strip()]

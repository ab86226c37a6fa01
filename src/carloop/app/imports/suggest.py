"""A first mapping from headers and a sample of values; what does not fit stays a property."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from carloop.app.imports.mapping import (
    Column,
    EntityColumn,
    EventOfRow,
    IdentifierColumn,
    IgnoredColumn,
    Mapping,
    ProfileColumn,
    PropertyColumn,
    TimeColumn,
)
from carloop.app.imports.values import guess_time_format, guess_type, is_null
from carloop.connectors.files import Value
from carloop.core.cells import as_text
from carloop.core.fields import FieldType
from carloop.core.identifiers import InvalidIdentifier, RawIdentifier
from carloop.core.registry import Catalogue

TIME_WORDS = ("time", "date", "timestamp", "时间", "日期")
PERSON_WORDS = ("customer", "client", "member", "user", "prospect", "buyer", "owner", "contact")
PERSON_WORDS_ZH = ("客户", "会员", "用户", "车主", "潜客")
ID_ENDINGS = ("_id", "_no", "_number", "_code", "_key")
ID_ENDINGS_ZH = ("编号", "代码", "编码", "号", "id")
ENOUGH = 0.5
"""Share of a sample that must be valid for a column to be taken for identifiers."""


def slug(header: str) -> str:
    """Snake case, letters of any script.

    >>> slug("Price ($)"), slug("Dealer_No "), slug("LeadSource"), slug("客户 姓名"), slug("1st")
    ('price', 'dealer_no', 'lead_source', '客户_姓名', 'c_1st')
    """
    text = unicodedata.normalize("NFKC", header).strip()
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text).lower()
    text = re.sub(r"[\W_]+", "_", text).strip("_")
    return f"c_{text}" if not text or text[0].isdigit() else text


@dataclass(frozen=True, slots=True)
class _Sample:
    header: str
    slug: str
    values: Sequence[Value]


def suggest(
    headers: Sequence[str],
    sample: Sequence[Sequence[Value]],
    catalogue: Catalogue,
    *,
    event: str | None = None,
    zone: str = "Asia/Shanghai",
) -> Mapping:
    """A mapping that a person can correct.

    Args:
        headers: column names of the file.
        sample: some rows, values in the order of ``headers``.
        catalogue: names and titles that headers may match.
        event: name of the event each row yields.
        zone: of times without offset.
    """
    blank = Mapping(columns={}, zone=zone)
    nulls = frozenset(blank.nulls)
    columns: dict[str, Column] = {}
    taken: set[str] = set()
    for place, header in enumerate(headers):
        values = [row[place] for row in sample if not is_null(row[place], nulls)]
        column = _column(_Sample(header, slug(header), values), catalogue, event, columns, zone)
        if isinstance(column, PropertyColumn):
            column = column.model_copy(update={"name": _free(column.name, taken)})
            taken.add(column.name)
        columns[header] = column
    events = [EventOfRow(event=event)] if event else blank.events
    return blank.model_copy(update={"columns": columns, "events": events})


def _column(
    sample: _Sample, catalogue: Catalogue, event: str | None, before: dict[str, Column], zone: str
) -> Column:
    if sample.slug.startswith(("unnamed", "column_")) or sample.header in ("#", "序号"):
        return IgnoredColumn()
    named = (
        _identifier(sample, catalogue)
        or _entity(sample, catalogue)
        or _field(sample, catalogue, zone)
        or _time(sample, before, zone)
        or _person_id(sample)
    )
    return named or _property(sample, catalogue, event)


def _identifier(sample: _Sample, catalogue: Catalogue) -> Column | None:
    """A known identifier type by name or title, where the values bear it out."""
    names = {alias.casefold(): name for alias, name in catalogue.identifiers.by_alias.items()}
    for kind in catalogue.identifiers:
        names.update({title.casefold(): kind.name for title in kind.title.values()})
    known = names.get(sample.header.strip().casefold()) or names.get(sample.slug)
    if known is None:
        return None
    kind = catalogue.identifiers.get(known)
    if sample.values and _valid_share(sample.values, known, catalogue) < ENOUGH:
        return None
    if kind.entity != "person":
        return EntityColumn(type=kind.entity) if kind.entity in catalogue.entity_types else None
    return IdentifierColumn(type=known)


def _valid_share(values: Sequence[Value], type_: str, catalogue: Catalogue) -> float:
    valid = 0
    for value in values:
        try:
            catalogue.identifiers.normalise(RawIdentifier(type_, as_text(value), "-"))
        except InvalidIdentifier:
            continue
        valid += 1
    return valid / len(values)


def _entity(sample: _Sample, catalogue: Catalogue) -> Column | None:
    """``dealer_no``, ``经销商代码``: an entity's name with the ending of a key."""
    for entity in catalogue.entity_types.values():
        if entity.key is not None and sample.values:
            share = _valid_share(sample.values, entity.key, catalogue)
        else:
            share = 1.0
        stems = {entity.name, *(title.casefold() for title in entity.title.values())}
        if share >= ENOUGH and any(
            sample.slug == stem + ending
            for stem in stems
            for ending in ("", *ID_ENDINGS, *ID_ENDINGS_ZH)
        ):
            return EntityColumn(type=entity.name)
    return None


def _field(sample: _Sample, catalogue: Catalogue, zone: str) -> Column | None:
    names = {alias.casefold(): name for alias, name in catalogue.field_aliases.items()}
    for field in catalogue.fields.values():
        names.update({title.casefold(): field.name for title in field.title.values()})
    stripped = re.sub(
        r"^(customer|client|member|user|owner|客户|会员|用户|车主)_?", "", sample.slug
    )
    for candidate in (sample.header.strip().casefold(), sample.slug, stripped):
        name = names.get(candidate)
        if name is None:
            continue
        field = catalogue.fields[name]
        if field.identifier is not None:
            return None
        format_ = ""
        if field.type in (FieldType.DATE, FieldType.DATETIME):
            format_ = guess_time_format(sample.values, ZoneInfo(zone)) or ""
            if not format_ and sample.values:
                return None
        return ProfileColumn(field=name, type=field.type, format=format_)
    return None


def _time(sample: _Sample, before: dict[str, Column], zone: str) -> Column | None:
    if not any(word in sample.slug for word in TIME_WORDS):
        return None
    format_ = guess_time_format(sample.values, ZoneInfo(zone))
    if format_ is None:
        return None
    if any(isinstance(column, TimeColumn) for column in before.values()):
        return PropertyColumn(name=sample.slug, type=FieldType.DATETIME, format=format_)
    return TimeColumn(format=format_)


def _person_id(sample: _Sample) -> Column | None:
    """``customer_id``, ``会员编号``: what another system calls a person."""
    english = sample.slug.endswith(ID_ENDINGS) and any(w in sample.slug for w in PERSON_WORDS)
    chinese = sample.slug.endswith(ID_ENDINGS_ZH) and sample.slug.startswith(PERSON_WORDS_ZH)
    return IdentifierColumn(type="login_id") if english or chinese else None


def _property(sample: _Sample, catalogue: Catalogue, event: str | None) -> Column:
    """The planned property whose name or title it is; else one named after the header."""
    plan = catalogue.event_types.get(event) if event else None
    for planned in plan.properties if plan else ():
        titles = {planned.name, *(title.casefold() for title in planned.title.values())}
        if sample.slug in titles or sample.header.strip().casefold() in titles:
            return PropertyColumn(name=planned.name, type=planned.type)
    if sample.slug in catalogue.property_identifiers or sample.slug in catalogue.property_entities:
        return PropertyColumn(name=f"{sample.slug}_text")
    return PropertyColumn(name=sample.slug, type=guess_type(sample.values))


def _free(name: str, taken: set[str]) -> str:
    copy, free = 2, name
    while free in taken:
        free, copy = f"{name}_{copy}", copy + 1
    return free

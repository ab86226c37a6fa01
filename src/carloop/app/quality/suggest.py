"""Rules for a file that nobody has described: from the names and the first rows of its columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from carloop.app.imports.suggest import slug
from carloop.app.imports.values import guess_time_format
from carloop.connectors.files import Value
from carloop.core.cells import as_text
from carloop.core.registry import Catalogue
from carloop.engines.quality import (
    AnyRow,
    Context,
    DateRule,
    IdentifierRule,
    Outlier,
    Phone,
    Range,
    Required,
    Unique,
)
from carloop.engines.quality.checks import GOOD
from carloop.engines.quality.kinds.outlier import LEAST_VALUES
from carloop.engines.quality.values import is_empty, is_placeholder, number_in

ENOUGH = 0.5
"""Share of a sample that must be valid for a column to be judged as identifiers."""
NEARLY_ALL = 0.9
FEW = 10
"""Numbers of no more values than this are codes: none of them lies far from the others."""
KEY_ENDINGS = ("id", "no", "number", "code", "key", "编号", "代码", "编码", "号")
BOUNDS = {
    **dict.fromkeys(("latitude", "lat", "纬度"), 90.0),
    **dict.fromkeys(("longitude", "lng", "lon", "经度"), 180.0),
}


def suggest_rules(
    headers: Sequence[str],
    sample: Sequence[Sequence[Value]],
    catalogue: Catalogue,
    zone: ZoneInfo,
) -> list[AnyRow]:
    """Every column must be filled; identifiers, dates, numbers and keys be what they seem to be.

    Args:
        headers: column names.
        sample: some rows, values in the order of ``headers``.
        catalogue: identifier types, by the names that senders use.
        zone: of times without offset.
    """
    context = Context(catalogue.identifiers, zone)
    names = {alias.casefold(): name for alias, name in catalogue.identifiers.by_alias.items()}
    rules: list[AnyRow] = [Required(header) for header in headers]
    for place, header in enumerate(headers):
        cells = [row[place] for row in sample]
        values = [v for v in cells if not is_empty(v) and not is_placeholder(v)]
        if values:
            known = names.get(header.strip().casefold()) or names.get(slug(header))
            rules += _column(header, known, values, context, zone)
    return rules


def _column(
    header: str, known: str | None, values: Sequence[Value], context: Context, zone: ZoneInfo
) -> Iterator[AnyRow]:
    name = slug(header)
    if known is not None:
        tries: list[AnyRow] = [IdentifierRule(header, known)]
        if known == "mobile":
            tries.append(Phone(header))
        best = max(tries, key=lambda rule: _valid(rule, values, context))
        if _valid(best, values, context) >= ENOUGH:
            yield best
        return
    format_ = guess_time_format(values, zone)
    if format_ is not None and format_ != "s":
        yield DateRule(header, format_)
        return
    numbers = [n for n in map(number_in, values) if n is not None]
    distinct = len({as_text(v) for v in values})
    key = name.endswith(KEY_ENDINGS)
    if key and len(values) >= LEAST_VALUES and distinct >= 0.99 * len(values):
        yield Unique((header,))
    elif name in BOUNDS and len(numbers) >= NEARLY_ALL * len(values):
        yield Range(header, -BOUNDS[name], BOUNDS[name])
    elif not key and len(numbers) >= NEARLY_ALL * len(values):
        yield Range(header)
        if distinct > FEW and len(numbers) >= LEAST_VALUES:
            yield Outlier(header)


def _valid(rule: AnyRow, values: Sequence[Value], context: Context) -> float:
    (column,) = rule.columns
    check = rule.open(context)
    assert check is not None
    good = sum(check.look(n, {column: value}) == GOOD for n, value in enumerate(values))
    return good / len(values)

"""What became of a source's columns between two runs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from carloop.core.feeds import FeedColumn
from carloop.core.ports.feeds import DriftKind


class Change(NamedTuple):
    """One changed column; ``detail`` is the new type or, for RENAMED, the new name."""

    kind: DriftKind
    column: str
    detail: str
    mapped: bool


def changes(
    before: Sequence[FeedColumn], after: Sequence[FeedColumn], mapped: Collection[str]
) -> list[Change]:
    """What differs, in the order of the columns; nothing where ``before`` is not known.

    A column that is gone and a new one of the same type at the same place among those that stayed
    are taken for one that was renamed.

    >>> old = [FeedColumn("id", "int"), FeedColumn("tel", "text")]
    >>> new = [FeedColumn("id", "bigint"), FeedColumn("phone", "text"), FeedColumn("x", "int")]
    >>> for change in changes(old, new, {"tel"}):
    ...     print(change.kind.value, change.column, change.detail, change.mapped)
    retyped id bigint False
    renamed tel phone True
    added x int False
    """
    if not before:
        return []
    old, new = dict(before), dict(after)
    gone = [c for c in before if c.name not in new]
    fresh = [c for c in after if c.name not in old]
    found = [
        Change(DriftKind.RETYPED, name, new[name], name in mapped)
        for name, type_ in before
        if name in new and new[name] != type_
    ]
    renamed: set[str] = set()
    for column in gone:
        twin = _twin(column, before, after, fresh, renamed)
        if twin is None:
            found.append(Change(DriftKind.REMOVED, column.name, column.type, column.name in mapped))
        else:
            renamed.add(twin.name)
            found.append(Change(DriftKind.RENAMED, column.name, twin.name, column.name in mapped))
    found += [
        Change(DriftKind.ADDED, c.name, c.type, False) for c in fresh if c.name not in renamed
    ]
    return found


def _twin(
    column: FeedColumn,
    before: Sequence[FeedColumn],
    after: Sequence[FeedColumn],
    fresh: Sequence[FeedColumn],
    taken: Collection[str],
) -> FeedColumn | None:
    """The new column that stands where the lost one stood: after the same neighbour."""
    for candidate in fresh:
        if candidate.name in taken or candidate.type != column.type:
            continue
        if _neighbour(column, before, after) == _neighbour(candidate, after, before):
            return candidate
    return None


def _neighbour(
    column: FeedColumn, own: Sequence[FeedColumn], other: Sequence[FeedColumn]
) -> str | None:
    """The nearest column to the left that both have; None: none."""
    kept = {c.name for c in other}
    left = [c.name for c in own[: own.index(column)] if c.name in kept]
    return left[-1] if left else None

"""The engine's errors in our words, wrapped once. Messages never carry a value of the query."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from clickhouse_connect.driver.exceptions import ClickHouseError

from carloop.kit.errors import CarloopError, InvalidInput, Permanent, Unavailable

KEEP_CAUSE = False
"""Whether our errors keep the engine's text as their cause; tests do, a server must not."""

_UNAVAILABLE = {
    159: ("query_timeout", "the query took too long"),
    160: ("query_timeout", "the query would take too long"),
    394: ("query_cancelled", "the query was cancelled"),
    241: ("query_memory", "the query needs more memory than it may use"),
    173: ("query_memory", "the event store is out of memory"),
    243: ("disk_full", "no space left for events"),
    202: ("too_many_queries", "too many queries at once"),
    209: ("event_store_unavailable", "the event store does not answer"),
    210: ("event_store_unavailable", "the event store does not answer"),
    242: ("event_store_read_only", "the event store is read-only now"),
    252: ("too_many_parts", "inserts are too frequent"),
    279: ("event_store_unavailable", "no replica answers"),
}
_REFUSED = frozenset(
    {6, 20, 36, 38, 41, 42, 43, 44, 46, 47, 50, 53, 60, 62, 63, 69, 70, 72, 117, 125, 130, 131}
    | {164, 168, 179, 184, 207, 215, 285, 349, 386, 395, 407, 427, 456, 457, 497, 636}
)


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's errors into ours; the engine's text quotes data, so no cause is kept.

    Raises:
        Unavailable: timeout, memory, disk or connection; ``code`` says which.
        InvalidInput: ``query_refused``: the engine refused the statement.
        Permanent: ``event_store_failed``: anything else; ``engine_code`` is ClickHouse's.
    """
    try:
        yield
    except ClickHouseError as error:
        raise _translate(error) from (error if KEEP_CAUSE else None)


def _translate(error: ClickHouseError) -> CarloopError:
    code = getattr(error, "code", None)
    if code in _UNAVAILABLE:
        ours, message = _UNAVAILABLE[code]
        return Unavailable(message, code=ours, engine_code=code)
    if code in _REFUSED:
        return InvalidInput(
            "the engine refused the query", code="query_refused", engine_error=error.name
        )
    if code is None and "No space left" in str(error):
        return Unavailable("no space left for events", code="disk_full")
    if code is None:
        return Unavailable("the event store does not answer", code="event_store_unavailable")
    return Permanent(
        "the event store failed",
        code="event_store_failed",
        engine_error=error.name,
        engine_code=code,
    )

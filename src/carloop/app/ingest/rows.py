"""Rows of the ``events`` table as newline-separated JSON, built without intermediate objects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from carloop.app.ingest.prepare import Prepared

_encode = msgspec.json.Encoder().encode
_ROW = (
    b'{"tenant":%d,"event":%b,"fragment":%d,"occurred_at":"%d.%03d","received_at":"%d.%03d",'
    b'"seq":%d,"source":%d,"event_id":"%b-%b-%b-%b-%b","message_id":%b,"historical":%d,'
    b'"entities":%b,"properties":%b}'
)


class Filed(NamedTuple):
    """A prepared event with what identity said: its fragment and the numbers of its entities."""

    event: Prepared
    fragment: int
    entities: Mapping[str, int]
    historical: bool


def rows(filed: Iterable[Filed]) -> bytes:
    """The rows, one per line."""
    names: dict[str, bytes] = {}
    lines: list[bytes] = []
    for event, fragment, entities, historical in filed:
        name = names.get(event.event)
        if name is None:
            name = names[event.event] = _encode(event.event)
        id_ = event.event_id.hex().encode()
        lines.append(
            _ROW
            % (
                event.tenant,
                name,
                fragment,
                *divmod(event.occurred_at, 1000),
                *divmod(event.received_at, 1000),
                event.seq,
                event.source,
                id_[:8],
                id_[8:12],
                id_[12:16],
                id_[16:20],
                id_[20:],
                _encode(event.message_id),
                historical,
                _encode(entities) if entities else b"{}",
                event.properties,
            )
        )
    lines.append(b"")
    return b"\n".join(lines)

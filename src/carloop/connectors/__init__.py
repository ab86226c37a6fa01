"""Ways in. Each protocol is one file and one line in the tuple below."""

from __future__ import annotations

from collections.abc import Mapping

from carloop.connectors.own import OwnProtocol
from carloop.connectors.protocol import IngestProtocol
from carloop.connectors.segment import SegmentProtocol
from carloop.connectors.sensors import SensorsProtocol

_ALL: tuple[IngestProtocol, ...] = (OwnProtocol(), SegmentProtocol(), SensorsProtocol())
PROTOCOLS: Mapping[str, IngestProtocol] = {protocol.name: protocol for protocol in _ALL}
ROUTES: Mapping[tuple[str, str], IngestProtocol] = {
    route: protocol for protocol in _ALL for route in protocol.routes
}
"""(method, path) → protocol."""

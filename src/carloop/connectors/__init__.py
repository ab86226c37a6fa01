"""Ways in. Each protocol is one file and one line in a tuple below."""

from __future__ import annotations

from collections.abc import Mapping

from carloop.connectors.adf import AdfProtocol
from carloop.connectors.cloudevents import CloudEventsProtocol
from carloop.connectors.hook import HookProtocol
from carloop.connectors.own import OwnProtocol
from carloop.connectors.posthog import PosthogProtocol
from carloop.connectors.protocol import Decoder, IngestProtocol
from carloop.connectors.segment import SegmentProtocol
from carloop.connectors.sensors import SensorsProtocol
from carloop.connectors.snowplow import SnowplowProtocol
from carloop.connectors.webhook import WebhookProtocol
from carloop.connectors.wechat import WechatProtocol
from carloop.connectors.wecom import WecomProtocol

_ALL: tuple[IngestProtocol, ...] = (
    OwnProtocol(),
    SegmentProtocol(),
    SensorsProtocol(),
    CloudEventsProtocol(),
    PosthogProtocol(),
    SnowplowProtocol(),
    AdfProtocol(),
)
_HOOKS: tuple[HookProtocol, ...] = (WebhookProtocol(), WechatProtocol(), WecomProtocol())
PROTOCOLS: Mapping[str, IngestProtocol] = {protocol.name: protocol for protocol in _ALL}
ROUTES: Mapping[tuple[str, str], IngestProtocol] = {
    route: protocol for protocol in _ALL for route in protocol.routes
}
"""(method, path) → protocol."""
HOOKS: Mapping[str, HookProtocol] = {protocol.name: protocol for protocol in _HOOKS}
"""Protocols with settings, by name: the kind of their sources."""
DECODERS: Mapping[str, Decoder] = {**PROTOCOLS, **HOOKS}
"""Whatever may stand in the journal, by name."""

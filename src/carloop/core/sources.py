"""A source: one way in, with its own write keys and statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

EVENT_BYTES, WIRE_BYTES = "event_bytes", "wire_bytes"
"""Settings: the room for one event and one batch on the Segment routes; absent: the usual."""


class SourceKind(StrEnum):
    """What sends: decides which protocols its write keys may use."""

    WEB = "web"
    MINIPROGRAM = "miniprogram"
    APP = "app"
    SERVER = "server"
    FILE = "file"
    SYSTEM = "system"
    WEBHOOK = "webhook"
    WECHAT = "wechat"
    WECOM = "wecom"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One way in.

    Attributes:
        id: number that events carry; never re-used.
        historical: everything it sends is imported history and never triggers a journey.
        version: counts changes; the ETag of the source.
    """

    tenant: int
    id: int
    name: str
    kind: SourceKind
    historical: bool = False
    enabled: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)
    created_at: int = 0
    deleted_at: int | None = None
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSettings:
    """One version of the settings of a source that is called by an address of its own.

    Attributes:
        version: counts from 1; the highest is in force, the others stay to be looked at.
        settings: a JSON object without its secret members.
        key, sealed: those, encrypted; empty where there are none.
    """

    tenant: int
    source: int
    version: int
    settings: str
    key: bytes = b""
    sealed: bytes = b""
    created_by: str = ""
    created_at: int = 0

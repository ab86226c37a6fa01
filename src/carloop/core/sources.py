"""A source: one way in, with its own write keys and statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class SourceKind(StrEnum):
    """What sends: decides which protocols its write keys may use."""

    WEB = "web"
    MINIPROGRAM = "miniprogram"
    APP = "app"
    SERVER = "server"
    FILE = "file"
    SYSTEM = "system"


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

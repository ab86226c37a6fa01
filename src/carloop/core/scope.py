"""Who may see what: roles, permissions, and the scope compiled into every read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Permission(StrEnum):
    """What a caller may do. Every route names the one it needs."""

    EVENT_WRITE = "event.write"
    EVENT_READ = "event.read"
    PERSON_READ = "person.read"
    PERSON_REVEAL = "person.reveal"
    PERSON_WRITE = "person.write"
    PERSON_ERASE = "person.erase"
    PERSON_EXPORT = "person.export"
    SEGMENT_READ = "segment.read"
    SEGMENT_WRITE = "segment.write"
    ANALYTICS_READ = "analytics.read"
    JOURNEY_READ = "journey.read"
    JOURNEY_WRITE = "journey.write"
    JOURNEY_SEND = "journey.send"
    SOURCE_READ = "source.read"
    SOURCE_WRITE = "source.write"
    JOB_READ = "job.read"
    JOB_WRITE = "job.write"
    USER_MANAGE = "user.manage"
    AUDIT_READ = "audit.read"
    SYSTEM_MANAGE = "system.manage"


class Role(StrEnum):
    """The roles of the first version."""

    ADMIN = "admin"
    ANALYST = "analyst"
    OPERATOR = "operator"
    VIEWER = "viewer"
    DEALER_MANAGER = "dealer_manager"
    DEALER_ADVISOR = "dealer_advisor"


_P = Permission
_READ = frozenset(
    {
        _P.EVENT_READ,
        _P.SEGMENT_READ,
        _P.ANALYTICS_READ,
        _P.JOURNEY_READ,
        _P.SOURCE_READ,
        _P.JOB_READ,
    }
)
ROLE_PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.ADMIN: frozenset(Permission) - {_P.EVENT_WRITE},
    Role.ANALYST: _READ | {_P.PERSON_READ, _P.SEGMENT_WRITE},
    Role.OPERATOR: _READ
    | {
        _P.PERSON_READ,
        _P.PERSON_WRITE,
        _P.SEGMENT_WRITE,
        _P.JOURNEY_WRITE,
        _P.JOURNEY_SEND,
        _P.JOB_WRITE,
    },
    Role.VIEWER: frozenset({_P.SEGMENT_READ, _P.ANALYTICS_READ, _P.JOURNEY_READ, _P.JOB_READ}),
    Role.DEALER_MANAGER: frozenset(
        {_P.PERSON_READ, _P.EVENT_READ, _P.SEGMENT_READ, _P.ANALYTICS_READ, _P.PERSON_REVEAL}
    ),
    Role.DEALER_ADVISOR: frozenset(
        {_P.PERSON_READ, _P.EVENT_READ, _P.SEGMENT_READ, _P.ANALYTICS_READ}
    ),
}
"""A viewer sees numbers, not people; dealer roles see people of their own dealer only."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The rows a caller may see; compiled into every table read.

    Attributes:
        tenant: tenant number.
        dims: per dimension the entity numbers the caller is limited to, ``{"dealer": {3}}``.
            A person is visible when, for **every** dimension listed, it has been granted to one of
            the numbers. A dimension not listed does not limit. An empty set shows nothing.
        persons: may the caller see individual persons? If not, small counts are suppressed.
    """

    tenant: int
    dims: Mapping[str, frozenset[int]] = field(default_factory=dict)
    persons: bool = True

    @property
    def limited(self) -> bool:
        """True where some dimension limits the rows."""
        return bool(self.dims)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking: a user, an API token, a write key, or the system itself."""

    id: str
    name: str
    permissions: frozenset[Permission]
    scope: Scope
    roles: tuple[Role, ...] = ()
    source: int | None = None
    """The source a write key belongs to."""

    def may(self, permission: Permission) -> bool:
        """Whether the caller holds ``permission``."""
        return permission in self.permissions

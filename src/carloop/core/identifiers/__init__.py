"""Identifiers: what kinds there are, how each is normalised, and how far each is trusted.

A *kind* is a value (:class:`IdentifierType`); packs add kinds, the core ships the general ones in
``core.identifier_types``. A normalised identifier is a :class:`Identifier`; only its keyed hash
(``key``) is used for look-up, so that a store never needs the clear value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple
from unicodedata import category

from carloop.kit.errors import InvalidInput


class Strength(IntEnum):
    """How much a shared value says about being the same person."""

    WEAK = 1
    MEDIUM = 2
    STRONG = 3


class InvalidIdentifier(InvalidInput):
    """A value that is not a usable identifier of its type; ``code`` says why.

    Codes: ``unknown_identifier_type``, ``empty``, ``placeholder``, ``masked``, ``format``,
    ``checksum``, ``namespace_missing``, ``too_long``.
    """

    default_code = "invalid_identifier"


class RawIdentifier(NamedTuple):
    """An identifier as it was sent."""

    type: str
    value: str
    namespace: str = ""


class Identifier(NamedTuple):
    """A normalised, validated identifier."""

    type: str
    namespace: str
    value: str


@dataclass(frozen=True, slots=True)
class IdentifierType:
    """One kind of identifier.

    Attributes:
        name: stable key, snake case (``mobile``, ``openid``, ``vin``).
        title: display names by language, ``{"zh": …, "en": …}``.
        entity: the entity type it names: ``person`` or one a pack declares.
        strength: how far co-occurrence is trusted.
        priority: lower wins; decides which identifier an event is filed under, and which is dropped
            first when a limit is breached.
        normalise: value → canonical value; raises :class:`InvalidIdentifier`.
        per_entity: how many different values one person may hold (``None``: no limit).
        max_neighbours: more distinct strong neighbours than this make the value a hub (a staff
            phone, a showroom tablet), which then links nobody.
        identifying: True where the value itself is personal data shown masked.
        namespaced: True where a value means something only within a namespace (appid, corp id).
        namespace_required: False where the namespace may be left out (one login system).
        links: False for kinds that never join two persons (an IP address).
        aliases: names under which protocols send it (``$identity_mobile``, ``phone``).
    """

    name: str
    title: Mapping[str, str]
    normalise: Callable[[str], str]
    entity: str = "person"
    strength: Strength = Strength.MEDIUM
    priority: int = 100
    per_entity: int | None = None
    max_neighbours: int | None = 50
    identifying: bool = False
    namespaced: bool = False
    namespace_required: bool = True
    links: bool = True
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class IdentifierTypes:
    """The identifier types in force: the core's and those of the packs.

    Raises:
        ValueError: when two types claim one name or alias.
    """

    types: Mapping[str, IdentifierType]
    by_alias: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, types: Iterable[IdentifierType]) -> IdentifierTypes:
        """Build the registry, refusing two claims to one name."""
        by_name: dict[str, IdentifierType] = {}
        by_alias: dict[str, str] = {}
        for kind in types:
            for name in (kind.name, *kind.aliases):
                if by_alias.setdefault(name, kind.name) != kind.name or (
                    name == kind.name and name in by_name
                ):
                    raise ValueError(f"identifier name {name!r} claimed twice")
            by_name[kind.name] = kind
        return cls(by_name, by_alias)

    def __iter__(self) -> Iterator[IdentifierType]:
        return iter(self.types.values())

    def get(self, name: str) -> IdentifierType:
        """The type called ``name`` (or an alias of it).

        Raises:
            InvalidIdentifier: ``unknown_identifier_type``.
        """
        known = self.by_alias.get(name)
        if known is None:
            raise InvalidIdentifier(
                "unknown identifier type", code="unknown_identifier_type", type=name[:64]
            )
        return self.types[known]

    def normalise(self, raw: RawIdentifier) -> Identifier:
        """Validate one raw identifier.

        Raises:
            InvalidIdentifier: with a code that says why; the message never holds the value.
        """
        kind = self.get(raw.type)
        value = readable(raw.value)
        if not value:
            raise InvalidIdentifier("empty value", code="empty", type=kind.name)
        if len(value) > 255 or len(raw.namespace) > 100:
            raise InvalidIdentifier("longer than 255", code="too_long", type=kind.name)
        if not kind.namespaced:
            return Identifier(kind.name, "", kind.normalise(value))
        namespace = readable(raw.namespace)
        if kind.namespace_required and not namespace:
            raise InvalidIdentifier(
                f"{kind.name} needs a namespace", code="namespace_missing", type=kind.name
            )
        return Identifier(kind.name, namespace, kind.normalise(value))


def readable(text: str) -> str:
    """Stripped of spaces and of invisible format characters that come with copied text.

    Raises:
        InvalidIdentifier: ``format``: control characters or broken text.

    >>> readable(" \u202d139\u202c ")
    '139'
    """
    text = text.strip()
    if not text or (text.isascii() and text.isprintable()):
        return text
    kept = [" " if category(c) == "Zs" else c for c in text if category(c) != "Cf"]
    text = "".join(kept).strip()
    if not text.isprintable():
        raise InvalidIdentifier("holds control characters", code="format")
    return text


def identifier_bytes(identifier: Identifier) -> bytes:
    r"""The unambiguous byte form that a keyed hash is taken of.

    >>> identifier_bytes(Identifier("mobile", "", "13912345678"))
    b'mobile\x1f\x1f13912345678'
    """
    return "\x1f".join(identifier).encode()

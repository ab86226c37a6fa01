"""Packs are found through the entry point ``carloop.packs``; nothing imports one."""

from __future__ import annotations

from importlib import metadata

from carloop.core.pack import Pack
from carloop.core.registry import Catalogue
from carloop.kit.errors import InvalidInput

GROUP = "carloop.packs"


def load_packs(chosen: str = "*") -> tuple[Pack, ...]:
    """The packs named in ``chosen`` (comma-separated), ``*`` for all installed, empty for none.

    Raises:
        InvalidInput: ``pack_unknown``: no installed pack has that name.
    """
    found = {point.name: point for point in metadata.entry_points(group=GROUP)}
    names = sorted(found) if chosen == "*" else [n.strip() for n in chosen.split(",") if n.strip()]
    packs = []
    for name in names:
        if name not in found:
            raise InvalidInput(
                f"no pack called {name!r}; installed: {', '.join(sorted(found)) or 'none'}",
                code="pack_unknown",
            )
        pack = found[name].load()
        assert isinstance(pack, Pack)
        packs.append(pack)
    return tuple(packs)


def load_catalogue(chosen: str = "*") -> Catalogue:
    """The catalogue of the core and the chosen packs."""
    return Catalogue.of(load_packs(chosen))

"""Wires who may do what: passwords, callers, users, keys, sources."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from carloop.app.access.callers import Callers, EntityNumbers
from carloop.app.access.keys import Keys
from carloop.app.access.passwords import Passwords
from carloop.app.access.signing_in import Access, SessionLimits
from carloop.app.access.users import Users
from carloop.app.entities.registry import EntityRegistry
from carloop.app.source_limits import SourceLimits
from carloop.app.source_settings import SourceDesk
from carloop.app.sources import Sources
from carloop.bootstrap.files import HooksFile, KeysFile, replace_file
from carloop.bootstrap.settings import Settings
from carloop.bootstrap.stores import TENANT, Stores
from carloop.core.access import User
from carloop.core.events import EntityRef
from carloop.core.ports.state import Tx
from carloop.core.registry import Catalogue
from carloop.kit.clock import Clock
from carloop.kit.errors import InvalidInput


def wire_access(
    settings: Settings, stores: Stores, catalogue: Catalogue, clock: Clock
) -> dict[str, object]:
    """``access``, ``users``, ``keys`` and ``sources`` for :class:`~carloop.api.services.Services`.

    A fresh credential for the command line is written to ``DIR/run``; so is the first admin's
    password, until it is changed.
    """
    local_token = secrets.token_urlsafe(32)
    replace_file(settings.local_token_file, local_token.encode())
    passwords = Passwords()
    callers = Callers(catalogue, entity_numbers(stores, catalogue))

    def forget_first_password(user: User) -> None:
        if user.id == 1:
            settings.admin_password_file.unlink(missing_ok=True)

    access = Access(
        stores.state,
        clock,
        callers,
        passwords,
        tenant=TENANT,
        limits=SessionLimits(
            settings.session_idle_minutes * 60_000, settings.session_hours * 3_600_000
        ),
        local_token=local_token,
        password_changed=forget_first_password,
    )
    keys = Keys(stores.state, clock, callers, access, KeysFile(settings.keys_file))
    desk = SourceDesk(stores.state, stores.cipher, clock, HooksFile(settings.hooks_file))
    return {
        "source_desk": desk,
        "access": access,
        "users": Users(stores.state, clock, callers, passwords, access),
        "keys": keys,
        "source_limits": SourceLimits(stores.state, keys),
        "sources": Sources(stores.state, stores.event_store, clock, keys, _rejected, desk),
    }


def entity_numbers(stores: Stores, catalogue: Catalogue) -> EntityNumbers:
    """Looks entities up by their keys, without creating any."""
    registry = EntityRegistry(catalogue, stores.cipher)

    def numbers(tx: Tx, tenant: int, type: str, keys: Sequence[str]) -> list[int]:
        wanted = []
        for key in keys:
            try:
                identifier = registry.normalise(EntityRef(type, key))
            except InvalidInput:
                continue
            wanted.append(stores.cipher.identifier_key(tenant, identifier))
        return [entity.number for entity in tx.entities.by_keys(tenant, type, wanted)]

    return numbers


def _rejected(tx: Tx, tenant: int, since: int) -> dict[int, int]:
    return tx.quarantine.count_since(tenant, since)

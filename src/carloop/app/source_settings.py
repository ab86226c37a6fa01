"""Settings of sources that are called by an address of their own: sealed, versioned, tried out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from carloop.connectors import DECODERS, HOOKS
from carloop.connectors.hook import HookProtocol, Place
from carloop.connectors.mapping import compile_mapping
from carloop.connectors.protocol import Request
from carloop.connectors.webhook import elements_of, json_body
from carloop.core.events import Decoded, Received
from carloop.core.hooks import Hook, clear_settings, seal_secrets
from carloop.core.ports.state import State, Tx
from carloop.core.ports.vault import Cipher
from carloop.core.registry import Catalogue
from carloop.core.scope import Caller
from carloop.core.sealed import renewed, secret_names
from carloop.core.sources import Source, SourceSettings
from carloop.kit.clock import Clock, to_ms
from carloop.kit.errors import CarloopError, InvalidInput, NotFound

Publish = Callable[[Sequence[Hook]], None]
MOST_VERSIONS = 100


@dataclass(frozen=True, slots=True)
class SettingsView:
    """Settings as they may be shown; ``secrets`` names the secret ones that are set."""

    path: str
    version: int
    settings: Mapping[str, Any]
    secrets: tuple[str, ...]
    created_by: str
    created_at: int


@dataclass(frozen=True, slots=True)
class Trial:
    """What a sample would become; ``unread``: members that the mapping leaves out."""

    decoded: Decoded
    unread: tuple[str, ...]


class SourceDesk:
    """Keeps the settings of sources and tells the gateway.

    Args:
        publish: replaces what the gateway reads.
    """

    def __init__(self, state: State, cipher: Cipher, clock: Clock, publish: Publish) -> None:
        self._state = state
        self._cipher = cipher
        self._clock = clock
        self._publish = publish

    def kinds(self, catalogue: Catalogue) -> list[dict[str, Any]]:
        """Every kind with settings: its titles, the schema of its settings, and presets."""
        presets = [
            {
                "name": preset.name,
                "title": dict(preset.title),
                "settings": dict(preset.settings),
                "documented": list(preset.documented),
                "assumed": list(preset.assumed),
            }
            for pack in catalogue.packs
            for preset in pack.webhook_presets
        ]
        return [
            {
                "kind": name,
                "title": dict(protocol.title),
                "schema": protocol.schema(),
                "presets": presets if name == "webhook" else [],
            }
            for name, protocol in HOOKS.items()
        ]

    def put(self, tx: Tx, caller: Caller, source: Source, settings: Mapping[str, Any]) -> None:
        """Keep a new version; a secret that is left out or null stays as it is.

        Raises:
            InvalidInput: a setting is wrong, or sources of this kind have none.
        """
        protocol = _protocol(source)
        before = tx.sources.settings(source.tenant, source.id)
        known = self._clear(before) if before else {}
        after = renewed(known, settings, secret_names(protocol.schema()))
        try:
            protocol.open(after)
        except InvalidInput as error:
            raise InvalidInput(
                error.message, code=error.code, path=f"settings.{error.path}"
            ) from error
        secrets = self._secrets(protocol, after)
        public = {name: value for name, value in after.items() if name not in secrets}
        key, sealed = seal_secrets(self._cipher, source.tenant, source.id, secrets)
        tx.sources.add_settings(
            SourceSettings(
                tenant=source.tenant,
                source=source.id,
                version=(before.version if before else 0) + 1,
                settings=json.dumps(public, ensure_ascii=False),
                key=key,
                sealed=sealed,
                created_by=caller.id,
                created_at=to_ms(self._clock.now()),
            )
        )

    def view(self, tx: Tx, source: Source) -> SettingsView | None:
        """The settings in force; None where the source has none."""
        found = tx.sources.settings(source.tenant, source.id) if source.kind in HOOKS else None
        return None if found is None else self._view(source, found)

    def versions(self, caller: Caller, id: int) -> list[SettingsView]:
        """Newest first, the hundred latest.

        Raises:
            NotFound: no such source.
        """
        with self._state.read() as tx:
            source = _found(tx, caller.scope.tenant, id)
            kept = tx.sources.settings_versions(source.tenant, source.id, MOST_VERSIONS)
        return [self._view(source, one) for one in kept]

    def publish(self) -> None:
        """Tell the gateway which sources may be called now."""
        hooks: list[Hook] = []
        with self._state.read() as tx:
            for source in tx.sources.list():
                if source.kind not in HOOKS or not source.enabled or source.deleted_at is not None:
                    continue
                found = tx.sources.settings(source.tenant, source.id)
                if found is not None:
                    hooks.append(
                        Hook(
                            tenant=source.tenant,
                            source=source.id,
                            protocol=str(source.kind),
                            version=found.version,
                            settings=found.settings,
                            key=found.key,
                            sealed=found.sealed,
                        )
                    )
        self._publish(hooks)

    def renewed(self, tx: Tx, received: Received) -> str:
        """The hint that a replay decodes with: of the settings in force, where there are any."""
        protocol = HOOKS.get(received.protocol)
        found = tx.sources.settings(received.tenant, received.source) if protocol else None
        if protocol is None or found is None:
            return received.hint
        try:
            return protocol.open(self._clear(found)).hint()
        except CarloopError:
            return received.hint

    def try_out(
        self, caller: Caller, id: int, body: bytes, content_type: str, mapping: Any = None
    ) -> Trial:
        """Decode a sample without keeping it, by the mapping in force or by another.

        Raises:
            NotFound: no such source.
            InvalidInput: the source is no webhook, the mapping is wrong, the sample unreadable.
        """
        with self._state.read() as tx:
            source = _found(tx, caller.scope.tenant, id)
            protocol = _protocol(source)
            found = tx.sources.settings(source.tenant, source.id)
        if protocol.name != "webhook":
            raise InvalidInput("only webhooks have a mapping", code="no_mapping", path="id")
        clear = self._clear(found) if found else {}
        text = json.dumps(clear.get("mapping") if mapping is None else mapping)
        compiled = compile_mapping(text)
        request = Request("POST", "", headers={"content-type": content_type}, body=body)
        sample = json_body(request, str(clear.get("content", "auto")), protocol.limits)
        received = Received(
            tenant=source.tenant,
            source=source.id,
            protocol=protocol.name,
            received_at=to_ms(self._clock.now()),
            body=sample,
            hint=text,
        )
        decoded = DECODERS["webhook"].decode(received, protocol.limits)
        unread: dict[str, None] = {}
        for element in elements_of(compiled, sample):
            unread |= dict.fromkeys(compiled.unread(element))
        return Trial(decoded, tuple(unread))

    def _view(self, source: Source, found: SourceSettings) -> SettingsView:
        protocol = HOOKS[source.kind]
        names = self._secrets(protocol, self._clear(found))
        return SettingsView(
            path=Place(protocol.word, source.tenant, source.id).path(),
            version=found.version,
            settings=json.loads(found.settings),
            secrets=tuple(names),
            created_by=found.created_by,
            created_at=found.created_at,
        )

    def _clear(self, found: SourceSettings) -> dict[str, Any]:
        return clear_settings(
            self._cipher, found.tenant, found.source, found.settings, found.key, found.sealed
        )

    @staticmethod
    def _secrets(protocol: HookProtocol, settings: Mapping[str, Any]) -> dict[str, Any]:
        names = secret_names(protocol.schema())
        return {name: settings[name] for name in names if settings.get(name)}


def _protocol(source: Source) -> HookProtocol:
    protocol = HOOKS.get(source.kind)
    if protocol is None:
        raise InvalidInput(
            "sources of this kind have no settings", code="setting_unknown", path="settings"
        )
    return protocol


def _found(tx: Tx, tenant: int, id: int) -> Source:
    source = tx.sources.get(tenant, id)
    if source is None or source.deleted_at is not None:
        raise NotFound("no such source")
    return source

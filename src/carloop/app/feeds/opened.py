"""Feeds from their stored form: settings unsealed, the kind looked up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from carloop.core.feeds import Allowed, Feed, FeedKinds
from carloop.core.ports.feeds import StoredFeed
from carloop.core.ports.vault import Cipher
from carloop.core.sealed import seal, secret_names, unseal
from carloop.kit.errors import InvalidInput


class OpenFeeds:
    """Opens feeds; holds the kinds and what the installation lets them reach."""

    def __init__(self, cipher: Cipher, kinds: FeedKinds, allowed: Allowed) -> None:
        self.kinds = kinds
        self._cipher = cipher
        self._allowed = allowed

    def of(self, stored: StoredFeed) -> Feed:
        """A stored feed, ready to be read; close it.

        Raises:
            InvalidInput: its settings no longer hold, or its kind is unknown.
        """
        return self.open(stored.kind, self.settings(stored))

    def open(self, kind: str, settings: Mapping[str, Any]) -> Feed:
        """A feed from clear settings.

        Raises:
            InvalidInput: ``feed_kind``, or a setting is wrong (``path`` names it).
        """
        if kind not in self.kinds:
            raise InvalidInput("no such kind of feed", code="feed_kind", path="kind")
        try:
            return self.kinds[kind].open(settings, self._allowed)
        except InvalidInput as error:
            path = f"settings.{error.path}" if error.path else "settings"
            raise InvalidInput(error.message, code=error.code, path=path) from error

    def settings(self, stored: StoredFeed) -> dict[str, Any]:
        """The clear settings, secrets among them."""
        owner = _owner(stored.tenant, stored.uuid)
        return unseal(self._cipher, stored.key, stored.settings_enc, owner)

    def sealed(self, tenant: int, uuid: str, settings: Mapping[str, Any]) -> tuple[bytes, bytes]:
        """``(wrapped key, encrypted settings)``."""
        return seal(self._cipher, settings, _owner(tenant, uuid))

    def shown(self, stored: StoredFeed) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Settings without the secret ones, and the names of those that are set."""
        settings, secret = self.settings(stored), self.secrets(stored.kind)
        clear = {name: value for name, value in settings.items() if name not in secret}
        return clear, tuple(name for name in secret if settings.get(name))

    def secrets(self, kind: str) -> list[str]:
        """Names of the secret settings of a kind."""
        return secret_names(self.kinds[kind].schema())


def _owner(tenant: int, uuid: str) -> str:
    return f"{tenant}:feed:{uuid}"

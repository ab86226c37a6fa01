"""Channels as people set them up: sealed settings, secrets shown to nobody, a test on request."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from pydantic import TypeAdapter, ValidationError

from carloop.core.documents import refused
from carloop.core.message import Message, Outcome, Refused, Sent
from carloop.core.ports.channels import Channel, ChannelKinds, StoredChannel
from carloop.core.ports.state import State
from carloop.core.ports.vault import Cipher
from carloop.core.scope import Caller
from carloop.core.sealed import renewed, seal, secret_names, unseal
from carloop.engines.journeys.guards import Policy
from carloop.kit.clock import Clock, to_ms
from carloop.kit.errors import Conflict, InvalidInput

_POLICY: TypeAdapter[Policy] = TypeAdapter(Policy)


def read_policy(document: str) -> Policy:
    """A channel's quiet hours and cap.

    Raises:
        InvalidInput: ``policy_invalid`` with the ``path`` of the fault.
    """
    try:
        return _POLICY.validate_json(document)
    except ValidationError as error:
        raise refused(error, "policy_invalid", "policy") from error


class OpenChannels:
    """Opened channels, kept until their settings change. Thread-safe."""

    def __init__(self, cipher: Cipher, kinds: ChannelKinds, allowed_hosts: tuple[str, ...]) -> None:
        self.kinds = kinds
        self._cipher = cipher
        self._allowed = allowed_hosts
        self._open: dict[int, tuple[int, Channel]] = {}
        self._lock = threading.Lock()

    def of(self, stored: StoredChannel) -> Channel:
        """The channel in its newest settings.

        Raises:
            InvalidInput: its settings no longer hold, or its kind is unknown.
            Permanent: ``key_unreadable``, ``value_unreadable``.
        """
        with self._lock:
            known = self._open.get(stored.id)
            if known is not None and known[0] == stored.revision:
                return known[1]
            channel = self.try_out(stored.kind, self.settings(stored))
            self._open[stored.id] = (stored.revision, channel)
        if known is not None:
            known[1].close()
        return channel

    def try_out(self, kind: str, settings: Mapping[str, Any]) -> Channel:
        """A channel from clear settings.

        Raises:
            InvalidInput: a setting is wrong, or the kind is unknown.
        """
        if kind not in self.kinds:
            raise InvalidInput("no such kind of channel", code="channel_kind", path="kind")
        try:
            return self.kinds[kind].open(settings, self._allowed)
        except InvalidInput as error:
            raise InvalidInput(
                error.message, code=error.code, path=f"settings.{error.path}"
            ) from error

    def seal(self, tenant: int, uuid: str, settings: Mapping[str, Any]) -> tuple[bytes, bytes]:
        """``(wrapped key, encrypted settings)``."""
        return seal(self._cipher, settings, _owner(tenant, uuid))

    def settings(self, stored: StoredChannel) -> dict[str, Any]:
        """The clear settings, secrets among them."""
        owner = _owner(stored.tenant, stored.uuid)
        return unseal(self._cipher, stored.key, stored.settings_enc, owner)

    def close(self) -> None:
        """Close every channel."""
        with self._lock:
            for _, channel in self._open.values():
                channel.close()
            self._open.clear()


@dataclass(frozen=True, slots=True)
class ChannelView:
    """A channel as it may be shown; ``secrets`` names the secret settings that are set."""

    stored: StoredChannel
    settings: Mapping[str, Any]
    secrets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a test came to; ``outcome`` is ``sent``, ``refused`` or ``unclear``."""

    outcome: str
    reason: str


class ChannelDesk:
    """Create, change, test and remove channels."""

    def __init__(self, state: State, channels: OpenChannels, clock: Clock) -> None:
        self._state = state
        self._channels = channels
        self._clock = clock

    def kinds(self) -> list[dict[str, Any]]:
        """Every kind with its titles and the JSON schema of its settings."""
        return [
            {"kind": kind, "title": dict(channel.title), "schema": channel.schema()}
            for kind, channel in self._channels.kinds.items()
        ]

    def all(self, caller: Caller) -> list[ChannelView]:
        """All channels of the caller's tenant."""
        with self._state.read() as tx:
            return [self._view(it) for it in tx.channels.list(caller.scope.tenant)]

    def get(self, caller: Caller, uuid: str) -> ChannelView:
        """One channel; raises ``NotFound``."""
        with self._state.read() as tx:
            return self._view(tx.channels.get(caller.scope.tenant, uuid))

    def create(
        self, caller: Caller, kind: str, name: str, settings: Mapping[str, Any], policy: str
    ) -> ChannelView:
        """A new channel; raises ``InvalidInput``."""
        self._channels.try_out(kind, settings).close()
        read_policy(policy)
        now = to_ms(self._clock.now())
        uuid = str(uuid4())
        key, sealed = self._channels.seal(caller.scope.tenant, uuid, settings)
        channel = StoredChannel(
            tenant=caller.scope.tenant,
            uuid=uuid,
            kind=kind,
            name=name,
            policy=policy,
            key=key,
            settings_enc=sealed,
            created_by=caller.id,
            created_at=now,
            updated_at=now,
        )
        with self._state.write() as tx:
            channel = tx.channels.add(channel)
        return self._view(channel)

    def change(
        self,
        caller: Caller,
        uuid: str,
        revision: int | None,
        *,
        name: str | None = None,
        enabled: bool | None = None,
        settings: Mapping[str, Any] | None = None,
        policy: str | None = None,
    ) -> ChannelView:
        """Change what is given; a secret that is left out or null stays as it is.

        Raises:
            NotFound: no such channel.
            Conflict: ``stale``: ``revision`` is not the newest.
            InvalidInput: a setting is wrong.
        """
        with self._state.write() as tx:
            channel = tx.channels.get(caller.scope.tenant, uuid)
            if revision is not None and revision != channel.revision:
                raise Conflict("the channel was changed meanwhile", code="stale")
            if settings is not None:
                key, sealed = self._resealed(channel, settings)
                channel = replace(channel, key=key, settings_enc=sealed)
            if policy is not None:
                read_policy(policy)
            channel = tx.channels.save(
                replace(
                    channel,
                    name=channel.name if name is None else name,
                    enabled=channel.enabled if enabled is None else enabled,
                    policy=channel.policy if policy is None else policy,
                    updated_at=to_ms(self._clock.now()),
                )
            )
        return self._view(channel)

    def remove(self, caller: Caller, uuid: str) -> None:
        """Delete softly; what waits for it is suppressed."""
        with self._state.write() as tx:
            channel = tx.channels.get(caller.scope.tenant, uuid)
            tx.channels.remove(channel, to_ms(self._clock.now()))
            tx.sends.drop("channel_removed", channel=channel.id)

    def test(self, caller: Caller, uuid: str, address: str) -> Attempt:
        """Send one test message to ``address``, which is kept nowhere."""
        with self._state.read() as tx:
            stored = tx.channels.get(caller.scope.tenant, uuid)
        text = "这是一条测试消息。This is a test message."
        return self.attempt(stored, address, "carloop 测试 test", text, "", self._clock.now())

    def attempt(
        self,
        stored: StoredChannel,
        address: str,
        subject: str,
        text: str,
        html: str,
        now: datetime,
    ) -> Attempt:
        """One attempt outside every journey, to an address that a caller gave."""
        channel = self._channels.of(stored)
        message = Message(f"test:{uuid4()}", address, "test", subject, text, html)
        return _attempt(channel.send(message, now))

    def _resealed(self, channel: StoredChannel, settings: Mapping[str, Any]) -> tuple[bytes, bytes]:
        before = self._channels.settings(channel)
        after = renewed(before, settings, self._secret(channel.kind))
        self._channels.try_out(channel.kind, after).close()
        return self._channels.seal(channel.tenant, channel.uuid, after)

    def _secret(self, kind: str) -> list[str]:
        return secret_names(self._channels.kinds[kind].schema())

    def _view(self, stored: StoredChannel) -> ChannelView:
        settings = self._channels.settings(stored)
        secret = self._secret(stored.kind)
        shown = {name: value for name, value in settings.items() if name not in secret}
        return ChannelView(stored, shown, tuple(n for n in secret if settings.get(n)))


def _attempt(outcome: Outcome) -> Attempt:
    if isinstance(outcome, Sent):
        return Attempt("sent", "")
    return Attempt("refused" if isinstance(outcome, Refused) else "unclear", outcome.reason)


def _owner(tenant: int, uuid: str) -> str:
    return f"{tenant}:channel:{uuid}"

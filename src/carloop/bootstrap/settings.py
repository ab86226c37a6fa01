"""Settings, read once from ``CARLOOP_*`` and the command line into one frozen value."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from carloop.kit.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Settings:
    """What one installation is told from outside; ``CARLOOP_<NAME>`` sets each.

    Attributes:
        data: directory that holds everything the server keeps.
        host, port: where the gateway listens.
        state_url: SQLAlchemy URL of the state store; empty: SQLite under ``data``.
        event_store_url: ``http(s)://…`` of a ClickHouse; empty: chDB under ``data``.
        packs: entry-point names of the packs in force, comma-separated; ``*`` all, empty none.
        zone: IANA time zone of a new tenant.
        log_level: ``debug``, ``info``, ``warning`` or ``error``.
        log_format: ``json`` lines, ``text`` for people, or ``auto``: text on a terminal.
        journal_days: days that received bodies are kept for replay.
        event_memory_mb: memory limit of one read of events, in MiB; 0: half of the machine.
        session_idle_minutes: a session ends after this long without a request.
        session_hours: a session ends this long after sign-in, whatever happens.
        public_url: where people reach this server, for unsubscribe links; empty: no links.
        consent_default: ``deny`` or ``grant``: may a person be written to who never said?
        allowed_hosts: private hosts and networks that may be reached, comma-separated.
        allowed_folders: directories whose files feeds may read, comma-separated.
        faults: directory where tests name the point at which a process dies; empty: never.
    """

    data: Path = Path("data")
    host: str = "127.0.0.1"
    port: int = 8000
    state_url: str = ""
    event_store_url: str = ""
    packs: str = "*"
    zone: str = "Asia/Shanghai"
    log_level: str = "info"
    log_format: str = "auto"
    journal_days: int = 7
    event_memory_mb: int = 0
    session_idle_minutes: int = 120
    session_hours: int = 24
    public_url: str = ""
    consent_default: str = "deny"
    allowed_hosts: str = ""
    allowed_folders: str = ""
    faults: str = ""

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
        """Defaults, then ``CARLOOP_*``, then ``overrides`` (None: not given).

        Raises:
            InvalidInput: ``setting_invalid``: a number that is not one.

        >>> Settings.from_env({"CARLOOP_PORT": "9000"}, host=None).port
        9000
        """
        env = os.environ if env is None else env
        values: dict[str, Any] = {}
        for field in fields(cls):
            text = env.get(f"CARLOOP_{field.name.upper()}")
            if text is not None:
                values[field.name] = _parse(field.name, str(field.type), text)
        values.update({name: value for name, value in overrides.items() if value is not None})
        settings = cls(**values)
        return replace(settings, data=Path(settings.data).expanduser().absolute())

    @property
    def run(self) -> Path:
        """Sockets, locks and published files of the running server."""
        return self.data / "run"

    @property
    def engine_socket(self) -> Path:
        """Where the engine listens."""
        return self.run / "engine.sock"

    @property
    def keys_file(self) -> Path:
        """The write keys as the gateway reads them."""
        return self.run / "keys.json"

    @property
    def hooks_file(self) -> Path:
        """Settings of sources with an address of their own, as the gateway reads them."""
        return self.run / "hooks.json"

    @property
    def lock_file(self) -> Path:
        """Held by whichever process owns the data directory."""
        return self.run / "lock"

    @property
    def admin_password_file(self) -> Path:
        """The first admin's generated password, until it is changed."""
        return self.run / "admin-password"

    @property
    def demo_file(self) -> Path:
        """Which demo was begun, and whether it is complete."""
        return self.run / "demo.json"

    @property
    def local_token_file(self) -> Path:
        """A credential by which the command line on this machine speaks to the server."""
        return self.run / "local.token"


def _parse(name: str, type_: str, text: str) -> Any:
    if type_ == "int":
        try:
            return int(text)
        except ValueError:
            raise InvalidInput(
                f"CARLOOP_{name.upper()} must be a whole number", code="setting_invalid"
            ) from None
    return Path(text) if type_ == "Path" else text

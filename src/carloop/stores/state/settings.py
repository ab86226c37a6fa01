"""Settings of the installation, kept as JSON text."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from carloop.stores.state.tables.settings import setting


class SqlSettings:
    """``core.ports.settings.Settings`` over SQLAlchemy."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, key: str, default: Any = None) -> Any:
        """The value, or ``default``."""
        text = self._connection.scalar(select(setting.c.value).where(setting.c.key == key))
        return default if text is None else json.loads(text)

    def put(self, key: str, value: Any) -> None:
        """Set or replace the value."""
        text = json.dumps(value, ensure_ascii=False)
        changed = self._connection.execute(
            update(setting).where(setting.c.key == key).values(value=text)
        )
        if changed.rowcount == 0:
            self._connection.execute(insert(setting).values(key=key, value=text))

    def remove(self, key: str) -> None:
        """Forget the key."""
        self._connection.execute(delete(setting).where(setting.c.key == key))

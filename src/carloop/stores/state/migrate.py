"""Schema revisions of the state store: frozen Alembic scripts inside the package.

A released script never changes. After changing ``tables/``, draft the next one and read it:

    python -m carloop.stores.state.migrate 0002 "What it does."
"""

from __future__ import annotations

import sys
import tempfile

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from carloop.kit.errors import Conflict
from carloop.stores.state.schema import metadata


def upgrade(connection: Connection) -> None:
    """Bring the schema to the newest revision, inside the connection's transaction.

    Raises:
        Conflict: ``state_store_newer``: a revision of it is not known to this version.
    """
    config = configuration()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    found = MigrationContext.configure(connection).get_current_revision()
    if found is not None and found not in known:
        raise Conflict("the state store is of a newer carloop", code="state_store_newer")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def head() -> str:
    """The newest revision."""
    revision = ScriptDirectory.from_config(configuration()).get_current_head()
    assert revision is not None, "the package has migrations"
    return revision


def differences(connection: Connection) -> list[object]:
    """What separates the database from the tables as the code declares them."""
    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "compare_server_default": True}
    )
    return list(compare_metadata(context, metadata))


def draft(revision: str, message: str) -> None:
    """Write a script that leads from the newest revision to the tables of the code."""
    from carloop.stores.state.store import SqlState

    with tempfile.TemporaryDirectory() as directory:
        state = SqlState(f"sqlite:///{directory}/state.db")
        with state.writer.begin() as connection:
            config = configuration()
            config.attributes["connection"] = connection
            if ScriptDirectory.from_config(config).get_current_head() is not None:
                command.upgrade(config, "head")
            command.revision(config, message=message, rev_id=revision, autogenerate=True)
        state.close()


def configuration() -> Config:
    """Alembic's settings; it finds the scripts in the package, needs no ini file."""
    config = Config()
    config.set_main_option("script_location", "carloop.stores.state:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["metadata"] = metadata
    return config


if __name__ == "__main__":
    draft(sys.argv[1], sys.argv[2])

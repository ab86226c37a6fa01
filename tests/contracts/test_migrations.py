"""The frozen scripts build exactly the tables the code declares, on both engines."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from carloop.kit.errors import Conflict
from carloop.stores.state import tables
from carloop.stores.state.migrate import differences, head
from carloop.stores.state.schema import MODULES, metadata
from carloop.stores.state.store import SqlState
from tests.support.postgres import PostgresSchema, postgres_url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def bare(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlState]:
    """A database without any table."""
    if request.param == "sqlite":
        state = SqlState(f"sqlite:///{tmp_path}/state.db")
        yield state
        state.close()
        return
    url = postgres_url()
    if url is None:
        pytest.skip("no PostgreSQL answers on 127.0.0.1:5432")
    schema = PostgresSchema.create(url)
    yield schema.state
    schema.drop()


def test_a_store_of_a_newer_version_is_left_alone(bare: SqlState) -> None:
    bare.migrate()
    with bare.writer.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Conflict, match="newer"):
        bare.migrate()


def test_an_upgrade_builds_what_the_code_declares(bare: SqlState) -> None:
    bare.migrate()
    with bare.writer.begin() as connection:
        assert differences(connection) == []
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == head()


def test_an_upgrade_is_harmless_when_repeated(bare: SqlState) -> None:
    bare.migrate()
    with bare.write() as tx:
        tx.settings.put("a", 1)
    bare.migrate()
    with bare.read() as tx:
        assert tx.settings.get("a") == 1


def test_numbers_are_never_given_twice_on_sqlite(tmp_path: Path) -> None:
    state = SqlState(f"sqlite:///{tmp_path}/state.db")
    state.migrate()
    declared = {
        table.name
        for table in metadata.sorted_tables
        if table.dialect_options["sqlite"].get("autoincrement")
    }
    with state.writer.begin() as connection:
        texts = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'table'"))
        built = {name for name, sql in texts if sql and "AUTOINCREMENT" in sql}
    state.close()
    assert built == declared
    assert "projection_queue" in declared


def test_every_table_file_is_listed() -> None:
    files = {f"{tables.__name__}.{module.name}" for module in pkgutil.iter_modules(tables.__path__)}
    assert {module.__name__ for module in MODULES} == files - {f"{tables.__name__}.base"}


def test_the_scripts_import_nothing_of_ours() -> None:
    folder = Path(tables.__path__[0]).parent / "migrations"
    scripts = list(folder.rglob("*.py"))
    assert len(scripts) >= 2
    for script in scripts:
        assert "carloop" not in script.read_text("utf-8")


def test_primary_keys_lead_with_the_tenant(bare: SqlState) -> None:
    bare.migrate()
    with bare.writer.begin() as connection:
        inspector = inspect(connection)
        for table in metadata.sorted_tables:
            key = inspector.get_pk_constraint(table.name)["constrained_columns"]
            assert key, table.name
            if "tenant" in key:
                assert key[0] == "tenant", table.name

from __future__ import annotations

import pytest

from carloop.kit.errors import InvalidInput
from carloop.stores.clickhouse.migrate import migrations, render
from carloop.stores.clickhouse.statements import require_single, split


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1",
        "SELECT ';'",
        "SELECT 'it\\'s ;'",
        "SELECT 'it''s ;'",
        'SELECT ";", `a;b`',
        "SELECT 1 -- ; '\n",
        "SELECT /* ; ' */ 1",
        "SELECT 4 / 2 - 1 -- ;",
        "SELECT $1, # no semicolon at all, so nothing to guess",
    ],
)
def test_one_statement_passes(text: str) -> None:
    require_single(text)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1;",
        "SELECT 1; SELECT 2",
        "SELECT '\\\\'; DROP TABLE t --'",
        "SELECT 1 -- '\n; DROP TABLE t",
        "SELECT '; DROP TABLE t",
        "SELECT # '\n; --'",
        "SELECT $a$'$a$; --'",
        "SELECT \u2018 ;",
        "SELECT /* /* */ ; */",
        "SELECT 1 // ;",
        "SELECT 1\0",
    ],
)
def test_more_than_one_is_refused_and_so_is_doubt(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        require_single(text)
    assert caught.value.code == "query_refused"


def test_a_file_splits_into_its_statements() -> None:
    text = "-- first; one\nCREATE TABLE a (b String DEFAULT ';');\n\n/* ; */\nSELECT 2;\n-- end;\n"
    assert split(text) == [
        "-- first; one\nCREATE TABLE a (b String DEFAULT ';')",
        "/* ; */\nSELECT 2",
    ]


def test_migrations_are_numbered_without_gaps() -> None:
    numbers = [int(name.split("_")[0]) for name, _ in migrations()]
    assert numbers == list(range(1, len(numbers) + 1))


def test_embedded_tables_are_plain() -> None:
    for _, text in migrations():
        for statement in render(text, None):
            assert "ON CLUSTER" not in statement
            assert "Replicated" not in statement
            assert "{engine" not in statement


def test_cluster_tables_are_replicated_everywhere() -> None:
    tables = [
        statement
        for _, text in migrations()
        for statement in render(text, "carloop")
        if "CREATE TABLE" in statement
    ]
    assert len(tables) >= 4
    for statement in tables:
        assert "ON CLUSTER carloop" in statement
        assert "'/clickhouse/tables/{uuid}/{shard}', '{replica}'" in statement
    versioned = "'{replica}', version, deleted)"
    assert sum(versioned in statement for statement in tables) >= 3


def test_a_cluster_name_is_an_identifier() -> None:
    with pytest.raises(ValueError, match="not an identifier"):
        render("CREATE TABLE t {on_cluster}", "c; DROP TABLE t")

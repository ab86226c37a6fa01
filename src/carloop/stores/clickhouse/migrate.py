"""Numbered ``.sql`` files, applied once each, the same ones embedded and on a cluster.

``{on_cluster}`` becomes ``ON CLUSTER name`` or nothing; ``{engine:X}`` becomes ``X`` or its
replicated form. Every statement is harmless when repeated, so that a runner that died halfway
starts the file again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from importlib import resources

from carloop.kit.errors import Conflict
from carloop.kit.faults import reach
from carloop.sql import ident
from carloop.stores.clickhouse.statements import split

_ENGINE = re.compile(r"\{engine:(\w+)(?:\(([^)]*)\))?\}")
_REPLICA = "'/clickhouse/tables/{uuid}/{shard}', '{replica}'"
_LEDGER = """
CREATE TABLE IF NOT EXISTS schema_migrations {on_cluster}
(name String, applied_at DateTime('UTC') DEFAULT now())
ENGINE = {engine:MergeTree} ORDER BY name
"""


def migrations() -> list[tuple[str, str]]:
    """``(name, text)`` of every migration, in order."""
    folder = resources.files("carloop.stores.clickhouse") / "migrations"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return [(f.name.removesuffix(".sql"), f.read_text("utf-8")) for f in files]


def render(text: str, cluster: str | None) -> list[str]:
    """The statements of one migration for this kind of installation.

    >>> render("CREATE TABLE t {on_cluster} (a UInt8) ENGINE = {engine:MergeTree} ORDER BY a", "c")
    ["CREATE TABLE t ON CLUSTER c (a UInt8) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{uuid}\
/{shard}', '{replica}') ORDER BY a"]
    """

    def engine(match: re.Match[str]) -> str:
        name, arguments = match.group(1), match.group(2)
        if cluster is None:
            return f"{name}({arguments})" if arguments else name
        return f"Replicated{name}({', '.join(filter(None, (_REPLICA, arguments)))})"

    on_cluster = f"ON CLUSTER {ident(cluster)}" if cluster else ""
    return split(_ENGINE.sub(engine, text.replace("{on_cluster}", on_cluster)))


def migrate(
    run: Callable[[str], None], applied: Callable[[], set[str]], cluster: str | None
) -> Sequence[str]:
    """Apply what is not applied yet; returns the names.

    Raises:
        Conflict: ``event_store_newer``: a migration of it is not known to this version.
    """
    for statement in render(_LEDGER, cluster):
        run(statement)
    known, done = migrations(), applied()
    if unknown := done - {name for name, _ in known}:
        raise Conflict(
            f"the event store is of a newer carloop ({max(unknown)})", code="event_store_newer"
        )
    fresh = [(name, text) for name, text in known if name not in done]
    for name, text in fresh:
        for statement in render(text, cluster):
            run(statement)
        reach("migrations.applied")
        run(f"INSERT INTO schema_migrations (name) VALUES ('{ident('m_' + name)[2:]}')")
    return [name for name, _ in fresh]

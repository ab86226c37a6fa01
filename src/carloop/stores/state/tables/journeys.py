"""Journeys, their immutable versions, who is under way, and what is to be sent."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from carloop.stores.state.tables.base import AutoId, metadata

journey = Table(
    "journey",
    metadata,
    Column("id", AutoId, primary_key=True),
    Column("tenant", BigInteger, nullable=False),
    Column("uuid", String(36), nullable=False),
    Column("name", String(200), nullable=False),
    Column("status", String(16), nullable=False),
    Column("version", Integer, nullable=False),
    Column("draft", Text, nullable=False),
    Column("segment", BigInteger),
    Column("revision", Integer, nullable=False),
    Column("history_skipped", BigInteger, nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("deleted_at", BigInteger),
    UniqueConstraint("tenant", "uuid"),
    Index("ix_journey_tenant_segment", "tenant", "segment"),
)

journey_version = Table(
    "journey_version",
    metadata,
    Column("journey", BigInteger, primary_key=True, autoincrement=False),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("graph", Text, nullable=False),
    Column("published_at", BigInteger, nullable=False),
    Column("published_by", String(64), nullable=False),
)

enrol = Table(
    "enrol",
    metadata,
    Column("id", AutoId, primary_key=True, autoincrement=True),
    Column("tenant", BigInteger, nullable=False),
    Column("journey", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("person", BigInteger, nullable=False),
    Column("ekey", String(64), nullable=False),
    Column("node", String(64), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("arrived_at", BigInteger, nullable=False),
    Column("due", BigInteger),
    Column("ended", String(64), nullable=False),
    UniqueConstraint("tenant", "person", "journey", "ekey"),
    sqlite_autoincrement=True,
)
Index("ix_enrol_journey_due", enrol.c.journey, enrol.c.due,
      sqlite_where=enrol.c.due.is_not(None), postgresql_where=enrol.c.due.is_not(None))  # fmt: skip

entering = Table(
    "entering",
    metadata,
    Column("id", AutoId, primary_key=True, autoincrement=True),
    Column("tenant", BigInteger, nullable=False),
    Column("journey", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("as_of", BigInteger, nullable=False),
    Column("people", LargeBinary, nullable=False),
    Index("ix_entering_journey", "journey"),
    sqlite_autoincrement=True,
)

journey_tally = Table(
    "journey_tally",
    metadata,
    Column("tenant", BigInteger, primary_key=True, autoincrement=False),
    Column("journey", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String(8), primary_key=True),
    Column("name", String(80), primary_key=True),
    Column("reason", String(64), primary_key=True),
    Column("number", BigInteger, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("enrol", BigInteger, primary_key=True, autoincrement=False),
    Column("node", String(64), primary_key=True),
    Column("visit", Integer, primary_key=True, autoincrement=False),
    Column("tenant", BigInteger, nullable=False),
    Column("journey", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("person", BigInteger, nullable=False),
    Column("channel", BigInteger, nullable=False),
    Column("purpose", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("not_before", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("attempted_at", BigInteger),
    Column("lease", BigInteger),
    Column("fence", Integer, nullable=False),
    Column("provider_id", String(200), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("announced", Boolean, nullable=False),
    sqlite_with_rowid=False,
)


def _partial(name: str, where: str, *columns: Column[Any]) -> None:
    """An index over the rows that ``where`` means; a query must say it in the same words."""
    Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


READY = "state = 'new'"
LEASED = "lease IS NOT NULL"
UNSAID = "announced = false AND state IN ('sent', 'failed', 'unknown', 'suppressed', 'expired')"
_partial("ix_outbox_ready", READY, outbox.c.channel, outbox.c.journey, outbox.c.not_before)
_partial("ix_outbox_lease", LEASED, outbox.c.channel, outbox.c.lease)
_partial("ix_outbox_unsaid", UNSAID, outbox.c.updated_at)
_partial("ix_outbox_provider_id", "provider_id <> ''", outbox.c.channel, outbox.c.provider_id)
Index("ix_outbox_journey", outbox.c.journey, outbox.c.enrol)

send_pace = Table(
    "send_pace",
    metadata,
    Column("channel", BigInteger, primary_key=True, autoincrement=False),
    Column("free_at", BigInteger, nullable=False),
)

send_receipt = Table(
    "send_receipt",
    metadata,
    Column("channel", BigInteger, primary_key=True, autoincrement=False),
    Column("id", LargeBinary(16), primary_key=True),
    Column("tenant", BigInteger, nullable=False),
    Column("enrol", BigInteger, nullable=False),
    Column("node", String(64), nullable=False),
    Column("visit", Integer, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("announced", Boolean, nullable=False),
    Index("ix_send_receipt_enrol_node_visit", "enrol", "node", "visit"),
)
Index("ix_send_receipt_announced", send_receipt.c.announced, send_receipt.c.received_at)

channel = Table(
    "channel",
    metadata,
    Column("id", AutoId, primary_key=True),
    Column("tenant", BigInteger, nullable=False),
    Column("uuid", String(36), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("name", String(200), nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("policy", Text, nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("settings_enc", LargeBinary, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("deleted_at", BigInteger),
    UniqueConstraint("tenant", "uuid"),
)

"""Journeys, their immutable versions, who is under way, and what is to be sent."""

from __future__ import annotations

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
    Column("id", AutoId, primary_key=True),
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
    UniqueConstraint("tenant", "journey", "person", "ekey"),
)
Index("ix_enrol_due", enrol.c.due, sqlite_where=enrol.c.due.is_not(None),
      postgresql_where=enrol.c.due.is_not(None))  # fmt: skip
Index("ix_enrol_tenant_person", enrol.c.tenant, enrol.c.person)

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
)
Index("ix_outbox_channel_state", outbox.c.channel, outbox.c.state, outbox.c.not_before)
Index("ix_outbox_tenant_person", outbox.c.tenant, outbox.c.person, outbox.c.channel)
Index("ix_outbox_journey_state", outbox.c.journey, outbox.c.state)
Index("ix_outbox_provider_id", outbox.c.channel, outbox.c.provider_id)
Index("ix_outbox_announced", outbox.c.announced, outbox.c.state)

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

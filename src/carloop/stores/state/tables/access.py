"""Tables of users, sessions, keys and failed sign-ins."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
)

from carloop.stores.state.tables.base import metadata

user = Table(
    "user_account",
    metadata,
    Column("tenant", BigInteger, primary_key=True),
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("username", String(200), nullable=False),
    Column("username_folded", String(200), nullable=False),
    Column("password", String(300), nullable=False),
    Column("roles", JSON, nullable=False),
    Column("dims", JSON, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("must_change", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("last_login_at", BigInteger),
    Column("version", Integer, nullable=False),
    UniqueConstraint("tenant", "username_folded", name="uq_user_account_username"),
)

session = Table(
    "session",
    metadata,
    Column("id", LargeBinary(32), primary_key=True),
    Column("tenant", BigInteger, nullable=False),
    Column("user", Integer, nullable=False),
    Column("csrf", String(100), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index("ix_session_user", "tenant", "user"),
)

access_key = Table(
    "access_key",
    metadata,
    Column("tenant", BigInteger, primary_key=True),
    Column("id", String(40), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("name", String(200), nullable=False),
    Column("hash", LargeBinary(32), nullable=False, unique=True),
    Column("hint", String(20), nullable=False),
    Column("source", BigInteger),
    Column("roles", JSON, nullable=False),
    Column("dims", JSON, nullable=False),
    Column("origins", JSON, nullable=False),
    Column("rate", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("last_used_at", BigInteger),
    Column("revoked_at", BigInteger),
)

sign_in_failure = Table(
    "sign_in_failure",
    metadata,
    Column("subject", LargeBinary(32), primary_key=True),
    Column("failed", Integer, nullable=False),
    Column("last_at", BigInteger, nullable=False),
)

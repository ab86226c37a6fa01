"""The one ``metadata`` every state table hangs on, and column types that both engines agree on."""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer, MetaData
from sqlalchemy.types import TypeEngine

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

AutoId: TypeEngine[int] = BigInteger().with_variant(Integer, "sqlite")
"""Type of a self-numbering primary key: SQLite numbers only columns of type INTEGER."""

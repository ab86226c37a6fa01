"""SQL as text and bound values. Nothing here runs anything."""

from carloop.sql.query import Query, ident, literal_ints

__all__ = ["Query", "ident", "literal_ints"]

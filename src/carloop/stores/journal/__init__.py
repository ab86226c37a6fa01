"""The journal's adapters."""

from carloop.stores.journal.sqlite import SqliteJournal

__all__ = ["SqliteJournal"]

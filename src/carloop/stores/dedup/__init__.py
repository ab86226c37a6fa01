"""The index over event ids seen: newest in memory, the rest in sorted runs on disk."""

from carloop.stores.dedup.index import DiskSeenIds

__all__ = ["DiskSeenIds"]

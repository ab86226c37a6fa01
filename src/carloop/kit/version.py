"""Which carloop this is."""

from __future__ import annotations

from importlib import metadata


def version() -> str:
    """The installed version of the package."""
    return metadata.version("carloop")

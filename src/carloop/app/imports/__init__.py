"""File import: mapping columns to meaning, rows to events, with honest reports."""

from carloop.app.imports.mapping import Mapping, parse_mapping
from carloop.app.imports.report import ErrorFile, ImportReport, RowError
from carloop.app.imports.run import Imports, Preview

__all__ = [
    "ErrorFile",
    "ImportReport",
    "Imports",
    "Mapping",
    "Preview",
    "RowError",
    "parse_mapping",
]

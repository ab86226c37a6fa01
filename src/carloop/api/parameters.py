"""Types of parameters that several routes share."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

Name = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$"
    ),
]
"""A name for people to read: one line without control characters."""
Reason = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$"
    ),
]
"""Why somebody did something, for the audit log."""
MAX_ID = 2**31 - 1
"""The largest number of an object in the state store."""

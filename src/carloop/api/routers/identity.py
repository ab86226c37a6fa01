"""Identity: why two identifiers are one person."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from carloop.api.deps import Use, require
from carloop.app.persons.views import PathView
from carloop.core.scope import Caller, Permission

router = APIRouter(tags=["identity"])

Text = Annotated[
    str,
    Query(
        min_length=1,
        max_length=400,
        pattern=r"^[^\x00-\x1f\x7f]*$",
        description="`type:value` or `type:namespace:value`.",
    ),
]


@router.get("/api/identity/explain", operation_id="explain_identity")
def explain_identity(
    caller: Annotated[Caller, require(Permission.PERSON_READ)], use: Use, a: Text, b: Text
) -> PathView:
    """The shortest chain of evidence between two identifiers, with time, source and rule."""
    return use.person_story.explain(caller, a, b)

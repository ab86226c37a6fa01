"""Analyses, and the people behind every bar."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import AwareDatetime, BaseModel, Field

from carloop.api.deps import Use, require
from carloop.api.paging import MOST, CursorText, Limit, decode_cursor, page_of
from carloop.api.parameters import Name
from carloop.api.routers.segments import MemberPage, member_page
from carloop.app.analytics import FunnelView, PartView, Step
from carloop.core.ports.segments import SavedFunnel
from carloop.core.scope import Caller, Permission
from carloop.engines.analytics.funnel import Bar, Breakdown, Length, Params
from carloop.engines.analytics.funnel import Step as StepParams
from carloop.rules import RuleDocument

router = APIRouter(tags=["analytics"])

Reader = Annotated[Caller, require(Permission.ANALYTICS_READ)]
PersonReader = Annotated[Caller, require(Permission.PERSON_READ)]
Writer = Annotated[Caller, require(Permission.SEGMENT_WRITE)]
FunnelId = Annotated[UUID, Path(description="Id of the saved funnel.")]


class FunnelBody(BaseModel):
    """An ordered funnel: steps, window from the entry, the range of entries, breakdown, filter."""

    steps: Annotated[list[StepParams], Field(min_length=1, max_length=12)]
    window: Length = Length(days=7)
    from_: Annotated[AwareDatetime | None, Field(alias="from")] = None
    to: AwareDatetime | None = None
    breakdown: Breakdown | None = None
    filter: RuleDocument | None = None
    entity: Annotated[str, Field(pattern="^person$")] = "person"

    def params(self) -> Params:
        """As the model takes them."""
        return Params(
            tuple(self.steps), self.window, self.from_, self.to, self.breakdown, self.filter
        )


class BarBody(FunnelBody):
    """A funnel and one of its bars.

    `value` limits to one part of the breakdown (null: persons without a value); `other` to what
    the chart gathers beyond the first ten values.
    """

    step: Annotated[int, Field(ge=1, le=12, description="From 1.")]
    dropped: Annotated[bool, Field(description="Reached the step before, not this one.")] = False
    value: Annotated[str | None, Field(max_length=1000)] = None
    other: bool = False

    def bar(self) -> Bar:
        """As the model takes it."""
        split = self.breakdown is not None and ("value" in self.model_fields_set or self.other)
        return Bar(self.step, self.dropped, split, self.value, () if self.other else None)


class StepOut(BaseModel):
    """One step; count and what follows from it are null where fewer than ten may not be told.

    `median_ms`: the middle time from entry to the first time the step is reached.
    """

    event: str
    title: dict[str, str]
    count: int | None
    suppressed: bool
    conversion: float | None
    from_previous: float | None
    median_ms: int | None


class PartOut(BaseModel):
    """One value of the breakdown, by each person's first entry; null: without a value."""

    value: str | None
    other: bool
    steps: list[StepOut]


class FunnelOut(BaseModel):
    """The funnel."""

    steps: list[StepOut]
    breakdown: list[PartOut]
    as_of: datetime
    took_ms: int
    sql: str


class SavedBody(BaseModel):
    """A funnel to keep."""

    name: Name
    params: FunnelBody


class SavedOut(BaseModel):
    """A kept funnel; `params` as the funnel route takes them."""

    id: UUID
    name: str
    params: dict[str, Any]


class SavedPage(BaseModel):
    """Kept funnels by name."""

    items: list[SavedOut]
    next_cursor: str | None


@router.post("/api/analytics/funnel", operation_id="run_funnel")
def run_funnel(caller: Reader, use: Use, body: FunnelBody) -> FunnelOut:
    """How many persons did the steps in order, within the window from their entry."""
    return _out(use.analytics.funnel(caller, body.params()))


@router.post("/api/analytics/funnel/persons", operation_id="list_funnel_persons")
def list_funnel_persons(
    caller: PersonReader, use: Use, body: BarBody, limit: Limit = 50, cursor: CursorText = None
) -> MemberPage:
    """The persons of one bar; `total` equals the bar."""
    after = decode_cursor(cursor, int)[0] if cursor else 0
    people = use.analytics.funnel_persons(caller, body.params(), body.bar(), after, limit)
    return member_page(people)


@router.get("/api/analytics/saved", operation_id="list_saved_funnels")
def list_saved_funnels(
    caller: Reader, use: Use, limit: Limit = MOST, cursor: CursorText = None
) -> SavedPage:
    """Kept funnels."""
    funnels = use.analytics.saved(caller)
    found, more = page_of(funnels, lambda it: (it.name, it.uuid), cursor, limit)
    return SavedPage(items=[_saved(funnel) for funnel in found], next_cursor=more)


@router.post("/api/analytics/saved", operation_id="save_funnel", status_code=201)
def save_funnel(caller: Writer, use: Use, body: SavedBody) -> SavedOut:
    """Keep a funnel by name."""
    return _saved(use.analytics.save(caller, body.name, body.params.params()))


@router.delete("/api/analytics/saved/{id}", operation_id="delete_saved_funnel", status_code=204)
def delete_saved_funnel(caller: Writer, use: Use, id: FunnelId) -> None:
    """Forget a kept funnel."""
    use.analytics.remove(caller, str(id))


def _out(view: FunnelView) -> FunnelOut:
    return FunnelOut(
        steps=[_step(step) for step in view.steps],
        breakdown=[_part(part) for part in view.breakdown],
        as_of=view.as_of,
        took_ms=view.took_ms,
        sql=view.sql,
    )


def _part(part: PartView) -> PartOut:
    return PartOut(value=part.value, other=part.other, steps=[_step(s) for s in part.steps])


def _step(step: Step) -> StepOut:
    return StepOut(
        event=step.event,
        title=dict(step.title),
        count=step.count,
        suppressed=step.suppressed,
        conversion=step.conversion,
        from_previous=step.from_previous,
        median_ms=step.median_ms,
    )


def _saved(funnel: SavedFunnel) -> SavedOut:
    return SavedOut(id=UUID(funnel.uuid), name=funnel.name, params=dict(funnel.params))

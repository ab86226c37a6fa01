"""Analyses asked by callers: run within their scope, every bar opening its people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from time import perf_counter
from typing import Any
from uuid import uuid4

from pydantic import TypeAdapter, ValidationError
from pyroaring import BitMap

from carloop.app.persons.lookup import Persons
from carloop.app.segments.audiences import SMALL, Audiences
from carloop.app.segments.saved import People, page_of
from carloop.core.documents import refused
from carloop.core.pack import FunnelTemplate
from carloop.core.ports.event_store import EventStore
from carloop.core.ports.segments import SavedFunnel
from carloop.core.ports.state import State
from carloop.core.scope import Caller, Scope
from carloop.engines.analytics import Funnel
from carloop.engines.analytics.funnel import TOP_VALUES, Bar, Params, Part, Result, StepResult
from carloop.kit.clock import Clock, to_ms
from carloop.kit.errors import NotFound, PermissionDenied
from carloop.rules import check

_PARAMS: TypeAdapter[Params] = TypeAdapter(Params)


@dataclass(frozen=True, slots=True)
class Step:
    """One step as a caller may know it; ``count`` None: too small to tell."""

    event: str
    title: Mapping[str, str]
    count: int | None
    suppressed: bool
    conversion: float | None
    from_previous: float | None
    median_ms: int | None


@dataclass(frozen=True, slots=True)
class PartView:
    """One value of the breakdown."""

    value: str | None
    other: bool
    steps: Sequence[Step]


@dataclass(frozen=True, slots=True)
class FunnelView:
    """A funnel with what it cost and the SQL it ran."""

    steps: Sequence[Step]
    breakdown: Sequence[PartView]
    as_of: datetime
    took_ms: int
    sql: str


class Analytics:
    """Runs the analysis models, and keeps funnels by name."""

    def __init__(
        self,
        state: State,
        event_store: EventStore,
        audiences: Audiences,
        persons: Persons,
        clock: Clock,
    ) -> None:
        self._state = state
        self._events = event_store
        self._audiences = audiences
        self._persons = persons
        self._clock = clock
        self._model = Funnel()

    def funnel(self, caller: Caller, params: Params) -> FunnelView:
        """The funnel of the persons this caller may see.

        Raises:
            InvalidInput: ``funnel_range``, ``funnel_span``, or the filter cannot be asked.
        """
        started, now = perf_counter(), self._clock.now()
        result, sql = self._run(caller.scope, params, now)
        catalogue = self._audiences.catalogue
        titles = {
            step.event: kind.title if (kind := catalogue.event_types.get(step.event)) else
            {"zh": step.event, "en": step.event}
            for step in params.steps
        }  # fmt: skip
        scope = caller.scope
        return FunnelView(
            _told(result.steps, titles, scope),
            [_part(part, titles, scope) for part in result.breakdown],
            now,
            round((perf_counter() - started) * 1000),
            sql,
        )

    def funnel_persons(
        self, caller: Caller, params: Params, bar: Bar, after: int, limit: int
    ) -> People:
        """A page of the persons of one bar; its total equals the bar.

        Raises:
            InvalidInput: ``funnel_step``, ``funnel_range``, ``funnel_span``.
        """
        scope, now = caller.scope, self._clock.now()
        if not scope.persons:
            raise PermissionDenied("this caller may not see persons")
        if bar.others is not None:
            result, _ = self._run(scope, params, now)
            shown = [part.value for part in result.breakdown if not part.other]
            bar = replace(bar, others=tuple(shown[:TOP_VALUES]))
        query = self._model.persons(params, self._audiences.context(scope, now), bar)
        people = BitMap(self._events.query_numbers(query, scope))
        return page_of(self._persons, caller, people, after, limit)

    def saved(self, caller: Caller) -> Sequence[SavedFunnel]:
        """Kept funnels by name."""
        with self._state.read() as tx:
            return tx.segments.funnels(caller.scope.tenant)

    def save(self, caller: Caller, name: str, params: Params) -> SavedFunnel:
        """Keep a funnel.

        Raises:
            Conflict: ``name_taken``.
        """
        funnel = SavedFunnel(
            caller.scope.tenant,
            str(uuid4()),
            name,
            document_of(params),
            created_at=to_ms(self._clock.now()),
        )
        with self._state.write() as tx:
            tx.segments.add_funnel(funnel)
        return funnel

    def remove(self, caller: Caller, id: str) -> None:
        """Forget a kept funnel.

        Raises:
            NotFound: there is none.
        """
        with self._state.write() as tx:
            if not tx.segments.remove_funnel(caller.scope.tenant, id):
                raise NotFound("no such funnel", code="funnel_unknown")

    def install(self, tenant: int, templates: Sequence[FunnelTemplate], lang: str) -> int:
        """Add the templates where nothing was ever kept; returns how many."""
        with self._state.write() as tx:
            if tx.segments.funnels(tenant):
                return 0
            for template in templates:
                params = read_params(template.params)
                name = template.title.get(lang, template.name)
                tx.segments.add_funnel(
                    SavedFunnel(tenant, str(uuid4()), name, document_of(params), template.name)
                )
        return len(templates)

    def _run(self, scope: Scope, params: Params, now: datetime) -> tuple[Result, str]:
        if params.filter is not None:
            check(params.filter, self._audiences.catalogue.fields)
        queries = self._model.to_queries(params, self._audiences.context(scope, now))
        rows = {name: self._events.query(q, scope).dicts() for name, q in queries.items()}
        return self._model.shape(params, rows), queries["total"].text


def read_params(document: object) -> Params:
    """Funnel parameters from their JSON form.

    Raises:
        InvalidInput: ``invalid_funnel``, with the path to what is wrong.
    """
    try:
        return _PARAMS.validate_python(document)
    except ValidationError as error:
        raise refused(error, "invalid_funnel") from error


def document_of(params: Params) -> dict[str, Any]:
    """The JSON form of funnel parameters."""
    document: dict[str, Any] = _PARAMS.dump_python(
        params, mode="json", by_alias=True, exclude_none=True
    )
    return document


def _told(
    steps: Sequence[StepResult], titles: Mapping[str, Mapping[str, str]], scope: Scope
) -> list[Step]:
    """Steps with small counts held back, and with them what they could be computed from."""
    told = []
    for n, step in enumerate(steps):
        hidden = not scope.persons and step.count < SMALL
        before = not scope.persons and n > 0 and steps[n - 1].count < SMALL
        told.append(
            Step(
                step.event,
                titles[step.event],
                None if hidden else step.count,
                hidden,
                None if hidden else step.conversion,
                None if hidden or before else step.from_previous,
                None if hidden else step.median_ms,
            )
        )
    return told


def _part(part: Part, titles: Mapping[str, Mapping[str, str]], scope: Scope) -> PartView:
    return PartView(part.value, part.other, _told(part.steps, titles, scope))

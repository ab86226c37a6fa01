"""Wires what is known of persons: look-ups, decisions, erasure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from carloop.app.audit import AuditLog
from carloop.app.entities.lookup import EntityLookup
from carloop.app.entities.story import EntityStory
from carloop.app.erasure import Erasure
from carloop.app.events import Events
from carloop.app.forgetting import EVERYWHERE
from carloop.app.identity_decisions import IdentityDecisions
from carloop.app.jobs import JobContext, JobKind
from carloop.app.persons.lookup import Memberships, Persons
from carloop.app.persons.story import PersonStory
from carloop.app.pipeline import Pipeline
from carloop.app.projector import Projector
from carloop.bootstrap.stores import Stores
from carloop.core.registry import Catalogue
from carloop.core.scope import Caller, Permission, Scope
from carloop.kit.clock import Clock


def wire_persons(
    stores: Stores,
    catalogue: Catalogue,
    clock: Clock,
    audit: AuditLog,
    pipeline: Pipeline,
    projector: Projector,
    memberships: Memberships = lambda scope, person: (),
) -> dict[str, object]:
    """What :class:`~carloop.api.services.Services` needs for persons, identity and entities."""
    state, events, cipher = stores.state, stores.event_store, stores.cipher
    persons = Persons(state, events, catalogue, cipher, audit, memberships)
    entities = EntityLookup(state, catalogue, cipher, persons)

    def settle() -> None:
        projector.drain()
        projector.settle()
        stores.state.checkpoint()

    return {
        "persons": persons,
        "person_story": PersonStory(state, events, catalogue, persons, audit),
        "entity_lookup": entities,
        "entity_story": EntityStory(
            events, entities, Events(state, events, catalogue, cipher, persons)
        ),
        "identity_decisions": IdentityDecisions(
            state, catalogue, persons, audit, clock, pipeline.forget
        ),
        "erasure": Erasure(
            state,
            catalogue,
            persons,
            audit,
            clock,
            reset=pipeline.forget,
            settle=settle,
            cleaners=EVERYWHERE,
        ),
    }


def erasure_job(erasure: Erasure, *forgetting: Callable[[], None]) -> JobKind:
    """The job that erases a person, in the name of whoever asked for it.

    ``forgetting`` let go of what is kept in memory of the events that are gone.
    """

    def caller(tenant: int, name: str) -> Caller:
        return Caller("job", name, frozenset({Permission.PERSON_ERASE}), Scope(tenant))

    kind = erasure.job(caller)

    def run(context: JobContext) -> Mapping[str, Any] | None:
        try:
            return kind.run(context)
        finally:
            for forget in forgetting:
                forget()

    return replace(kind, run=run)

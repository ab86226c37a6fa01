"""Wires what is known of persons: look-ups, decisions, erasure."""

from __future__ import annotations

from carloop.app.audit import AuditLog
from carloop.app.entity_desk import EntityDesk
from carloop.app.erasure import Erasure
from carloop.app.forgetting import EVERYWHERE
from carloop.app.identity_decisions import IdentityDecisions
from carloop.app.jobs import JobKind
from carloop.app.person_story import PersonStory
from carloop.app.persons import Memberships, Persons
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

    def settle() -> None:
        projector.drain()
        projector.settle()
        stores.state.checkpoint()

    return {
        "persons": persons,
        "person_story": PersonStory(state, events, catalogue, persons, audit),
        "entity_desk": EntityDesk(state, catalogue, cipher, persons),
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


def erasure_job(erasure: Erasure) -> JobKind:
    """The job that erases a person, in the name of whoever asked for it."""

    def caller(tenant: int, name: str) -> Caller:
        return Caller("job", name, frozenset({Permission.PERSON_ERASE}), Scope(tenant))

    return erasure.job(caller)

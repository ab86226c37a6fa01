"""Journeys as people edit them: draft, publish, pause, stop, try out, look at what was sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from carloop.app.channels import Attempt, ChannelDesk
from carloop.app.journeys import JourneyEntries
from carloop.app.persons.lookup import Persons
from carloop.app.persons.views import PersonSummary
from carloop.app.persons.visible import visible
from carloop.app.templates import fields_of
from carloop.app.unknown_sends import shown_people
from carloop.core.fields import FieldClass
from carloop.core.message import SendKey, SendState
from carloop.core.ports.audience import Audience
from carloop.core.ports.contacts import Contacts
from carloop.core.ports.journeys import Journey, JourneyStatus
from carloop.core.ports.sends import Send
from carloop.core.ports.state import State, Tx
from carloop.core.registry import Catalogue
from carloop.core.scope import Caller, Permission
from carloop.engines.journeys.graph import Graph, node_schemas, read_graph, write_graph
from carloop.engines.journeys.nodes import Condition
from carloop.engines.journeys.nodes import Send as SendNode
from carloop.engines.journeys.templates import Rendered, Template, render_for
from carloop.kit.clock import Clock, to_ms
from carloop.kit.errors import Conflict, InvalidInput, NotFound, PermissionDenied

SMALL_COUNT = 10
"""Counts below this are hidden from callers who may not see people."""


@dataclass(frozen=True, slots=True)
class JourneyView:
    """A journey with where its people stand and what was sent; None: too few to tell.

    ``sends`` is by ``(state, reason)``; ``missing`` which of the five of 4W1H the draft lacks.
    """

    journey: Journey
    people: Mapping[str, int | None]
    sends: Mapping[tuple[str, str], int | None]
    missing: Sequence[str]


@dataclass(frozen=True, slots=True)
class SendView:
    """One send; ``person`` is None for callers who may not see that person."""

    send: Send
    person: PersonSummary | None
    channel: str


class JourneyDesk:
    """The use cases behind ``/api/journeys``."""

    def __init__(
        self,
        state: State,
        audience: Audience,
        entries: JourneyEntries,
        contacts: Contacts,
        channels: ChannelDesk,
        catalogue: Catalogue,
        clock: Clock,
        persons: Persons,
    ) -> None:
        self._persons = persons
        self._state = state
        self._audience = audience
        self._entries = entries
        self._contacts = contacts
        self._channels = channels
        self._catalogue = catalogue
        self._clock = clock

    def nodes(self) -> list[dict[str, Any]]:
        """Every kind of node, for editors."""
        return node_schemas()

    def page(self, caller: Caller, *, before: int | None, limit: int) -> Sequence[JourneyView]:
        """Newest first."""
        with self._state.read() as tx:
            found = tx.journeys.page(caller.scope.tenant, before=before, limit=limit)
            return [self._view(tx, caller, it) for it in found]

    def get(self, caller: Caller, uuid: str) -> JourneyView:
        """One journey; raises ``NotFound``."""
        with self._state.read() as tx:
            return self._view(tx, caller, tx.journeys.get(caller.scope.tenant, uuid))

    def create(self, caller: Caller, name: str, graph: Mapping[str, Any]) -> JourneyView:
        """A new draft; raises ``InvalidInput`` where the graph cannot be read."""
        now = to_ms(self._clock.now())
        journey = Journey(
            tenant=caller.scope.tenant,
            uuid=str(uuid4()),
            name=name,
            draft=write_graph(read_graph(graph)),
            created_by=caller.id,
            created_at=now,
            updated_at=now,
        )
        with self._state.write() as tx:
            return self._view(tx, caller, tx.journeys.add(journey))

    def change(
        self,
        caller: Caller,
        uuid: str,
        revision: int | None,
        *,
        name: str | None = None,
        graph: Mapping[str, Any] | None = None,
    ) -> JourneyView:
        """Change the name or the draft; what is published stays as it is until the next time."""
        draft = None if graph is None else write_graph(read_graph(graph))

        def edit(tx: Tx, journey: Journey) -> Journey:
            return tx.journeys.save(
                replace(
                    journey,
                    name=name if name is not None else journey.name,
                    draft=draft if draft is not None else journey.draft,
                    updated_at=to_ms(self._clock.now()),
                )
            )

        return self._edit(caller, uuid, revision, edit)

    def publish(self, caller: Caller, uuid: str, revision: int | None) -> JourneyView:
        """Freeze the draft as the next version and let people in.

        Raises:
            InvalidInput: ``journey_incomplete`` with ``missing`` (goal, time, channel, person,
                content), or the graph, a rule, a template or a channel does not hold.
            Conflict: ``stale``.
        """

        def edit(tx: Tx, journey: Journey) -> Journey:
            graph = read_graph(journey.draft)
            segment = self._publishable(tx, journey.tenant, graph)
            now = to_ms(self._clock.now())
            ready = replace(journey, segment=segment)
            live = tx.journeys.publish(ready, journey.draft, now, caller.id)
            assert graph.start is not None
            if graph.start.audience == "all":
                tx.enrolments.apply_merges()
                members = self._audience.members(tx, journey.tenant, segment)
                self._entries.enter(tx, live, members, now)
            return live

        return self._edit(caller, uuid, revision, edit)

    def pause(self, caller: Caller, uuid: str) -> JourneyView:
        """Nobody enters, steps or gets a message until it is resumed."""
        return self._become(caller, uuid, JourneyStatus.PAUSED, (JourneyStatus.LIVE,))

    def resume(self, caller: Caller, uuid: str) -> JourneyView:
        """Go on where it was paused or stopped."""
        before = (JourneyStatus.PAUSED, JourneyStatus.STOPPED)
        return self._become(caller, uuid, JourneyStatus.LIVE, before)

    def stop_all(self, caller: Caller) -> int:
        """Emergency: stop every journey of the tenant; what is being attempted is the last."""
        with self._state.write() as tx:
            return tx.journeys.stop_all(caller.scope.tenant, to_ms(self._clock.now()))

    def remove(self, caller: Caller, uuid: str) -> None:
        """Delete softly; nobody goes on, what waits is suppressed."""
        with self._state.write() as tx:
            journey = tx.journeys.get(caller.scope.tenant, uuid)
            tx.journeys.remove(journey, to_ms(self._clock.now()))
            tx.sends.drop("journey_removed", journey=journey.id)

    def preview(self, caller: Caller, uuid: str, node: str, person: str) -> Rendered:
        """The draft's message as ``person`` would read it.

        Raises:
            NotFound: no such journey, send node or person in the caller's scope.
        """
        with self._state.read() as tx:
            _, template = self._message(tx, caller, uuid, node)
            number = visible(tx, caller, person).number
            found = self._contacts.read(tx, caller.scope.tenant, [number], "", fields_of(template))
        return render_for(template, self._shown(caller, found[number].values))

    def test(self, caller: Caller, uuid: str, node: str, address: str) -> Attempt:
        """Send the draft's message, with no person's values, to an address that is kept nowhere."""
        with self._state.read() as tx:
            step, template = self._message(tx, caller, uuid, node)
            channel = tx.channels.get(caller.scope.tenant, step.channel)
        text = render_for(template, {})
        now = self._clock.now()
        return self._channels.attempt(channel, address, text.subject, text.text, text.html, now)

    def sends(
        self,
        caller: Caller,
        uuid: str,
        *,
        state: SendState | None,
        before: SendKey | None,
        limit: int,
    ) -> Sequence[SendView]:
        """Outcomes with their reasons, newest enrolment first.

        Raises:
            PermissionDenied: ``scope_limited``: the caller sees only some people.
        """
        self._whole(caller)
        tenant = caller.scope.tenant
        with self._state.read() as tx:
            journey = tx.journeys.get(tenant, uuid)
            sends = tx.sends.page(tenant, journey.id, state=state, before=before, limit=limit)
            channels = {n: tx.channels.numbered(n).uuid for n in {s.channel for s in sends}}
        known = shown_people(self._state, self._persons, caller, [it.person for it in sends])
        return [SendView(it, known.get(it.person), channels[it.channel]) for it in sends]

    def _publishable(self, tx: Tx, tenant: int, graph: Graph) -> int:
        """The number of the segment that starts the graph, once everything holds."""
        missing = graph.missing()
        if missing:
            raise InvalidInput(
                f"still missing: {', '.join(missing)}", code="journey_incomplete", missing=missing
            )
        graph.check()
        for index, node in enumerate(graph.nodes):
            path = f"nodes.{index}"
            if isinstance(node, Condition):
                self._audience.check(tenant, node.rule)
            if isinstance(node, SendNode):
                self._check_send(tx, tenant, node, path)
        assert graph.start is not None
        try:
            return self._audience.number(tx, tenant, graph.start.segment)
        except NotFound as error:
            raise InvalidInput("no such segment", code="segment_unknown", path="nodes") from error

    def _check_send(self, tx: Tx, tenant: int, node: SendNode, path: str) -> None:
        try:
            channel = tx.channels.get(tenant, node.channel)
        except NotFound as error:
            raise InvalidInput(
                "no such channel", code="channel_unknown", path=f"{path}.channel"
            ) from error
        if not channel.enabled:
            raise InvalidInput(
                "the channel is disabled", code="channel_disabled", path=f"{path}.channel"
            )
        unknown = fields_of(_texts(node)) - self._catalogue.fields.keys() - {"language"}
        if unknown:
            raise InvalidInput(
                f"unknown variables: {', '.join(sorted(unknown))}",
                code="template_unknown_field",
                path=f"{path}.template",
            )

    def _edit(
        self,
        caller: Caller,
        uuid: str,
        revision: int | None,
        edit: Callable[[Tx, Journey], Journey],
    ) -> JourneyView:
        with self._state.write() as tx:
            journey = tx.journeys.get(caller.scope.tenant, uuid)
            if revision is not None and revision != journey.revision:
                raise Conflict("the journey was changed meanwhile", code="stale")
            return self._view(tx, caller, edit(tx, journey))

    def _become(
        self, caller: Caller, uuid: str, status: JourneyStatus, before: Sequence[JourneyStatus]
    ) -> JourneyView:
        def edit(tx: Tx, journey: Journey) -> Journey:
            if journey.status is status:
                return journey
            if journey.status not in before or not journey.version:
                raise Conflict(f"the journey is {journey.status}", code="journey_status")
            now = to_ms(self._clock.now())
            return tx.journeys.save(replace(journey, status=status, updated_at=now))

        return self._edit(caller, uuid, None, edit)

    def _message(self, tx: Tx, caller: Caller, uuid: str, node: str) -> tuple[SendNode, Template]:
        journey = tx.journeys.get(caller.scope.tenant, uuid)
        found = read_graph(journey.draft).by_id.get(node)
        if not isinstance(found, SendNode) or not found.template:
            raise NotFound("no such message", code="node_unknown")
        return found, _texts(found)

    def _view(self, tx: Tx, caller: Caller, journey: Journey) -> JourneyView:
        people = tx.enrolments.counts(journey.id)
        sends = tx.sends.counts(journey.tenant, journey.id)
        exact = caller.may(Permission.PERSON_READ) and not caller.scope.limited
        return JourneyView(
            journey,
            {name: _told(n, exact) for name, n in people.items()},
            {name: _told(n, exact) for name, n in sends.items()},
            read_graph(journey.draft).missing(),
        )

    def _shown(self, caller: Caller, values: Mapping[str, str]) -> Mapping[str, str]:
        """Identifying values only for those who may reveal them."""
        if caller.may(Permission.PERSON_REVEAL):
            return values
        fields = self._catalogue.fields
        hidden = {n for n in values if n in fields and fields[n].cls is FieldClass.IDENTIFYING}
        return {n: "***" if n in hidden else value for n, value in values.items()}

    def _whole(self, caller: Caller) -> None:
        if caller.scope.limited:
            raise PermissionDenied("journeys reach all people", code="scope_limited")


def _texts(node: SendNode) -> Template:
    return {str(language): text for language, text in node.template.items()}


def _told(number: int, exact: bool) -> int | None:
    return number if exact or number >= SMALL_COUNT else None

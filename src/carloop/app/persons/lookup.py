"""Persons as people look at them: found by any identifier, seen from all sides, masked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from carloop.app.audit import AuditLog
from carloop.app.entities.lookup import entity_text
from carloop.app.identity import IDENTIFIER
from carloop.app.persons.profiles import ProfileReader
from carloop.app.persons.views import (
    AttributeView,
    ConsentView,
    IdentifierView,
    Membership,
    PersonSummary,
    PersonView,
    RelationView,
)
from carloop.app.persons.visible import Known, canonical, visible
from carloop.app.subject_keys import PERSON, SubjectKeys, aad
from carloop.core.consent import current
from carloop.core.identifiers import Identifier, InvalidIdentifier, RawIdentifier
from carloop.core.masks import mask
from carloop.core.ports.event_store import EventStore
from carloop.core.ports.identity import Fragment
from carloop.core.ports.state import State, Tx
from carloop.core.ports.vault import Cipher
from carloop.core.registry import Catalogue
from carloop.core.scope import Caller, Scope
from carloop.engines.identity.relations import spans
from carloop.engines.identity.survivorship import Value, Winner
from carloop.kit.clock import from_ms
from carloop.kit.errors import InvalidInput, NotFound
from carloop.sql import Query
from carloop.sql.query import Params
from carloop.sql.scope import events

Memberships = Callable[[Scope, int], Sequence[Membership]]
MOST_FOUND = 50
MOST_NAMED = 10_000


class Persons:
    """Reads persons within a caller's scope; what is outside of it does not exist."""

    def __init__(
        self,
        state: State,
        event_store: EventStore,
        catalogue: Catalogue,
        cipher: Cipher,
        audit: AuditLog,
        memberships: Memberships = lambda scope, person: (),
    ) -> None:
        self._state = state
        self._events = event_store
        self._catalogue = catalogue
        self._cipher = cipher
        self._audit = audit
        self._memberships = memberships

    def find(self, caller: Caller, identifier: str) -> list[PersonSummary]:
        """The person with an identifier ``type:value`` or ``type:namespace:value``.

        Raises:
            InvalidIdentifier: not a usable identifier.
        """
        tenant = caller.scope.tenant
        key = self._cipher.identifier_key(tenant, self.parse(identifier))
        with self._state.read() as tx:
            return self._visible(tx, caller, [f.person for f in tx.identity.by_keys(tenant, [key])])

    def search(
        self, caller: Caller, text: str, *, after: int = 0, limit: int = MOST_FOUND
    ) -> list[PersonSummary]:
        """Persons whose name equals ``text`` or who have an identifier of that value.

        By number, beyond ``after``; of very common names the first ``MOST_NAMED`` fragments.
        """
        tenant = caller.scope.tenant
        reader = self._reader()
        keys = [self._cipher.identifier_key(tenant, i) for i in self._guesses(text)]
        with self._state.read() as tx:
            blind = reader.book.blind(tenant, "name", text)
            named = tx.profiles.holders(tenant, "name", blind, MOST_NAMED)
            found = [*tx.identity.by_keys(tenant, keys), *tx.identity.by_numbers(tenant, named)]
            rest = sorted({f.person for f in found if f.person > after})
            shown: list[PersonSummary] = []
            for start in range(0, len(rest), limit):
                shown += self._visible(tx, caller, rest[start : start + limit], limit - len(shown))
                if len(shown) == limit:
                    break
            return shown

    def summaries(self, caller: Caller, numbers: Sequence[int]) -> list[PersonSummary]:
        """One line per person number, in the order given; persons out of scope are left out."""
        with self._state.read() as tx:
            return self._visible(tx, caller, numbers, most=len(numbers))

    def get(self, caller: Caller, id: str) -> PersonView:
        """One person from all sides; ids of merged persons answer with their successor.

        Raises:
            NotFound: ``person_unknown``: no such person, or not in the caller's scope.
        """
        tenant = caller.scope.tenant
        reader = self._reader()
        with self._state.read() as tx:
            known = self.known(tx, caller, id)
            names = {s.id: s.name for s in tx.sources.list(tenant)}
            values = reader.person(tx, tenant, known.numbers)
            identifiers = self.identifiers(tx, tenant, known, names)
            relations = self._relations(tx, caller, known)
            consents = tx.consents.of(tenant, [known.number]).get(known.number, ())
            log = tx.identity.log_of(tenant, [known.number])
            gone = [e.moved for e in log if e.kind == "merge" and e.kept == known.number]
            held = {f.number: UUID(bytes=f.uuid) for f in known.fragments}
        return PersonView(
            id=known.id,
            number=known.number,
            display=_display(values, identifiers),
            name=_masked(values, "name"),
            attributes=[self._attribute(n, w, names) for n, w in sorted(values.items())],
            identifiers=identifiers,
            relations=relations,
            consents=[
                ConsentView(c.purpose, c.channel, c.state.value, from_ms(c.at))
                for c in current(consents).values()
            ],
            segments=list(self._memberships(caller.scope, known.number)),
            merged_from=[held[n] for n in dict.fromkeys(gone) if n in held],
            first_seen_at=from_ms(min(f.first_at for f in known.fragments)),
            last_seen_at=self._last_seen(caller.scope, known.numbers),
        )

    def known(self, tx: Tx, caller: Caller, id: str) -> Known:
        """The visible person with this public id.

        Raises:
            NotFound: ``person_unknown``: no such person, or not in the caller's scope.
        """
        return visible(tx, caller, id)

    def reveal(self, caller: Caller, id: str, field: str, reason: str) -> Value:
        """The clear value of one identifying field, or of ``identifier:<number>``; audited.

        Raises:
            NotFound: ``person_unknown``, ``field_unknown``.
            InvalidInput: ``reason_missing``.
        """
        if not reason.strip():
            raise InvalidInput("say why", code="reason_missing", path="reason")
        tenant = caller.scope.tenant
        with self._state.write() as tx:
            known = self.known(tx, caller, id)
            self._audit.append(tx, caller, "person.reveal", str(known.id), field=field, why=reason)
            if field.startswith("identifier:"):
                number = field.partition(":")[2]
                found = [f for f in known.fragments if str(f.number) == number]
                if found:
                    return self.clear(tx, tenant, found)[found[0].number]
            else:
                values = self._reader().person(tx, tenant, known.numbers)
                if field in values:
                    return values[field].value
        raise NotFound("the person has no such field", code="field_unknown", path="field")

    def parse(self, text: str) -> Identifier:
        """A normalised identifier from ``type:value`` or ``type:namespace:value``.

        Raises:
            InvalidIdentifier: not a usable identifier.
        """
        name, _, value = text.partition(":")
        kind = self._catalogue.identifiers.get(name)
        namespace = ""
        if kind.namespaced and ":" in value:
            namespace, _, value = value.partition(":")
        return self._catalogue.identifiers.normalise(RawIdentifier(name, value, namespace))

    def clear(
        self, tx: Tx, tenant: int, fragments: Sequence[Fragment], known: SubjectKeys | None = None
    ) -> dict[int, str]:
        """Clear identifier values by fragment number; ``known``: keys that are at hand."""
        sealed = [f for f in fragments if f.sealed is not None]
        held = known or SubjectKeys(self._cipher)
        keys = held.of(tx, tenant, PERSON, [f.number for f in sealed])
        values = {f.number: f.value or "" for f in fragments}
        for f in sealed:
            bound = aad(tenant, IDENTIFIER, PERSON, f.number)
            values[f.number] = self._cipher.decrypt(keys[f.number], f.sealed or b"", bound).decode()
        return values

    def clear_fields(self, tx: Tx, tenant: int, known: Known) -> dict[str, Value]:
        """The clear surviving value of every field."""
        found = self._reader().person(tx, tenant, known.numbers)
        return {name: winner.value for name, winner in found.items()}

    def by_identifier(self, tx: Tx, caller: Caller, identifier: str) -> tuple[int, Known]:
        """The fragment of an identifier ``type:value``, and its visible person.

        Raises:
            NotFound: ``person_unknown``.
            InvalidIdentifier: not a usable identifier.
        """
        tenant = caller.scope.tenant
        key = self._cipher.identifier_key(tenant, self.parse(identifier))
        found = tx.identity.by_keys(tenant, [key])
        if not found:
            raise NotFound("no such person", code="person_unknown")
        return found[0].number, self.known(tx, caller, str(UUID(bytes=found[0].uuid)))

    def of_fragment(self, tx: Tx, caller: Caller, number: int) -> PersonSummary | None:
        """The visible person that a fragment belongs to, if there is one."""
        found = tx.identity.by_numbers(caller.scope.tenant, [number])
        seen = self._visible(tx, caller, [f.person for f in found])
        return seen[0] if seen else None

    def _reader(self) -> ProfileReader:
        """A reader of its own for every call: keys do not linger, threads do not meet."""
        return ProfileReader(self._catalogue, self._cipher)

    def _guesses(self, text: str) -> list[Identifier]:
        found = []
        for kind in self._catalogue.identifiers:
            if kind.entity == "person" and not (kind.namespaced and kind.namespace_required):
                try:
                    found.append(
                        self._catalogue.identifiers.normalise(RawIdentifier(kind.name, text))
                    )
                except InvalidIdentifier:
                    continue
        return found

    def _visible(
        self, tx: Tx, caller: Caller, persons: Sequence[int], most: int = MOST_FOUND
    ) -> list[PersonSummary]:
        scope = caller.scope
        by_person: dict[int, list[Fragment]] = {}
        for f in tx.identity.of_persons(scope.tenant, set(persons)):
            by_person.setdefault(f.person, []).append(f)
        if scope.limited:
            groups = {p: [f.number for f in fs] for p, fs in by_person.items()}
            shown = tx.entities.granted_of(scope.tenant, scope.dims, groups)
            by_person = {p: fs for p, fs in by_person.items() if p in shown}
        wanted = [p for p in dict.fromkeys(persons) if p in by_person][:most]
        groups = {p: [f.number for f in by_person[p]] for p in wanted}
        keys = SubjectKeys(self._cipher)
        keys.of(tx, scope.tenant, PERSON, [n for numbers in groups.values() for n in numbers])
        reader = ProfileReader(self._catalogue, self._cipher, keys)
        values = reader.persons(tx, scope.tenant, groups)
        return [self._summary(tx, scope.tenant, keys, p, by_person[p], values[p]) for p in wanted]

    def _summary(
        self,
        tx: Tx,
        tenant: int,
        keys: SubjectKeys,
        person: int,
        fragments: list[Fragment],
        values: Mapping[str, Winner],
    ) -> PersonSummary:
        known = Known(person, canonical(fragments), fragments)
        identifiers = self.identifiers(tx, tenant, known, {}, keys)
        city = values.get("city")
        mobiles = [i.value for i in identifiers if i.type == "mobile"]
        return PersonSummary(
            id=canonical(fragments),
            number=person,
            display=_display(values, identifiers),
            name=_masked(values, "name"),
            mobile=next(iter(mobiles), None) or _masked(values, "mobile"),
            city=str(city.value) if city else None,
            first_seen_at=from_ms(min(f.first_at for f in fragments)),
        )

    def _attribute(self, name: str, found: Winner, sources: Mapping[int, str]) -> AttributeView:
        book = self._reader().book
        field = book.field(name)
        hidden = book.identifying(name)
        return AttributeView(
            field=name,
            title=field.title,
            cls=field.cls.value,
            value=mask(name, str(found.value)) if hidden else found.value,
            masked=hidden,
            source=sources.get(found.source),
            occurred_at=from_ms(found.stamp.at),
        )

    def identifiers(
        self,
        tx: Tx,
        tenant: int,
        known: Known,
        sources: Mapping[int, str],
        keys: SubjectKeys | None = None,
    ) -> list[IdentifierView]:
        """The person's identifiers, masked, the best first."""
        values = self.clear(tx, tenant, known.fragments, keys)
        views = []
        for f in known.fragments:
            kind = self._catalogue.identifiers.get(f.type)
            value = values[f.number]
            views.append(
                IdentifierView(
                    number=f.number,
                    type=f.type,
                    title=kind.title,
                    namespace=f.namespace,
                    value=mask(f.type, value) if kind.identifying else value,
                    masked=kind.identifying,
                    hub=bool(f.hub),
                    source=sources.get(f.source),
                    first_at=from_ms(f.first_at),
                )
            )
        order = {k.name: k.priority for k in self._catalogue.identifiers}
        return sorted(views, key=lambda v: (order[v.type], v.number))

    def _relations(self, tx: Tx, caller: Caller, known: Known) -> list[RelationView]:
        types = self._catalogue.relation_types
        kinds = [r.name for r in types.values() if r.subject == PERSON]
        if not kinds:
            return []
        tenant, dims = caller.scope.tenant, caller.scope.dims
        held: dict[tuple[str, int], list[tuple[int, int | None]]] = {}
        for r in tx.entities.relations(tenant, kinds, subjects=known.numbers):
            held.setdefault((r.kind, r.object), []).append((r.since, r.until))
        views = []
        for (name, number), parts in held.items():
            kind = types[name]
            if kind.object in dims and number not in dims[kind.object]:
                continue
            (entity,) = tx.entities.by_numbers(tenant, kind.object, [number])
            text, hidden = entity_text(tx, self._cipher, tenant, entity)
            views += [
                RelationView(
                    name,
                    kind.title,
                    kind.object,
                    UUID(bytes=entity.uuid),
                    text,
                    hidden,
                    from_ms(since),
                    from_ms(until) if until is not None else None,
                )
                for since, until in spans(parts)
            ]
        return views

    def _last_seen(self, scope: Scope, fragments: Collection[int]) -> datetime | None:
        params = Params()
        numbers = params.add(sorted(fragments), "Array(UInt32)")
        text = events(scope, params, "count(), max(occurred_at)", [f"fragment IN {numbers}"])
        ((count, last),) = self._events.query(Query(text, params.values), scope).rows
        return last if count else None


def _masked(values: Mapping[str, Winner], field: str) -> str | None:
    found = values.get(field)
    return mask(field, str(found.value)) if found else None


def _display(values: Mapping[str, Winner], identifiers: Sequence[IdentifierView]) -> str:
    """What to call a person: the masked name, else the best identifier."""
    return _masked(values, "name") or identifiers[0].value

"""Writes the pages of ``docs/reference`` that the code itself can tell: ``make docs``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path

from carloop.bootstrap.packs import load_catalogue
from carloop.bootstrap.settings import Settings
from carloop.core.fields import Field, FieldType
from carloop.core.identifiers import IdentifierType
from carloop.core.pack import EventType, Property
from carloop.core.scope import ROLE_PERMISSIONS, Permission, Role
from carloop.rules import FIELD_OPS, KINDS
from carloop.rules.comparison import IDENTIFYING_OPS

DIRECTORY = Path(__file__).resolve().parents[2] / "docs" / "reference"
CATALOGUE = load_catalogue("automotive")
NOTE = "Written from the code by `make docs`; do not edit."


def pages() -> dict[str, str]:
    """File name → text of every generated page."""
    made = {
        "identifier-types.md": identifier_types(),
        "fields.md": profile_fields(),
        "events.md": events(),
        "rules.md": rules(),
        "roles.md": roles(),
        "settings.md": settings(),
    }
    return {name: f"{text.strip()}\n" for name, text in made.items()}


def identifier_types() -> str:
    """Every identifier type, best first."""
    kinds: list[IdentifierType] = sorted(
        CATALOGUE.identifiers, key=lambda k: (k.entity, k.priority)
    )
    rows = [
        (
            f"`{kind.name}`",
            _title(kind.title),
            kind.entity,
            kind.priority,
            kind.strength.name.lower(),
            _yes(kind.links),
            kind.per_entity or "–",
            kind.max_neighbours or "–",
            _yes(kind.identifying),
            _namespace(kind),
            _codes(kind.aliases),
        )
        for kind in kinds
    ]
    head = ("type", "title", "names", "priority", "strength", "joins persons", "per person",
            "shared by at most", "personal", "namespace", "also sent as")  # fmt: skip
    return f"""
# Identifier types

{NOTE} Priority: lower wins; an event is filed under its best identifier. A value
shared by more people than allowed joins nobody.

{_table(head, rows)}
"""


def profile_fields() -> str:
    """Every profile field."""
    kinds: Iterable[Field] = CATALOGUE.fields.values()
    rows = [
        (
            f"`{field.name}`",
            _title(field.title),
            field.type,
            field.cls,
            _codes(field.codes or ()),
            _codes(field.aliases),
        )
        for field in kinds
    ]
    return f"""
# Profile fields

{NOTE} *identifying* fields lie encrypted in the vault and allow equality and presence
only; *derived* ones are computed.

{_table(("field", "title", "type", "class", "codes", "also sent as"), rows)}
"""


def events() -> str:
    """The event plan, by stage."""
    stages: dict[str, list[EventType]] = {}
    for kind in CATALOGUE.event_types.values():
        stages.setdefault(kind.stage, []).append(kind)
    head = ("event", "title", "properties", "relations", "shows the person to")
    parts = [
        f"## {stage}\n\n{_table(head, [_event(kind) for kind in kinds])}"
        for stage, kinds in stages.items()
    ]
    tables = "\n\n".join(parts)
    return f"""
# Event plan

{NOTE} **Bold** properties are required; an event that lacks one goes to
[quarantine](quarantine.md). `→ type` is the key of an entity, which may stand in `entities`
instead. An event that nobody declared is taken as it is.

{tables}
"""


def _event(kind: EventType) -> tuple[object, ...]:
    relations = (*kind.relations, *(f"ends {name}" for name in kind.ends))
    properties = ", ".join(_property(p) for p in kind.properties)
    grants = ", ".join(kind.grants)
    return f"`{kind.name}`", _title(kind.title), properties, ", ".join(relations), grants


def _property(planned: Property) -> str:
    name = f"**{planned.name}**" if planned.required else planned.name
    entity = f" → {planned.entity}" if planned.entity else ""
    type_ = "" if planned.type is FieldType.STRING else f" ({planned.type})"
    return f"{name}{entity}{type_}"


def rules() -> str:
    """Kinds of conditions, and operators by type."""
    kinds = [
        (f"`{_kind_name(kind)}`", (kind.__doc__ or "").splitlines()[0].replace("``", "`"))
        for kind in KINDS
    ]
    operators = [(str(type_), _codes(ops)) for type_, ops in FIELD_OPS.items()]
    operators.append(("identifying fields, of any type", _codes(IDENTIFYING_OPS)))
    return f"""
# Rules

{NOTE} How they are used: [segments](../guides/segments.md).

## Conditions

{_table(("kind", "means"), kinds)}

## Operators

{_table(("type", "operators"), operators)}
"""


def _kind_name(kind: type) -> str:
    for field in fields(kind):
        if field.name == "kind":
            return str(field.default)
    raise TypeError(f"{kind.__name__} has no kind")


def roles() -> str:
    """Who may do what."""
    rows = [
        (f"`{permission}`", *(_yes(permission in ROLE_PERMISSIONS[role]) for role in Role))
        for permission in Permission
    ]
    return f"""
# Roles and permissions

{NOTE} The dealer roles see people, events and numbers of their own dealer only.
`event.write` belongs to write keys.

{_table(("permission", *(f"{role}" for role in Role)), rows)}
"""


def settings() -> str:
    """What ``CARLOOP_*`` sets."""
    told = _attributes(Settings.__doc__ or "")
    rows = [
        (f"`CARLOOP_{f.name.upper()}`", f"`{f.default}`" if f.default != "" else "–", told[f.name])
        for f in fields(Settings)
    ]
    return f"""
# Settings

{NOTE} Set in the environment; `--data`, `--port` and `--host` of a command win.

{_table(("variable", "unless set", "meaning"), rows)}
"""


def _attributes(docstring: str) -> dict[str, str]:
    """The ``Attributes:`` section by name; ``a, b: text`` describes both."""
    section = docstring.split("Attributes:")[1]
    found = re.findall(r"^ {8}(\w[\w, ]*): (.*(?:\n {12}.*)*)", section, re.MULTILINE)
    return {
        name: " ".join(text.split()).replace("``", "`").replace("|", "\\|")
        for names, text in found
        for name in names.split(", ")
    }


def _title(title: Mapping[str, str]) -> str:
    return " / ".join(title[language] for language in ("zh", "en") if language in title)


def _namespace(kind: IdentifierType) -> str:
    if not kind.namespaced:
        return ""
    return "required" if kind.namespace_required else "optional"


def _codes(names: Iterable[str]) -> str:
    return " ".join(f"`{name}`" for name in names)


def _yes(value: bool) -> str:
    return "✓" if value else ""


def _table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    titles = tuple(head)
    lines = [titles, ("---",) * len(titles), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


if __name__ == "__main__":
    for name, text in pages().items():
        (DIRECTORY / name).write_text(text, "utf-8")

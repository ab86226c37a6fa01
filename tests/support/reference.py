"""Writes the pages of ``docs/reference`` that the code itself can tell: ``make docs``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from sqlalchemy import Table

from carloop.app.feeds.meanings import LIST_PLACES, PLACES
from carloop.bootstrap.packs import load_catalogue
from carloop.bootstrap.settings import Settings
from carloop.connectors import HOOKS, PROTOCOLS
from carloop.connectors.feeds import FEEDS
from carloop.connectors.feeds.broker import LONGEST_META, PAGE_BYTES, PAGE_RECORDS
from carloop.connectors.feeds.file_places import MOST_FILES
from carloop.connectors.feeds.file_rows import MOST_SPOOLED
from carloop.connectors.feeds.web import MOST_BYTES
from carloop.connectors.files.xml_rows import MOST_DEPTH, MOST_ELEMENTS
from carloop.core.events import Limits
from carloop.core.feeds import LONGEST_RECORD, MOST_PAGE_RECORDS
from carloop.core.fields import Field, FieldType
from carloop.core.identifiers import IdentifierType
from carloop.core.pack import EventType, Property
from carloop.core.scope import ROLE_PERMISSIONS, Permission, Role
from carloop.rules import FIELD_OPS, KINDS
from carloop.rules.comparison import IDENTIFYING_OPS
from carloop.stores.state.schema import MODULES

ROOT = Path(__file__).resolve().parents[2]
DIRECTORY = ROOT / "docs" / "reference"
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
        "routes.md": routes(),
        "connectors.md": connectors(),
        "feeds.md": feeds(),
        "tables.md": tables(),
    }
    return {name: f"{text.strip()}\n" for name, text in made.items()}


def feeds() -> str:
    """Every kind of source that is read, with its settings."""
    parts = []
    for kind in FEEDS:
        schema = kind.schema()
        rows = [
            (
                f"`{name}`" + (" **required**" if name in schema["required"] else ""),
                "secret" if told.get("writeOnly") else _type(told),
                f"`{told['default']}`" if "default" in told else "–",
                ". ".join(t for t in (told.get("title"), told.get("description")) if t),
            )
            for name, told in schema["properties"].items()
        ]
        ends = "Reads until stopped (`continuous`)." if kind.endless else "Reads to its end."
        table = _table(("setting", "type", "unless set", "meaning"), rows)
        meant = _one_line(kind.__doc__ or "").replace("``", "`")
        parts.append(f"## {_title(kind.title)}: `{kind.kind}`\n\n{meant} {ends}\n\n{table}")
    body = "\n\n".join(parts)
    return f"""
# Sources that are read

{NOTE} How: [a database](../guides/connect-a-database.md),
[files and APIs](../guides/read-files-and-apis.md),
[vehicle telematics](../guides/vehicle-telematics.md). Secrets are stored encrypted and never shown.
A private address needs `CARLOOP_ALLOWED_HOSTS`, a folder of this machine `CARLOOP_ALLOWED_FOLDERS`.

| limit | |
| --- | --- |
| one record | {LONGEST_RECORD} bytes; a message {LONGEST_RECORD - LONGEST_META} |
| a page | {MOST_PAGE_RECORDS} records; of a broker {PAGE_RECORDS} messages or {PAGE_BYTES} bytes |
| files of one feed | {MOST_FILES}; Parquet and Excel elsewhere {MOST_SPOOLED} bytes each |
| an XML record | {MOST_ELEMENTS} elements and attributes, {MOST_DEPTH} levels |
| one answer of an API | {MOST_BYTES} bytes |
| events of one record | {PLACES}; {LIST_PLACES} where its mapping names a list |

A message that is no JSON, empty, too long or gone (`malformed_json`, `invalid_encoding`,
`empty_body`, `row_too_long`, `message_gone`) is kept in quarantine with its position, acknowledged,
and holds nobody up. A message carries, besides its own members, `$message` (`topic`, `level.1` …,
`key`, `headers`, `at`); JSON that is no object stands under `$value`.

A row of a file carries `$file` (`name`, `row`) besides its columns. What cannot be read of a file
is kept with its place: [reasons](quarantine.md#rows-of-files-and-objects-of-apis).

Run against real servers: PostgreSQL, MariaDB, SQLite, mosquitto 2 (MQTT 5 and 3.1.1), RabbitMQ,
NATS JetStream, Redis 7, SFTP (asyncssh), an HTTP server of our own. S3 was tested against a server
of our own that checks signatures as the AWS SDK makes them; **not run**: AWS, MinIO or any other S3
service, OpenSSH's SFTP server. **Not run**: Kafka was tested against the cluster that librdkafka
brings along, not against an Apache Kafka or Redpanda server; its SASL and TLS, Redis Cluster and
Sentinel, and TLS to a broker beyond the refusal of a peer that has none.

{body}
"""


def _type(told: Mapping[str, Any]) -> str:
    if "enum" in told:
        return " ".join(f"`{value}`" for value in told["enum"])
    if "minimum" in told:
        return f"{told['minimum']} … {told['maximum']}"
    return "list" if told["type"] == "array" else str(told["type"])


def connectors() -> str:
    """Every way in over HTTP with its addresses and limits."""
    head = ("protocol", "name", "addresses", "event", "events", "on the wire", "unpacked")
    rows = [
        (_title(p.title), f"`{p.name}`", _addresses(p.routes), *_limits(p.limits))
        for p in PROTOCOLS.values()
    ]
    hooks = [
        (
            _title(h.title),
            f"`{h.name}`",
            f"{' '.join(h.methods)} `/{h.word}/<source>`",
            *_limits(h.limits),
        )
        for h in HOOKS.values()
    ]
    names = {
        name: (", ".join(f"`{setting}`" for setting in h.schema()["properties"]))
        for name, h in HOOKS.items()
    }
    told = [(f"`{name}`", settings_) for name, settings_ in names.items()]
    presets = [
        (f"`{p.name}`", _title(p.title), "<br>".join(p.documented), "<br>".join(p.assumed))
        for pack in CATALOGUE.packs
        for p in pack.webhook_presets
    ]
    return f"""
# Ways in over HTTP

{NOTE} Sizes in bytes. Nesting up to 32 levels, 500 keys, keys up to 200 characters,
everywhere. How to send: [send events](../guides/send-events.md); why something was refused:
[reasons](quarantine.md).

## With a write key

{_table(head, rows)}

`/sa`, `/sa.gif` and `/debug` answer under any prefix.

## With settings of their own

A source of such a kind has an address; its requests are signed, or carry a write key of that
source. How: [receive leads](../guides/receive-leads.md).

{_table(head, hooks)}

{_table(("kind", "settings"), told)}

## Presets of the packs

{_table(("preset", "platform", "documented", "assumed"), presets)}
"""


def _addresses(routes_: Iterable[tuple[str, str]]) -> str:
    by_method: dict[str, list[str]] = {}
    for method, path in routes_:
        by_method.setdefault(method, []).append(f"`{path}`")
    return "<br>".join(f"{method} {' '.join(paths)}" for method, paths in by_method.items())


def _limits(limits: Limits) -> tuple[int, ...]:
    return limits.event, limits.events_per_batch, limits.wire, limits.unpacked


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


def routes() -> str:
    """Every route of the API document, which its own test holds true."""
    paths = json.loads((ROOT / "openapi.json").read_text("utf-8"))["paths"]
    rows = [
        (
            f"`{method.upper()} {path}`",
            f"`{operation['x-permission']}`" if "x-permission" in operation else "–",
            _one_line(operation["description"]),
        )
        for path, operations in paths.items()
        for method, operation in operations.items()
    ]
    return f"""
# Routes

{NOTE} Shapes of requests and answers are in
[openapi.json](../../openapi.json). A dash: no permission is needed, or the route has its own way to
know the caller (a session, a signature). The ways in for events are in the
[guide](../guides/send-events.md).

{_table(("route", "permission", "what it does"), rows)}
"""


def tables() -> str:
    """Every table of the state store, by the file that declares it."""
    parts = []
    for module in MODULES:
        name = module.__name__.rpartition(".")[2]
        own = [it for it in vars(module).values() if isinstance(it, Table)]
        rows = [
            (f"`{it.name}`", _codes(it.primary_key.columns.keys()), _codes(it.columns.keys()))
            for it in own
        ]
        table = _table(("table", "key", "columns"), rows)
        parts.append(f"## `tables/{name}.py`\n\n{_one_line(module.__doc__ or '')}\n\n{table}")
    body = "\n\n".join(parts)
    return f"""
# Tables of the state store

{NOTE} The same tables in SQLite and PostgreSQL;
times are milliseconds since 1970 in UTC.

{body}
"""


def _one_line(text: str) -> str:
    """The first paragraph, on one line."""
    return " ".join(text.partition("\n\n")[0].split())


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

"""A journey as a graph: read from JSON, checked, and judged fit for publication."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

from pydantic import AwareDatetime, Field, TypeAdapter, ValidationError

from carloop.engines.journeys.nodes import NODES, EntrySegment, Node, Send, Wait
from carloop.engines.journeys.templates import variables
from carloop.kit.clock import to_ms
from carloop.kit.errors import InvalidInput

MAX_NODES = 200
_ID = re.compile(r"^[a-z][a-z0-9_-]{0,63}$")


@dataclass(frozen=True, slots=True)
class Edge:
    """From a node, by one of its ports, to another."""

    from_: Annotated[str, Field(alias="from")]
    to: str
    port: str = "next"


@dataclass(frozen=True, slots=True)
class Period:
    """When people may enter: ``[from, to)``; no ``to`` means until paused."""

    from_: Annotated[AwareDatetime, Field(alias="from")]
    to: AwareDatetime | None = None

    def holds(self, at: int) -> bool:
        """Whether ``at`` (epoch milliseconds) lies within."""
        return to_ms(self.from_) <= at and (self.to is None or at < to_ms(self.to))


@dataclass(frozen=True)
class Graph:
    """One version of a journey.

    Attributes:
        entry: id of the entry node.
        goal: why the journey exists; empty in a draft.
        period: when people may enter; None in a draft.
    """

    entry: Annotated[str, Field(max_length=64)] = ""
    nodes: Annotated[list[Node], Field(max_length=MAX_NODES)] = Field(default_factory=list)
    edges: Annotated[list[Edge], Field(max_length=4 * MAX_NODES)] = Field(default_factory=list)
    goal: Annotated[str, Field(max_length=500)] = ""
    period: Period | None = None

    @cached_property
    def by_id(self) -> Mapping[str, Node]:
        """Nodes by id."""
        return {node.id: node for node in self.nodes}

    @cached_property
    def successor(self) -> Mapping[tuple[str, str], str]:
        """Where ``(node, port)`` leads."""
        return {(edge.from_, edge.port): edge.to for edge in self.edges}

    @property
    def start(self) -> EntrySegment | None:
        """The entry node, where there is one."""
        node = self.by_id.get(self.entry)
        return node if isinstance(node, EntrySegment) else None

    @property
    def sends(self) -> list[Send]:
        """The send nodes."""
        return [node for node in self.nodes if isinstance(node, Send)]

    def missing(self) -> list[str]:
        """Which of the five of 4W1H are empty: goal, time, channel, person, content."""
        start = self.start
        sends = self.sends
        said = {
            "goal": bool(self.goal.strip()),
            "time": self.period is not None,
            "channel": bool(sends) and all(s.channel for s in sends),
            "person": start is not None and bool(start.segment),
            "content": bool(sends) and all(s.template and _filled(s) for s in sends),
        }
        return [name for name, there in said.items() if not there]

    def check(self) -> None:
        """Whether the graph can run.

        Raises:
            InvalidInput: ``graph_invalid`` with the ``path`` of the fault.
        """
        if self.start is None:
            raise _fault("the entry must be an entry node", "entry")
        if sum(isinstance(node, EntrySegment) for node in self.nodes) != 1:
            raise _fault("exactly one entry node", "nodes")
        for index, node in enumerate(self.nodes):
            for port in node.ports:
                if (node.id, port) not in self.successor:
                    raise _fault(f"nothing follows {port}", f"nodes.{index}")
            if isinstance(node, Send):
                variables({str(k): v for k, v in node.template.items()})
        unreached = set(self.by_id) - self._reached()
        if unreached:
            raise _fault(f"unreachable: {', '.join(sorted(unreached))}", "nodes")
        if self._spins():
            raise _fault("a loop needs a wait", "edges")

    def _reached(self) -> set[str]:
        seen: set[str] = set()
        stack = [self.entry]
        while stack:
            here = stack.pop()
            if here not in seen:
                seen.add(here)
                stack += [self.successor[here, port] for port in self.by_id[here].ports]
        return seen

    def _spins(self) -> bool:
        """Whether some loop passes no wait: drop waits, peel off nodes without successors."""
        left = {
            n.id: {self.successor[n.id, p] for p in n.ports}
            for n in self.nodes
            if not (isinstance(n, Wait) and n.duration_ms > 0)
        }
        while True:
            ends = [n for n, after in left.items() if not after & left.keys()]
            if not ends:
                return bool(left)
            for node in ends:
                del left[node]


_GRAPH: TypeAdapter[Graph] = TypeAdapter(Graph)


def read_graph(document: Mapping[str, Any] | str) -> Graph:
    """The graph a JSON document describes; it may be an unfinished draft.

    Raises:
        InvalidInput: ``graph_invalid`` with the ``path`` of the first fault.
    """
    try:
        graph = (
            _GRAPH.validate_json(document)
            if isinstance(document, str)
            else _GRAPH.validate_python(document)
        )
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise _fault(first["msg"], ".".join(map(str, first["loc"]))) from error
    return _tidy(graph)


def write_graph(graph: Graph) -> str:
    """The JSON form, canonical."""
    document = _GRAPH.dump_python(graph, mode="json", by_alias=True)
    return json.dumps(document, ensure_ascii=False, sort_keys=True)


def node_schemas() -> list[dict[str, Any]]:
    """Kind, titles, ports and JSON schema of every node; editors draw forms from it."""
    return [
        {
            "kind": node.__dataclass_fields__["kind"].default,
            "title": node.title,
            "ports": list(node.ports),
            "schema": TypeAdapter(node).json_schema(),
        }
        for node in NODES
    ]


def _tidy(graph: Graph) -> Graph:
    for index, node in enumerate(graph.nodes):
        if not _ID.match(node.id):
            raise _fault("ids are lower case letters, digits, - and _", f"nodes.{index}.id")
    if len(graph.by_id) != len(graph.nodes):
        raise _fault("two nodes share an id", "nodes")
    if len(graph.successor) != len(graph.edges):
        raise _fault("two edges leave by one port", "edges")
    for index, edge in enumerate(graph.edges):
        if edge.from_ not in graph.by_id or edge.to not in graph.by_id:
            raise _fault("an edge names an unknown node", f"edges.{index}")
        if edge.port not in graph.by_id[edge.from_].ports:
            raise _fault("the node has no such port", f"edges.{index}.port")
    return graph


def _filled(send: Send) -> bool:
    return all(not text.empty for text in send.template.values())


def _fault(message: str, path: str) -> InvalidInput:
    return InvalidInput(message, code="graph_invalid", path=path)

"""Journey nodes: one file per kind, all listed in ``NODES``."""

from typing import Annotated

from pydantic import Field

from carloop.engines.journeys.nodes.condition import Condition
from carloop.engines.journeys.nodes.entry_segment import EntrySegment
from carloop.engines.journeys.nodes.exit import Exit
from carloop.engines.journeys.nodes.send import Send
from carloop.engines.journeys.nodes.split import Split
from carloop.engines.journeys.nodes.wait import Wait

NODES = (EntrySegment, Wait, Send, Condition, Split, Exit)
Node = Annotated[EntrySegment | Wait | Send | Condition | Split | Exit, Field(discriminator="kind")]

__all__ = ["NODES", "Condition", "EntrySegment", "Exit", "Node", "Send", "Split", "Wait"]

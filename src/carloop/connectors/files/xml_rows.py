"""XML of any size: one object per record element, document types and entities refused.

Attributes stand under ``@name``, the text of an element that has attributes or children under
``#text``; a name that comes twice becomes a list; namespaces are left out. A record that is too
large is set aside and its neighbours are read; a fault of the XML itself ends the file there.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple
from xml.parsers import expat

from carloop.connectors.files.delimited import detect_encoding
from carloop.connectors.files.table import LONGEST_ROW
from carloop.kit.errors import InvalidInput

CHUNK = 64 * 1024
MOST_DEPTH = 32
"""Levels within a record; outside of records as many again."""
MOST_ELEMENTS = 2_000
"""Elements and attributes of one record."""
LONGEST_TOKEN = 2 * 1024 * 1024
"""Bytes without any event: a name or an attribute longer than this is no data."""
_DECLARED = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
_ENCODINGS = {
    "utf-8", "utf8", "utf-16", "us-ascii", "ascii", "iso-8859-1", "windows-1252", "gbk",
    "gb2312", "gb18030", "big5",
}  # fmt: skip
_STEP = re.compile(r"[^/\s<>&\"']{1,200}")


class XmlItem(NamedTuple):
    """A record element, or why it cannot be read and at which line and column of the file."""

    number: int
    value: dict[str, Any]
    code: str = ""


def record_path(text: str) -> tuple[str, ...]:
    """The steps of a path to the record element; an absolute one begins with an empty step.

    Raises:
        ValueError: no such path.

    >>> record_path("orders/order"), record_path("/orders/order")
    (('orders', 'order'), ('', 'orders', 'order'))
    """
    steps = text.strip().removesuffix("/").split("/")
    named = steps[1:] if steps[0] == "" else steps
    if not named or len(named) > MOST_DEPTH or not all(map(_STEP.fullmatch, named)):
        raise ValueError(text)
    return tuple(steps)


class _Forbidden(Exception):
    """A document type."""


class _TooDeep(Exception):
    """Nesting outside of any record."""


class _Node:
    __slots__ = ("members", "text")

    def __init__(self) -> None:
        self.members: dict[str, Any] = {}
        self.text: list[str] = []

    def value(self) -> Any:
        text = "".join(self.text).strip()
        if not self.members:
            return text
        return self.members | ({"#text": text} if text else {})

    def add(self, name: str, value: Any) -> None:
        """A child; several of one name are a list (an element's own value never is one)."""
        if name not in self.members:
            self.members[name] = value
        elif isinstance(self.members[name], list):
            self.members[name].append(value)
        else:
            self.members[name] = [self.members[name], value]


class _Records:
    """Handlers of one parser; finished records wait in :attr:`found`."""

    def __init__(self, steps: tuple[str, ...]) -> None:
        self._steps = steps[1:] if steps[0] == "" else steps
        self._rooted = steps[0] == ""
        self._outside: list[str] = []
        self._inside: list[tuple[str, _Node]] = []
        self._depth = self._elements = self._size = 0
        self._code = ""
        self.number = 0
        self.events = 0
        self.found: list[XmlItem] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.events += 1
        name = name.rpartition(":")[2]
        if self._depth == 0:
            if len(self._outside) >= MOST_DEPTH:
                raise _TooDeep
            self._outside.append(name)
            if not self._is_record():
                return
            self.number += 1
            self._elements = self._size = 0
            self._code = ""
        self._depth += 1
        self._elements += 1 + len(attributes)
        self._size += len(name) + sum(len(k) + len(v) for k, v in attributes.items())
        if self._depth > MOST_DEPTH:
            self._code = self._code or "too_deep"
        elif self._elements > MOST_ELEMENTS:
            self._code = self._code or "too_many_keys"
        elif self._size > LONGEST_ROW:
            self._code = self._code or "row_too_long"
        if self._code:
            self._inside.clear()
            return
        node = _Node()
        for key, value in attributes.items():
            if not key.startswith("xmlns"):
                node.add("@" + key.rpartition(":")[2], value)
        self._inside.append((name, node))

    def end(self, name: str) -> None:
        self.events += 1
        if self._depth == 0:
            self._outside.pop()
            return
        self._depth -= 1
        if not self._code:
            name, node = self._inside.pop()
            if self._depth:
                self._inside[-1][1].add(name, node.value())
            else:
                value = node.value()
                whole = value if isinstance(value, dict) else {"#text": value} if value else {}
                self.found.append(XmlItem(self.number, whole))
        elif self._depth == 0:
            self.found.append(XmlItem(self.number, {}, self._code))
        if self._depth == 0:
            self._outside.pop()

    def characters(self, text: str) -> None:
        self.events += 1
        if self._depth and not self._code:
            self._size += len(text)
            if self._size > LONGEST_ROW:
                self._code = "row_too_long"
                self._inside.clear()
            else:
                self._inside[-1][1].text.append(text)

    def _is_record(self) -> bool:
        if self._rooted:
            return tuple(self._outside) == self._steps
        return tuple(self._outside[-len(self._steps) :]) == self._steps


def xml_rows(file: BinaryIO, steps: tuple[str, ...], encoding: str = "auto") -> Iterator[XmlItem]:
    """The record elements of a file, in order; its first fault is the last item.

    Args:
        file: read to its end, in pieces.
        steps: of :func:`record_path`.
        encoding: ``auto``: as the file's first bytes declare.

    Raises:
        InvalidInput: ``encoding_unsupported``.
    """
    head = file.read(CHUNK)
    decoder = codecs.getincrementaldecoder(_encoding(head, encoding))()
    parser = expat.ParserCreate("utf-8")
    records = _Records(steps)
    parser.StartElementHandler = records.start
    parser.EndElementHandler = records.end
    parser.CharacterDataHandler = records.characters
    parser.StartDoctypeDeclHandler = _refuse
    piece, silent, seen = head, 0, 0
    while True:
        code = ""
        try:
            text = decoder.decode(piece, final=not piece).removeprefix("\ufeff")
            parser.Parse(text.encode(), not piece)
        except _Forbidden:
            code = "xml_forbidden"
        except _TooDeep:
            code = "too_deep"
        except UnicodeError:
            code = "invalid_encoding"
        except (expat.ExpatError, ValueError):
            code = "xml_broken"
        yield from records.found
        records.found.clear()
        silent = 0 if records.events > seen else silent + len(piece)
        seen = records.events
        if not code and silent > LONGEST_TOKEN:
            code = "row_too_long"
        if code:
            at = {"line": parser.CurrentLineNumber, "column": parser.CurrentColumnNumber}
            yield XmlItem(records.number + 1, at, code)
            return
        if not piece:
            return
        piece = file.read(CHUNK)


def _refuse(*_: Any) -> None:
    raise _Forbidden


def _encoding(head: bytes, wanted: str) -> str:
    if wanted != "auto":
        return wanted
    found = detect_encoding(head[:4])
    if found == "utf-8" and (declared := _DECLARED.match(head.lstrip())):
        found = declared[1].decode("ascii").lower()
    if found not in _ENCODINGS and found != "utf-8-sig":
        raise InvalidInput("this encoding is not read", code="encoding_unsupported")
    return "gb18030" if found in ("gbk", "gb2312") else found

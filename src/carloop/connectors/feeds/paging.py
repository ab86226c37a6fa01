"""How an API hands out a long list: where the next page is, and when there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urljoin

import msgspec

from carloop.connectors.feeds.web import checked_url
from carloop.kit.errors import InvalidInput
from carloop.kit.settings import Reader

STYLES = ("none", "cursor", "link", "page", "offset")
LONGEST_CURSOR = 4_000
_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_any = msgspec.json.Decoder().decode
_BROKEN = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)

Where = Mapping[str, Any]
"""Where a page is: ``{}`` the first; ``{"cursor": …}``, ``{"url": …}`` or ``{"n": …}``."""


class Page(NamedTuple):
    """An answer taken apart: its items as they came, and the whole."""

    items: Sequence[bytes]
    body: bytes


def member(body: bytes, path: str) -> bytes | None:
    """A member of a JSON document as it stands there; None where there is none, or null.

    Raises:
        msgspec.DecodeError: the document is no JSON.

    >>> member(b'{"data":{"next":"x"}}', "data.next"), member(b'{"data":null}', "data.next")
    (b'"x"', None)
    """
    found: bytes = body
    for step in path.split(".") if path else ():
        try:
            inner = _object(found).get(step)
        except msgspec.ValidationError:
            return None
        if inner is None:
            return None
        found = bytes(inner)
    return None if found.strip() == b"null" else found


def scalar(body: bytes, path: str) -> str | int | float | bool | None:
    """A member that is a text, a number or a truth; None for anything else."""
    found = member(body, path)
    value = None if found is None else _any(found)
    return value if isinstance(value, str | int | float | bool) else None


def page_of(body: bytes, path: str) -> Page:
    """The items of an answer; none where its list is null.

    Raises:
        InvalidInput: ``answer_broken``; ``items_missing``: no list stands at ``path``.

    >>> page_of(b'{"data":[{"id":1}]}', "data").items
    [b'{"id":1}']
    """
    try:
        _any(body)
        found = member(body, path)
        parent, _, last = path.rpartition(".")
        if found is None and path:
            above = member(body, parent)
            if above is not None and last in _object(above):
                return Page([], body)
        if found is not None:
            return Page([bytes(raw) for raw in _list(found)], body)
    except msgspec.ValidationError:
        pass
    except _BROKEN as error:
        raise InvalidInput("the answer is no JSON", code="answer_broken") from error
    raise InvalidInput("no list where the items should be", code="items_missing", path="items")


def next_link(header: str) -> str:
    """The target of ``rel=next`` in a ``Link`` header (RFC 8288); empty where there is none.

    >>> next_link('<https://a.example/x?page=1>; rel="prev", </x?page=3>; rel="next"')
    '/x?page=3'
    """
    for part in header[:20_000].split("<")[1:]:
        target, _, parameters = part.partition(">")
        for parameter in parameters.split(";"):
            name, _, value = parameter.partition("=")
            words = value.strip(' \t,"').lower().split()
            if name.strip().lower() == "rel" and "next" in words:
                return target.strip()
    return ""


class Paging:
    """One style of paging.

    Raises:
        InvalidInput: a setting is missing or wrong.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        read = Reader(settings)
        self.style = read.choice("paging", "none", STYLES)
        self._path = read.text("next_path", None if self.style == "cursor" else "", 200)
        default = {"cursor": "cursor", "page": "page", "offset": "offset"}.get(self.style, "")
        self._parameter = read.text("page_param", default, 100) or default
        self._first = read.integer("first_page", 1, 0, 1)
        self._size_parameter = read.text("size_param", "", 100)
        self._size = read.integer("page_size", 100, 1, 10_000)

    def query(self, where: Where) -> dict[str, str]:
        """Parameters that ask for a page."""
        query = {self._size_parameter: str(self._size)} if self._size_parameter else {}
        if self.style == "cursor" and "cursor" in where:
            query[self._parameter] = str(where["cursor"])
        elif self.style == "page":
            query[self._parameter] = str(where.get("n", self._first))
        elif self.style == "offset":
            query[self._parameter] = str(where.get("n", 0))
        return query

    def after(self, where: Where, url: str, page: Page, link: str) -> Where | None:
        """Where the page after this one is; None: this was the last.

        Args:
            where: this page.
            url: it came from.
            page: what came.
            link: its header ``Link``.

        Raises:
            InvalidInput: ``paging_stuck``: the next page would be this one again.
        """
        following: Where | None = None
        if self.style == "cursor":
            found = scalar(page.body, self._path)
            if found is not None and found is not False and found != "":
                if len(str(found)) > LONGEST_CURSOR:
                    raise _stuck()
                following = {"cursor": found}
        elif self.style == "link":
            target = scalar(page.body, self._path) if self._path else next_link(link)
            if isinstance(target, str) and target:
                following = {"url": checked_url(urljoin(url, target), "next_path")}
                if len(following["url"]) > LONGEST_CURSOR:
                    raise _stuck()
        elif self.style == "page" and page.items:
            following = {"n": int(where.get("n", self._first)) + 1}
        elif self.style == "offset" and page.items:
            following = {"n": int(where.get("n", 0)) + len(page.items)}
        if following is not None and following == where:
            raise _stuck()
        return following


def _stuck() -> InvalidInput:
    return InvalidInput("the next page is the same again", code="paging_stuck", path="paging")

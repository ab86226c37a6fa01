"""Message texts with ``{{field}}`` variables: look-up and escaping, no code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Annotated

from pydantic import Field as Limits

from carloop.kit.errors import InvalidInput

_VARIABLE = re.compile(r"\{\{\s*([a-z_][a-z0-9_]{0,63})\s*(?:\|([^{}|]{0,200}))?\}\}")
UNSUBSCRIBE = "unsubscribe_url"


@dataclass(frozen=True, slots=True)
class Text:
    """One language of a template. ``html`` is for e-mail; its values are escaped."""

    text: Annotated[str, Limits(max_length=20_000)]
    subject: Annotated[str, Limits(max_length=500)] = ""
    html: Annotated[str, Limits(max_length=200_000)] = ""

    @property
    def empty(self) -> bool:
        """True where nothing would be said."""
        return not (self.text.strip() or self.html.strip())


Template = Mapping[str, Text]
"""Texts by language (``zh``, ``en``); the person's language wins, else the first."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A text for one person."""

    subject: str
    text: str
    html: str


def render(text: str, values: Mapping[str, str], *, html: bool = False) -> str:
    """``text`` with its variables filled in.

    An absent or empty value gives the default behind ``|``, or nothing. Values are never rendered
    again, so what a person typed into a field stays text.

    >>> render("{{name|朋友}}您好", {}), render("<b>{{name}}</b>", {"name": "<i>"}, html=True)
    ('朋友您好', '<b>&lt;i&gt;</b>')
    """

    def fill(match: re.Match[str]) -> str:
        value = values.get(match[1], "") or (match[2] or "").strip()
        return escape(value) if html else value

    return _VARIABLE.sub(fill, text)


def choose(template: Template, language: str) -> Text:
    """The text in ``language``, else the first there is."""
    return template[language] if language in template else next(iter(template.values()))


def render_for(template: Template, values: Mapping[str, str]) -> Rendered:
    """The text for a person with these field values; ``language`` among them picks the text."""
    text = choose(template, values.get("language", "")[:2].lower())
    return Rendered(
        render(text.subject, values),
        render(text.text, values),
        render(text.html, values, html=True),
    )


def variables(template: Template) -> set[str]:
    """The names of all variables used.

    Raises:
        InvalidInput: ``template_invalid``: braces that are not a variable.
    """
    used: set[str] = set()
    for text in template.values():
        for part in (text.subject, text.text, text.html):
            left = _VARIABLE.sub("", part)
            if "{{" in left or "}}" in left:
                raise InvalidInput("not a variable", code="template_invalid")
            used |= {match[1] for match in _VARIABLE.finditer(part)}
    return used

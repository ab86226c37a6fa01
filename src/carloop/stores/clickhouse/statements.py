"""Where one SQL statement ends: the guard of the read path, and the splitter of migrations.

chDB runs every statement of a string, so a second one must never reach it. The scanner knows plain
quotes and comments; wherever ClickHouse's lexer has more (heredocs, curly quotes, ``#`` and ``//``
comments) it refuses to guess.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from carloop.kit.errors import InvalidInput

_TOKEN = re.compile(
    r"""
      (?P<quoted>'(?:[^'\\]|\\.|'')*' | "(?:[^"\\]|\\.|"")*" | `(?:[^`\\]|\\.|``)*`)
    | (?P<comment>--[^\n]*(?:\n|$) | /\*(?:(?!/\*|\*/).)*\*/)
    | (?P<end>;)
    | (?P<odd>['"`#$\u2018\u2019\u201c\u201d] | // | /\*)
    | (?P<plain>[^;'"`#$/\-\u2018\u2019\u201c\u201d]+ | [/\-])
    """,
    re.DOTALL | re.VERBOSE,
)


def require_single(text: str) -> None:
    """Refuse text that could hold more than one statement, even an empty one.

    Raises:
        InvalidInput: ``query_refused``.
    """
    if "\0" in text or (";" in text and any(t.lastgroup == "end" for t in _tokens(text))):
        raise InvalidInput("one statement, without a semicolon", code="query_refused")


def split(text: str) -> list[str]:
    r"""The statements of ``text``, without comments' and literals' semicolons splitting them.

    Raises:
        InvalidInput: ``query_refused`` where the text cannot be read with certainty.

    >>> split("SELECT ';'; -- a; b\nSELECT 2;")
    ["SELECT ';'", '-- a; b\nSELECT 2']
    """
    statements: list[str] = []
    start = 0
    for token in _tokens(text):
        if token.lastgroup == "end":
            statements.append(text[start : token.start()])
            start = token.end()
    statements.append(text[start:])
    return [s.strip() for s in statements if _has_code(s)]


def _tokens(text: str) -> Iterator[re.Match[str]]:
    for token in _TOKEN.finditer(text):
        if token.lastgroup == "odd":
            raise InvalidInput("quotes or comments that cannot be read", code="query_refused")
        yield token


def _has_code(statement: str) -> bool:
    return any(
        token.lastgroup != "comment" and token.group().strip()
        for token in _TOKEN.finditer(statement)
    )

"""Logs on stderr, JSON lines or text for a terminal, with ids and never a personal value.

Every event passes a redaction step that hides what looks personal or secret, in values and in
exception texts; it is the last line of defence, callers log ids only.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

REDACTED = "[redacted]"

SECRET_NAMES = re.compile(
    r"(?i)pass(word|wd)?$|secret|token|authorization|cookie|api_?key|write_?key|csrf"
)
PERSONAL = re.compile(
    r"""
    [A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+      # e-mail
    | (?<![\w-])(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?![\w-])   # mainland mobile
    | (?<!\w)\d{17}[\dXx](?!\w)                               # resident ID card
    | (?<!\w)(?=[A-Z0-9]*\d)(?=[A-Z0-9]*[A-Z])[A-HJ-NPR-Z0-9]{17}(?!\w)      # VIN
    | [京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]
      [A-HJ-NP-Z][·\ ]?[A-HJ-NP-Z0-9]{5,6}                    # plate
    | carloop_[A-Za-z0-9]+_[A-Za-z0-9_-]+                     # API token
    | clw_[A-Za-z0-9]{16,}                                    # write key
    | (?i:bearer|basic)\s+[A-Za-z0-9+/=._-]{8,}               # credentials in a header
    """,
    re.VERBOSE,
)


def redact(value: Any) -> Any:
    """``value`` with everything that looks personal or secret replaced.

    >>> redact({"to": "call 13912345678", "password": "x", "n": 3})
    {'to': 'call [redacted]', 'password': '[redacted]', 'n': 3}
    """
    if isinstance(value, str):
        return PERSONAL.sub(REDACTED, value)
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    if isinstance(value, Mapping):
        return {
            name: REDACTED if SECRET_NAMES.search(str(name)) else redact(item)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return PERSONAL.sub(REDACTED, str(value))


def redactor(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The structlog processor around :func:`redact`."""
    cleaned: MutableMapping[str, Any] = redact(event)
    return cleaned


def configure(level: str = "info", process: str = "", format: str = "auto") -> None:
    """Send structlog and the standard library's logging to stderr, redacted.

    Args:
        level: the least that is shown.
        process: named in every line.
        format: ``json``, ``text``, or ``auto``: text where stderr is a terminal.
    """
    text = format == "text" or (format == "auto" and sys.stderr.isatty())
    render: Any = (
        structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0)
        if text
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redactor,
    ]
    structlog.configure(
        processors=[*shared, render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                redactor,
                render,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    logging.getLogger("uvicorn.access").disabled = True
    for noisy in ("alembic", "clickhouse_connect", "httpcore", "httpx", "uvicorn"):
        logging.getLogger(noisy).setLevel("WARNING")
    if process:
        structlog.contextvars.bind_contextvars(process=process)

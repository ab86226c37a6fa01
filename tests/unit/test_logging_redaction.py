"""Nothing personal or secret reaches a log line."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from carloop.kit.logging import configure, redact

CANARIES = [
    "13912345678",
    "+8613912345678",
    "139 1234 5678",
    "wang.fang@example.com",
    "11010519491231002X",
    "LSVAM4187C2184841",
    "京A12345",
    "沪AD12345",
    "carloop_dH87BVf4XG6b_dRlIf2nop9CEe9WcDpMnew58CkAQDt2IQEZgbw6KORZ",
    "clw_sSAcX2QwXXKpGKXWHOFNQLcH60Hf60er",
    "Bearer abcdefghijklmnop",
]


@pytest.fixture
def unconfigured() -> Iterator[None]:
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    logging.getLogger().handlers = []
    logging.getLogger().setLevel("WARNING")


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


@pytest.mark.parametrize("canary", CANARIES)
@pytest.mark.usefixtures("unconfigured")
def test_canaries_never_reach_the_log(canary: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure("debug", "test")
    log = structlog.get_logger("t")
    log.info("seen", value=canary, nested={"list": [canary]}, text=f"it was {canary}, yes")
    logging.getLogger("lib").warning("failed for %s", canary)
    try:
        raise ValueError(f"bad {canary}")
    except ValueError:
        log.exception("broke")
    written = lines(capsys)
    assert len(written) == 3
    assert canary not in json.dumps(written, ensure_ascii=False)


@pytest.mark.parametrize("name", ["password", "api_key", "Authorization", "csrf", "session_token"])
def test_secrets_are_hidden_by_name(name: str) -> None:
    assert redact({name: "short"}) == {name: "[redacted]"}


@pytest.mark.parametrize(
    "harmless",
    [
        "8c0f6f0a-6d0c-5b5e-9a57-3a3c2b7a6f10",
        "2026-11-22T08:00:00.123Z",
        "segment 12 refreshed in 1391 ms",
        "user:3",
        "loader",
    ],
)
def test_ids_and_times_stay(harmless: str) -> None:
    assert redact(harmless) == harmless


@pytest.mark.usefixtures("unconfigured")
def test_lines_are_json_with_level_time_and_process(capsys: pytest.CaptureFixture[str]) -> None:
    configure("debug", "test")
    structlog.get_logger("t").info("profiles_merged", kept=3)
    (line,) = lines(capsys)
    assert (line["event"], line["kept"], line["level"], line["process"]) == (
        "profiles_merged", 3, "info", "test",
    )  # fmt: skip
    assert str(line["timestamp"]).endswith("Z")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_anything_can_be_redacted_and_written(value: object) -> None:
    json.dumps(redact(value))

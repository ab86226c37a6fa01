"""Every operation under generated input: no 5xx, and only what the document promises."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    response_schema_conformance,
    status_code_conformance,
)

from tests.support.server import Server, serving

DOCUMENT = json.loads((Path(__file__).parents[2] / "openapi.json").read_text("utf-8"))
CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]
UNSAFE = ("/api/session", "/receipts", "/readyz")
"""Ends the fuzzer's own session, wants a signature, or is red for reasons of its own."""

schema = schemathesis.openapi.from_dict(DOCUMENT).exclude(path_regex="|".join(UNSAFE))
schema.config.phases.update(phases=["examples", "fuzzing"])
QUIET = [
    HealthCheck.too_slow,
    HealthCheck.filter_too_much,
    HealthCheck.data_too_large,
    HealthCheck.function_scoped_fixture,
]


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str]]:
    with serving(tmp_path_factory.mktemp("fuzz") / "data") as server:
        server.send(
            server.write_key(),
            [{"event": "page_viewed", "identifiers": {"mobile": "13912340001"}}],
        )
        yield server, server.token()


def probe(case: Case, fuzzed: tuple[Server, str]) -> None:
    server, token = fuzzed
    case.call_and_validate(
        base_url=server.url,
        headers={"Authorization": f"Bearer {token}"},
        checks=CHECKS,
        timeout=30,
    )


@schema.parametrize()  # type: ignore[untyped-decorator]
@settings(max_examples=3, deadline=None, derandomize=True, suppress_health_check=QUIET)
def test_no_operation_fails_on_a_few_inputs(case: Case, fuzzed: tuple[Server, str]) -> None:
    probe(case, fuzzed)


@pytest.mark.deep
@schema.parametrize()  # type: ignore[untyped-decorator]
@settings(max_examples=300, deadline=None, suppress_health_check=QUIET)
def test_no_operation_fails_on_many_inputs(case: Case, fuzzed: tuple[Server, str]) -> None:
    probe(case, fuzzed)

"""The committed OpenAPI document is the one the code describes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from carloop.api.app import create_app
from carloop.api.openapi import main
from carloop.api.services import Services

ROOT = Path(__file__).parents[2]


def test_the_committed_document_is_fresh(tmp_path: Path) -> None:
    written = tmp_path / "openapi.json"
    main([str(written)])
    assert (ROOT / "openapi.json").read_text("utf-8") == written.read_text("utf-8"), (
        "run `make openapi`"
    )


def test_answers_have_no_defaults_and_no_twins() -> None:
    schema = create_app(Services()).openapi()
    schemas = schema["components"]["schemas"]
    assert not [name for name in schemas if name.endswith(("-Input", "-Output"))]
    for name in _answered(schema):
        properties = schemas[name].get("properties", {})
        assert set(properties) <= set(schemas[name].get("required", ())), name


def test_references_lead_somewhere() -> None:
    schema = create_app(Services()).openapi()
    for name in set(_references(schema)):
        assert name in schema["components"]["schemas"]


def _answered(schema: dict[str, Any]) -> set[str]:
    """Names of the models that are only ever answers."""
    answers, bodies = set[str](), set[str]()
    for item in schema["paths"].values():
        for operation in item.values():
            answers.update(_reached(schema, operation["responses"]))
            bodies.update(_reached(schema, operation.get("requestBody", {})))
    return answers - bodies - {"Problem"}


def _reached(schema: dict[str, Any], part: Any) -> set[str]:
    found, waiting = set[str](), set(_references(part))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.update(_references(schema["components"]["schemas"][name]))
    return found


def _references(part: Any) -> list[str]:
    text = json.dumps(part)
    return [piece.split('"')[0] for piece in text.split("#/components/schemas/")[1:]]

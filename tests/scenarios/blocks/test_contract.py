"""Every kind of block has cases, every one of its exits is taken by one, and all cases hold."""

import importlib
import json
from typing import Any

import pytest

from apps.scenarios.block import Block
from apps.scenarios.engine import described
from apps.scenarios.engine.params import ParamsModel
from apps.scenarios.registry import blocks
from tests.scenarios.blocks.cases import Case, check, exits_of, taken


def cases_of(kind: str) -> list[Case]:
    module = importlib.import_module(f"tests.scenarios.blocks.test_{kind}")
    cases: list[Case] = module.CASES
    return cases


def all_cases() -> list[Any]:
    return [pytest.param(kind, case, id=f"{kind}: {case.title}") for kind in blocks for case in cases_of(kind)]


@pytest.mark.parametrize("kind", list(blocks))
def test_every_kind_has_cases_for_all_its_exits(kind: str) -> None:
    cases = cases_of(kind)
    assert cases
    declared = {name for case in cases for name in exits_of(kind, case)}
    assert declared - taken(cases) == set()


@pytest.mark.parametrize(("kind", "case"), all_cases())
def test_case(kind: str, case: Case) -> None:
    check(kind, case)


@pytest.mark.parametrize("kind", list(blocks))
def test_a_kind_declares_what_the_builder_shows(kind: str) -> None:
    block: Block[Any] = blocks[kind]
    assert str(block.label)
    assert str(block.help)
    assert block.icon
    assert block.group in {"talk", "logic", "data", "flow"}
    assert issubclass(block.Params, ParamsModel)
    for name, info in block.Params.model_fields.items():
        assert info.title, f"{kind}.{name} has no title"


@pytest.mark.parametrize("kind", list(blocks))
def test_unknown_parameters_are_refused_by_name(kind: str) -> None:
    problems = {error["loc"][-1] for error in _errors(blocks[kind], {"nonsense": 1})}
    assert "nonsense" in problems


def _errors(block: Block[Any], params: dict[str, Any]) -> list[Any]:
    try:
        block.Params.model_validate(params)
    except ValueError as error:
        return json.loads(error.json())  # type: ignore[attr-defined, no-any-return]
    return []


def test_the_thirteen_kinds_of_the_product_are_there() -> None:
    assert set(blocks) >= {
        "start", "message", "input", "router", "exit", "entry", "operator", "action", "set_variable", "delay", "emit_event", "respond", "end",
    }  # fmt: skip


def test_the_schema_help_has_every_kind() -> None:
    schema = described.definition_schema(blocks=blocks)
    assert set(schema["x-kinds"]) == set(blocks)

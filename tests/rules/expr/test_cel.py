"""Google's CEL engine as the oracle: it reads our texts and gives our answers."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings

from rules.expr import Fault, Node, compile_condition
from tests.rules.expr.conformance import CASES, VALUES
from tests.rules.expr.naive import ERROR
from tests.rules.expr.samples import VALUES as RANDOM_VALUES
from tests.rules.expr.samples import conditions

cel = pytest.importorskip(
    "cel_expr_python.cel", reason="cel-expr-python has no wheel for this platform"
)
_MAP = cel.Type.Map(cel.Type.STRING, cel.Type.DYN)
ENGINE = cel.NewEnv(
    variables={"tx": _MAP, "member": _MAP, "counter": _MAP, "lines": cel.Type.List(_MAP)}
)


def asked_of_cel(text: str, values: Mapping[str, Any]) -> bool | str:
    data: dict[str, Any] = {"tx": {}, "member": {}, "counter": {}}
    for name, value in values.items():
        if name != "lines":
            root, field = name.split(".", 1)
            data[root][field] = list(value) if isinstance(value, tuple) else value
    data["lines"] = [dict(line) for line in values["lines"]]
    outcome = ENGINE.compile(text).eval(data=data)
    if outcome.type() == cel.Type.ERROR:
        return ERROR
    value = outcome.value()
    assert isinstance(value, bool)
    return value


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_every_row_of_the_table_is_what_cel_answers(text: str, expected: bool | str) -> None:
    assert asked_of_cel(text, VALUES) == expected


@given(conditions(lines=True), RANDOM_VALUES)
@settings(max_examples=400, deadline=None)
def test_random_expressions_mean_to_cel_what_they_mean_here(
    node: Node, values: dict[str, Any]
) -> None:
    outcome = compile_condition(node)(values)
    mine = ERROR if isinstance(outcome, Fault) else outcome
    assert asked_of_cel(str(node), values) == mine

"""CEL's answers, row by row, from everything that answers."""

import pytest

from rules.expr import Fault, compile_condition, parse, read
from rules.expr.nodes import Choice, walk
from tests.rules.expr.conformance import CASES, VALUES
from tests.rules.expr.naive import ERROR, answer
from tests.rules.expr.samples import ENVIRONMENT


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_the_closure_gives_the_answer_of_cel(text: str, expected: bool | str) -> None:
    outcome = compile_condition(read(text, ENVIRONMENT))(VALUES)
    assert (ERROR if isinstance(outcome, Fault) else outcome) == expected


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_the_naive_interpreter_gives_the_answer_of_cel(text: str, expected: bool | str) -> None:
    assert answer(parse(text), VALUES) == expected


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_a_set_gives_the_answer_of_cel_or_says_why_not(text: str, expected: bool | str) -> None:
    pytest.importorskip("polars", reason="polars is optional")
    from rules.expr.sets import NotSetBased
    from tests.rules.expr.frames import asked_of_set

    node = read(text, ENVIRONMENT)
    if "lines" in text or any(isinstance(part, Choice) for part in walk(node)):
        with pytest.raises(NotSetBased, match=r"lines|a test that asks nothing"):
            asked_of_set(node, [VALUES])
    else:
        assert asked_of_set(node, [VALUES, VALUES]) == [expected, expected]

"""Random expressions: one text, and one answer, however it is computed."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.expr import (
    Fault,
    Node,
    check,
    compile_condition,
    member_predicates,
    parse,
    pin,
    pinned_values,
    sentence,
    with_predicates,
)
from rules.expr.nodes import Choice, Name, walk
from rules.expr.split import roots
from tests.rules.expr.naive import ERROR, answer
from tests.rules.expr.samples import ENVIRONMENT, VALUES, conditions

LONG = 1_000_000


def asked(node: Node, values: dict[str, Any]) -> bool | str:
    outcome = compile_condition(node)(values)
    return ERROR if isinstance(outcome, Fault) else outcome


@given(conditions(lines=True))
@settings(max_examples=300, deadline=None)
def test_the_canonical_text_reads_back_to_the_same_tree(node: Node) -> None:
    again = parse(str(node), length_max=LONG)
    assert again == node
    assert str(again) == str(node)


@given(conditions(lines=True))
@settings(max_examples=200, deadline=None)
def test_what_is_well_typed_is_accepted_and_can_be_said(node: Node) -> None:
    assert check(node, ENVIRONMENT) > 0
    assert sentence(node, "en")
    assert sentence(node, "zh")


@given(conditions(lines=True), st.lists(VALUES, min_size=1, max_size=4))
@settings(max_examples=400, deadline=None)
def test_the_closure_answers_like_the_naive_interpreter(
    node: Node, rows: list[dict[str, Any]]
) -> None:
    for values in rows:
        assert asked(node, values) == answer(node, values)


@given(conditions(lines=True), VALUES)
@settings(max_examples=300, deadline=None)
def test_pinned_predicates_give_the_answer_that_the_attributes_gave(
    node: Node, values: dict[str, Any]
) -> None:
    named = member_predicates(node)
    pins = pin(named, [compile_condition(part)(values) for _, part in named])
    without_member = {key: v for key, v in values.items() if not key.startswith("member.")}
    derived = with_predicates(node)
    assert not any(isinstance(part, Name) and part.root == "member" for part in walk(derived))
    assert asked(derived, {**without_member, **pinned_values(named, pins)}) == asked(node, values)


@given(conditions(lines=False), st.lists(VALUES, min_size=1, max_size=6))
@settings(max_examples=300, deadline=None)
def test_polars_answers_like_the_closure(node: Node, rows: list[dict[str, Any]]) -> None:
    pytest.importorskip("polars", reason="polars is optional")
    from rules.expr.sets import NotSetBased
    from tests.rules.expr.frames import asked_of_set

    constant_test = any(isinstance(part, Choice) and not roots(part.test) for part in walk(node))
    if constant_test:
        with pytest.raises(NotSetBased, match="a test that asks nothing"):
            asked_of_set(node, rows)
    else:
        assert asked_of_set(node, rows) == [asked(node, values) for values in rows]

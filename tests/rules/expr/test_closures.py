"""Closures: faults are told apart from no, and answers are fast."""

import timeit

import pytest

from rules.expr import Fault, compile_condition, read
from tests.rules.expr.samples import ENVIRONMENT

FAULTS = {
    "member.kids == 1": "member.kids has no value",
    "lines.exists(l, l.net == 1)": "net has no value",
    "tx.nights / tx.basket == 1": "tx.nights / tx.basket divides by zero",
    "tx.nights % tx.basket == 1": "tx.nights % tx.basket divides by zero",
    "tx.nights + 9223372036854775807 > 0": (
        "tx.nights + 9223372036854775807 is too large for a whole number of 64 bits"
    ),
    "1 / tx.basket == 1 && member.kids == 1 && true": "1 / tx.basket divides by zero",
    "member.kids == 1 || 1 / tx.basket == 1": "member.kids has no value",
    "lines.all(l, 1 / tx.basket == 1 || l.net == 1)": "1 / tx.basket divides by zero",
}
VALUES = {"tx.nights": 2, "tx.basket": 0, "lines": ({}, {})}


@pytest.mark.parametrize(("text", "said"), FAULTS.items())
def test_a_fault_is_false_and_says_the_first_reason(text: str, said: str) -> None:
    outcome = compile_condition(read(text, ENVIRONMENT))(VALUES)
    assert isinstance(outcome, Fault)
    assert not outcome
    assert str(outcome) == said


def test_a_plain_answer_is_a_bool() -> None:
    condition = compile_condition(read("tx.nights == 2 || member.kids == 1", ENVIRONMENT))
    assert condition({"tx.nights": 2}) is True
    assert condition({"tx.nights": 1, "member.kids": 0}) is False


def test_two_comparisons_are_answered_within_one_and_a_half_microseconds() -> None:
    condition = compile_condition(read("tx.nights >= 2 && member.kids == 0", ENVIRONMENT))
    values = {"tx.nights": 3, "member.kids": 0}
    number = 2000
    best = min(timeit.repeat(lambda: condition(values), number=number, repeat=30)) / number
    assert best < 1.5e-6

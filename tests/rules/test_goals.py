"""The next number of a counter for which a rule gives something."""

import pytest

from rules import goal_of
from tests.rules.documents import HEAD, policy

COUNTED = policy(
    HEAD
    + """
currencies: [{id: p, role: spendable}]
business_units: [{id: a, zone: UTC, currency: EUR}]
counters: [{id: visit}, {id: stay}, {id: quiet}]
campaigns: [{id: late, when: {counter: [{counter: visit, at_least: 23}]}}]
earn:
  - {kind: bonus, id: fifth, currency: p, points: 5, when: {counter: [{counter: visit, every: 5}]}}
  - {kind: bonus, id: second, currency: p, points: 2,
     when: {any: [{counter: [{counter: visit, exactly: 2}]}, {channel: [web]}]}}
  - {kind: bonus, id: once, currency: p, points: 9, campaign: late,
     when: {none: [{counter: [{counter: quiet, exactly: 4}]}]}}
  - {kind: bonus, id: stays, currency: p, points: 3,
     when: {counter: [{counter: stay, exactly: 3}, {counter: stay, at_least: 2}]}}
"""
)


@pytest.mark.parametrize(
    ("counter", "number", "goal"),
    [
        ("visit", 1, 2),
        ("visit", 2, 2),
        ("visit", 3, 5),
        ("visit", 5, 5),
        ("visit", 21, 23),
        ("visit", 24, 25),
        ("stay", 3, 3),
        ("stay", 4, 0),
    ],
)
def test_the_goal_is_the_next_number_that_a_rule_asks_for(
    counter: str, number: int, goal: int
) -> None:
    assert goal_of(COUNTED, counter=counter, number=number) == goal


def test_a_number_that_must_not_be_is_no_goal() -> None:
    assert goal_of(COUNTED, counter="quiet", number=1) == 0

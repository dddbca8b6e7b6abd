"""Goals: the next number of a counter for which a rule gives something, as in "4 of 5 visits"."""

from collections.abc import Iterator, Mapping
from functools import lru_cache

from rules.atoms import NumberIs
from rules.conditions import Node, Not, Test
from rules.policy import Policy


def goal_of(policy: Policy, *, counter: str, number: int) -> int:
    """Give the lowest number, from `number` on, that a rule asks of a counter; 0: none asks.

    What else the rule asks is not looked at, nor what an expression asks.
    """
    goals = (_from(test, number) for test in _tests(policy).get(counter, ()))
    return min((goal for goal in goals if goal >= number), default=0)


def _from(test: NumberIs, number: int) -> int:
    """Give the number that a test waits for; one below `number` has passed."""
    return -(-number // test.number) * test.number if test.test == "every" else test.number


@lru_cache(maxsize=64)
def _tests(policy: Policy) -> Mapping[str, frozenset[NumberIs]]:
    """Find what all rules ask of each counter."""
    asked = {test for rule in policy.plans.rules for test in _wanted(rule.condition)}
    counters = {test.counter for test in asked}
    return {
        counter: frozenset(test for test in asked if test.counter == counter)
        for counter in counters
    }


def _wanted(node: Node) -> Iterator[NumberIs]:
    """Yield the tests of numbers; one that must not hold is nobody's goal."""
    if isinstance(node, Test):
        if isinstance(node.atom, NumberIs):
            yield node.atom
    elif not isinstance(node, Not):
        for part in node.parts:
            yield from _wanted(part)

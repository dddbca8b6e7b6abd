"""Which categories a rule touches, as sets of bits: a policy may hold thousands of both.

Sets of names would take a thousand rules times five thousand categories; a set of bits is one whole
number, and `a & b` meets two of them at once.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from functools import reduce
from operator import or_

from rules.earning import CompiledRule
from rules.terms import Terms

Bits = int
"""A set of numbers: bit n stands for n."""


def touched_categories(terms: Terms, rules: Iterable[CompiledRule]) -> Mapping[str, Bits]:
    """Say for every rule, by id, which categories that earn it looks at.

    The categories are those that tell the rules apart: listed, named by a rule, and any other.
    """
    known = tuple(rules)
    names = _earning_names(terms, known)
    everything = (1 << len(names)) - 1
    remembered: dict[str, Bits] = {}

    def fitting(pattern: str) -> Bits:
        bits = remembered.get(pattern)
        if bits is None:
            bits = remembered[pattern] = _fitting(names, pattern)
        return bits

    touched: dict[str, Bits] = {}
    for rule in known:
        wanted = reduce(or_, map(fitting, rule.categories)) if rule.categories else everything
        unwanted = reduce(or_, map(fitting, rule.categories_not), 0)
        touched[rule.id] = wanted & ~unwanted
    return touched


def _earning_names(terms: Terms, rules: Iterable[CompiledRule]) -> list[str]:
    """Sorted, so that all that is below a category stands together."""
    named = {pattern for rule in rules for pattern in (*rule.categories, *rule.categories_not)}
    below = {f"{pattern[:-1]}other" for pattern in named if pattern.endswith("/*")}
    exact = {pattern for pattern in named if not pattern.endswith("/*")}
    candidates = {*terms.categories, *below, *exact}
    if terms.unlisted_earn:
        candidates.add("any-other")
    known = (name for name in candidates if terms.unlisted_earn or terms.listed(name))
    return sorted(name for name in known if terms.earns(name))


def _fitting(names: list[str], pattern: str) -> Bits:
    """Find the names that a pattern means: one, or with `/*` the run of those below it."""
    if pattern.endswith("/*"):
        # "0" is the character after "/", so the run ends before it.
        first, end = bisect_left(names, pattern[:-1]), bisect_left(names, f"{pattern[:-2]}0")
        return (1 << end) - (1 << first)
    number = bisect_left(names, pattern)
    return 1 << number if number < len(names) and names[number] == pattern else 0

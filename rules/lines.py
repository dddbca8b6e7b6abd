"""Questions to a line, and what of a line can earn."""

from collections.abc import Callable, Iterable
from functools import lru_cache

from rules.atoms import Atom, CategoryIn, LineFrom, LineWord, QuantityFrom
from rules.conditions import Node, fold
from rules.facts import LineFacts, millionths
from rules.terms import UnitTerms


def eligible_minor(line: LineFacts, unit: UnitTerms) -> int:
    """Give what of a line can earn: its net amount less the parts that the unit leaves out.

    A line above zero never earns below it, nor the other way round.
    """
    net = line.net_minor
    left_out = 0
    for kind, minor in line.parts:
        if kind in unit.net_of:
            left_out += minor
    if net <= 0:
        return min(0, net - left_out)
    if unit.leaves_points_out:
        left_out += line.paid_with_points_minor
    return max(0, net - left_out)


def signed_quantity(line: LineFacts, eligible: int) -> int:
    """Give the millionths of a line's quantity that earn, below zero for a line given back."""
    if eligible == 0:
        return 0
    quantity = abs(millionths(line.quantity))
    return quantity if eligible > 0 else -quantity


def matcher(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Compile category patterns: `room` is that category alone, `room/*` all that is below it."""
    exact = frozenset(pattern for pattern in patterns if not pattern.endswith("/*"))
    below = tuple(pattern[:-1] for pattern in patterns if pattern.endswith("/*"))
    return lambda category: category in exact or category.startswith(below)


_matcher = lru_cache(maxsize=8192)(matcher)


def answer_of_line(atom: Atom, line: LineFacts, eligible: int, unit: UnitTerms) -> bool | None:
    """Answer an atom for a line; None when it is none for lines."""
    if isinstance(atom, CategoryIn):
        return _matcher(atom.patterns)(line.category)
    if isinstance(atom, LineWord):
        return (line.brand if atom.field == "brand" else line.sku) in atom.values
    if isinstance(atom, LineFrom):
        return eligible >= atom.amount.minor(unit.currency_code)
    if isinstance(atom, QuantityFrom):
        return line.quantity >= atom.quantity
    return None


def fits(node: Node | None, line: LineFacts, eligible: int, unit: UnitTerms) -> bool:
    """Say whether a line passes what is left of a condition; None lets every line pass."""
    if node is None:
        return True
    return fold(node, lambda atom: answer_of_line(atom, line, eligible, unit)) is True

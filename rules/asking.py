"""The questions that a document answers itself: its payments, its time, its numbers.

Each is compiled to a closure once. What only many documents share (channel, tier) is decided by the
plan, what a line answers by the stage, and what the member answers was pinned as predicates.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol

from rules.atoms import Atom, CouponShown, Expression, InWindow, NightsFrom, NumberIs, PaidWith
from rules.facts import DocumentFacts
from rules.windows import wall_window

_NO_NUMBERS: Mapping[str, int] = MappingProxyType({})


class Asking:
    """A document while it is evaluated.

    `wall` is its time in the unit's zone and `programme_wall` in the programme's. `eligible` is
    what each line can earn by its amount, and `earning` by its category too; `basket` is the sum
    of that. `numbers` are those it has in counters. What no rule asks for is left at nothing.
    """

    __slots__ = (
        "basket",
        "document",
        "earning",
        "eligible",
        "numbers",
        "predicates",
        "programme_wall",
        "wall",
    )

    def __init__(
        self, document: DocumentFacts, predicates: tuple[str, ...], eligible: list[int]
    ) -> None:
        self.document = document
        self.predicates = predicates
        self.eligible = eligible
        self.earning = eligible
        self.basket = 0
        self.wall = 0
        self.programme_wall = 0
        self.numbers = _NO_NUMBERS


Question = Callable[[Asking], bool]


class CompiledExpression(Protocol):
    """The part of an expression that is asked of a document."""

    asks_counters: bool

    def holds(self, asking: Asking) -> bool:
        """Say whether it is true; without an answer it is not."""
        ...


Expressions = Mapping[str, CompiledExpression]


def is_late(atom: Atom, expressions: Expressions) -> bool:
    """Say whether a question needs the document's numbers, which need other answers first."""
    if isinstance(atom, Expression):
        return expressions[atom.text].asks_counters
    return isinstance(atom, NumberIs)


def asker(atom: Atom, expressions: Expressions) -> Question:
    """Compile a question to a document."""
    match atom:
        case PaidWith(kinds):
            return lambda asking: any(
                kind in kinds and minor > 0 for kind, minor in asking.document.payments
            )
        case CouponShown(codes):
            return lambda asking: not codes.isdisjoint(asking.document.coupons)
        case NightsFrom(nights):
            return lambda asking: asking.document.nights >= nights
        case NumberIs():
            return _number(atom)
        case InWindow(terms):
            holds = wall_window(terms).holds
            if terms.zone == "programme":
                return lambda asking: holds(asking.programme_wall)
            return lambda asking: holds(asking.wall)
        case Expression(text):
            return expressions[text].holds
        case _:
            raise TypeError(f"{atom} is not asked of a document alone")


def _number(atom: NumberIs) -> Question:
    counter, wanted = atom.counter, atom.number
    if atom.test == "exactly":
        return lambda asking: asking.numbers.get(counter) == wanted
    if atom.test == "at_least":
        return lambda asking: asking.numbers.get(counter, 0) >= wanted

    def every(asking: Asking) -> bool:
        number = asking.numbers.get(counter, 0)
        return number > 0 and number % wanted == 0

    return every

"""Atoms: the smallest questions that conditions ask, as plain data.

An atom is asked of the whole document or of one line. Equal atoms are one question, however many
rules ask it, so it is answered once. Whoever evaluates in another way (a backtest over columns)
starts from these values.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from rules.model import TimeWindow
from rules.money import Amount

ContextField = Literal["unit", "currency_code", "channel", "store", "kind", "activity", "tier"]


@dataclass(frozen=True, slots=True)
class Among:
    """The document's word is one of these. Channel and kind are in small letters.

    An activity "" is a purchase.
    """

    field: ContextField
    values: frozenset[str]


@dataclass(frozen=True, slots=True)
class Bought:
    """Something that earns is bought: the eligible basket is above zero. True of activities."""


@dataclass(frozen=True, slots=True)
class BasketFrom:
    """The eligible basket is at least this; an amount of 0 holds for every basket."""

    amount: Amount


@dataclass(frozen=True, slots=True)
class NightsFrom:
    """The stay has at least so many nights."""

    nights: int


@dataclass(frozen=True, slots=True)
class PaidWith:
    """A part of the document was paid with one of these kinds of payment."""

    kinds: frozenset[str]


@dataclass(frozen=True, slots=True)
class CouponShown:
    """One of these coupons was presented."""

    codes: frozenset[str]


@dataclass(frozen=True, slots=True)
class InWindow:
    """The document occurred in a window of local time."""

    window: TimeWindow


@dataclass(frozen=True, slots=True)
class Predicate:
    """A derived fact about the member, by its canonical text; its answer is pinned."""

    text: str


@dataclass(frozen=True, slots=True)
class NumberIs:
    """The document's number in a counter is this one, a multiple of it, or at least it."""

    counter: str
    test: Literal["exactly", "every", "at_least"]
    number: int


@dataclass(frozen=True, slots=True)
class Expression:
    """A typed expression over the document; its parts about the member are predicates."""

    text: str


@dataclass(frozen=True, slots=True)
class CategoryIn:
    """The line's category fits one of these patterns; `room/*` is all that is below `room`."""

    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LineWord:
    """The line's brand or stock-keeping unit is one of these."""

    field: Literal["brand", "sku"]
    values: frozenset[str]


@dataclass(frozen=True, slots=True)
class LineFrom:
    """The line's eligible amount is at least this."""

    amount: Amount


@dataclass(frozen=True, slots=True)
class QuantityFrom:
    """The line's quantity is at least this."""

    quantity: Fraction


DocumentAtom = (
    Among
    | Bought
    | BasketFrom
    | NightsFrom
    | PaidWith
    | CouponShown
    | InWindow
    | Predicate
    | NumberIs
    | Expression
)
LineAtom = CategoryIn | LineWord | LineFrom | QuantityFrom
Atom = DocumentAtom | LineAtom
LINE_ATOMS = (CategoryIn, LineWord, LineFrom, QuantityFrom)

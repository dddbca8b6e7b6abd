"""What became of lots that an account does not show any more: told by its whole history.

An account forgets a lot with its last point. What was spent of it matters again when its points
turn out to have been bad ones.
"""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple, get_args

from ledger.core.commands import LotSpent
from ledger.core.events import AccountFact
from loyalty.v1.events_pb2 import (
    ArrearsRepaid,
    BurnReversed,
    HoldCaptured,
    PointsBurned,
    PointsConverted,
    RecallMade,
    ReversalReversed,
)

Telling = (
    PointsBurned
    | HoldCaptured
    | ReversalReversed
    | BurnReversed
    | ArrearsRepaid
    | PointsConverted
    | RecallMade
)
TELLING: Final = get_args(Telling)
"""The facts that tell it."""


class Told(NamedTuple):
    """What a fact tells of a lot."""

    lot_id: str
    currency: str
    issuer: str
    spent: int
    """More points spent; fewer below zero."""
    charged: int
    """More points charged by a recall."""


def spent_of(facts: Iterable[AccountFact], lots: frozenset[str]) -> dict[str, LotSpent]:
    """What was spent of lots, by all facts of their account in order; empty `lots`: of all."""
    found: dict[str, LotSpent] = {}
    for fact in facts:
        for told in told_of(fact):
            if lots and told.lot_id not in lots:
                continue
            before = found.get(told.lot_id, LotSpent(told.currency, told.issuer, 0, 0))
            found[told.lot_id] = before._replace(
                spent=before.spent + told.spent, charged=before.charged + told.charged
            )
    return found


def told_of(fact: AccountFact) -> Iterator[Told]:
    """What one fact tells of lots that were spent."""
    if isinstance(fact, RecallMade):
        for told in fact.lots:
            yield Told(told.lot_id, told.currency, told.issuer, 0, told.charged)
    elif isinstance(fact, Telling):
        sign = -1 if isinstance(fact, BurnReversed) else 1
        for draw in fact.draws:
            yield Told(draw.lot_id, fact.currency, draw.issuer, sign * draw.points, 0)

"""What became of lots that an account does not show any more: told by its whole history.

An account forgets a lot with its last point. What was spent of it matters again when its points
turn out to have been bad ones. Where two accounts were one for a while, the history of each tells
of lots of the other: what was spent belongs to whose lot it was, wherever that was done.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple, get_args

from ledger.core.commands import LotSpent
from ledger.core.events import AccountFact
from ledger.core.state import OWN
from loyalty.v1.events_pb2 import (
    ArrearsRepaid,
    BurnReversed,
    HoldCaptured,
    MergeStepped,
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
TELLING: Final = (*get_args(Telling), MergeStepped)
"""The facts that tell it, and with whom an account was one."""


class Told(NamedTuple):
    """What a fact tells of a lot."""

    lot_id: str
    currency: str
    issuer: str
    spent: int
    """More points spent; fewer below zero."""
    charged: int
    """More points charged by a recall."""
    owner: str = OWN
    """Whose lot it was, as the account says it whose fact it is."""


Story = tuple[str, Iterable[AccountFact]]
"""An account, and all its facts that tell."""


def spent_of(
    stories: Iterable[Story], lots: frozenset[str], whose: Sequence[str]
) -> dict[str, LotSpent]:
    """What was spent of lots; empty `lots`: of all.

    Of those that belong to the first of `whose`, or to one of the others, who are part of it now.
    """
    found: dict[str, LotSpent] = {}
    for account_id, facts in stories:
        for told in (told for fact in facts for told in told_of(fact)):
            if lots and told.lot_id not in lots:
                continue
            before = found.get(told.lot_id, LotSpent(told.currency, told.issuer, 0, 0))
            owner = told.owner or account_id
            if told.charged:
                found[told.lot_id] = before._replace(charged=before.charged + told.charged)
            elif owner in whose:
                found[told.lot_id] = before._replace(
                    spent=before.spent + told.spent, owner=OWN if owner == whose[0] else owner
                )
    return found


def joined_with(facts: Iterable[AccountFact]) -> set[str]:
    """The accounts that one ever was one with, by its facts; it is among them itself."""
    steps = (fact for fact in facts if isinstance(fact, MergeStepped))
    return {account_id for step in steps for account_id in (step.source_id, step.target_id)}


def told_of(fact: AccountFact) -> Iterator[Told]:
    """What one fact tells of lots that were spent."""
    if isinstance(fact, RecallMade):
        for told in fact.lots:
            yield Told(told.lot_id, told.currency, told.issuer, 0, told.charged)
    elif isinstance(fact, Telling):
        sign = -1 if isinstance(fact, BurnReversed) else 1
        for draw in fact.draws:
            points = sign * draw.points
            yield Told(draw.lot_id, fact.currency, draw.issuer, points, 0, draw.owner_id)

"""Purses that many members share: a campaign's budget, a client's limit of velocity.

Each has its own stream.

What is used of one stands in its newest fact, so that nothing is folded. The facts are appended
with the documents that caused them, in one statement that holds only if no lane of them has moved:
two processes cannot spend the last points of a budget twice.
"""

from typing import Final, NamedTuple, TypeGuard, get_args

from ledger.core.events import AnyFact, decode
from ledger.core.usage import is_shared
from ledger.lanes import purse_stream
from loyalty.v1.events_pb2 import (
    AdjustmentMade,
    BudgetUsed,
    BurnReversed,
    DocumentMovedOut,
    DocumentPosted,
    HoldReleased,
    PointsBurned,
    PointsHeld,
    PointsReturned,
    PointsSent,
    ReversalReversed,
)


class Purse(NamedTuple):
    """Where a purse stands."""

    version: int = 0
    used: int = 0


NO_PURSE: Final = Purse()
"""A purse that nobody used yet."""


def purse_of(version: int, payload: bytes) -> Purse:
    """The purse after its newest fact."""
    used = decode(payload)
    assert isinstance(used, BudgetUsed), "the stream of a purse holds nothing else"
    return Purse(version, used.used_after)


Deed = (
    PointsBurned
    | PointsHeld
    | HoldReleased
    | BurnReversed
    | ReversalReversed
    | PointsSent
    | PointsReturned
    | AdjustmentMade
)
"""What besides documents may use purses: limits of velocity have some."""
_DEEDS: Final = frozenset(get_args(Deed))


def is_deed(fact: AnyFact) -> TypeGuard[Deed]:
    """Whether a fact is one; asking a message for a type that is not its own is slow."""
    return type(fact) in _DEEDS


def changes(
    fact: DocumentPosted | DocumentMovedOut | Deed, document: str = ""
) -> list[tuple[str, BudgetUsed]]:
    """What a fact changes in shared purses, by stream; others know `used_after`."""
    return [
        (
            purse_stream(usage.name, usage.scope, usage.period),
            BudgetUsed(
                name=usage.name,
                scope=usage.scope,
                period=usage.period,
                document=document,
                change=usage.change,
                entry_id=fact.entry_id,
            ),
        )
        for usage in fact.usages
        if usage.change and is_shared(usage.name, usage.scope)
    ]

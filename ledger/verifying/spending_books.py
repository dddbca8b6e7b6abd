"""Book of spending: what the policy puts first is gone before anything else is taken."""

from collections import Counter
from collections.abc import Iterator
from typing import Final, TypeGuard, get_args

from ledger.core.draws import spending_rank
from ledger.core.events import AccountFact
from ledger.core.tally import Tally
from ledger.verifying.reawarding import Awards
from loyalty.v1.events_pb2 import (
    LotReinstated,
    PointsBurned,
    PointsConverted,
    PointsHeld,
    PointsSent,
)

Spent = PointsBurned | PointsHeld | PointsSent | PointsConverted
_SPENT: Final = frozenset(get_args(Spent))


def _is_spent(fact: AccountFact) -> TypeGuard[Spent]:
    """Whether a fact is one; asking a message for a type that is not its own is slow."""
    return type(fact) in _SPENT


class SpendingBook:
    """Draws of one account, against the list of the policy that they name."""

    __slots__ = ("_awards", "_back")

    def __init__(self, awards: Awards | None) -> None:
        """Begin with nothing spent; without `awards` nobody knows a list."""
        self._awards = awards
        self._back: set[tuple[str, str]] = set()
        """(entry, lot) that came back for a late burn, which takes it before all else."""

    def enter(self, fact: AccountFact, tally: Tally) -> Iterator[str]:
        """Enter a fact, in an account as it was before it; yield what is wrong about it."""
        if type(fact) is LotReinstated:
            self._back.add((fact.entry_id, fact.lot_id))
        elif _is_spent(fact):
            first = self._first(fact.policy_digest, fact.currency)
            if first:
                yield from self._wrong_order(fact, first, tally)

    def _first(self, policy_digest: str, currency: str) -> tuple[str, ...]:
        policy = self._awards.policy(policy_digest) if self._awards is not None else None
        terms = None if policy is None else policy.terms.currencies.get(currency)
        return () if terms is None else terms.draw_first

    def _wrong_order(self, fact: Spent, first: tuple[str, ...], tally: Tally) -> Iterator[str]:
        draws = [draw for draw in fact.draws if (fact.entry_id, draw.lot_id) not in self._back]
        ranks = [spending_rank(draw.funder, first) for draw in draws]
        if ranks != sorted(ranks):
            yield f"the draws of {fact.entry_id} do not begin with what {', '.join(first)} pay for"
        if not ranks or isinstance(fact, PointsSent):
            # Not every lot can be sent.
            return
        taken: Counter[str] = Counter()
        for draw in fact.draws:
            taken[draw.lot_id] += draw.points
        for lot in tally.lots.items:
            comes_first = (
                lot.currency == fact.currency and spending_rank(lot.funder, first) < ranks[-1]
            )
            if comes_first and lot.available > taken[lot.lot_id]:
                yield f"lot {lot.lot_id} comes before what {fact.entry_id} takes, and is left over"

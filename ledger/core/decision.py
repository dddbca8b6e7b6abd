"""What a decision is, and the draft it is written on."""

from enum import Enum
from typing import Final, NamedTuple

from ledger.core.applying import apply
from ledger.core.commands import LotEnds
from ledger.core.events import AccountFact, Fact
from ledger.core.instant import Instant
from ledger.core.refusals import Malformed, PointsOverflow, TooManyLots
from ledger.core.state import FAR_FUTURE, Account, Drawn, Lot, LotLife
from ledger.core.tally import Tally

POINTS_MAX: Final = 10**15
"""Most points that one command may move."""
TOTAL_MAX: Final = 2**62
"""Most points of a currency that an account may have or owe: sums stay far inside an int64."""
LOTS_MAX: Final = 10_000


class Outcome(Enum):
    """What became of a command that was not refused."""

    POSTED = "POSTED"
    SUPERSEDED = "SUPERSEDED"
    """A newer version of the document stands already: nothing is recorded."""
    PROPOSED = "PROPOSED"
    """Nothing moves until another person agrees."""


class Decision(NamedTuple):
    """Facts to record, in order, and the account after them."""

    facts: tuple[Fact, ...]
    account: Account
    outcome: Outcome


class DatesAlone:
    """The end of lots in a programme where nothing but a date ends them."""

    def end(self, lot: Lot | Drawn, account: Account, /) -> Instant | None:
        """Their date."""
        return lot.expires_at

    def fixed(self, lot: Lot, account: Account, at: Instant, /) -> Instant | None:
        """Their date."""
        return lot.expires_at

    def released(self, life: LotLife, at: Instant, /) -> Instant | None:
        """None."""
        return None


DATES_ALONE: Final = DatesAlone()


class Draft:
    """Facts of a decision under way; each has its effect on the tally as soon as it is recorded."""

    __slots__ = ("at", "ends", "facts", "tally")

    def __init__(self, account: Account, *, at: Instant, ends: LotEnds = DATES_ALONE) -> None:
        self.tally = Tally(account)
        self.ends = ends
        self.facts: list[Fact] = []
        self.at = at
        """`occurred_at` of the facts that are recorded next."""

    def record(self, event: AccountFact) -> None:
        """Add a fact."""
        self.facts.append(Fact(event, self.at))
        apply(self.tally, event)

    def end_of(self, lot: Lot | Drawn) -> Instant | None:
        """When points are gone, as it is known at this moment; None: never, or not yet decided."""
        if lot.life is None:
            return lot.expires_at
        return self.ends.end(lot, self.tally.account())

    def lots(self) -> list[Lot]:
        """The open lots in the order in which they are drawn."""
        items = self.tally.lots.items
        if not items or items[-1].life is None:
            return items

        def order(lot: Lot) -> tuple[int, Instant, int, str]:
            end = self.end_of(lot)
            return (FAR_FUTURE if end is None else end, *lot.order()[1:])

        return sorted(items, key=order)

    def available(self, currency: str) -> int:
        """Available points of a currency at this moment."""
        row = self.tally.balances.get(currency)
        return row[0] if row is not None else 0

    def check_room(self, currency: str, points: int) -> None:
        """Refuse points, or a debt, that the account cannot count. Raises PointsOverflow."""
        row = self.tally.balances.get(currency)
        if points + (sum(row) if row is not None else 0) > TOTAL_MAX:
            raise PointsOverflow(currency=currency, limit=TOTAL_MAX)

    def check_lots(self, more: int) -> None:
        """Refuse that many more lots when the account is full. Raises TooManyLots."""
        if len(self.tally.lots.items) + more > LOTS_MAX:
            raise TooManyLots(limit=LOTS_MAX)

    def decision(self, outcome: Outcome = Outcome.POSTED) -> Decision:
        """The decision so far."""
        return Decision(tuple(self.facts), self.tally.account(), outcome)


def check_points(points: int) -> None:
    """Refuse an amount that nobody can mean. Raises Malformed."""
    if not 1 <= points <= POINTS_MAX:
        raise Malformed(field="points", value=points, expected=f"1 to {POINTS_MAX}")

"""What a decision is, and the draft it is written on."""

from enum import Enum
from typing import Final, NamedTuple

from ledger.core.events import AccountFact, Fact
from ledger.core.instant import Instant
from ledger.core.refusals import Malformed, PointsOverflow, TooManyLots
from ledger.core.state import Account
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


class Decision(NamedTuple):
    """Facts to record, in order, and the account after them."""

    facts: tuple[Fact, ...]
    account: Account
    outcome: Outcome


class Draft:
    """Facts of a decision under way; each has its effect on the tally as soon as it is recorded."""

    __slots__ = ("at", "facts", "tally")

    def __init__(self, account: Account, *, at: Instant) -> None:
        self.tally = Tally(account)
        self.facts: list[Fact] = []
        self.at = at
        """`occurred_at` of the facts that are recorded next."""

    def record(self, event: AccountFact) -> None:
        """Add a fact."""
        self.facts.append(Fact(event, self.at))
        self.tally.apply(event)

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

    def decision(self) -> Decision:
        """The decision so far."""
        return Decision(tuple(self.facts), self.tally.account(), Outcome.POSTED)


def check_points(points: int) -> None:
    """Refuse an amount that nobody can mean. Raises Malformed."""
    if not 1 <= points <= POINTS_MAX:
        raise Malformed(field="points", value=points, expected=f"1 to {POINTS_MAX}")

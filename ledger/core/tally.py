"""An account while facts are applied to it: the one mutable thing of the core, never handed out.

What each kind of fact does to it stands in `ledger.core.applying`.
"""

from collections.abc import Iterable, Mapping

from ledger.core.counting import Counting
from ledger.core.lots import OpenLots
from ledger.core.state import NO_PARTS, NOTHING, Account, Balance, Part, frozen_mapping


class Tally:
    """Facts are applied to it one after the other; then it freezes."""

    __slots__ = (
        "_frozen",
        "balances",
        "business_unit",
        "care",
        "counting",
        "debts",
        "enrolled_at",
        "holds",
        "identities",
        "lots",
        "membership",
        "merging",
        "parts",
        "pooling",
        "segments_since",
        "tiers",
        "version",
    )

    def __init__(self, account: Account) -> None:
        self._frozen = account
        self.version = account.version
        self.business_unit = account.business_unit
        self.enrolled_at = account.enrolled_at
        self.identities = account.identities
        self.lots = OpenLots(account.lots)
        self.holds = list(account.holds)
        self.debts = list(account.debts)
        self.balances: dict[str, list[int]] = {
            currency: list(held) for currency, held in account.balances.items()
        }
        self.tiers = account.tiers
        self.counting = Counting(account)
        self.segments_since = account.segments_since
        self.care = account.care
        self.membership = account.membership
        self.merging = account.merging
        self.parts = {owner: (part, Counting(part)) for owner, part in account.parts.items()}
        """By owner: what the part was, and what it counts for now."""
        self.pooling = account.pooling

    def account(self) -> Account:
        """The account after the facts so far."""
        if self._frozen.version != self.version:
            counting = self.counting
            self._frozen = Account(
                self._frozen.account_id,
                self.version,
                self.business_unit,
                self.enrolled_at,
                self.identities,
                tuple(self.lots.items),
                tuple(self.holds),
                tuple(self.debts),
                frozen_mapping({name: Balance(*row) for name, row in self.balances.items()}),
                counting.qualifying,
                self.tiers,
                counting.usage,
                counting.numbers,
                counting.streaks,
                counting.benefits,
                counting.last_activity,
                self.segments_since,
                self.care,
                self.membership,
                self.merging,
                self._frozen_parts(),
                self.pooling,
            )
        return self._frozen

    def move(self, currency: str, points: int, moves: Iterable[tuple[int, int]]) -> None:
        """Add points to the columns of a balance, each with its sign."""
        row = self.balances.get(currency)
        if row is None:
            row = self.balances[currency] = list(NOTHING)
        for column, sign in moves:
            row[column] += sign * points

    @property
    def account_id(self) -> str:
        """Of the account that is folded."""
        return self._frozen.account_id

    @property
    def qualifying(self) -> Mapping[tuple[str, str], int]:
        """Tier-qualifying points by (currency, window)."""
        return self.counting.qualifying

    def counted_for(self, owner: str) -> tuple[Counting, ...]:
        """Where something is counted: in the account as a whole, and in its owner's part."""
        if not self.parts:
            return (self.counting,)
        return (self.counting, self.parts[owner][1])

    def qualify(self, currency: str, window: str, points: int, *, owner: str) -> None:
        """Count points for tiers."""
        for counting in self.counted_for(owner):
            counting.qualify(currency, window, points)

    def _frozen_parts(self) -> Mapping[str, Part]:
        if not self.parts:
            return NO_PARTS
        return frozen_mapping({owner: self.frozen_part(owner) for owner in self.parts})

    def frozen_part(self, owner: str) -> Part:
        """A part as it counts now."""
        part, counting = self.parts[owner]
        return Part(
            part.via,
            part.tiers,
            counting.usage,
            counting.numbers,
            counting.streaks,
            counting.benefits,
            counting.last_activity,
            counting.qualifying,
        )

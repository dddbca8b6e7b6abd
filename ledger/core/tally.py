"""An account while facts are applied to it: the one mutable thing of the core, never handed out.

What each kind of fact does to it stands in `ledger.core.applying`.
"""

from collections.abc import Iterable, Mapping

from ledger.core.counting import Counting
from ledger.core.lots import OpenLots
from ledger.core.standing import fold_old_windows
from ledger.core.state import NOTHING, Account, Balance, frozen_mapping


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
        "qualifying",
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
        self.qualifying: Mapping[tuple[str, str], int] = account.qualifying
        self.tiers = account.tiers
        self.counting = Counting(account)
        self.segments_since = account.segments_since
        self.care = account.care
        self.membership = account.membership

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
                self.qualifying,
                self.tiers,
                counting.usage,
                counting.numbers,
                counting.streaks,
                counting.benefits,
                counting.last_activity,
                self.segments_since,
                self.care,
                self.membership,
            )
        return self._frozen

    def move(self, currency: str, points: int, moves: Iterable[tuple[int, int]]) -> None:
        """Add points to the columns of a balance, each with its sign."""
        row = self.balances.get(currency)
        if row is None:
            row = self.balances[currency] = list(NOTHING)
        for column, sign in moves:
            row[column] += sign * points

    def qualify(self, currency: str, window: str, points: int) -> None:
        """Count points for tiers."""
        counted = self.qualifying.get((currency, window))
        if counted is None and points < 0:
            # A window too old to be kept by itself.
            window, counted = "", self.qualifying.get((currency, ""))
        qualifying = {**self.qualifying, (currency, window): (counted or 0) + points}
        if counted is None:
            fold_old_windows(qualifying, (currency,), window)
        self.qualifying = frozen_mapping(qualifying)

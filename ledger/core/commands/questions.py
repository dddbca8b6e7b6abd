"""What the core asks while it decides: the ladder of tiers, and when points end."""

from dataclasses import dataclass
from typing import Literal, Protocol

from ledger.core.instant import Instant
from ledger.core.state import Account, Drawn, Lot, LotLife, TierSpan


class TierAnswer(Protocol):
    """Which tier a ladder gives, and until when."""

    @property
    def tier(self) -> str: ...
    @property
    def valid_until(self) -> Instant | None: ...


@dataclass(frozen=True, slots=True)
class TierVerdict:
    """An answer of the ladder with what it looked at, ready to be recorded."""

    tier: str
    valid_until: Instant | None
    window: str
    qualifying_points: int
    policy_digest: str
    cause: str = ""
    """reached, lifetime, period_ended, grant_ended or refunded; empty: as the occasion says."""
    basis: str = "earned"
    review_at: Instant | None = None
    beneath: TierSpan | None = None
    """What a refund has left beneath a tier that staff gave; None: the same as before."""


Occasion = Literal["counted", "refunded", "grant_ended"]
"""Why the ladder is asked: something was counted, was taken back, or staff end what they gave."""


class LotEnds(Protocol):
    """Asks the policy that points were earned under when they end, as it is known now.

    It is asked only of lots that have a life besides their date.
    """

    def end(self, lot: Lot | Drawn, account: Account, /) -> Instant | None: ...
    def fixed(self, lot: Lot, account: Account, at: Instant, /) -> Instant | None: ...
    def released(self, life: LotLife, at: Instant, /) -> Instant | None: ...


class TierLadder(Protocol):
    """Asks the ladder of the policy in force at an instant; None: the programme has no tiers."""

    def __call__(
        self, account: Account, at: Instant, /, occasion: Occasion = "counted"
    ) -> TierVerdict | None: ...

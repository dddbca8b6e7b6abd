"""What the rules answer about a document, as far as the core needs to know it."""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from ledger.core.instant import Instant


class Life(Protocol):
    """How long points live when a date alone does not say it."""

    @property
    def expiry(self) -> str: ...
    @property
    def inactive_months(self) -> int: ...
    @property
    def extended_by(self) -> tuple[str, ...]: ...
    @property
    def hard_expires_at(self) -> Instant | None: ...
    @property
    def unless_tiers(self) -> tuple[str, ...]: ...
    @property
    def unless_segments(self) -> tuple[str, ...]: ...
    @property
    def restarts(self) -> bool: ...
    @property
    def from_release(self) -> bool: ...
    @property
    def begun_at(self) -> Instant | None: ...


class Grant(Protocol):
    """What one rule gives for one document, in total. The rules' own dataclass fits it."""

    @property
    def rule(self) -> str: ...
    @property
    def currency(self) -> str: ...
    @property
    def wanted(self) -> int: ...
    @property
    def granted(self) -> int: ...
    @property
    def funder(self) -> str: ...
    @property
    def pending_until(self) -> Instant | None: ...
    @property
    def expires_at(self) -> Instant | None: ...
    @property
    def qualifying(self) -> bool: ...
    @property
    def window(self) -> str: ...
    @property
    def campaign(self) -> str: ...
    @property
    def cut_by(self) -> str: ...
    @property
    def life(self) -> Life | None: ...


class BenefitGrant(Protocol):
    """What one rule grants besides points, in total."""

    @property
    def rule(self) -> str: ...
    @property
    def benefit(self) -> str: ...
    @property
    def quantity(self) -> int: ...
    @property
    def expires_at(self) -> Instant: ...
    @property
    def campaign(self) -> str: ...


class Use(NamedTuple):
    """What a document uses in a period, in total, beside what others had used."""

    name: str
    scope: str
    period: str
    others: int
    total: int


class Numbered(NamedTuple):
    """The number that a counter offers a document."""

    counter: str
    period: str
    day: str
    number: int
    streak: bool
    by_day: bool


class Counts(NamedTuple):
    """What a document counts for besides points, in total."""

    uses: Sequence[Use] = ()
    numbers: Sequence[Numbered] = ()
    benefits: Sequence[BenefitGrant] = ()


class RefundTerms(NamedTuple):
    """What happens when points to be taken back are not there."""

    any_lot: bool = True
    """Other lots than the document's own may be drawn."""
    when_spent: str = "arrears"
    """arrears, write_off or refuse."""
    write_off_to: str = ""
    """Business unit that bears what is written off; empty: the one that posts."""
    arrears_limit: int | None = None
    """Most points that the member may owe; None: any."""
    over_limit: str = "write_off"
    """write_off or refuse."""
    keeps_tier: bool = False
    """A refund does not cost the tier that its points gave."""


NO_COUNTS: Final = Counts()
ARREARS: Final = RefundTerms()
"""The terms of a policy that says nothing of refunds."""

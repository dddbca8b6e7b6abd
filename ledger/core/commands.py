"""What may be asked of an account: imperative, complete, and decided without looking anything up.

The shell has resolved the member, minted the entry id, loaded the history a command needs, and
asked the rules; what they answered stands in the command.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, Protocol

from ledger.core.instant import Instant
from ledger.core.state import Account, Drawn, Lot, LotLife
from loyalty.v1.events_pb2 import (
    BurnReversed,
    DocumentPosted,
    HoldCaptured,
    HoldReleased,
    PointsBurned,
    PointsHeld,
    ReversalReversed,
)
from loyalty.v1.types_pb2 import Document, Money, Origin, Pins

HoldFact = PointsHeld | HoldCaptured | HoldReleased
BurnFact = PointsBurned | HoldCaptured | BurnReversed | ReversalReversed


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


Occasion = Literal["counted", "refunded", "grant_ended"]
"""Why the ladder is asked: something was counted, was taken back, or staff end what they gave."""


class LotEnds(Protocol):
    """Asks the policy that points were earned under when they end, as it is known now.

    It is asked only of lots that have a life besides their date.
    """

    def end(self, lot: Lot | Drawn, account: Account, /) -> Instant | None: ...
    def released(self, life: LotLife, at: Instant, /) -> Instant | None: ...


class TierLadder(Protocol):
    """Asks the ladder of the policy in force at an instant; None: the programme has no tiers."""

    def __call__(
        self, account: Account, at: Instant, /, occasion: Occasion = "counted"
    ) -> TierVerdict | None: ...


@dataclass(frozen=True, slots=True)
class EnrolMember:
    """Open the account."""

    business_unit: str
    channel: str
    occurred_at: Instant
    identities: tuple[tuple[str, str], ...]
    """(identity_id, scheme) of each identity linked at once."""


@dataclass(frozen=True, slots=True)
class LinkIdentity:
    """Add an identity."""

    identity_id: str
    scheme: str
    business_unit: str
    occurred_at: Instant


@dataclass(frozen=True, slots=True)
class ChangeProfile:
    """Note that what business units know of the member changed; the values are not for here."""

    changed: tuple[str, ...]
    """Parts of it, as `MemberProfileChanged` names them."""
    business_unit: str
    occurred_at: Instant


@dataclass(frozen=True, slots=True)
class GrantTier:
    """Give a tier by decision of staff, or end the one that was given."""

    entry_id: str
    tier: str
    """Empty: what was given ends."""
    until: Instant | None
    """The first instant at which it is over; None: never."""
    reason: str
    business_unit: str
    occurred_at: Instant
    policy_digest: str
    """The policy that knows the tier."""


class PostDocument(NamedTuple):
    """State a document's net state; the difference to its head is posted."""

    entry_id: str
    business_unit: str
    document: Document
    origin: Origin
    business_date: str
    occurred_at: Instant
    head: DocumentPosted | None
    """Newest posted version, if any."""
    pins: Pins
    grants: Sequence[Grant]
    """What every rule gives for this state, in total; empty when cancelled."""
    counts: Counts = NO_COUNTS
    refunds: RefundTerms = ARREARS


class PeriodLimit(Protocol):
    """The most points that a member may burn in one period. The rules' own tuple fits it."""

    @property
    def name(self) -> str: ...
    @property
    def window(self) -> str: ...
    @property
    def period(self) -> str: ...
    @property
    def points(self) -> int: ...


@dataclass(frozen=True, slots=True)
class RedemptionTerms:
    """What the policy asks of a burn or hold in a unit, in points."""

    minimum: int
    step: int
    policy_digest: str
    maximum: int | None = None
    most_for_basket: int | None = None
    """The most that may pay for the basket; None: its size does not matter."""
    limits: tuple[PeriodLimit, ...] = ()


@dataclass(frozen=True, slots=True)
class BurnPoints:
    """Spend points."""

    entry_id: str
    business_unit: str
    currency: str
    points: int
    value: Money | None
    occurred_at: Instant
    terms: RedemptionTerms
    reward: str = ""
    """The reward of the catalogue that is bought."""
    benefit: str = ""
    """The benefit that the reward gives."""


@dataclass(frozen=True, slots=True)
class HoldPoints:
    """Set points aside."""

    entry_id: str
    hold_id: str
    business_unit: str
    currency: str
    points: int
    expires_at: Instant | None
    occurred_at: Instant
    terms: RedemptionTerms


@dataclass(frozen=True, slots=True)
class CaptureHold:
    """Spend held points."""

    entry_id: str
    hold_id: str
    business_unit: str
    points: int
    final: bool
    occurred_at: Instant
    history: tuple[HoldFact, ...]
    """All facts of this hold, oldest first, so that a resolved one can name its first outcome."""


@dataclass(frozen=True, slots=True)
class ReleaseHold:
    """Give all held points back."""

    entry_id: str
    hold_id: str
    business_unit: str
    occurred_at: Instant
    history: tuple[HoldFact, ...]


@dataclass(frozen=True, slots=True)
class ReverseEntry:
    """Take back a burn, a capture, or a reversal of one."""

    entry_id: str
    target_entry_id: str
    business_unit: str
    points: int
    """0: all that is left of it."""
    grace_until: Instant | None
    """Until when points whose lot has expired may live again; None: they come back expired."""
    occurred_at: Instant
    history: tuple[BurnFact, ...]
    """All facts of the burn, oldest first: the burn, its reversals, reversals of them."""


@dataclass(frozen=True, slots=True)
class AdvanceAccount:
    """Record what is due, and nothing else."""


Command = (
    EnrolMember
    | LinkIdentity
    | PostDocument
    | BurnPoints
    | HoldPoints
    | CaptureHold
    | ReleaseHold
    | ReverseEntry
    | GrantTier
    | ChangeProfile
    | AdvanceAccount
)

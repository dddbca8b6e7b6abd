"""Commands that spend points, set them aside, and take that back."""

from dataclasses import dataclass
from typing import Protocol

from ledger.core.commands.velocity import Speed
from ledger.core.instant import Instant
from ledger.core.state import Drawn
from loyalty.v1.events_pb2 import (
    BurnReversed,
    HoldCaptured,
    HoldMovedIn,
    HoldReleased,
    PointsBurned,
    PointsHeld,
    ReversalReversed,
)
from loyalty.v1.types_pb2 import Money

HoldFact = PointsHeld | HoldMovedIn | HoldCaptured | HoldReleased
BurnFact = PointsBurned | HoldCaptured | BurnReversed | ReversalReversed


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
    draw_first: tuple[str, ...] = ()
    """Funders whose points are drawn before all others, in this order."""


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
    expired: tuple[Drawn, ...] = ()
    """What was live when it happened and has expired since, of its currency, in draw order."""
    late_for: tuple[str, ...] = ()
    """What was over when it is recorded."""
    spender_id: str = ""
    """Member who spends, where the account is a pool."""
    speeds: tuple[Speed, ...] = ()
    """Limits of velocity that it counts under."""


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
    spender_id: str = ""
    """Member who sets points aside, where the account is a pool."""
    speeds: tuple[Speed, ...] = ()
    """Limits of velocity that it counts under."""
    points_expire: bool = False
    """The points expire when the time of their lots has passed, though they are held."""


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
    accounts: tuple[str, ...] = ()
    """The account in whose stream each of them stands, where not all are in this one's."""

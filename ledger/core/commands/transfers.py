"""Commands about points that leave an account for another, or become points of another currency."""

from dataclasses import dataclass

from ledger.core.commands.award import Life
from ledger.core.commands.spending import PeriodLimit
from ledger.core.commands.velocity import Speed
from ledger.core.instant import Instant
from loyalty.v1.events_pb2 import (
    TRANSFER_KIND_GIFT,
    PointsBurned,
    PointsSent,
    ReturnCause,
    TransferKind,
)


@dataclass(frozen=True, slots=True)
class TransferTerms:
    """What the policy asks of points that are sent."""

    fee: int = 0
    """Points on top, drawn after those that are sent."""
    fee_unit: str = ""
    """Business unit at which the fee is burned."""
    limits: tuple[PeriodLimit, ...] = ()
    policy_digest: str = ""
    terms: str = ""
    """Their name in the policy."""
    accept_until: Instant | None = None
    """Until when the receiver has to accept; None: nobody is asked."""
    draw_first: tuple[str, ...] = ()
    """Funders whose points are drawn before all others, in this order."""


NO_TERMS = TransferTerms()
"""For points that come home from a pool."""


@dataclass(frozen=True, slots=True)
class SendPoints:
    """Let points leave for another account."""

    entry_id: str
    receiver_id: str
    business_unit: str
    currency: str
    points: int
    occurred_at: Instant
    terms: TransferTerms = NO_TERMS
    kind: TransferKind.ValueType = TRANSFER_KIND_GIFT
    speeds: tuple[Speed, ...] = ()
    """Limits of velocity that it counts under."""


@dataclass(frozen=True, slots=True)
class ReceivePoints:
    """Take points that were sent to the account."""

    sent: PointsSent
    sender_id: str
    business_unit: str
    occurred_at: Instant
    limits: tuple[PeriodLimit, ...] = ()


@dataclass(frozen=True, slots=True)
class CompleteTransfer:
    """Let go of points that have arrived."""

    sent: PointsSent
    occurred_at: Instant


@dataclass(frozen=True, slots=True)
class ReturnPoints:
    """Take points back that were sent and did not arrive, with their fee."""

    sent: PointsSent
    fee: PointsBurned | None
    cause: ReturnCause.ValueType
    business_unit: str
    occurred_at: Instant
    reason: str = ""
    """The receiver's refusal, for RETURN_CAUSE_REFUSED."""


@dataclass(frozen=True, slots=True)
class ConvertPoints:
    """Give points up for points of another currency."""

    entry_id: str
    business_unit: str
    """Through which it is asked for."""
    conversion: str
    currency: str
    points: int
    fee: int
    fee_unit: str
    into: str
    received: int
    issuer: str
    expires_at: Instant | None
    life: Life | None
    policy_digest: str
    occurred_at: Instant
    draw_first: tuple[str, ...] = ()
    """Funders whose points are drawn before all others, in this order."""

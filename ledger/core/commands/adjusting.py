"""Commands that give or take points by hand, and those that answer a proposal."""

from dataclasses import dataclass

from ledger.core.commands.award import ARREARS, Life, RefundTerms
from ledger.core.commands.velocity import Speed
from ledger.core.instant import Instant
from ledger.core.state import Drawn
from loyalty.v1.events_pb2 import AdjustmentMade, AdjustmentProposed, AdjustmentRejected

ProposalFact = AdjustmentProposed | AdjustmentMade | AdjustmentRejected


@dataclass(frozen=True, slots=True)
class AdjustmentTerms:
    """What the policy asks of an adjustment."""

    funder: str
    points_alone: int
    """The most points that need no second person."""
    named: bool
    """Whether that person may be named by whoever adjusts, instead of agreeing in a call."""
    proposed_until: Instant
    """To when a second person may agree to a proposal."""
    expires_at: Instant | None
    life: Life | None
    policy_digest: str


@dataclass(frozen=True, slots=True)
class AdjustPoints:
    """Give points, or take them when there are less than none."""

    entry_id: str
    business_unit: str
    currency: str
    points: int
    reason: str
    note: str
    actor: str
    """Who adjusts: client and operator."""
    occurred_at: Instant
    terms: AdjustmentTerms
    refunds: RefundTerms = ARREARS
    """What happens when there are fewer points than are to be taken."""
    approver: str = ""
    """Who agreed, as `actor` names people; empty: nobody."""
    propose: bool = False
    """Where somebody has to agree and nobody did, propose it instead of refusing."""
    expires_at: Instant | None = None
    """When given points expire, as it was stated; None: as the terms say."""
    lot_id: str = ""
    """The lot that points are taken from first, or of which expired points come back."""
    expired: tuple[Drawn, ...] = ()
    """What of that lot has expired and not come back."""
    speeds: tuple[Speed, ...] = ()
    """Limits of velocity that it counts under."""


@dataclass(frozen=True, slots=True)
class ApproveAdjustment:
    """Agree to a proposal: its points move."""

    adjustment: AdjustPoints
    """What is proposed, under the terms of now; `approver` is who agrees."""
    proposal_id: str
    history: tuple[ProposalFact, ...]
    """All facts of the proposal, oldest first."""

    @property
    def occurred_at(self) -> Instant:
        """When it is agreed to."""
        return self.adjustment.occurred_at


@dataclass(frozen=True, slots=True)
class RejectAdjustment:
    """Turn a proposal down."""

    entry_id: str
    proposal_id: str
    business_unit: str
    actor: str
    note: str
    occurred_at: Instant
    history: tuple[ProposalFact, ...]


@dataclass(frozen=True, slots=True)
class ExtendLot:
    """Move the end of a lot."""

    entry_id: str
    lot_id: str
    business_unit: str
    expires_at: Instant
    reason: str
    actor: str
    occurred_at: Instant

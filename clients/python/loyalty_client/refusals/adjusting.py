"""Some of the refusals. Written by `python -m server.status`."""

from loyalty_client.errors import Refusal


class UnknownAdjustment(Refusal):
    """This business unit has no such proposal."""

    reason = "UNKNOWN_ADJUSTMENT"
    adjustment_id: str


class AdjustmentResolved(Refusal):
    """The proposal is over: its points moved, it was turned down, or nobody agreed in time."""

    reason = "ADJUSTMENT_RESOLVED"
    adjustment_id: str
    first_outcome: str
    resolved_by: str
    resolved_at: str


class ApproverMissing(Refusal):
    """So many points need the agreement of a second person."""

    reason = "APPROVER_MISSING"
    points: int
    points_alone: int
    named: str


class ApproverIsActor(Refusal):
    """The one who agrees could be the very person who adjusts."""

    reason = "APPROVER_IS_ACTOR"


class UnknownLot(Refusal):
    """The account has no such lot with points left."""

    reason = "UNKNOWN_LOT"
    lot_id: str


class MoreThanExpired(Refusal):
    """More points of the lot were to come back than have expired."""

    reason = "MORE_THAN_EXPIRED"
    lot_id: str
    expired: int
    requested: int


class LotWithoutDate(Refusal):
    """The lot has no date that could be moved: it never expires, or activity decides."""

    reason = "LOT_WITHOUT_DATE"
    lot_id: str


class EndNotLater(Refusal):
    """A lot's end moves forward only."""

    reason = "END_NOT_LATER"
    lot_id: str
    expire_time: str
    requested: str

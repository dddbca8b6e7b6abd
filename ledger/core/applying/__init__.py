"""What each kind of fact does to an account. The table at the bottom is the index of the fold."""

from collections.abc import Callable
from typing import Any, Final, get_args

from ledger.core.applying import (
    adjustments,
    care,
    debts,
    documents,
    holds,
    lots,
    members,
    merging,
    openings,
    pools,
    recalls,
    transfers,
)
from ledger.core.events import EFFECTS, AccountFact, MovingFact, kind_of
from ledger.core.tally import Tally
from loyalty.v1.events_pb2 import (
    AdjustmentMade,
    AdjustmentProposed,
    AdjustmentRejected,
    ArrearsIncurred,
    ArrearsRepaid,
    BurnReversed,
    ClawbackWrittenOff,
    ConsentChanged,
    ConvertedPointsIssued,
    DebtsMovedIn,
    DebtsMovedOut,
    DocumentClaimed,
    DocumentMovedOut,
    DocumentPosted,
    HoldCaptured,
    HoldMovedIn,
    HoldMovedOut,
    HoldReleased,
    IdentityLinked,
    IdentityUnlinked,
    LotExtended,
    LotReinstated,
    LotsMovedIn,
    LotsMovedOut,
    MemberEnrolled,
    MemberErased,
    MemberProfileChanged,
    MembershipChanged,
    MergeStepped,
    OpeningLotRecorded,
    OpeningRecorded,
    PendingClawedBack,
    PendingMovedIn,
    PendingMovedOut,
    PendingQuarantined,
    PendingQuarantineLifted,
    PointsAdjusted,
    PointsBurned,
    PointsClawedBack,
    PointsConverted,
    PointsEarned,
    PointsExpired,
    PointsHeld,
    PointsPended,
    PointsQuarantined,
    PointsReceived,
    PointsReleased,
    PointsReturned,
    PointsSent,
    PoolClosed,
    PoolCreated,
    PoolJoined,
    PoolLeft,
    PoolMemberAdded,
    PoolMemberRemoved,
    PoolPermissionsChanged,
    QuarantineClawedBack,
    QuarantineLifted,
    RecallMade,
    ReferralCauseChanged,
    ReferralCreated,
    ReversalReversed,
    TierChanged,
    TransferCompleted,
)

Applies = Callable[[Tally, Any], None]


def apply(tally: Tally, event: AccountFact) -> None:
    """Let a fact have its effect. Order of facts is the caller's duty."""
    tally.version += 1
    applies, moves = _APPLIED[type(event)]
    applies(tally, event)
    if moves:
        tally.move(event.currency, event.points, moves)  # type: ignore[union-attr]


def _nothing(tally: Tally, event: object) -> None:
    """A fact that the account does not show."""


APPLIES: Final[dict[type, Applies]] = {
    PointsEarned: lots.earn,
    DocumentPosted: documents.post,
    DocumentClaimed: _nothing,
    DocumentMovedOut: documents.leave,
    PointsPended: lots.earn,
    PointsReleased: lots.release,
    PointsBurned: lots.burn,
    PointsExpired: lots.expire,
    PointsClawedBack: lots.claw_back,
    PendingClawedBack: lots.claw_back_pending,
    BurnReversed: lots.give_back,
    ReversalReversed: lots.burn_again,
    OpeningLotRecorded: lots.take_over,
    LotReinstated: lots.reinstate,
    PointsHeld: holds.hold,
    HoldCaptured: holds.capture,
    HoldReleased: holds.release,
    ArrearsIncurred: debts.owe,
    ArrearsRepaid: debts.repay,
    ClawbackWrittenOff: _nothing,
    PointsSent: transfers.send,
    PointsReceived: transfers.receive,
    TransferCompleted: transfers.complete,
    PointsReturned: transfers.give_back,
    PointsConverted: transfers.convert,
    ConvertedPointsIssued: transfers.issue,
    MemberEnrolled: members.enrol,
    IdentityLinked: members.link,
    IdentityUnlinked: members.unlink,
    MemberProfileChanged: members.change_profile,
    MembershipChanged: members.change_membership,
    MergeStepped: merging.step,
    LotsMovedOut: merging.lots_out,
    LotsMovedIn: merging.lots_in,
    PendingMovedOut: merging.pending_out,
    PendingMovedIn: merging.lots_in,
    HoldMovedOut: merging.hold_out,
    HoldMovedIn: merging.hold_in,
    DebtsMovedOut: merging.debts_out,
    DebtsMovedIn: merging.debts_in,
    TierChanged: members.change_tier,
    MemberErased: care.erase,
    ReferralCreated: care.bring,
    ReferralCauseChanged: care.change_cause,
    ConsentChanged: care.change_consent,
    PointsAdjusted: adjustments.give,
    AdjustmentMade: adjustments.make,
    AdjustmentProposed: _nothing,
    AdjustmentRejected: _nothing,
    OpeningRecorded: openings.open_balance,
    LotExtended: adjustments.extend,
    RecallMade: _nothing,
    PointsQuarantined: recalls.quarantine,
    PendingQuarantined: recalls.quarantine,
    QuarantineLifted: recalls.lift,
    PendingQuarantineLifted: recalls.lift,
    QuarantineClawedBack: recalls.claw_back,
    PoolCreated: pools.create,
    PoolMemberAdded: pools.add,
    PoolMemberRemoved: pools.remove,
    PoolPermissionsChanged: pools.change_permissions,
    PoolClosed: pools.close,
    PoolJoined: pools.join,
    PoolLeft: pools.leave,
}
_Moves = tuple[tuple[int, int], ...]
_MOVES: Final[dict[type, _Moves]] = {
    kind: tuple((column, sign) for column, sign in enumerate(EFFECTS[kind_of(kind())]) if sign)
    for kind in get_args(MovingFact)
}
"""EFFECTS as (column of a balance row, sign), without the zeros."""
_APPLIED: Final[dict[type, tuple[Applies, _Moves]]] = {
    kind: (applies, _MOVES.get(kind, ())) for kind, applies in APPLIES.items()
}
"""Both in one look-up, for it is done for every fact."""

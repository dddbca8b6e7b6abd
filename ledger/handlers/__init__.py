"""Which handler decides which write. The table at the bottom is the index of the write side."""

from collections.abc import Callable
from typing import Final

from ledger.act import Act, Answer
from ledger.core.refusals import Refusal
from ledger.handlers import (
    adjusting,
    advancing,
    context,
    conversions,
    documents,
    enrolling,
    erasing,
    identities,
    membership,
    merging,
    moves,
    openings,
    periods,
    pools,
    profiles,
    programme,
    recalls,
    referring,
    spending,
    tiers,
    transfers,
)
from ledger.handlers.precedence import first_of
from ledger.work import Work
from ledger.writes import WriteRequest
from loyalty.v1.audit_service_pb2 import ClosePeriodRequest
from loyalty.v1.ledger_service_pb2 import (
    AcceptTransferRequest,
    AdjustPointsRequest,
    AdvanceAccountRequest,
    ApproveAdjustmentRequest,
    BurnPointsRequest,
    CancelTransferRequest,
    CaptureHoldRequest,
    ClaimDocumentRequest,
    ContinueTransferRequest,
    ConvertPointsRequest,
    DeclineTransferRequest,
    ExtendLotRequest,
    HoldPointsRequest,
    MoveDocumentRequest,
    PostDocumentRequest,
    RecallPointsRequest,
    RecordOpeningRequest,
    RejectAdjustmentRequest,
    ReleaseHoldRequest,
    ReverseEntryRequest,
    TransferPointsRequest,
)
from loyalty.v1.member_service_pb2 import (
    AddPoolMemberRequest,
    CloseMemberRequest,
    ClosePoolRequest,
    ContinueMergeRequest,
    CreatePoolRequest,
    CreateReferralRequest,
    EnrolMemberRequest,
    EraseMemberRequest,
    GrantTierRequest,
    LinkIdentityRequest,
    MergeMembersRequest,
    MoveIdentityRequest,
    RemovePoolMemberRequest,
    ReopenMemberRequest,
    SetPoolPermissionRequest,
    SuspendMemberRequest,
    UnlinkIdentityRequest,
    UnmergeMembersRequest,
    UpdateMemberRequest,
)
from loyalty.v1.programme_service_pb2 import (
    ApprovePolicyRequest,
    DraftPolicyRequest,
    PublishPolicyRequest,
    RecordSimulationRequest,
    WithdrawPolicyRequest,
)

Handler = Callable[[Act, Work], Answer]


def decide_act(act: Act, work: Work) -> Answer:
    """Decide one act on what the work knows. Raises Refusal, which records nothing of the act."""
    again = context.replay(act, work)
    if again is not None:
        return again
    tried = act.request.validate_only
    before = work.mark() if tried or act.key in work.to_undo else None
    acted = work.acted
    try:
        answer = _handled(act, work)
    except Refusal:
        if before is not None:
            work.back_to(before)
        elif work.acted > acted:
            work.wanted.undone.add(act.key)
        raise
    if not tried or before is None:
        return answer
    work.back_to(before)
    return context.validated(answer)


def _handled(act: Act, work: Work) -> Answer:
    """Let the act's handler decide it, and what follows from documents that it posted."""
    work.posted = []
    try:
        answer = HANDLERS[type(act.request)](act, work)
    except Refusal as refused:
        raise first_of(refused, act, work) from None
    if work.posted:
        referring.follow(act, work)
    return answer


def decide_group(acts: list[Act], work: Work) -> list[Answer] | tuple[int, Refusal]:
    """Decide acts all or none: the answers, or the index and refusal of the first that was."""
    before = work.mark()
    answers = []
    for index, act in enumerate(acts):
        try:
            answers.append(decide_act(act, work))
        except Refusal as refusal:
            work.back_to(before)
            return index, refusal
    return answers


HANDLERS: Final[dict[type[WriteRequest], Handler]] = {
    PostDocumentRequest: documents.post_document,
    ClaimDocumentRequest: moves.claim_document,
    MoveDocumentRequest: moves.move_document,
    BurnPointsRequest: spending.burn_points,
    HoldPointsRequest: spending.hold_points,
    CaptureHoldRequest: spending.capture_hold,
    ReleaseHoldRequest: spending.release_hold,
    ReverseEntryRequest: spending.reverse_entry,
    AdjustPointsRequest: adjusting.adjust_points,
    ApproveAdjustmentRequest: adjusting.approve_adjustment,
    RejectAdjustmentRequest: adjusting.reject_adjustment,
    ExtendLotRequest: adjusting.extend_lot,
    RecallPointsRequest: recalls.recall_points,
    AdvanceAccountRequest: advancing.advance_account,
    TransferPointsRequest: transfers.transfer_points,
    AcceptTransferRequest: transfers.accept_transfer,
    DeclineTransferRequest: transfers.decline_transfer,
    CancelTransferRequest: transfers.cancel_transfer,
    ContinueTransferRequest: transfers.continue_transfer,
    ConvertPointsRequest: conversions.convert_points,
    EnrolMemberRequest: enrolling.enrol_member,
    EraseMemberRequest: erasing.erase_member,
    CreateReferralRequest: referring.create_referral,
    LinkIdentityRequest: identities.link_identity,
    UnlinkIdentityRequest: identities.unlink_identity,
    MoveIdentityRequest: identities.move_identity,
    MergeMembersRequest: merging.merge_members,
    UnmergeMembersRequest: merging.unmerge_members,
    ContinueMergeRequest: merging.continue_merge,
    GrantTierRequest: tiers.grant_tier,
    UpdateMemberRequest: profiles.update_member,
    SuspendMemberRequest: membership.change_membership,
    CloseMemberRequest: membership.change_membership,
    ReopenMemberRequest: membership.change_membership,
    CreatePoolRequest: pools.create_pool,
    AddPoolMemberRequest: pools.add_pool_member,
    RemovePoolMemberRequest: pools.remove_pool_member,
    SetPoolPermissionRequest: pools.set_pool_permission,
    ClosePoolRequest: pools.close_pool,
    RecordOpeningRequest: openings.record_opening,
    PublishPolicyRequest: programme.publish_policy,
    DraftPolicyRequest: programme.draft_policy,
    RecordSimulationRequest: programme.record_simulation,
    ApprovePolicyRequest: programme.approve_policy,
    WithdrawPolicyRequest: programme.withdraw_policy,
    ClosePeriodRequest: periods.close_period,
}

"""Every call of the contract, as both clients have it. Written by proto/generate.py."""

from collections.abc import Mapping
from typing import Any, Final

from loyalty.v1 import account_service_pb2 as account
from loyalty.v1 import audit_service_pb2 as audit
from loyalty.v1 import ledger_service_pb2 as ledger
from loyalty.v1 import member_service_pb2 as member
from loyalty.v1 import programme_service_pb2 as programme
from loyalty_client.calls import Call, Dialogue, Feed, Unary


class Surface:
    """The calls, by service. What each does stands in its .proto file."""

    get_account = Unary(account.GetAccountRequest, account.GetAccountResponse)
    list_entries = Unary(account.ListEntriesRequest, account.ListEntriesResponse)
    get_tier = Unary(account.GetTierRequest, account.GetTierResponse)
    explain_entry = Unary(account.ExplainEntryRequest, account.ExplainEntryResponse)
    get_document = Unary(account.GetDocumentRequest, account.GetDocumentResponse)
    list_unclaimed_documents = Unary(
        account.ListUnclaimedDocumentsRequest, account.ListUnclaimedDocumentsResponse
    )

    stream_events = Feed(audit.StreamEventsRequest, audit.StreamEventsResponse)
    verify_history = Feed(audit.VerifyHistoryRequest, audit.VerifyHistoryResponse)
    close_period = Unary(audit.ClosePeriodRequest, audit.ClosePeriodResponse)
    list_periods = Unary(audit.ListPeriodsRequest, audit.ListPeriodsResponse)
    get_settlement = Unary(audit.GetSettlementRequest, audit.GetSettlementResponse)
    trace_lots = Unary(audit.TraceLotsRequest, audit.TraceLotsResponse)

    post_document = Unary(ledger.PostDocumentRequest, ledger.PostDocumentResponse)
    earn_points = Unary(ledger.EarnPointsRequest, ledger.EarnPointsResponse)
    record_activity = Unary(ledger.RecordActivityRequest, ledger.RecordActivityResponse)
    quote_document = Unary(ledger.QuoteDocumentRequest, ledger.QuoteDocumentResponse)
    burn_points = Unary(ledger.BurnPointsRequest, ledger.BurnPointsResponse)
    hold_points = Unary(ledger.HoldPointsRequest, ledger.HoldPointsResponse)
    capture_hold = Unary(ledger.CaptureHoldRequest, ledger.CaptureHoldResponse)
    release_hold = Unary(ledger.ReleaseHoldRequest, ledger.ReleaseHoldResponse)
    record_opening = Unary(ledger.RecordOpeningRequest, ledger.RecordOpeningResponse)
    get_openings = Unary(ledger.GetOpeningsRequest, ledger.GetOpeningsResponse)
    reverse_entry = Unary(ledger.ReverseEntryRequest, ledger.ReverseEntryResponse)
    transfer_points = Unary(ledger.TransferPointsRequest, ledger.TransferPointsResponse)
    accept_transfer = Unary(ledger.AcceptTransferRequest, ledger.AcceptTransferResponse)
    decline_transfer = Unary(ledger.DeclineTransferRequest, ledger.DeclineTransferResponse)
    cancel_transfer = Unary(ledger.CancelTransferRequest, ledger.CancelTransferResponse)
    continue_transfer = Unary(ledger.ContinueTransferRequest, ledger.ContinueTransferResponse)
    get_transfer = Unary(ledger.GetTransferRequest, ledger.GetTransferResponse)
    list_transfers = Unary(ledger.ListTransfersRequest, ledger.ListTransfersResponse)
    convert_points = Unary(ledger.ConvertPointsRequest, ledger.ConvertPointsResponse)
    advance_account = Unary(ledger.AdvanceAccountRequest, ledger.AdvanceAccountResponse)
    adjust_points = Unary(ledger.AdjustPointsRequest, ledger.AdjustPointsResponse)
    approve_adjustment = Unary(ledger.ApproveAdjustmentRequest, ledger.ApproveAdjustmentResponse)
    reject_adjustment = Unary(ledger.RejectAdjustmentRequest, ledger.RejectAdjustmentResponse)
    list_adjustments = Unary(ledger.ListAdjustmentsRequest, ledger.ListAdjustmentsResponse)
    recall_points = Unary(ledger.RecallPointsRequest, ledger.RecallPointsResponse)
    extend_lot = Unary(ledger.ExtendLotRequest, ledger.ExtendLotResponse)
    claim_document = Unary(ledger.ClaimDocumentRequest, ledger.ClaimDocumentResponse)
    move_document = Unary(ledger.MoveDocumentRequest, ledger.MoveDocumentResponse)
    batch_post = Unary(ledger.BatchPostRequest, ledger.BatchPostResponse)
    post_stream = Dialogue(ledger.PostStreamRequest, ledger.PostStreamResponse)

    enrol_member = Unary(member.EnrolMemberRequest, member.EnrolMemberResponse)
    link_identity = Unary(member.LinkIdentityRequest, member.LinkIdentityResponse)
    unlink_identity = Unary(member.UnlinkIdentityRequest, member.UnlinkIdentityResponse)
    move_identity = Unary(member.MoveIdentityRequest, member.MoveIdentityResponse)
    create_referral = Unary(member.CreateReferralRequest, member.CreateReferralResponse)
    erase_member = Unary(member.EraseMemberRequest, member.EraseMemberResponse)
    get_erasure = Unary(member.GetErasureRequest, member.GetErasureResponse)
    get_member = Unary(member.GetMemberRequest, member.GetMemberResponse)
    grant_tier = Unary(member.GrantTierRequest, member.GrantTierResponse)
    update_member = Unary(member.UpdateMemberRequest, member.UpdateMemberResponse)
    suspend_member = Unary(member.SuspendMemberRequest, member.SuspendMemberResponse)
    close_member = Unary(member.CloseMemberRequest, member.CloseMemberResponse)
    reopen_member = Unary(member.ReopenMemberRequest, member.ReopenMemberResponse)
    merge_members = Unary(member.MergeMembersRequest, member.MergeMembersResponse)
    unmerge_members = Unary(member.UnmergeMembersRequest, member.UnmergeMembersResponse)
    continue_merge = Unary(member.ContinueMergeRequest, member.ContinueMergeResponse)
    create_pool = Unary(member.CreatePoolRequest, member.CreatePoolResponse)
    add_pool_member = Unary(member.AddPoolMemberRequest, member.AddPoolMemberResponse)
    remove_pool_member = Unary(member.RemovePoolMemberRequest, member.RemovePoolMemberResponse)
    set_pool_permission = Unary(member.SetPoolPermissionRequest, member.SetPoolPermissionResponse)
    close_pool = Unary(member.ClosePoolRequest, member.ClosePoolResponse)
    get_pool = Unary(member.GetPoolRequest, member.GetPoolResponse)

    get_programme = Unary(programme.GetProgrammeRequest, programme.GetProgrammeResponse)
    check_policy = Unary(programme.CheckPolicyRequest, programme.CheckPolicyResponse)
    draft_policy = Unary(programme.DraftPolicyRequest, programme.DraftPolicyResponse)
    record_simulation = Unary(programme.RecordSimulationRequest, programme.RecordSimulationResponse)
    approve_policy = Unary(programme.ApprovePolicyRequest, programme.ApprovePolicyResponse)
    publish_policy = Unary(programme.PublishPolicyRequest, programme.PublishPolicyResponse)
    withdraw_policy = Unary(programme.WithdrawPolicyRequest, programme.WithdrawPolicyResponse)
    get_policy = Unary(programme.GetPolicyRequest, programme.GetPolicyResponse)
    list_policies = Unary(programme.ListPoliciesRequest, programme.ListPoliciesResponse)
    diff_policies = Unary(programme.DiffPoliciesRequest, programme.DiffPoliciesResponse)


CALLS: Final[Mapping[str, Call[Any, Any]]] = {
    call.method: call for call in vars(Surface).values() if isinstance(call, Call)
}
"""By name: "loyalty.v1.LedgerService/BurnPoints"."""

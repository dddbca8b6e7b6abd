"""The kinds of write there are: their requests, their code in the store, and what answers them."""

from typing import Final

from loyalty.v1.audit_service_pb2 import ClosePeriodRequest, Period
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
    EarnPointsRequest,
    ExtendLotRequest,
    HoldPointsRequest,
    MoveDocumentRequest,
    PostDocumentRequest,
    Posting,
    RecallPointsRequest,
    RecordActivityRequest,
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
    ErasureCertificate,
    GrantTierRequest,
    LinkIdentityRequest,
    Member,
    MergeMembersRequest,
    MoveIdentityRequest,
    Pool,
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
    Policy,
    PublishPolicyRequest,
    RecordSimulationRequest,
    WithdrawPolicyRequest,
)
from loyalty.v1.types_pb2 import MemberRef

WriteRequest = (
    PostDocumentRequest
    | EarnPointsRequest
    | RecordActivityRequest
    | ClaimDocumentRequest
    | MoveDocumentRequest
    | BurnPointsRequest
    | HoldPointsRequest
    | CaptureHoldRequest
    | ReleaseHoldRequest
    | ReverseEntryRequest
    | AdjustPointsRequest
    | ApproveAdjustmentRequest
    | RejectAdjustmentRequest
    | ExtendLotRequest
    | TransferPointsRequest
    | AcceptTransferRequest
    | DeclineTransferRequest
    | CancelTransferRequest
    | ContinueTransferRequest
    | ConvertPointsRequest
    | RecallPointsRequest
    | AdvanceAccountRequest
    | EnrolMemberRequest
    | LinkIdentityRequest
    | GrantTierRequest
    | UpdateMemberRequest
    | SuspendMemberRequest
    | CloseMemberRequest
    | ReopenMemberRequest
    | UnlinkIdentityRequest
    | MoveIdentityRequest
    | MergeMembersRequest
    | UnmergeMembersRequest
    | ContinueMergeRequest
    | CreatePoolRequest
    | AddPoolMemberRequest
    | RemovePoolMemberRequest
    | SetPoolPermissionRequest
    | ClosePoolRequest
    | RecordOpeningRequest
    | EraseMemberRequest
    | CreateReferralRequest
    | PublishPolicyRequest
    | DraftPolicyRequest
    | RecordSimulationRequest
    | ApprovePolicyRequest
    | WithdrawPolicyRequest
    | ClosePeriodRequest
)
AnswerMessage = Period | Posting | Member | Pool | Policy | ErasureCertificate

# Never renumber: the first byte of a stored command.
CODES: Final[dict[type[WriteRequest], int]] = {
    PostDocumentRequest: 1,
    BurnPointsRequest: 3,
    HoldPointsRequest: 4,
    CaptureHoldRequest: 5,
    ReleaseHoldRequest: 6,
    ReverseEntryRequest: 7,
    AdvanceAccountRequest: 8,
    EnrolMemberRequest: 9,
    LinkIdentityRequest: 10,
    GrantTierRequest: 12,
    UpdateMemberRequest: 13,
    PublishPolicyRequest: 11,
    DraftPolicyRequest: 31,
    RecordSimulationRequest: 32,
    ApprovePolicyRequest: 33,
    WithdrawPolicyRequest: 34,
    TransferPointsRequest: 40,
    AcceptTransferRequest: 41,
    DeclineTransferRequest: 42,
    CancelTransferRequest: 43,
    ContinueTransferRequest: 44,
    ConvertPointsRequest: 45,
    CreatePoolRequest: 46,
    AddPoolMemberRequest: 47,
    RemovePoolMemberRequest: 48,
    SetPoolPermissionRequest: 49,
    ClosePoolRequest: 39,
    SuspendMemberRequest: 50,
    CloseMemberRequest: 51,
    ReopenMemberRequest: 52,
    AdjustPointsRequest: 80,
    ApproveAdjustmentRequest: 81,
    RejectAdjustmentRequest: 82,
    UnlinkIdentityRequest: 53,
    MoveIdentityRequest: 54,
    MergeMembersRequest: 55,
    UnmergeMembersRequest: 56,
    ContinueMergeRequest: 57,
    RecordOpeningRequest: 60,
    EraseMemberRequest: 61,
    CreateReferralRequest: 62,
    ExtendLotRequest: 83,
    RecallPointsRequest: 84,
    ClaimDocumentRequest: 70,
    MoveDocumentRequest: 71,
    ClosePeriodRequest: 72,
}


ABOUT_POLICY: Final = (
    PublishPolicyRequest,
    DraftPolicyRequest,
    RecordSimulationRequest,
    ApprovePolicyRequest,
    WithdrawPolicyRequest,
)
"""Requests that are answered with a Policy."""
ABOUT_PERIODS: Final = (ClosePeriodRequest,)
"""Requests that are answered with a Period."""
WITHOUT_ORIGIN: Final = (*ABOUT_POLICY, *ABOUT_PERIODS)
"""Requests of the programme as a whole: without origin, unit or member."""
ABOUT_MEMBER: Final = (
    CreateReferralRequest,
    EnrolMemberRequest,
    LinkIdentityRequest,
    GrantTierRequest,
    UpdateMemberRequest,
    SuspendMemberRequest,
    CloseMemberRequest,
    ReopenMemberRequest,
    UnlinkIdentityRequest,
    MoveIdentityRequest,
    MergeMembersRequest,
    UnmergeMembersRequest,
    ContinueMergeRequest,
)
"""Requests that are answered with a Member."""
ABOUT_POOL: Final = (
    CreatePoolRequest,
    AddPoolMemberRequest,
    RemovePoolMemberRequest,
    SetPoolPermissionRequest,
    ClosePoolRequest,
)
"""Requests that are answered with a Pool."""
IN_POOL: Final = frozenset(
    {
        BurnPointsRequest,
        HoldPointsRequest,
        AddPoolMemberRequest,
        RemovePoolMemberRequest,
        SetPoolPermissionRequest,
        ClosePoolRequest,
    }
)
"""Requests of a member that may name a pool besides."""
ABOUT_ERASURE: Final = (EraseMemberRequest,)
"""Requests that are answered with a certificate."""
AboutTransfer = (
    AcceptTransferRequest | DeclineTransferRequest | CancelTransferRequest | ContinueTransferRequest
)
"""Requests about a transfer that was sent before."""
NAMES_NO_MEMBER: Final = (
    ContinueTransferRequest,
    CaptureHoldRequest,
    ReleaseHoldRequest,
    ReverseEntryRequest,
    ApproveAdjustmentRequest,
    RejectAdjustmentRequest,
    EnrolMemberRequest,
    *WITHOUT_ORIGIN,
)
"""Requests without a member; some are about a thing that has one."""


_OTHER_MEMBERS: Final[dict[type[WriteRequest], str]] = {
    TransferPointsRequest: "receiver",
    AddPoolMemberRequest: "joining",
    RemovePoolMemberRequest: "leaving",
    SetPoolPermissionRequest: "subject",
    CreateReferralRequest: "referrer",
    MergeMembersRequest: "into",
}


def other_member_of(request: WriteRequest) -> MemberRef | None:
    """The second member or pool that a request names; None for kinds that name one at most."""
    name = _OTHER_MEMBERS.get(type(request))
    return None if name is None else getattr(request, name)


def pool_of(request: WriteRequest) -> str:
    """The pool in which a member does something; empty for none."""
    return request.pool_id if type(request) in IN_POOL else ""  # type: ignore[union-attr]


def member_of(request: WriteRequest) -> MemberRef | None:
    """Whom a request means; None for kinds that name no member, or when it names none."""
    # Documents first: asking a message for a type that is not its own is slow.
    if not isinstance(request, PostDocumentRequest) and isinstance(request, NAMES_NO_MEMBER):
        return None
    return request.member if request.HasField("member") else None

"""The shape of every request: what must be there, how long, how large. One function a request.

What needs the policy or the account (is the unit known, are there enough points) the ledger checks.
Field paths are those of the single call, in a batch too.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from ledger.identities import canonical
from loyalty.v1.account_service_pb2 import (
    GetAccountRequest,
    GetTierRequest,
    ListEntriesRequest,
    View,
)
from loyalty.v1.audit_service_pb2 import StreamEventsRequest, VerifyHistoryRequest
from loyalty.v1.ledger_service_pb2 import (
    AdvanceAccountRequest,
    BatchItem,
    BurnPointsRequest,
    CaptureHoldRequest,
    EarnPointsRequest,
    HoldPointsRequest,
    PostDocumentRequest,
    RecordActivityRequest,
    ReleaseHoldRequest,
    ReverseEntryRequest,
)
from loyalty.v1.member_service_pb2 import (
    CreateReferralRequest,
    EnrolMemberRequest,
    GetMemberRequest,
    GrantTierRequest,
    LinkIdentityRequest,
)
from server.auth import Verb
from server.checking import (
    adjusting,
    consents,
    documents,
    membership,
    moving,
    openings,
    pools,
    profiles,
    recalls,
    shape,
    transfers,
)

BATCH_MAX: Final = 1000
ATOMIC_MAX: Final = 512
IDENTITIES_MAX: Final = 16
CHANGES_MAX: Final = 1000
GRANT_SECONDS_END: Final = 32_503_680_000
"""The year 3000: what follows a tier has to lie in the calendar too."""
LANES_MAX: Final = 1024
_VIEWS: Final = frozenset(View.values())


def post_document(request: PostDocumentRequest) -> None:
    """Check a document. Raises Malformed."""
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    if request.HasField("member"):
        shape.member(request.member)
    documents.document(request.document)
    if request.language:
        shape.language(request.language)
    if request.move or request.unclaimed_if_unknown or request.document_unit:
        moving.stated(request)


def record_activity(request: RecordActivityRequest) -> None:
    """Check an activity. Raises Malformed."""
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    shape.member(request.member)
    documents.activity(request.activity)


def earn_points(request: EarnPointsRequest) -> None:
    """Check an earn. Raises Malformed."""
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    shape.member(request.member)
    shape.price(request.amount, field="amount")
    shape.text("category", request.category)


def burn_points(request: BurnPointsRequest) -> None:
    """Check a burn. Raises Malformed."""
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    shape.member(request.member)
    which = request.WhichOneof("amount")
    if which is None:
        shape.refuse("amount", "", "points, money or reward")
    elif which == "reward":
        shape.text("reward", request.reward)
    else:
        shape.burn_amount(request.points, request.money, which)
    _basket(request)
    shape.optional_text("pool_id", request.pool_id)


def hold_points(request: HoldPointsRequest) -> None:
    """Check a hold. Raises Malformed."""
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    shape.member(request.member)
    shape.text("hold_id", request.hold_id)
    shape.burn_amount(request.points, request.money, request.WhichOneof("amount"))
    _basket(request)
    shape.optional_text("pool_id", request.pool_id)


def _basket(request: BurnPointsRequest | HoldPointsRequest) -> None:
    if request.HasField("basket"):
        shape.price(request.basket, field="basket")


def capture_hold(request: CaptureHoldRequest) -> None:
    """Check a capture. Raises Malformed."""
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    shape.text("hold_id", request.hold_id)
    shape.amount("points", request.points)


def release_hold(request: ReleaseHoldRequest) -> None:
    """Check a release. Raises Malformed."""
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    shape.text("hold_id", request.hold_id)


def reverse_entry(request: ReverseEntryRequest) -> None:
    """Check a reversal. Raises Malformed."""
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    shape.text("entry_id", request.entry_id)
    shape.amount("points", request.points, least=0)


def advance_account(request: AdvanceAccountRequest) -> None:
    """Check an advance. Raises Malformed."""
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    shape.member(request.member)


WRITES: Final[dict[str, tuple[Verb, Callable[[Any], None]]]] = {
    "PostDocument": (Verb.EARN, post_document),
    "EarnPoints": (Verb.EARN, earn_points),
    "RecordActivity": (Verb.EARN, record_activity),
    "ClaimDocument": (Verb.CLAIM, moving.claim_document),
    "MoveDocument": (Verb.MOVE, moving.move_document),
    "BurnPoints": (Verb.BURN, burn_points),
    "HoldPoints": (Verb.BURN, hold_points),
    "CaptureHold": (Verb.BURN, capture_hold),
    "ReleaseHold": (Verb.BURN, release_hold),
    "ReverseEntry": (Verb.BURN, reverse_entry),
    "AdvanceAccount": (Verb.ADVANCE, advance_account),
    "TransferPoints": (Verb.TRANSFER, transfers.transfer_points),
    "AcceptTransfer": (Verb.TRANSFER, transfers.about_transfer),
    "DeclineTransfer": (Verb.TRANSFER, transfers.about_transfer),
    "CancelTransfer": (Verb.TRANSFER, transfers.about_transfer),
    "ContinueTransfer": (Verb.ADVANCE, transfers.continue_transfer),
    "ConvertPoints": (Verb.CONVERT, transfers.convert_points),
    "AdjustPoints": (Verb.ADJUST, adjusting.adjust_points),
    "ApproveAdjustment": (Verb.APPROVE, adjusting.approve_adjustment),
    "RejectAdjustment": (Verb.APPROVE, adjusting.reject_adjustment),
    "RecordOpening": (Verb.OPENING, openings.record_opening),
    "ExtendLot": (Verb.ADJUST, adjusting.extend_lot),
    "RecallPoints": (Verb.RECALL, recalls.recall_points),
}
"""Verb and check of each write, by the name of its call."""
_BY_FIELD: Final = {re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(): WRITES[name] for name in WRITES}
ITEMS: Final = {field.name: _BY_FIELD[field.name] for field in BatchItem.DESCRIPTOR.fields}
"""The same, by the name of its field in a batch's item; what people decide has none."""


def batch(items: Sequence[BatchItem], *, atomic: bool) -> None:
    """Check a batch as a whole; its items are checked one by one. Raises Malformed."""
    most = ATOMIC_MAX if atomic else BATCH_MAX
    if not 1 <= len(items) <= most:
        kind = "an atomic batch" if atomic else "a batch"
        shape.refuse("items", f"{len(items)} items", f"1 to {most} items in {kind}")


def enrol_member(request: EnrolMemberRequest) -> None:
    """Check an enrolment. Raises Malformed."""
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    count = len(request.identities)
    if not 1 <= count <= IDENTITIES_MAX:
        shape.refuse("identities", f"{count} identities", f"1 to {IDENTITIES_MAX} identities")
    seen: set[tuple[str, str]] = set()
    for index, identity in enumerate(request.identities):
        field = f"identities[{index}]"
        shape.identity(field, identity)
        known = (identity.scheme, canonical(identity.scheme, identity.value))
        if known in seen:
            shape.refuse(field, shape.HIDDEN, "an identity that stands in the list once")
        seen.add(known)
    consents.consents(request.consents)


def link_identity(request: LinkIdentityRequest) -> None:
    """Check a link. Raises Malformed."""
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    shape.member(request.member)
    shape.identity("identity", request.identity)


def grant_tier(request: GrantTierRequest) -> None:
    """Check a tier by decision of staff. Raises Malformed."""
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    shape.member(request.member)
    shape.optional_text("tier", request.tier)
    shape.text("reason", request.reason, shape.REASON_LENGTH)
    if request.HasField("until_time"):
        shape.moment("until_time", request.until_time)
        seconds = request.until_time.seconds
        if not request.tier:
            shape.refuse("until_time", f"{seconds}s", "none without a tier")
        if seconds >= GRANT_SECONDS_END:
            shape.refuse("until_time", f"{seconds}s", "a time before the year 3000, or none")


def create_referral(request: CreateReferralRequest) -> None:
    """Check who brought whom. Raises Malformed."""
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    shape.member(request.member)
    shape.member(request.referrer, "referrer")


MEMBER_WRITES: Final[dict[str, tuple[Verb, Callable[[Any], None]]]] = {
    "EnrolMember": (Verb.ENROL, enrol_member),
    "LinkIdentity": (Verb.ENROL, link_identity),
    "UnlinkIdentity": (Verb.ENROL, membership.unlink_identity),
    "MoveIdentity": (Verb.MERGE, membership.move_identity),
    "MergeMembers": (Verb.MERGE, membership.merge_members),
    "UnmergeMembers": (Verb.MERGE, membership.change_membership),
    "ContinueMerge": (Verb.MERGE, membership.continue_merge),
    "GrantTier": (Verb.TIER, grant_tier),
    "CreateReferral": (Verb.ENROL, create_referral),
    "UpdateMember": (Verb.PROFILE, profiles.update_member),
    "SuspendMember": (Verb.CLOSE, membership.change_membership),
    "CloseMember": (Verb.CLOSE, membership.change_membership),
    "ReopenMember": (Verb.CLOSE, membership.change_membership),
    "CreatePool": (Verb.POOL, pools.create_pool),
    "AddPoolMember": (Verb.POOL, pools.add_pool_member),
    "RemovePoolMember": (Verb.POOL, pools.remove_pool_member),
    "SetPoolPermission": (Verb.POOL, pools.set_pool_permission),
    "ClosePool": (Verb.POOL, pools.close_pool),
}
"""Writes about members and pools: the verb that a token needs, and the check."""


def get_tier(request: GetTierRequest) -> None:
    """Check a question for a tier. Raises Malformed."""
    shape.member(request.member)
    shape.optional_text("min_position", request.min_position, shape.OPAQUE_LENGTH)
    if not 0 <= request.changes <= CHANGES_MAX:
        shape.refuse("changes", request.changes, f"1 to {CHANGES_MAX}; 0 for none")
    shape.language(request.language)


def get_member(request: GetMemberRequest) -> None:
    """Check a question for a member. Raises Malformed."""
    shape.member(request.member)
    shape.optional_text("min_position", request.min_position, shape.OPAQUE_LENGTH)


def get_account(request: GetAccountRequest) -> None:
    """Check a question for an account. Raises Malformed."""
    shape.party("member", request.member)
    if request.view not in _VIEWS:
        shape.refuse("view", request.view, documents.names(View.keys()))
    shape.optional_text("min_position", request.min_position, shape.OPAQUE_LENGTH)
    if request.as_of.HasField("effective_time"):
        shape.moment("as_of.effective_time", request.as_of.effective_time)
    if request.as_of.HasField("known_time"):
        shape.moment("as_of.known_time", request.as_of.known_time)


def list_entries(request: ListEntriesRequest) -> None:
    """Check a question for a statement. Raises Malformed."""
    shape.party("member", request.member)
    shape.page(request)
    shape.optional_text("currency", request.currency, shape.NAME_LENGTH)
    shape.optional_text("min_position", request.min_position, shape.OPAQUE_LENGTH)


def stream_events(request: StreamEventsRequest) -> None:
    """Check where a stream of events shall begin. Raises Malformed."""
    seen: set[int] = set()
    for index, position in enumerate(request.positions):
        if not 0 <= position.lane < LANES_MAX or position.lane in seen:
            shape.refuse(f"positions[{index}].lane", position.lane, "a lane, named once")
        if position.next_pos < 0:
            shape.refuse(f"positions[{index}].next_pos", position.next_pos, "0 or more")
        seen.add(position.lane)
    shape.optional_text("business_unit", request.business_unit)


def verify_history(_request: VerifyHistoryRequest) -> None:
    """Nothing in it can be wrong."""

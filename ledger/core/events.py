"""The facts as the core sees them: the union of all kinds, their effect on balances, their bytes.

The registry is the oneof in events.proto. A test proves that the union and EFFECTS below name
exactly its arms, so a new kind cannot be forgotten.
"""

from collections.abc import Callable
from typing import Final, NamedTuple, cast

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from ledger.core.instant import Instant
from ledger.core.wire import message_tag, nested, varint_at
from loyalty.v1.events_pb2 import (
    AdjustmentMade,
    AdjustmentProposed,
    AdjustmentRejected,
    ArrearsIncurred,
    ArrearsRepaid,
    BudgetUsed,
    BurnReversed,
    ClawbackWrittenOff,
    ConsentChanged,
    ConvertedPointsIssued,
    DebtsMovedIn,
    DebtsMovedOut,
    DocumentClaimed,
    DocumentMovedOut,
    DocumentPosted,
    Event,
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
    OpeningSourceDeclared,
    PendingClawedBack,
    PendingMovedIn,
    PendingMovedOut,
    PendingQuarantined,
    PendingQuarantineLifted,
    PeriodClosed,
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
    PolicyApproved,
    PolicyDrafted,
    PolicyPublished,
    PolicySimulated,
    PolicyWithdrawn,
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

MovingFact = (
    PointsEarned
    | PointsPended
    | PointsReleased
    | PointsBurned
    | PointsHeld
    | HoldCaptured
    | HoldReleased
    | PointsExpired
    | PointsClawedBack
    | PendingClawedBack
    | ArrearsIncurred
    | ArrearsRepaid
    | BurnReversed
    | ReversalReversed
    | OpeningLotRecorded
    | LotsMovedOut
    | LotsMovedIn
    | PendingMovedOut
    | PendingMovedIn
    | HoldMovedOut
    | HoldMovedIn
    | DebtsMovedOut
    | DebtsMovedIn
    | LotReinstated
    | PointsAdjusted
    | PointsQuarantined
    | PendingQuarantined
    | QuarantineLifted
    | PendingQuarantineLifted
    | QuarantineClawedBack
    | PointsSent
    | PointsReceived
    | TransferCompleted
    | PointsReturned
    | PointsConverted
    | ConvertedPointsIssued
)
AccountFact = (
    MovingFact
    | MemberEnrolled
    | IdentityLinked
    | IdentityUnlinked
    | MemberProfileChanged
    | MemberErased
    | ReferralCreated
    | ReferralCauseChanged
    | ConsentChanged
    | MembershipChanged
    | OpeningRecorded
    | MergeStepped
    | ClawbackWrittenOff
    | DocumentPosted
    | DocumentClaimed
    | DocumentMovedOut
    | TierChanged
    | AdjustmentMade
    | AdjustmentProposed
    | AdjustmentRejected
    | LotExtended
    | RecallMade
    | PoolCreated
    | PoolMemberAdded
    | PoolMemberRemoved
    | PoolPermissionsChanged
    | PoolClosed
    | PoolJoined
    | PoolLeft
)
PolicyFact = PolicyDrafted | PolicySimulated | PolicyApproved | PolicyPublished | PolicyWithdrawn
AnyFact = AccountFact | PolicyFact | BudgetUsed | OpeningSourceDeclared | PeriodClosed


class Fact(NamedTuple):
    """A fact that a decision yields, before the store gives it a position."""

    event: AnyFact
    occurred_at: Instant


class Effect(NamedTuple):
    """What `points` of a kind does to each balance: +1, -1 or 0."""

    available: int = 0
    pending: int = 0
    held: int = 0
    arrears: int = 0
    in_transit: int = 0


NO_EFFECT: Final = Effect()

EFFECTS: Final[dict[str, Effect]] = {
    "member_enrolled": NO_EFFECT,
    "identity_linked": NO_EFFECT,
    "identity_unlinked": NO_EFFECT,
    "member_profile_changed": NO_EFFECT,
    "member_erased": NO_EFFECT,
    "referral_created": NO_EFFECT,
    "referral_cause_changed": NO_EFFECT,
    "consent_changed": NO_EFFECT,
    "membership_changed": NO_EFFECT,
    "merge_stepped": NO_EFFECT,
    "lots_moved_out": Effect(available=-1),
    "lots_moved_in": Effect(available=+1),
    "pending_moved_out": Effect(pending=-1),
    "pending_moved_in": Effect(pending=+1),
    "hold_moved_out": Effect(held=-1),
    "hold_moved_in": Effect(held=+1),
    "debts_moved_out": Effect(arrears=-1),
    "debts_moved_in": Effect(arrears=+1),
    "policy_published": NO_EFFECT,
    "policy_drafted": NO_EFFECT,
    "policy_simulated": NO_EFFECT,
    "policy_approved": NO_EFFECT,
    "policy_withdrawn": NO_EFFECT,
    "budget_used": NO_EFFECT,
    "points_earned": Effect(available=+1),
    "points_pended": Effect(pending=+1),
    "points_released": Effect(available=+1, pending=-1),
    "points_burned": Effect(available=-1),
    "points_held": Effect(available=-1, held=+1),
    "hold_captured": Effect(held=-1),
    "hold_released": Effect(available=+1, held=-1),
    "points_expired": Effect(available=-1),
    "points_clawed_back": Effect(available=-1),
    "pending_clawed_back": Effect(pending=-1),
    "arrears_incurred": Effect(arrears=+1),
    "arrears_repaid": Effect(available=-1, arrears=-1),
    "burn_reversed": Effect(available=+1),
    "reversal_reversed": Effect(available=-1),
    "opening_lot_recorded": Effect(available=+1),
    "clawback_written_off": NO_EFFECT,
    "lot_reinstated": Effect(available=+1),
    "adjustment_made": NO_EFFECT,
    "points_adjusted": Effect(available=+1),
    "adjustment_proposed": NO_EFFECT,
    "adjustment_rejected": NO_EFFECT,
    "points_sent": Effect(available=-1, in_transit=+1),
    "points_received": Effect(available=+1),
    "transfer_completed": Effect(in_transit=-1),
    "points_returned": Effect(available=+1, in_transit=-1),
    "points_converted": Effect(available=-1),
    "converted_points_issued": Effect(available=+1),
    "lot_extended": NO_EFFECT,
    "recall_made": NO_EFFECT,
    "points_quarantined": Effect(available=-1, held=+1),
    "pending_quarantined": Effect(pending=-1, held=+1),
    "quarantine_lifted": Effect(available=+1, held=-1),
    "pending_quarantine_lifted": Effect(pending=+1, held=-1),
    "quarantine_clawed_back": Effect(held=-1),
    "document_posted": NO_EFFECT,
    "document_claimed": NO_EFFECT,
    "document_moved_out": NO_EFFECT,
    "tier_changed": NO_EFFECT,
    "period_closed": NO_EFFECT,
    "opening_recorded": NO_EFFECT,
    "pool_created": NO_EFFECT,
    "pool_member_added": NO_EFFECT,
    "pool_member_removed": NO_EFFECT,
    "pool_permissions_changed": NO_EFFECT,
    "pool_closed": NO_EFFECT,
    "pool_joined": NO_EFFECT,
    "pool_left": NO_EFFECT,
    "opening_source_declared": NO_EFFECT,
}

_ARMS: Final = Event.DESCRIPTOR.oneofs_by_name["kind"].fields
KIND_NAME: Final[dict[int, str]] = {arm.number: arm.name for arm in _ARMS}
KIND_NUMBER: Final[dict[str, int]] = {arm.name: arm.number for arm in _ARMS}


class UnknownKind(Exception):
    """A newer build wrote this event. Refuse to guess: skipping it would corrupt a balance."""


class _Kind(NamedTuple):
    """What is known of a kind of fact from its message type alone."""

    name: str
    number: int
    tag: bytes
    """Field tag of the arm in Event."""
    has: frozenset[str]
    """Names of the fields."""


_KINDS: Final[dict[type[Message], _Kind]] = {
    GetMessageClass(arm.message_type): _Kind(
        arm.name,
        arm.number,
        message_tag(arm.number),
        frozenset(arm.message_type.fields_by_name),
    )
    for arm in _ARMS
    if arm.message_type is not None
}


class Columns(NamedTuple):
    """The typed columns of the store that a fact fills."""

    kind: int
    currency: str | None
    points: int | None
    business_unit: str | None


def kind_of(event: AnyFact) -> str:
    """Name of the fact's arm in the registry: "points_earned"."""
    return _KINDS[type(event)].name


def fields_of(event: AnyFact) -> frozenset[str]:
    """Names of the fields that a fact of its kind has."""
    return _KINDS[type(event)].has


def columns_of(event: AnyFact) -> Columns:
    """Typed columns of a fact; None where its kind has no such field."""
    _, number, _, has = _KINDS[type(event)]
    return Columns(
        number,
        event.currency if "currency" in has else None,  # type: ignore[union-attr]
        event.points if "points" in has else None,  # type: ignore[union-attr]
        event.business_unit if "business_unit" in has else None,  # type: ignore[union-attr]
    )


def encode(event: AnyFact) -> bytes:
    """Bytes as stored and hashed: an Event with this arm. Nothing ever serialises it again.

    Tag and length are written here because putting the fact into an Event would copy it.
    """
    return nested(_KINDS[type(event)].tag, event.SerializeToString())


def decode(payload: bytes) -> AnyFact:
    """The fact in stored bytes. Raises UnknownKind for a kind that this build does not know.

    Bytes as `encode` writes them are parsed without an Event around the fact, which would cost a
    quarter more; all others as the Event that they are.
    """
    parse, begins, ends = _ARM_AT[payload[:_HEADER]]
    return parse(payload[begins:]) if ends == len(payload) else _decoded(payload)


def _decoded(payload: bytes) -> AnyFact:
    envelope = Event.FromString(payload)
    arm = envelope.WhichOneof("kind")
    if arm is None:
        raise UnknownKind("stored event has a kind that this build does not know")
    return cast(AnyFact, getattr(envelope, arm))


_Arm = tuple[Callable[[bytes], AnyFact], int, int]
"""How a fact is parsed, where it begins, and where it ends; below zero if there is none."""
_HEADER: Final = 4
"""Bytes of a tag, and of a length below 16 KiB: what is longer takes the longer way."""
_PARSE: Final = {
    kind.tag: cast(Callable[[bytes], AnyFact], message.FromString)
    for message, kind in _KINDS.items()
}


class _Arms(dict[bytes, _Arm]):
    """The first field of an event, by its first bytes; few, for facts of a kind are alike."""

    MOST: Final = 10_000

    def __missing__(self, start: bytes) -> _Arm:
        arm = _arm_at(start)
        if len(self) < self.MOST:
            self[start] = arm
        return arm


def _arm_at(start: bytes) -> _Arm:
    for tag, parse in _PARSE.items():
        if start.startswith(tag) and (found := varint_at(start, len(tag))):
            length, begins = found
            return parse, begins, begins + length
    return _decoded, 0, -1


_ARM_AT: Final = _Arms()

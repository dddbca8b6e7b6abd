"""The facts as the core sees them: the union of all kinds, their effect on balances, their bytes.

The registry is the oneof in events.proto. A test proves that the union and EFFECTS below name
exactly its arms, so a new kind cannot be forgotten.
"""

from typing import Final, NamedTuple, cast

from ledger.core.instant import Instant
from loyalty.v1.events_pb2 import (
    ArrearsIncurred,
    ArrearsRepaid,
    BurnReversed,
    DocumentPosted,
    Event,
    HoldCaptured,
    HoldReleased,
    IdentityLinked,
    MemberEnrolled,
    OpeningLotRecorded,
    PendingClawedBack,
    PointsBurned,
    PointsClawedBack,
    PointsEarned,
    PointsExpired,
    PointsHeld,
    PointsPended,
    PointsReleased,
    PolicyPublished,
    ReversalReversed,
    TierChanged,
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
)
AccountFact = MovingFact | MemberEnrolled | IdentityLinked | DocumentPosted | TierChanged
AnyFact = AccountFact | PolicyPublished


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


NO_EFFECT: Final = Effect()

EFFECTS: Final[dict[str, Effect]] = {
    "member_enrolled": NO_EFFECT,
    "identity_linked": NO_EFFECT,
    "policy_published": NO_EFFECT,
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
    "document_posted": NO_EFFECT,
    "tier_changed": NO_EFFECT,
}

_ARMS: Final = Event.DESCRIPTOR.oneofs_by_name["kind"].fields
_MESSAGES: Final = {arm.name: arm.message_type for arm in _ARMS if arm.message_type is not None}
KIND_NAME: Final[dict[int, str]] = {arm.number: arm.name for arm in _ARMS}
KIND_NUMBER: Final[dict[str, int]] = {arm.name: arm.number for arm in _ARMS}
_ARM_OF_MESSAGE: Final[dict[str, str]] = {kind.name: arm for arm, kind in _MESSAGES.items()}
_HAS: Final[dict[str, frozenset[str]]] = {
    arm: frozenset(kind.fields_by_name) for arm, kind in _MESSAGES.items()
}


class UnknownKind(Exception):
    """A newer build wrote this event. Refuse to guess: skipping it would corrupt a balance."""


class Columns(NamedTuple):
    """The typed columns of the store that a fact fills."""

    kind: int
    currency: str | None
    points: int | None
    business_unit: str | None


def kind_of(event: AnyFact) -> str:
    """Name of the fact's arm in the registry: "points_earned"."""
    return _ARM_OF_MESSAGE[type(event).__name__]


def columns_of(event: AnyFact) -> Columns:
    """Typed columns of a fact; None where its kind has no such field."""
    name = _ARM_OF_MESSAGE[type(event).__name__]
    has = _HAS[name]
    return Columns(
        KIND_NUMBER[name],
        event.currency if "currency" in has else None,  # type: ignore[union-attr]
        event.points if "points" in has else None,  # type: ignore[union-attr]
        event.business_unit if "business_unit" in has else None,  # type: ignore[union-attr]
    )


def encode(event: AnyFact) -> bytes:
    """Bytes as stored and hashed. Nothing ever serialises a stored event again."""
    envelope = Event(**{kind_of(event): event})  # type: ignore[arg-type]
    return envelope.SerializeToString(deterministic=True)


def decode(payload: bytes) -> AnyFact:
    """The fact in stored bytes. Raises UnknownKind for a kind that this build does not know."""
    envelope = Event.FromString(payload)
    arm = envelope.WhichOneof("kind")
    if arm is None:
        raise UnknownKind("stored event has a kind that this build does not know")
    return cast(AnyFact, getattr(envelope, arm))

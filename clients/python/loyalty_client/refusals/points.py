"""Some of the refusals. Written by `python -m server.status`."""

from loyalty_client.errors import Refusal


class UnknownHold(Refusal):
    """This business unit has no such hold on this account."""

    reason = "UNKNOWN_HOLD"
    hold_id: str


class HoldResolved(Refusal):
    """The hold is over: captured for good, released, timed out, or all of it expired."""

    reason = "HOLD_RESOLVED"
    hold_id: str
    first_outcome: str
    resolved_by: str
    resolved_at: str


class UnknownEntry(Refusal):
    """This business unit has no such entry, or none of a kind that is found by its id alone."""

    reason = "UNKNOWN_ENTRY"
    entry_id: str


class NotReversible(Refusal):
    """The entry takes back a reversal; it has no opposite of its own."""

    reason = "NOT_REVERSIBLE"
    entry_id: str
    burn_entry_id: str


class FeeNotReversible(Refusal):
    """The entry is a transfer or a conversion, of which this unit has got the fee."""

    reason = "FEE_NOT_REVERSIBLE"
    entry_id: str


class NoTierGranted(Refusal):
    """No tier is granted to the member by staff, so there is none to end."""

    reason = "NO_TIER_GRANTED"
    tier: str


class TierBelowEarned(Refusal):
    """The member has earned a higher tier than the one that is to be given."""

    reason = "TIER_BELOW_EARNED"
    tier: str
    earned: str


class NotForTier(Refusal):
    """Points are not spent like this by members of this tier."""

    reason = "NOT_FOR_TIER"
    tier: str
    known: str


class NotNow(Refusal):
    """Points are not spent like this at this time."""

    reason = "NOT_NOW"
    local_time: str


class BelowMinimum(Refusal):
    """Fewer points than the business unit lets a member spend at once."""

    reason = "BELOW_MINIMUM"
    requested: int
    minimum: int


class NotAStep(Refusal):
    """The points are not a multiple of the business unit's step."""

    reason = "NOT_A_STEP"
    requested: int
    step: int


class AboveMaximum(Refusal):
    """More points than the policy lets a member move at once."""

    reason = "ABOVE_MAXIMUM"
    requested: int
    maximum: int


class BasketShareExceeded(Refusal):
    """Points may pay a part of the basket only, and this would be more."""

    reason = "BASKET_SHARE_EXCEEDED"
    requested: int
    most: int


class LimitReached(Refusal):
    """More points than the member may still move in this period."""

    reason = "LIMIT_REACHED"
    requested: int
    limit: int
    used: int
    window: str
    whose: str


class VelocityExceeded(Refusal):
    """It would be done too often, or with too many points, within a while."""

    reason = "VELOCITY_EXCEEDED"
    limit: str
    per: str
    what: str
    most: int
    used: int
    requested: int
    window: str
    free_at: str


class MoreThanHeld(Refusal):
    """More was to be captured than the hold has left."""

    reason = "MORE_THAN_HELD"
    left: int
    requested: int


class MoreThanLeft(Refusal):
    """More was to be reversed than is left of the entry."""

    reason = "MORE_THAN_LEFT"
    left: int
    requested: int


class InsufficientPoints(Refusal):
    """Fewer points are available than were asked for."""

    reason = "INSUFFICIENT_POINTS"
    available: int
    requested: int
    currency: str


class ClawbackRefused(Refusal):
    """The document gives less now, and the points it gave are not there to be taken back."""

    reason = "CLAWBACK_REFUSED"
    missing: int
    currency: str
    document: str


class TooManyLots(Refusal):
    """The account would have more open lots than an account may have."""

    reason = "TOO_MANY_LOTS"
    limit: int


class PointsOverflow(Refusal):
    """A balance would pass what the ledger can count."""

    reason = "POINTS_OVERFLOW"
    currency: str
    limit: int


class AtomicRefused(Refusal):
    """An item of an atomic batch was refused, so none was recorded."""

    reason = "ATOMIC_REFUSED"
    index: int
    refused_as: str

"""Refusals of what is to be done: to which hold or entry, with how many points."""

from dataclasses import dataclass

from ledger.core.refusals.base import Refusal


@dataclass(eq=False, kw_only=True)
class UnknownHold(Refusal):
    """This business unit has no such hold on this account."""

    advice = "Check hold_id and business unit."
    sentence = "there is no hold {hold_id!r}"
    hold_id: str


@dataclass(eq=False, kw_only=True)
class HoldResolved(Refusal):
    """The hold is over: captured for good, released, timed out, or all of it expired."""

    advice = "Nothing is held any more; burn or hold again if points are still needed."
    sentence = "hold {hold_id!r} is over: {first_outcome}"
    hold_id: str
    first_outcome: str
    """CAPTURED, RELEASED, TIMED_OUT or EXPIRED."""
    resolved_by: str = ""
    """Entry that ended it; empty for time, which has `resolved_at` (RFC 3339) instead, where it is
    a date that ended it."""
    resolved_at: str = ""


@dataclass(eq=False, kw_only=True)
class UnknownEntry(Refusal):
    """This business unit has no such entry, or none of a kind that is found by its id alone."""

    advice = "Check the entry id and the business unit; to explain an award, name its document."
    sentence = "there is no entry {entry_id!r}"
    entry_id: str


@dataclass(eq=False, kw_only=True)
class NotReversible(Refusal):
    """The entry takes back a reversal; it has no opposite of its own."""

    advice = "Reverse the burn itself again."
    sentence = "entry {entry_id!r} cannot be reversed; reverse {burn_entry_id!r} instead"
    entry_id: str
    burn_entry_id: str


@dataclass(eq=False, kw_only=True)
class FeeNotReversible(Refusal):
    """The entry is a transfer or a conversion, of which this unit has got the fee."""

    advice = "A transfer's fee comes back when the transfer does; that of a conversion stays."
    sentence = "entry {entry_id!r} is a fee, which is not given back by itself"
    entry_id: str


@dataclass(eq=False, kw_only=True)
class NoTierGranted(Refusal):
    """No tier is granted to the member by staff, so there is none to end."""

    advice = "Nothing is to be done: the member has what was earned."
    sentence = "no tier is granted to the member, so there is none to end"
    tier: str
    """What the member has earned; empty: no tier."""


@dataclass(eq=False, kw_only=True)
class TierBelowEarned(Refusal):
    """The member has earned a higher tier than the one that is to be given."""

    advice = "Grant a tier that is not below the one that was earned."
    sentence = "tier {tier!r} is below {earned!r}, which the member has earned"
    tier: str
    earned: str


@dataclass(eq=False, kw_only=True)
class NotForTier(Refusal):
    """Points are not spent like this by members of this tier."""

    advice = "Offer something that is for the member's tier."
    sentence = "it is for the tiers {known}, the member has {tier!r}"
    tier: str
    known: str


@dataclass(eq=False, kw_only=True)
class NotNow(Refusal):
    """Points are not spent like this at this time."""

    advice = "Offer something else; GetPolicy tells the times."
    sentence = "it is not offered at {local_time}"
    local_time: str


@dataclass(eq=False, kw_only=True)
class BelowMinimum(Refusal):
    """Fewer points than the business unit lets a member spend at once."""

    advice = "Ask for at least the minimum."
    sentence = "{requested} points are below the minimum of {minimum}"
    requested: int
    minimum: int


@dataclass(eq=False, kw_only=True)
class NotAStep(Refusal):
    """The points are not a multiple of the business unit's step."""

    advice = "Ask for a multiple of the step."
    sentence = "{requested} points are not a multiple of {step}"
    requested: int
    step: int


@dataclass(eq=False, kw_only=True)
class AboveMaximum(Refusal):
    """More points than the policy lets a member move at once."""

    advice = "Ask for at most the maximum."
    sentence = "{requested} points are above the maximum of {maximum}"
    requested: int
    maximum: int


@dataclass(eq=False, kw_only=True)
class BasketShareExceeded(Refusal):
    """Points may pay a part of the basket only, and this would be more."""

    advice = "Ask for at most so many points, and let the rest be paid with money."
    sentence = "{requested} points would pay more of the basket than the {most} that may"
    requested: int
    most: int


@dataclass(eq=False, kw_only=True)
class LimitReached(Refusal):
    """More points than the member may still move in this period."""

    advice = "Ask for at most what is left of the limit, or wait for the next period."
    sentence = "{used} of {limit} points of this {window} are used, {requested} were asked for"
    requested: int
    limit: int
    used: int
    window: str
    """local_day, local_week, local_month, local_year or lifetime."""
    whose: str = ""
    """Of a transfer: sender or receiver."""


@dataclass(eq=False, kw_only=True)
class VelocityExceeded(Refusal):
    """It would be done too often, or with too many points, within a while."""

    advice = "Wait until `free_at`; without it no wait helps. Look into it if nobody meant this."
    sentence = (
        "limit {limit!r} of {most} {what} per {per} in {window} has {used} used,"
        " {requested} more were asked for"
    )
    limit: str
    """Velocity limit of the policy."""
    per: str
    """member, client, operator or business_unit."""
    what: str
    """times or points."""
    most: int
    used: int
    requested: int
    window: str
    """local_day, local_week, local_month, or "24 hours"."""
    free_at: str = ""
    """When enough is free again (RFC 3339); empty: never, for so much."""


@dataclass(eq=False, kw_only=True)
class _MoreThan(Refusal):
    left: int
    requested: int


class MoreThanHeld(_MoreThan):
    """More was to be captured than the hold has left."""

    advice = "Capture no more than is left in the hold; burn the rest."
    sentence = "{left} points are left in the hold, {requested} were to be captured"


class MoreThanLeft(_MoreThan):
    """More was to be reversed than is left of the entry."""

    advice = "Reverse no more than is left; 0 points means all that is left."
    sentence = "{left} points of the entry are left, {requested} were to be reversed"


@dataclass(eq=False, kw_only=True)
class InsufficientPoints(Refusal):
    """Fewer points are available than were asked for."""

    advice = "Ask for no more than is available."
    sentence = "{available} {currency} are available, {requested} were asked for"
    available: int
    requested: int
    currency: str


@dataclass(eq=False, kw_only=True)
class ClawbackRefused(Refusal):
    """The document gives less now, and the points it gave are not there to be taken back."""

    advice = "Settle the missing points with the member first, then post the version again."
    sentence = "{missing} {currency} of document {document!r} cannot be taken back"
    missing: int
    currency: str
    document: str


@dataclass(eq=False, kw_only=True)
class TooManyLots(Refusal):
    """The account would have more open lots than an account may have."""

    advice = "Let points be spent or expire, or ask the programme to join the account's lots."
    sentence = "the account would have more than {limit} open lots"
    limit: int


@dataclass(eq=False, kw_only=True)
class PointsOverflow(Refusal):
    """A balance would pass what the ledger can count."""

    advice = "Check the amounts; no real balance comes near the limit."
    sentence = "the {currency} of the account would pass {limit}"
    currency: str
    limit: int


@dataclass(eq=False, kw_only=True)
class AtomicRefused(Refusal):
    """An item of an atomic batch was refused, so none was recorded."""

    advice = "Correct the item at `index`, and send the whole batch again."
    sentence = "item {index} was refused as {refused_as}, so nothing of the batch was recorded"
    index: int
    refused_as: str

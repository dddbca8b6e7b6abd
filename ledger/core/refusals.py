"""Refusals: every expected no, with the fields a caller needs to act on it.

A request with several faults is refused for the first of them in this order, top to bottom:

    who calls         UNAUTHENTICATED, PERMISSION
    form              MALFORMED
    service           NOT_SERVING, QUEUE_FULL, DEADLINE_PASSED
    asked before      REQUEST_CONFLICT, DOCUMENT_CONFLICT, HOLD_EXISTS
    policy            POLICY_INVALID, POLICY_EXISTS, RETROACTIVE_POLICY, UNKNOWN_POLICY, NO_POLICY
    words             UNKNOWN_BUSINESS_UNIT, UNKNOWN_CURRENCY, UNKNOWN_CATEGORY, FOREIGN_CURRENCY,
                      OCCURRED_IN_FUTURE
    whose             UNKNOWN_MEMBER, ALREADY_ENROLLED, IDENTITY_TAKEN, DOCUMENT_OF_ANOTHER_MEMBER
    what              UNKNOWN_HOLD, HOLD_RESOLVED, UNKNOWN_ENTRY, NOT_REVERSIBLE
    how many          BELOW_MINIMUM, NOT_A_STEP, MORE_THAN_HELD, MORE_THAN_LEFT,
                      INSUFFICIENT_POINTS, TOO_MANY_LOTS, POINTS_OVERFLOW
    together          ATOMIC_REFUSED

A class's docstring is the meaning and `advice` what the caller should do; docs/refusals.md is
generated from both. Only the object's own unit may learn that it exists, so an act on another
unit's hold or burn is refused as unknown.
"""

import re
from dataclasses import dataclass
from dataclasses import fields as dataclass_fields
from typing import ClassVar, Final

_ASK_AGAIN: Final = (
    "Send the same request again after a short wait; its request_id makes that safe."
)
_MEND: Final = "Correct the named field and send it again."


@dataclass(eq=False, kw_only=True)
class Refusal(Exception):
    """An expected no. `str()` of it is one English sentence."""

    reason: ClassVar[str]
    """The class's name in UPPER_SNAKE."""
    advice: ClassVar[str]
    sentence: ClassVar[str]

    def __init_subclass__(cls) -> None:
        if not cls.__name__.startswith("_"):
            cls.reason = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).upper()

    @property
    def fields(self) -> dict[str, str | int]:
        """What the caller needs to act on it, by name; what is not known is left out."""
        given = {item.name: getattr(self, item.name) for item in dataclass_fields(self)}
        return {name: value for name, value in given.items() if value != ""}

    def __str__(self) -> str:
        return self.sentence.format_map(vars(self))


class Unauthenticated(Refusal):
    """The call carries no token, or one that is not known."""

    advice = "Send a valid token as `authorization: Bearer …`."
    sentence = "the call carries no token that is known here"


@dataclass(eq=False, kw_only=True)
class Permission(Refusal):
    """The token does not allow this verb in this business unit."""

    advice = "Use a token that names the business unit and the verb."
    sentence = "this token may not {verb} for business unit {business_unit!r}"
    verb: str
    business_unit: str


@dataclass(eq=False, kw_only=True)
class Malformed(Refusal):
    """A field has a value that no request may have."""

    advice = _MEND
    sentence = "{field} is {value!r}, expected {expected}"
    field: str
    value: str | int
    expected: str


@dataclass(eq=False, kw_only=True)
class NotServing(Refusal):
    """The service cannot record at the moment; nothing was recorded."""

    advice = _ASK_AGAIN
    sentence = "the ledger does not take requests at the moment: {cause}"
    cause: str


@dataclass(eq=False, kw_only=True)
class QueueFull(Refusal):
    """More requests are waiting than the service accepts; nothing was recorded."""

    advice = _ASK_AGAIN
    sentence = "{limit} requests are waiting already"
    limit: int


class DeadlinePassed(Refusal):
    """The caller's deadline passed while the request was waiting; nothing was recorded."""

    advice = _ASK_AGAIN
    sentence = "the deadline passed before the request was begun"


@dataclass(eq=False, kw_only=True)
class _Conflict(Refusal):
    field: str
    first: str
    now: str


class RequestConflict(_Conflict):
    """The request_id was used before for another content."""

    advice = "Use a new request_id for new content, or send the first content again."
    sentence = "this request_id was first sent with {field} {first!r}, now with {now!r}"


class DocumentConflict(_Conflict):
    """This version of the document was posted before with another content."""

    advice = "Raise the version when a document changes."
    sentence = "this document version was first posted with {field} {first!r}, now with {now!r}"


@dataclass(eq=False, kw_only=True)
class HoldExists(Refusal):
    """The business unit has used this hold id before."""

    advice = "Use a new hold_id."
    sentence = "hold {hold_id!r} exists already"
    hold_id: str


@dataclass(eq=False, kw_only=True)
class PolicyInvalid(Refusal):
    """The policy document cannot be used."""

    advice = "Correct the document; `loyalty policy check` lists what is wrong with it, with lines."
    sentence = "{where}: {problem}"
    where: str
    problem: str


@dataclass(eq=False, kw_only=True)
class PolicyExists(Refusal):
    """This version of the policy was published before with another content."""

    advice = "Raise the version of the policy document."
    sentence = "version {version} of {programme!r} was published with digest {digest}"
    programme: str
    version: int
    digest: str


@dataclass(eq=False, kw_only=True)
class RetroactivePolicy(Refusal):
    """The policy would be in force from an instant that is not in the future."""

    advice = "Set effective_from to an instant at or after the earliest one named."
    sentence = "the policy takes effect at {effective_time}, the earliest possible is {earliest}"
    effective_time: str
    earliest: str


@dataclass(eq=False, kw_only=True)
class UnknownPolicy(Refusal):
    """No such policy was published."""

    advice = "Ask for a version or digest that was published."
    sentence = "there is no policy {policy!r}"
    policy: str


@dataclass(eq=False, kw_only=True)
class NoPolicy(Refusal):
    """No policy was in force when it happened."""

    advice = "Publish a policy that is in force at that instant, or correct occurred_time."
    sentence = "no policy is in force at {occurred_time}"
    occurred_time: str


@dataclass(eq=False, kw_only=True)
class _UnknownWord(Refusal):
    advice = _MEND
    field: str
    value: str
    known: str
    """Words the policy does know, or some of them, with commas between."""


class UnknownBusinessUnit(_UnknownWord):
    """The policy has no such business unit."""

    sentence = "{field} names business unit {value!r}, expected one of {known}"


class UnknownCurrency(_UnknownWord):
    """The policy has no such point currency, or points of it cannot be spent."""

    sentence = "{field} names point currency {value!r}, expected one of {known}"


class UnknownCategory(_UnknownWord):
    """The policy has no such category."""

    sentence = "{field} names category {value!r}, expected one of {known}"


@dataclass(eq=False, kw_only=True)
class ForeignCurrency(Refusal):
    """An amount is not in the money of its document or business unit."""

    advice = "State amounts in the business unit's own money."
    sentence = "{field} is in {value!r}, expected {expected!r}"
    field: str
    value: str
    expected: str


@dataclass(eq=False, kw_only=True)
class OccurredInFuture(Refusal):
    """It is said to have happened later than now."""

    advice = "Correct the clock of the till, or leave occurred_time empty for now."
    sentence = "it is said to occur at {occurred_time}, but it is {now} here"
    occurred_time: str
    now: str


@dataclass(eq=False, kw_only=True)
class UnknownMember(Refusal):
    """Nobody is known by this id or identity."""

    advice = "Enrol the member, or link the identity, first."
    sentence = "no member is known by {member!r}"
    member: str


@dataclass(eq=False, kw_only=True)
class AlreadyEnrolled(Refusal):
    """The member has joined before."""

    advice = "Use the member that exists."
    sentence = "member {member_id} has joined already"
    member_id: str


@dataclass(eq=False, kw_only=True)
class IdentityTaken(Refusal):
    """The identity belongs to another member."""

    advice = "Check the identity; the member it belongs to is found with GetMember."
    sentence = "the {scheme!r} identity belongs to another member"
    scheme: str


@dataclass(eq=False, kw_only=True)
class DocumentOfAnotherMember(Refusal):
    """The document was posted for another member before."""

    advice = "Post the version for the document's own member."
    sentence = "document {document!r} belongs to another member"
    document: str


@dataclass(eq=False, kw_only=True)
class UnknownHold(Refusal):
    """This business unit has no such hold on this account."""

    advice = "Check hold_id and business unit."
    sentence = "there is no hold {hold_id!r}"
    hold_id: str


@dataclass(eq=False, kw_only=True)
class HoldResolved(Refusal):
    """The hold is over: captured for good, released, or timed out."""

    advice = "Nothing is held any more; burn or hold again if points are still needed."
    sentence = "hold {hold_id!r} is over: {first_outcome}"
    hold_id: str
    first_outcome: str
    """CAPTURED, RELEASED or TIMED_OUT."""
    resolved_by: str = ""
    """Entry that ended it; empty for time, which has `resolved_at` (RFC 3339) instead."""
    resolved_at: str = ""


@dataclass(eq=False, kw_only=True)
class UnknownEntry(Refusal):
    """This business unit has no such burn, capture or reversal."""

    advice = "Check the entry id and the business unit."
    sentence = "there is no entry {entry_id!r} to reverse"
    entry_id: str


@dataclass(eq=False, kw_only=True)
class NotReversible(Refusal):
    """The entry takes back a reversal; it has no opposite of its own."""

    advice = "Reverse the burn itself again."
    sentence = "entry {entry_id!r} cannot be reversed; reverse {burn_entry_id!r} instead"
    entry_id: str
    burn_entry_id: str


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


ALL_REFUSALS: Final[tuple[type[Refusal], ...]] = tuple(
    item
    for item in tuple(globals().values())
    if isinstance(item, type) and issubclass(item, Refusal) and hasattr(item, "reason")
)
"""Every reason there is."""

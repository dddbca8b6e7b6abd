"""Some of the refusals. Written by `python -m server.status`."""

from loyalty_client.errors import Refusal


class UnknownBusinessUnit(Refusal):
    """The policy has no such business unit."""

    reason = "UNKNOWN_BUSINESS_UNIT"
    field: str
    value: str
    known: str


class UnknownCurrency(Refusal):
    """The policy has no such point currency, or points of it cannot be spent."""

    reason = "UNKNOWN_CURRENCY"
    field: str
    value: str
    known: str


class UnknownCategory(Refusal):
    """The policy has no such category."""

    reason = "UNKNOWN_CATEGORY"
    field: str
    value: str
    known: str


class UnknownTier(Refusal):
    """The policy has no such tier, or it is the lowest one, which is everyone's."""

    reason = "UNKNOWN_TIER"
    field: str
    value: str
    known: str


class UnknownConversion(Refusal):
    """The policy has no such conversion."""

    reason = "UNKNOWN_CONVERSION"
    field: str
    value: str
    known: str


class UnknownReward(Refusal):
    """The business unit gives no such reward."""

    reason = "UNKNOWN_REWARD"
    field: str
    value: str
    known: str


class UnknownActivity(Refusal):
    """The policy knows no such activity."""

    reason = "UNKNOWN_ACTIVITY"
    field: str
    value: str
    known: str


class UnknownPayment(Refusal):
    """The policy lists its kinds of payment, and this is none of them."""

    reason = "UNKNOWN_PAYMENT"
    field: str
    value: str
    known: str


class UnknownReason(Refusal):
    """The policy has no such reason for adjusting points at this unit."""

    reason = "UNKNOWN_REASON"
    field: str
    value: str
    known: str


class UnknownFunder(Refusal):
    """This unit may not pay for what is given for this reason."""

    reason = "UNKNOWN_FUNDER"
    field: str
    value: str
    known: str


class UnknownAttribute(Refusal):
    """The policy in force declares no such attribute of members."""

    reason = "UNKNOWN_ATTRIBUTE"
    field: str
    value: str
    known: str


class UnknownSegment(Refusal):
    """The policy in force declares no such segment of members."""

    reason = "UNKNOWN_SEGMENT"
    field: str
    value: str
    known: str


class UnknownMetric(Refusal):
    """No tier of the policy in force counts this."""

    reason = "UNKNOWN_METRIC"
    field: str
    value: str
    known: str


class AttributeType(Refusal):
    """The value of an attribute has another type than the policy declares."""

    reason = "ATTRIBUTE_TYPE"
    field: str
    attribute: str
    expected: str


class ForeignCurrency(Refusal):
    """An amount is not in the money of its document or business unit."""

    reason = "FOREIGN_CURRENCY"
    field: str
    value: str
    expected: str


class RateMissing(Refusal):
    """A rule counts in another currency than the document's, which brings no rate for it."""

    reason = "RATE_MISSING"
    field: str
    value: str


class OccurredInFuture(Refusal):
    """It is said to have happened later than now."""

    reason = "OCCURRED_IN_FUTURE"
    occurred_time: str
    now: str


class TooLate(Refusal):
    """The document comes later than the policy lets documents come."""

    reason = "TOO_LATE"
    occurred_time: str
    limit: str


class OpeningSourceChanged(Refusal):
    """Rows of this source came in from another file."""

    reason = "OPENING_SOURCE_CHANGED"
    source: str
    first: str
    now: str


class UnknownMember(Refusal):
    """Nobody is known by this id or identity."""

    reason = "UNKNOWN_MEMBER"
    member: str


class AlreadyEnrolled(Refusal):
    """The member has joined before."""

    reason = "ALREADY_ENROLLED"
    member_id: str


class IdentityTaken(Refusal):
    """The identity belongs to another member."""

    reason = "IDENTITY_TAKEN"
    scheme: str


class DocumentOfAnotherMember(Refusal):
    """The document was posted for another member before."""

    reason = "DOCUMENT_OF_ANOTHER_MEMBER"
    document: str

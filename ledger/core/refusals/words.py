"""Refusals of words that nobody knows, of times, and of members."""

from dataclasses import dataclass

from ledger.core.refusals.base import MEND, Refusal


@dataclass(eq=False, kw_only=True)
class _UnknownWord(Refusal):
    """Its sentence names the word; what would be right is said after it."""

    advice = MEND
    field: str
    value: str
    known: str
    """Words the policy does know, or some of them, with commas between; empty: none."""

    def __str__(self) -> str:
        rest = f"expected one of {self.known}" if self.known else "but the policy has none"
        return f"{super().__str__()}, {rest}"


class UnknownBusinessUnit(_UnknownWord):
    """The policy has no such business unit."""

    sentence = "{field} names business unit {value!r}"


class UnknownCurrency(_UnknownWord):
    """The policy has no such point currency, or points of it cannot be spent."""

    sentence = "{field} names point currency {value!r}"


class UnknownCategory(_UnknownWord):
    """The policy has no such category."""

    sentence = "{field} names category {value!r}"


class UnknownTier(_UnknownWord):
    """The policy has no such tier, or it is the lowest one, which is everyone's."""

    sentence = "{field} names tier {value!r}"


class UnknownConversion(_UnknownWord):
    """The policy has no such conversion."""

    sentence = "{field} names conversion {value!r}"


class UnknownReward(_UnknownWord):
    """The business unit gives no such reward."""

    sentence = "{field} names reward {value!r}"


class UnknownActivity(_UnknownWord):
    """The policy knows no such activity."""

    sentence = "{field} names activity {value!r}"


class UnknownPayment(_UnknownWord):
    """The policy lists its kinds of payment, and this is none of them."""

    sentence = "{field} names payment {value!r}"


class UnknownReason(_UnknownWord):
    """The policy has no such reason for adjusting points at this unit."""

    sentence = "{field} names reason {value!r}"


class UnknownFunder(_UnknownWord):
    """This unit may not pay for what is given for this reason."""

    sentence = "{field} names {value!r}"


class UnknownAttribute(_UnknownWord):
    """The policy in force declares no such attribute of members."""

    sentence = "{field} names attribute {value!r}"


class UnknownSegment(_UnknownWord):
    """The policy in force declares no such segment of members."""

    sentence = "{field} names segment {value!r}"


@dataclass(eq=False, kw_only=True)
class UnknownMetric(Refusal):
    """No tier of the policy in force counts this."""

    advice = MEND
    sentence = "{field} names metric {value!r}, expected one of {known}"
    field: str
    value: str
    known: str


@dataclass(eq=False, kw_only=True)
class AttributeType(Refusal):
    """The value of an attribute has another type than the policy declares."""

    advice = MEND
    sentence = "{field}: attribute {attribute!r} is declared as {expected}"
    field: str
    attribute: str
    expected: str


@dataclass(eq=False, kw_only=True)
class ForeignCurrency(Refusal):
    """An amount is not in the money of its document or business unit."""

    advice = "State amounts in the business unit's own money."
    sentence = "{field} is in {value!r}, expected {expected!r}"
    field: str
    value: str
    expected: str


@dataclass(eq=False, kw_only=True)
class RateMissing(Refusal):
    """A rule counts in another currency than the document's, which brings no rate for it."""

    advice = "Add the exchange rate of that day to the document."
    sentence = "{field} has no rate for {value!r}, expected the rate of the document's day"
    field: str
    value: str


@dataclass(eq=False, kw_only=True)
class OccurredInFuture(Refusal):
    """It is said to have happened later than now."""

    advice = "Correct the clock of the till, or leave occurred_time empty for now."
    sentence = "it is said to occur at {occurred_time}, but it is {now} here"
    occurred_time: str
    now: str


@dataclass(eq=False, kw_only=True)
class TooLate(Refusal):
    """The document comes later than the policy lets documents come."""

    advice = "Correct occurred_time; for an old document ask the programme for an adjustment."
    sentence = "it occurred at {occurred_time}, only documents since {limit} are taken"
    occurred_time: str
    limit: str


@dataclass(eq=False, kw_only=True)
class OpeningSourceChanged(Refusal):
    """Rows of this source came in from another file."""

    advice = "Use the file that was begun with; a corrected one is a source of another name."
    sentence = "source {source!r} is the file with digest {first}, this one has {now}"
    source: str
    first: str
    now: str


@dataclass(eq=False, kw_only=True)
class UnknownMember(Refusal):
    """Nobody is known by this id or identity."""

    advice = "Enrol the member, or link the identity, first."
    sentence = "no member is known by {member}"
    member: str


def unknown_identity(scheme: str) -> UnknownMember:
    """Refuse an identity that nobody has; its value is not repeated."""
    return UnknownMember(member=f"this identity of scheme {scheme}")


@dataclass(eq=False, kw_only=True)
class AlreadyEnrolled(Refusal):
    """The member has joined before."""

    advice = "Use the member that exists."
    sentence = "member {member_id} has joined already"
    member_id: str


@dataclass(eq=False, kw_only=True)
class IdentityTaken(Refusal):
    """The identity belongs to another member."""

    advice = "Check it; to get the member it belongs to, call GetMember, or enrol with or_existing."
    sentence = "the {scheme!r} identity belongs to another member"
    scheme: str


@dataclass(eq=False, kw_only=True)
class DocumentOfAnotherMember(Refusal):
    """The document was posted for another member before."""

    advice = "Name the document's own member or none; set `move` if it shall be this one's."
    sentence = "document {document!r} belongs to another member"
    document: str

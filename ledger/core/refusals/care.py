"""Refusals of the care of members: joining, consents, referrals, erasure, opening balances."""

from dataclasses import dataclass

from ledger.core.refusals.base import MEND, Refusal


@dataclass(eq=False, kw_only=True)
class IdentitiesDiffer(Refusal):
    """The identities of one enrolment belong to two members or more."""

    advice = "Ask which of them is the customer's; two accounts of one person can be merged."
    sentence = "the identities of schemes {schemes} belong to different members"
    schemes: str


@dataclass(eq=False, kw_only=True)
class AccountErased(Refusal):
    """The member was erased: the account is nobody's, and only old things of it are corrected."""

    advice = "Do without the member; a document of theirs is corrected by not naming anybody."
    sentence = "member {member_id} was erased at {since}"
    member_id: str
    since: str
    """RFC 3339."""


@dataclass(eq=False, kw_only=True)
class NotErased(Refusal):
    """No member with this id was erased."""

    advice = "Check the id: the certificate has it. Identities do not lead to who was erased."
    sentence = "no member {member_id!r} was erased"
    member_id: str


@dataclass(eq=False, kw_only=True)
class NoReferrals(Refusal):
    """The policy in force says nothing of members who bring others."""

    advice = "Publish a policy with `referrals`."
    sentence = "policy version {version} gives nothing for bringing a member"
    version: int


@dataclass(eq=False, kw_only=True)
class SelfReferral(Refusal):
    """The two are one member, of one household, or brought each other."""

    advice = "Name the member who really brought this one."
    sentence = "a member is not brought by {why}"
    why: str


@dataclass(eq=False, kw_only=True)
class AlreadyReferred(Refusal):
    """It was told before who brought the member."""

    advice = "Nothing: a member is brought once, and the first word stands."
    sentence = "the member has been brought before, by referral {referral_id}"
    referral_id: str


@dataclass(eq=False, kw_only=True)
class ReferralTooLate(Refusal):
    """The member joined too long ago for it to be told who brought them."""

    advice = "Tell it sooner after the enrolment; for this one ask the programme for an adjustment."
    sentence = "the member joined at {enrolled_time}, it could be told until {limit}"
    enrolled_time: str
    limit: str


@dataclass(eq=False, kw_only=True)
class OpeningConflict(Refusal):
    """This row of this source came in before with other content."""

    advice = "Keep the row as it came in, or bring the new one in as a source of another name."
    sentence = "the row came in before: {field} was {first!r}, now it is {now!r}"
    field: str
    first: str
    now: str


@dataclass(eq=False, kw_only=True)
class OpeningSourceChanged(Refusal):
    """Rows of this source came in from another file."""

    advice = "Use the file that was begun with; a corrected one is a source of another name."
    sentence = "source {source!r} is the file with digest {first}, this one has {now}"
    source: str
    first: str
    now: str


@dataclass(eq=False, kw_only=True)
class UnknownMetric(Refusal):
    """No tier of the policy in force counts this."""

    advice = MEND
    sentence = "{field} names metric {value!r}, expected one of {known}"
    field: str
    value: str
    known: str


@dataclass(eq=False, kw_only=True)
class TooManyConsents(Refusal):
    """The member has consents for as many purposes and channels as are remembered."""

    advice = "Use fewer purposes; withdrawing is always possible."
    sentence = "the member has consents for {limit} purposes and channels already"
    limit: int

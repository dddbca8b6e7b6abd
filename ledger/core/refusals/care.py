"""Refusals of the care of members: joining, consents, referrals, certificates of erasures."""

from dataclasses import dataclass

from ledger.core.refusals.base import Refusal


@dataclass(eq=False, kw_only=True)
class IdentitiesDiffer(Refusal):
    """The identities of one enrolment belong to two members or more."""

    advice = "Ask which of them is the customer's; two accounts of one person can be merged."
    sentence = "the identities of schemes {schemes} belong to different members"
    schemes: str


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
class TooManyConsents(Refusal):
    """The member has consents for as many purposes and channels as are remembered."""

    advice = "Use fewer purposes; withdrawing is always possible."
    sentence = "the member has consents for {limit} purposes and channels already"
    limit: int

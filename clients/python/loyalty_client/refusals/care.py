"""Some of the refusals. Written by `python -m server.status`."""

from loyalty_client.errors import Refusal


class IdentitiesDiffer(Refusal):
    """The identities of one enrolment belong to two members or more."""

    reason = "IDENTITIES_DIFFER"
    schemes: str


class NotErased(Refusal):
    """No member with this id was erased."""

    reason = "NOT_ERASED"
    member_id: str


class NoReferrals(Refusal):
    """The policy in force says nothing of members who bring others."""

    reason = "NO_REFERRALS"
    version: int


class SelfReferral(Refusal):
    """The two are one member, of one household, or brought each other."""

    reason = "SELF_REFERRAL"
    why: str


class AlreadyReferred(Refusal):
    """It was told before who brought the member."""

    reason = "ALREADY_REFERRED"
    referral_id: str


class ReferralTooLate(Refusal):
    """The member joined too long ago for it to be told who brought them."""

    reason = "REFERRAL_TOO_LATE"
    enrolled_time: str
    limit: str


class TooManyConsents(Refusal):
    """The member has consents for as many purposes and channels as are remembered."""

    reason = "TOO_MANY_CONSENTS"
    limit: int

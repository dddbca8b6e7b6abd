"""Refusals of the care of members: joining, consents, referrals, erasure, opening balances."""

from dataclasses import dataclass

from ledger.core.refusals.base import Refusal


@dataclass(eq=False, kw_only=True)
class IdentitiesDiffer(Refusal):
    """The identities of one enrolment belong to two members or more."""

    advice = "Ask which of them is the customer's; two accounts of one person can be merged."
    sentence = "the identities of schemes {schemes} belong to different members"
    schemes: str


@dataclass(eq=False, kw_only=True)
class TooManyConsents(Refusal):
    """The member has consents for as many purposes and channels as are remembered."""

    advice = "Use fewer purposes; withdrawing is always possible."
    sentence = "the member has consents for {limit} purposes and channels already"
    limit: int

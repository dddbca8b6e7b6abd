"""The command that tells who brought a member."""

from dataclasses import dataclass

from ledger.core.instant import Instant


@dataclass(frozen=True, slots=True)
class CreateReferral:
    """Tell who brought the member."""

    referral_id: str
    business_unit: str
    referrer: str
    """Account of who brought the member."""
    reward_unit: str
    policy_digest: str
    occurred_at: Instant

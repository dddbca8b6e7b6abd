"""Referrals: each member is brought once."""

from ledger.core.commands import CreateReferral
from ledger.core.decision import Draft
from ledger.core.instant import to_timestamp
from ledger.core.refusals import AlreadyReferred
from loyalty.v1.events_pb2 import ReferralCreated


def refer(draft: Draft, command: CreateReferral) -> None:
    """Record who brought the member. Raises AlreadyReferred."""
    known = draft.tally.care.referral
    if known is not None:
        raise AlreadyReferred(referral_id=known.referral_id)
    draft.record(
        ReferralCreated(
            referral_id=command.referral_id,
            business_unit=command.business_unit,
            referrer_id=command.referrer,
            reward_unit=command.reward_unit,
            policy_digest=command.policy_digest,
            referral_time=to_timestamp(command.occurred_at),
        )
    )

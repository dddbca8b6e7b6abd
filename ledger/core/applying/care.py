"""Facts about the care of members."""

from ledger.core.care import Consent, Referral, with_consent
from ledger.core.instant import from_timestamp
from ledger.core.lots import CorruptHistory
from ledger.core.membership import Membership
from ledger.core.tally import Tally
from loyalty.v1.events_pb2 import (
    ConsentChanged,
    MemberErased,
    ReferralCauseChanged,
    ReferralCreated,
)
from loyalty.v1.types_pb2 import (
    CONSENT_STATE_GRANTED,
    ERASED_BALANCE_FORFEITED,
    MEMBERSHIP_STATE_CLOSED,
)


def change_consent(tally: Tally, event: ConsentChanged) -> None:
    """Remember what the member said last."""
    told = Consent(
        event.purpose,
        event.channel,
        event.state == CONSENT_STATE_GRANTED,
        event.wording_version,
        event.source,
        event.business_unit,
        from_timestamp(event.change_time),
    )
    tally.care = tally.care._replace(consents=with_consent(tally.care.consents, told))


def bring(tally: Tally, event: ReferralCreated) -> None:
    """Remember who brought the member."""
    referral = Referral(
        event.referral_id,
        event.referrer_id,
        event.reward_unit,
        from_timestamp(event.referral_time),
        event.policy_digest,
    )
    tally.care = tally.care._replace(referral=referral)


def change_cause(tally: Tally, event: ReferralCauseChanged) -> None:
    """Remember which purchase counts for who brought the member."""
    referral = tally.care.referral
    if referral is None or referral.referral_id != event.referral_id:
        raise CorruptHistory(f"there is no referral {event.referral_id}")
    changed = referral._replace(
        cause=event.document,
        counts=event.counts,
        version=event.reward_version or referral.version,
    )
    tally.care = tally.care._replace(referral=changed)


def erase(tally: Tally, event: MemberErased) -> None:
    """Let the account be nobody's. Forfeited, it is closed: what comes back expires."""
    at = from_timestamp(event.erase_time)
    tally.identities = ()
    tally.care = tally.care._replace(consents=(), erased_at=at)
    if event.balance == ERASED_BALANCE_FORFEITED:
        tally.membership = Membership(MEMBERSHIP_STATE_CLOSED, at)

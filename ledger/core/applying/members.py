"""Facts about who a member is, and which tier they have."""

from typing import Final

from ledger.core.instant import from_timestamp
from ledger.core.membership import Membership
from ledger.core.standing import BASIS_NAME, kept_spans
from ledger.core.state import OWN, TierSpan
from ledger.core.tally import Tally
from loyalty.v1.events_pb2 import (
    TIER_CAUSE_GRANT_ENDED,
    TIER_CAUSE_GRANTED,
    IdentityLinked,
    IdentityUnlinked,
    MemberEnrolled,
    MemberProfileChanged,
    MembershipChanged,
    TierChanged,
)

SEGMENTS: Final = "segments"
"""How `MemberProfileChanged` names that the segments changed."""


def enrol(tally: Tally, event: MemberEnrolled) -> None:
    """Open the account."""
    tally.business_unit = event.business_unit
    tally.enrolled_at = from_timestamp(event.enrol_time)


def link(tally: Tally, event: IdentityLinked) -> None:
    """Add an identity."""
    tally.identities = (*tally.identities, (event.identity_id, event.scheme))


def unlink(tally: Tally, event: IdentityUnlinked) -> None:
    """Take an identity away."""
    tally.identities = tuple(each for each in tally.identities if each[0] != event.identity_id)


def change_profile(tally: Tally, event: MemberProfileChanged) -> None:
    """Remember when the segments changed: what lives by them is looked at again."""
    if SEGMENTS in event.changed:
        tally.segments_since = from_timestamp(event.change_time)


def change_membership(tally: Tally, event: MembershipChanged) -> None:
    """Suspend, close or reopen."""
    tally.membership = Membership(event.state, from_timestamp(event.change_time))


def change_tier(tally: Tally, event: TierChanged) -> None:
    """Let a tier begin."""
    ends = event.HasField("valid_until_time")
    review = event.HasField("review_time")
    span = TierSpan(
        event.to_tier,
        from_timestamp(event.effective_time),
        from_timestamp(event.valid_until_time) if ends else None,
        from_timestamp(event.review_time) if review else None,
        BASIS_NAME[event.basis],
        event.tier_window,
    )
    tally.tiers = kept_spans((*tally.tiers, span))
    if tally.parts and event.cause in (TIER_CAUSE_GRANTED, TIER_CAUSE_GRANT_ENDED):
        # What staff give stays when accounts that were merged into this one leave it.
        own, counting = tally.parts[OWN]
        tally.parts[OWN] = (own._replace(tiers=(span,)), counting)

"""Facts about who a member is, and which tier they have."""

from typing import Final

from ledger.core.instant import Instant, from_timestamp
from ledger.core.membership import Membership
from ledger.core.standing import BASIS_NAME, end_granted, kept_spans
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
    ends = "valid_until_time" in event
    review = "review_time" in event
    span = TierSpan(
        event.to_tier,
        from_timestamp(event.effective_time),
        from_timestamp(event.valid_until_time) if ends else None,
        from_timestamp(event.review_time) if review else None,
        BASIS_NAME[event.basis],
        event.tier_window,
    )
    if event.granting_unit and event.cause == TIER_CAUSE_GRANT_ENDED:
        _end_granted(tally, span.from_at)
        if tally.tiers and span == tally.tiers[-1]._replace(from_at=span.from_at):
            # A higher tier covered what ends, and goes on.
            return
    tiers = (*tally.tiers, span)
    if event.HasField("beneath"):
        tiers = (*tally.tiers, beneath_of(event, span.from_at), span)
    tally.tiers = kept_spans(tiers)
    if tally.parts and event.cause == TIER_CAUSE_GRANTED:
        # What staff give stays when accounts that were merged into this one leave it.
        own, counting = tally.parts[OWN]
        kept = kept_spans((*own.tiers, span))
        tally.parts[OWN] = (own._replace(tiers=kept), counting)


def beneath_of(event: TierChanged, at: Instant) -> TierSpan:
    """What a refund has left beneath a tier that staff gave."""
    beneath = event.beneath
    ends = beneath.HasField("until_time")
    return TierSpan(
        beneath.tier,
        at,
        from_timestamp(beneath.until_time) if ends else None,
        None,
        BASIS_NAME[beneath.basis],
        beneath.tier_window,
    )


def _end_granted(tally: Tally, at: Instant) -> None:
    """Staff end all that they gave, covered by a higher tier or not."""
    tally.tiers = end_granted(tally.tiers, at)
    for owner, (part, counting) in tally.parts.items():
        tally.parts[owner] = (part._replace(tiers=end_granted(part.tiers, at)), counting)

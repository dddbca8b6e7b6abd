"""Which versions of documents count for a referral: asked when they are posted, and proven."""

from collections.abc import Callable
from typing import Final

import rules
from ledger.core.care import Referral
from ledger.evaluation import facts_of, pinned_instant, pins_of
from loyalty.v1.events_pb2 import DocumentPosted
from loyalty.v1.types_pb2 import DOCUMENT_KIND_ACTIVITY, DOCUMENT_STATUS_FINAL

REWARD_SOURCE: Final = "referral"
"""Source of the documents by which who brought a member is rewarded; no other write may use it."""
REWARD_CHANNEL: Final = "referral"


def counts(
    referral: Referral, posted: DocumentPosted, policy_of: Callable[[str], rules.Policy]
) -> bool:
    """Whether a version is a purchase that counts, by what stands in it and in the policies."""
    document, pins = posted.document, posted.pins
    if document.status != DOCUMENT_STATUS_FINAL or document.kind == DOCUMENT_KIND_ACTIVITY:
        return False
    terms = policy_of(referral.policy_digest).model.referrals
    assert terms is not None, "a referral is told under a policy that has them"
    at = pinned_instant(pins.local_time)
    return rules.counts_for_referral(
        terms,
        policy_of(pins.policy_digest),
        facts_of(document, posted.origin, at),
        pins_of(pins),
        told_at=referral.told_at,
    )

"""Which purchases count for a referral. Pure, so that whoever verifies asks the same again."""

from math import ceil

from rules.facts import DocumentFacts, Instant, Pins
from rules.model import Referrals
from rules.policy import Policy
from rules.splitting import basket_of
from rules.zones import DAY


def told_in_time(terms: Referrals, *, enrolled_at: Instant, at: Instant) -> bool:
    """Say whether it may still be said who brought a member."""
    return at <= enrolled_at + terms.within_days * DAY


def counts_for_referral(
    terms: Referrals, policy: Policy, document: DocumentFacts, pins: Pins, *, told_at: Instant
) -> bool:
    """Say whether a document is a purchase that counts, told of at an instant.

    `policy` and `pins` are the document's own: what of it is eligible, they say. `terms` are those
    under which the referral was told.
    """
    if document.status != "FINAL" or document.activity:
        return False
    days = terms.purchase_days
    if days is not None and document.occurred_at > told_at + days * DAY:
        return False
    least = _least(terms, document.currency_code)
    return least is not None and basket_of(policy, document, pins) >= least


def _least(terms: Referrals, currency_code: str) -> int | None:
    """The least basket in minor units that counts; None: none in this money does."""
    if not terms.minimums:
        return 1
    for amount in terms.minimums:
        if amount.currency_code in (None, currency_code):
            return max(1, ceil(amount.minor(currency_code)))
    return None

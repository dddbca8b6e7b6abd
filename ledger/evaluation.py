"""From the contract's documents to the rules' facts and back: one place, for posting and proving.

The writer asks the rules when a document is posted; the verifier asks them again with what was
stored. Both go through `award`, so a stored award can be compared with itself.
"""

from datetime import datetime
from functools import lru_cache
from typing import Final

import rules
from ledger.core.instant import Instant, from_datetime
from ledger.policies import refusal_of
from loyalty.v1.types_pb2 import Document, Origin
from loyalty.v1.types_pb2 import Pins as PinsMessage

_KINDS: Final = ("", "SALE", "ORDER", "STAY", "FOLIO")
_STATUSES: Final = ("", "PENDING", "FINAL", "CANCELLED")


def facts_of(document: Document, origin: Origin, occurred_at: Instant) -> rules.DocumentFacts:
    """What the rules may look at of a document."""
    lines = [
        rules.LineFacts(
            line.line_id,
            line.category,
            rules.parse_quantity(line.quantity or "1"),
            line.net_minor_units,
            line.paid_with_points_minor_units,
        )
        for line in document.lines
    ]
    stay = document.stay
    return rules.DocumentFacts(
        origin.business_unit,
        origin.channel,
        origin.store,
        _KINDS[document.kind],
        _STATUSES[document.status],
        document.currency_code,
        occurred_at,
        tuple(lines),
        stay.nights,
        stay.stays,
    )


def award(
    policy: rules.Policy,
    facts: rules.DocumentFacts,
    *,
    tier: str,
    pins: rules.Pins | None = None,
) -> rules.Award:
    """Evaluate a document for a member of a tier, or under pins. Raises the ledger's refusals."""
    member = rules.MemberFacts(tier=tier or None)
    try:
        return rules.evaluate(policy, facts, member, pins)
    except rules.RulesRefusal as refused:
        raise refusal_of(refused) from None


def pins_message(pins: rules.Pins) -> PinsMessage:
    """Pins as they are stored."""
    return PinsMessage(
        policy_digest=pins.policy_digest,
        tier=pins.tier or "",
        local_time=pins.local_time,
        business_day=pins.business_day,
        tier_window=pins.tier_window,
        predicates=pins.predicates,
    )


def pins_of(message: PinsMessage) -> rules.Pins:
    """Pins as the rules take them."""
    return rules.Pins(
        message.policy_digest,
        message.tier or None,
        message.local_time,
        message.business_day,
        message.tier_window,
        tuple(message.predicates),
    )


@lru_cache(maxsize=4096)
def pinned_instant(local_time: str) -> Instant:
    """The instant of a pinned local time, which carries its offset."""
    return from_datetime(datetime.fromisoformat(local_time))

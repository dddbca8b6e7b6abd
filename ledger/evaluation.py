"""From the contract's documents to the rules' facts and back: one place, for posting and proving.

The writer asks the rules when a document is posted; the verifier asks them again with what was
stored. Both go through `award`, so a stored award can be compared with itself.
"""

from collections.abc import Iterable
from datetime import datetime
from fractions import Fraction
from functools import lru_cache
from typing import Final

import rules
from ledger.core.commands import NO_COUNTS, Counts, Numbered, RefundTerms, Use
from ledger.core.instant import Instant, from_datetime, from_timestamp, write_timestamp
from ledger.core.state import Account
from ledger.core.usage import METRIC
from ledger.policies import refusal_of
from ledger.profile import Profile
from ledger.room import scope_of
from loyalty.v1.types_pb2 import Document, DocumentLine, ExchangeRate, Origin
from loyalty.v1.types_pb2 import Pins as PinsMessage

_KINDS: Final = ("", "SALE", "ORDER", "STAY", "FOLIO", "ACTIVITY")
_STATUSES: Final = ("", "PENDING", "FINAL", "CANCELLED")
_PARTS: Final = ("", "tax", "discount", "shipping", "service_charge")


def facts_of(
    document: Document,
    origin: Origin,
    occurred_at: Instant,
    rates: Iterable[ExchangeRate] | None = None,
) -> rules.DocumentFacts:
    """What the rules may look at of a document; `rates` are its own unless others are given."""
    nights = stays = 0
    if document.HasField("stay"):
        nights, stays = document.stay.nights, document.stay.stays
    return rules.DocumentFacts(
        origin.business_unit,
        origin.channel,
        origin.store,
        _KINDS[document.kind],
        _STATUSES[document.status],
        document.currency_code,
        occurred_at,
        tuple([_line_of(line) for line in document.lines]),
        nights,
        stays,
        document.activity,
        tuple([(payment.kind, payment.minor_units) for payment in document.payments]),
        tuple(document.coupons),
        _rates_of(document.exchange_rates if rates is None else rates),
    )


def _line_of(line: DocumentLine) -> rules.LineFacts:
    parts = line.parts
    return rules.LineFacts(
        line.line_id,
        line.category,
        rules.parse_quantity(line.quantity or "1"),
        line.net_minor_units,
        line.paid_with_points_minor_units,
        line.brand,
        line.sku,
        tuple([(_PARTS[part.kind], part.minor_units) for part in parts]) if parts else (),
    )


def _rates_of(rates: Iterable[ExchangeRate]) -> tuple[tuple[str, Fraction], ...]:
    return tuple([(rate.currency_code, _rate(rate.rate)) for rate in rates])


@lru_cache(maxsize=1024)
def _rate(text: str) -> Fraction:
    return Fraction(text)


def member_facts(
    account: Account, profile: Profile, *, at: Instant, claimed_at: Instant | None = None
) -> rules.MemberFacts:
    """What the rules may look at of a member, as known now, about an instant."""
    return rules.MemberFacts(
        account.tier_at(at) or None,
        profile.attributes,
        profile.segments,
        profile.birthday,
        account.enrolled_at,
        account.account_id,
        claimed_at,
    )


def award(
    policy: rules.Policy,
    facts: rules.DocumentFacts,
    *,
    member: rules.MemberFacts,
    pins: rules.Pins | None = None,
    room: rules.Room = rules.FREE,
    standing: rules.Standing | None = None,
) -> rules.Award:
    """Evaluate a document for a member, or under pins. Raises the ledger's refusals.

    With a standing the document may reach a tier, and earn by it if the policy says so. A booking
    is evaluated as it would be as final; it reaches nothing, for it counts for nothing yet.
    """
    try:
        if standing is not None and facts.status != "CANCELLED":
            return rules.evaluate_upgrading(policy, facts, member, standing=standing, room=room)
        return rules.evaluate(policy, facts, member, pins, room)
    except rules.RulesRefusal as refused:
        raise refusal_of(refused) from None


def counts_of(given: rules.Award, *, household: str) -> Counts:
    """What an award counts for besides points, as the core posts it."""
    if not (given.uses or given.numbers or given.metrics or given.benefits):
        return NO_COUNTS
    uses = [
        Use(cap.name, scope_of(cap.per, household), cap.period, others, points)
        for cap, others, points in given.uses
    ]
    uses += [
        Use(METRIC + name, scope, window, 0, amount)
        for name, scope, window, amount in given.metrics
    ]
    numbers = [
        Numbered(
            counter.counter,
            counter.period,
            counter.day,
            number,
            counter.kind == "streak",
            counter.by_day,
        )
        for counter, number in given.numbers
    ]
    return Counts(uses, numbers, given.benefits)


@lru_cache(maxsize=256)
def refund_terms(policy: rules.Policy, tier: str) -> RefundTerms:
    """What a policy says of points to be taken back from a member of a tier."""
    refunds = policy.model.refunds
    others = next((limit.points for limit in refunds.limits if not limit.tier), None)
    limit = next((limit.points for limit in refunds.limits if tier in limit.tier), others)
    return RefundTerms(
        refunds.reach == "any_lot",
        refunds.when_spent,
        refunds.write_off_to or "",
        limit,
        refunds.over_limit,
        refunds.tier == "keep",
    )


def cap_limit(policy: rules.Policy, name: str) -> int:
    """Points of a cap by the name under which it is counted; 0 for one the policy has not."""
    return _cap_limits(policy).get(name, 0)


@lru_cache(maxsize=64)
def _cap_limits(policy: rules.Policy) -> dict[str, int]:
    limits = {f"cap/{cap.id}": cap.points for cap in policy.model.caps}
    for rule in policy.model.earn:
        if rule.kind != "grant":
            for number, cap in enumerate(rule.caps, 1):
                limits[f"cap/{rule.id}.{number}"] = cap.points
    return limits


def pins_message(pins: rules.Pins, rates: Iterable[ExchangeRate]) -> PinsMessage:
    """Pins as they are stored; `rates` are the document's, of which the pinned ones are kept."""
    # Field by field: arguments by name cost protobuf twice as much.
    message = PinsMessage()
    message.policy_digest = pins.policy_digest
    message.local_time = pins.local_time
    message.business_day = pins.business_day
    message.tier_window = pins.tier_window
    if pins.tier:
        message.tier = pins.tier
    if pins.predicates:
        message.predicates.extend(pins.predicates)
    if pins.member_since:
        message.member_since = pins.member_since
    if pins.claimed_at is not None:
        write_timestamp(message.claim_time, pins.claimed_at)
    if pins.rates:
        pinned = dict(pins.rates)
        message.exchange_rates.extend(rate for rate in rates if rate.currency_code in pinned)
    return message


def document_pins(pins: rules.Pins, rates: Iterable[ExchangeRate]) -> PinsMessage:
    """The document's side of pins, for one that is nobody's yet."""
    return pins_message(pins._replace(tier="", predicates=(), member_since=""), rates)


def pins_of(message: PinsMessage) -> rules.Pins:
    """Pins as the rules take them."""
    return rules.Pins(
        message.policy_digest,
        message.tier or None,
        message.local_time,
        message.business_day,
        message.tier_window,
        tuple(message.predicates),
        message.member_since,
        _rates_of(message.exchange_rates),
        claim_of(message),
    )


def claim_of(message: PinsMessage) -> Instant | None:
    """When a document was claimed, where its pins say so."""
    return from_timestamp(message.claim_time) if message.HasField("claim_time") else None


@lru_cache(maxsize=4096)
def pinned_instant(local_time: str) -> Instant:
    """The instant of a pinned local time, which carries its offset."""
    return from_datetime(datetime.fromisoformat(local_time))

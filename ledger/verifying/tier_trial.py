"""Tiers asked again: the ladder of the policy that a change names must still give that tier."""

from typing import Final

import rules
from ledger.core.applying.members import beneath_of
from ledger.core.commands import Occasion
from ledger.core.instant import Instant, from_timestamp, to_datetime
from ledger.core.standing import BASIS_NAME
from ledger.core.state import Account, TierSpan
from ledger.ladders import verdict
from loyalty.v1.events_pb2 import (
    TIER_BASIS_UNSPECIFIED,
    TIER_CAUSE_GRANT_ENDED,
    TIER_CAUSE_GRANTED,
    TIER_CAUSE_PERIOD_ENDED,
    TIER_CAUSE_REFUNDED,
    TierChanged,
)

Answer = tuple[str, str, Instant | None, Instant | None, TierSpan | None]
"""(tier, basis, valid until, asked again, beneath)"""
_NAMES: Final = ("to_tier", "basis", "valid_until_time", "review_time", "beneath")


def wrong_tier(policy: rules.Policy, account: Account, fact: TierChanged) -> str:
    """How the ladder's answer differs from what is stored; empty when it does not.

    `account` is as it was before the change. What staff gave is only looked up, and what is older
    than the basis of tiers was answered by another ladder: it is not asked.
    """
    if fact.basis == TIER_BASIS_UNSPECIFIED:
        return ""
    if fact.from_tier != account.tier:
        return f"from_tier is {fact.from_tier!r}, the account has {account.tier!r}"
    if fact.cause == TIER_CAUSE_GRANTED:
        known = rules.tier_ranks(policy)
        return "" if fact.to_tier in known else f"the policy has no tier {fact.to_tier!r}"
    at = from_timestamp(fact.effective_time)
    answer = verdict(policy, account, at, _occasion(fact))
    if answer is None:
        return f"to_tier is {fact.to_tier!r}, the policy has no ladder"
    ends: tuple[Instant | None, Instant | None] = (answer.valid_until, answer.review_at)
    if fact.cause == TIER_CAUSE_PERIOD_ENDED and any(end and end <= at for end in ends):
        # What would end as it begins was recorded without an end.
        ends = (None, None)
    again: Answer = (answer.tier, answer.basis, *ends, answer.beneath)
    for name, stored, given in zip(_NAMES, _stored(fact), again, strict=True):
        if stored != given:
            return f"{name} is {_shown(stored)}, the ladder gives {_shown(given)}"
    return ""


def _occasion(fact: TierChanged) -> Occasion:
    if fact.cause == TIER_CAUSE_REFUNDED:
        return "refunded"
    # Without an entry it was time that ended what staff gave, and the ladder sees that by itself.
    ended = fact.cause == TIER_CAUSE_GRANT_ENDED and fact.entry_id
    return "grant_ended" if ended else "counted"


def _stored(fact: TierChanged) -> Answer:
    ends = fact.HasField("valid_until_time")
    reviewed = fact.HasField("review_time")
    return (
        fact.to_tier,
        BASIS_NAME[fact.basis],
        from_timestamp(fact.valid_until_time) if ends else None,
        from_timestamp(fact.review_time) if reviewed else None,
        beneath_of(fact, from_timestamp(fact.effective_time)) if fact.HasField("beneath") else None,
    )


def _shown(value: str | Instant | TierSpan | None) -> str:
    if value is None:
        return "none"
    if isinstance(value, TierSpan):
        return f"{value.basis} {value.tier!r} until {_shown(value.valid_until)}"
    return repr(value) if isinstance(value, str) else to_datetime(value).isoformat()

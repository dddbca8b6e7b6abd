"""Burning points as money or for a reward, how long a hold lasts, what a reversal gives back."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import NamedTuple, TypeVar

from rules.facts import Instant
from rules.model import Limit, Redemption, Reward, TimeWindow
from rules.policy import Policy
from rules.refusal import RulesRefusal
from rules.terms import Terms, UnitTerms
from rules.windows import period_of, wall_window
from rules.zones import DAY, HOUR, wall_text

Offer = TypeVar("Offer", Redemption, Reward)


class PeriodLimit(NamedTuple):
    """The most points in one period; `name` and `period` are under what they are counted."""

    name: str
    window: str
    period: str
    points: int


@dataclass(frozen=True, slots=True)
class RedemptionTerms:
    """How points are burned at a business unit.

    `min_points`, `step` and `max_points` are in the smallest unit of the point currency;
    `point_value` is the minor units of `currency_code` that one such unit pays. Points may pay at
    most `max_basket_share` of a basket. A burn that comes at most `lateness_days` late may spend
    what was live when it happened.
    """

    id: str
    business_unit: str
    currency: str
    currency_code: str
    min_points: int
    step: int
    point_value: Fraction
    max_points: int | None = None
    max_basket_share: Fraction | None = None
    limits: tuple[PeriodLimit, ...] = ()
    lateness_days: int = 0


class HoldTerms(NamedTuple):
    """How long a hold lasts, None for ever, and whether the points it holds expire meanwhile."""

    lasts: int | None
    points_expire: bool

    def expires_at(self, held_at: Instant) -> Instant | None:
        """Give when a hold times out; None where the policy sets no time."""
        return None if self.lasts is None else held_at + self.lasts


@dataclass(frozen=True, slots=True)
class RewardTerms:
    """A reward of the catalogue: its price, and `value_minor` of money or a benefit for it."""

    id: str
    currency: str
    points: int
    value_minor: int
    currency_code: str
    benefit: str


def redemption(
    policy: Policy, *, business_unit: str, currency: str, tier: str | None, at: Instant
) -> RedemptionTerms:
    """Find the terms under which a member of a tier burns a point currency at a unit.

    The first redemption of the pair that is for the tier and the time holds. RulesRefusal
    UNKNOWN_BUSINESS_UNIT, UNKNOWN_CURRENCY, NOT_REDEEMABLE when there is none for the pair, or
    NOT_FOR_TIER or NOT_NOW, whatever the first one lacks.
    """
    unit = policy.terms.unit(business_unit)
    if currency not in policy.currencies:
        known = policy.currencies
        raise RulesRefusal("UNKNOWN_CURRENCY", path="currency", value=currency, known=known)
    offered = [
        entry
        for entry in policy.model.redemptions
        if entry.currency == currency and business_unit in (entry.business_unit or policy.units)
    ]
    if not offered:
        spent = {
            entry.currency
            for entry in policy.model.redemptions
            if business_unit in (entry.business_unit or policy.units)
        }
        raise RulesRefusal("NOT_REDEEMABLE", path="currency", value=currency, known=sorted(spent))
    entry = _first_open(policy.terms, unit, offered, tier=tier, at=at)
    stated = entry.point_value
    value = stated.minor(unit.currency_code) / entry.per_points if stated else None
    return RedemptionTerms(
        id=entry.id,
        business_unit=business_unit,
        currency=currency,
        currency_code=unit.currency_code,
        min_points=entry.min_points,
        step=entry.step,
        point_value=unit.point_value[currency] if value is None else value,
        max_points=entry.max_points,
        max_basket_share=entry.max_basket_share,
        limits=period_limits(policy, entry.limits, name=f"burn/{entry.id}", at=at),
        lateness_days=entry.lateness_days,
    )


def _first_open(
    terms: Terms, unit: UnitTerms, offered: Iterable[Offer], *, tier: str | None, at: Instant
) -> Offer:
    """Give the first offer for the tier and the time; else say what the first one lacks."""
    first: RulesRefusal | None = None
    for offer in offered:
        refusal = _closed(terms, unit, offer, tier=tier, at=at)
        if refusal is None:
            return offer
        first = first or refusal
    assert first is not None, "something was offered"
    raise first


def _closed(
    terms: Terms, unit: UnitTerms, offer: Redemption | Reward, *, tier: str | None, at: Instant
) -> RulesRefusal | None:
    tier = terms.lowest_tier if tier is None else tier
    if offer.tier and tier not in offer.tier:
        return RulesRefusal("NOT_FOR_TIER", path="member.tier", value=tier or "", known=offer.tier)
    if offer.window is not None and not open_at(offer.window, terms, unit, at):
        offset = unit.local.offset(at)
        local = wall_text(unit.local, at + offset, offset)
        return RulesRefusal("NOT_NOW", path="origin.occurred_time", value=local)
    return None


def open_at(window: TimeWindow, terms: Terms, unit: UnitTerms, at: Instant) -> bool:
    """Say whether an instant lies in a window, in the zone that the window means."""
    compiled = wall_window(window)
    return compiled.holds((unit.local if compiled.by_store else terms.zone).wall(at))


def period_limits(
    policy: Policy, limits: Iterable[Limit], *, name: str, at: Instant
) -> tuple[PeriodLimit, ...]:
    """Give limits with the periods of an instant, in the programme's zone."""
    day = policy.terms.zone.wall(at) // DAY
    return tuple(
        PeriodLimit(name, limit.window, period_of(limit.window, day), limit.points)
        for limit in limits
    )


def reward(
    policy: Policy, reward_id: str, *, business_unit: str, tier: str | None, at: Instant
) -> RewardTerms:
    """Find a reward that a unit gives to members of a tier.

    RulesRefusal UNKNOWN_BUSINESS_UNIT; UNKNOWN_REWARD, with those the unit gives; NOT_FOR_TIER;
    NOT_NOW.
    """
    unit = policy.terms.unit(business_unit)
    given = [
        entry
        for entry in policy.model.rewards
        if business_unit in (entry.business_unit or policy.units)
    ]
    named = [entry for entry in given if entry.id == reward_id]
    if not named:
        known = [entry.id for entry in given]
        raise RulesRefusal("UNKNOWN_REWARD", path="reward", value=reward_id, known=known)
    entry = _first_open(policy.terms, unit, named, tier=tier, at=at)
    value = entry.value
    return RewardTerms(
        id=entry.id,
        currency=entry.currency,
        points=entry.points,
        value_minor=floor(value.minor(value.currency_code or unit.currency_code)) if value else 0,
        currency_code=(value.currency_code or unit.currency_code) if value else "",
        benefit=entry.benefit or "",
    )


def points_for_money(terms: RedemptionTerms, minor: int) -> int:
    """Give the points that pay `minor` units of money: the fewest steps worth at least that much.

    Rounded up, because the ledger must not pay out more money than the points are worth. The
    minimum is not applied: whoever burns asks for it.
    """
    if minor < 0:
        raise ValueError(f"minor must be at least 0, not {minor}")
    return ceil(minor / (terms.point_value * terms.step)) * terms.step


def most_for_basket(terms: RedemptionTerms, basket_minor: int) -> int | None:
    """Give the most points that may pay for a basket; None where its size does not matter."""
    if terms.max_basket_share is None:
        return None
    return floor(terms.max_basket_share * basket_minor / terms.point_value)


def most_redeemable(terms: RedemptionTerms, balance: int, basket_minor: int | None = None) -> int:
    """Give the most points of a balance that can be burned at once; 0 below the minimum.

    What was burned in the period is not looked at. Without a basket its share is not applied.
    """
    most = balance if terms.max_points is None else min(balance, terms.max_points)
    share = None if basket_minor is None else most_for_basket(terms, basket_minor)
    most = most if share is None else min(most, share)
    most -= most % terms.step
    return most if most >= terms.min_points else 0


def hold_terms(policy: Policy, business_unit: str) -> HoldTerms:
    """Find what a unit's holds are like: its own terms go before those for all.

    RulesRefusal UNKNOWN_BUSINESS_UNIT.
    """
    policy.terms.unit(business_unit)
    named = [entry for entry in policy.model.holds if business_unit in entry.business_unit]
    general = [entry for entry in policy.model.holds if not entry.business_unit]
    for entry in (*named, *general):
        return HoldTerms(entry.timeout_hours * HOUR, entry.held_points == "expire")
    return HoldTerms(None, points_expire=False)


def claim_until(policy: Policy, occurred_at: Instant) -> Instant:
    """Give the instant until which a document without a member can be claimed.

    The end of the local day, in the programme's zone, the policy's claim days later.
    """
    zone, days = policy.terms.zone, policy.model.documents.claim_days
    return zone.instant((zone.wall(occurred_at) // DAY + days + 1) * DAY)


def reversal_grace_until(policy: Policy, reversed_at: Instant) -> Instant | None:
    """Give the instant to which points that expired while burned live on after a reversal.

    The end of the local day, in the programme's zone, the policy's grace days later; None where
    the policy grants no grace, and such points come back expired.
    """
    days = policy.model.reversals.grace_days
    if not days:
        return None
    return policy.terms.zone.end_of_day(reversed_at, days)

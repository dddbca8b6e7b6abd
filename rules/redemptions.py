"""Burning points as money, how long a hold lasts, and what a reversed burn gives back."""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from rules.facts import Instant
from rules.policy import Policy
from rules.refusal import RulesRefusal
from rules.zones import DAY, HOUR


@dataclass(frozen=True, slots=True)
class RedemptionTerms:
    """How points are burned at a business unit.

    `min_points` and `step` are in the smallest unit of the point currency; `point_value` is the
    minor units of `currency_code` that one such unit pays.
    """

    business_unit: str
    currency: str
    currency_code: str
    min_points: int
    step: int
    point_value: Fraction


def redemption(policy: Policy, *, business_unit: str, currency: str) -> RedemptionTerms:
    """Find the terms for burning a point currency at a unit.

    RulesRefusal UNKNOWN_BUSINESS_UNIT, UNKNOWN_CURRENCY, or NOT_REDEEMABLE when the policy has
    no redemption for the pair.
    """
    unit = policy.terms.unit(business_unit)
    if currency not in policy.currencies:
        known = policy.currencies
        raise RulesRefusal("UNKNOWN_CURRENCY", path="currency", value=currency, known=known)
    for entry in policy.model.redemptions:
        if entry.currency != currency or business_unit not in (entry.business_unit or policy.units):
            continue
        stated = entry.point_value
        value = stated.minor(unit.currency_code) if stated else unit.point_value[currency]
        return RedemptionTerms(
            business_unit=business_unit,
            currency=currency,
            currency_code=unit.currency_code,
            min_points=entry.min_points,
            step=entry.step,
            point_value=value,
        )
    raise RulesRefusal("NOT_REDEEMABLE", path="currency", value=currency)


def points_for_money(terms: RedemptionTerms, minor: int) -> int:
    """Give the points that pay `minor` units of money: the fewest steps worth at least that much.

    Rounded up, because the ledger must not pay out more money than the points are worth. The
    minimum is not applied: whoever burns asks for it.
    """
    if minor < 0:
        raise ValueError(f"minor must be at least 0, not {minor}")
    return ceil(minor / (terms.point_value * terms.step)) * terms.step


def hold_expires_at(policy: Policy, business_unit: str, held_at: Instant) -> Instant | None:
    """Give the instant at which a hold times out; None where the policy sets no time.

    RulesRefusal UNKNOWN_BUSINESS_UNIT.
    """
    policy.terms.unit(business_unit)
    named = [entry for entry in policy.model.holds if business_unit in entry.business_unit]
    general = [entry for entry in policy.model.holds if not entry.business_unit]
    for entry in (*named, *general):
        return held_at + entry.timeout_hours * HOUR
    return None


def reversal_grace_until(policy: Policy, reversed_at: Instant) -> Instant | None:
    """Give the instant to which points that expired while burned live on after a reversal.

    The end of the local day, in the programme's zone, the policy's grace days later; None where
    the policy grants no grace, and such points come back expired.
    """
    days = policy.model.reversals.grace_days
    if not days:
        return None
    zone = policy.terms.zone
    return zone.instant((zone.wall(reversed_at) // DAY + days + 1) * DAY)

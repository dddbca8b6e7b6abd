"""Giving or taking points by hand: who pays, how long they live, who has to agree. Pure terms."""

from collections.abc import Sequence
from typing import NamedTuple

from rules.award import Life
from rules.facts import Instant
from rules.lot_terms import LotEnd
from rules.model import AdjustmentReason, ApprovalLimit
from rules.model.adjusting import REASONS
from rules.policy import Policy
from rules.refusal import RulesRefusal
from rules.zones import DAY

_UNSTATED: tuple[AdjustmentReason, ...] = tuple(AdjustmentReason(id=name) for name in REASONS)


class Wish(NamedTuple):
    """Points that somebody wants to give (above 0) or take (below 0), and what is said of them."""

    reason: str
    business_unit: str
    currency: str
    points: int
    at: Instant
    funder: str = ""
    member_since: Instant | None = None


class AdjustmentTerms(NamedTuple):
    """Under which terms points are given or taken.

    `points_alone` is the most that needs no second person; `named` says whether that person may be
    named by whoever adjusts. `proposed_until` ends a proposal. `expires_at` and `life` are how long
    given points live.
    """

    funder: str
    points_alone: int
    named: bool
    proposed_until: Instant
    expires_at: Instant | None
    life: Life | None


def adjustment(policy: Policy, wish: Wish) -> AdjustmentTerms:
    """Say under which terms points may be given or taken.

    RulesRefusal UNKNOWN_BUSINESS_UNIT; UNKNOWN_CURRENCY, for points that decide tiers too;
    UNKNOWN_REASON, with those of the unit; UNKNOWN_FUNDER, with those who may pay; ABOVE_MAXIMUM.
    """
    policy.terms.unit(wish.business_unit)
    _check_currency(policy, wish.currency)
    reason = _reason(policy, wish)
    funder = _funder(policy, reason, wish)
    points = abs(wish.points)
    if reason.max_points is not None and points > reason.max_points:
        bounds = {"maximum": reason.max_points}
        raise RulesRefusal("ABOVE_MAXIMUM", path="points.amount", value=str(points), bounds=bounds)
    end = _end(policy, wish)
    rules = policy.model.adjustments
    return AdjustmentTerms(
        funder,
        _points_alone(policy, reason, wish.business_unit),
        rules.second_person == "named",
        _days_on(policy, wish.at, rules.proposal_days),
        end.expires_at,
        end.life,
    )


def adjustment_reasons(policy: Policy) -> Sequence[AdjustmentReason]:
    """Give the reasons of a policy, or those of one that declares none."""
    return policy.model.adjustments.reasons or _UNSTATED


def _check_currency(policy: Policy, currency: str) -> None:
    known = [name for name, terms in policy.currencies.items() if not terms.qualifying]
    if currency not in known:
        raise RulesRefusal("UNKNOWN_CURRENCY", path="currency", value=currency, known=known)


def _reason(policy: Policy, wish: Wish) -> AdjustmentReason:
    given = [
        reason
        for reason in adjustment_reasons(policy)
        if wish.business_unit in (reason.business_unit or policy.units)
    ]
    for reason in given:
        if reason.id == wish.reason:
            return reason
    known = [reason.id for reason in given]
    raise RulesRefusal("UNKNOWN_REASON", path="reason", value=wish.reason, known=known)


def _funder(policy: Policy, reason: AdjustmentReason, wish: Wish) -> str:
    usual = policy.terms.unit(wish.business_unit).funder
    allowed = reason.funder or (usual,)
    funder = wish.funder or (usual if usual in allowed else allowed[0])
    if funder not in allowed:
        raise RulesRefusal("UNKNOWN_FUNDER", path="funder", value=funder, known=allowed)
    return funder


def _points_alone(policy: Policy, reason: AdjustmentReason, unit: str) -> int:
    rules = policy.model.adjustments
    of_reason = _limit(reason.limits, unit)
    if of_reason is not None:
        return of_reason
    if reason.points_alone is not None:
        return reason.points_alone
    of_unit = _limit(rules.limits, unit)
    return rules.points_alone if of_unit is None else of_unit


def _limit(limits: Sequence[ApprovalLimit], unit: str) -> int | None:
    return next((limit.points for limit in limits if unit in limit.business_unit), None)


def _end(policy: Policy, wish: Wish) -> LotEnd:
    expiry = policy.currencies[wish.currency].expiry
    if expiry is None or wish.points < 0:
        return LotEnd(None, None)
    zone = policy.terms.zone
    since = "" if wish.member_since is None else zone.day_text(zone.wall(wish.member_since) // DAY)
    return policy.terms.expiries[expiry].lot_end(wish.at, member_since=since)


def _days_on(policy: Policy, at: Instant, days: int) -> Instant:
    """Give the end of the local day, in the programme's zone, so many days later."""
    zone = policy.terms.zone
    return zone.instant((zone.wall(at) // DAY + days + 1) * DAY)

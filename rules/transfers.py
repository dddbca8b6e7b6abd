"""Points from member to member: how many may move now, and at which fee. Pure terms."""

from collections.abc import Iterable, Mapping
from math import floor
from types import MappingProxyType
from typing import NamedTuple

from rules.facts import Instant
from rules.model import TransferTerms
from rules.policy import Policy
from rules.redemptions import PeriodLimit, period_limits
from rules.refusal import RulesRefusal
from rules.zones import DAY, LocalZone

_NOTHING: Mapping[tuple[str, str], int] = MappingProxyType({})


class TransferFacts(NamedTuple):
    """A wish to move points, and what is known of the two members.

    `sent` and `received` are what the sender sent and the receiver received before, by (name,
    period) as `PeriodLimit` says them.
    """

    currency: str
    points: int
    at: Instant
    sender_since: Instant
    receiver_since: Instant
    same_household: bool = False
    sent: Mapping[tuple[str, str], int] = _NOTHING
    received: Mapping[tuple[str, str], int] = _NOTHING


class Transfer(NamedTuple):
    """What moves, and what it costs: the fee is the sender's, on top, and goes to `fee_unit`.

    The two lists of limits say under which names and periods the points are counted. With
    `needs_acceptance` the receiver has until `accept_until`.
    """

    id: str
    currency: str
    points: int
    fee: int
    fee_unit: str
    sender_limits: tuple[PeriodLimit, ...]
    receiver_limits: tuple[PeriodLimit, ...]
    needs_acceptance: bool
    accept_until: Instant | None


def transfer(policy: Policy, facts: TransferFacts) -> Transfer:
    """Say under which terms points may move.

    The first terms for the currency whose relation the two members have. RulesRefusal
    UNKNOWN_CURRENCY when points of it do not move, NO_RELATION, ACCOUNT_TOO_YOUNG, BELOW_MINIMUM,
    NOT_A_STEP, ABOVE_MAXIMUM, or LIMIT_REACHED with the limit, what is used, and the window.
    """
    terms = _terms(policy, facts)
    _check_age(policy.terms.zone, terms, facts)
    check_amount(facts.points, minimum=terms.min_points, step=terms.step, maximum=terms.max_points)
    at = facts.at
    sender = period_limits(policy, terms.sender_limits, name=f"sent/{terms.id}", at=at)
    receiver = receiver_limits(policy, terms.id, at)
    check_limits(sender, facts.sent, facts.points, path="sender")
    check_limits(receiver, facts.received, facts.points, path="receiver")
    asks = terms.acceptance == "required"
    return Transfer(
        terms.id,
        terms.currency,
        facts.points,
        fee_of(policy, terms.id, facts.points),
        terms.fee_unit or "",
        sender,
        receiver,
        needs_acceptance=asks,
        accept_until=policy.terms.zone.end_of_day(at, terms.accept_days) if asks else None,
    )


def fee_of(policy: Policy, terms_id: str, points: int) -> int:
    """Give the fee of so many points under some terms of the policy."""
    terms = _named(policy, terms_id)
    return terms.fee_points + floor(points * terms.fee_share)


def receiver_limits(policy: Policy, terms_id: str, at: Instant) -> tuple[PeriodLimit, ...]:
    """Give the limits under which points are counted that come in at an instant."""
    limits = _named(policy, terms_id).receiver_limits
    return period_limits(policy, limits, name=f"received/{terms_id}", at=at)


def _named(policy: Policy, terms_id: str) -> TransferTerms:
    return next(terms for terms in policy.model.transfers if terms.id == terms_id)


def _terms(policy: Policy, facts: TransferFacts) -> TransferTerms:
    every = policy.model.transfers
    of_currency = [terms for terms in every if terms.currency == facts.currency]
    if not of_currency:
        known = {terms.currency for terms in every}
        raise RulesRefusal("UNKNOWN_CURRENCY", path="currency", value=facts.currency, known=known)
    for terms in of_currency:
        if terms.relation == "any" or facts.same_household:
            return terms
    raise RulesRefusal("NO_RELATION", path="receiver", value=facts.currency, known=["household"])


def _check_age(zone: LocalZone, terms: TransferTerms, facts: TransferFacts) -> None:
    today = zone.wall(facts.at) // DAY
    for path, since in (("sender", facts.sender_since), ("receiver", facts.receiver_since)):
        days = today - zone.wall(since) // DAY
        if days < terms.account_age_days:
            bounds = {"days": days, "minimum": terms.account_age_days}
            raise RulesRefusal("ACCOUNT_TOO_YOUNG", path=path, value=str(days), bounds=bounds)


def check_amount(points: int, *, minimum: int, step: int, maximum: int | None) -> None:
    """Refuse an amount that is too small, between two steps, or too large."""
    value = str(points)
    if points < minimum:
        bounds = {"minimum": minimum}
        raise RulesRefusal("BELOW_MINIMUM", path="points", value=value, bounds=bounds)
    if points % step:
        raise RulesRefusal("NOT_A_STEP", path="points", value=value, bounds={"step": step})
    if maximum is not None and points > maximum:
        bounds = {"maximum": maximum}
        raise RulesRefusal("ABOVE_MAXIMUM", path="points", value=value, bounds=bounds)


def check_limits(
    limits: Iterable[PeriodLimit], used: Mapping[tuple[str, str], int], points: int, *, path: str
) -> None:
    """Refuse points that would pass the limit of a period; `path` says whose."""
    for limit in limits:
        before = used.get((limit.name, limit.period), 0)
        if before + points > limit.points:
            bounds: dict[str, int | str] = {
                "limit": limit.points,
                "used": before,
                "window": limit.window,
            }
            raise RulesRefusal("LIMIT_REACHED", path=path, value=str(points), bounds=bounds)

"""What a burn or hold costs in points, and what the policy asks of it."""

from typing import NamedTuple

import rules
from ledger.core import refusals
from ledger.core.commands import RedemptionTerms
from ledger.core.instant import Instant
from ledger.policies import ask
from loyalty.v1.ledger_service_pb2 import BurnPointsRequest, HoldPointsRequest
from loyalty.v1.types_pb2 import Money

Request = BurnPointsRequest | HoldPointsRequest


class Price(NamedTuple):
    """Points of a currency, under terms, and what they pay for."""

    currency: str
    points: int
    terms: RedemptionTerms
    value: Money | None = None
    reward: str = ""
    benefit: str = ""
    lateness_days: int = 0
    """Days that a burn may come late and spend what was live when it happened."""


def price_of(request: Request, policy: rules.Policy, *, tier: str | None, at: Instant) -> Price:
    """Give the price: points as asked, what the money costs, or the reward's price.

    Raises Malformed, UnknownBusinessUnit, UnknownCurrency, UnknownReward, ForeignCurrency,
    NotForTier, NotNow.
    """
    if isinstance(request, BurnPointsRequest) and request.HasField("reward"):
        return _reward(request, policy, tier=tier, at=at)
    by_points = request.HasField("points")
    currency = request.points.currency if by_points else _spendable(policy)
    unit = request.origin.business_unit
    terms = ask(
        lambda: rules.redemption(policy, business_unit=unit, currency=currency, tier=tier, at=at)
    )
    asked = RedemptionTerms(
        terms.min_points,
        terms.step,
        policy.digest,
        terms.max_points,
        _most_for_basket(request, terms),
        terms.limits,
        policy.terms.currencies[currency].draw_first,
    )
    if by_points:
        return Price(currency, request.points.amount, asked, lateness_days=terms.lateness_days)
    _check_currency(request.money, terms, field="money")
    points = rules.points_for_money(terms, request.money.minor_units)
    return Price(currency, points, asked, request.money, lateness_days=terms.lateness_days)


def _reward(
    request: BurnPointsRequest, policy: rules.Policy, *, tier: str | None, at: Instant
) -> Price:
    unit = request.origin.business_unit
    found = ask(lambda: rules.reward(policy, request.reward, business_unit=unit, tier=tier, at=at))
    value = None
    if found.value_minor:
        value = Money(currency_code=found.currency_code, minor_units=found.value_minor)
    first = policy.terms.currencies[found.currency].draw_first
    terms = RedemptionTerms(1, 1, policy.digest, draw_first=first)
    return Price(found.currency, found.points, terms, value, found.id, found.benefit)


def _most_for_basket(request: Request, terms: rules.RedemptionTerms) -> int | None:
    """The most points that may pay for the basket; None where its size does not matter."""
    if terms.max_basket_share is None:
        return None
    if not request.HasField("basket"):
        raise refusals.Malformed(
            field="basket", value="", expected="what is bought: points may pay a part of it only"
        )
    _check_currency(request.basket, terms, field="basket")
    return rules.most_for_basket(terms, request.basket.minor_units)


def _check_currency(money: Money, terms: rules.RedemptionTerms, *, field: str) -> None:
    if money.currency_code != terms.currency_code:
        raise refusals.ForeignCurrency(
            field=f"{field}.currency_code",
            value=money.currency_code,
            expected=terms.currency_code,
        )


def _spendable(policy: rules.Policy) -> str:
    """The point currency that money is paid with: the first spendable one of the policy."""
    for currency in policy.currencies.values():
        if currency.role == "spendable":
            return currency.id
    raise refusals.UnknownCurrency(field="money", value="", known="")

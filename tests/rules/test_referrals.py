"""Which purchases count for a referral, and until when it can be told."""

import pytest

import rules
from rules.zones import DAY
from tests.rules.documents import HEAD

POLICY = (
    HEAD
    + """
currencies: [{id: p, role: spendable}]
business_units:
  - {id: a, zone: UTC, currency: EUR}
  - {id: b, zone: UTC, currency: GBP}
categories: [food, {id: wine, earns: false}]
earn: [{kind: bonus, id: friend, currency: p, points: 5, when: {activity: [referral]}}]
"""
)
AT = 1_780_000_000_000_000


def policy(referrals: str) -> rules.Policy:
    return rules.compile_policy(rules.load(f"{POLICY}referrals: {referrals}\n"))


def counts(
    terms: rules.Policy,
    cents: int,
    *,
    category: str = "food",
    unit: str = "a",
    status: str = "FINAL",
    activity: str = "",
    at: int = AT,
    told_at: int = AT,
) -> bool:
    lines = () if activity else (rules.LineFacts("1", category, rules.parse_quantity("1"), cents),)
    currency = "GBP" if unit == "b" else "EUR"
    document = rules.DocumentFacts(
        unit, "", "", "ACTIVITY" if activity else "SALE", status, currency, at, lines,
        activity=activity,
    )  # fmt: skip
    pins = rules.pin(terms, document, rules.NOBODY)
    assert terms.model.referrals is not None
    return rules.counts_for_referral(terms.model.referrals, terms, document, pins, told_at=told_at)


def test_any_purchase_counts_that_is_final_and_can_earn() -> None:
    any_one = policy("{}")
    assert counts(any_one, 1)
    assert not counts(any_one, 0)
    assert not counts(any_one, 100, category="wine")
    assert not counts(any_one, 100, status="PENDING")
    assert not counts(any_one, 100, status="CANCELLED")
    assert not counts(any_one, 100, activity="referral")


def test_a_minimum_is_of_its_own_money_and_other_money_has_none() -> None:
    euros = policy('{minimums: ["30.00 EUR"]}')
    assert counts(euros, 30_00)
    assert not counts(euros, 29_99)
    assert not counts(euros, 100_00, unit="b")
    both = policy('{minimums: ["30.00 EUR", "25.00 GBP"]}')
    assert counts(both, 25_00, unit="b")
    each_its_own = policy('{minimums: ["30.00"]}')
    assert counts(each_its_own, 30_00, unit="b")
    assert not counts(each_its_own, 29_99)


def test_a_purchase_after_its_days_does_not_count() -> None:
    terms = policy("{purchase_days: 10}")
    assert counts(terms, 1, at=AT + 10 * DAY)
    assert not counts(terms, 1, at=AT + 10 * DAY + 1)


@pytest.mark.parametrize(("days", "in_time"), [(29, True), (30, True), (31, False)])
def test_a_referral_is_told_within_days_of_the_enrolment(days: int, in_time: bool) -> None:
    terms = policy("{}").model.referrals
    assert terms is not None
    assert rules.told_in_time(terms, enrolled_at=AT, at=AT + days * DAY) is in_time

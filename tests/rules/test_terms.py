"""Redemption, holds, tiers, pins and refusals: the questions besides the award."""

from dataclasses import FrozenInstanceError
from fractions import Fraction
from pathlib import Path

import pytest

from rules import (
    DocumentFacts,
    Held,
    MemberFacts,
    NeedProgress,
    RulesRefusal,
    Standing,
    TierAnswer,
    compile_policy,
    evaluate,
    explain,
    hold_terms,
    load,
    parse_quantity,
    pin,
    points_for_money,
    progress,
    redemption,
    reversal_grace_until,
    tier_for,
)
from tests.rules.documents import HEAD, SMALL, document, instant, policy

HARBOUR = compile_policy(
    load((Path(__file__).resolve().parents[1] / "policies/harbour.yaml").read_bytes())
)


def test_a_hundred_points_pay_one_unit_of_the_units_money() -> None:
    for unit, code in (("market", "USD"), ("hotel", "EUR"), ("web", "GBP")):
        terms = redemption(HARBOUR, business_unit=unit, currency="point", tier=None, at=0)
        assert (terms.currency_code, terms.min_points, terms.step) == (code, 100, 1)
        assert terms.point_value == Fraction(1)
        assert points_for_money(terms, 100) == 100


def test_points_for_money_are_rounded_up_to_the_step() -> None:
    text = SMALL + 'redemptions: [{id: r, currency: p, step: 50, point_value: "0.03"}]'
    terms = redemption(policy(text), business_unit="a", currency="p", tier=None, at=0)
    assert [points_for_money(terms, minor) for minor in (0, 1, 150, 151, 300)] == [
        0, 50, 50, 100, 100,
    ]  # fmt: skip
    with pytest.raises(ValueError, match="at least 0"):
        points_for_money(terms, -1)


def test_a_point_may_be_worth_a_part_of_a_minor_unit() -> None:
    text = SMALL.replace("0.01 EUR", "0.0125 EUR") + "redemptions: [{id: r, currency: p}]"
    terms = redemption(policy(text), business_unit="a", currency="p", tier=None, at=0)
    assert terms.point_value == Fraction(5, 4)
    assert points_for_money(terms, 100) == 80
    assert policy(text).units["a"].point_value == {"p": Fraction(5, 4)}


@pytest.mark.parametrize(
    ("unit", "currency", "reason", "path"),
    [
        ("markt", "point", "UNKNOWN_BUSINESS_UNIT", "business_unit"),
        ("market", "pint", "UNKNOWN_CURRENCY", "currency"),
        ("market", "status", "NOT_REDEEMABLE", "currency"),
    ],
)
def test_what_cannot_be_redeemed_is_refused_by_name(
    unit: str, currency: str, reason: str, path: str
) -> None:
    with pytest.raises(RulesRefusal) as refused:
        redemption(HARBOUR, business_unit=unit, currency=currency, tier=None, at=0)
    assert (refused.value.reason, refused.value.path) == (reason, path)


def test_a_hold_lasts_as_long_as_its_unit_says() -> None:
    at = instant("2025-03-01T12:00:00Z")
    assert hold_terms(HARBOUR, "hotel").expires_at(at) == instant("2025-03-04T12:00:00Z")
    assert hold_terms(HARBOUR, "market").expires_at(at) == instant("2025-03-02T12:00:00Z")
    assert hold_terms(policy(SMALL), "a").expires_at(at) is None


def test_held_points_expire_where_the_terms_of_their_unit_say_so() -> None:
    terms = policy(
        SMALL + "holds: [{timeout_hours: 1, business_unit: [a], held_points: expire},"
        " {timeout_hours: 1}]\n"
    )
    assert hold_terms(terms, "a").points_expire
    assert not hold_terms(HARBOUR, "hotel").points_expire


def test_grace_after_a_reversal_runs_to_the_end_of_a_local_day() -> None:
    """S15: none without grace days; with ten, from Apr 5 12:00 to Apr 16 00:00."""
    at = instant("2025-04-05T12:00:00Z")
    assert reversal_grace_until(policy(SMALL), at) is None
    ten = policy(SMALL + "reversals: {grace_days: 10}")
    assert reversal_grace_until(ten, at) == instant("2025-04-16T00:00:00Z")
    berlin = policy(
        SMALL.replace("zone: UTC", "zone: Europe/Berlin", 1) + "reversals: {grace_days: 1}"
    )
    assert reversal_grace_until(berlin, instant("2025-03-28T23:30:00Z")) == instant(
        "2025-03-30T22:00:00Z"
    )


LADDER = (
    HEAD.replace("zone: UTC", "zone: Europe/Berlin")
    + """
currencies: [{id: p, role: spendable}, {id: qp, role: tier_qualifying}]
business_units: [{id: a, zone: UTC, currency: EUR}]
tiers:
  ladder:
    - {id: basic}
    - {id: silver, reach_any: [[{currency: qp, at_least: 200}]]}
    - {id: gold, reach_any: [[{currency: qp, at_least: 500}]], keep_any: [[{currency: qp, at_least: 450}]]}
"""  # noqa: E501 - one tier a line
)
END_2025, END_2026 = "2025-12-31T23:00:00Z", "2026-12-31T23:00:00Z"


@pytest.mark.parametrize(
    ("points", "held", "at", "tier", "until"),
    [
        ({}, None, "2025-03-01T12:00:00Z", "basic", None),
        ({"2025": 499}, "basic", "2025-03-01T12:00:00Z", "silver", END_2026),
        ({"2025": 500}, "basic", "2025-03-01T12:00:00Z", "gold", END_2026),
        # Nobody said what the member held: the year before still counts.
        ({"2024": 500}, None, "2025-03-01T12:00:00Z", "gold", END_2025),
        # The year turns in the programme's zone, an hour before it does in UTC.
        ({"2023": 500}, None, "2024-12-31T22:59:59Z", "gold", "2024-12-31T23:00:00Z"),
        ({"2023": 500}, None, "2024-12-31T23:00:00Z", "basic", None),
        ({"2025": 600}, "a tier of another policy", "2025-03-01T12:00:00Z", "gold", END_2026),
    ],
)
def test_the_ladder_counts_the_years_of_the_programmes_zone(
    points: dict[str, int], held: str | None, at: str, tier: str, until: str | None
) -> None:
    qualifying = {("qp", window): number for window, number in points.items()}
    spans = () if held is None else (Held(held),)
    standing = Standing(qualifying, spans=spans)
    answer = tier_for(policy(LADDER), standing=standing, at=instant(at))
    assert answer[:2] == (tier, None if until is None else instant(until))


def test_a_programme_without_tiers_answers_none() -> None:
    standing = Standing({}, spans=(Held("gold"),))
    assert tier_for(policy(SMALL), standing=standing, at=0) == TierAnswer(None, None)
    assert progress(policy(SMALL), standing=standing, at=0) is None
    assert pin(policy(SMALL), document(), MemberFacts()).tier is None


def test_progress_tells_what_is_missing_and_what_follows() -> None:
    gold = Held("gold", instant("2025-02-01T00:00:00Z"), instant(END_2025), window="2024")
    standing = Standing({("qp", "2025"): 430}, spans=(gold,))
    now = progress(policy(LADDER), standing=standing, at=instant("2025-06-01T12:00:00Z"))
    assert now is not None
    assert (now.tier, now.valid_until, now.next_tier, now.reach) == (
        "gold", instant(END_2025), None, (),
    )  # fmt: skip
    begins, ends = instant("2024-12-31T23:00:00Z"), instant(END_2025)
    assert now.keep == ((NeedProgress("qualifying_points", "qp", (), 430, 450, 20, begins, ends),),)
    assert (now.projected_tier, now.projected_at) == ("silver", ends)


def test_progress_of_a_newcomer_is_the_way_to_the_first_tier() -> None:
    standing = Standing({("qp", "2025"): 30})
    now = progress(policy(LADDER), standing=standing, at=instant("2025-06-01T12:00:00Z"))
    assert now is not None
    assert (now.tier, now.next_tier, now.keep, now.projected_tier) == (
        "basic", "silver", (), "basic",
    )  # fmt: skip
    assert [need.missing for need in now.reach[0]] == [170]


@pytest.mark.parametrize(
    ("occurred", "local", "day"),
    [
        ("2025-03-30T00:59:59Z", "2025-03-30T01:59:59+01:00", "2025-03-30"),
        ("2025-03-30T01:00:00Z", "2025-03-30T03:00:00+02:00", "2025-03-30"),
        ("2025-10-26T00:30:00Z", "2025-10-26T02:30:00+02:00", "2025-10-26"),
        ("2025-10-26T01:30:00Z", "2025-10-26T02:30:00+01:00", "2025-10-26"),
        ("2025-12-31T23:30:00.000001Z", "2026-01-01T00:30:00.000001+01:00", "2026-01-01"),
    ],
)
def test_local_time_is_pinned_with_its_offset(occurred: str, local: str, day: str) -> None:
    """The four sales of S23, on both sides of both changes of the clock."""
    text = SMALL.replace("id: a, zone: UTC", "id: a, zone: Europe/Berlin")
    pins = pin(policy(text), document(occurred=occurred), MemberFacts())
    assert (pins.local_time, pins.business_day) == (local, day)
    assert pins.tier_window == "2025"


def test_qualifying_points_count_in_the_programmes_year() -> None:
    eve = document((("room", 10000),), unit="hotel", occurred="2025-12-31T23:59:59Z")
    grants = {grant.rule: grant for grant in evaluate(HARBOUR, eve, MemberFacts()).grants}
    assert (grants["status.all"].qualifying, grants["status.all"].window) == (True, "2025")
    assert (grants["base.room"].qualifying, grants["base.room"].window) == (False, "")


@pytest.mark.parametrize(
    ("wrong", "reason", "value"),
    [
        (document(unit="b"), "UNKNOWN_BUSINESS_UNIT", "b"),
        (document(currency="USD"), "CURRENCY_MISMATCH", "USD"),
        (document((("fodo", 100),)), "UNKNOWN_CATEGORY", "fodo"),
        (document((("food", 2**63 * 100),)), "AMOUNT_TOO_LARGE", str(2**63)),
        (document(occurred="9800-01-01T00:00:00Z"), "TIME_OUT_OF_RANGE", None),
    ],
)
def test_what_the_policy_does_not_know_is_refused(
    wrong: DocumentFacts, reason: str, value: str | None
) -> None:
    compiled = policy(SMALL + "categories: [food]")
    for ask in (evaluate, explain):
        with pytest.raises(RulesRefusal) as refused:
            ask(compiled, wrong, MemberFacts())
        assert refused.value.reason == reason
        assert value in (None, refused.value.value)


def test_a_refusal_suggests_what_was_meant() -> None:
    with pytest.raises(RulesRefusal, match=r"did you mean 'food'\?") as refused:
        evaluate(policy(SMALL + "categories: [food]"), document((("fodo", 1),)), MemberFacts())
    assert "food" in refused.value.known


def test_pins_of_another_policy_are_refused() -> None:
    pins = pin(policy(SMALL), document(), MemberFacts())
    with pytest.raises(ValueError, match="pinned policy"):
        evaluate(policy(SMALL + "notes: other"), document(), MemberFacts(), pins)


def test_a_funder_pays_where_the_rule_names_one() -> None:
    text = SMALL.replace("id: base,", "id: base, funder: b,").replace(
        "business_units: [", "business_units: [{id: b, zone: UTC, currency: USD}, "
    )
    (grant,) = evaluate(policy(text), document(), MemberFacts()).grants
    assert grant.funder == "b"


def test_a_bonus_for_nothing_bought_has_to_be_asked_for() -> None:
    bonus = SMALL.replace("earn: [", "earn: [{kind: bonus, id: visit, currency: p, points: 5}, ")
    free = bonus.replace("points: 5", 'points: 5, when: {basket_min: "0"}')
    assert evaluate(policy(bonus), document(()), MemberFacts()).grants == ()
    (grant,) = evaluate(policy(free), document(()), MemberFacts()).grants
    assert grant.granted == 5


def test_a_skipped_rule_names_its_first_false_condition() -> None:
    sale = document((("household", 2999),), unit="market", currency="USD")
    why = {skip.rule: skip.condition for skip in explain(HARBOUR, sale, MemberFacts()).skipped}
    assert why == {
        "base.fuel": "when.category",
        "base.dining": "when.business_unit",
        "base.room": "when.business_unit",
        "base.hotel": "when.business_unit",
        "base.web": "when.business_unit",
        "tier.silver": "when.tier",
        "tier.gold": "when.tier",
        "promotion.household": "when.basket_min",
        "bonus.big_shop": "when.basket_min",
        "bonus.web_order": "when.business_unit",
        "bonus.spa": "when.business_unit",
    }


def test_facts_and_answers_cannot_be_changed() -> None:
    award = evaluate(policy(SMALL), document(), MemberFacts())
    for part in (award, award.pins, award.grants[0], policy(SMALL), document().lines[0]):
        with pytest.raises((FrozenInstanceError, AttributeError, TypeError)):
            setattr(part, "rule", "other")  # noqa: B010 - mypy would refuse the assignment


def test_a_quantity_is_read_exactly() -> None:
    assert parse_quantity("0.375") == Fraction(3, 8)
    for text in ("", "1e3", "1,5", "½", "1/2", "0.1234567"):
        with pytest.raises(ValueError, match="write a decimal number"):
            parse_quantity(text)

"""The document that reaches a tier: before, after, and split at the threshold."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import (
    NOBODY,
    Award,
    DocumentFacts,
    Held,
    LineFacts,
    MemberFacts,
    Policy,
    Standing,
    evaluate,
    evaluate_upgrading,
    explain,
)
from rules.words import in_words
from tests.rules.documents import HEAD, document, policy

YEAR_OF_300 = Standing({}, {("metric/spend", "a/EUR", "2025"): 30_000}, spans=(Held("insider"),))
INSIDER = MemberFacts(tier="insider")


def shop(order: str, *, scale: int = 1, more: str = "") -> Policy:
    """A point per euro, a quarter more for vip from 350.00 a year, half for rouge from 1000.00."""
    return policy(
        HEAD
        + f"""
currencies: [{{id: p, role: spendable, scale: {scale}}}]
business_units: [{{id: a, zone: UTC, currency: EUR}}]
categories: [food, drink, {{id: gift_card, earns: false}}]
groups: [{{id: tier, combine: best_of}}, {{id: other, combine: best_of}}]
earn:
  - {{kind: base, id: base, currency: p, rate: {{points: {10**scale}, per: "1.00 EUR"}}}}
  - {{kind: multiplier, id: vip, currency: p, factor: "1.25", group: tier, when: {{tier: [vip]}}}}
  - {{kind: multiplier, id: rouge, currency: p, factor: "1.5", group: tier,
     when: {{tier: [rouge]}}}}
{more}
tiers:
  upgrading_order: {order}
  ladder:
    - {{id: insider}}
    - {{id: vip, reach_any: [[{{metric: spend, money: EUR, at_least: 35000}}]]}}
    - {{id: rouge, reach_any: [[{{metric: spend, money: EUR, at_least: 100000}}]]}}
"""
    )


def points(award: Award) -> int:
    """All points of an award, in the smallest unit."""
    return sum(grant.granted for grant in award.grants)


@pytest.mark.parametrize(
    ("order", "expected", "tier"),
    [("before", 1_000, "insider"), ("after", 1_250, "vip"), ("split", 1_125, "vip")],
)
def test_the_order_that_crosses_the_threshold(order: str, expected: int, tier: str) -> None:
    """300 spent, 350 needed, an order of 100: 100, 125 or 112.5 points."""
    award = evaluate_upgrading(shop(order), document(), INSIDER, standing=YEAR_OF_300)
    assert (points(award), award.pins.tier) == (expected, tier)
    again = evaluate(shop(order), document(), NOBODY, award.pins)
    assert again == award


@pytest.mark.parametrize("order", ["before", "after", "split"])
def test_an_order_that_reaches_no_tier_earns_as_ever(order: str) -> None:
    small = document((("food", 4_999),))
    award = evaluate_upgrading(shop(order), small, INSIDER, standing=YEAR_OF_300)
    assert (points(award), award.pins.tier, award.pins.predicates) == (499, "insider", ())


def test_an_order_that_reaches_two_tiers_is_split_twice() -> None:
    big = document((("food", 80_000),))
    award = evaluate_upgrading(shop("split"), big, INSIDER, standing=YEAR_OF_300)
    assert award.pins.predicates == ("split:5000:insider", "split:70000:vip")
    # 50 at 1, 650 at 1.25 and 100 at 1.5.
    assert (points(award), award.pins.tier) == (500 + 8_125 + 1_500, "rouge")


def test_a_return_is_split_where_the_order_was() -> None:
    split = shop("split")
    award = evaluate_upgrading(split, document(), INSIDER, standing=YEAR_OF_300)
    left = document((("food", 6_000),))
    assert points(evaluate(split, left, NOBODY, award.pins)) == 500 + 125
    less = document((("food", 4_000),))
    assert points(evaluate(split, less, NOBODY, award.pins)) == 400
    none = document(status="CANCELLED")
    assert evaluate(split, none, NOBODY, award.pins).grants == ()


def test_lines_are_divided_in_their_order_and_what_earns_nothing_is_passed_over() -> None:
    extra = """  - {kind: multiplier, id: drinks, currency: p, factor: 2, group: other,
     when: {category: [drink]}}
"""
    split = shop("split", more=extra)
    basket = document((("gift_card", 9_000), ("drink", 4_000), ("food", 6_000)))
    award = evaluate_upgrading(split, basket, INSIDER, standing=YEAR_OF_300)
    by_rule = {grant.rule: grant.granted for grant in award.grants}
    # The drinks and 10.00 of the food stand before the threshold, 50.00 of the food after it.
    assert by_rule == {"base": 1_000, "drinks": 400, "vip": 125}


def test_bonuses_and_thresholds_look_at_the_whole_order() -> None:
    extra = """  - {kind: bonus, id: big, currency: p, points: 70, when: {basket_min: "100.00 EUR"}}
  - {kind: multiplier, id: large, currency: p, factor: 2, group: other,
     when: {basket_min: "90.00 EUR"}}
"""
    award = evaluate_upgrading(shop("split", more=extra), document(), INSIDER, standing=YEAR_OF_300)
    by_rule = {grant.rule: grant.granted for grant in award.grants}
    assert by_rule == {"base": 1_000, "large": 1_000, "vip": 125, "big": 70}


def test_a_split_is_rounded_once() -> None:
    award = evaluate_upgrading(
        shop("split", scale=0), document((("food", 10_150),)), INSIDER, standing=YEAR_OF_300
    )
    by_rule = {grant.rule: grant.granted for grant in award.grants}
    # 101.5 of base are 101; a quarter of 51.50 is 12.875.
    assert by_rule == {"base": 101, "vip": 12}


EXTRAS = """  - {kind: multiplier, id: drinks, currency: p, factor: 2, group: other,
     when: {category: [drink]}}
  - {kind: multiplier, id: early, currency: p, factor: 3, group: other, when: {tier: [insider]}}
  - {kind: bonus, id: big, currency: p, points: 70, when: {basket_min: "100.00 EUR"}}
  - {kind: bonus, id: vips, currency: p, points: 5, when: {tier: [vip]}}
"""


def test_an_explanation_says_what_each_part_of_a_line_gave_at_its_tier() -> None:
    split = shop("split", more=EXTRAS)
    award = evaluate_upgrading(split, document(), INSIDER, standing=YEAR_OF_300)
    why = explain(split, document(), NOBODY, award.pins)
    shares: dict[str, list[tuple[int, Fraction | int, str]]] = {
        row.rule: [(share.eligible_minor, share.exact, share.tier) for share in row.lines]
        for row in why.rows
    }
    assert shares == {
        "base": [(5_000, 500, "insider"), (5_000, 500, "vip")],
        "vip": [(5_000, 125, "vip")],
        "early": [(5_000, 1_000, "insider")],
        "big": [],
    }
    assert {skip.rule: skip.condition for skip in why.skipped} == {
        "rouge": "when.tier", "drinks": "when.category", "vips": "when.tier",
    }  # fmt: skip
    assert in_words(why, split)[0] == "base: +100.0 p (on line 1; 50 at insider, 50 at vip)"


BASKETS = st.lists(
    st.tuples(st.sampled_from(["food", "drink", "gift_card"]), st.integers(-900, 90_000)),
    min_size=1,
    max_size=5,
)


@given(BASKETS, st.integers(0, 1))
def test_the_explanation_of_a_split_order_is_its_award(
    lines: list[tuple[str, int]], scale: int
) -> None:
    split, basket = SPLITS[scale], document(tuple(lines))
    award = evaluate_upgrading(split, basket, INSIDER, standing=YEAR_OF_300)
    why = explain(split, basket, NOBODY, award.pins)
    given = {row.rule: (row.wanted, row.granted) for row in why.rows if row.granted}
    assert given == {grant.rule: (grant.wanted, grant.granted) for grant in award.grants}
    assert (why.uses, why.numbers) == (award.uses, award.numbers)
    for row in why.rows:
        if row.kind != "bonus":
            assert sum(share.exact for share in row.lines) == row.exact
    told = {row.rule for row in why.rows} | {skip.rule for skip in why.skipped}
    assert told == {rule.id for rule in split.model.earn}


def test_qualifying_points_from_spend_say_where_the_threshold_lies() -> None:
    by_points = policy(
        HEAD
        + """
currencies: [{id: p, role: spendable}, {id: qp, role: tier_qualifying}]
business_units: [{id: a, zone: UTC, currency: EUR}]
groups: [{id: tier, combine: best_of}]
earn:
  - {kind: base, id: base, currency: p, rate: {points: 1, per: "1.00 EUR"}}
  - {kind: base, id: status, currency: qp, rate: {points: 2, per: "1.00 EUR"}}
  - {kind: multiplier, id: gold, currency: p, factor: 2, group: tier, when: {tier: [gold]}}
tiers:
  upgrading_order: split
  ladder: [{id: basic}, {id: gold, reach_any: [[{currency: qp, at_least: 500}]]}]
"""
    )
    standing = Standing({("qp", "2025"): 400}, spans=(Held("basic"),))
    award = evaluate_upgrading(by_points, document(), MemberFacts("basic"), standing=standing)
    assert award.pins.predicates == ("split:5000:basic",)
    assert {grant.rule: grant.granted for grant in award.grants} == {
        "base": 100, "gold": 50, "status": 200,
    }  # fmt: skip


def lines_of(amounts: list[int]) -> DocumentFacts:
    """A document with a line for each amount."""
    lines = tuple(
        LineFacts(str(number), "food", Fraction(1), amount) for number, amount in enumerate(amounts)
    )
    return document()._replace(lines=lines)


@given(st.lists(st.integers(1, 60_000), min_size=1, max_size=6))
def test_a_split_lies_between_before_and_after(amounts: list[int]) -> None:
    given = [
        points(evaluate_upgrading(shop_of(order), lines_of(amounts), INSIDER, standing=YEAR_OF_300))
        for order in ("before", "split", "after")
    ]
    assert given == sorted(given)


@given(st.lists(st.integers(1, 60_000), min_size=1, max_size=6))
def test_how_a_basket_is_cut_into_lines_does_not_matter(amounts: list[int]) -> None:
    whole, cut = (
        evaluate_upgrading(shop_of("split"), lines_of(each), INSIDER, standing=YEAR_OF_300)
        for each in ([sum(amounts)], amounts)
    )
    assert whole == cut


SPLITS = [shop("split", scale=scale, more=EXTRAS) for scale in (0, 1)]
SHOPS = {order: shop(order) for order in ("before", "after", "split")}


def shop_of(order: str) -> Policy:
    """The shop, compiled once."""
    return SHOPS[order]

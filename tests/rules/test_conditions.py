"""Conditions of any nesting hold exactly when a plain reading of them says so."""

import json
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rules import DocumentFacts, LineFacts, MemberFacts, compile_policy, evaluate, explain, load
from rules import parse_quantity as quantity
from tests.rules.documents import HEAD, document

TIERS, CHANNELS, CATEGORIES = ("basic", "gold"), ("pos", "app"), ("food", "shoes/red", "wine")
BRANDS, COUPONS, SEGMENTS = ("acme", "other"), ("X", "Y"), ("vip", "staff")
TREE = "any", "all", "none"


def some(words: tuple[str, ...]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(words), min_size=1, max_size=2, unique=True)


KEYS: dict[str, st.SearchStrategy[Any]] = {
    "channel": some(CHANNELS),
    "tier": some(TIERS),
    "coupon": some(COUPONS),
    "segment_any": some(SEGMENTS),
    "segment_none": some(SEGMENTS),
    "nights_min": st.integers(1, 3),
    "basket_min": st.sampled_from(["10.00", "25.00"]),
    "category": some(("food", "shoes/*", "wine")),
    "category_not": some(("food", "shoes/*", "wine")),
    "brand": some(BRANDS),
    "brand_not": some(BRANDS),
    "line_min": st.sampled_from(["5.00", "12.00"]),
    "quantity_min": st.sampled_from(["1", "2.5"]),
}
leaves = st.fixed_dictionaries({}, optional=KEYS)
whens = st.recursive(
    leaves,
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            **{key: st.lists(inner, min_size=1, max_size=2) for key in TREE},
            "channel": some(CHANNELS),
            "category": some(("food", "shoes/*", "wine")),
        },
    ),
    max_leaves=5,
)
lines = st.builds(
    lambda category, brand, net, count: LineFacts(
        "", category, quantity(count), net, 0, brand, "sku"
    ),
    st.sampled_from((*CATEGORIES, "gift_card")),
    st.sampled_from((*BRANDS, "")),
    st.sampled_from((-200, 0, 400, 1200, 2600)),
    st.sampled_from(("1", "2.5", "0.5")),
)
documents = st.builds(
    lambda channel, facts, nights, coupons: document((), channel=channel)._replace(
        lines=tuple(line._replace(line_id=str(n)) for n, line in enumerate(facts)),
        nights=nights,
        coupons=tuple(coupons),
    ),
    st.sampled_from(CHANNELS),
    st.lists(lines, max_size=4),
    st.integers(0, 3),
    st.lists(st.sampled_from(COUPONS), max_size=1),
)
members = st.builds(
    lambda tier, segments: MemberFacts(tier, segments=segments),
    st.sampled_from(TIERS),
    st.frozensets(st.sampled_from(SEGMENTS)),
)


def basket(facts: DocumentFacts) -> int:
    return sum(line.net_minor for line in facts.lines if line.category != "gift_card")


def minor(text: str) -> int:
    return int(text.replace(".", ""))


def named(pattern: str, category: str) -> bool:
    return category.startswith(pattern[:-1]) if pattern.endswith("/*") else category == pattern


def holds(when: dict[str, Any], facts: DocumentFacts, member: MemberFacts, line: LineFacts) -> bool:
    """Read a condition as it is written, for one line."""
    tests: dict[str, Callable[[Any], bool]] = {
        "channel": lambda value: facts.channel in value,
        "tier": lambda value: member.tier in value,
        "coupon": lambda value: bool(set(value) & set(facts.coupons)),
        "segment_any": lambda value: bool(set(value) & member.segments),
        "segment_none": lambda value: not set(value) & member.segments,
        "nights_min": lambda value: facts.nights >= value,
        "basket_min": lambda value: basket(facts) >= minor(value),
        "category": lambda value: any(named(one, line.category) for one in value),
        "category_not": lambda value: not any(named(one, line.category) for one in value),
        "brand": lambda value: line.brand in value,
        "brand_not": lambda value: line.brand not in value,
        "line_min": lambda value: line.net_minor >= minor(value),
        "quantity_min": lambda value: line.quantity >= quantity(value),
        "all": lambda value: all(holds(one, facts, member, line) for one in value),
        "any": lambda value: any(holds(one, facts, member, line) for one in value),
        "none": lambda value: not any(holds(one, facts, member, line) for one in value),
    }
    return all(tests[key](value) for key, value in when.items())


def text_of(when: dict[str, Any]) -> str:
    return (
        HEAD
        + f"""
currencies: [{{id: p, role: spendable}}, {{id: qp, role: tier_qualifying}}]
business_units: [{{id: a, zone: UTC, currency: EUR}}]
segments: [vip, staff]
groups: [{{id: g}}]
earn:
  - {{kind: base, id: base, currency: p, rate: {{points: 1, per: "0.01"}}}}
  - {{kind: multiplier, id: boost, currency: p, factor: 2, group: g, when: {json.dumps(when)}}}
  - {{kind: bonus, id: once, currency: p, points: 7, when: {json.dumps(when)}}}
  - {{kind: bonus, id: each, currency: p, points: 7, per: line, when: {json.dumps(when)}}}
tiers: {{ladder: [{{id: basic}}, {{id: gold, reach_any: [[{{currency: qp, at_least: 5}}]]}}]}}
"""
    )


@settings(max_examples=400, deadline=None)
@given(whens, st.lists(st.tuples(documents, members), min_size=1, max_size=4))
def test_rules_of_any_condition_give_what_a_plain_reading_gives(
    when: dict[str, Any], asked: list[tuple[DocumentFacts, MemberFacts]]
) -> None:
    loaded = load(text_of(when))
    assert loaded.model is not None, loaded.findings
    compiled = compile_policy(loaded)
    for facts, member in asked:
        earning = [line for line in facts.lines if line.category != "gift_card"]
        fitting = [line for line in earning if holds(when, facts, member, line)]
        bought = basket(facts) > 0 or "basket_min" in when
        expected = {
            "base": max(0, basket(facts)),
            "boost": max(0, sum(line.net_minor for line in fitting)),
            "once": 7 if bought and any(line.net_minor > 0 for line in fitting) else 0,
            "each": 7 * sum(line.net_minor > 0 for line in fitting) if bought else 0,
        }
        grants = evaluate(compiled, facts, member).grants
        given_points = {grant.rule: grant.granted for grant in grants}
        assert given_points == {rule: points for rule, points in expected.items() if points}
        why = explain(compiled, facts, member)
        assert {row.rule: row.granted for row in why.rows if row.granted} == given_points

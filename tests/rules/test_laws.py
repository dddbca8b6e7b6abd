"""Laws of evaluation over random policies and baskets."""

import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from rules import MemberFacts, Policy, compile_policy, evaluate, explain, load
from tests.rules.documents import HEAD, document, policy

ROOT = Path(__file__).resolve().parents[2]
CATEGORIES = ("food", "shoes", "gift_card")
MEMBERS = (MemberFacts(None), MemberFacts("gold"))


def random_policy(factor: str, per: int, mode: str, at: str, least: int) -> Policy:
    return policy(
        HEAD
        + f"""
currencies:
  - {{id: p, role: spendable, rounding: {{mode: {mode}, at: {at}}}}}
  - {{id: qp, role: tier_qualifying}}
business_units: [{{id: a, zone: UTC, currency: EUR}}]
groups: [{{id: g, combine: add_excess}}]
earn:
  - {{kind: base, id: shoes, currency: p, priority: 1, rate: {{points: 3, per: "{per}.00"}},
     when: {{category: [shoes]}}}}
  - {{kind: base, id: rest, currency: p, rate: {{points: 1, per: "1.00"}}}}
  - {{kind: multiplier, id: gold, currency: p, factor: "{factor}", group: g,
     when: {{tier: [gold]}}}}
  - {{kind: multiplier, id: big, currency: p, factor: "4/3", group: g,
     when: {{basket_min: "{least}.00"}}}}
  - {{kind: bonus, id: bonus, currency: p, points: 7, when: {{basket_min: "{least}.00"}}}}
tiers: {{ladder: [{{id: basic}}, {{id: gold, reach_any: [[{{currency: qp, at_least: 5}}]]}}]}}
"""
    )


policies = st.builds(
    random_policy,
    factor=st.sampled_from(["1.25", "3/2", "2", "7/6"]),
    per=st.integers(1, 9),
    mode=st.sampled_from(["floor", "ceil", "half_up", "half_even"]),
    at=st.sampled_from(["line", "rule", "transaction"]),
    least=st.integers(1, 200),
)
amounts = st.integers(0, 50_000)
baskets = st.lists(st.tuples(st.sampled_from(CATEGORIES), amounts), max_size=6)
members = st.sampled_from(MEMBERS)
few = settings(max_examples=60, deadline=None)


def total(compiled: Policy, lines: list[tuple[str, int]], member: MemberFacts) -> int:
    award = evaluate(compiled, document(lines), member)
    return sum(grant.wanted for grant in award.grants if grant.currency == "p")


@few
@given(policies, baskets, members, st.integers(0, 5), st.integers(1, 20_000))
def test_spending_more_never_earns_less(
    compiled: Policy, lines: list[tuple[str, int]], member: MemberFacts, which: int, more: int
) -> None:
    dearer = [
        (category, amount + more * (number == which))
        for number, (category, amount) in enumerate(lines)
    ]
    assert total(compiled, lines, member) <= total(compiled, dearer, member)


@few
@given(policies, baskets, members)
def test_rounded_parts_add_up_to_the_rounded_sum(
    compiled: Policy, lines: list[tuple[str, int]], member: MemberFacts
) -> None:
    why = explain(compiled, document(lines), member)
    rows = [row for row in why.rows if row.currency == "p" and row.lines]
    exact = sum((row.exact for row in rows), Fraction(0))
    wanted = sum(row.wanted for row in rows)
    at = compiled.currencies["p"].rounding_at
    if at == "transaction":
        assert abs(wanted - exact) < 1
    elif at == "rule":
        assert all(abs(row.wanted - row.exact) < 1 for row in rows)
    else:
        assert wanted == exact


@few
@given(policies, baskets, members)
def test_the_order_of_lines_does_not_matter(
    compiled: Policy, lines: list[tuple[str, int]], member: MemberFacts
) -> None:
    forwards = evaluate(compiled, document(lines), member)
    assert forwards == evaluate(compiled, document(lines[::-1]), member)


def test_a_policy_read_back_from_its_canonical_form_is_the_same_policy() -> None:
    harbour = (ROOT / "rules/programmes/harbour.yaml").read_bytes()
    for text in (HEAD + _EXTRA, harbour):
        first = load(text)
        again = load(first.canonical)
        assert again.canonical == first.canonical
        assert compile_policy(again).digest == compile_policy(first).digest


def test_writing_a_default_out_does_not_change_the_digest() -> None:
    written = _EXTRA.replace("role: spendable", "role: spendable, scale: 0, pending_days: 0")
    assert load(HEAD + written).digest == load(HEAD + _EXTRA).digest
    other = _EXTRA.replace("role: spendable", "role: spendable, pending_days: 1")
    assert load(HEAD + other).digest != load(HEAD + _EXTRA).digest


_EXTRA = """
currencies: [{id: p, role: spendable}]
business_units: [{id: a, zone: UTC, currency: EUR, point_value: "0.0125"}]
categories: [food, {id: tip, earns: true}]
earn: [{kind: base, id: base, currency: p, rate: {points: 1, per: "1.00 EUR"}}]
"""

_PROGRAM = """
from pathlib import Path
from rules import MemberFacts, compile_policy, evaluate, explain, load
from tests.rules.documents import document
policy = compile_policy(load(Path("rules/programmes/harbour.yaml").read_bytes()))
lines = [("household", 4550), ("grocery", 9925), ("fuel", 3333), ("gift_card", 5000)]
for tier in (None, "silver", "gold"):
    sale = document(lines, unit="market", currency="USD")
    print(evaluate(policy, sale, MemberFacts(tier)), explain(policy, sale, MemberFacts(tier)))
"""


def test_evaluation_is_the_same_under_any_hash_seed() -> None:
    answers = {
        subprocess.run(
            [sys.executable, "-c", _PROGRAM],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(answers) == 1
    assert "promotion.household" in answers.pop()


def test_plans_that_were_forgotten_are_made_again_the_same() -> None:
    compiled = compile_policy(load(HEAD + _EXTRA))
    first = evaluate(compiled, document(), MemberFacts())
    for number in range(5000):
        evaluate(compiled, document((("food", 100),), channel=f"till-{number}"), MemberFacts())
    assert evaluate(compiled, document(), MemberFacts()) == first

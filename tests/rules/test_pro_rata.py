"""Refunds by line: each rule keeps its lines' share of what the first final version gave."""

from hypothesis import given, settings
from hypothesis import strategies as st

from rules import Award, DocumentFacts, LineFacts, MemberFacts, evaluate, parse_quantity, pro_rata
from tests.rules.documents import HEAD, document, policy

POLICY = policy(
    HEAD
    + """
currencies: [{id: p, role: spendable}]
business_units: [{id: a, zone: UTC, currency: EUR}]
categories: [food, shoes, room]
groups: [{id: g}]
caps: [{id: day, currency: p, window: local_day, points: 300}]
earn:
  - {kind: base, id: base, currency: p, rate: {points: 1, per: "1.00"}}
  - {kind: base, id: night, currency: p, priority: 1, rate: {points: 50, per_nights: 1}, when: {category: [room]}}
  - {kind: multiplier, id: shoes, currency: p, factor: 2, group: g, when: {category: [shoes]}}
  - {kind: bonus, id: fifty, currency: p, points: 50, when: {basket_min: "100.00"}}
  - {kind: bonus, id: pair, currency: p, points: 10, per: unit, when: {category: [shoes]}}
"""  # noqa: E501 - one rule a line
)
MEMBER = MemberFacts()


def sale(lines: dict[str, tuple[str, int]]) -> DocumentFacts:
    facts = (
        LineFacts(name, category, parse_quantity("1"), net)
        for name, (category, net) in lines.items()
    )
    return document(())._replace(lines=tuple(facts), nights=2)


def kept(first: DocumentFacts, now: DocumentFacts) -> dict[str, int]:
    award = pro_rata(POLICY, first=first, award=evaluate(POLICY, first, MEMBER), now=now)
    assert award is not None
    return {grant.rule: grant.granted for grant in award.grants}


FULL = {"1": ("food", 6000), "2": ("shoes", 4000)}


def test_each_rule_keeps_the_share_of_its_own_lines() -> None:
    first = sale(FULL)
    assert kept(first, first) == {"base": 100, "shoes": 40, "fifty": 50, "pair": 10}
    # The shoes came back: nothing is left of what they gave, and three fifths of the rest.
    assert kept(first, sale({"1": ("food", 6000)})) == {"base": 60, "fifty": 30}
    # Half of the shoes' price: the threshold is not asked again.
    half = sale({"1": ("food", 6000), "2": ("shoes", 2000)})
    assert kept(first, half) == {"base": 80, "shoes": 20, "fifty": 40, "pair": 5}


def test_nights_shrink_with_the_room() -> None:
    first = sale({"1": ("room", 10000), "2": ("room", 5000), "3": ("food", 500)})
    assert kept(first, first) == {"night": 100, "base": 5, "fifty": 50}
    left = sale({"2": ("room", 5000), "3": ("food", 500)})
    assert kept(first, left) == {"night": 33, "base": 5, "fifty": 17}


def test_what_others_had_used_is_not_asked_again() -> None:
    first = sale({"1": ("food", 40000), "2": ("food", 40000)})
    award = pro_rata(
        POLICY,
        first=first,
        award=evaluate(POLICY, first, MEMBER),
        now=sale({"1": ("food", 40000)}),
    )
    assert award is not None
    assert [(grant.rule, grant.granted) for grant in award.grants] == [("base", 150)]
    assert [(use.cap.name, use.points) for use in award.uses] == [("cap/day", 150)]


def test_what_is_no_return_is_evaluated_anew() -> None:
    first = sale(FULL)
    award = evaluate(POLICY, first, MEMBER)
    dearer = sale({"1": ("food", 6001)})
    new_line = sale({**FULL, "3": ("food", 1)})
    for now in (dearer, new_line):
        assert pro_rata(POLICY, first=first, award=award, now=now) is None


def test_a_cancelled_document_keeps_nothing() -> None:
    first = sale(FULL)
    award = evaluate(POLICY, first, MEMBER)
    cancelled = first._replace(status="CANCELLED")
    assert pro_rata(POLICY, first=first, award=award, now=cancelled) == Award(award.pins, ())


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 20_000), min_size=2, max_size=5),
    st.lists(st.integers(0, 100), min_size=5, max_size=5),
)
def test_giving_back_more_never_keeps_more_and_all_keeps_nothing(
    nets: list[int], percents: list[int]
) -> None:
    lines = {str(n): ("shoes" if n % 2 else "food", net) for n, net in enumerate(nets)}
    first = sale(lines)
    left = {
        name: (category, net * percents[int(name)] // 100)
        for name, (category, net) in lines.items()
    }
    award = evaluate(POLICY, first, MEMBER)
    given_before = {grant.rule: grant.granted for grant in award.grants}
    some = kept(first, sale(left))
    assert all(points <= given_before[rule] for rule, points in some.items())
    assert kept(first, sale({})) == {}

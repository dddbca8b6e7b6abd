"""What is pinned of a member: hold-outs, and what attributes are taken for."""

from fractions import Fraction

import pytest

from rules import MemberFacts, evaluate, pin
from rules.expr import environment
from rules.facts import AttributeValue
from rules.predicates import is_held_out
from tests.rules.documents import HEAD, document, policy

TYPED = policy(
    HEAD
    + """
currencies: [{id: p, role: spendable}]
business_units: [{id: a, zone: UTC, currency: EUR}]
member_attributes: [{id: kids, type: int}, {id: app, type: bool}, {id: city, type: string}]
earn:
  - {kind: base, id: base, currency: p, rate: {points: 1, per: "1.00"}}
  - {kind: bonus, id: two, currency: p, points: 1, when: {member: [{attr: kids, op: gte, value: "2"}]}}
  - {kind: bonus, id: app, currency: p, points: 1, when: {member: [{attr: app, value: "true"}]}}
  - {kind: bonus, id: far, currency: p, points: 1, when: {member: [{attr: city, op: ne, value: rome}]}}
"""  # noqa: E501 - one rule a line
)


@pytest.mark.parametrize(
    ("attributes", "rules"),
    [
        ({}, {"far"}),
        ({"kids": 2, "app": True, "city": "rome"}, {"two", "app"}),
        ({"kids": 1, "app": False, "city": "oslo"}, {"far"}),
        # A value of another type than the declared one is no value.
        ({"kids": "3", "app": 1, "city": 7}, {"far"}),
        ({"kids": True}, {"far"}),
    ],
)
def test_attributes_are_taken_for_what_they_are_declared_as(
    attributes: dict[str, AttributeValue], rules: set[str]
) -> None:
    award = evaluate(TYPED, document(), MemberFacts(attributes=attributes))
    assert {grant.rule for grant in award.grants} - {"base"} == rules


def test_no_value_of_a_member_is_pinned() -> None:
    secret = MemberFacts(attributes={"kids": 11, "city": "ghent"}, segments=frozenset(("x",)))
    assert pin(TYPED, document(), secret).predicates == (
        'attr:city ne "rome"',
        "attr:kids gte 2",
    )


def test_a_hold_out_takes_its_share_of_the_members_and_always_the_same() -> None:
    names = [f"member-{number}" for number in range(4000)]
    out = {name for name in names if is_held_out("spring", name, Fraction(1, 10))}
    assert 340 < len(out) < 460
    wider = {name for name in names if is_held_out("spring", name, Fraction(1, 5))}
    assert out < wider
    # Another campaign draws anew.
    other = {name for name in names if is_held_out("autumn", name, Fraction(1, 10))}
    assert len(out & other) < 100
    assert not any(is_held_out("spring", name, Fraction(0)) for name in names)
    assert all(is_held_out("spring", name, Fraction(1)) for name in names)


def test_who_is_held_out_is_known_to_others_who_reckon_it() -> None:
    """int(sha256("spring/m-1")[:8]) modulo a million is below the share of a million."""
    for millionths, held_out in ((379_761, False), (379_762, True)):
        assert is_held_out("spring", "m-1", Fraction(millionths, 10**6)) is held_out


def test_an_expression_may_ask_all_that_the_environment_names() -> None:
    """On Saturday 1 March 2025 at 12:00."""
    answers = {
        **{"unit": "'a'", "channel": "'pos'", "store": "'1'", "kind": "'sale'"},
        **{"activity": "''", "currency": "'EUR'", "basket": 10000, "lines": 1, "nights": 0},
        **{"stays": 0, "local_year": 2025, "local_month": 3, "local_day": 1},
        **{"local_hour": 12, "local_minute": 0, "local_weekday": 6},
    }
    assert set(answers) == set(environment({}, ()).roots["tx"])
    expression = " && ".join(f"tx.{name} == {value}" for name, value in answers.items())
    text = (
        HEAD
        + f"""
currencies: [{{id: p, role: spendable}}]
business_units: [{{id: a, zone: UTC, currency: EUR}}]
earn: [{{kind: bonus, id: all, currency: p, points: 1, when: {{expr: "{expression}"}}}}]
"""
    )
    (grant,) = evaluate(policy(text), document(), MemberFacts()).grants
    assert grant.granted == 1

"""What is pinned besides predicates: days of enrolment, tier windows and exchange rates."""

from fractions import Fraction

from rules import MemberFacts, evaluate, pin
from tests.rules.documents import HEAD, document, instant, policy

UNITS = "business_units: [{id: a, zone: UTC, currency: EUR}, {id: u, zone: UTC, currency: USD}]"
BASE = 'earn: [{kind: base, id: base, currency: p, rate: {points: 1, per: "1.00 USD"}}]'


def text(more: str = "", *, currency: str = "", zone: str = "UTC") -> str:
    head = HEAD.replace("zone: UTC", f"zone: {zone}")
    qp = "{id: qp, role: tier_qualifying}"
    return (
        f"{head}\ncurrencies: [{{id: p, role: spendable{currency}}}, {qp}]\n{UNITS}\n{BASE}\n{more}"
    )


TIERS = "tiers: {window: %s, ladder: [{id: basic}, {id: gold, reach_any: [[%s]]}]}"
NEED = "{currency: qp, at_least: 5}"
MEMBER = MemberFacts(enrolled_at=instant("2024-05-31T20:00:00Z"))


def test_the_day_of_enrolment_is_pinned_only_where_something_counts_from_it() -> None:
    tokyo = {"zone": "Asia/Tokyo"}
    anniversary = "expiries: [{kind: anniversary, id: yearly}]"
    by_lot = text(anniversary, currency=", expiry: yearly", **tokyo)
    by_ladder = text(TIERS % ("membership_year", NEED), **tokyo)
    assert pin(policy(by_lot), document(), MEMBER).member_since == "2024-06-01"
    assert pin(policy(by_ladder), document(), MEMBER).member_since == "2024-06-01"
    assert pin(policy(text(**tokyo)), document(), MEMBER).member_since == ""
    assert pin(policy(by_lot), document(), MemberFacts()).member_since == ""


def test_points_end_on_the_anniversary_that_is_pinned() -> None:
    compiled = policy(
        text("expiries: [{kind: anniversary, id: yearly}]", currency=", expiry: yearly")
    )
    sale = document(unit="u", currency="USD")
    award = evaluate(compiled, sale, MEMBER)
    assert award.grants[0].expires_at == instant("2025-06-01T00:00:00Z")
    assert evaluate(compiled, sale, MemberFacts(), award.pins) == award


def test_ladders_that_count_by_the_day_have_days_for_windows() -> None:
    for window, expected in (
        ("calendar_year", "2025"),
        ("rolling_months", "2025-03-01"),
        ("membership_year", "2025-03-01"),
    ):
        compiled = policy(text(TIERS % (window, NEED)))
        assert pin(compiled, document(), MEMBER).tier_window == expected


def test_points_that_die_of_inactivity_have_a_life_and_no_date() -> None:
    idle = "expiries: [{kind: inactivity, id: idle, months: 6, hard_months: 24}]"
    compiled = policy(text(idle, currency=", expiry: idle"))
    (grant,) = evaluate(compiled, document(unit="u", currency="USD"), MEMBER).grants
    assert grant.expires_at is None
    assert grant.life is not None
    assert (grant.life.inactive_months, grant.life.extended_by) == (6, ("earn", "burn"))
    assert grant.life.hard_expires_at == instant("2027-03-02T00:00:00Z")


def test_the_rate_of_the_first_version_holds_for_those_after_it() -> None:
    compiled = policy(text())
    sale = document()._replace(rates=(("USD", Fraction(1, 2)), ("GBP", Fraction(2))))
    award = evaluate(compiled, sale, MEMBER)
    assert award.grants[0].granted == 200
    # Of the rates a document states, those that rules ask for are pinned.
    assert award.pins.rates == (("USD", Fraction(1, 2)),)
    later = sale._replace(rates=(("USD", Fraction(1)),))
    assert evaluate(compiled, later, MEMBER, award.pins).grants == award.grants

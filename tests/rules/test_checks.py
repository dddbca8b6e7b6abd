"""Publish checks: for each mistake, the finding that names it."""

import pytest

from rules import Finding, PolicyRefused, check, compile_policy, load

GOOD = """schema: loyalty.policy/v1
programme: test
version: 1
effective_from: 2020-01-01T00:00:00Z
zone: Europe/Berlin
currencies:
  - {id: p, role: spendable, expiry: year}
  - {id: qp, role: tier_qualifying}
business_units:
  - {id: hotel, zone: Europe/Berlin, currency: EUR, point_value: "0.01 EUR"}
  - {id: cafe, zone: Europe/London, currency: GBP, point_value: "0.01"}
categories: [room, spa, coffee, {id: tobacco, earns: false}]
groups: [{id: tier}]
expiries: [{kind: year_end, id: year}]
earn:
  - {kind: base, id: base.rooms, currency: p, priority: 1, rate: {points: 5, per: "1.00 EUR"}, when: {business_unit: [hotel], category: [room, room/*]}}
  - {kind: base, id: base.rest, currency: p, rate: {points: 1, per: "1.00"}}
  - {kind: base, id: qp, currency: qp, rate: {points: 1, per: "1.00"}}
  - {kind: multiplier, id: gold, currency: p, factor: "1.5", group: tier, when: {tier: [gold]}}
  - {kind: bonus, id: bonus, currency: p, points: 10, when: {basket_min: "20.00 EUR", line_min: "5.00 EUR"}}
redemptions: [{id: pay, currency: p}]
holds: [{timeout_hours: 24}]
tiers:
  ladder:
    - {id: basic}
    - {id: gold, reach_any: [[{currency: qp, at_least: 500}]], keep_any: [[{currency: qp, at_least: 400}]]}
"""  # noqa: E501 - one rule a line reads better than wrapped rules


def said(text: str | bytes) -> list[str]:
    return [str(finding) for finding in check(load(text))]


def test_a_good_policy_has_nothing_wrong_and_is_told_what_it_may_cost() -> None:
    found = check(load(GOOD))
    assert {finding.severity for finding in found} == {"info"}
    assert str(found[0]) == (
        "business_units[hotel]: 100 EUR earn at most 750 'p', worth 7.50 EUR, "
        "by 'base.rooms', 'gold'; besides, bonuses of up to 10 for each document, line or piece"
    )


BY_DAYS = [
    ("rolling_months", 13),
    ("rolling_months\n  window_months: 18", 19),
    ("membership_year", 25),
]


@pytest.mark.parametrize(("window", "months"), BY_DAYS)
def test_qualifying_points_that_pile_up_by_the_day_are_warned_about(
    window: str, months: int
) -> None:
    by_days = GOOD.replace("tiers:\n", f"tiers:\n  window: {window}\n")
    found = [one for one in said(by_days) if one.startswith("currencies[qp]")]
    assert len(found) == 1
    assert f"give it an expiry of at least {months} months" in found[0]
    for ends in ("role: tier_qualifying, expiry: year", "role: tier_qualifying, expiry: stay"):
        given = by_days.replace("role: tier_qualifying", ends).replace(
            "year_end, id: year}", "year_end, id: year}, {kind: never, id: stay}"
        )
        warned = [one for one in said(given) if one.startswith("currencies[qp]")]
        assert bool(warned) == ("stay" in ends)
    by_rule = by_days.replace("id: qp, currency: qp,", "id: qp, currency: qp, expiry: year,")
    assert not any("currencies[qp]" in one for one in said(by_rule))


def test_qualifying_points_by_the_calendar_year_need_no_expiry() -> None:
    assert not any("currencies[qp]" in one for one in said(GOOD))


MISTAKES = [
    ("business_unit: [hotel]", "business_unit: [hotell]",
     "earn[base.rooms].when.business_unit: unknown 'hotell' "
     "(known: cafe, hotel; did you mean 'hotel'?)"),
    ("tier: [gold]", "tier: [golden]",
     "earn[gold].when.tier: unknown 'golden' (known: basic, gold; did you mean 'gold'?)"),
    ("category: [room, room/*]", "category: [roon]",
     "earn[base.rooms].when.category: 'roon' matches no category"),
    ("expiry: year}", "expiry: yaer}", "currencies[p].expiry: unknown 'yaer'"),
    ("group: tier", "group: teir", "earn[gold].group: unknown 'teir'"),
    ("group: tier, ", "", "earn[gold]: 'group' is missing: how a multiplier stacks"),
    ("points: 10, when", "funder: spa, points: 10, when", "earn[bonus].funder: unknown 'spa'"),
    ("id: bonus, currency: p", "id: bonus, currency: q", "earn[bonus].currency: unknown 'q'"),
    ("kind: bonus", "kind: bonsu",
     "earn[bonus]: unknown kind 'bonsu' "
     "(known: base, bonus, grant, multiplier; did you mean 'bonus'?)"),
    ("basket_min: ", "basket_mim: ", "earn[bonus].when: unknown key 'basket_mim'"),
    ("id: bonus, currency: p, points: 10", "id: bonus, currency: p, points: 10, factor: 2",
     "earn[bonus]: unknown key 'factor' (known: campaign, caps, currency, expiry, funder, id, "
     "kind, pending_days, per, points, priority, title, …); kind multiplier has it"),
    ("version: 1", "verison: 1", "unknown key 'verison'"),
    ("version: 1", "version: 0", "version: must be at least 1"),
    ("version: 1", "version: 1.0", "version: expected a whole number, not '1.0'"),
    ("points: 10,", "points: 1.5,", "earn[bonus].points: expected a whole number, not '1.5'"),
    ("points: 10,", "points: -10,", "earn[bonus].points: must be at least 1"),
    ('factor: "1.5"', 'factor: "0.5"', "earn[gold].factor: a factor is at least 1"),
    ('factor: "1.5"', "factor: 1e3", "earn[gold].factor: a ratio is written"),
    ("zone: Europe/Berlin\n", "zone: Europe/Berlinn\n", "zone: unknown zone 'Europe/Berlinn'"),
    ("zone: Europe/Berlin\n", "zone: localtime\n",
     "zone: 'localtime' is no place: what it means depends on the machine"),
    ("zone: Europe/London", "zone: posixrules", "business_units[cafe].zone: 'posixrules' is no pl"),
    ("zone: Europe/London", "zone: Factory", "business_units[cafe].zone: 'Factory' is no place"),
    ("zone: Europe/London", "zone: ../../etc/passwd", "business_units[cafe].zone: unknown zone"),
    ("2020-01-01T00:00:00Z", "2020-01-01T00:00:00", "effective_from: '2020-01-01T00:00:00' is not"),
    ("currency: GBP", "currency: GPB", "business_units[cafe].currency: 'GPB' is not an ISO 4217"),
    ('per: "1.00 EUR"', 'per: "0.001 EUR"',
     "earn[base.rooms].rate.per: 0.001 EUR is not a whole number of the minor unit of EUR"),
    ('per: "1.00 EUR"', 'per: "0.00 EUR"', "earn[base.rooms].rate.per: must be above zero"),
    ('per: "1.00 EUR"', "per: 1,00 EUR", "earn[base.rooms].rate"),
    ('point_value: "0.01 EUR"', 'point_value: "0.01 GBP"', "business_units[hotel].point_value"),
    ('point_value: "0.01 EUR"', 'point_value: "0"',
     "business_units[hotel].point_value: must be above zero"),
    (', point_value: "0.01 EUR"', "",
     "redemptions[pay]: neither it nor business unit 'hotel' says a 'point_value'"),
    ("id: pay, currency: p", "id: pay, currency: qp",
     "redemptions[pay].currency: 'qp' is not spendable"),
    ("[{id: pay, currency: p}]", "[{id: pay, currency: p}, {id: too, currency: p}]",
     "redemptions[too]: 'p' at 'hotel' is already redeemed by 'pay'"),
    ("{id: p, role: spendable", "{id: p, draw_first: [hotel, hotel], role: spendable",
     "currencies[p].draw_first[1]: 'hotel' is already given"),
    ("{id: p, role: spendable", "{id: p, draw_first: [bar], role: spendable",
     "currencies[p].draw_first: unknown 'bar' (known: cafe, hotel)"),
    ("{id: qp, role: tier", "{id: qp, draw_first: [hotel], role: tier",
     "currencies[qp].draw_first: 'qp' decides tiers and cannot be spent"),
    ("[{timeout_hours: 24}]", "[{timeout_hours: 24}, {timeout_hours: 48}]",
     "holds[1]: a time for all units is already given"),
    ("[{timeout_hours: 24}]", "[{timeout_hours: 24, business_unit: [bar]}]",
     "holds[0].business_unit: unknown 'bar'"),
    ("kind: year_end, id: year", "kind: fixed, id: year, round_to: instant",
     "expiries[year]: say 'months' or 'days'"),
    ("id: base.rest", "id: base.rooms", "earn[base.rooms]: duplicate id 'base.rooms'"),
    ("{id: basic}", "{id: basic, reach_any: [[{currency: qp, at_least: 1}]]}",
     "tiers.ladder[basic]: is the lowest tier"),
    ("at_least: 400", "at_least: 600", "tiers.ladder[gold].keep_any: 600 to keep is more than 500"),
    ("currency: qp, at_least: 500", "currency: p, at_least: 500",
     "tiers.ladder[gold]: 'p' is not tier_qualifying"),
    ("reach_any: [[{currency: qp, at_least: 500}]]", "reach_any: [[]]",
     "tiers.ladder[gold]: an empty list of needs would let everyone in"),
    ("priority: 1, rate: {points: 5", "priority: 1, pending_days: 3, rate: {points: 5",
     "earn[gold]: raises 'base.rooms' and 'base.rest', which differ in 'pending_days'"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "finding"), MISTAKES)
def test_a_mistake_is_named_with_its_place(old: str, new: str, finding: str) -> None:
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    found = check(load(text))
    assert any(str(one).startswith(finding) for one in found), said(text)
    assert all(one.line > 0 for one in found)
    with pytest.raises(PolicyRefused) as refused:
        compile_policy(load(text))
    assert list(refused.value.findings) == found


WARNINGS = [
    ("category: [room, room/*]", "category: [tobacco]",
     "earn[base.rooms]: can never fire: no earning category passes its conditions"),
    ("priority: 1", "priority: -1",
     "earn[base.rooms]: can never fire: 'base.rest' comes first on every line"),
    ('factor: "1.5"', "factor: 1", "earn[gold]: a factor of 1 adds nothing"),
    ('per: "1.00 EUR"', 'per: "1.00 GBP"',
     "earn[base.rooms].rate.per: documents in EUR must state the rate of GBP, or are refused"),
    ('line_min: "5.00 EUR"', 'expr: "tx.nights % 2 > 1 || tx.nights % 0 == 1"',
     "earn[bonus].when.expr: column 34: what is divided by 0 has no answer"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "finding"), WARNINGS)
def test_a_rule_without_effect_is_warned_about_and_published(
    old: str, new: str, finding: str
) -> None:
    found = check(load(GOOD.replace(old, new, 1)))
    assert finding in map(str, found)
    assert {one.severity for one in found} == {"warning", "info"}
    compile_policy(load(GOOD.replace(old, new, 1)))


def test_a_multiplier_of_a_currency_nobody_earns_is_warned_about() -> None:
    text = GOOD.replace("currency: qp, rate", "currency: p, rate")
    text = text.replace("id: gold, currency: p", "id: gold, currency: qp")
    assert "earn[gold]: can never fire: no base rule gives 'qp' there" in said(text)


def test_a_finding_knows_its_line() -> None:
    text = GOOD.replace("tier: [gold]", "tier: [golden]")
    (found,) = check(load(text))
    assert found.line == 1 + GOOD[: GOOD.index("id: gold, currency")].count("\n")


def test_a_finding_of_json_has_a_path_and_no_line() -> None:
    found = check(load('{"schema": "loyalty.policy/v1", "version": 1.5}'))
    assert (
        Finding(
            "version",
            'floats are not exact: write a whole number, or "1.5" or "3/2" in quotes',
            "error",
            0,
        )
        in found
    )


def test_a_check_that_is_newer_than_a_published_policy_does_not_refuse_it() -> None:
    document = load(GOOD.replace("groups: [{id: tier}]", "groups: [{id: tier, excludes: [tier]}]"))
    with pytest.raises(PolicyRefused):
        compile_policy(document)
    assert compile_policy(document, published=True).digest == document.digest
    with pytest.raises(PolicyRefused):
        compile_policy(load("schema: loyalty.policy/v1"), published=True)

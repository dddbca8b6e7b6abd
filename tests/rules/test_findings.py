"""The checks of the whole language: for each mistake, the finding that names it."""

import pytest

from rules import check, load
from tests.rules.whole import WHOLE


def said(old: str = "", new: str = "", text: str = WHOLE) -> list[str]:
    assert old in text
    found = check(load(text.replace(old, new, 1)))
    assert all(one.line for one in found)
    return [f"{one.severity}: {one}" for one in found if one.severity != "info"]


def test_a_policy_that_uses_every_section_has_nothing_wrong() -> None:
    assert said() == []


ERRORS = [
    # Names: one for every section that ids are looked up in.
    ("segment_any: [students]", "segment_any: [student]",
     "earn[spa].when.segment_any: unknown 'student' (known: seniors, students; did you mean"),
    ("attr: kids", "attr: kid", "earn[family].when.member[0].attr: unknown 'kid'"),
    ("counter: visits, exactly", "counter: visit, exactly",
     "earn[fifth].when.counter[0].counter: unknown 'visit' (known: visits, weeks; did you"),
    ("campaign: spring", "campaign: sprang", "earn[spa].campaign: unknown 'sprang'"),
    ("excludes: [tier]", "excludes: [tear]", "groups[promo].excludes: unknown 'tear'"),
    ("unless_tier: [gold]", "unless_tier: [gilt]", "expiries[idle].unless_tier: unknown 'gilt'"),
    ("extended_by: [earn, quiz]", "extended_by: [earned]",
     "expiries[idle].extended_by: unknown 'earned'"),
    ("activity: [quiz]", "activity: [quizz]", "earn[quizzed].when.activity: unknown 'quizz'"),
    ("benefit: tea, when", "benefit: te, when", "earn[tea].benefit: unknown 'te'"),
    ("benefit: tea}]", "benefit: cake}]", "rewards[free].benefit: unknown 'cake'"),
    ("funder: hotel}", "funder: hostel}", "business_units[cafe].funder: unknown 'hostel'"),
    ("fee_unit: hotel", "fee_unit: motel", "transfers[send].fee_unit: unknown 'motel'"),
    ("issuer: cafe", "issuer: caff", "conversions[swap].issuer: unknown 'caff'"),
    ("{activity: quiz, min", "{activity: quizz, min", "referrals.activity: unknown 'quizz'"),
    ("into: stamp", "into: stamps", "conversions[swap].into: unknown 'stamps'"),
    ("write_off_to: hotel", "write_off_to: h", "refunds.write_off_to: unknown 'h'"),
    ("tier: [gold], points: 500", "tier: [god], points: 500",
     "refunds.limits[1].tier: unknown 'god'"),
    ("budgets: [{currency: p,", "budgets: [{currency: pp,",
     "campaigns[spring].budgets[0].currency: unknown 'pp'"),
    ("when: {business_unit: [cafe]}", "when: {business_unit: [caff]}",
     "counters[visits].when.business_unit: unknown 'caff'"),
    ("activity: [quiz]", "activity: [quiz], any: [{payment: [cheque]}]",
     "earn[quizzed].when.any[0].payment: unknown 'cheque' (known: card, cash)"),
    ("payments: [card, cash]", "payments: []\ncoupons: []", "unknown key 'coupons'"),
    ("{id: p, role: spendable", "{id: p, draw_first: hotel, role: spendable",
     "currencies[p].draw_first: expected a list, not 'hotel': write [hotel]"),
    # Twice, or taken.
    ("segments: [students, seniors]", "segments: [students, students]",
     "segments[1]: duplicate id 'students'"),
    ("id: weeks", "id: visits", "counters[visits]: duplicate id 'visits'"),
    ("activities: [quiz]", "activities: [quiz, survey]", "activities[1]: every policy knows"),
    ("id: weeks", "id: first_purchase", "counters[first_purchase]: every policy has this counter"),
    ("id: daily", "id: stamps.1", "caps[stamps.1]: 'stamps.1' is how a cap of rule 'stamps'"),
    # Conditions.
    ("op: gte, value: 1", "op: contains, value: 1",
     "earn[family].when.member[0].op: 'contains' does not fit: 'kids' is of type int"),
    ("op: gte, value: 1", "op: gte, value: one",
     "earn[family].when.member[0].value: 'kids' is of type int: write a whole number like 3"),
    ("op: gte, value: 1", "op: gte, value: [1, 2]",
     "earn[family].when.member[0].value: 'gte' compares with one value, not a list"),
    ("op: gte, value: 1", "op: in, value: [1, x]",
     "earn[family].when.member[0].value[1]: 'kids' is of type int"),
    ("op: gte, value: 1", "op: in, value: []",
     "earn[family].when.member[0].value: an empty list is met by nobody"),
    ("attr: kids, op: gte, value: 1", "attr: since, op: lte, value: 2026-02-30",
     "earn[family].when.member[0].value: 'since' is of type date: write a day like 2026-06-01"),
    ("attr: kids, op: gte, value: 1", "attr: since, op: lte, value: 20260201",
     "earn[family].when.member[0].value: 'since' is of type date"),
    ("attr: kids, op: gte, value: 1", "attr: staff, value: on",
     "earn[family].when.member[0].value: 'staff' is of type bool: write true or false, not 'on'"),
    ("attr: kids, op: gte, value: 1", "attr: city, op: gte, value: a",
     "earn[family].when.member[0].op: 'gte' does not fit: 'city' is of type string"),
    ("activity: [quiz]", "birthday: {month: true, days_after: 3}",
     "earn[quizzed].when.birthday: say either 'month' or days around the birthday"),
    ("until: 2026-06-01", "until: 2026-03-01",
     "campaigns[spring].when.window.until: 2026-03-01T00:00:00 is not after 'from'"),
    ("activity: [quiz]", 'window: {local_time: ["22:00", "22:00"]}',
     "earn[quizzed].when.window.local_time: begins and ends at 22:00"),
    ("activity: [quiz]", 'window: {local_time: ["24:00", "02:00"]}',
     "earn[quizzed].when.window.local_time: begins at 24:00: write 00:00"),
    ("tx.nights > 2", "tx.nigths > 2", "earn[tea].when.expr: column 1: unknown name 'tx.nigths'"),
    ("tx.nights > 2", 'member.tier == "golden"',
     "earn[tea].when.expr: column 16: member.tier is never 'golden' (known: basic, gold, vip; did"),
    ("tx.nights > 2", 'tx.unit in ["cafe", "bar"]',
     "earn[tea].when.expr: column 21: tx.unit is never 'bar'"),
    ("tx.nights > 2", '!("SALE" == tx.kind)', "earn[tea].when.expr: column 3: tx.kind is never"),
    ("tx.nights > 2", 'tx.channel != "App"',
     "earn[tea].when.expr: column 15: channels are compared in small letters: write 'app'"),
    ("tx.nights > 2", "tx.nights", "earn[tea].when.expr: column 1: a condition is a bool"),
    ("when: {business_unit: [cafe]}", "when: {counter: [{counter: visits, every: 2}]}",
     "counters[visits].when: its number depends on itself"),
    ("when: {business_unit: [cafe]}", "when: {expr: 'counter.visits > 1'}",
     "counters[visits].when: its number depends on itself"),
    ("period: local_week, missed_allowed: 1", "period: lifetime",
     "counters[weeks].period: a streak needs a period that comes again"),
    # Limits.
    ("excludes: [tier]", "excludes: [promo]", "groups[promo].excludes: a group cannot keep itself"),
    ('holdout: "5%"', 'holdout: "100%"', "campaigns[spring].holdout: holds out every member"),
    ("points: 100000}]", "points: 100000}, {currency: p, points: 5}]",
     "campaigns[spring].budgets[1]: a budget of 'p' for 'lifetime' is already given"),
    # Lives, spending, moving.
    ("months: 12, extended_by", "months: 12, hard_months: 12, extended_by",
     "expiries[idle].hard_months: 12 is not above 12"),
    ("redemptions: [{id: pay, currency: p,", "redemptions: [{id: pay, currency: stamp,",
     "redemptions[pay].currency: 'stamp' is not spendable"),
    ('max_basket_share: "50%"', 'max_basket_share: "150%"',
     "redemptions[pay].max_basket_share: 3/2 of a basket: say more than 0 and at most 100%"),
    ('max_basket_share: "50%"', "min_points: 100, step: 30, max_points: 110",
     "redemptions[pay].max_points: 110 is less than 120, the fewest in steps of 30"),
    ('max_basket_share: "50%"', "min_points: 9, limits: [{window: local_day, points: 5}]",
     "redemptions[pay].limits[0]: 5 is less than the fewest points at once, 9"),
    ('max_basket_share: "50%"}]', "tier: [gold]}, {id: too, currency: p, tier: [gold, vip]}]",
     "redemptions[too]: 'p' at 'hotel' is already redeemed by 'pay'"),
    ("rewards: [{id: free, currency: stamp", "rewards: [{id: free, currency: qp",
     "rewards[free].currency: 'qp' decides tiers and cannot be spent"),
    ('fee_share: "10%"', 'fee_share: "110%"', "transfers[send].fee_share: a fee of 11/10 times"),
    ("max_points: 500}]", "max_points: 500}, {id: more, currency: p}]",
     "transfers[more]: 'p' is already transferred by 'send'"),
    ("into: stamp", "into: p", "conversions[swap].into: 'p' becomes itself"),
    ("15.00 GBP", "15.00 USD",
     "referrals.minimums[1]: 15.00 USD is of the money of no business unit"),
    ("15.00 GBP", "15.00 EUR", "referrals.minimums[1]: 15.00 EUR: a minimum for that money is"),
    ("15.00 GBP", "15.00", "referrals.minimums[1]: 15.00: a minimum for that money is already"),
    ("15.00 GBP", "15.005 GBP", "referrals.minimums[1]: 15.005 GBP is not a whole number of"),
    ("into: stamp", "into: qp", "conversions[swap].into: 'qp' decides tiers and is not bought"),
    ('rate: "1/10"', "rate: 0", "conversions[swap].rate: must be above zero"),
    ("{points: 100}, {tier", "{points: 100}, {points: 9}, {tier",
     "refunds.limits[1]: a limit for all other tiers is already given"),
    ("funder: [hotel]", "funder: [motel]", "adjustments.reasons[kind].funder: unknown 'motel'"),
    ("verbs: [burn, hold]", "verbs: [burn, burn]", "velocity[fast].verbs: names something twice"),
    ("verbs: [burn, hold], per: member", "verbs: [earn_by_staff], per: client",
     "velocity[fast].per: what staff earn is counted per 'member' or per 'operator'"),
    ("points: 900, currency: p", "points: 900, currency: qp",
     "velocity[fast].currency: 'qp' decides tiers and is not moved"),
    ("points: 900, currency: p", "points: 900", "velocity[fast]: 'points' are of a 'currency'"),
    ("hours: 24, points: 900, currency: p", "hours: 24", "velocity[fast]: say 'count', 'points'"),
    ("hours: 24, points", "hours: 24, window: local_day, points",
     "velocity[fast]: say either 'window' or 'hours'"),
    ("limits: [{business_unit: [cafe], points: 5}]",
     "limits: [{business_unit: [cafe, cafe], points: 5}]",
     "adjustments.limits[0]: a limit for 'cafe' is already given"),
    ("kind: gift", 'kind: gift, percent: "120%"', "benefits[tea].percent: 6/5 of a price"),
    # The ladder.
    ("{id: vip, invite_only: true}", "{id: vip}", "tiers.ladder[vip]: cannot be reached"),
    ("{id: vip, invite_only: true}",
     "{id: vip, invite_only: true, lifetime_any: [[{metric: nights, at_least: 9}]]}",
     "tiers.ladder[vip].invite_only: is for the invited only, and can be reached"),
    ("[[{currency: qp, at_least: 500}]]", "[[{metric: spend, money: USD, at_least: 500}]]",
     "tiers.ladder[gold].reach_any[0][0].money: USD is not the money of its units"),
    ("{id: basic}", "{id: basic, invite_only: true}", "tiers.ladder[basic]: is the lowest tier"),
    # More than a number holds.
    ("points: 5, per", "points: 1000000000000, per",
     "earn[base]: could give one document 10000000000000000000000000 points"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "finding"), ERRORS)
def test_a_mistake_is_named_with_its_place(old: str, new: str, finding: str) -> None:
    found = said(old, new)
    assert any(finding in one for one in found if one.startswith("error: ")), found


FIFTH = "when: {counter: [{counter: visits, exactly: 5}]}"
NEVER = [
    # One key alone.
    ("when: {business_unit: [hotel], all: [{business_unit: [cafe]}]}",
     "no business unit passes its conditions"),
    ("when: {tier: [gold], none: [{tier: [gold, vip]}]}", "no tier passes its conditions"),
    ("when: {kind: [sale], all: [{any: [{kind: [order]}, {kind: [stay]}]}]}",
     "no kind of document passes its conditions"),
    ("when: {channel: [app], all: [{channel: [WEB]}]}", "no channel passes its conditions"),
    ("when: {brand: [a, b], brand_not: [b, a]}", "no brand passes its conditions"),
    ("when: {category: [tobacco]}", "no earning category passes its conditions"),
    ("when: {window: {weekdays: [sat]}, all: [{window: {weekdays: [sun]}}]}",
     "no day of the week passes its conditions"),
    # Several together.
    ("campaign: spring, when: {window: {from: 2026-06-01}}",
     "one window ends at 2026-06-01T00:00:00, another begins at 2026-06-01T00:00:00"),
    ("when: {segment_any: [students], segment_none: [students, seniors]}",
     "segment 'students' is both wanted and refused"),
    ("when: {member: [{attr: kids, op: gte, value: 10}, {attr: kids, op: lte, value: 9}]}",
     "'kids' cannot be at least 10 and at most 9"),
    ("when: {member: [{attr: city, value: rome}, {attr: city, value: bonn}]}",
     "'city' cannot be two values at once"),
    ("when: {member: [{attr: city, value: rome}, {attr: city, op: ne, value: rome}]}",
     "'city' is to be rome, which another test refuses"),
    ("when: {none: [{}]}", "'none' refuses what the other conditions ask"),
    ("when: {any: [{brand: [a], all: [{segment_any: [seniors], segment_none: [seniors]}]}]}",
     "none of its 'any' can hold"),
    # Activities are no purchases.
    ("when: {activity: [quiz], first_purchase: true}",
     "'first_purchase' asks for a purchase, not an activity"),
    ("when: {activity: [quiz], category: [spa]}",
     "an activity has no lines, which 'category' asks"),
    ("per: line, when: {activity: [quiz]}", "nothing to give 'per: line'"),
    ('when: {activity: [quiz], basket_min: "5.00"}',
     "'basket_min' asks for a purchase, not an activity"),
]  # fmt: skip


@pytest.mark.parametrize(("when", "why"), NEVER)
def test_a_rule_that_can_never_fire_is_warned_about(when: str, why: str) -> None:
    found = said(FIFTH, when)
    never = [one for one in found if one.startswith("warning: earn[fifth]: can never fire: ")]
    assert any(why in one for one in never), found


POSSIBLE = [
    "when: {business_unit: [hotel], any: [{business_unit: [cafe]}, {business_unit: [hotel]}]}",
    "when: {tier: [gold, vip], none: [{tier: [gold]}]}",
    "when: {none: [{tier: [gold], channel: [app]}, {tier: [basic], channel: [app]}]}",
    "when: {member: [{attr: kids, op: gte, value: 9}, {attr: kids, op: lte, value: 10}]}",
    "when: {segment_any: [students, seniors], segment_none: [students]}",
    'when: {activity: [quiz], basket_min: "0"}',
    "when: {channel: [app], all: [{channel: [APP]}]}",
    "when: {window: {weekdays: [sat], local_time: ['22:00', '02:00']}, "
    "all: [{window: {weekdays: [sun]}}]}",
]


@pytest.mark.parametrize("when", POSSIBLE)
def test_a_rule_that_can_fire_is_not_warned_about(when: str) -> None:
    assert said(FIFTH, when) == []


WARNINGS = [
    ("{kind: base, id: qp, currency: qp", "{kind: base, id: qp, currency: stamp",
     "tiers.ladder[gold].reach_any[0][0].currency: cannot be met: no rule gives 'qp'"),
    ("caps: [{window: local_day, points: 2}]",
     "caps: [{window: local_day, points: 2}, {window: local_year, points: 2}]",
     "earn[stamps].caps[0]: has no effect: cap 1 of the rule is reached first"),
    ("caps: [{window: local_day, points: 2}]", "caps: [{points: 1}]",
     "earn[stamps].caps[0]: has no effect: the rule never gives more"),
    ("points: 1, caps: [{window: local_day, points: 2}]",
     "points: 3, caps: [{window: local_day, points: 2}]",
     "earn[stamps].caps[0]: is less than the 3 points that the rule gives at once"),
    ("factor: 3\n", "factor: 3\n    caps: [{window: local_day, points: 100001}]\n",
     "earn[spa].caps[0]: has no effect: 100001 is more than the 100000 of the budget of 'spring'"),
    ("currency: p, per: member", "currency: qp, campaign: spring, per: member",
     "caps[daily]: has no effect: no rule of 'spring' gives 'qp'"),
    ("budgets: [{currency: p,", "budgets: [{currency: qp,",
     "campaigns[spring].budgets[0]: has no effect: no rule of the campaign gives 'qp'"),
    ("    campaign: spring\n", "", "campaigns[spring]: has no rules"),
    ("combine: product}", "combine: product, excludes: [promo]}", "groups[promo].excludes: keeps"),
    ("combine: product}", "combine: product, max_factor: 1}", "groups[tier].max_factor: lets"),
    ("from: 2026-03-01, until: 2026-06-01", "until: 2019-06-01",
     "campaigns[spring].when.window.until: 2019-06-01T00:00:00 is over before the policy"),
    ("period: local_year, when", "period: local_year, missed_allowed: 3, when",
     "counters[visits].missed_allowed: has no effect"),
    ("activity: [quiz]", "any: [{}]", "earn[quizzed].when.any[0]: asks nothing"),
    ("id: p, role: spendable", "id: p, draw_first: [cafe], role: spendable",
     "currencies[p].draw_first[0]: has no effect: 'cafe' is the 'funder' of nothing"),
    ("unless_tier: [gold]", "unless_tier: [basic]", "expiries[idle].unless_tier: 'basic' is every"),
    ("kind: year_end, id: year", "kind: year_end, id: year, lapse: restart",
     "expiries[year].lapse: has no effect without"),
    ("kind: year_end, id: year", "kind: never, id: year, claimed_since: claimed",
     "expiries[year].claimed_since: has no effect"),
    ('fee_share: "10%", ', "", "transfers[send].fee_unit: has no effect: there is no fee"),
    (", fee_unit: hotel", "", "transfers[send]: whichever unit sends gets the fee"),
    ("min_points: 10}]", "min_points: 9}]",
     "conversions[swap].min_points: 9 points become none: the rate is 1/10"),
    ("issuer: cafe", "issuer: cafe, fee_unit: cafe", "conversions[swap].fee_unit: has no effect"),
    ("{activity: quiz, min", "{activity: login, min",
     "referrals.activity: no rule gives anything for activity 'login'"),
    ("refunds: {", "refunds: {when_spent: refuse, ", "refunds.write_off_to: has no effect"),
    ("max_points: 900", "max_points: 900, points_alone: 900",
     "adjustments.reasons[kind].max_points: nobody is ever asked"),
    ("funder: [hotel]", "limits: [{business_unit: [hotel], points: 3}]",
     "adjustments.reasons[kind].limits[0]: has no effect: 'kind' is no reason at 'hotel'"),
    ("window: rolling_months", "window: calendar_year\n  window_months: 24",
     "tiers.window_months: has no effect"),
    ("window: rolling_months", "upgrade: at_period_end\n  upgrading_order: after",
     "tiers.upgrading_order: has no effect"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "finding"), WARNINGS)
def test_what_is_hardly_meant_is_warned_about(old: str, new: str, finding: str) -> None:
    found = said(old, new)
    assert any(one.startswith(f"warning: {finding}") for one in found), found


def test_a_multiplier_that_another_keeps_out_is_warned_about() -> None:
    boost = "  - {kind: multiplier, currency: p, group: best, "
    weaker = "id: weak, factor: 2, when: {tier: [gold]}}"
    strong = "id: strong, factor: 3}"
    text = WHOLE.replace("earn:\n", f"earn:\n{boost}{weaker}\n{boost}{strong}\n")
    best = text.replace("groups: [", "groups: [{id: best}, ")
    assert said(text=best) == [
        "warning: earn[weak]: can never fire: 'strong' gives as much or more wherever it fits"
    ]
    first = text.replace("groups: [", "groups: [{id: best, combine: first}, ")
    assert said(text=first) == [
        "warning: earn[weak]: can never fire: 'strong' comes first in group 'best' on every line"
    ]
    fits_more = best.replace("factor: 3}\n", "factor: 3, when: {kind: [order]}}\n")
    assert said(text=fits_more) == []


def test_splitting_at_a_threshold_that_is_no_money_is_refused() -> None:
    nights = WHOLE.replace("{currency: qp, at_least: 500}", "{metric: nights, at_least: 5}")
    assert said("tiers:\n", "tiers:\n  upgrading_order: split\n", nights)[0] == (
        "error: tiers.upgrading_order: 'split' divides money at the threshold, and 'nights' is none"
    )


def test_what_nothing_uses_is_noted() -> None:
    text = WHOLE.replace("groups: [", "groups: [{id: spare}, ")
    notes = [str(one) for one in check(load(text)) if one.severity == "info"]
    assert "groups[spare]: nothing in the policy uses it" in notes


def test_what_can_be_read_is_checked_although_other_parts_cannot() -> None:
    text = WHOLE.replace("version: 1", "version: one").replace("kind: base, id: qp", "id: qp")
    text = text.replace("attr: kids", "attr: kid").replace("[[{currency: qp", "[[{currency: q")
    found = [(one.line, str(one)) for one in check(load(text))]
    assert [message.split(":")[0] for _, message in found] == [
        "version",
        "earn[qp]",
        "earn[family].when.member[0].attr",
        "tiers.ladder[gold].reach_any[0][0].currency",
    ]
    assert [line for line, _ in found] == sorted(line for line, _ in found)


def test_a_name_whose_entry_cannot_be_read_is_known() -> None:
    assert said("segments: [students, seniors]", "segments: [students, Seniors]") == [
        "error: segments[1]: 'Seniors' is not an id: "
        "a small letter, then small letters, digits, _ . or -"
    ]
    assert said("type: int}", "type: integer}") == [
        "error: member_attributes[kids].type: unknown 'integer' "
        "(known: bool, date, int, string, string_list; did you mean 'int'?)"
    ]

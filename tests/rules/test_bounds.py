"""What a policy may cost at worst is said exactly, and no document can outgrow the numbers."""

import pytest

from rules import MemberFacts, check, compile_policy, evaluate, load
from tests.rules.documents import HEAD, document

UNIT = (
    HEAD
    + """
currencies: [{id: p, role: spendable}]
business_units: [{id: a, zone: UTC, currency: EUR, point_value: "0.01 EUR"}]
categories: [food, shoes]
tiers: {ladder: [{id: basic}, {id: gold, invite_only: true}, {id: vip, invite_only: true}]}
"""
)


def notes(text: str, severity: str = "info") -> list[str]:
    found = check(load(text))
    assert not [str(one) for one in found if one.severity == "error"]
    return [one.message for one in found if one.severity == severity]


def rules(*earn: str, groups: str = "[{id: g, combine: product}, {id: h}]") -> str:
    base = '{kind: base, id: base, currency: p, rate: {points: 1, per: "1.00"}}'
    return f"{UNIT}groups: {groups}\nearn:\n" + "".join(f"  - {rule}\n" for rule in (base, *earn))


def boost(name: str, factor: str, group: str, when: str = "") -> str:
    return (
        f"{{kind: multiplier, id: {name}, currency: p, factor: {factor}, group: {group}, "
        f"when: {{{when}}}}}"
    )


WORST = [
    ((), "100"),
    ((boost("x", "2", "g"), boost("y", "3", "g")), "600"),
    ((boost("x", "2", "h"), boost("y", "3", "h", "kind: [order]")), "300"),
    ((boost("x", "2", "g"), boost("y", "3", "h")), "400"),
    # What cannot hold at once is not added up.
    ((boost("x", "2", "g", "tier: [gold]"), boost("y", "3", "g", "tier: [vip]")), "300"),
    ((boost("x", "2", "g", "category: [food]"), boost("y", "3", "h", "category: [shoes]")), "300"),
    ((boost("x", "2", "g", "category: [food]"), boost("y", "3", "h", "tier: [vip]")), "400"),
    ((boost("x", "5/3", "h"),), "166.67"),
]


@pytest.mark.parametrize(("boosts", "points"), WORST)
def test_the_most_that_money_earns_is_said(boosts: tuple[str, ...], points: str) -> None:
    (said,) = [note for note in notes(rules(*boosts)) if note.startswith("100 EUR")]
    assert said.startswith(f"100 EUR earn at most {points} 'p', worth ")


@pytest.mark.parametrize(
    ("groups", "points"),
    [
        ("[{id: g, max_factor: 2}, {id: h}]", "300"),
        ("[{id: g, excludes: [h]}, {id: h}]", "400"),
        ("[{id: g, combine: add_excess}, {id: h, combine: first}]", "500"),
    ],
)
def test_the_bound_knows_what_groups_allow(groups: str, points: str) -> None:
    text = rules(boost("x", "4", "g"), boost("y", "2", "h"), groups=groups)
    (said,) = [note for note in notes(text) if note.startswith("100 EUR")]
    assert said.startswith(f"100 EUR earn at most {points} 'p'")


def test_no_sale_earns_more_than_the_bound() -> None:
    text = rules(
        boost("x", "2", "g", "tier: [gold]"),
        boost("y", "3/2", "g", "category: [shoes]"),
        boost("z", "3", "h", "kind: [order]"),
    )
    policy = compile_policy(load(text))
    best = max(
        sum(grant.granted for grant in evaluate(policy, sale, MemberFacts(tier)).grants)
        for tier in ("basic", "gold", "vip")
        for sale in (
            document([(category, 10000)], kind=kind)
            for category in ("food", "shoes")
            for kind in ("SALE", "ORDER")
        )
    )
    assert best == 500
    assert notes(text)[0].startswith("100 EUR earn at most 500 'p', worth 5 EUR, by 'base', 'x'")


def test_points_that_give_half_of_the_price_back_are_warned_about() -> None:
    text = rules(boost("x", "50", "g"))
    assert notes(text, "warning") == []
    more = text.replace("factor: 50,", "factor: 51,")
    assert notes(more, "warning") == [
        "100 EUR may earn points worth 51 EUR, by 'base', 'x'",
    ]


def test_units_alike_are_said_together_and_others_apart() -> None:
    units = ", ".join(
        f'{{id: u{n}, zone: UTC, currency: EUR, point_value: "0.01"}}' for n in range(9)
    )
    first = UNIT.index("business_units")
    end = UNIT.index("\n", first)
    text = rules("{kind: bonus, id: b, currency: p, points: 7, when: {business_unit: [u8]}}")
    text = text.replace(UNIT[first:end], f"business_units: [{units}]")
    alike, apart = [note for note in notes(text) if note.startswith("100 EUR")]
    assert alike.endswith("so at 'u0', 'u1', 'u2', 'u3', 'u4', 'u5' and 2 more")
    assert apart.endswith("besides, bonuses of up to 7 for each document, line or piece")


@pytest.mark.parametrize(
    ("rule", "fits", "too_many"),
    [
        ('{kind: base, id: r, currency: p, rate: {points: N, per: "0.01"}}', 9223, 9224),
        (
            "{kind: base, id: r, currency: p, rate: {points: N, per_quantity: 1}}",
            18446744,
            18446745,
        ),
        ("{kind: bonus, id: r, currency: p, points: N, per: unit}", 18446744, 18446745),
    ],
)
def test_a_rule_that_could_outgrow_a_whole_number_is_refused(
    rule: str, fits: int, too_many: int
) -> None:
    assert check(load(rules(rule.replace("N", str(fits)))))[0].severity != "error"
    refused = check(load(rules(rule.replace("N", str(too_many)))))[0]
    assert refused.path == "earn[r]"
    assert refused.message.startswith("could give one document ")


def test_a_multiplier_of_a_rate_that_just_fits_is_refused() -> None:
    text = rules(boost("m", "3", "g")).replace(
        'points: 1, per: "1.00"', 'points: 9000, per: "0.01"'
    )
    (refused,) = [one for one in check(load(text)) if one.severity == "error"]
    assert refused.path == "earn[m]"


def test_a_bound_is_rounded_up() -> None:
    third = rules().replace('points: 1, per: "1.00"', 'points: 1, per: "3.00"')
    assert notes(third)[0].startswith("100 EUR earn at most 33.34 'p', worth 0.34 EUR")

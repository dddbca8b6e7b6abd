"""Random policies and baskets against the naive reading of the guide, in fractions throughout.

What is below knows nothing of plans, stages or coefficients: it walks over lines and rules as the
guide tells it, and rounds where the currency says.
"""

import json
from collections.abc import Callable, Iterable
from fractions import Fraction
from math import ceil, floor
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from rules import (
    LineFacts,
    MemberFacts,
    Policy,
    RulesRefusal,
    compile_policy,
    evaluate,
    explain,
    load,
)
from rules.award import Award
from rules.explanation import Explanation
from tests.rules.documents import HEAD, document
from tests.rules.sets.policies import histories, policies
from tests.rules.sets.recorded import Posted

Raw = dict[str, Any]
NOTHING_EARNS = ("gift_card", "tax", "tip", "shipping", "deposit")


# --- the naive reading ----------------------------------------------------------------------


def half_up(exact: Fraction) -> int:
    return floor(exact + Fraction(1, 2))


MODES: dict[str, Callable[[Fraction], int]] = {
    "floor": floor,
    "ceil": ceil,
    "half_up": half_up,
    "half_even": round,
}


class Naive:
    """One document under one policy, both as plain trees."""

    def __init__(self, raw: Raw, lines: list[LineFacts]) -> None:
        self.raw = raw
        self.lines = [line for line in lines if line.category not in NOTHING_EARNS]
        self.basket = sum(line.net_minor for line in self.lines)
        ranked = sorted(raw["earn"], key=lambda rule: (-rule["priority"], rule["id"]))
        self.rules = [rule for rule in ranked if self.reaches(rule["when"].get("basket", 0))]
        self.groups: dict[str, Raw] = {group["id"]: group for group in raw["groups"]}
        self.roundings: dict[str, Raw] = {c["id"]: c["rounding"] for c in raw["currencies"]}

    def reaches(self, least: int) -> bool:
        return least == 0 or self.basket >= least

    def kind(self, kind: str, currency: str = "") -> list[Raw]:
        return [
            rule
            for rule in self.rules
            if rule["kind"] == kind and currency in ("", rule["currency"])
        ]

    def fits(self, rule: Raw, line: LineFacts) -> bool:
        when = rule["when"]
        return (
            line.category in when.get("category", [line.category])
            and line.brand in when.get("brand", [line.brand])
            and line.net_minor >= when.get("line", line.net_minor)
            and line.quantity >= Fraction(when.get("quantity", line.quantity))
        )

    def shares(self, fitting: list[Raw]) -> dict[str, Fraction]:
        """What each multiplier of a line adds to its base, as a share of it."""
        added: dict[str, Fraction] = {}
        kept_out = {
            other
            for group in self.groups.values()
            if any(rule["group"] == group["id"] for rule in fitting)
            for other in group.get("excludes", [])
        }
        for group in self.groups.values():
            ours = [rule for rule in fitting if rule["group"] == group["id"]]
            if group["id"] in kept_out or not ours:
                continue
            if group["combine"] == "first":
                ours = ours[:1]
            elif group["combine"] == "best_of":
                best = max(Fraction(rule["factor"]) for rule in ours)
                ours = [rule for rule in ours if Fraction(rule["factor"]) == best][:1]
            whole = Fraction(1)
            for rule in ours:
                factor = Fraction(rule["factor"])
                raised = whole * factor if group["combine"] == "product" else whole + factor - 1
                raised = min(raised, Fraction(group.get("max_factor", raised)))
                added[rule["id"]], whole = raised - whole, raised
        return added

    def parts(self) -> Iterable[tuple[str, str, Fraction, Fraction | None]]:
        """(rule, base rule, exact points of a line, share where base points are rounded first)."""
        for currency in self.roundings:
            for line in self.lines:
                base = next((b for b in self.kind("base", currency) if self.fits(b, line)), None)
                if base is None:
                    continue
                exact = self.base_points(base, line)
                yield base["id"], base["id"], exact, None
                raisers = [m for m in self.kind("multiplier", currency) if self.fits(m, line)]
                shares = self.shares(raisers)
                for rule in raisers:
                    share = shares.get(rule["id"], Fraction(0))
                    if rule["on"] == "rounded" and share:
                        yield rule["id"], base["id"], exact, share
                    elif share:
                        yield rule["id"], base["id"], exact * share, None

    def base_points(self, base: Raw, line: LineFacts) -> Fraction:
        if "per" in base["rate"]:
            per = Fraction(base["rate"]["per"]) * 100
            return Fraction(base["rate"]["points"]) * line.net_minor / per
        sign = (line.net_minor > 0) - (line.net_minor < 0)
        each = Fraction(base["rate"]["points"]) / Fraction(base["rate"]["per_quantity"])
        return each * line.quantity * sign

    def exact(self, rule: Raw) -> Fraction:
        """A rule's points before its own rounding; whole already where lines are rounded."""
        mode, at = self.rounder(rule)
        total, together = Fraction(0), dict[tuple[str, Fraction], Fraction]()
        for name, base, exact, share in self.parts():
            if name != rule["id"]:
                continue
            if at == "line":
                points = by_magnitude(mode, exact)
                total += by_magnitude(mode, points * share) if share is not None else points
            elif share is not None:
                together[base, share] = together.get((base, share), Fraction(0)) + exact
            else:
                total += exact
        shared = (mode(exact) * share for (_, share), exact in together.items() if exact > 0)
        return total + sum(shared, Fraction(0))

    def rounder(self, rule: Raw) -> tuple[Callable[[Fraction], int], str]:
        rounding = self.roundings[rule["currency"]]
        return MODES[rounding["mode"]], rounding["at"]

    def award(self) -> dict[str, int]:
        """The points of every rule that gives some."""
        given: dict[str, int] = {}
        running = dict.fromkeys(self.roundings, Fraction(0))
        for rule in (*self.kind("base"), *self.kind("multiplier")):
            mode, at = self.rounder(rule)
            exact = max(Fraction(0), self.exact(rule))
            if at == "transaction":
                before = running[rule["currency"]]
                running[rule["currency"]] += exact
                given[rule["id"]] = mode(before + exact) - mode(before)
            else:
                given[rule["id"]] = mode(exact)
        for rule in self.kind("bonus"):
            given[rule["id"]] = self.bonus(rule)
        return {name: points for name, points in given.items() if points}

    def bonus(self, rule: Raw) -> int:
        bought = [line for line in self.lines if line.net_minor > 0 and self.fits(rule, line)]
        if self.basket <= 0 and "basket" not in rule["when"]:
            return 0
        if rule["per"] == "unit":
            pieces = sum((line.quantity for line in bought), Fraction(0))
            return self.rounder(rule)[0](rule["points"] * pieces)
        if rule["per"] == "line":
            return int(rule["points"]) * len(bought)
        of_lines = any(key != "basket" for key in rule["when"])
        return int(rule["points"]) if bought or not of_lines else 0


def by_magnitude(mode: Callable[[Fraction], int], exact: Fraction) -> int:
    return -mode(-exact) if exact < 0 else mode(exact)


# --- what is drawn --------------------------------------------------------------------------

_lists = {
    "category": st.lists(st.sampled_from(["food", "wine", "fuel"]), min_size=1, unique=True),
    "brand": st.just(["acme"]),
}
_least = {
    "line": st.integers(1, 3000),
    "quantity": st.sampled_from(["0.5", "2"]),
    "basket": st.integers(0, 5000),
}
whens = st.fixed_dictionaries({}, optional={**_lists, **_least})
currencies = st.lists(
    st.fixed_dictionaries(
        {
            "mode": st.sampled_from(sorted(MODES)),
            "at": st.sampled_from(["line", "rule", "transaction"]),
        }
    ),
    min_size=2,
    max_size=2,
)
rates = st.fixed_dictionaries({"points": st.integers(1, 99)}).flatmap(
    lambda rate: st.one_of(
        st.integers(1, 999).map(lambda cents: rate | {"per": f"{cents // 100}.{cents % 100:02}"}),
        st.sampled_from(["1", "0.3", "7"]).map(lambda per: rate | {"per_quantity": per}),
    )
)
common = {
    "currency": st.sampled_from(["p", "q"]),
    "priority": st.integers(-1, 1),
    "when": whens,
}
bases = st.fixed_dictionaries({"kind": st.just("base"), **common, "rate": rates})
multipliers = st.fixed_dictionaries(
    {
        "kind": st.just("multiplier"),
        **common,
        "factor": st.sampled_from(["1.1", "1.25", "4/3", "2", "3.7", "1.000001"]),
        "group": st.sampled_from(["g", "h", "i"]),
        "on": st.sampled_from(["exact", "rounded"]),
    }
)
bonuses = st.fixed_dictionaries(
    {
        "kind": st.just("bonus"),
        **common,
        "points": st.integers(1, 30),
        "per": st.sampled_from(["transaction", "line", "unit"]),
    }
)
groups = st.tuples(
    *[st.sampled_from(["first", "best_of", "add_excess", "product"])] * 3,
    st.sampled_from(["", "2.5", "7/3"]),
    st.booleans(),
).map(
    lambda drawn: [
        {"id": "g", "combine": drawn[0]},
        {"id": "h", "combine": drawn[1]} | ({"max_factor": drawn[3]} if drawn[3] else {}),
        {"id": "i", "combine": drawn[2]} | ({"excludes": ["g"]} if drawn[4] else {}),
    ]
)


@st.composite
def raw_policies(draw: st.DrawFn) -> Raw:
    drawn = (
        *draw(st.lists(bases, min_size=1, max_size=4)),
        *draw(st.lists(multipliers, max_size=5)),
        *draw(st.lists(bonuses, max_size=2)),
    )
    return {
        "currencies": [
            {"id": name, "role": "spendable", "rounding": rounding}
            for name, rounding in zip("pq", draw(currencies), strict=True)
        ],
        "groups": draw(groups),
        "earn": [rule | {"id": f"r{number}"} for number, rule in enumerate(drawn)],
    }


def money(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02}"


def written(raw: Raw) -> str:
    """The policy as a document."""
    keys = {"line": "line_min", "quantity": "quantity_min", "basket": "basket_min"}
    earn = [
        rule
        | {
            "when": {
                keys.get(key, key): money(value) if key in ("line", "basket") else value
                for key, value in rule["when"].items()
            }
        }
        for rule in raw["earn"]
    ]
    head = dict(line.split(": ", 1) for line in HEAD.strip().splitlines())
    unit = {"id": "a", "zone": "UTC", "currency": "EUR"}
    return json.dumps({**head, **raw, "business_units": [unit], "earn": earn})


lines = st.builds(
    lambda category, brand, net, millionths: LineFacts(
        "", category, Fraction(millionths, 10**6), net, 0, brand
    ),
    st.sampled_from(["food", "food", "wine", "fuel", "tea", "gift_card"]),
    st.sampled_from(["", "acme"]),
    st.one_of(st.integers(-999, 9999), st.sampled_from([0, 1, 50, 100, 10**12])),
    st.one_of(st.integers(0, 5 * 10**6), st.sampled_from([10**6, 500_000, 333_333])),
)


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(raw_policies(), st.lists(st.lists(lines, max_size=6), min_size=3, max_size=3))
def test_an_award_is_what_a_naive_reader_works_out(
    raw: Raw, baskets: list[list[LineFacts]]
) -> None:
    policy = compile_policy(load(written(raw)))
    for basket in baskets:
        facts = document(())._replace(lines=tuple(basket))
        award = evaluate(policy, facts, MemberFacts())
        assert {g.rule: g.granted for g in award.grants} == Naive(raw, basket).award()


# --- explanations ---------------------------------------------------------------------------


def told(why: Explanation) -> list[tuple[object, ...]]:
    return sorted(
        (row.rule, row.currency, row.wanted, row.granted, row.cut_by, row.campaign)
        for row in why.rows
        if row.granted
    )


def given_by(award: Award) -> list[tuple[object, ...]]:
    return sorted(
        (g.rule, g.currency, g.wanted, g.granted, g.cut_by, g.campaign) for g in award.grants
    )


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(policies, histories)
def test_an_explanation_tells_what_was_given_and_every_other_rule(
    policy: Policy | None, history: list[Posted]
) -> None:
    assert policy is not None
    for posted in history:
        try:
            award = evaluate(policy, posted.document, posted.member)
        except RulesRefusal as refusal:
            assume(refusal.reason != "AMOUNT_TOO_LARGE")
            continue
        why = explain(policy, posted.document, posted.member)
        assert told(why) == given_by(award)
        assert (why.pins, why.uses, why.numbers) == (award.pins, award.uses, award.numbers)
        named = [row.rule for row in why.rows] + [skip.rule for skip in why.skipped]
        assert sorted(named) == sorted(rule.id for rule in policy.plans.rules)
        assert all(skip.condition for skip in why.skipped)

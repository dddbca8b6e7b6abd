"""Random policies and histories over the whole language, for both engines."""

import json
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from rules import DocumentFacts, LineFacts, MemberFacts, Policy, compile_policy, load
from rules.refusal import PolicyRefused
from tests.rules.documents import instant
from tests.rules.sets.recorded import Posted

UNITS = {"hotel": "EUR", "shop": "USD"}
CATEGORIES = (
    *("food", "food/fresh", "room", "room/suite", "gift_card", "shoes") * 5,
    "unknown to the policy",
)
START = instant("2025-03-28T00:00:00Z")
DAY = 86_400_000_000


def _some(*values: str) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True)


_whens: dict[str, st.SearchStrategy[Any]] = {
    "business_unit": _some(*UNITS),
    "channel": _some("pos", "web"),
    "store": _some("s1", "s2"),
    "kind": _some("sale", "stay"),
    "tier": _some("basic", "gold"),
    "category": _some("food", "food/*", "room", "shoes", "room/*"),
    "category_not": _some("food/*", "shoes"),
    "brand": _some("b1", "b2"),
    "brand_not": _some("b1"),
    "sku": _some("k1", "k2"),
    "line_min": st.sampled_from(["5.00", "20.00"]),
    "quantity_min": st.sampled_from(["2", "1.5"]),
    "basket_min": st.sampled_from(["0", "10.00", "50.00"]),
    "nights_min": st.integers(1, 3),
    "payment": _some("card", "cash"),
    "coupon": _some("C1", "C2"),
    "segment_any": _some("vip", "staff"),
    "segment_none": _some("staff"),
    "member": st.just([{"attr": "age", "op": "gte", "value": "30"}]),
    "birthday": st.sampled_from([{"month": True}, {"days_before": 3, "days_after": 3}]),
    "first_purchase": st.just(True),
    "counter": st.sampled_from(
        [
            [{"counter": "visits", "every": 2}],
            [{"counter": "visits", "at_least": 2}],
            [{"counter": "days", "exactly": 2}],
            [{"counter": "streak", "at_least": 2}],
        ]
    ),
    "window": st.sampled_from(
        [
            {"weekdays": ["sat", "sun"]},
            {"local_time": ["22:00", "02:00"], "weekdays": ["fri"]},
            {"from": "2025-03-29T00:00", "until": "2025-04-02T12:00"},
            {"local_time": ["08:00", "14:30"], "zone": "programme"},
        ]
    ),
    "expr": st.sampled_from(
        [
            "tx.basket > 2000 && tx.local_hour < 18",
            "member.age > 40 || tx.nights >= 2",
            "lines.exists(l, l.category == 'food' && l.net > 1000)",
            "counter.visits % 3 == 1",
            "has(member.age) ? tx.lines > 1 : tx.channel == 'web'",
        ]
    ),
}


@st.composite
def whens(draw: st.DrawFn, depth: int = 1) -> dict[str, Any]:
    names = draw(st.lists(st.sampled_from(sorted(_whens)), max_size=2, unique=True))
    when: dict[str, Any] = {name: draw(_whens[name]) for name in names}
    if depth and draw(st.integers(0, 3)) == 0:
        key = draw(st.sampled_from(["all", "any", "none"]))
        when[key] = draw(st.lists(whens(depth=0).filter(bool), min_size=1, max_size=2))
    return when


_caps = st.lists(
    st.fixed_dictionaries(
        {
            "points": st.integers(1, 400),
            "per": st.sampled_from(["transaction", "member", "household"]),
            "window": st.sampled_from(
                ["local_day", "local_week", "local_month", "local_year", "lifetime"]
            ),
        }
    ),
    max_size=2,
)


def _cap(raw: dict[str, Any]) -> dict[str, Any]:
    if raw["per"] == "transaction":
        return {key: value for key, value in raw.items() if key != "window"}
    return raw


@st.composite
def rules_of(draw: st.DrawFn, number: int) -> dict[str, Any]:
    kind = draw(st.sampled_from(["base", "base", "multiplier", "multiplier", "bonus"]))
    rule: dict[str, Any] = {
        "kind": kind,
        "id": f"r{number}",
        "currency": draw(st.sampled_from(["p", "p", "q"])),
        "priority": draw(st.integers(0, 2)),
        "when": draw(whens()),
        "caps": [_cap(cap) for cap in draw(_caps)],
    }
    if draw(st.booleans()):
        rule["campaign"] = "spring"
    if kind == "base":
        rate: dict[str, Any] = draw(
            st.sampled_from(
                [
                    {"per": "1.00"},
                    {"per": "3.00"},
                    {"per": "0.70 GBP"},
                    {"per_quantity": "2"},
                    {"per_nights": 1},
                ]
            )
        )
        whole = draw(st.integers(0, 3)) == 0
        rule["rate"] = {"points": draw(st.integers(1, 9)), "whole": whole, **rate}
        if "per" in rate and draw(st.integers(0, 4)) == 0:
            rule["when"]["payment"] = ["card"]
            rule["paid_share"] = True
    elif kind == "multiplier":
        rule["factor"] = draw(st.sampled_from(["1.25", "3/2", "2", "7/6"]))
        rule["group"] = draw(st.sampled_from(["g", "h"]))
        rule["on"] = draw(st.sampled_from(["exact", "rounded"]))
    else:
        rule["points"] = draw(st.integers(1, 50))
        rule["per"] = draw(st.sampled_from(["transaction", "line", "unit"]))
    return rule


_modes = st.sampled_from(["floor", "ceil", "half_up", "half_even"])
_places = st.sampled_from(["line", "rule", "transaction"])


@st.composite
def raw_policies(draw: st.DrawFn) -> dict[str, Any]:
    combine = st.sampled_from(["first", "best_of", "add_excess", "product"])
    windows = st.sampled_from(["lifetime", "local_week", "local_day"])
    budgets = [
        {"currency": "p", "points": draw(st.integers(50, 2000)), "window": window}
        for window in draw(st.lists(windows, min_size=1, max_size=2, unique=True))
    ]
    currencies = [
        {"id": name, "role": role, "rounding": {"mode": draw(_modes), "at": draw(_places)}}
        for name, role in (("p", "spendable"), ("q", "tier_qualifying"))
    ]
    earn = [draw(rules_of(number)) for number in range(draw(st.integers(1, 6)))]
    earn.append({"kind": "base", "id": "p", "currency": "p", "rate": {"points": 1, "per": "1.00"}})
    return {
        "schema": "loyalty.policy/v1",
        "programme": "test",
        "version": 1,
        "effective_from": "2020-01-01T00:00:00Z",
        "zone": "Asia/Shanghai",
        "currencies": currencies,
        "business_units": [
            {"id": "hotel", "zone": "Europe/Berlin", "currency": "EUR", "point_value": "0.01"},
            {"id": "shop", "zone": "America/New_York", "currency": "USD", "net_of": ["tax"]},
        ],
        "member_attributes": [{"id": "age", "type": "int"}],
        "segments": ["vip", "staff"],
        "payments": ["card", "cash", "other"],
        "categories": ["food", "room", "shoes", "gift_card"],
        "counters": [
            {"id": "visits", "period": draw(st.sampled_from(["lifetime", "local_month"]))},
            {"id": "days", "distinct": "local_day", "when": {"category": ["food/*", "food"]}},
            {"id": "streak", "kind": "streak", "period": "local_day", "missed_allowed": 1},
        ],
        "groups": [
            {"id": "g", "combine": draw(combine)},
            {"id": "h", "combine": draw(combine), "max_factor": "3"},
        ],
        "campaigns": [{"id": "spring", "holdout": "1/4", "budgets": budgets}],
        "caps": [
            {"id": "all", "currency": "p", "points": 500, "per": "member", "window": "local_month"}
        ],
        "earn": earn,
        "tiers": {
            "ladder": [
                {"id": "basic"},
                {"id": "gold", "reach_any": [[{"currency": "q", "at_least": 5}]]},
            ]
        },
    }


def compiled(raw: dict[str, Any]) -> Policy | None:
    """Compile, or None for a policy that the check refuses."""
    try:
        return compile_policy(load(json.dumps(raw)))
    except PolicyRefused:
        return None


policies = raw_policies().map(compiled).filter(lambda policy: policy is not None)

_parts = st.lists(
    st.tuples(st.sampled_from(["tax", "discount", "shipping"]), st.integers(0, 300)), max_size=2
)
_lines = st.builds(
    LineFacts,
    st.just(""),
    st.sampled_from(CATEGORIES),
    st.sampled_from(["1", "2", "-1", "0.375", "3.5"]).map(Fraction),
    st.one_of(*[st.integers(-2000, 9000)] * 8, st.just(10**15)),
    st.sampled_from([0, 0, 500]),
    st.sampled_from(["", "b1", "b3"]),
    st.sampled_from(["", "k1", "k3"]),
    _parts.map(tuple),
)
_payments = st.lists(
    st.tuples(st.sampled_from(["card", "cash", "other"]), st.integers(0, 5000)), max_size=2
)


@st.composite
def documents(draw: st.DrawFn) -> DocumentFacts:
    unit = draw(st.sampled_from(sorted(UNITS)))
    return DocumentFacts(
        unit,
        draw(st.sampled_from(["pos", "WEB", "app"])),
        draw(st.sampled_from(["s1", "s9"])),
        draw(st.sampled_from(["SALE", "STAY"])),
        draw(st.sampled_from(["FINAL", "FINAL", "FINAL", "PENDING", "CANCELLED"])),
        UNITS[unit],
        START + draw(st.integers(0, 5 * 48)) * DAY // 48,
        tuple(draw(st.lists(_lines, max_size=3))),
        draw(st.integers(0, 3)),
        1,
        "",
        tuple(draw(_payments)),
        tuple(draw(st.lists(st.sampled_from(["C1", "C9"]), max_size=1))),
        (("GBP", draw(st.sampled_from([Fraction(5, 6), Fraction("1.27")]))),),
    )


_members = st.builds(
    lambda number, tier, age, segments: MemberFacts(
        tier=tier,
        attributes={} if age is None else {"age": age},
        segments=frozenset(segments),
        birthday=(3, 30) if number % 2 else (5, 1),
        enrolled_at=0,
        member_id=f"m{number}",
    ),
    st.integers(1, 4),
    st.sampled_from([None, "basic", "gold"]),
    st.sampled_from([None, 20, 35, 50]),
    st.lists(st.sampled_from(["vip", "staff"]), max_size=1),
)
histories = st.lists(
    st.builds(Posted, documents(), _members, st.sampled_from(["", "h1"])), min_size=2, max_size=14
)

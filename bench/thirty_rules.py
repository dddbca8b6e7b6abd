"""A policy of thirty rules, and baskets for it: what the language costs without a ledger."""

import random
from collections.abc import Iterator
from fractions import Fraction
from typing import Final

import polars as pl

from rules import DocumentFacts, LineFacts
from rules.sets import DOCUMENTS

SECOND: Final = 1_000_000
_FROM: Final = 1_735_689_600 * SECOND
"""2025-01-01T00:00:00Z."""
_YEAR: Final = 365 * 86_400 * SECOND
_CATEGORIES: Final = tuple(f"aisle-{number}" for number in range(12))
_CHANNELS: Final = ("pos", "web", "app")
_STORES: Final = tuple(f"store-{number}" for number in range(40))
_MEMBERS: Final = 10
"""Documents of each member, about."""

_HEAD: Final = """
schema: loyalty.policy/v1
programme: bench
version: 1
effective_from: 2020-01-01T00:00:00Z
zone: Europe/Berlin
currencies: [{id: point, role: spendable}, {id: status, role: tier_qualifying}]
business_units:
  - {id: market, zone: Europe/Berlin, currency: EUR, point_value: "0.01 EUR"}
  - {id: shop, zone: Europe/London, currency: EUR, point_value: "0.01 EUR"}
groups: [{id: member, combine: add_excess}, {id: offer, combine: best_of}]
tiers: {ladder: [{id: basic}, {id: gold, reach_any: [[{currency: status, at_least: 500}]]}]}
earn:
  - {kind: base, id: base, currency: point, rate: {points: 1, per: "1.00"}}
  - {kind: base, id: status, currency: status, rate: {points: 1, per: "1.00"}}
"""
_TIMES: Final = (
    "tier: [gold]",
    "window: {weekdays: [sat, sun]}",
    'basket_min: "50.00"',
    "channel: [web]",
    "store: [store-1]",
    "category: [aisle-9]",
)
_BONUSES: Final = (
    'basket_min: "80.00"',
    'category: [aisle-1], window: {local_time: ["17:00", "19:00"]}',
    "first_purchase: true",
    "kind: [sale], channel: [app]",
)


def policy_text() -> str:
    """Ten base rules, twelve multipliers in two groups, eight bonuses of which four are capped."""
    return _HEAD + "".join(f"  - {{{rule}}}\n" for rule in (*_bases(), *_raised(), *_bonuses()))


def _bases() -> Iterator[str]:
    for number in range(8):
        yield (
            f"kind: base, id: base.{number}, currency: point, priority: {number + 1},"
            f' rate: {{points: {number + 1}, per: "1.00"}}, when: {{category: [aisle-{number}]}}'
        )


def _raised() -> Iterator[str]:
    for number in range(12):
        group, factor = ("member", "offer")[number % 2], ("1.25", "3/2", "2")[number % 3]
        yield (
            f"kind: multiplier, id: times.{number}, currency: point, factor: {factor},"
            f" group: {group}, priority: {number}, when: {{{_TIMES[number % 6]}}}"
        )


def _bonuses() -> Iterator[str]:
    for number in range(8):
        cap = "caps: [{points: 40, per: member, window: local_day}], " if number < 4 else ""
        yield (
            f"kind: bonus, id: bonus.{number}, currency: point, points: {number + 5}, {cap}"
            f"when: {{{_BONUSES[number % 4]}}}"
        )


def baskets(count: int, *, lines: int, seed: int = 1) -> list[DocumentFacts]:
    """Repeatable documents for the row engine."""
    chance = random.Random(seed)
    return [
        DocumentFacts(
            chance.choice(("market", "shop")),
            chance.choice(_CHANNELS),
            chance.choice(_STORES),
            "SALE",
            "FINAL",
            "EUR",
            _FROM + chance.randrange(_YEAR),
            tuple(
                LineFacts("", chance.choice(_CATEGORIES), Fraction(1), chance.randrange(50, 6000))
                for _ in range(lines)
            ),
        )
        for _ in range(count)
    ]


def history(count: int, *, lines: int, seed: int = 1) -> pl.DataFrame:
    """Repeatable documents for the set engine, in the order of their time."""
    chance = random.Random(seed)
    taken = pl.Series(range(count))

    def one_of(values: tuple[str, ...]) -> pl.Series:
        return pl.Series(values).gather(
            taken.sample(count, with_replacement=True, seed=chance.randrange(2**32)) % len(values)
        )

    numbers = pl.Series(range(count * lines))
    sampled = numbers.sample(fraction=1, shuffle=True, seed=chance.randrange(2**32))
    none = dict.fromkeys(("paid_with_points", "tax", "discount", "shipping", "service_charge"), 0)
    rows = pl.DataFrame({"document": numbers // lines, "mixed": sampled}).with_columns(
        pl.Series(_CATEGORIES).gather(sampled % len(_CATEGORIES)).alias("category"),
        (50 + pl.col("mixed") * 7919 % 5950).alias("net"),
        *(pl.lit("").alias(name) for name in ("brand", "sku")),
        *(pl.lit(value, dtype=pl.Int64).alias(name) for name, value in none.items()),
        pl.lit(SECOND, dtype=pl.Int64).alias("quantity"),
    )
    names = [field.name for field in DOCUMENTS["lines"].inner.fields]  # type: ignore[attr-defined]
    listed = rows.group_by("document", maintain_order=True).agg(pl.struct(names).alias("lines"))
    members = tuple(f"member-{number}" for number in range(max(1, count // _MEMBERS)))
    empty = {name: kind for name, kind in DOCUMENTS.items() if isinstance(kind, pl.List)}
    frame = pl.DataFrame(
        {
            "member": one_of(members),
            "unit": one_of(("market", "shop")),
            "channel": one_of(_CHANNELS),
            "store": one_of(_STORES),
            "tier": one_of(("basic", "basic", "basic", "gold")),
            "occurred_at": _FROM + taken * (_YEAR // max(1, count)),
            "lines": listed["lines"],
        }
    ).with_columns(
        *(pl.lit("").alias(name) for name in ("household", "activity")),
        *(pl.lit(0, dtype=pl.Int64).alias(name) for name in ("nights", "stays")),
        *(pl.lit([], dtype=kind).alias(name) for name, kind in empty.items() if name != "lines"),
        pl.lit("SALE").alias("kind"),
        pl.lit("FINAL").alias("status"),
        pl.lit("EUR").alias("currency"),
    )
    return frame.select(list(DOCUMENTS))

"""Counters and metrics: what documents are counted for, by whom and in which period."""

from collections.abc import Iterable
from dataclasses import dataclass

from rules.award import Metric
from rules.conditions import (
    FIRST_PURCHASE,
    Node,
    condition_of,
)
from rules.earning import for_purchases, of_something_bought
from rules.facts import DocumentFacts
from rules.model import Counter, Need, PolicyModel, Tiers, When
from rules.predicates import Predicates
from rules.room import CounterKey
from rules.windows import period_of


@dataclass(frozen=True, slots=True, eq=False)
class CompiledCounter:
    """A counter, and the condition of the documents that it counts."""

    id: str
    kind: str
    period: str
    by_day: bool
    missed_allowed: int
    condition: Node

    def key(self, day: int) -> CounterKey:
        """Name the counter in the period of a day number of the programme's zone."""
        return CounterKey(
            self.id,
            self.kind,
            period_of(self.period, day),
            period_of("local_day", day),
            self.by_day,
            self.missed_allowed,
        )


def counters_of(model: PolicyModel, predicates: Predicates) -> tuple[CompiledCounter, ...]:
    """Compile the declared counters, and that of first purchases where a condition asks for it."""
    found = [_compile(counter, predicates) for counter in model.counters]
    if _asks_first_purchase(model):
        built_in = Counter.model_validate({"id": FIRST_PURCHASE})
        found.append(_compile(built_in, predicates))
    return tuple(found)


def _compile(counter: Counter, predicates: Predicates) -> CompiledCounter:
    node = for_purchases(condition_of(counter.when, predicates))
    return CompiledCounter(
        id=counter.id,
        kind=counter.kind,
        period=counter.period,
        by_day=counter.distinct == "local_day",
        missed_allowed=counter.missed_allowed,
        condition=of_something_bought(counter.when, node),
    )


def _asks_first_purchase(model: PolicyModel) -> bool:
    whens: list[When] = [rule.when for rule in model.earn]
    whens += [campaign.when for campaign in model.campaigns]
    return any(map(_names_first_purchase, whens))


def _names_first_purchase(when: When) -> bool:
    return when.first_purchase or any(
        map(_names_first_purchase, (*when.all, *when.any, *when.none))
    )


class Metrics:
    """What the needs of the ladder ask of a document."""

    def __init__(self, tiers: Tiers | None) -> None:
        needs = tuple(_needs(tiers)) if tiers else ()
        self.by_day = tiers is not None and tiers.window != "calendar_year"
        self.money = frozenset(need.money for need in needs if need.metric == "spend")
        self.names = sorted({_name(need) for need in needs} - {"qualifying_points"})
        self.units = {
            name: _units(need for need in needs if _name(need) == name) for name in self.names
        }
        self.asked = bool(self.names)

    def of(
        self, document: DocumentFacts, basket: int, numbers: Iterable[str], day: int
    ) -> tuple[Metric, ...]:
        """Give what a document counts for; `numbers` are the counters that it has one in."""
        amounts = {f"counter/{name}": 1 for name in numbers}
        if not document.activity:
            amounts["nights"], amounts["stays"] = document.nights, document.stays
            if basket > 0:
                amounts["visits"] = amounts["purchases"] = 1
                if document.currency_code in self.money:
                    amounts["spend"] = basket
        unit, found = document.business_unit, []
        for name in self.names:
            amount, units = amounts.get(name, 0), self.units[name]
            if amount > 0 and (units is None or unit in units):
                scope = f"{unit}/{document.currency_code}" if name == "spend" else unit
                # Visits are distinct days, so every ladder counts them by the day.
                by_day = self.by_day or name == "visits"
                window = period_of("local_day" if by_day else "local_year", day)
                found.append(Metric(name, scope, window, amount))
        return tuple(found)


def _needs(tiers: Tiers) -> Iterable[Need]:
    for tier in tiers.ladder:
        for any_of in (tier.reach_any, tier.keep_any, tier.lifetime_any):
            for all_of in any_of:
                yield from all_of


def _name(need: Need) -> str:
    return f"counter/{need.counter}" if need.metric == "counter" else need.metric


def _units(needs: Iterable[Need]) -> frozenset[str] | None:
    """Give the units that any of the needs counts; None for all."""
    asked = [need.business_unit for need in needs]
    if any(not units for units in asked):
        return None
    return frozenset(unit for units in asked for unit in units)

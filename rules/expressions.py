"""Typed expressions as conditions: what they ask of the member is pinned, the rest asked here."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

from rules.asking import Asking
from rules.atoms import Atom, Expression, Predicate
from rules.expr import (
    Condition,
    Node,
    compile_condition,
    environment,
    member_predicates,
    pin,
    pinned_values,
    read,
    with_predicates,
)
from rules.expr.nodes import LINES, Macro, Name, walk
from rules.expr.nodes import Predicate as PredicateNode
from rules.facts import AttributeValue, MemberFacts, millionths
from rules.zones import DAY, date_of

PREFIX = "expr:"
_MINUTE = 60_000_000


class Expressions:
    """The expressions of a policy, each read once.

    Without `types` they are not read: who only looks at the shape of rules knows no attributes.
    """

    def __init__(self, types: Mapping[str, str] | None, counters: Iterable[str]) -> None:
        self._types = types or {}
        self.environment = None if types is None else environment(types, counters)
        self._predicates: dict[str, Node] = {}
        self._conditions: list[Condition] = []
        self.compiled: dict[str, CompiledExpression] = {}

    def atom(self, text: str) -> Atom:
        """Read an expression; one that asks only the member is a predicate and nothing else."""
        if self.environment is None:
            return Expression(text)
        node = read(text, self.environment)
        predicates = member_predicates(node)
        for name, part in predicates:
            if name not in self._predicates:
                self._predicates[name] = part
                self._conditions.append(compile_condition(part))
        left = with_predicates(node)
        if isinstance(left, PredicateNode):
            return Predicate(f"{PREFIX}{predicates[0][0]}")
        if text not in self.compiled:
            self.compiled[text] = CompiledExpression(predicates, left)
        return Expression(text)

    def held(self, member: MemberFacts, tier: str | None) -> list[str]:
        """Say in texts what is true of a member, and with a question mark what has no answer."""
        if not self._predicates:
            return []
        values: dict[str, Any] = {} if tier is None else {"member.tier": tier}
        for name, kind in self._types.items():
            given = member.attributes.get(name)
            value = _day(given) if kind == "date" and given is not None else given
            if value is not None:
                values[f"member.{name}"] = value
        answers = (condition(values) for condition in self._conditions)
        return [f"{PREFIX}{text}" for text in pin(self._predicates.items(), answers)]


class CompiledExpression:
    """The part of an expression that is asked of a document and its numbers."""

    def __init__(self, predicates: tuple[tuple[str, Node], ...], left: Node) -> None:
        self.predicates = predicates
        self.left = left
        self._condition = compile_condition(left)
        names = [part for part in walk(left) if isinstance(part, Name)]
        self.asks_counters = any(name.root == "counter" for name in names)
        asked = dict.fromkeys(f"{name.root}.{name.field}" for name in names)
        self._names = [(name, _OF_DOCUMENT[name]) for name in asked if name in _OF_DOCUMENT]
        self._asks_lines = any(isinstance(part, Macro) or str(part) == LINES for part in walk(left))
        self._counters = tuple(name.field for name in names if name.root == "counter")

    def holds(self, asking: Asking) -> bool:
        """Say whether it is true; where there is no answer it is not."""
        values: dict[str, Any] = {name: value(asking) for name, value in self._names}
        if self._asks_lines:
            values["lines"] = lines_of(asking)
        for name in self._counters:
            values[f"counter.{name}"] = asking.numbers.get(name, 0)
        if self.predicates:
            pins = (text[len(PREFIX) :] for text in asking.predicates if text.startswith(PREFIX))
            values.update(pinned_values(self.predicates, pins))
        return self._condition(values) is True


def _local(asking: Asking) -> date:
    return date_of(asking.wall // DAY)


def _minutes(asking: Asking) -> int:
    return asking.wall % DAY // _MINUTE


_OF_DOCUMENT: Mapping[str, Callable[[Asking], str | int]] = {
    "tx.unit": lambda asking: asking.document.business_unit,
    "tx.channel": lambda asking: asking.document.channel.lower(),
    "tx.store": lambda asking: asking.document.store,
    "tx.kind": lambda asking: asking.document.kind.lower(),
    "tx.activity": lambda asking: asking.document.activity,
    "tx.currency": lambda asking: asking.document.currency_code,
    "tx.basket": lambda asking: asking.basket,
    "tx.lines": lambda asking: len(asking.document.lines),
    "tx.nights": lambda asking: asking.document.nights,
    "tx.stays": lambda asking: asking.document.stays,
    "tx.local_year": lambda asking: _local(asking).year,
    "tx.local_month": lambda asking: _local(asking).month,
    "tx.local_day": lambda asking: _local(asking).day,
    "tx.local_hour": lambda asking: _minutes(asking) // 60,
    "tx.local_minute": lambda asking: _minutes(asking) % 60,
    "tx.local_weekday": lambda asking: _local(asking).isoweekday(),
}
"""What an expression may ask of a document as a whole, by name."""


def lines_of(asking: Asking) -> list[Mapping[str, str | int | bool]]:
    """Give what an expression may ask of lines."""
    return [
        {
            "category": line.category,
            "brand": line.brand,
            "sku": line.sku,
            "quantity_milli": millionths(line.quantity) // 1000,
            "net": line.net_minor,
            "eligible": earning > 0,
        }
        for line, earning in zip(asking.document.lines, asking.earning, strict=True)
    ]


def _day(value: AttributeValue) -> int | None:
    """Write a day as the whole number that expressions compare: yyyymmdd."""
    text = str(value).replace("-", "")
    return int(text) if text.isdigit() else None

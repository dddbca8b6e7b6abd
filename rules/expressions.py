"""Typed expressions as conditions: what they ask of the member is pinned, the rest asked here."""

from collections.abc import Iterable, Mapping
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
        self._asks_lines = any(isinstance(part, Macro) or str(part) == LINES for part in walk(left))
        self._counters = tuple(name.field for name in names if name.root == "counter")

    def holds(self, asking: Asking) -> bool:
        """Say whether it is true; where there is no answer it is not."""
        values = values_of(asking)
        if self._asks_lines:
            values["lines"] = lines_of(asking)
        for name in self._counters:
            values[f"counter.{name}"] = asking.numbers.get(name, 0)
        if self.predicates:
            pins = (text[len(PREFIX) :] for text in asking.predicates if text.startswith(PREFIX))
            values.update(pinned_values(self.predicates, pins))
        return self._condition(values) is True


def values_of(asking: Asking) -> dict[str, Any]:
    """Give what an expression may ask of a document as a whole."""
    document = asking.document
    day, clock = divmod(asking.wall, DAY)
    local, minutes = date_of(day), clock // _MINUTE
    return {
        "tx.unit": document.business_unit,
        "tx.channel": document.channel.lower(),
        "tx.store": document.store,
        "tx.kind": document.kind.lower(),
        "tx.activity": document.activity,
        "tx.currency": document.currency_code,
        "tx.basket": asking.basket,
        "tx.lines": len(document.lines),
        "tx.nights": document.nights,
        "tx.stays": document.stays,
        "tx.local_year": local.year,
        "tx.local_month": local.month,
        "tx.local_day": local.day,
        "tx.local_hour": minutes // 60,
        "tx.local_minute": minutes % 60,
        "tx.local_weekday": local.isoweekday(),
    }


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

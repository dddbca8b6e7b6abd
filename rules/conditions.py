"""Conditions as boolean trees over atoms: read from a `when`, folded, and blamed.

A tree may mix questions to the document with questions to its lines. What is known is folded away
first (the context, then the document), and the rest is asked of each line.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rules.atoms import (
    LINE_ATOMS,
    Among,
    Atom,
    BasketFrom,
    CategoryIn,
    CouponShown,
    InWindow,
    LineFrom,
    LineWord,
    NightsFrom,
    NumberIs,
    PaidWith,
    QuantityFrom,
)
from rules.model import When
from rules.money import Amount
from rules.predicates import Predicates

FIRST_PURCHASE = "first_purchase"
"""The built-in counter of purchases."""


@dataclass(frozen=True, slots=True)
class Test:
    """An atom where it is asked; `path` is the key in the rule, like `when.any[1].tier`."""

    path: str
    atom: Atom


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds; nothing holds by itself."""

    parts: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One of the parts holds."""

    parts: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    path: str
    part: "Node"


Node = Test | All | AnyOf | Not
Known = Callable[[Atom], bool | None]
"""Answers an atom, or None where it is not known yet."""


def condition_of(when: When, predicates: Predicates, path: str = "when") -> All:
    """Read a `when` as a tree, in the order of its keys; `predicates` learns what it asks."""
    return All(
        (
            *_of_context(when, path),
            *_of_payment(when, path),
            *_of_member(when, predicates, path),
            *_of_document(when, path),
            *_of_lines(when, path),
            *_nested(when, predicates, path),
            *_expression(when, predicates, path),
        )
    )


def _of_context(when: When, path: str) -> Iterator[Node]:
    if when.business_unit:
        yield Test(f"{path}.business_unit", Among("unit", frozenset(when.business_unit)))
    if when.channel:
        channels = frozenset(word.lower() for word in when.channel)
        yield Test(f"{path}.channel", Among("channel", channels))
    if when.store:
        yield Test(f"{path}.store", Among("store", frozenset(when.store)))
    if when.kind:
        yield Test(f"{path}.kind", Among("kind", frozenset(when.kind)))
    if when.activity:
        yield Test(f"{path}.activity", Among("activity", frozenset(when.activity)))


def _of_payment(when: When, path: str) -> Iterator[Node]:
    if when.payment:
        yield Test(f"{path}.payment", PaidWith(frozenset(when.payment)))
    if when.coupon:
        yield Test(f"{path}.coupon", CouponShown(frozenset(when.coupon)))


def _of_member(when: When, predicates: Predicates, path: str) -> Iterator[Node]:
    if when.tier:
        yield Test(f"{path}.tier", Among("tier", frozenset(when.tier)))
    if when.segment_any:
        here = f"{path}.segment_any"
        yield AnyOf(tuple(Test(here, predicates.segment(name)) for name in when.segment_any))
    if when.segment_none:
        here = f"{path}.segment_none"
        for name in when.segment_none:
            yield Not(here, Test(here, predicates.segment(name)))
    for number, test in enumerate(when.member):
        yield Test(f"{path}.member[{number}]", predicates.attribute(test))
    if when.birthday is not None:
        yield Test(f"{path}.birthday", predicates.birthday(when.birthday))


def _of_document(when: When, path: str) -> Iterator[Node]:
    if when.first_purchase:
        yield Test(f"{path}.first_purchase", NumberIs(FIRST_PURCHASE, "exactly", 1))
    for number, test in enumerate(when.counter):
        here = f"{path}.counter[{number}]"
        if test.exactly is not None:
            yield Test(here, NumberIs(test.counter, "exactly", test.exactly))
        if test.every is not None:
            yield Test(here, NumberIs(test.counter, "every", test.every))
        if test.at_least is not None:
            yield Test(here, NumberIs(test.counter, "at_least", test.at_least))
    if when.window is not None:
        yield Test(f"{path}.window", InWindow(when.window))
    if when.nights_min is not None:
        yield Test(f"{path}.nights_min", NightsFrom(when.nights_min))
    if when.basket_min is not None:
        yield from _in_its_money(when.basket_min, f"{path}.basket_min")
        yield Test(f"{path}.basket_min", BasketFrom(when.basket_min))


def _in_its_money(amount: Amount, path: str) -> Iterator[Node]:
    """Bind a condition to units of the currency that its amount is in."""
    if amount.currency_code is not None:
        yield Test(path, Among("currency_code", frozenset((amount.currency_code,))))


def _of_lines(when: When, path: str) -> Iterator[Node]:
    if when.category:
        yield Test(f"{path}.category", CategoryIn(when.category))
    if when.category_not:
        here = f"{path}.category_not"
        yield Not(here, Test(here, CategoryIn(when.category_not)))
    if when.brand:
        yield Test(f"{path}.brand", LineWord("brand", frozenset(when.brand)))
    if when.brand_not:
        here = f"{path}.brand_not"
        yield Not(here, Test(here, LineWord("brand", frozenset(when.brand_not))))
    if when.sku:
        yield Test(f"{path}.sku", LineWord("sku", frozenset(when.sku)))
    if when.sku_not:
        here = f"{path}.sku_not"
        yield Not(here, Test(here, LineWord("sku", frozenset(when.sku_not))))
    if when.line_min is not None:
        yield from _in_its_money(when.line_min, f"{path}.line_min")
        yield Test(f"{path}.line_min", LineFrom(when.line_min))
    if when.quantity_min is not None:
        yield Test(f"{path}.quantity_min", QuantityFrom(when.quantity_min))


def _nested(when: When, predicates: Predicates, path: str) -> Iterator[Node]:
    for number, inner in enumerate(when.all):
        yield condition_of(inner, predicates, f"{path}.all[{number}]")
    if when.any:
        yield AnyOf(
            tuple(
                condition_of(inner, predicates, f"{path}.any[{number}]")
                for number, inner in enumerate(when.any)
            )
        )
    for number, inner in enumerate(when.none):
        here = f"{path}.none[{number}]"
        yield Not(here, condition_of(inner, predicates, here))


def _expression(when: When, predicates: Predicates, path: str) -> Iterator[Node]:
    if when.expr is not None:
        yield Test(f"{path}.expr", predicates.expressions.atom(when.expr))


def fold(node: Node, known: Known) -> Node | bool:
    """Put the known answers in and give what is left to ask, or the answer."""
    if isinstance(node, Test):
        answer = known(node.atom)
        return node if answer is None else answer
    if isinstance(node, Not):
        inner = fold(node.part, known)
        return not inner if isinstance(inner, bool) else Not(node.path, inner)
    decisive = isinstance(node, AnyOf)
    left: list[Node] = []
    for part in node.parts:
        folded = fold(part, known)
        if not isinstance(folded, bool):
            left.append(folded)
        elif folded is decisive:
            return decisive
    if not left:
        return not decisive
    if len(left) == 1:
        return left[0]
    return AnyOf(tuple(left)) if decisive else All(tuple(left))


def conjuncts(node: Node) -> Iterator[Node]:
    """Give the parts that must all hold."""
    if isinstance(node, All):
        for part in node.parts:
            yield from conjuncts(part)
    else:
        yield node


def atoms(node: Node) -> Iterator[Atom]:
    """Give every atom of a tree, as often as it is asked."""
    if isinstance(node, Test):
        yield node.atom
    elif isinstance(node, Not):
        yield from atoms(node.part)
    else:
        for part in node.parts:
            yield from atoms(part)


def asks_document(node: Node) -> bool:
    """Say whether any question is for the document."""
    return not all(isinstance(atom, LINE_ATOMS) for atom in atoms(node))


def names_activity(node: Node) -> bool:
    """Say whether a condition looks at activities; what does not is for purchases only."""
    return any(isinstance(atom, Among) and atom.field == "activity" for atom in atoms(node))


def first_false(node: Node, known: Known) -> str | None:
    """Name the path of the first condition that is false; None when the tree may hold.

    Of several alternatives that all fail it is the first one's.
    """
    if isinstance(node, Test):
        return node.path if known(node.atom) is False else None
    if isinstance(node, Not):
        return _forbidden(node) if fold(node.part, known) is True else None
    blamed = [first_false(part, known) for part in node.parts]
    if isinstance(node, All):
        return next((path for path in blamed if path is not None), None)
    return blamed[0] if blamed and None not in blamed else None


def _forbidden(node: Not) -> str:
    """Name what must not hold: the condition itself where there is only one."""
    asked = list(_paths(node.part))
    return asked[0] if len(asked) == 1 else node.path


def _paths(node: Node) -> Iterator[str]:
    if isinstance(node, Test | Not):
        yield node.path
    else:
        for part in node.parts:
            yield from _paths(part)

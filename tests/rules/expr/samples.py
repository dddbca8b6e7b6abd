"""Random well-typed expressions, and values to ask them of."""

from collections.abc import Mapping
from functools import cache
from typing import Any, cast

from hypothesis import strategies as st

from rules.expr import COST_MAX, cost, environment
from rules.expr.nodes import (
    Binary,
    BinaryOp,
    Call,
    Choice,
    Constant,
    Flag,
    Function,
    Items,
    Logic,
    Macro,
    Name,
    Node,
    Text,
    Unary,
    Whole,
)

ATTRIBUTES = {
    "kids": "int",
    "kids.count": "int",
    "first-name": "string",
    "vip": "bool",
    "born": "date",
    "tags": "string_list",
}
ENVIRONMENT = environment(ATTRIBUTES, ["visits", "stay-count"])

NAMES: Mapping[str, Mapping[str, tuple[Name, ...]]] = {
    "tx": {
        "int": (
            Name("tx", "nights"),
            Name("tx", "basket"),
            Name("counter", "visits"),
            Name("counter", "stay-count"),
        ),
        "string": (Name("tx", "unit"), Name("tx", "channel")),
        "bool": (),
        "list": (),
    },
    "member": {
        "int": (Name("member", "kids"), Name("member", "kids.count")),
        "string": (Name("member", "tier"), Name("member", "first-name")),
        "bool": (Name("member", "vip"),),
        "list": (Name("member", "tags"),),
    },
    "line": {
        "int": (Name("l", "net"), Name("l", "quantity_milli"), Name("tx", "nights")),
        "string": (Name("l", "category"), Name("l", "brand")),
        "bool": (Name("l", "eligible"),),
        "list": (),
    },
}
NUMBERS = (0, 1, -1, 2, 3, -7, 10, 2**31, 3037000500, 2**62, 2**63 - 1, -(2**63))
TEXTS = ("", "a", "b", "ab", "room/x", "日本", "é", '"q\\', "\n\u2028")

Strategy = st.SearchStrategy[Node]


def binary(ops: tuple[str, ...], left: Strategy, right: Strategy) -> Strategy:
    return st.builds(Binary, st.sampled_from(cast(tuple[BinaryOp, ...], ops)), left, right)


def leaves(names: tuple[Name, ...], constants: st.SearchStrategy[Constant]) -> Strategy:
    return st.one_of(st.sampled_from(names), constants) if names else cast(Strategy, constants)


NUMBER = st.builds(Whole, st.one_of(st.sampled_from(NUMBERS), st.integers(-99, 99)))
TEXT = st.builds(Text, st.one_of(st.sampled_from(TEXTS), st.text(max_size=3)))
FLAG = st.builds(Flag, st.booleans())


def items(constants: st.SearchStrategy[Constant]) -> st.SearchStrategy[Items]:
    return st.builds(Items, st.lists(constants, min_size=1, max_size=3).map(tuple))


@cache
def ints(pool: str, depth: int, lines: bool) -> Strategy:
    leaf = leaves(NAMES[pool]["int"], NUMBER)
    if depth == 0:
        return leaf
    inner = ints(pool, depth - 1, lines)
    sizes: list[Strategy] = [texts(pool, depth - 1, lines), *map(st.just, NAMES[pool]["list"])]
    if lines and pool == "tx":
        sizes += [
            st.just(Name("lines", "")),
            st.builds(Macro, st.just("filter"), st.just("l"), bools("line", depth - 1, lines)),
        ]
    return st.one_of(
        leaf,
        st.builds(Unary, st.just("-"), inner),
        binary(("+", "-", "*", "/", "%"), inner, inner),
        st.builds(Choice, bools(pool, depth - 1, lines), inner, inner),
        st.builds(lambda of: Call("size", (of,)), st.one_of(sizes)),
    )


@cache
def texts(pool: str, depth: int, lines: bool) -> Strategy:
    leaf = leaves(NAMES[pool]["string"], TEXT)
    if depth == 0:
        return leaf
    inner = texts(pool, depth - 1, lines)
    return st.one_of(leaf, st.builds(Choice, bools(pool, depth - 1, lines), inner, inner))


@cache
def bools(pool: str, depth: int, lines: bool) -> Strategy:
    leaf = leaves(NAMES[pool]["bool"], FLAG)
    if depth == 0:
        return leaf
    number, text = ints(pool, depth - 1, lines), texts(pool, depth - 1, lines)
    inner = bools(pool, depth - 1, lines)
    compare = ("==", "!=", "<", "<=", ">", ">=")
    asked = [name for names in NAMES[pool].values() for name in names]
    choices = [
        leaf,
        *(binary(compare, kind, kind) for kind in (number, number, text, inner)),
        binary(("in",), number, items(NUMBER)),
        binary(("in",), text, st.one_of(items(TEXT), *map(st.just, NAMES[pool]["list"]))),
        binary(("in",), inner, items(FLAG)),
        st.builds(
            lambda function, a, b: Call(cast(Function, function), (a, b)),
            st.sampled_from(("startsWith", "endsWith", "contains")),
            text,
            text,
        ),
        st.builds(lambda name: Call("has", (name,)), st.sampled_from(asked)),
        combined(inner),
    ]
    if lines and pool == "tx":
        kinds = st.sampled_from(("all", "exists", "exists_one"))
        choices.append(
            st.builds(Macro, cast(Any, kinds), st.just("l"), bools("line", depth - 1, lines))
        )
    return st.one_of(choices)


def combined(part: Strategy) -> Strategy:
    """Put yes and no together in every way there is."""
    return st.one_of(
        st.builds(Unary, st.just("!"), part),
        st.builds(
            Logic,
            st.sampled_from(("&&", "||")),
            st.lists(part, min_size=2, max_size=3).map(tuple),
        ),
        st.builds(Choice, part, part, part),
    )


def conditions(*, lines: bool) -> Strategy:
    """Return conditions that the check accepts: the member is asked in parts of its own."""
    part = st.one_of(bools("tx", 3, lines), bools("member", 2, lines))
    any_of = st.one_of(part, combined(part), combined(combined(part)))
    # Not a filter: to say what it left out, hypothesis would write down the whole strategy.
    return any_of.map(lambda node: node if cost(node) <= COST_MAX else Flag(True))


# --- values -----------------------------------------------------------------------------

_INT = st.one_of(st.sampled_from(NUMBERS), st.integers(-99, 99))
_STRING = st.sampled_from(TEXTS)
_LINE = st.fixed_dictionaries(
    {},
    optional={
        "category": _STRING,
        "brand": _STRING,
        "sku": _STRING,
        "net": _INT,
        "quantity_milli": _INT,
        "eligible": st.booleans(),
    },
)
_BY_KIND: Mapping[str, st.SearchStrategy[Any]] = {
    "int": _INT,
    "string": _STRING,
    "bool": st.booleans(),
    "list": st.lists(_STRING, max_size=2).map(tuple),
}
VALUES: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"lines": st.lists(_LINE, max_size=3).map(tuple)},
    optional={
        f"{name.root}.{name.field}": _BY_KIND[kind]
        for pool in ("tx", "member")
        for kind, names in NAMES[pool].items()
        for name in names
    },
)
"""Values of one document, any of which may be missing."""

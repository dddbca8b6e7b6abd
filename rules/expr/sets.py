"""Turn a checked expression into a Polars expression over many documents at once.

A column is called like its value, `tx.nights`; a predicate's like its text. Ints are Int64
columns, texts String, lists List(String). Null stands for no value in a column and for a fault in
the answer; elsewhere the answers are those of the closure. Polars' own logic treats null as CEL
treats an error (`null & false` is false), so nothing has to be done for it.

Only this module needs polars, and nothing else in rules imports it.
"""

import operator
from collections.abc import Callable, Mapping
from typing import Final

import polars as pl

from rules.expr.nodes import (
    LINES,
    Binary,
    Call,
    Choice,
    Constant,
    Items,
    Logic,
    Macro,
    Name,
    Node,
    Predicate,
    Unary,
    Whole,
    walk,
)
from rules.expr.split import roots
from rules.expr.types import ELEMENT, Environment

_WIDE: Final = pl.Int128
"""Sums and products of two 64-bit numbers fit; what does not fit back becomes null."""


class NotSetBased(Exception):
    """The expression cannot be asked of many documents at once; ask the row engine."""


def as_polars(node: Node, environment: Environment) -> pl.Expr:
    """Return the condition as a boolean Polars expression, null where a closure has a fault."""
    for part in walk(node):
        if isinstance(part, Macro):
            raise NotSetBased(f"{part}: a set has one row for a document, not one for a line")
        if part == Name(LINES, ""):
            raise NotSetBased(f"size({LINES}): the lines are not in the set; tx.lines counts them")
        if isinstance(part, Choice) and not roots(part.test):
            # Polars gives one value instead of a column where such a test is folded away.
            raise NotSetBased(f"{part.test}: a test that asks nothing; write the side it chooses")
    return _Compiler(environment).expression(node)


def _constant(node: Constant) -> pl.Expr:
    if isinstance(node, Whole):
        return pl.lit(node.value, dtype=pl.Int64)
    return pl.lit(node.value)


def _whole(value: int) -> pl.Expr:
    return pl.lit(value, dtype=_WIDE)


def _narrow(wide: pl.Expr) -> pl.Expr:
    return wide.cast(pl.Int64, strict=False)


_COMPARE: Final[Mapping[str, Callable[[pl.Expr, pl.Expr], pl.Expr]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_CALCULATE: Final[Mapping[str, Callable[[pl.Expr, pl.Expr], pl.Expr]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
}


class _Compiler:
    """Builds the expression from below; the environment tells a text from a list."""

    def __init__(self, environment: Environment) -> None:
        self._roots = environment.roots

    def expression(self, node: Node) -> pl.Expr:
        if isinstance(node, Constant):
            return _constant(node)
        match node:
            case Name():
                return pl.col(f"{node.root}.{node.field}")
            case Predicate():
                return pl.col(str(node))
            case Unary():
                operand = self.expression(node.operand)
                return ~operand if node.op == "!" else _narrow(_whole(0) - operand.cast(_WIDE))
            case Binary():
                return self._binary(node)
            case Logic():
                parts = [self.expression(operand) for operand in node.operands]
                return pl.all_horizontal(parts) if node.op == "&&" else pl.any_horizontal(parts)
            case Choice():
                test = self.expression(node.test)
                # Two whens: `otherwise` would also take the rows where the test is null.
                return (
                    pl.when(test)
                    .then(self.expression(node.then))
                    .when(~test)
                    .then(self.expression(node.otherwise))
                )
            case Call():
                return self._call(node)
        raise TypeError(f"no node of a checked condition: {node!r}")

    def _binary(self, node: Binary) -> pl.Expr:
        if node.op == "in":
            return self._membership(node)
        left, right = self.expression(node.left), self.expression(node.right)
        if node.op in _COMPARE:
            return _COMPARE[node.op](left, right)
        a, b = left.cast(_WIDE), right.cast(_WIDE)
        if node.op in _CALCULATE:
            return _narrow(_CALCULATE[node.op](a, b))
        # Polars rounds down, CEL towards zero: divide the sizes. A division by zero is null there.
        quotient = _narrow((a.abs() // b.abs()) * a.sign() * b.sign())
        return quotient if node.op == "/" else _narrow(a - b * quotient.cast(_WIDE))

    def _membership(self, node: Binary) -> pl.Expr:
        item = self.expression(node.left)
        if isinstance(node.right, Items):
            known = pl.Series([constant.value for constant in node.right.items])
            found = item.is_in(known.implode())
            # Polars does not take a constant searched in a list for one value for all rows.
            return found if roots(node.left) else found.first()
        found = self.expression(node.right).list.contains(item)
        # A search for null in a list is answered; here it is a fault.
        return pl.when(item.is_not_null()).then(found)

    def _call(self, node: Call) -> pl.Expr:
        if node.function == "size":
            return self._size(node.operands[0]).cast(pl.Int64)
        subject, *given = map(self.expression, node.operands)
        match node.function:
            case "has":
                return subject.is_not_null()
            case "startsWith":
                return subject.str.starts_with(given[0])
            case "endsWith":
                return subject.str.ends_with(given[0])
        return subject.str.contains(given[0], literal=True)

    def _size(self, node: Node) -> pl.Expr:
        if isinstance(node, Items):
            return pl.lit(len(node.items))
        subject = self.expression(node)
        listed = isinstance(node, Name) and self._roots[node.root][node.field] in ELEMENT
        return subject.list.len() if listed else subject.str.len_chars()

"""An interpreter of its own: every part is answered, nothing is cut short, nothing compiled.

It shares no code with the closures, so that both have to be right for both to agree.
"""

import operator
from collections.abc import Callable, Mapping
from typing import Any

from rules.expr.nodes import (
    Binary,
    Call,
    Choice,
    Flag,
    Items,
    Logic,
    Macro,
    Name,
    Node,
    Predicate,
    Text,
    Unary,
    Whole,
)

_CALCULATE = {"+": operator.add, "-": operator.sub, "*": operator.mul}
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: not b < a,
    ">": lambda a, b: b < a,
    ">=": lambda a, b: not a < b,
}
ERROR = "no answer"
"""Stands for every error; a string, because no condition gives one."""


def answer(node: Node, values: Mapping[str, Any]) -> bool | str:
    """Return True, False or ERROR."""
    outcome = _value(node, values, {})
    return ERROR if outcome is None else bool(outcome)


def _value(  # noqa: C901 - one arm per node, so that it reads like the grammar
    node: Node, values: Mapping[str, Any], line: Mapping[str, Any]
) -> Any:
    match node:
        case Whole() | Flag() | Text():
            return node.value
        case Items():
            return [item.value for item in node.items]
        case Predicate():
            return values.get(str(node))
        case Name():
            if node.root == "l":
                return line.get(node.field)
            return values.get(f"{node.root}.{node.field}".rstrip("."))
        case Macro():
            return _macro(node, values)
        case Logic():
            return _logic(node.op, [_value(part, values, line) for part in node.operands])
        case Choice():
            test = _value(node.test, values, line)
            both = _value(node.otherwise, values, line), _value(node.then, values, line)
            return None if test is None else both[test]
        case Call(function="has"):
            return _value(node.operands[0], values, line) is not None
        case Unary():
            one = _value(node.operand, values, line)
            return None if one is None else (not one) if node.op == "!" else _int64(-one)
        case Binary():
            pair = [_value(node.left, values, line), _value(node.right, values, line)]
            return None if None in pair else _binary(node.op, *pair)
        case Call():
            given = [_value(part, values, line) for part in node.operands]
            return None if None in given else _call(node.function, given)


def _logic(op: str, parts: list[Any]) -> bool | None:
    if op == "&&":
        return False if False in parts else None if None in parts else True
    return True if True in parts else None if None in parts else False


def _macro(node: Macro, values: Mapping[str, Any]) -> Any:
    lines = values["lines"]
    parts = [_value(node.body, values, line) for line in lines]
    if node.kind in ("all", "exists"):
        return _logic("&&" if node.kind == "all" else "||", parts)
    if None in parts:
        return None
    if node.kind == "exists_one":
        return parts.count(True) == 1
    return [line for line, chosen in zip(lines, parts, strict=True) if chosen]


def _binary(op: str, a: Any, b: Any) -> Any:
    if op in ("/", "%"):
        if b == 0:
            return None
        # Divided with the signs taken off, one after the other.
        quotient = (a if a >= 0 else -a) // (b if b >= 0 else -b)
        signed = quotient if (a >= 0) == (b >= 0) else -quotient
        if _int64(signed) is None:
            return None
        return signed if op == "/" else a - b * signed
    if op in _CALCULATE:
        return _int64(_CALCULATE[op](a, b))
    return a in b if op == "in" else _COMPARE[op](a, b)


def _call(function: str, given: list[Any]) -> Any:
    if function == "size":
        return len(given[0])
    subject, part = given
    match function:
        case "startsWith":
            return subject[: len(part)] == part
        case "endsWith":
            return subject[len(subject) - len(part) :] == part if part else True
    return part in subject


def _int64(value: int) -> int | None:
    return value if -(2**63) <= value < 2**63 else None

"""Compile a checked expression into a Python closure.

An answer has three values: `True`, `False`, or a `Fault`, which is falsy and says why there is no
answer. A fault is returned and not raised, so that an evaluation over many rules is total: nobody
can forget to catch it, and an explanation can still tell it from a plain no. The same values give
the same answer, faults included: of several, the first in the order of the text is reported.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

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
)
from rules.expr.problems import Fault

Value = bool | int | str | Sequence[str]
Line = Mapping[str, Value]
Values = Mapping[str, Any]
"""Values by full name, like `tx.nights`, and `lines`, a sequence of mappings by field.

What has no value is left out (never None): asking for it is a fault, `has()` tells. An answer of
a predicate stands under its text, `predicate("…")`.
"""
Answer = bool | Fault
Condition = Callable[[Values], Answer]

_NO_LINE: Final[Line] = {}
_Step = Callable[[Values, Line], Any]
"""A compiled node; the line is the one that a macro asks just now."""

_SMALLEST: Final = -(2**63)
_LARGEST: Final = 2**63 - 1


class _Faulted(Exception):
    """Ends the calculation of a part; what is around it may do without that part."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(fault.message)


# A missing value shows as KeyError: looking it up directly is what makes the closures fast.
_FAULTS = (_Faulted, KeyError)


def compile_condition(node: Node) -> Condition:
    """Compile a checked condition. Give the answer to `if`; keep it to explain."""
    step = _step(node)

    def condition(values: Values) -> Answer:
        try:
            return step(values, _NO_LINE)  # type: ignore[no-any-return]
        except _FAULTS as raised:
            return _fault(raised)

    return condition


def _fault(raised: _Faulted | KeyError) -> Fault:
    if isinstance(raised, _Faulted):
        return raised.fault
    return Fault(f"{raised.args[0]} has no value")


def _step(node: Node) -> _Step:
    if isinstance(node, Constant):
        constant = node.value
        return lambda values, line: constant
    match node:
        case Items():
            items = tuple(item.value for item in node.items)
            return lambda values, line: items
        case Name() | Predicate():
            return _lookup(node)
        case Unary():
            return _unary(node)
        case Binary():
            return _binary(node)
        case Logic():
            return _logic(node)
        case Choice():
            return _choice(node)
        case Call():
            return _call(node)
    return _macro(node)


# --- values -----------------------------------------------------------------------------


def _lookup(node: Name | Predicate) -> _Step:
    key = str(node)
    if isinstance(node, Name):
        key = f"{node.root}.{node.field}" if node.field else node.root
        if _of_line(node):
            field = node.field
            return lambda values, line: line[field]
    return lambda values, line: values[key]


_ROOTS = frozenset({"tx", "member", "counter", LINES})


def _of_line(name: Name) -> bool:
    # The checker lets no macro call its line by one of these.
    return name.root not in _ROOTS


def _unary(node: Unary) -> _Step:
    operand = _step(node.operand)
    if node.op == "!":
        return lambda values, line: not operand(values, line)
    text = str(node)

    def negative(values: Values, line: Line) -> int:
        return _bounded(-operand(values, line), text)

    return negative


# --- comparisons and calculations -------------------------------------------------------

_COMPARE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _binary(node: Binary) -> _Step:
    if node.op == "in":
        return _membership(node)
    compare = _COMPARE.get(node.op)
    if compare is None:
        return _calculation(node)
    test = compare
    left, right = _step(node.left), _step(node.right)
    if isinstance(node.right, Constant):
        # Most conditions are a name against a constant; the rest pays two more calls.
        constant = node.right.value
        if isinstance(node.left, Name) and node.left.field and not _of_line(node.left):
            key = f"{node.left.root}.{node.left.field}"
            return lambda values, line: test(values[key], constant)
        return lambda values, line: test(left(values, line), constant)
    return lambda values, line: test(left(values, line), right(values, line))


def _membership(node: Binary) -> _Step:
    item = _step(node.left)
    if isinstance(node.right, Items):
        known = frozenset(constant.value for constant in node.right.items)
        return lambda values, line: item(values, line) in known
    among = _step(node.right)
    return lambda values, line: item(values, line) in among(values, line)


def _calculation(node: Binary) -> _Step:
    left, right, text = _step(node.left), _step(node.right), str(node)
    calculate = _CALCULATE[node.op]

    def calculation(values: Values, line: Line) -> int:
        a, b = left(values, line), right(values, line)
        return calculate(a, b, text)

    return calculation


def _bounded(value: int, text: str) -> int:
    if _SMALLEST <= value <= _LARGEST:
        return value
    raise _Faulted(Fault(f"{text} is too large for a whole number of 64 bits"))


def _sum(a: int, b: int, text: str) -> int:
    return _bounded(a + b, text)


def _difference(a: int, b: int, text: str) -> int:
    return _bounded(a - b, text)


def _product(a: int, b: int, text: str) -> int:
    return _bounded(a * b, text)


def _quotient(a: int, b: int, text: str) -> int:
    if b == 0:
        raise _Faulted(Fault(f"{text} divides by zero"))
    size = abs(a) // abs(b)
    return _bounded(-size if (a < 0) != (b < 0) else size, text)


def _remainder(a: int, b: int, text: str) -> int:
    # Through the quotient, because CEL calls the smallest number % -1 an overflow, too.
    return a - b * _quotient(a, b, text)


_CALCULATE: Final[Mapping[str, Callable[[int, int, str], int]]] = {
    "+": _sum,
    "-": _difference,
    "*": _product,
    "/": _quotient,
    "%": _remainder,
}


# --- logic ------------------------------------------------------------------------------


def _logic(node: Logic) -> _Step:
    steps = tuple(map(_step, node.operands))
    decisive = node.op == "||"

    def logic(values: Values, line: Line) -> bool:
        fault: Fault | None = None
        for step in steps:
            try:
                outcome: bool = step(values, line)
                if outcome is decisive:
                    return outcome
            except _FAULTS as raised:
                # A fault is falsy: `fault or …` would keep the last one, not the first.
                fault = _fault(raised) if fault is None else fault
        if fault is not None:
            raise _Faulted(fault)
        return not decisive

    return logic


def _choice(node: Choice) -> _Step:
    test, then, otherwise = _step(node.test), _step(node.then), _step(node.otherwise)
    return lambda values, line: (
        then(values, line) if test(values, line) else otherwise(values, line)
    )


# --- functions and macros ---------------------------------------------------------------


def _call(node: Call) -> _Step:
    first = node.operands[0]
    if node.function == "has" and isinstance(first, Name):
        return _presence(first)
    subject = _step(first)
    if node.function == "size":
        return lambda values, line: len(subject(values, line))
    given = _step(node.operands[1])
    match node.function:
        case "startsWith":
            return lambda values, line: subject(values, line).startswith(given(values, line))
        case "endsWith":
            return lambda values, line: subject(values, line).endswith(given(values, line))
    return lambda values, line: given(values, line) in subject(values, line)


def _presence(name: Name) -> _Step:
    field, key = name.field, f"{name.root}.{name.field}"
    if _of_line(name):
        return lambda values, line: field in line
    return lambda values, line: key in values


def _macro(node: Macro) -> _Step:
    body = _step(node.body)
    match node.kind:
        case "exists_one":
            return lambda values, _: sum(body(values, line) for line in values[LINES]) == 1
        case "filter":
            return lambda values, _: [line for line in values[LINES] if body(values, line)]
    decisive = node.kind == "exists"

    def question(values: Values, _: Line) -> bool:
        fault: Fault | None = None
        for line in values[LINES]:
            try:
                outcome: bool = body(values, line)
                if outcome is decisive:
                    return outcome
            except _FAULTS as raised:
                fault = _fault(raised) if fault is None else fault
        if fault is not None:
            raise _Faulted(fault)
        return not decisive

    return question

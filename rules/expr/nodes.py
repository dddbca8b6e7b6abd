"""The tree of an expression, and the one text that stands for it.

Nodes are equal when they say the same; where they were written does not matter. `str(node)` is
the canonical text: reading it again gives an equal tree.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import singledispatch
from typing import Literal

BinaryOp = Literal["==", "!=", "<", "<=", ">", ">=", "in", "+", "-", "*", "/", "%"]
UnaryOp = Literal["!", "-"]
LogicOp = Literal["&&", "||"]
Function = Literal["size", "has", "startsWith", "endsWith", "contains"]
MacroKind = Literal["all", "exists", "exists_one", "filter"]

RELATIONS = frozenset({"==", "!=", "<", "<=", ">", ">=", "in"})
METHODS = frozenset({"startsWith", "endsWith", "contains"})
MACROS = frozenset({"all", "exists", "exists_one", "filter"})
LINES = "lines"
"""The name of the list that macros go over."""

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORDS = frozenset({"true", "false", "null", "in"})
"""Identifiers that the grammar keeps for itself, even after a dot."""


class _Written:
    """What has a canonical text."""

    __slots__ = ()

    def __str__(self) -> str:
        return _text(self)


def _column() -> int:
    return field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Whole(_Written):
    """An integer as written, its sign included."""

    value: int
    at: int = _column()


@dataclass(frozen=True, slots=True)
class Flag(_Written):
    """`true` or `false`."""

    value: bool
    at: int = _column()


@dataclass(frozen=True, slots=True)
class Text(_Written):
    """A string as written, its escapes resolved."""

    value: str
    at: int = _column()


Constant = Whole | Flag | Text


@dataclass(frozen=True, slots=True)
class Items(_Written):
    """A list of constants."""

    items: tuple[Constant, ...]
    at: int = _column()


@dataclass(frozen=True, slots=True)
class Name(_Written):
    """A value of the environment or of a line, like `tx.nights`; `lines` has no field."""

    root: str
    field: str
    at: int = _column()


@dataclass(frozen=True, slots=True)
class Predicate(_Written):
    """A yes or no about the member that was decided earlier; its name is canonical text."""

    name: str
    at: int = _column()


@dataclass(frozen=True, slots=True)
class Unary(_Written):
    """`!` or `-` before one operand."""

    op: UnaryOp
    operand: "Node"
    at: int = _column()


@dataclass(frozen=True, slots=True)
class Binary(_Written):
    """A comparison or a calculation of two operands."""

    op: BinaryOp
    left: "Node"
    right: "Node"
    at: int = _column()


@dataclass(frozen=True, slots=True)
class Logic(_Written):
    """`&&` or `||` over two or more operands."""

    op: LogicOp
    operands: tuple["Node", ...]
    at: int = _column()


@dataclass(frozen=True, slots=True)
class Choice(_Written):
    """`test ? then : otherwise`."""

    test: "Node"
    then: "Node"
    otherwise: "Node"
    at: int = _column()


@dataclass(frozen=True, slots=True)
class Call(_Written):
    """A function; of a member function the first operand stands before the dot."""

    function: Function
    operands: tuple["Node", ...]
    at: int = _column()


@dataclass(frozen=True, slots=True)
class Macro(_Written):
    """A question to each line, which the body calls by `variable`."""

    kind: MacroKind
    variable: str
    body: "Node"
    at: int = _column()


Node = (
    Whole | Flag | Text | Items | Name | Predicate | Unary | Binary | Logic | Choice | Call | Macro
)


def children(node: Node) -> tuple[Node, ...]:
    """Return the nodes directly below, as they were written."""
    match node:
        case Items():
            return node.items
        case Unary():
            return (node.operand,)
        case Binary():
            return (node.left, node.right)
        case Logic() | Call():
            return node.operands
        case Choice():
            return (node.test, node.then, node.otherwise)
        case Macro():
            return (node.body,)
    return ()


def with_children(node: Node, below: tuple[Node, ...]) -> Node:
    """Return the same node over other nodes, one for each of `children(node)`."""
    match node:
        case Unary():
            return replace(node, operand=below[0])
        case Binary():
            return replace(node, left=below[0], right=below[1])
        case Logic() | Call():
            return replace(node, operands=below)
        case Choice():
            return replace(node, test=below[0], then=below[1], otherwise=below[2])
        case Macro():
            return replace(node, body=below[0])
    return node


def walk(node: Node) -> Iterator[Node]:
    """Go through the node and all below it, parents first."""
    yield node
    for child in children(node):
        yield from walk(child)


def depth(node: Node) -> int:
    """Count the levels of the tree; a constant or a name is one."""
    # Level by level and not by recursion: this is asked before the depth is known to be small.
    level: tuple[Node, ...] = (node,)
    count = 0
    while level:
        count += 1
        level = tuple(child for parent in level for child in children(parent))
    return count


# --- canonical text ---------------------------------------------------------------------

_CHOICE, _OR, _AND, _RELATION, _SUM, _PRODUCT, _UNARY, _MEMBER = range(1, 9)
_LEVELS = {"||": _OR, "&&": _AND, "+": _SUM, "-": _SUM} | dict.fromkeys("*/%", _PRODUCT)
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def quoted(value: str) -> str:
    """Write a string as the language reads it, on one line."""
    return '"' + "".join(_ESCAPES.get(c) or _visible(c) for c in value) + '"'


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _level(node: object) -> int:
    """Tell how tightly a node binds: a looser one within a tighter one takes brackets."""
    match node:
        case Choice():
            return _CHOICE
        case Logic():
            return _LEVELS[node.op]
        case Binary():
            return _LEVELS.get(node.op, _RELATION)
        case Unary():
            return _UNARY
        case Whole(value) if value < 0:
            return _UNARY
    return _MEMBER


def _within(node: object, level: int) -> str:
    text = _text(node)
    return text if _level(node) >= level else f"({text})"


@singledispatch
def _text(node: object) -> str:
    raise TypeError(f"no node of an expression: {node!r}")


@_text.register
def _(node: Whole) -> str:
    return str(node.value)


@_text.register
def _(node: Flag) -> str:
    return "true" if node.value else "false"


@_text.register
def _(node: Text) -> str:
    return quoted(node.value)


@_text.register
def _(node: Items) -> str:
    return f"[{', '.join(map(_text, node.items))}]"


@_text.register
def _(node: Name) -> str:
    if not node.field:
        return node.root
    plain = _IDENTIFIER.fullmatch(node.field) and node.field not in _WORDS
    return f"{node.root}.{node.field}" if plain else f"{node.root}.`{node.field}`"


@_text.register
def _(node: Predicate) -> str:
    return f"predicate({quoted(node.name)})"


@_text.register
def _(node: Unary) -> str:
    # A minus directly before digits is part of the number, so `-(5)` keeps its brackets.
    level = _MEMBER + 1 if isinstance(node.operand, Whole) else _MEMBER
    return node.op + _within(node.operand, level)


@_text.register
def _(node: Binary) -> str:
    level = _level(node)
    return f"{_within(node.left, level)} {node.op} {_within(node.right, level + 1)}"


@_text.register
def _(node: Logic) -> str:
    level = _level(node) + 1
    return f" {node.op} ".join(_within(operand, level) for operand in node.operands)


@_text.register
def _(node: Choice) -> str:
    test, then = _within(node.test, _OR), _within(node.then, _OR)
    return f"{test} ? {then} : {_text(node.otherwise)}"


@_text.register
def _(node: Call) -> str:
    if node.function in METHODS:
        subject, given = node.operands
        return f"{_within(subject, _MEMBER)}.{node.function}({_text(given)})"
    return f"{node.function}({', '.join(map(_text, node.operands))})"


@_text.register
def _(node: Macro) -> str:
    return f"{LINES}.{node.kind}({node.variable}, {_text(node.body)})"

"""Check an expression at publish: names, types, cost, and what can be pinned."""

from typing import Final

from rules.expr.nodes import (
    LINES,
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
    children,
)
from rules.expr.problems import ExprError
from rules.expr.split import unpinnable
from rules.expr.syntax import parse
from rules.expr.types import ELEMENT, LIST_OF, Environment, Type
from rules.refusal import alternatives

COST_MAX: Final = 10_000
"""Steps that one answer may take at worst; together about a millisecond."""
LINES_MAX: Final = 500
"""Lines that the cost reckons with."""

_SCALARS = frozenset({Type.INT, Type.BOOL, Type.STRING})
_SIZED = frozenset({Type.STRING, Type.LINES, *ELEMENT})


def read(text: str, environment: Environment) -> Node:
    """Parse and check an expression that a person wrote; raises `ExprError`."""
    node = parse(text)
    check(node, environment)
    return node


def check(node: Node, environment: Environment) -> int:
    """Refuse what is not a bounded yes or no over the environment; return its cost."""
    found = _Checker(environment).type_of(node)
    if found is not Type.BOOL:
        raise ExprError(f"a condition is a bool, this is {_a(found)}: compare it", node.at)
    steps = cost(node)
    if steps > COST_MAX:
        raise ExprError(
            f"up to {steps} steps with {LINES_MAX} lines, and at most {COST_MAX} are allowed; "
            "ask the lines less often",
            node.at,
        )
    mixed = unpinnable(node)
    if mixed is not None:
        raise ExprError(
            f"{mixed} is mixed with what is not the member's; compare it with a constant, like "
            f"{mixed} == …: only a yes or no about a member is kept with a document",
            mixed.at,
        )
    return steps


def cost(node: Node, *, lines_max: int = LINES_MAX) -> int:
    """Count the steps that an answer takes at worst: one for each node, for each line."""
    below = sum(cost(child, lines_max=lines_max) for child in children(node))
    return 1 + below * (lines_max if isinstance(node, Macro) else 1)


def _a(kind: Type) -> str:
    return f"{'an' if kind is Type.INT else 'a'} {kind}" if kind in _SCALARS else str(kind)


class _Checker:
    """Finds the type of each node from those below; remembers which line is being asked."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._variable: str | None = None

    def type_of(self, node: Node) -> Type:
        match node:
            case Whole():
                return Type.INT
            case Flag():
                return Type.BOOL
            case Text():
                return Type.STRING
            case Items():
                return self._items(node)
            case Name():
                return self._name(node)
            case Predicate():
                message = "predicate() is the ledger's own; write what it stands for"
                raise ExprError(message, node.at)
        return self._operation(node)

    def _operation(self, node: Node) -> Type:
        match node:
            case Unary():
                wanted = Type.BOOL if node.op == "!" else Type.INT
                return self._expect(node.operand, wanted, node.op)
            case Logic():
                for operand in node.operands:
                    self._expect(operand, Type.BOOL, node.op)
                return Type.BOOL
            case Binary():
                return self._binary(node)
            case Choice():
                return self._choice(node)
            case Call():
                return self._call(node)
            case Macro():
                return self._macro(node)
        raise TypeError(f"no node of an expression: {node!r}")

    def _expect(self, node: Node, wanted: Type, asking: str) -> Type:
        found = self.type_of(node)
        if found is not wanted:
            raise ExprError(f"{asking} takes {_a(wanted)}, but {node} is {_a(found)}", node.at)
        return found

    def _items(self, node: Items) -> Type:
        if not node.items:
            raise ExprError("the list is empty: nothing is ever in it", node.at)
        first = self.type_of(node.items[0])
        for item in node.items:
            found = self.type_of(item)
            if found is not first:
                message = f"a list is of one type, but {node.items[0]} is {_a(first)}"
                raise ExprError(f"{message} and {item} is {_a(found)}", item.at)
        return LIST_OF[first]

    def _name(self, node: Name) -> Type:
        if node.root == LINES and not node.field:
            return Type.LINES
        line = {self._variable: self._environment.line} if self._variable else {}
        roots = {**self._environment.roots, **line}
        if node.root not in roots:
            meant = [f"{root}.{node.root}" for root, fields in roots.items() if node.root in fields]
            known = alternatives(node.root, {LINES, *roots})
            advice = f"; did you mean {' or '.join(meant)}?" if meant else known
            raise ExprError(f"unknown name {node.root!r}{advice}", node.at)
        fields = roots[node.root]
        if not node.field:
            names = ", ".join(sorted(fields)[:12])
            raise ExprError(f"{node.root} is no value; name one of its fields: {names}", node.at)
        if node.field not in fields:
            known = alternatives(node.field, fields) or f" ({node.root} has none declared)"
            raise ExprError(f"unknown name {str(node)!r}{known}", node.at)
        return fields[node.field]

    def _binary(self, node: Binary) -> Type:
        match node.op:
            case "+" | "-" | "*" | "/" | "%":
                self._expect(node.left, Type.INT, node.op)
                return self._expect(node.right, Type.INT, node.op)
            case "in":
                self._membership(node)
            case _:
                left, right = self.type_of(node.left), self.type_of(node.right)
                if left is not right:
                    message = f"{node.op} compares values of one type, but {node.left} is"
                    raise ExprError(
                        f"{message} {_a(left)} and {node.right} is {_a(right)}", node.at
                    )
                if left not in _SCALARS:
                    message = f"{node.op} cannot compare lists; ask with in, or compare size()"
                    raise ExprError(message, node.at)
        return Type.BOOL

    def _membership(self, node: Binary) -> None:
        item, among = self.type_of(node.left), self.type_of(node.right)
        element = ELEMENT.get(among)
        if element is None:
            raise ExprError(f"in takes a list, but {node.right} is {_a(among)}", node.right.at)
        if item is not element:
            message = f"{node.left} is {_a(item)}, but {node.right} is a {among}"
            raise ExprError(message, node.at)

    def _choice(self, node: Choice) -> Type:
        self._expect(node.test, Type.BOOL, "?")
        then, otherwise = self.type_of(node.then), self.type_of(node.otherwise)
        if then is not otherwise:
            message = f"both sides of : have one type, but {node.then} is {_a(then)}"
            raise ExprError(f"{message} and {node.otherwise} is {_a(otherwise)}", node.at)
        if then not in _SCALARS:
            raise ExprError("a ternary gives an int, a bool or a string, not a list", node.at)
        return then

    def _call(self, node: Call) -> Type:
        if node.function == "has":
            (asked,) = node.operands
            if not isinstance(asked, Name) or not asked.field:
                raise ExprError("has takes a name with its field, like has(member.tier)", node.at)
            self._name(asked)
            return Type.BOOL
        if node.function == "size":
            found = self.type_of(node.operands[0])
            if found not in _SIZED:
                message = f"size takes a string or a list, but {node.operands[0]} is {_a(found)}"
                raise ExprError(message, node.at)
            return Type.INT
        for operand in node.operands:
            self._expect(operand, Type.STRING, node.function)
        return Type.BOOL

    def _macro(self, node: Macro) -> Type:
        if self._variable is not None:
            raise ExprError(f"{node.kind} within another question to the lines", node.at)
        if node.variable in {LINES, *self._environment.roots}:
            message = f"{node.variable!r} has a meaning already; call the line l"
            raise ExprError(message, node.at)
        self._variable = node.variable
        self._expect(node.body, Type.BOOL, node.kind)
        self._variable = None
        return Type.LINES if node.kind == "filter" else Type.BOOL

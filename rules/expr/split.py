"""What an expression asks of the member, cut out.

The ledger pins with a document what was true of the member, as named predicates; it never stores
attributes. So every part that asks for `member.*` must be a yes or no of its own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rules.expr.nodes import (
    METHODS,
    RELATIONS,
    Binary,
    Call,
    Choice,
    Flag,
    Logic,
    Macro,
    Name,
    Node,
    Predicate,
    Unary,
    children,
    walk,
    with_children,
)

MEMBER = "member"


@dataclass(frozen=True, slots=True)
class Atom:
    """A smallest yes or no of an expression, and which of tx, member, counter, lines it asks."""

    node: Node
    roots: frozenset[str]


def atoms(node: Node) -> tuple[Atom, ...]:
    """Return the parts that `&&`, `||`, `!` and the ternary put together, as written."""
    if isinstance(node, Logic | Choice) or (isinstance(node, Unary) and node.op == "!"):
        return tuple(atom for child in children(node) for atom in atoms(child))
    return (Atom(node, roots(node)),)


def roots(node: Node) -> frozenset[str]:
    """Tell what a node asks: `member` for a predicate, too; `lines` for all of a line."""
    found: set[str] = set()
    variables = {n.variable for n in walk(node) if isinstance(n, Macro)}
    for part in walk(node):
        match part:
            case Name():
                found.add("lines" if part.root in variables else part.root)
            case Macro():
                found.add("lines")
            case Predicate():
                found.add(MEMBER)
    return frozenset(found)


def member_predicates(node: Node) -> tuple[tuple[str, Node], ...]:
    """Return the largest yes-or-no parts that ask the member only, by name, each once."""
    found: dict[str, Node] = {}
    _cut(node, found, boolean=True)
    return tuple(found.items())


def with_predicates(node: Node) -> Node:
    """Put `predicate("…")` in the place of each of `member_predicates(node)`."""
    return _cut(node, {}, boolean=True)


def unpinnable(node: Node) -> Name | None:
    """Find a name of the member that no predicate takes the place of."""
    for part in walk(with_predicates(node)):
        if isinstance(part, Name) and part.root == MEMBER:
            return part
    return None


def pin(predicates: Iterable[tuple[str, Node]], answers: Iterable[object]) -> tuple[str, ...]:
    """Say in texts what came out: a name where true, `?name` where there was no answer.

    `answers` are those of the compiled conditions, in the same order. A fault is pinned as
    such: taken for false, it would become true under a `!`.
    """
    pins: list[str] = []
    for (name, _), answer in zip(predicates, answers, strict=True):
        if answer is True:
            pins.append(name)
        elif answer is not False:
            pins.append(f"?{name}")
    return tuple(pins)


def pinned_values(
    predicates: Iterable[tuple[str, Node]], pins: Iterable[str]
) -> Mapping[str, bool]:
    """Turn pins into the values that `with_predicates(node)` asks for."""
    known = frozenset(pins)
    return {
        str(Predicate(name)): name in known for name, _ in predicates if f"?{name}" not in known
    }


def _cut(node: Node, found: dict[str, Node], *, boolean: bool) -> Node:
    if (boolean or _is_boolean(node)) and _asks_member_only(node):
        found.setdefault(str(node), node)
        return Predicate(str(node), node.at)
    below = tuple(
        _cut(child, found, boolean=expected)
        for child, expected in zip(children(node), _expectations(node, boolean), strict=True)
    )
    return with_children(node, below)


def _asks_member_only(node: Node) -> bool:
    # What is a predicate already is not cut out again.
    return roots(node) == {MEMBER} and not any(isinstance(n, Predicate) for n in walk(node))


def _is_boolean(node: Node) -> bool:
    """Tell by its form alone that a node is a yes or no; a name says nothing of its type."""
    match node:
        case Flag() | Logic() | Predicate():
            return True
        case Unary():
            return node.op == "!"
        case Binary():
            return node.op in RELATIONS
        case Call():
            return node.function == "has" or node.function in METHODS
        case Macro():
            return node.kind != "filter"
        case Choice():
            return _is_boolean(node.then) or _is_boolean(node.otherwise)
    return False


def _expectations(node: Node, boolean: bool) -> tuple[bool, ...]:
    """Tell for each child if its place asks for a yes or no."""
    match node:
        case Logic():
            return (True,) * len(node.operands)
        case Unary():
            return (node.op == "!",)
        case Macro():
            return (True,)
        case Choice():
            inner = boolean or _is_boolean(node)
            return (True, inner, inner)
    return (False,) * len(children(node))

"""Read an expression: text in, a tree of nodes out.

The grammar is a part of CEL's, with its precedence. Limits come first: what is too long or nested
too deeply is refused before anything walks over it.
"""

from collections.abc import Callable
from typing import Final, cast

from rules.expr.nodes import (
    LINES,
    MACROS,
    METHODS,
    RELATIONS,
    Binary,
    BinaryOp,
    Call,
    Choice,
    Constant,
    Flag,
    Function,
    Items,
    Logic,
    LogicOp,
    Macro,
    MacroKind,
    Name,
    Node,
    Predicate,
    Text,
    Unary,
    UnaryOp,
    Whole,
    depth,
)
from rules.expr.problems import ExprError
from rules.expr.tokens import Token, tokens
from rules.refusal import alternatives

LENGTH_MAX: Final = 1000
"""Characters of an expression that a person writes."""
DEPTH_MAX: Final = 32
"""Levels of an expression's tree, and of its brackets."""

_LARGEST = 2**63 - 1
_FUNCTIONS = frozenset({"size", "has", "predicate"})
_ELSEWHERE = {"and": "&&", "or": "||", "not": "!", "is": "==", "if": "test ? this : that"}
"""Words of other languages, and what is written here."""
_RESERVED = frozenset(
    {"as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop"}
    | {"package", "namespace", "return", "var", "void", "while"}
)


def parse(text: str, *, length_max: int = LENGTH_MAX) -> Node:
    """Read an expression; raises `ExprError`.

    Canonical text may be longer than what it was made from: give it a larger `length_max`.
    """
    if len(text) > length_max:
        message = f"{len(text)} characters; an expression has at most {length_max}"
        raise ExprError(message, length_max + 1)
    parser = _Parser(tokens(text))
    node = parser.whole()
    if depth(node) > DEPTH_MAX:
        raise ExprError(f"nested deeper than {DEPTH_MAX} levels; split it into conditions", 1)
    return node


class _Parser:
    """Descent over the tokens: one method for each level of precedence, loosest first."""

    def __init__(self, words: list[Token]) -> None:
        self._words = words
        self._place = 0
        self._nesting = 0

    # --- tokens ---

    @property
    def _next(self) -> Token:
        return self._words[self._place]

    def _take(self) -> Token:
        token = self._next
        self._place += token.kind != "end"
        return token

    def _is(self, *texts: str) -> bool:
        return self._next.kind in ("op", "name") and self._next.text in texts

    def _expect(self, text: str, why: str) -> Token:
        if not self._is(text):
            raise ExprError(f"expected {text!r} {why}, not {self._next}", self._next.at)
        return self._take()

    # --- levels ---

    def whole(self) -> Node:
        if self._next.kind == "end":
            raise ExprError("the expression is empty", 1)
        node = self._choice()
        left = self._next
        if left.kind != "end":
            instead = _ELSEWHERE.get(left.text.lower()) if left.kind == "name" else None
            advice = f"; write {instead}" if instead else ""
            raise ExprError(f"{left} stands where the expression could end{advice}", left.at)
        return node

    def _choice(self) -> Node:
        # Every way to nest leads through here, so that the recursion is bounded.
        self._nesting += 1
        if self._nesting > DEPTH_MAX:
            raise ExprError(f"nested deeper than {DEPTH_MAX} levels", self._next.at)
        node = self._logic("||", self._and)
        if self._is("?"):
            at = self._take().at
            then = self._logic("||", self._and)
            self._expect(":", "of the ternary")
            node = Choice(node, then, self._choice(), at)
        self._nesting -= 1
        return node

    def _and(self) -> Node:
        return self._logic("&&", lambda: self._chain(RELATIONS, self._sum))

    def _logic(self, op: LogicOp, tighter: Callable[[], Node]) -> Node:
        first = tighter()
        if not self._is(op):
            return first
        at, operands = self._next.at, [first]
        while self._is(op):
            self._take()
            operands.append(tighter())
        return Logic(op, tuple(operands), at)

    def _sum(self) -> Node:
        return self._chain(frozenset("+-"), lambda: self._chain(frozenset("*/%"), self._unary))

    def _chain(self, ops: frozenset[str], tighter: Callable[[], Node]) -> Node:
        node = tighter()
        while self._is(*ops):
            op = self._take()
            node = Binary(cast(BinaryOp, op.text), node, tighter(), op.at)
        return node

    def _unary(self) -> Node:
        signs: list[Token] = []
        while self._is("!", "-"):
            signs.append(self._take())
        if signs and signs[-1].text == "-" and self._next.kind == "int":
            node = self._member(self._number(sign=signs.pop()))
        else:
            node = self._member(self._primary())
        for sign in reversed(signs):
            node = Unary(cast(UnaryOp, sign.text), node, sign.at)
        return node

    # --- after the dot ---

    def _member(self, node: Node) -> Node:
        while self._is(".", "["):
            if self._is("["):
                raise ExprError("a list has no index here; ask it with in or size()", self._next.at)
            self._take()
            node = self._selected(node, self._take())
        return node

    def _selected(self, node: Node, word: Token) -> Node:
        if word.kind not in ("name", "field"):
            raise ExprError(f"expected a name after the dot, not {word}", word.at)
        if word.kind == "name" and self._is("("):
            return self._method(node, word)
        if not isinstance(node, Name):
            raise ExprError(f"{word}: only tx, member, counter and a line have fields", word.at)
        if node.root == LINES:
            raise ExprError(
                f"{word}: lines are many; ask each with {LINES}.exists(l, l.{word.text} …)", word.at
            )
        if node.field:
            raise ExprError(
                f"{node} has no fields; a name with dots in it stands in backquotes: "
                f"{node.root}.`{node.field}.{word.text}`",
                word.at,
            )
        return Name(node.root, word.text, node.at)

    def _method(self, node: Node, word: Token) -> Node:
        if word.text in MACROS:
            return self._macro(node, word)
        if word.text in METHODS:
            return Call(cast(Function, word.text), (node, self._argument(word)), word.at)
        if word.text == "size":
            self._take()
            self._expect(")", "after size(")
            return Call("size", (node,), word.at)
        known = {*MACROS, *METHODS, "size"}
        raise ExprError(f"unknown function {word}{alternatives(word.text, known)}", word.at)

    def _macro(self, node: Node, word: Token) -> Node:
        if node != Name(LINES, ""):
            raise ExprError(f"{word.text} goes over {LINES} only: {LINES}.{word.text}(…)", word.at)
        self._take()
        variable = self._take()
        if variable.kind != "name" or variable.text in _RESERVED | {"true", "false", "null", "in"}:
            raise ExprError(
                f"{word.text} first names its line, like l; not {variable}", variable.at
            )
        self._expect(",", "after the name of the line")
        body = self._choice()
        self._expect(")", f"at the end of {word.text}")
        return Macro(cast(MacroKind, word.text), variable.text, body, word.at)

    def _argument(self, word: Token) -> Node:
        self._expect("(", f"after {word.text}")
        node = self._choice()
        self._expect(")", f"after what {word.text} takes")
        return node

    # --- the smallest parts ---

    def _primary(self) -> Node:
        token = self._next
        match token.kind:
            case "int":
                return self._number(sign=None)
            case "string":
                self._take()
                return Text(token.text, token.at)
            case "name":
                return self._named(self._take())
        if self._is("("):
            self._take()
            node = self._choice()
            self._expect(")", "to close the bracket")
            return node
        if self._is("["):
            return self._items()
        raise ExprError(f"expected a value, not {token}", token.at)

    def _number(self, *, sign: Token | None) -> Whole:
        token = self._take()
        value = int(token.text, 16 if token.text[:2] in ("0x", "0X") else 10)
        at = sign.at if sign else token.at
        if value > _LARGEST + (sign is not None):
            raise ExprError(f"{token.text} is too large: whole numbers go to {_LARGEST}", at)
        return Whole(-value if sign else value, at)

    def _named(self, word: Token) -> Node:
        if word.text in ("true", "false"):
            return Flag(word.text == "true", word.at)
        if word.text == "null":
            raise ExprError("there is no null; has(member.x) asks if a value is there", word.at)
        if word.text in _RESERVED or word.text == "in":
            raise ExprError(f"{word} is a word of the language, not a name", word.at)
        if self._is("("):
            return self._function(word)
        return Name(word.text, "", word.at)

    def _function(self, word: Token) -> Node:
        if word.text in METHODS | MACROS:
            raise ExprError(f"{word.text} stands after a value: value.{word.text}(…)", word.at)
        if word.text not in _FUNCTIONS:
            raise ExprError(
                f"unknown function {word}{alternatives(word.text, _FUNCTIONS)}", word.at
            )
        operand = self._argument(word)
        if word.text != "predicate":
            return Call(cast(Function, word.text), (operand,), word.at)
        if not isinstance(operand, Text):
            raise ExprError("predicate takes a name in quotes", word.at)
        return Predicate(operand.value, word.at)

    def _constant(self) -> Constant:
        sign = self._take() if self._is("-") else None
        token = self._next
        if token.kind == "int":
            return self._number(sign=sign)
        if sign is None and token.kind == "string":
            return Text(self._take().text, token.at)
        if sign is None and self._is("true", "false"):
            return Flag(self._take().text == "true", token.at)
        raise ExprError(f"a list has only numbers, strings, true and false, not {token}", token.at)

    def _items(self) -> Items:
        at, items = self._take().at, list[Constant]()
        while not self._is("]"):
            items.append(self._constant())
            if not self._is(","):
                break
            self._take()
        self._expect("]", "at the end of the list")
        return Items(tuple(items), at)

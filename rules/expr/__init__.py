"""The expression language of `when.expr`: a small, typed, bounded part of CEL.

`read` turns text into a checked tree, `compile_condition` a tree into a closure; `str(node)` is
the canonical text. `rules.expr.sets` makes Polars expressions and is imported by whoever needs it.
"""

from rules.expr.check import COST_MAX, LINES_MAX, check, cost, read
from rules.expr.closures import Answer, Condition, Values, compile_condition
from rules.expr.nodes import Node
from rules.expr.problems import ExprError, Fault
from rules.expr.split import Atom, atoms, member_predicates, pin, pinned_values, with_predicates
from rules.expr.syntax import DEPTH_MAX, LENGTH_MAX, parse
from rules.expr.types import ATTRIBUTE_TYPES, Environment, Type, environment
from rules.expr.words import Language, sentence

__all__ = [
    "ATTRIBUTE_TYPES",
    "COST_MAX",
    "DEPTH_MAX",
    "LENGTH_MAX",
    "LINES_MAX",
    "Answer",
    "Atom",
    "Condition",
    "Environment",
    "ExprError",
    "Fault",
    "Language",
    "Node",
    "Type",
    "Values",
    "atoms",
    "check",
    "compile_condition",
    "cost",
    "environment",
    "member_predicates",
    "parse",
    "pin",
    "pinned_values",
    "read",
    "sentence",
    "with_predicates",
]

"""Evaluation of many documents at once, to the point what `rules.evaluate` gives each of them.

Only this package and `rules.expr.sets` need polars and numpy; nothing else in rules imports them.
"""

from rules.sets.engine import Prepared, SetAwards, SetEngine, evaluate_sets
from rules.sets.frames import DOCUMENTS, facts_of, row_of

__all__ = ["DOCUMENTS", "Prepared", "SetAwards", "SetEngine", "evaluate_sets", "facts_of", "row_of"]

"""What the keys of the policy language mean: the text that stands below each field of the models.

The schema for editors and the reference for people say the same, because both take it from there.
"""

import ast
import inspect
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib import import_module
from itertools import pairwise

from rules.model import Part


def meaning(part: type[Part], field: str) -> str:
    """Give what is written below a field in the class that declares it."""
    for declaring in inspect.getmro(part):
        found = _meanings(declaring.__module__).get(declaring.__name__, {}).get(field)
        if found is not None:
            return found
    raise LookupError(f"{part.__name__}.{field} says nothing about itself")


def purpose(part: type[Part]) -> str:
    """Give what a part is for: the documentation of its class."""
    return inspect.cleandoc(part.__doc__ or "")


@lru_cache(maxsize=32)
def _meanings(module: str) -> Mapping[str, Mapping[str, str]]:
    """Read a module of the models once: class to field to what is written below it."""
    if not module.startswith("rules.model"):
        return {}
    found = inspect.getsource(import_module(module))
    classes = [node for node in ast.parse(found).body if isinstance(node, ast.ClassDef)]
    return {node.name: dict(_fields(node.body)) for node in classes}


def _fields(body: list[ast.stmt]) -> Iterable[tuple[str, str]]:
    for field, below in pairwise(body):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
        ):
            yield field.target.id, inspect.cleandoc(str(below.value.value))

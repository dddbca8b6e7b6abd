"""How the models nest: which part stands at a place, and all parts of a document with theirs.

What walks the models needs no table of its own, so a new key is known everywhere at once.
"""

from collections.abc import Iterator
from functools import lru_cache
from types import UnionType
from typing import Annotated, Literal, NamedTuple, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from rules.model import Part, PolicyModel
from rules.model.part import Names
from rules.reading import Place, Tree


class Key(NamedTuple):
    """One key of a part: how it is written, its field, the section that its ids name."""

    written: str
    field: str
    info: FieldInfo
    names: str
    holds_parts: bool


@lru_cache(maxsize=256)
def keys_of(part: type[Part]) -> tuple[Key, ...]:
    """List the keys of a part in the order in which they are declared."""
    found = []
    for field, info in part.model_fields.items():
        marks = [*info.metadata, *_marks(info.annotation)]
        names = next((mark.section for mark in marks if isinstance(mark, Names)), "")
        found.append(Key(info.alias or field, field, info, names, bool(parts_in(info.annotation))))
    return tuple(found)


def _marks(annotation: object) -> Iterator[object]:
    if get_origin(annotation) is Annotated:
        yield from get_args(annotation)[1:]
    for inner in () if get_origin(annotation) is Literal else get_args(annotation):
        yield from _marks(inner)


def parts_in(annotation: object) -> tuple[type[Part], ...]:
    """Find the parts that a value of this type is or holds."""
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return (annotation,)
    if get_origin(annotation) is Literal:
        return ()
    return tuple(part for inner in get_args(annotation) for part in parts_in(inner))


def unwrapped(annotation: object) -> tuple[object, tuple[object, ...]]:
    """Take the metadata off a type, and with it the `None` of a key that may be left out."""
    marks: tuple[object, ...] = ()
    while True:
        if get_origin(annotation) is Annotated:
            annotation, *more = get_args(annotation)
            marks = (*more, *marks)
        elif get_origin(annotation) in (Union, UnionType):
            inner = [one for one in get_args(annotation) if one is not type(None)]
            if len(inner) != 1:
                return annotation, marks
            annotation = inner[0]
        else:
            return annotation, marks


def kinds_of(part: type[Part]) -> tuple[str, ...]:
    """Name the values of `kind` that tell this part from the others that may stand there."""
    info = part.model_fields.get("kind")
    if info is None or not info.is_required() or get_origin(info.annotation) is not Literal:
        return ()
    return get_args(info.annotation)


def part_at(tree: Tree, place: Place) -> type[Part] | None:
    """Find the part that the mapping at `place` is read into; None when its kind does not say."""
    choices, mapping = _choices(tree, place)
    return _chosen(choices, mapping)


def siblings_with(tree: Tree, place: Place, key: str) -> tuple[type[Part], ...]:
    """Find the other kinds of what stands at `place` that have a key."""
    choices, mapping = _choices(tree, place)
    found = [part for part in choices if any(one.written == key for one in keys_of(part))]
    return tuple(part for part in found if part is not _chosen(choices, mapping))


def _choices(tree: Tree, place: Place) -> tuple[tuple[type[Part], ...], Tree]:
    """Go to a place; give the parts that may stand there, and what does."""
    choices: tuple[type[Part], ...] = (PolicyModel,)
    for step in place:
        if isinstance(step, str):
            part = _chosen(choices, tree)
            keys = () if part is None else keys_of(part)
            choices = next((parts_in(k.info.annotation) for k in keys if k.written == step), ())
        tree = child(tree, step)
    return choices, tree


def child(tree: Tree, step: str | int) -> Tree:
    """Give what stands under a key or a number; None when there is nothing."""
    if isinstance(tree, dict):
        return tree.get(str(step))
    if isinstance(tree, list) and isinstance(step, int) and step < len(tree):
        return tree[step]
    return None


def _chosen(choices: tuple[type[Part], ...], tree: Tree) -> type[Part] | None:
    if len(choices) <= 1:
        return choices[0] if choices else None
    kind = tree.get("kind") if isinstance(tree, dict) else None
    return next((part for part in choices if kind in kinds_of(part)), None)


def walk(part: Part, place: Place = ()) -> Iterator[tuple[Place, Part]]:
    """Go through a part and all parts below it, each with its place."""
    yield place, part
    for key in keys_of(type(part)):
        if key.holds_parts:
            yield from _walk_value(getattr(part, key.field), (*place, key.written))


def _walk_value(value: object, place: Place) -> Iterator[tuple[Place, Part]]:
    if isinstance(value, Part):
        yield from walk(value, place)
    elif isinstance(value, tuple):
        for number, entry in enumerate(value):
            yield from _walk_value(entry, (*place, number))

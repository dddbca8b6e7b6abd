"""The policy language as a JSON Schema, so that an editor helps while a policy is written.

A policy file that the schema accepts has the right shape; what the parts mean together, only the
publish check says. Scalars may stand as text, as YAML gives them, or as JSON integers and booleans.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, get_args, get_origin

from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic.fields import FieldInfo

from rules.meanings import meaning, purpose
from rules.model import CategoryEntry, Part, PolicyModel
from rules.shapes import Key, keys_of, parts_in
from rules.values import Form

DRAFT = "https://json-schema.org/draft/2020-12/schema"
SHORT: Mapping[type[Part], str] = {CategoryEntry: "id"}
"""Parts that may be written as the value of one key alone."""

Schema = dict[str, object]


def policy_schema() -> Schema:
    """Build the schema of a whole policy document."""
    parts: dict[type[Part], None] = {}
    _collect(PolicyModel, parts)
    return {
        "$schema": DRAFT,
        "title": "Loyalty policy",
        **_part(PolicyModel),
        "$defs": {part.__name__: _part(part) for part in parts if part is not PolicyModel},
    }


def _collect(part: type[Part], parts: dict[type[Part], None]) -> None:
    if part not in parts:
        parts[part] = None
        for key in keys_of(part):
            for inner in parts_in(key.info.annotation):
                _collect(inner, parts)


def _part(part: type[Part]) -> Schema:
    keys = keys_of(part)
    return {
        "description": purpose(part),
        "type": "object",
        "properties": {key.written: _key(part, key) for key in keys},
        "required": [key.written for key in keys if is_required(part, key)],
        "additionalProperties": False,
    }


def is_required(part: type[Part], key: Key) -> bool:
    """Say whether a key has to be written."""
    # The document writes this one out itself where it is left out.
    return key.info.is_required() and (part, key.field) not in {
        (PolicyModel, "unlisted_categories"),
        (PolicyModel, "categories"),
    }


def _key(part: type[Part], key: Key) -> Schema:
    value = _value(key.info.annotation, tuple(key.info.metadata))
    return {"description": meaning(part, key.field), **value}


def _value(annotation: object, marks: tuple[object, ...] = ()) -> Schema:
    """Say what a value of this type looks like."""
    marks = flattened(marks)
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        return _value(inner, (*more, *marks))
    form = next((mark for mark in marks if isinstance(mark, Form)), None)
    if form is not None:
        return _bounded(dict(form.schema), marks)
    if annotation is type(None):
        return {"type": "null"}
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return _reference(annotation)
    if get_origin(annotation) is Literal:
        words = list(get_args(annotation))
        return {"const": words[0]} if len(words) == 1 else {"enum": words}
    if get_origin(annotation) is tuple:
        return _list(get_args(annotation), marks)
    if annotation is str:
        return _bounded({"type": "string"}, marks)
    return _choice(annotation, marks)


def _choice(annotation: object, marks: tuple[object, ...]) -> Schema:
    choices = [_value(one, marks) for one in get_args(annotation)]
    if not choices:
        raise TypeError(f"no form is known for {annotation!r}")
    return choices[0] if len(choices) == 1 else {"anyOf": choices}


def _reference(part: type[Part]) -> Schema:
    whole: Schema = {"$ref": f"#/$defs/{part.__name__}"}
    if part not in SHORT:
        return whole
    key = next(key for key in keys_of(part) if key.field == SHORT[part])
    return {"anyOf": [_value(key.info.annotation, tuple(key.info.metadata)), whole]}


def _list(items: tuple[object, ...], marks: tuple[object, ...]) -> Schema:
    if items[-1] is not Ellipsis:
        entries = [_value(item) for item in items]
        return {
            "type": "array",
            "prefixItems": entries,
            "minItems": len(entries),
            "maxItems": len(entries),
        }
    lengths: Schema = {}
    for mark in marks:
        if isinstance(mark, MinLen) and mark.min_length:
            lengths["minItems"] = mark.min_length
        elif isinstance(mark, MaxLen):
            lengths["maxItems"] = mark.max_length
    return {"type": "array", "items": _value(items[0]), **lengths}


def _bounded(schema: Schema, marks: tuple[object, ...]) -> Schema:
    """Add the bounds of a number, which count where it is one, and the length of a text."""
    for mark in marks:
        if isinstance(mark, Ge):
            schema["minimum"] = mark.ge
        elif isinstance(mark, Le):
            schema["maximum"] = mark.le
        elif isinstance(mark, MaxLen):
            schema["maxLength"] = mark.max_length
    return schema


def flattened(marks: tuple[object, ...]) -> tuple[object, ...]:
    """Take the marks out of fields that stand within a type."""
    found: list[object] = []
    for mark in marks:
        found += mark.metadata if isinstance(mark, FieldInfo) else [mark]
    return tuple(found)

"""From JSON to a request. What would be lost on the way is refused: where, and what is right.

The library's parser keeps one of two spellings of a field, takes [] for a message and "1_000" for a
number. What this one accepts has one meaning, so that another parser behind it reads the same.
"""

import json
import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from functools import cache
from typing import Any, Final, NamedTuple, NoReturn, TypeVar
from urllib.parse import parse_qsl

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from ledger.core.refusals import Malformed

M = TypeVar("M", bound=Message)
Scalar = str | int | bool
Convert = Callable[[object], Scalar]

BODY: Final = "(body)"
QUERY: Final = "(query)"
"""What is at fault where it is no single field."""

VALUE_LENGTH: Final = 80
"""Longest piece of a caller's value that a refusal repeats."""

_WHOLE_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]{0,18})", re.ASCII)
_INSTANT: Final = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII
)
_BITS: Final = {FieldDescriptor.TYPE_INT32: 31, FieldDescriptor.TYPE_INT64: 63}


class Fault(NamedTuple):
    """Something wrong in a request."""

    field: str
    """Path, in the caller's own spelling."""
    value: str
    expected: str


class _UnfitError(Exception):
    """A value does not fit its field; says what would."""


def read_body(kind: type[M], raw: bytes) -> M:
    """Return the request that a body of JSON states.

    Raises:
        Malformed: it is no JSON, or no such request; further faults are notes.
    """
    try:
        content = json.loads(
            raw.decode(), object_pairs_hook=_each_once, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError) as error:
        raise _unreadable(BODY, raw, "one JSON object in UTF-8", error) from None
    return _read(kind, content)


def read_query(kind: type[M], raw: bytes) -> M:
    """Return the request that a query string states.

    Raises:
        Malformed: it has a name that the request does not have, a name twice, or a wrong value.
    """
    try:
        content = _each_once(parse_qsl(raw.decode("ascii"), keep_blank_values=True))
    except ValueError as error:
        raise _unreadable(QUERY, raw, "a query such as page_size=20", error) from None
    fields = _fields(kind.DESCRIPTOR)
    for name, value in content.items():
        # A query has no types of its own.
        if name in fields and fields[name].type == FieldDescriptor.TYPE_BOOL:
            content[name] = {"true": True, "false": False}.get(value, value)
    return _read(kind, content)


def fill(message: Message, content: object) -> list[Malformed]:
    """Set the fields that plain data states; returns what is wrong with it, each with its path."""
    faults: list[Fault] = []
    _fill(message, content, "", faults)
    return [Malformed(**fault._asdict()) for fault in faults]


def _read(kind: type[M], content: object) -> M:
    request = kind()
    faults = fill(request, content)
    if not faults:
        return request
    first, *others = faults
    for other in others:
        first.add_note(f"{other.field}: {other}")
    raise first


def _unreadable(place: str, raw: bytes, expected: str, error: Exception) -> Malformed:
    value = _shown(raw.decode(errors="replace"))
    return Malformed(field=place, value=value, expected=f"{expected}: {error}")


def _each_once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for name, value in pairs:
        if name in content:
            raise ValueError(f"{_shown(name)} stands twice in one object")
        content[name] = value
    return content


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _fill(message: Message, content: object, path: str, faults: list[Fault]) -> None:
    """Set the fields of a message, and add what is wrong to `faults`."""
    if isinstance(message, Timestamp):
        _fill_instant(message, content, path, faults)
        return
    if not isinstance(content, dict):
        kind = message.DESCRIPTOR.name
        faults.append(Fault(path or BODY, _shown(content), f"an object with the fields of {kind}"))
        return
    fields = _fields(message.DESCRIPTOR)
    taken: dict[str, str] = {}
    for name, value in content.items():
        at = f"{path}.{name}" if path else name
        field = fields.get(name)
        if field is None:
            expected = f"a field of {message.DESCRIPTOR.name}{_nearest(name, fields)}"
            faults.append(Fault(at, _shown(value), expected))
        elif value is not None:
            # In the JSON of protobuf null is a field that is left out.
            choice = field.containing_oneof.name if field.containing_oneof else field.name
            if choice in taken:
                faults.append(Fault(at, _shown(value), f"nothing beside {taken[choice]}"))
            else:
                taken[choice] = name
                _set(message, field, value, at, faults)


def _set(
    message: Message, field: FieldDescriptor, value: object, path: str, faults: list[Fault]
) -> None:
    if field.is_repeated:
        _extend(getattr(message, field.name), field, value, path, faults)
    elif field.message_type is not None:
        part = getattr(message, field.name)
        part.SetInParent()
        _fill(part, value, path, faults)
    else:
        try:
            setattr(message, field.name, _converter(field)(value))
        except _UnfitError as error:
            faults.append(Fault(path, _shown(value), str(error)))


def _extend(
    items: Any, field: FieldDescriptor, value: object, path: str, faults: list[Fault]
) -> None:
    if not isinstance(value, list):
        faults.append(Fault(path, _shown(value), "a list: [ … ]"))
        return
    for index, item in enumerate(value):
        at = f"{path}[{index}]"
        if field.message_type is not None:
            _fill(items.add(), item, at, faults)
            continue
        try:
            items.append(_converter(field)(item))
        except _UnfitError as error:
            faults.append(Fault(at, _shown(item), str(error)))


def _fill_instant(instant: Timestamp, content: object, path: str, faults: list[Fault]) -> None:
    try:
        if not (isinstance(content, str) and _INSTANT.fullmatch(content)):
            raise ValueError
        instant.FromJsonString(content)
    except ValueError:
        faults.append(Fault(path, _shown(content), "a time with its zone: 2026-05-01T09:30:00Z"))


@cache
def _fields(descriptor: Descriptor) -> dict[str, FieldDescriptor]:
    """The fields of a message by both names that the JSON of protobuf gives them."""
    own = {field.name: field for field in descriptor.fields}
    return {field.json_name: field for field in descriptor.fields} | own


@cache
def _converter(field: FieldDescriptor) -> Convert:
    if field.enum_type is not None:
        return _enum_value(field.enum_type)
    if field.type in _BITS:
        return _whole_number(_BITS[field.type])
    if field.type == FieldDescriptor.TYPE_STRING:
        return _text
    if field.type == FieldDescriptor.TYPE_BOOL:
        return _flag
    raise NotImplementedError(f"{field.full_name}: no request had a field of this type before")


def _enum_value(kind: EnumDescriptor) -> Convert:
    numbers = {value.name: value.number for value in kind.values}

    def convert(value: object) -> int:
        if isinstance(value, str) and value in numbers:
            return numbers[value]
        # Whoever does not know the prefix writes the rest: "sale" for DOCUMENT_KIND_SALE.
        ending = f"_{str(value).upper()}"
        near = [name for name in numbers if name.endswith(ending)]
        raise _UnfitError(near[0] if near else f"one of {', '.join(numbers)}")

    return convert


def _whole_number(bits: int) -> Convert:
    def convert(value: object) -> int:
        if isinstance(value, str) and _WHOLE_NUMBER.fullmatch(value):
            value = int(value)
        # True is an int to Python.
        if type(value) is int and -(1 << bits) <= value < 1 << bits:
            return value
        raise _UnfitError(f"a whole number of {bits + 1} bits")

    return convert


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _UnfitError("a text in quotes")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise _UnfitError("a text without half characters (surrogates)") from None
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise _UnfitError("true or false, without quotes")
    return value


def _nearest(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _shown(value: object) -> str:
    """The value as the caller wrote it, cut short."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = text.encode(errors="replace").decode()
    return text if len(text) <= VALUE_LENGTH else text[: VALUE_LENGTH - 1] + "…"

"""Which field of two messages differs first: so that a conflict can be named, not only stated."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from google.protobuf import text_format
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from loyalty.v1.types_pb2 import Identity

ABSENT: Final = "(absent)"
HIDDEN: Final = "(hidden)"
"""Stands for an identity's value: neither it nor its keyed hash may get into an answer or a log."""


_DOCUMENTS_CODE: Final = "document.receipt_code"


class Difference(NamedTuple):
    """A field path such as `document.lines[0].net_minor_units`, with both values as text."""

    field: str
    first: str
    now: str


def first_difference(first: Message, now: Message, path: str = "") -> Difference | None:
    """The first field, in order of the contract, in which two messages of one type differ."""
    for descriptor in first.DESCRIPTOR.fields:
        name = f"{path}.{descriptor.name}" if path else descriptor.name
        old, new = _value(first, descriptor), _value(now, descriptor)
        if old == new:
            continue
        if descriptor.is_repeated:
            return _in_list(list(old), list(new), name)
        if isinstance(first, Identity) and descriptor.name == "value":
            return Difference(name, HIDDEN, HIDDEN)
        return _in_value(old, new, name)
    return None


def hidden_difference(message: Message, *, has_code: bool = False) -> Difference | None:
    """What must differ when all that is kept is equal: an identity's value, or a receipt's code.

    Which one of several it is cannot be told any more, so `field` names them all. None: it has
    none of them.
    """
    fields = [f"{path}.value" for path, _ in identities_of(message)]
    if has_code:
        fields.append("receipt_code" if "receipt_code" in _names(message) else _DOCUMENTS_CODE)
    return Difference(" or ".join(fields), HIDDEN, HIDDEN) if fields else None


def _names(message: Message) -> list[str]:
    return [field.name for field in message.DESCRIPTOR.fields]


def identities_of(message: Message, path: str = "") -> Iterator[tuple[str, Identity]]:
    """Every identity in a message, with the path of its field."""
    if isinstance(message, Identity):
        yield path, message
        return
    for descriptor, value in message.ListFields():
        if descriptor.message_type is None:
            continue
        name = f"{path}.{descriptor.name}" if path else descriptor.name
        if descriptor.is_repeated:
            for index, each in enumerate(value):
                yield from identities_of(each, f"{name}[{index}]")
        else:
            yield from identities_of(value, name)


def _value(message: Message, descriptor: Any) -> Any:
    """A field's value; None for a message field that is not set."""
    if descriptor.message_type is not None and not descriptor.is_repeated:
        return getattr(message, descriptor.name) if message.HasField(descriptor.name) else None
    value = getattr(message, descriptor.name)
    return list(value) if descriptor.is_repeated else value


def _in_value(old: Any, new: Any, name: str) -> Difference | None:
    parts = isinstance(old, Message) and not isinstance(old, Timestamp)
    if parts and isinstance(new, Message):
        return first_difference(old, new, name)
    return Difference(name, _text(old), _text(new))


def _in_list(old: list[Any], new: list[Any], name: str) -> Difference | None:
    for index, (left, right) in enumerate(zip(old, new, strict=False)):
        if left != right:
            return _in_value(left, right, f"{name}[{index}]")
    longer, sign = (old, "first") if len(old) > len(new) else (new, "now")
    index = min(len(old), len(new))
    extra = _text(longer[index])
    pair = (extra, ABSENT) if sign == "first" else (ABSENT, extra)
    return Difference(f"{name}[{index}]", *pair)


def _text(value: Any) -> str:
    if value is None:
        return ABSENT
    if isinstance(value, Message):
        shown = type(value)()
        shown.CopyFrom(value)
        for _, identity in identities_of(shown):
            identity.value = HIDDEN
        value = text_format.MessageToString(shown, as_one_line=True, message_formatter=_time)
    return " ".join(str(value).split())[:200]


def _time(message: Message, indent: int, as_one_line: bool) -> str | None:
    """A time as people write it, in UTC; None: every other message is shown as usual."""
    return message.ToJsonString() if isinstance(message, Timestamp) else None

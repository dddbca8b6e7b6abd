"""Which field of two messages differs first: so that a conflict can be named, not only stated."""

from typing import Any, NamedTuple

from google.protobuf.message import Message

ABSENT = "(absent)"


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
        return _in_value(old, new, name)
    return None


def _value(message: Message, descriptor: Any) -> Any:
    """A field's value; None for a message field that is not set."""
    if descriptor.message_type is not None and not descriptor.is_repeated:
        return getattr(message, descriptor.name) if message.HasField(descriptor.name) else None
    value = getattr(message, descriptor.name)
    return list(value) if descriptor.is_repeated else value


def _in_value(old: Any, new: Any, name: str) -> Difference | None:
    if isinstance(old, Message) and isinstance(new, Message):
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
    return " ".join(str(value).split())[:200]

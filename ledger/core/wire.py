"""Protobuf's wire format, as far as bytes that are there already are put inside other messages.

A message inside a message is its tag, its length and its bytes. Written here, it costs a copy of
the bytes; given to protobuf it would be copied, or even parsed, and then written again.
"""

from functools import lru_cache
from typing import Final

from google.protobuf.message import Message

_LENGTH_DELIMITED: Final = 2
"""Wire type of a message inside a message."""


@lru_cache(maxsize=4096)
def varint(value: int) -> bytes:
    """A number from zero on, seven bits to a byte."""
    more = bytearray()
    while value > 0x7F:
        more.append(value & 0x7F | 0x80)
        value >>= 7
    more.append(value)
    return bytes(more)


def varint_at(data: bytes, begins: int) -> tuple[int, int] | None:
    """A number that begins there, and where it ends; None if it is longer than the bytes."""
    value = 0
    for place, byte in enumerate(data[begins:]):
        value |= (byte & 0x7F) << 7 * place
        if byte <= 0x7F:
            return value, begins + place + 1
    return None


def message_tag(number: int) -> bytes:
    """Tag of the field with a number, which holds a message."""
    return varint(number << 3 | _LENGTH_DELIMITED)


def tag_of(owner: type[Message], field: str) -> bytes:
    """Tag of the field with a name, which holds messages of its own kind."""
    descriptor = owner.DESCRIPTOR.fields_by_name[field]
    assert descriptor.message_type is not None, "only messages are put inside messages here"
    return message_tag(descriptor.number)


def nested(tag: bytes, message: bytes) -> bytes:
    """A message's bytes as a field of another."""
    return tag + varint(len(message)) + message

"""From bytes to a request. What this release does not know is refused, never dropped."""

from typing import TypeVar

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.unknown_fields import UnknownFieldSet

from ledger.core.refusals import Malformed

M = TypeVar("M", bound=Message)


def parse(kind: type[M], raw: bytes) -> M:
    """Return the request that `raw` holds.

    Raises:
        Malformed: the bytes are no such message, or carry a field that it does not have: one
            that is misspelt, or newer than this server, would be lost without a word.
    """
    request = _decoded(kind, raw)
    request.DiscardUnknownFields()
    # Written again, known fields take at most the room they came in: equal means nothing was lost.
    if request.ByteSize() != len(raw):
        _refuse_unknown(_decoded(kind, raw), "")
    return request


def _decoded(kind: type[M], raw: bytes) -> M:
    try:
        return kind.FromString(raw)
    except DecodeError:
        raise Malformed(
            field="", value=f"{len(raw)} bytes", expected=f"a {kind.DESCRIPTOR.full_name}"
        ) from None


def _refuse_unknown(message: Message, path: str) -> None:
    unknown_fields = UnknownFieldSet(message)
    for unknown in (unknown_fields[place] for place in range(len(unknown_fields))):
        raise Malformed(
            field=f"{path}#{unknown.field_number}",
            value=f"field number {unknown.field_number}",
            expected=f"only fields of {message.DESCRIPTOR.full_name}",
        )
    for field, value in message.ListFields():
        if field.type != FieldDescriptor.TYPE_MESSAGE:
            continue
        if isinstance(value, Message):
            _refuse_unknown(value, f"{path}{field.name}.")
            continue
        for index, item in enumerate(value):
            _refuse_unknown(item, f"{path}{field.name}[{index}].")

"""What a client adds to requests before they are sent: an id, its origin, where to read from."""

from typing import Any
from uuid import uuid4

from google.protobuf.message import Message

from loyalty.v1.types_pb2 import Origin
from loyalty_client.calls import After


def fill(request: Message, origin: Origin | None, after: After | None = None) -> None:
    """Fill a request in, and each item of a batch; what the caller has set stays.

    Raises:
        ValueError: `after` is given, and the call cannot wait for a position.
    """
    fields = request.DESCRIPTOR.fields_by_name
    message: Any = request
    if "request_id" in fields and not message.request_id:
        message.request_id = str(uuid4())
    if "origin" in fields and origin is not None:
        fill_origin(message.origin, origin)
    if "items" in fields:
        for item in message.items:
            fill(write_of(item), origin)
    if after is not None:
        if "min_position" not in fields:
            raise ValueError(f"{request.DESCRIPTOR.name} has no min_position: it is no read")
        message.min_position = position_of(after)


def fill_origin(given: Origin, default: Origin) -> None:
    """Let the client's origin stand wherever the request says nothing."""
    merged = Origin()
    merged.CopyFrom(default)
    merged.MergeFrom(given)
    given.CopyFrom(merged)


def write_of(item: Message) -> Message:
    """The write in an item of a batch.

    Raises:
        ValueError: there is none.
    """
    kind = item.WhichOneof("write")
    if kind is None:
        raise ValueError("an item of a batch holds no write")
    write: Message = getattr(item, kind)
    return write


def position_of(answer: After) -> str:
    """The position that an answer reflects.

    Raises:
        ValueError: it tells none; an answer to `validate_only` does not.
    """
    if isinstance(answer, str):
        position = answer
    else:
        inside: Any = answer
        if "position" not in answer.DESCRIPTOR.fields_by_name:
            # The answers of most calls have one field, and that has the position.
            inside = getattr(answer, answer.DESCRIPTOR.fields[0].name)
        position = getattr(inside, "position", "")
    if not position:
        raise ValueError("the answer tells no position to read from")
    return position

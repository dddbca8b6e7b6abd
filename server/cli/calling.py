"""Calling a running server once, from a command."""

import hashlib
from pathlib import Path
from typing import Any

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from server.cli import console
from server.cli.options import CALL_SECONDS, channel_to, require_token
from server.cli.sending import metadata

Where = tuple[str, str, Path | None]
"""Address, token and authority, as the options name them."""


def call_once(where: Where, request: Message, *, seconds: float = CALL_SECONDS) -> Any:
    """What a request is answered with; what is refused is explained, with what to do next."""
    server, token, ca = where
    sent = metadata(require_token(token))
    method = method_of(request)
    with console.explained(), channel_to(server, ca) as channel:
        call = channel.unary_unary(
            f"/{method.containing_service.full_name}/{method.name}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=GetMessageClass(method.output_type).FromString,
        )
        return call(request, metadata=sent, timeout=seconds)


def id_from(*words: str) -> str:
    """A request id, the same for the same words: running a command again changes nothing more."""
    return hashlib.sha256("\x1f".join(words).encode()).hexdigest()


def method_of(request: Message) -> Any:
    """The method that a request is for: the contract has one for each, in the same file."""
    services = request.DESCRIPTOR.file.services_by_name.values()
    methods = (method for service in services for method in service.methods)
    return next(method for method in methods if method.input_type is request.DESCRIPTOR)

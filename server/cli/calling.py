"""Calling a running server once, from a command."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.message import Message

from server.cli import console
from server.cli.options import CALL_SECONDS, channel_to, require_token
from server.cli.sending import metadata

Where = tuple[str, str, Path | None]
"""Address, token and authority, as the options name them."""


def call_once(
    stub: Callable[[grpc.Channel], Any],
    where: Where,
    method: str,
    request: Message,
    *,
    seconds: float = CALL_SECONDS,
) -> Any:
    """The answer of a method; what is refused is explained, with what to do next."""
    server, token, ca = where
    sent = metadata(require_token(token))
    with console.explained(), channel_to(server, ca) as channel:
        return getattr(stub(channel), method)(request, metadata=sent, timeout=seconds)

"""Addresses to listen at: whether one can be had, and what to do when it cannot."""

import errno
import socket
from collections.abc import Sequence
from typing import Any

from server.config import SettingsError


class AddressUnusable(SettingsError):
    """Nothing can listen at an address: it is taken, or none of this machine's."""

    def __init__(self, said: str, error: OSError) -> None:
        """Say what is wrong in one line; `advice` says what to do about it."""
        super().__init__(f"{said}: {error.strerror or error}")
        self.advice = "Name an address of this machine: 127.0.0.1, or 0.0.0.0 for all it has"
        if error.errno == errno.EADDRINUSE:
            self.advice = (
                "Stop what listens there, perhaps the same command in another terminal, or name"
                " another address"
            )


def require_free(address: str, said: str) -> None:
    """Do nothing if something can listen at `address`, which was `said` so. Raises AddressUnusable.

    gRPC tells why it cannot listen in a log of its own alone, and not to us.
    """
    host, _, port = address.rpartition(":")
    try:
        found = socket.getaddrinfo(
            host.strip("[]"), int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        _bind_one(found)
    except OSError as error:
        raise AddressUnusable(said, error) from None


def _bind_one(found: Sequence[tuple[int, int, int, str, Any]]) -> None:
    """Bind one of a host's addresses, as a server does. Raises OSError: none can be had."""
    refused: OSError | None = None
    for family, kind, protocol, _, address in found:
        try:
            with socket.socket(family, kind, protocol) as tried:
                tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                tried.bind(address)
                return
        except OSError as error:
            refused = refused or error
    if refused is not None:
        raise refused

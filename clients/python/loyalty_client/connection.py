"""What both clients are made of: address, token, TLS, and what stands in every request."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, Self

import grpc

from loyalty.v1.types_pb2 import Origin
from loyalty_client.retrying import deadline_seconds

Token = str | Callable[[], str]
"""A token, or what returns the present one."""
MESSAGE_BYTES_MAX: Final = 64 * 1024 * 1024
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})


def _user_agent() -> str:
    try:
        return f"loyalty-client-python/{version('loyalty-client')}"
    except PackageNotFoundError:
        return "loyalty-client-python"


@dataclass(frozen=True)
class Connection:
    """How to reach a ledger, and as whom."""

    target: str
    """host:port, or any other name that gRPC resolves."""
    token: Token = field(repr=False)
    """As `loyalty token create` printed it. Tokens of one name share their request ids."""
    ca: Path | None = None
    """PEM file of the authority that signed the server's certificate; None: the system's."""
    plaintext: bool | None = None
    """Whether to do without TLS; None: only to this machine itself, and without `ca`."""
    origin: Origin | None = None
    """Stands in every request, where the request says nothing else."""
    timeout: float | None = None
    """Seconds for a call with all its attempts; None: what service_config.json says."""

    @classmethod
    def from_environment(cls, *, origin: Origin | None = None) -> Self:
        """Read LOYALTY_SERVER, LOYALTY_TOKEN and LOYALTY_CA, as the command `loyalty` does.

        Raises:
            ValueError: there is no token.
        """
        token = os.environ.get("LOYALTY_TOKEN", "")
        if not token:
            raise ValueError("LOYALTY_TOKEN is not set; `loyalty token create` prints a token")
        authority = os.environ.get("LOYALTY_CA")
        return cls(
            os.environ.get("LOYALTY_SERVER") or "127.0.0.1:7070",
            token,
            ca=Path(authority) if authority else None,
            origin=origin,
        )

    def credentials(self) -> grpc.ChannelCredentials | None:
        """For TLS; None: without.

        Raises:
            ValueError: `ca` and `plaintext` contradict each other.
            OSError: the file of the authority cannot be read.
        """
        if self.plaintext and self.ca is not None:
            raise ValueError("plaintext=True and ca are both given: TLS or not?")
        here = self.target.rpartition(":")[0] in _LOOPBACK or self.target.startswith("unix:")
        if self.plaintext or (self.plaintext is None and self.ca is None and here):
            return None
        return grpc.ssl_channel_credentials(None if self.ca is None else self.ca.read_bytes())

    def options(self) -> list[tuple[str, Any]]:
        """Of the gRPC channel."""
        return [
            ("grpc.primary_user_agent", _user_agent()),
            # The client sends again by itself: RetryInfo is not gRPC's to read.
            ("grpc.enable_retries", 0),
            ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
            # A till's line comes and goes: find out soon that it is back, or that it is dead.
            ("grpc.initial_reconnect_backoff_ms", 200),
            ("grpc.min_reconnect_backoff_ms", 200),
            ("grpc.max_reconnect_backoff_ms", 5_000),
            ("grpc.keepalive_time_ms", 60_000),
            ("grpc.keepalive_timeout_ms", 10_000),
        ]

    def present_token(self) -> str:
        """The token to send now."""
        return self.token if isinstance(self.token, str) else self.token()

    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What goes with every call."""
        return (("authorization", f"Bearer {self.present_token()}"),)

    def seconds(self, method: str, timeout: float | None) -> float:
        """The deadline of a call: what it was given, else the client's, else the default."""
        if timeout is not None:
            return timeout
        return deadline_seconds(method) if self.timeout is None else self.timeout

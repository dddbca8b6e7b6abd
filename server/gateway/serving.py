"""Serving the gateway until a signal comes."""

import json
import signal
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import grpc
import uvicorn

from server.gateway.app import Gateway

DRAIN_SECONDS: Final = 25
CHANNEL_OPTIONS: Final = (
    # gRPC's own limit is 4 MiB, and a page of a long statement may have more.
    ("grpc.max_receive_message_length", 32 * 1024 * 1024),
    # A service that comes back is found at once, not after two minutes.
    ("grpc.max_reconnect_backoff_ms", 2_000),
)
KEEP_ALIVE_SECONDS: Final = 75
"""Longer than a proxy keeps an idle connection, so that it is never closed under a request."""


@dataclass(frozen=True, slots=True)
class Listening:
    """Where the gateway is called."""

    host: str
    port: int
    certificate: Path | None = None
    key: Path | None = None


async def serve(listening: Listening, channel: grpc.aio.Channel, *, timeout_seconds: float) -> None:
    """Answer until SIGTERM or SIGINT, then finish what has begun.

    One JSON line on stdout tells the address once it can be called.

    Raises:
        OSError: the address is taken or not ours, or a file of TLS cannot be read.
    """
    server = server_for(Gateway(channel, timeout_seconds=timeout_seconds), listening)
    # uvicorn takes the signals, and raises them again when it is done; then it is for nobody.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    with socket.create_server((listening.host, listening.port)) as listener:
        host, port = listener.getsockname()[:2]
        serving = {"event": "serving", "http": f"{host}:{port}", "tls": bool(listening.certificate)}
        print(json.dumps(serving), flush=True)
        await server.serve(sockets=[listener])


def server_for(gateway: Gateway, listening: Listening) -> uvicorn.Server:
    """A server that is not running yet, and says nothing but what goes wrong."""
    config = uvicorn.Config(
        gateway,
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        ssl_certfile=listening.certificate,
        ssl_keyfile=listening.key,
    )
    return uvicorn.Server(config)

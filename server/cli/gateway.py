"""`loyalty gateway`: JSON over HTTP, in a process of its own.

What the command needs is imported when it runs, so that the others start without waiting for it.
"""

from pathlib import Path
from typing import Annotated, Final

import typer

from server.cli import console
from server.cli.options import (
    DEFAULT_SERVER,
    Authority,
    Server,
    concurrent_channel_to,
    host_and_port,
)

DEFAULT_LISTEN: Final = "127.0.0.1:8080"


def gateway(
    server: Server = DEFAULT_SERVER,
    ca: Authority = None,
    listen: Annotated[
        str,
        typer.Option(
            envvar="LOYALTY_GATEWAY_LISTEN",
            help="host:port for HTTP; port 0 takes a free one.",
            metavar="ADDRESS",
        ),
    ] = DEFAULT_LISTEN,
    tls_cert: Annotated[
        Path | None,
        typer.Option(
            envvar="LOYALTY_TLS_CERT",
            help="PEM file with the certificate chain; switches TLS on, with --tls-key.",
            metavar="FILE",
        ),
    ] = None,
    tls_key: Annotated[
        Path | None,
        typer.Option(
            envvar="LOYALTY_TLS_KEY", help="PEM file with the private key.", metavar="FILE"
        ),
    ] = None,
    timeout: Annotated[
        int, typer.Option(min=1, max=600, help="Seconds to wait for an answer of the server.")
    ] = 10,
) -> None:
    """Answer JSON over HTTP by calls to a running server, and refuse what it does not understand.

    Routes and bodies: docs/json.md and docs/openapi.json. Probes: /health/live and /health/ready.
    """
    from server import logs
    from server.gateway.serving import CHANNEL_OPTIONS, Listening, serve
    from server.listening import require_free

    if (tls_cert is None) != (tls_key is None):
        console.fail("TLS needs both, --tls-cert and --tls-key", code=console.USAGE)
    host, port = host_and_port("--listen", listen)
    logs.configure("info")

    async def run() -> None:
        async with concurrent_channel_to(server, ca, CHANNEL_OPTIONS) as channel:
            await serve(Listening(host, port, tls_cert, tls_key), channel, timeout_seconds=timeout)

    with console.explained():
        require_free(listen, f"--listen {listen}")
    try:
        console.run(run())
    except OSError as error:
        # What is left: a file of TLS.
        console.fail(f"--tls-cert {tls_cert}, --tls-key {tls_key}: {error}", code=console.USAGE)

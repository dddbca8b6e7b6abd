"""Asks the service of this machine whether it serves: `python -m server.health` exits 0 if so.

For the container's health check. It reads the service's own settings, so it finds the port and the
certificate by itself; it needs no token, since health is open.
"""

import asyncio
import socket
import ssl
import sys
from pathlib import Path
from typing import Final

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from server.config import Settings, SettingsError, load

PATIENCE_SECONDS: Final = 3.0
_EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]", "::": "[::1]"}


def main() -> int:
    """Print what is wrong, if anything; return the exit code."""
    try:
        problem = asyncio.run(problem_of(load()))
    except SettingsError as error:
        problem = str(error)
    if problem:
        print(problem, file=sys.stderr)
    return 1 if problem else 0


async def problem_of(settings: Settings) -> str:
    """Ask the service that these settings describe; what is wrong with it, empty if it serves."""
    host, _, port = settings.listen.rpartition(":")
    address = f"{_EVERYWHERE.get(host, host)}:{port}"
    try:
        async with _channel(address, settings.tls_cert) as channel:
            check = channel.unary_unary(
                "/grpc.health.v1.Health/Check",
                request_serializer=HealthCheckRequest.SerializeToString,
                response_deserializer=HealthCheckResponse.FromString,
            )
            answer = await check(HealthCheckRequest(), timeout=PATIENCE_SECONDS)
    except grpc.aio.AioRpcError as error:
        return f"{address}: {error.code().name}: {error.details()}"
    except OSError as error:
        return f"{address}: {error}"
    if answer.status == HealthCheckResponse.SERVING:
        return ""
    return f"{address}: {HealthCheckResponse.ServingStatus.Name(answer.status)}"


def _channel(address: str, certificate: Path | None) -> grpc.aio.Channel:
    if certificate is None:
        return grpc.aio.insecure_channel(address)
    # The service is asked at a loopback address that its certificate does not name.
    name = _certified_name(address, certificate)
    return grpc.aio.secure_channel(
        address,
        grpc.ssl_channel_credentials(certificate.read_bytes()),
        options=[("grpc.ssl_target_name_override", name)],
    )


def _certified_name(address: str, certificate: Path) -> str:
    """A name that the service's certificate is for; it must be the one in the file."""
    context = ssl.create_default_context(cafile=certificate)
    context.check_hostname = False
    # The file holds the service's own certificate, seldom that of the authority above it.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.set_alpn_protocols(["h2"])
    host, _, port = address.rpartition(":")
    target = (host.strip("[]"), int(port))
    with (
        socket.create_connection(target, PATIENCE_SECONDS) as plain,
        context.wrap_socket(plain) as secured,
    ):
        names = (secured.getpeercert() or {}).get("subjectAltName", ())
    first = next((entry[1] for entry in names), "")
    return str(first).replace("*", "health")


if __name__ == "__main__":
    sys.exit(main())

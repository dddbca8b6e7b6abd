"""The container's health check, asked of a small service over a real socket."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
import trustme
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from server.config import load
from server.health import main, problem_of

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@asynccontextmanager
async def service(
    status: int, credentials: grpc.ServerCredentials | None = None
) -> AsyncIterator[int]:
    """A service with nothing but health; yields its port."""
    server = grpc.aio.server()
    servicer = health.aio.HealthServicer()
    await servicer.set("", status)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = (
        server.add_secure_port("127.0.0.1:0", credentials)
        if credentials
        else server.add_insecure_port("127.0.0.1:0")
    )
    await server.start()
    try:
        yield port
    finally:
        await server.stop(None)


async def test_a_service_that_serves_is_healthy() -> None:
    async with service(SERVING) as port:
        assert await problem_of(load(listen=f"127.0.0.1:{port}")) == ""


async def test_a_service_that_listens_everywhere_is_asked_on_this_machine() -> None:
    async with service(SERVING) as port:
        assert await problem_of(load(listen=f"0.0.0.0:{port}")) == ""


async def test_a_draining_service_is_not_healthy() -> None:
    async with service(NOT_SERVING) as port:
        assert "NOT_SERVING" in await problem_of(load(listen=f"127.0.0.1:{port}"))


@pytest.mark.parametrize("name", ["ledger.example.com", "*.example.com", "192.0.2.7"])
async def test_with_tls_the_certificate_need_not_name_the_loopback(
    tmp_path: Path, name: str
) -> None:
    issued = trustme.CA().issue_cert(name)
    key = issued.private_key_pem.bytes()
    chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems)
    (tmp_path / "tls.crt").write_bytes(chain)
    (tmp_path / "tls.key").write_bytes(key)
    async with service(SERVING, grpc.ssl_server_credentials([(key, chain)])) as port:
        settings = load(
            listen=f"127.0.0.1:{port}",
            tls_cert=tmp_path / "tls.crt",
            tls_key=tmp_path / "tls.key",
        )
        assert await problem_of(settings) == ""


async def test_a_certificate_other_than_the_configured_one_is_not_healthy(tmp_path: Path) -> None:
    served, configured = (trustme.CA().issue_cert("ledger.example.com") for _ in range(2))
    configured.cert_chain_pems[0].write_to_path(tmp_path / "tls.crt")
    configured.private_key_pem.write_to_path(tmp_path / "tls.key")
    credentials = grpc.ssl_server_credentials(
        [(served.private_key_pem.bytes(), served.cert_chain_pems[0].bytes())]
    )
    async with service(SERVING, credentials) as port:
        settings = load(
            listen=f"127.0.0.1:{port}",
            tls_cert=tmp_path / "tls.crt",
            tls_key=tmp_path / "tls.key",
        )
        assert "certificate" in (await problem_of(settings)).lower()


def test_the_check_fails_when_nobody_listens(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # A reserved port on which no service of anybody's stands.
    monkeypatch.setenv("LOYALTY_LISTEN", "127.0.0.1:1")
    assert main() == 1
    assert "127.0.0.1:1: UNAVAILABLE" in capsys.readouterr().err


def test_the_check_fails_when_the_settings_are_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOYALTY_LISTEN", "somewhere")
    assert main() == 1
    assert "LOYALTY_LISTEN" in capsys.readouterr().err

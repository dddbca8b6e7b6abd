"""`loyalty gateway` as a process: tells its address, serves over TLS, ends when it is told to."""

import asyncio
import json
import signal
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.json.asking import Web
from tests.server.served import Served

ROOT = Path(__file__).resolve().parents[2]


@asynccontextmanager
async def gateway(*options: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, Any]]:
    """A process of the command, and the line it prints."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from server.cli import app; app()", "gateway"),
        *("--listen", "127.0.0.1:0", *options),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), 30)
        yield process, json.loads(line)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_serves_until_it_is_told_to_end(served: Served, number: signal.Signals) -> None:
    async with gateway("--server", served.address) as (process, said):
        host, _, port = said["http"].rpartition(":")
        assert said == {"event": "serving", "http": said["http"], "tls": False}
        assert (await Web(host, int(port), "").get("/health/ready")).text == "serving\n"
        process.send_signal(number)
        assert await asyncio.wait_for(process.wait(), 30) == 0


async def test_it_serves_over_tls(served: Served, tmp_path: Path) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    issued.cert_chain_pems[0].write_to_path(chain)
    issued.private_key_pem.write_to_path(key)
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    files = ("--tls-cert", str(chain), "--tls-key", str(key))
    async with gateway("--server", served.address, *files) as (_, said):
        assert said["tls"]
        host, _, port = said["http"].rpartition(":")
        assert (await Web(host, int(port), "", trust).get("/health/ready")).text == "serving\n"


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--listen", "8080"), "--listen 8080: expected host:port"),
        (("--listen", "192.0.2.1:8080"), "--listen 192.0.2.1:8080: "),
        (("--tls-cert", "chain.pem"), "TLS needs both"),
    ],
)
async def test_what_keeps_it_from_starting_is_said(options: tuple[str, ...], problem: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from server.cli import app; app()", "gateway", *options),
        stderr=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    _, said = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 2
    assert problem in said.decode()

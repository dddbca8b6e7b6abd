"""The receivers that the documentation tells to copy take what is genuine, and keep the newest."""

import asyncio
import json
import re
import shutil
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.frame import moments
from adapters.frame.outbox.signing import headers_of
from tests.adapters.outboxes import OLDER_SECRET, SECRET
from tests.conftest import ROOT

Sent = Callable[[dict[str, Any], str], Any]


def example(language: str) -> str:
    """The receiver in a language, as it stands in the page."""
    page = (ROOT / "docs" / "adapters" / "outbox.md").read_text(encoding="utf-8")
    (found,) = re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)
    return str(found)


def message(
    version: int, available: int, member: str = "m", kind: str = "balance.changed"
) -> dict[str, Any]:
    data = {"member_id": member, "version": version, "balances": [{"available": available}]}
    return {"type": kind, "timestamp": "2026-11-29T00:00:00Z", "data": data}


async def _send(http: httpx.AsyncClient, told: dict[str, Any], secret: str, age: int = 0) -> int:
    body = json.dumps(told)
    sent_at = moments.now() - age * moments.SECOND
    headers = dict(headers_of("msg_1", body, [secret], sent_at=sent_at))
    return (await http.post("/hooks/loyalty", content=body, headers=headers)).status_code


async def _check(http: httpx.AsyncClient) -> None:
    assert await _send(http, message(2, 200), SECRET) == 204
    assert await _send(http, message(1, 100), SECRET) == 204
    assert await _send(http, message(3, 300), OLDER_SECRET) == 401
    assert await _send(http, message(3, 300), SECRET, age=600) == 401
    for member, kind in (("e", "member.erased"), ("s", "member.merged")):
        assert await _send(http, message(2, 200, member), SECRET) == 204
        assert await _send(http, message(5, 0, member, kind), SECRET) == 204


async def test_the_receiver_in_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WEBHOOK_SECRET", SECRET)
    names: dict[str, Any] = {}
    exec(compile(example("python"), "outbox.md", "exec"), names)
    transport = httpx.ASGITransport(app=names["app"])
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as http:
        await _check(http)
    ((kept,),) = names["known"].execute("SELECT version FROM told").fetchall()
    names["known"].close()
    assert kept == 2


@asynccontextmanager
async def _node(folder: Path) -> AsyncIterator[str]:
    (folder / "receiver.mjs").write_text(example("js"), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {"WEBHOOK_SECRET": SECRET, "PORT": str(port), "PATH": "/usr/bin:/usr/local/bin"}
    node = shutil.which("node")
    assert node is not None
    process = await asyncio.create_subprocess_exec(
        node, "receiver.mjs", cwd=folder, env=environment
    )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        await process.wait()


@pytest.mark.skipif(shutil.which("node") is None, reason="no node is installed")
async def test_the_receiver_in_node(tmp_path: Path) -> None:
    async with _node(tmp_path) as address:
        transport = httpx.AsyncHTTPTransport(retries=10)
        async with httpx.AsyncClient(transport=transport, base_url=address) as http:
            await _check(http)

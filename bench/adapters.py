"""Webhooks to the door of an adapter process: python -m bench.adapters '{"address": …}'.

Every webhook is a signed order of Shopify's of usual size with an id of its own, so every one is a
row of its own in the inbox, committed before it is acknowledged. Heads are put together beforehand
and sockets are spoken to directly: a comfortable client would need more CPU than the door.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import psutil
import uvloop

from adapters.frame import database
from bench.figures import Sample

CALLERS: Final = 64
MEASURES: Final = ("webhooks", "webhooks_paced")
PACE: Final = 1_500
"""Webhooks a second of the paced measure: what one process has to take."""
MAPPING: Final = """
schema: loyalty.adapter/v1
system: shopify
connection: bench
version: 1
places: [{code: online, business_unit: web, zone: UTC, currencies: [EUR]}]
categories: [{code: line, category: goods}]
settings: {shop: bench.myshopify.com}
"""
SECRET: Final = "bench"
LINES: Final = 10


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the client is told."""

    address: str
    seconds: float
    prefix: str
    """Of the ids; no two measures have the same."""
    pace: int = 0
    """Webhooks a second; 0: as fast as answers come."""
    callers: int = CALLERS


def order() -> bytes:
    """An order of ten lines with what Shopify sends beside what is used: some seven kilobytes."""
    line = {
        "id": 14_000_000_000_001,
        "price": "19.90",
        "quantity": 1,
        "sku": "SKU-1",
        "vendor": "Bench",
        "gift_card": False,
        "title": "A thing that is sold on the web",
        "discount_allocations": [],
        "tax_lines": [{"price": "3.18", "rate": "0.19", "title": "VAT"}],
        "properties": [{"name": f"property {n}", "value": "x" * 60} for n in range(4)],
    }
    told = {
        "id": 5_000_000_000_001,
        "currency": "EUR",
        "financial_status": "paid",
        "created_at": "2026-01-01T10:00:00Z",
        "updated_at": "2026-01-01T10:00:05Z",
        "subtotal_price": "199.00",
        "total_price": "199.00",
        "customer": {"id": 7, "email": "bench@example.com"},
        "line_items": [{**line, "id": 14_000_000_000_001 + n} for n in range(LINES)],
    }
    return json.dumps(told).encode()


class _Caller(asyncio.Protocol):
    """One connection with one webhook under way."""

    def __init__(self) -> None:
        self._transport: Any = None
        self._answer: asyncio.Future[bytes] | None = None
        self._seen = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._seen += data
        # Our answers have no body, so the head is all of it.
        if self._answer is not None and self._seen.endswith(b"\r\n\r\n"):
            seen, self._seen = self._seen, b""
            self._answer.set_result(seen)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionError("the door closed the connection"))

    async def send(self, request: bytes) -> None:
        """Send one; return when it is acknowledged. Raises ConnectionError: it was not."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        seen = await self._answer
        if not seen.startswith(b"HTTP/1.1 200 "):
            raise ConnectionError(f"not acknowledged: {seen[:60]!r}")


class Load:
    """Webhooks under way, and how long each took."""

    def __init__(self, wanted: Wanted) -> None:
        """Prepare what all have in common."""
        self._wanted = wanted
        body = order()
        signature = base64.b64encode(hmac.digest(SECRET.encode(), body, hashlib.sha256)).decode()
        self._head = (
            "POST /hooks/bench HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n"
            "x-shopify-topic: orders/updated\r\nx-shopify-shop-domain: bench.myshopify.com\r\n"
            f"x-shopify-hmac-sha256: {signature}\r\ncontent-length: {len(body)}\r\n"
            f"x-shopify-webhook-id: {wanted.prefix}-"
        ).encode()
        self._body = b"\r\n\r\n" + body
        self._next = 0
        self.took: list[float] = []

    async def run(self) -> dict[str, float]:
        """Send for the time that is wanted; the figures."""
        began = perf_counter()
        await asyncio.gather(*(self._call(began) for _ in range(self._wanted.callers)))
        spent = perf_counter() - began
        self.took.sort()
        count = len(self.took)
        return {
            "count": count,
            "rate": count / spent,
            "p50_ms": 1000 * self.took[count // 2],
            "p99_ms": 1000 * self.took[count * 99 // 100],
        }

    async def _call(self, began: float) -> None:
        host, _, port = self._wanted.address.rpartition(":")
        loop = asyncio.get_running_loop()
        transport, caller = await loop.create_connection(_Caller, host, int(port))
        while (due := self._due(began)) - began < self._wanted.seconds:
            number, self._next = self._next, self._next + 1
            if (ahead := due - perf_counter()) > 0:
                await asyncio.sleep(ahead)
            begins = due if self._wanted.pace else perf_counter()
            await caller.send(self._head + str(number).encode() + self._body)
            # Of a paced one from when it was due: waiting for a free caller counts.
            self.took.append(perf_counter() - begins)
        transport.close()

    def _due(self, began: float) -> float:
        pace = self._wanted.pace
        return began + self._next / pace if pace else perf_counter()


@asynccontextmanager
async def door(folder: Path, url: str) -> AsyncIterator[tuple[str, psutil.Process]]:
    """An adapter process that only receives, as `loyalty adapter serve` starts it."""
    await database.migrate(url)
    for name, text in (("mappings/bench.yaml", MAPPING), ("secrets/bench.webhook_secret", SECRET)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    settings = {
        "LISTEN": "127.0.0.1:0",
        "METRICS_LISTEN": "off",
        "MAPPINGS": str(folder / "mappings"),
        "SECRETS": str(folder / "secrets"),
        "DATABASE_URL": url,
        "WORK": "off",
        "PULL": "off",
        "LOG_LEVEL": "error",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from server.cli import app; app()",
        "adapter",
        "serve",
        env={**_environment(settings), "LOYALTY_TOKEN": "none"},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), 60)
        yield json.loads(line)["http"], psutil.Process(process.pid)
    finally:
        process.terminate()
        await process.wait()


def _environment(settings: dict[str, str]) -> dict[str, str]:
    named = {f"LOYALTY_ADAPTERS_{name}": value for name, value in settings.items()}
    return {**os.environ, **named, "PYTHONPATH": ":".join(filter(None, sys.path))}


def sample_of(told: dict[str, float], cpu_seconds: float) -> Sample:
    """The figures of one measure."""
    count = int(told["count"])
    return Sample(
        told["rate"],
        operations=count,
        p50_ms=told["p50_ms"],
        p99_ms=told["p99_ms"],
        cpu_us={"server": 1e6 * cpu_seconds / count},
    )


def as_json(wanted: Wanted) -> str:
    """For the command line of the client's process."""
    return json.dumps(asdict(wanted))


if __name__ == "__main__":
    print(json.dumps(uvloop.run(Load(Wanted(**json.loads(sys.argv[1]))).run())))

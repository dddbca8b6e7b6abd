"""Driving unary calls with h2load: a C program that costs little of the CPU it shares with us."""

import asyncio
import re
import shutil
import struct
import tempfile
from pathlib import Path
from typing import Final, NamedTuple

CONNECTIONS_MAX: Final = 8
_DONE: Final = re.compile(r"^requests: .* (\d+) succeeded, (\d+) failed", re.MULTILINE)
_FINISHED: Final = re.compile(r"^finished in ([0-9.]+)(s|ms|us), ([0-9.]+) req/s", re.MULTILINE)


class LoadFailed(Exception):
    """The load generator failed, or calls did; says why."""


class Load(NamedTuple):
    """What a load generator saw. Latencies in milliseconds."""

    calls: int
    rate: float
    p50_ms: float
    p99_ms: float


def available() -> bool:
    """Whether h2load is installed."""
    return shutil.which("h2load") is not None


def shape(callers: int) -> tuple[int, int]:
    """(connections, calls in flight on each) for so many callers."""
    connections = min(callers, CONNECTIONS_MAX)
    return connections, callers // connections


async def drive(
    address: str, method: str, body: bytes, *, token: str, callers: int, seconds: float
) -> Load:
    """Call a method with so many calls in flight for so long. Raises LoadFailed."""
    connections, each = shape(callers)
    with tempfile.TemporaryDirectory(prefix="loyalty-h2load-") as name:
        folder = Path(name)
        frame, log = folder / "frame", folder / "log"
        frame.write_bytes(struct.pack(">BI", 0, len(body)) + body)
        process = await asyncio.create_subprocess_exec(
            "h2load",
            *("-t", "1", "-c", str(connections), "-m", str(each)),
            *("-D", f"{int(seconds * 1000)}ms", "-d", str(frame), "--log-file", str(log)),
            *("-H", "content-type: application/grpc", "-H", "te: trailers"),
            *("-H", f"authorization: Bearer {token}"),
            f"http://{address}{method}",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output = (await process.communicate())[0].decode(errors="replace")
        if process.returncode != 0:
            raise LoadFailed(output.strip()[-500:])
        return told(output, log.read_text(), seconds=seconds)


def told(output: str, log: str, *, seconds: float) -> Load:
    """What h2load's answer and log say. Raises LoadFailed."""
    done = _DONE.search(output)
    if done is None or not _FINISHED.search(output):
        raise LoadFailed(f"h2load's answer is not understood: {output.strip()[-500:]}")
    calls = int(done.group(1))
    rows = (line.split("\t") for line in log.splitlines())
    latencies = sorted(int(row[2]) / 1000 for row in rows if row[1] == "200")
    if not calls or not latencies:
        raise LoadFailed("not one call was answered")
    return Load(calls, calls / seconds, quantile(latencies, 0.5), quantile(latencies, 0.99))


def quantile(ascending: list[float], share: float) -> float:
    """The value below which a share of the values lies."""
    return ascending[min(len(ascending) - 1, int(len(ascending) * share))]

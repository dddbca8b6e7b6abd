"""Replay of the whole log, and reading it raw, on one core: python -m bench.replaying '{…}'."""

import json
import sys
from collections.abc import Sequence
from resource import RUSAGE_SELF, getrusage
from time import perf_counter
from typing import Final

import asyncpg
import uvloop

from ledger.garbage import search_seldom
from ledger.replay import replay
from server.database import connect

_RAW: Final = "SELECT pos, stream, payload, leaf_hash FROM event"


async def measured(url: str) -> dict[str, float]:
    """Events a second of a replay and of a COPY OUT that nobody looks at."""
    connection = await connect(url)
    try:
        before = getrusage(RUSAGE_SELF)
        replayed = await replay(connection)
        after = getrusage(RUSAGE_SELF)
        seconds = await _copy_out(connection)
    finally:
        await connection.close()
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "replay": replayed.events / replayed.seconds,
        "replay_cpu_us": 1e6 * used / replayed.events,
        "copy_out": replayed.events / seconds,
        "accounts": replayed.accounts,
    }


async def _copy_out(connection: asyncpg.Connection) -> float:
    async def discard(_data: bytes) -> None:
        """Take it and forget it."""

    began = perf_counter()
    await connection.copy_from_query(_RAW, output=discard, format="binary")
    return perf_counter() - began


def main(arguments: Sequence[str]) -> None:
    """Run the process; one line of JSON tells what was seen."""
    search_seldom()
    print(json.dumps(uvloop.run(measured(json.loads(arguments[0])["url"]))), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

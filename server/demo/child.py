"""The demo's servers, in processes of their own: one is called, the other follows the log.

The clock of the one that is called is turned by the demo.
"""

import asyncio
import multiprocessing
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Final

import uvloop

from ledger.core.instant import Instant
from server import logs
from server.config import Settings, load
from server.demo.clock import SharedClock
from server.main import running_server

START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 30.0
LOG_LEVEL: Final = "warning"


class ChildFailed(Exception):
    """The server did not come up."""


def settings_for(url: str, data_dir: Path, *, projections: bool) -> Settings:
    """Settings of one of the demo's servers, whatever the environment says.

    Raises:
        SettingsError: something else in the environment is wrong.
    """
    return load(
        database_url=url,
        database_url_file=None,
        data_dir=data_dir,
        listen="127.0.0.1:0",
        metrics_listen="off",
        tls_cert=None,
        tls_key=None,
        log_level=LOG_LEVEL,
        projections=projections,
    )


@contextmanager
def server_process(
    url: str, data_dir: Path, begins_at: Instant
) -> Iterator[tuple[str, SharedClock]]:
    """Run the server for as long as the block takes; yield its address and its clock.

    Raises:
        ChildFailed: it ended, or said nothing for a minute.
        SettingsError: something in the environment is wrong.
    """
    with _process(settings_for(url, data_dir, projections=False), begins_at) as (pipe, clock):
        yield _address(pipe), clock


@contextmanager
def follower_process(url: str, data_dir: Path, begins_at: Instant) -> Iterator[None]:
    """Run another server beside it, which keeps the projections; nobody waits for its start.

    The first has to have started, for it makes the key that both need.

    Raises:
        SettingsError: something in the environment is wrong.
    """
    with _process(settings_for(url, data_dir, projections=True), begins_at):
        yield


@contextmanager
def _process(settings: Settings, begins_at: Instant) -> Iterator[tuple[Connection, SharedClock]]:
    context = multiprocessing.get_context("spawn")
    cell = context.Value("q", begins_at)
    ours, theirs = context.Pipe()
    process = context.Process(
        target=_serve, args=(settings, cell, theirs), name="loyalty demo server"
    )
    process.start()
    theirs.close()
    try:
        yield ours, SharedClock(cell)
    finally:
        # The other end reads the end of the pipe, and drains.
        ours.close()
        process.join(STOP_SECONDS)
        if process.is_alive():
            process.kill()
            process.join()


def _address(pipe: Connection) -> str:
    if not pipe.poll(START_SECONDS):
        raise ChildFailed("the demo's server does not start; its log above may say why")
    try:
        address: str = pipe.recv()
    except EOFError:
        raise ChildFailed("the demo's server ended at once; its log above says why") from None
    return address


def _serve(settings: Settings, cell: "Synchronized[int]", pipe: Connection) -> None:
    # A terminal's Ctrl-C reaches us too, but it is the parent that ends us, through the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logs.configure(LOG_LEVEL)

    async def until_told() -> None:
        clock = SharedClock(cell)
        async with running_server(settings, clock) as address:
            # The demo may have failed, and closed its end, before we had started.
            with suppress(BrokenPipeError):
                pipe.send(address)
            await asyncio.to_thread(_wait_for_end, pipe)

    uvloop.run(until_told())


def _wait_for_end(pipe: Connection) -> None:
    try:
        pipe.recv()
    except (EOFError, OSError):
        return

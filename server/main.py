"""Starting and stopping: settings in, a serving process out, drained on SIGTERM."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import structlog

from ledger.clock import Clock, SystemClock
from server import embedded, logs
from server.config import Settings
from server.service import Service

log = structlog.get_logger(__name__)


def run(settings: Settings) -> None:
    """Serve until a signal comes, on the fastest event loop there is for the platform.

    Raises:
        SettingsError, DatabaseError, EmbeddedError: it cannot start; says what to do.
    """
    runner: Callable[[Coroutine[Any, Any, None]], None] = asyncio.run
    if sys.platform != "win32":
        import uvloop

        runner = uvloop.run
    runner(serve(settings))


async def serve(settings: Settings, *, clock: Clock | None = None) -> None:
    """Serve until SIGTERM or SIGINT, then drain; a second signal ends the waiting.

    One JSON line on stdout tells the addresses once calls are answered.

    Args:
        settings: see `server.config`.
        clock: the machine's if None.
    """
    logs.configure(settings.log_level)
    log.info("settings", **settings.summary())
    async with _service(settings, clock) as service:
        asked = _signals(service)
        serving = {
            "event": "serving",
            "grpc": service.address,
            "metrics": service.metrics_address,
            "tls": settings.tls_cert is not None,
            "database": "given" if settings.dsn() else "embedded",
        }
        print(json.dumps(serving), flush=True)
        await asked.wait()


def _signals(service: Service) -> asyncio.Event:
    """First signal: set the event. Second: hurry."""
    asked = asyncio.Event()

    def on_signal() -> None:
        if asked.is_set():
            service.hurry.set()
        asked.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, on_signal)
    return asked


@asynccontextmanager
async def running_server(settings: Settings, clock: Clock | None = None) -> AsyncIterator[str]:
    """Serve inside the block and drain at its end; yields host:port. Installs no signal handlers.

    Raises:
        SettingsError, DatabaseError, EmbeddedError: it cannot start; says what to do.
    """
    async with _service(settings, clock) as service:
        yield service.address


@asynccontextmanager
async def _service(settings: Settings, clock: Clock | None) -> AsyncIterator[Service]:
    async with database_url(settings) as dsn:
        service = await Service.open(settings, dsn=dsn, clock=clock or SystemClock())
        try:
            yield service
        finally:
            await service.drain()


@asynccontextmanager
async def database_url(settings: Settings) -> AsyncIterator[str]:
    """URL of the database that the settings name; the embedded one runs inside the block.

    Raises:
        SettingsError, EmbeddedError: with advice.
    """
    given = settings.dsn()
    if given:
        yield given
        return
    async with embedded.running(settings.data_dir / "postgres") as url:
        yield url

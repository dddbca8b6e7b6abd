"""An adapter process: door, worker, puller and upkeep over one database, until told to end."""

import asyncio
import json
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Final

import asyncpg
import structlog
import uvicorn
from prometheus_client import start_http_server

from adapters.frame import calls, database
from adapters.frame.adapter import Api
from adapters.frame.connections import missing_secrets, read_all, remember
from adapters.frame.door import Application, Door
from adapters.frame.inbox import Inbox
from adapters.frame.metrics import Metrics
from adapters.frame.outbox import subscription
from adapters.frame.outbox.service import CONNECTIONS_EACH, Outbox
from adapters.frame.posting import Ledger, channel_to
from adapters.frame.pulling import Puller
from adapters.frame.settings import PREFIX, AdapterSettings, AdapterSettingsError
from adapters.frame.upkeep import Upkeep
from adapters.frame.worker import Worker

log = structlog.get_logger(__name__)

POOL_SIZE: Final = 8
BACKLOG: Final = 2048


class _Server(uvicorn.Server):
    """A server that leaves signals to us."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@dataclass(slots=True)
class Serving:
    """A process that serves."""

    address: str
    metrics_address: str
    metrics: Metrics
    worker: Worker
    inbox: Inbox
    outbox: Outbox


async def serve(settings: AdapterSettings, *, dsn: str, token: str) -> None:
    """Serve until SIGTERM or SIGINT. One JSON line on stdout tells the address.

    Args:
        settings: see `adapters.frame.settings`.
        dsn: URL of the adapters' database.
        token: the ledger's, for the units of all mappings and the verbs earn, read and enrol.

    Raises:
        MappingRefused, InboxUnusable, AdapterSettingsError, OSError: it cannot start.
    """
    log.info("settings", **settings.summary())
    asked = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    async with running(settings, dsn=dsn, token=token) as serving:
        told = {
            "event": "serving",
            "http": serving.address,
            "metrics": serving.metrics_address,
            "dry_run": settings.dry_run,
        }
        print(json.dumps(told), flush=True)
        await asked.wait()


@asynccontextmanager
async def running(settings: AdapterSettings, *, dsn: str, token: str) -> AsyncIterator[Serving]:
    """Serve inside the block. Installs no signal handlers. Raises as `serve`."""
    mappings, secrets = settings.mappings.expanduser(), settings.secrets.expanduser()
    connections = read_all(mappings, secrets)
    subscriptions = subscription.read_all(mappings, secrets, connections)
    for connection in connections.values():
        for name in missing_secrets(connection):
            log.error("secret_missing", connection=connection.name, secret=name)
    metrics = Metrics()
    outbox_size = CONNECTIONS_EACH * len(subscriptions) if settings.tells else 0
    pool = await database.pool(dsn, max_size=POOL_SIZE + outbox_size)
    channel = channel_to(settings.ledger, settings.authority())
    client = calls.client()
    ledger = Ledger(channel, token)
    inbox = Inbox(pool, metrics)
    api = Api(client)
    worker = Worker(
        pool, connections, ledger=ledger, api=api, metrics=metrics, dry_run=settings.dry_run
    )
    reader = Ledger(channel, settings.outbox_token(token))
    outbox = Outbox(pool, subscriptions, ledger=reader, api=api, metrics=metrics)
    upkeep = Upkeep(
        pool,
        metrics,
        keep_days=settings.keep_days,
        keep_parts_days=settings.keep_parts_days,
        subscriptions=subscriptions,
    )
    tasks = [asyncio.create_task(inbox.run()), asyncio.create_task(upkeep.run())]
    try:
        await remember(pool, connections.values())
        await outbox.begin()
        if settings.tells:
            tasks.append(asyncio.create_task(outbox.run()))
        if settings.work:
            await worker.wake()
            tasks.append(asyncio.create_task(worker.run(inbox.committed)))
        if settings.pull:
            puller = Puller(pool, connections, inbox=inbox, api=api, metrics=metrics)
            tasks.append(asyncio.create_task(puller.run()))
        routes = {
            name: list(each.adapter.routes(each, ledger)) for name, each in connections.items()
        }
        door = Door(connections, inbox, metrics) if settings.door else None
        app = Application(door, routes, lambda: _is_ready(pool))
        with _metrics_endpoint(metrics, settings.metrics_listen) as metrics_address:
            async with listening(app, settings.listen) as address:
                yield Serving(address, metrics_address, metrics, worker, inbox, outbox)
    finally:
        await _end(tasks)
        await outbox.close()
        await client.aclose()
        await channel.close()
        await pool.close()


async def _is_ready(pool: asyncpg.Pool) -> bool:
    try:
        async with asyncio.timeout(2):
            await pool.fetchval("SELECT 1")
    except Exception:
        return False
    return True


@asynccontextmanager
async def listening(app: object, listen: str) -> AsyncIterator[str]:
    """Answer HTTP inside the block; what was begun is finished at its end."""
    host = listen.rpartition(":")[0]
    bound = _bound(listen)
    config = uvicorn.Config(
        app,  # type: ignore[arg-type]
        http="httptools",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        # Addresses may hold a secret path, so they are not logged; proxies are not believed.
        proxy_headers=False,
        timeout_graceful_shutdown=10,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[bound]))
    try:
        while not server.started:
            if task.done():
                await task
                raise OSError(f"cannot listen at {listen}")
            await asyncio.sleep(0.01)
        yield f"{host}:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        with suppress(asyncio.CancelledError):
            await task
        bound.close()


def _bound(listen: str) -> socket.socket:
    """A socket that listens. Raises AdapterSettingsError: the address is taken or not ours."""
    host, _, port = listen.rpartition(":")
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host.strip("[]"), int(port)))
        bound.listen(BACKLOG)
    except OSError as error:
        bound.close()
        raise _unusable("LISTEN", listen, error) from None
    return bound


def _unusable(setting: str, listen: str, error: OSError) -> AdapterSettingsError:
    what = f"{PREFIX}{setting} = {listen!r}: {error.strerror or error}"
    return AdapterSettingsError(f"{what}; stop what listens there, or name another address")


@contextmanager
def _metrics_endpoint(metrics: Metrics, listen: str) -> Iterator[str]:
    """Answer Prometheus inside the block, in a thread of its own."""
    if listen == "off":
        yield ""
        return
    host, _, port = listen.rpartition(":")
    try:
        server, thread = start_http_server(int(port), addr=host, registry=metrics.registry)
    except OSError as error:
        raise _unusable("METRICS_LISTEN", listen, error) from None
    try:
        yield f"{host}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    # Whatever one of them has to say, the connections are closed after it.
    for ended in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(ended, Exception):
            log.error("task_failed", exc_info=ended)

"""The running service: ledger, door, gRPC server, health, metrics and projections, put together."""

import asyncio
from contextlib import AsyncExitStack, suppress
from typing import Any, Final, Self

import asyncpg
import grpc
import structlog
from grpc_health.v1 import health_pb2_grpc
from grpc_health.v1.health import aio as health
from grpc_health.v1.health_pb2 import HealthCheckResponse

from ledger.clock import Clock
from ledger.core.instant import from_datetime
from ledger.garbage import search_seldom
from ledger.service import Ledger, LedgerSettings
from projections.due import DueAccounts
from server import database, reflection
from server.auth import Tokens
from server.config import Settings, SettingsError
from server.identity_key import identity_key
from server.listening import AddressUnusable, require_free
from server.metrics import Metrics, MetricsEndpoint
from server.rpc import Door
from server.services import (
    account_service,
    audit_service,
    ledger_service,
    member_service,
    programme_service,
)

MESSAGE_BYTES_MAX: Final = 4 * 1024 * 1024
WATCH_SECONDS: Final = 0.5
SEND_SECONDS: Final = 1.0
CLOSE_SECONDS: Final = 2.0
SKEW_EVERY: Final = 20
"""The clocks are compared at every so many looks at the ledger."""
CONNECTIONS: Final = 10
"""For the ledger, for tokens and for comparing clocks; the projections have their own besides."""
SERVICES: Final = (
    ledger_service.SERVICE,
    member_service.SERVICE,
    account_service.SERVICE,
    audit_service.SERVICE,
    programme_service.SERVICE,
)
_OPTIONS: Final[list[tuple[str, Any]]] = [
    # Two servers on one port would share its calls, unseen; the second one shall fail.
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
    ("grpc.max_send_message_length", -1),
    # A till behind a balancer: find dead connections, allow its pings, spread out again in time.
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 30_000),
    ("grpc.max_connection_age_ms", 30 * 60_000),
]
log = structlog.get_logger(__name__)


class Service:
    """One server process on one database."""

    def __init__(self, settings: Settings, clock: Clock, metrics: Metrics) -> None:
        """Nothing is opened yet; use `open`."""
        self.address = ""
        self.metrics_address = ""
        self.hurry = asyncio.Event()
        """Set it to stop waiting for calls that are still inside."""
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._health = health.HealthServicer()
        self._open = AsyncExitStack()
        self._asking: list[asyncio.Task[None]] = []
        """What asks the ledger for more as long as it serves."""
        self._ledger: Ledger
        self._pool: asyncpg.Pool
        self._door: Door
        self._server: grpc.aio.Server

    @classmethod
    async def open(cls, settings: Settings, *, dsn: str, clock: Clock) -> Self:
        """Open everything and serve.

        Raises:
            SettingsError: an address is taken, or a certificate or key cannot be used.
            DatabaseError: the database cannot be used; says what to do.
        """
        service = cls(settings, clock, Metrics())
        try:
            await service._open_store(dsn)
            await service._listen()
        except BaseException:
            await service._open.aclose()
            raise
        return service

    async def _open_store(self, dsn: str) -> None:
        # First, since it says best what is wrong with a database.
        self._pool = await database.pool(dsn, max_size=CONNECTIONS)
        self._open.push_async_callback(_close_pool, self._pool)
        self._ledger = await Ledger.open(
            self._pool,
            LedgerSettings(
                queue_max=self._settings.queue_max,
                batch_max=self._settings.batch_max,
                cache_accounts=self._settings.cache_accounts,
                identity_key=identity_key(self._settings),
                approval_required=self._settings.policy_approval == "required",
            ),
            self._clock,
            self._metrics,
        )
        self._open.push_async_callback(self._close_ledger)
        search_seldom()
        if self._settings.projections:
            await self._follow(dsn)

    async def _follow(self, dsn: str) -> None:
        # Imported only where projections run, so that a server without them does not need them.
        from projections import PROJECTIONS
        from projections.runner import follow

        # Two more than they need: for who looks into what they keep, to bring on what is due.
        pool = await database.pool(dsn, max_size=len(PROJECTIONS) + 2)
        self._open.push_async_callback(_close_pool, pool)
        self._background(follow(pool, metrics=self._metrics), name="projections")
        # A clock that was put somewhere is moved on by whoever put it there.
        if not self._clock.follows_database:
            return
        if self._settings.sweep_seconds:
            self._sweep(pool)
        if self._settings.transfer_seconds:
            self._continue_transfers(pool)

    def _sweep(self, pool: asyncpg.Pool) -> None:
        from server.passes import into
        from server.sweeping import SWEEPER, Sweeper, keep_sweeping

        work = keep_sweeping(
            Sweeper(DueAccounts(pool), into(self._ledger, client=SWEEPER)),
            seconds=self._settings.sweep_seconds,
            metrics=self._metrics,
        )
        self._asking.append(self._background(work, name="sweeper"))

    def _continue_transfers(self, pool: asyncpg.Pool) -> None:
        from server.passes import into
        from server.transferring import TRANSFERS, Continuing, keep_continuing

        work = keep_continuing(
            Continuing(pool, into(self._ledger, client=TRANSFERS)),
            seconds=self._settings.transfer_seconds,
            metrics=self._metrics,
        )
        self._asking.append(self._background(work, name="transfers"))

    async def _listen(self) -> None:
        self._door = Door(Tokens(self._pool), self._metrics)
        self._server = grpc.aio.server(options=_OPTIONS)
        self._server.add_generic_rpc_handlers(self._handlers())
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        await self._show_health()
        self.address = self._bind()
        if self._settings.metrics_listen != "off":
            endpoint = self._open_metrics()
            self.metrics_address = endpoint.address
        await self._server.start()
        self._background(self._watch(), name="watch")

    def _handlers(self) -> list[grpc.GenericRpcHandler]:
        # gRPC asks them in this order, so the busiest stands first.
        handlers = [
            ledger_service.LedgerServicer(self._ledger, self._metrics).handler(self._door),
            account_service.AccountServicer(self._ledger).handler(self._door),
            member_service.MemberServicer(self._ledger).handler(self._door),
            programme_service.ProgrammeServicer(self._ledger).handler(self._door),
            audit_service.AuditServicer(self._ledger).handler(self._door),
        ]
        if self._settings.reflection:
            handlers.append(reflection.ReflectionServicer(SERVICES).handler(self._door))
        return handlers

    def _bind(self) -> str:
        listen = self._settings.listen
        host = listen.rpartition(":")[0]
        require_free(listen, f"LOYALTY_LISTEN = {listen!r}")
        try:
            credentials = _credentials(self._settings)
            if credentials is None:
                port = self._server.add_insecure_port(listen)
            else:
                port = self._server.add_secure_port(listen, credentials)
        except RuntimeError:
            raise SettingsError(
                f"LOYALTY_LISTEN = {listen!r}: cannot listen there, or not with this certificate"
            ) from None
        if credentials is None and host not in ("127.0.0.1", "localhost", "[::1]"):
            log.warning("tokens_travel_unencrypted", listen=listen, advice="Set LOYALTY_TLS_CERT")
        return f"{host}:{port}"

    def _open_metrics(self) -> MetricsEndpoint:
        listen = self._settings.metrics_listen
        host, _, port = listen.rpartition(":")
        try:
            endpoint = MetricsEndpoint(self._metrics, host=host, port=int(port))
        except OSError as error:
            raise AddressUnusable(f"LOYALTY_METRICS_LISTEN = {listen!r}", error) from None
        self._open.callback(endpoint.close)
        return endpoint

    def _background(self, work: Any, *, name: str) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(work, name=name)
        task.add_done_callback(_complain)

        async def end() -> None:
            task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await task

        self._open.push_async_callback(end)
        return task

    async def _watch(self) -> None:
        """Tell the world whether the ledger serves, and how far the clocks are apart."""
        looks = 0
        while True:
            await self._show_health()
            if looks % SKEW_EVERY == 0 and self._clock.follows_database:
                with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    theirs = await self._pool.fetchval("SELECT clock_timestamp()", timeout=5.0)
                    self._metrics.clock_skew(microseconds=self._clock.now() - from_datetime(theirs))
            looks += 1
            await asyncio.sleep(WATCH_SECONDS)

    async def _show_health(self) -> None:
        serves = self._ledger.serving
        self._metrics.serving(is_serving=serves)
        status = HealthCheckResponse.SERVING if serves else HealthCheckResponse.NOT_SERVING
        for name in ("", *SERVICES):
            await self._health.set(name, status)

    async def drain(self) -> None:
        """Stop as callers wish it: answer what was accepted, refuse what comes now, then close.

        Everything acknowledged is durable already. Set `hurry` to cut the waiting short.
        """
        settings = self._settings
        log.info("draining", grace_seconds=settings.drain_grace_seconds)
        for task in self._asking:
            # What it had not asked for yet, the next process does.
            task.cancel()
        await self._health.enter_graceful_shutdown()
        await self._unless_hurried(asyncio.sleep(settings.drain_delay_seconds))
        grace = settings.drain_grace_seconds
        await self._unless_hurried(asyncio.wait_for(self._answer_all(), grace))
        # Until here the port answers: gRPC itself would meet a call that comes now with CANCELLED
        # instead of a reason to try again.
        await self._unless_hurried(asyncio.wait_for(self._door.quiet(), SEND_SECONDS))
        await self._server.stop(0 if self.hurry.is_set() else SEND_SECONDS)
        await self._open.aclose()
        log.info("stopped")

    async def _answer_all(self) -> None:
        # Shielded, since a writer that is cancelled here could not finish after all.
        await asyncio.gather(self._door.close(), asyncio.shield(self._ledger.drain()))

    async def _close_ledger(self) -> None:
        closing = asyncio.ensure_future(self._ledger.close())
        await asyncio.wait({closing}, timeout=CLOSE_SECONDS)
        if not closing.done():
            # A writer waits for its database as long as it takes; nobody waits for the writer.
            log.error("ledger_not_closed", detail="the database is away; nothing more was recorded")
            closing.cancel()
        with suppress(asyncio.CancelledError):
            await closing

    async def _unless_hurried(self, work: Any) -> None:
        working = asyncio.ensure_future(work)
        hurried = asyncio.ensure_future(self.hurry.wait())
        await asyncio.wait({working, hurried}, return_when="FIRST_COMPLETED")
        for task in (working, hurried):
            task.cancel()
            with suppress(asyncio.CancelledError, TimeoutError):
                await task


async def _close_pool(pool: asyncpg.Pool) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(pool.close(), CLOSE_SECONDS)


def _credentials(settings: Settings) -> grpc.ServerCredentials | None:
    if settings.tls_cert is None or settings.tls_key is None:
        return None
    read = {}
    for name, path in (
        ("LOYALTY_TLS_CERT", settings.tls_cert),
        ("LOYALTY_TLS_KEY", settings.tls_key),
    ):
        try:
            read[name] = path.read_bytes()
        except OSError as error:
            raise SettingsError(f"{name} = {str(path)!r}: {error.strerror}") from None
    pair = (read["LOYALTY_TLS_KEY"], read["LOYALTY_TLS_CERT"])
    return grpc.ssl_server_credentials([pair])


def _complain(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error("background_task_ended", task=task.get_name(), exc_info=task.exception())

"""What the service counts, for Prometheus, with an HTTP endpoint of its own.

No label ever names a member. What is counted on every call is one addition and one bucket search.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import grpc
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    start_http_server,
)

from ledger.core.instant import SECOND, Instant
from ledger.core.refusals import Refusal, VelocityExceeded

if TYPE_CHECKING:
    # A server without projections sweeps nothing, and loads neither.
    from projections.transfers import Waiting
    from server.sweeping import Swept
    from server.transferring import Continued

_CALL_SECONDS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_COMMIT_SECONDS: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)
_BATCH_SIZES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)

Done = Callable[[grpc.StatusCode, float], None]
"""Counts one call of a method: its code, and the seconds it took."""


class Metrics:
    """All metrics of one server. Fits what writer, projections and sweeper report to."""

    def __init__(self) -> None:
        """Begin at nothing, in a registry of our own: two servers in a process do not mix."""
        # A gauge with the time of birth beside every counter doubles the page, and nobody asks.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        self._handled = Counter(
            "loyalty_grpc_handled", "Calls answered.", ("method", "code"), registry=registry
        )
        self._handling = Histogram(
            "loyalty_grpc_handling_seconds",
            "From the first byte handled to the answer.",
            ("method",),
            buckets=_CALL_SECONDS,
            registry=registry,
        )
        self._refused = Counter(
            "loyalty_refusals", "Requests and items refused.", ("reason",), registry=registry
        )
        self._too_fast = Counter(
            "loyalty_velocity_refusals",
            "Refusals by limits of velocity; loyalty_refusals_total has them too.",
            ("limit", "per"),
            registry=registry,
        )
        self._serving = Gauge(
            "loyalty_serving", "1 while the ledger takes writes.", registry=registry
        )
        self._skew = Gauge(
            "loyalty_clock_skew_seconds", "This clock minus the database's.", registry=registry
        )
        self._count_the_writer(registry)
        self._count_the_projections(registry)
        self._count_the_sweeper(registry)
        self._count_the_transfers(registry)

    def _count_the_writer(self, registry: CollectorRegistry) -> None:
        self._replayed = Counter(
            "loyalty_replays", "Writes answered with their first answer.", registry=registry
        )
        self._commands = Counter(
            "loyalty_commands", "Commands in committed batches.", registry=registry
        )
        self._events = Counter("loyalty_events_appended", "Events committed.", registry=registry)
        self._batch = Histogram(
            "loyalty_batch_commands",
            "Commands in one commit.",
            buckets=_BATCH_SIZES,
            registry=registry,
        )
        self._commit = Histogram(
            "loyalty_commit_seconds",
            "Time of one commit.",
            buckets=_COMMIT_SECONDS,
            registry=registry,
        )
        self._queue = Gauge("loyalty_queue_depth", "Writes waiting.", ("queue",), registry=registry)
        self._interactive = self._queue.labels("interactive")
        self._bulk = self._queue.labels("bulk")
        self._lane = Gauge(
            "loyalty_lane_position", "Next position of a lane.", ("lane",), registry=registry
        )
        self._decided = Counter(
            "loyalty_writer_refusals",
            "Refusals by the ledger itself; loyalty_refusals_total has them too.",
            ("reason",),
            registry=registry,
        )

    def _count_the_projections(self, registry: CollectorRegistry) -> None:
        names = ("projection",)
        self._lag = Gauge(
            "loyalty_projection_lag_events",
            "Events of a lane that are not reflected.",
            ("projection", "lane"),
            registry=registry,
        )
        self._applied = Counter(
            "loyalty_projection_events", "Events applied.", names, registry=registry
        )
        self._applying = Counter(
            "loyalty_projection_seconds", "Time spent applying.", names, registry=registry
        )
        self._stopped = Counter(
            "loyalty_projection_stops", "Lanes given up.", names, registry=registry
        )

    def _count_the_sweeper(self, registry: CollectorRegistry) -> None:
        self._sweeps = Counter("loyalty_sweeps", "Passes of the sweeper.", registry=registry)
        self._sweeping = Counter("loyalty_sweep_seconds", "Time spent sweeping.", registry=registry)
        self._swept_accounts = Counter(
            "loyalty_swept_accounts",
            "Accounts by what became of them.",
            ("outcome",),
            registry=registry,
        )
        self._swept_points = Counter(
            "loyalty_swept_points",
            "Points moved by time.",
            ("kind", "currency"),
            registry=registry,
        )

    def _count_the_transfers(self, registry: CollectorRegistry) -> None:
        self._continued = Counter(
            "loyalty_transfers_continued",
            "Transfers brought to their end, and steps refused, by what became of them.",
            ("outcome",),
            registry=registry,
        )
        self._transfers_due = Gauge(
            "loyalty_transfers_due",
            "Transfers under way that nobody has to be asked about.",
            registry=registry,
        )
        self._transfers_since = Gauge(
            "loyalty_transfers_due_seconds",
            "How long the oldest of them has been under way.",
            registry=registry,
        )

    def for_method(self, method: str) -> Done:
        """Return what counts the calls of one method."""
        observe = self._handling.labels(method).observe
        counters: dict[grpc.StatusCode, Counter] = {}

        def done(code: grpc.StatusCode, seconds: float) -> None:
            counter = counters.get(code)
            if counter is None:
                counter = counters[code] = self._handled.labels(method, code.name)
            counter.inc()
            observe(seconds)

        return done

    def told(self, reason: str, refusal: Refusal | None = None) -> None:
        """Count a refusal that a caller was told, of a call or of an item in a batch."""
        self._refused.labels(reason).inc()
        if isinstance(refusal, VelocityExceeded):
            self._too_fast.labels(refusal.limit, refusal.per).inc()

    def refused(self, reason: str) -> None:
        """Count a refusal that the writer decided."""
        self._decided.labels(reason).inc()

    def replayed(self) -> None:
        """Count a write that had been answered before."""
        self._replayed.inc()

    def batch_committed(self, commands: int, events: int, seconds: float) -> None:
        """Count a commit."""
        self._commands.inc(commands)
        self._events.inc(events)
        self._batch.observe(commands)
        self._commit.observe(seconds)

    def queue_depth(self, interactive: int, bulk: int) -> None:
        """Show how many writes wait."""
        self._interactive.set(interactive)
        self._bulk.set(bulk)

    def lane_moved(self, lane: int, next_pos: int) -> None:
        """Show where a lane stands."""
        self._lane.labels(str(lane)).set(next_pos)

    def serving(self, *, is_serving: bool) -> None:
        """Show whether the ledger takes writes."""
        self._serving.set(1 if is_serving else 0)

    def clock_skew(self, *, microseconds: int) -> None:
        """Show how far our clock is ahead of the database's."""
        self._skew.set(microseconds / 1_000_000)

    def applied(self, projection: str, *, events: int, seconds: float) -> None:
        """Count a round of a projection."""
        self._applied.labels(projection).inc(events)
        self._applying.labels(projection).inc(seconds)

    def lag(self, projection: str, lane: int, *, events: int) -> None:
        """Show how much of a lane a projection does not reflect."""
        self._lag.labels(projection, str(lane)).set(events)

    def stopped(self, projection: str, lane: int) -> None:
        """Count a lane that a projection gave up; the log tells which, and why."""
        del lane
        self._stopped.labels(projection).inc()

    def transfers_continued(self, continued: "Continued", left: "Waiting", *, now: Instant) -> None:
        """Count a pass over the transfers, and what it left under way."""
        self._continued.labels("completed").inc(continued.completed)
        self._continued.labels("returned").inc(continued.returned)
        for reason, steps in continued.refused.items():
            self._continued.labels(reason).inc(steps)
        self._transfers_due.set(left.transfers)
        self._transfers_since.set(max(0, now - left.since) / SECOND)

    def swept(self, swept: "Swept", *, seconds: float) -> None:
        """Count a pass of the sweeper."""
        self._sweeps.inc()
        self._sweeping.inc(seconds)
        self._swept_accounts.labels("advanced").inc(swept.accounts)
        self._swept_accounts.labels("replayed").inc(swept.replayed)
        self._swept_accounts.labels("refused").inc(swept.refused.total())
        for (kind, currency), points in swept.moved.items():
            self._swept_points.labels(kind, currency).inc(points)


class MetricsEndpoint:
    """The HTTP endpoint that Prometheus scrapes, in a thread of its own."""

    def __init__(self, metrics: Metrics, *, host: str, port: int) -> None:
        """Listen. Raises OSError: the address is taken or not ours."""
        self._server, self._thread = start_http_server(port, addr=host, registry=metrics.registry)
        self.address = f"{host}:{self._server.server_port}"

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

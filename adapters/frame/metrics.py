"""What adapters count, for Prometheus. No label names a person, a document or a secret."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

_SECONDS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)
_SIZES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


class Metrics:
    """All metrics of one adapter process, in a registry of its own."""

    def __init__(self) -> None:
        """Begin at nothing."""
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.received = Counter(
            "loyalty_adapter_deliveries",
            "Deliveries at the door by what became of them.",
            ("connection", "outcome"),
            registry=registry,
        )
        self.acknowledging = Histogram(
            "loyalty_adapter_acknowledge_seconds",
            "From the whole body to the answer.",
            buckets=_SECONDS,
            registry=registry,
        )
        self.batch = Histogram(
            "loyalty_adapter_inbox_batch",
            "Deliveries made durable by one commit.",
            buckets=_SIZES,
            registry=registry,
        )
        self.items = Counter(
            "loyalty_adapter_items",
            "Items read from deliveries.",
            ("connection", "verdict"),
            registry=registry,
        )
        self.stated = Counter(
            "loyalty_adapter_subjects",
            "Subjects worked on by what became of them.",
            ("connection", "result"),
            registry=registry,
        )
        self.pulls = Counter(
            "loyalty_adapter_pulls",
            "Reconciling pulls.",
            ("connection", "result"),
            registry=registry,
        )
        self.pulled = Counter(
            "loyalty_adapter_pulled",
            "Deliveries that a pull found and no webhook had brought.",
            ("connection",),
            registry=registry,
        )
        self.stuck = Gauge(
            "loyalty_adapter_stuck",
            "Subjects parked or dead, by reason.",
            ("connection", "state", "reason"),
            registry=registry,
        )
        self.waiting = Gauge(
            "loyalty_adapter_waiting_seconds",
            "For how long the oldest has waited that could be worked on.",
            registry=registry,
        )
        self.last = Gauge(
            "loyalty_adapter_last_delivery_timestamp_seconds",
            "When this process last let a delivery of a connection in, since the epoch.",
            ("connection",),
            registry=registry,
        )
        self._count_outbox(registry)

    def _count_outbox(self, registry: CollectorRegistry) -> None:
        self.told = Counter(
            "loyalty_adapter_outbox_messages",
            "Messages to subscribers by what became of an attempt: sent, failed, dead, replaced.",
            ("subscription", "kind", "result"),
            registry=registry,
        )
        self.outbox_waiting = Gauge(
            "loyalty_adapter_outbox_waiting_seconds",
            "For how long the oldest message has waited, or the history was not followed.",
            ("subscription",),
            registry=registry,
        )
        self.outbox_dead = Gauge(
            "loyalty_adapter_outbox_dead",
            "Messages that were given up.",
            ("subscription",),
            registry=registry,
        )

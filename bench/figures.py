"""Samples, medians, ratios within a round, and the figures that were asked for."""

import statistics
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, NamedTuple

Field = Literal["rate", "p50_ms", "p99_ms"]


@dataclass(frozen=True, slots=True)
class Sample:
    """One measure in one round."""

    rate: float
    """Operations a second: calls, items, transactions, or events."""
    operations: int = 0
    """How many there were while CPU time was counted."""
    p50_ms: float | None = None
    p99_ms: float | None = None
    events: float | None = None
    """Events recorded in a second."""
    cpu_us: Mapping[str, float] = field(default_factory=dict)
    """CPU microseconds for one operation, by process."""
    foreign: float | None = None
    """Cores that others used meanwhile."""
    driver: str = ""
    parts_us: Mapping[str, float] = field(default_factory=dict)
    """CPU microseconds of the server for one operation, by part."""


class Spread(NamedTuple):
    """Median, least and greatest over rounds."""

    median: float
    least: float
    greatest: float


def spread(values: list[float]) -> Spread:
    """Of at least one value."""
    return Spread(statistics.median(values), min(values), max(values))


@dataclass(frozen=True, slots=True)
class Target:
    """A ratio of two measures, or one measure by itself, that a figure was set for."""

    title: str
    name: str
    against: str
    """The measure it is divided by; empty: it stands for itself."""
    least: float | None = None
    most: float | None = None
    field: Field = "rate"

    @property
    def wanted(self) -> str:
        """The bound in words."""
        return f"≥ {self.least:g}" if self.least is not None else f"≤ {self.most:g}"

    def met_by(self, value: float) -> bool:
        """Whether a value is within the bound."""
        return (self.least is None or value >= self.least) and (
            self.most is None or value <= self.most
        )


TARGETS: Final = (
    Target("unary PostDocument, 256 in flight / echo", "post_256", "echo_256", least=0.55),
    Target("the same, slow fsync / A", "slow.post_256", "slow.tpcb", least=2.5),
    Target("p99 at 64 callers / per-call transactions", "post_64", "per_call_64", most=0.7,
           field="p99_ms"),
    Target("lone caller's p50 / per-call transactions", "post_1", "per_call_1", most=1.1,
           field="p50_ms"),
    Target("BatchPost of 1,000 with ten rules / A", "batch_1000", "tpcb", least=1.8),
    Target("BatchPost of 1,000 without rules / A", "batch_1000_plain", "tpcb", least=4.0),
    Target("one hot account / many", "hot_256", "post_256", least=1.0),
    Target("BatchPost of 1,000 on one account / on many", "batch_1000_hot", "batch_1000",
           least=1.0),
    Target("all members cold / warm", "cold_256", "post_256", least=0.5),
    Target("replay, events/s on one core", "replay", "", least=100_000),
    Target("evaluation, 30 rules, 3 lines: p50 ms", "rules_3", "", most=0.06, field="p50_ms"),
    Target("evaluation, 30 rules, 20 lines: p50 ms", "rules_20", "", most=0.25, field="p50_ms"),
    Target("check of 30 rules, ms", "rules_check", "", most=300, field="p50_ms"),
    Target("compilation of 30 rules, ms", "rules_compile", "", most=60, field="p50_ms"),
    Target("member of 20 years: sale, p50 ms", "member_old_sale", "", most=10, field="p50_ms"),
    Target("member of 20 years: burn, p50 ms", "member_old_burn", "", most=10, field="p50_ms"),
    Target("member of 20 years: account, p50 ms", "member_old_account", "", most=10,
           field="p50_ms"),
    Target("member of 20 years: statement, p50 ms", "member_old_entries", "", most=10,
           field="p50_ms"),
    Target("webhooks acknowledged/s by one process", "webhooks", "", least=1_500),
    Target("webhooks at 1,500/s: p99 ms", "webhooks_paced", "", most=50, field="p99_ms"),
    Target("backtest, documents/s on two cores", "rules_sets", "", least=300_000),
)  # fmt: skip

ALSO: Final = (
    Target("unary PostDocument, 256 in flight / A", "post_256", "tpcb", least=1.0),
    Target("unary PostDocument, 256 in flight / B", "post_256", "insert", least=0.0),
    Target("unary EarnPoints, 256 in flight / echo", "earn_256", "echo_256", least=0.55),
    Target("unary PostDocument / per-call transactions", "post_256", "per_call_256", least=2.0),
    Target("lone caller's p50 / B with one client", "post_1", "insert_1", least=0.0,
           field="p50_ms"),
    Target("lone caller's p50 / B, slow fsync", "slow.post_1", "slow.insert_1", most=2.0,
           field="p50_ms"),
    Target("BatchPost of 100 with ten rules / A", "batch_100", "tpcb", least=0.0),
    Target("stream of 100s with ten rules / A", "stream_100", "tpcb", least=0.0),
    Target("a document's bytes alone, ten rules, one core / A", "floor", "tpcb", least=0.0),
    Target("a document's bytes alone, no rules, one core / A", "floor_plain", "tpcb", least=0.0),
    Target("BatchPost of 1,000 with ten rules, slow / A", "slow.batch_1000", "slow.tpcb",
           least=0.0),
    Target("unary PostDocument, slow / B", "slow.post_256", "slow.insert", least=0.0),
    Target("unary PostDocument with projections / without", "projected.post_256", "post_256",
           least=0.0),
    Target("BatchPost of 1,000 with projections / without", "projected.batch_1000", "batch_1000",
           least=0.0),
    Target("replay / raw COPY OUT", "replay", "copy_out", least=0.0),
    Target("member of 20 years / new member: sale", "member_old_sale", "member_new_sale",
           least=0.0, field="p50_ms"),
    Target("member of 20 years / new member: burn", "member_old_burn", "member_new_burn",
           least=0.0, field="p50_ms"),
    Target("member of 20 years: first read after a start, p50 ms", "member_old_first_read", "",
           least=0.0, field="p50_ms"),
    Target("evaluation, 3 lines / bare loop: p50", "rules_3", "bare_3", least=0.0, field="p50_ms"),
    Target("evaluation, 20 lines / bare loop: p50", "rules_20", "bare_20", least=0.0,
           field="p50_ms"),
    Target("backtest / bare loop over 3 lines", "rules_sets", "bare_3", least=0.0),
)  # fmt: skip
"""Ratios worth knowing, with bounds of our own where there is one (0: none)."""
FLAT: Final = 0.05
"""Growth of the server's memory over the second half of its stage that still counts as none."""


class Book:
    """Every sample of a run, by measure and round, and what else was found out."""

    def __init__(self) -> None:
        """Begin empty."""
        self.samples: dict[str, dict[int, Sample]] = defaultdict(dict)
        self.facts: dict[str, Any] = {}
        self.skipped: dict[str, str] = {}
        """Why something was not measured."""
        self.failed: dict[str, str] = {}
        """What failed, and how."""

    def add(self, name: str, round_number: int, sample: Sample) -> None:
        """Keep a sample."""
        self.samples[name][round_number] = sample

    def values(self, name: str, what: Field) -> dict[int, float]:
        """A field of a measure by round, where it is known."""
        found = {number: getattr(each, what) for number, each in self.samples[name].items()}
        return {number: value for number, value in found.items() if value is not None}

    def ratio(self, target: Target) -> Spread | None:
        """The target's value, each ratio taken within a round; None when something is missing.

        Measures of two stages share no round; then it is the ratio of their medians.
        """
        above = self.values(target.name, target.field) if target.name in self.samples else {}
        if not target.against:
            return spread(list(above.values())) if above else None
        below = self.values(target.against, target.field) if target.against in self.samples else {}
        if not above or not below:
            return None
        if target.name.rpartition(".")[0] != target.against.rpartition(".")[0]:
            one = statistics.median(above.values()) / statistics.median(below.values())
            return Spread(one, one, one)
        both = sorted(set(above) & set(below))
        return spread([above[each] / below[each] for each in both]) if both else None

    def as_json(self) -> dict[str, Any]:
        """Everything, for build/bench.json."""
        return {
            "facts": self.facts,
            "skipped": self.skipped,
            "failed": self.failed,
            "samples": {
                name: [{"round": number, **asdict(each)} for number, each in sorted(rounds.items())]
                for name, rounds in self.samples.items()
                if rounds
            },
            "targets": [_judged(self, target) for target in TARGETS],
            "ratios": [_judged(self, target) for target in ALSO],
        }


def _judged(book: Book, target: Target) -> dict[str, Any]:
    value = book.ratio(target)
    return {
        **asdict(target),
        "value": None if value is None else value._asdict(),
        "met": None if value is None else target.met_by(value.median),
    }

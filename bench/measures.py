"""What is measured: each measure is a name, a title and a way to take one sample."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Final

from bench import h2load
from bench.baskets import documents, earns
from bench.client import ClientOptions
from bench.figures import Sample
from bench.h2load import Load, LoadFailed
from bench.pgbench import CLIENTS, Pgbench
from bench.policies import WITHOUT_RULES_AT
from bench.server import ECHO
from bench.site import Site, Window, told_by

CALLERS: Final = (1, 16, 64, 256)
PYTHON_CALLERS: Final = (1, 16, 64)
BATCHES_IN_FLIGHT: Final = {100: 16, 1000: 4}
STREAMS: Final = 8


@dataclass(frozen=True, slots=True)
class Setting:
    """Where and how long a sample is taken."""

    site: Site
    window: Window
    seconds: float


Take = Callable[[Setting], Awaitable[Sample]]


@dataclass(frozen=True, slots=True)
class Measure:
    """Something that every round of a stage measures once."""

    name: str
    title: str
    stage: str
    """Or several, divided by spaces: whoever runs one of them needs it."""
    take: Take
    lead: bool = True
    """Run for a while before it is measured."""


def _pgbench(run: Callable[[Setting], Awaitable[Pgbench]]) -> Take:
    async def take(setting: Setting) -> Sample:
        before, began = setting.site.watched.used(), perf_counter()
        told = await run(setting)
        used, took = setting.site.watched.used().since(before), perf_counter() - began
        return Sample(
            rate=told.rate,
            operations=told.transactions,
            p50_ms=told.p50_ms,
            p99_ms=told.p99_ms,
            cpu_us=used.per_operation(max(1, told.transactions)),
            foreign=used.foreign / took,
            driver="pgbench",
        )

    return take


def _unary(path: str, callers: int, *, records: bool = True) -> Take:
    """Calls of a bench method of the server, by h2load where it is installed."""
    return _counted(_by_h2load if h2load.available() else _by_python, path, callers, records)


def _counted(
    drive: Callable[[Setting, str, int], Awaitable[tuple[Load, int]]],
    path: str,
    callers: int,
    records: bool,
) -> Take:
    async def take(setting: Setting) -> Sample:
        site = setting.site
        events, before, began = await site.events(), site.watched.used(), perf_counter()
        load, items = await drive(setting, path, callers)
        used, took = site.watched.used().since(before), perf_counter() - began
        recorded = await site.events() - events
        if records and recorded < load.calls * items:
            raise LoadFailed(
                f"{load.calls * items} succeeded, and {recorded} events were recorded: not all"
                " answers were good ones"
            )
        driver = "h2load" if drive is _by_h2load else "python"
        return Sample(
            rate=load.rate * items,
            operations=load.calls * items,
            p50_ms=load.p50_ms,
            p99_ms=load.p99_ms,
            events=recorded * load.rate / load.calls if records else None,
            cpu_us=used.per_operation(load.calls * items),
            foreign=used.foreign / took,
            driver=driver,
        )

    return take


async def _by_h2load(setting: Setting, path: str, callers: int) -> tuple[Load, int]:
    site = setting.site
    kind = earns if path.endswith("EarnPoints") else documents
    # Only its size counts: the server puts other bytes in its place.
    body = kind(site.occurred_seconds)[0].filled(b"0" * 20, b"0" * 10)
    load = await h2load.drive(
        site.address, path, body, token=site.token, callers=callers, seconds=setting.seconds
    )
    return load, 1


async def _by_python(setting: Setting, method: str, callers: int) -> tuple[Load, int]:
    return await _client(setting, method, callers)


async def _client(
    setting: Setting,
    method: str,
    callers: int,
    *,
    items: int = 1,
    occurred_seconds: int | None = None,
    one_member: bool = False,
    sweep: bool = False,
) -> tuple[Load, int]:
    site = setting.site
    options = ClientOptions(
        address=site.address,
        token=site.token,
        method=method,
        callers=callers,
        seconds=setting.seconds,
        start=setting.window.start,
        size=setting.window.size,
        occurred_seconds=occurred_seconds or site.occurred_seconds,
        items=items,
        one_member=one_member,
        sweep=sweep,
    )
    told = await told_by("bench.client", options.as_json())
    calls = int(told["calls"])
    return Load(calls, calls / told["seconds"], told["p50_ms"], told["p99_ms"]), items


def _batch(
    size: int, *, rules: bool = True, stream: bool = False, one_member: bool = False
) -> Take:
    method = "PostStream" if stream else "BatchPost"
    callers = STREAMS if stream else BATCHES_IN_FLIGHT[size]

    async def drive(setting: Setting, _path: str, _callers: int) -> tuple[Load, int]:
        return await _client(
            setting,
            method,
            callers,
            items=size,
            occurred_seconds=None if rules else WITHOUT_RULES_AT,
            one_member=one_member,
        )

    return _counted(drive, method, callers, True)


def _yardsticks(stage: str) -> list[Measure]:
    a, b = (f"{title}, {CLIENTS} clients" for title in ("A: pgbench TPC-B-like", _ONE_EVENT))
    return [
        Measure("tpcb", a, stage, _pgbench(lambda at: at.site.yardsticks.tpcb(at.seconds)), False),
        Measure(
            "insert", b, stage, _pgbench(lambda at: at.site.yardsticks.insert(at.seconds)), False
        ),
    ]


def _lone_insert(stage: str) -> Measure:
    take = _pgbench(lambda at: at.site.yardsticks.insert(at.seconds, clients=1))
    return Measure("insert_1", f"{_ONE_EVENT}, 1 client", stage, take, False)


_ONE_EVENT: Final = "B: one-event insert"
YARDSTICKS: Final = "yardsticks"
"""Stage of what every round measures, whatever else is asked for."""

WARM: Final = "/bench.Warm/PostDocument"
_PER_CALL: Final = "/bench.PerCall/PostDocument"

DISK: Final = (
    *_yardsticks(YARDSTICKS),
    Measure("echo_256", "echo, 256 in flight", YARDSTICKS, _unary(ECHO, 256, records=False)),
    Measure("post_256", "PostDocument, 256 in flight", YARDSTICKS, _unary(WARM, 256)),
    *(
        Measure(f"post_{n}", f"PostDocument, {n} in flight", "unary per_call", _unary(WARM, n))
        for n in CALLERS[:-1]
    ),
    *(
        Measure(f"earn_{n}", f"EarnPoints, {n} in flight", "unary",
                _unary("/bench.Warm/EarnPoints", n))
        for n in CALLERS
    ),
    *(
        Measure(f"python_{n}", f"PostDocument, {n} Python callers", "unary",
                _counted(_by_python, "PostDocument", n, True))
        for n in PYTHON_CALLERS
    ),
    _lone_insert("per_call"),
    Measure("echo_1", "echo, 1 in flight", "per_call", _unary(ECHO, 1, records=False)),
    *(
        Measure(f"per_call_{n}", f"per-call transactions, {n} in flight", "per_call",
                _unary(_PER_CALL, n))
        for n in (1, 64, 256)
    ),
    Measure("batch_100", "BatchPost of 100, ten rules", "batch", _batch(100)),
    Measure("batch_1000", "BatchPost of 1,000, ten rules", "batch hot", _batch(1000)),
    Measure("batch_100_plain", "BatchPost of 100, no rules", "batch", _batch(100, rules=False)),
    Measure("batch_1000_plain", "BatchPost of 1,000, no rules", "batch",
            _batch(1000, rules=False)),
    Measure("stream_100", "PostStream of 100s, ten rules", "batch", _batch(100, stream=True)),
    Measure("hot_256", "PostDocument, one hot account", "hot",
            _unary("/bench.Hot/PostDocument", 256)),
    Measure("batch_1000_hot", "BatchPost of 1,000, one account each", "hot",
            _batch(1000, one_member=True)),
    Measure("cold_256", "PostDocument, all members cold", "cold",
            _unary("/bench.Cold/PostDocument", 256)),
)  # fmt: skip
"""On the machine's own disk."""

SLOW: Final = (
    *_yardsticks("slow"),
    _lone_insert("slow"),
    Measure("post_1", "PostDocument, 1 in flight", "slow", _unary(WARM, 1)),
    Measure("post_256", "PostDocument, 256 in flight", "slow", _unary(WARM, 256)),
    Measure("per_call_256", "per-call transactions, 256 in flight", "slow",
            _unary(_PER_CALL, 256)),
    Measure("batch_1000", "BatchPost of 1,000, ten rules", "slow", _batch(1000)),
    Measure("batch_1000_plain", "BatchPost of 1,000, no rules", "slow",
            _batch(1000, rules=False)),
)  # fmt: skip
"""With 2 ms added to each fdatasync."""

FEW: Final = (
    Measure("post_256", "PostDocument, 256 in flight", "", _unary(WARM, 256)),
    Measure("batch_1000", "BatchPost of 1,000, ten rules", "", _batch(1000)),
)
"""Of servers that run with something more: a stopwatch, projections."""

ANYONE: Final = _batch(1000)
"""A load on all members of a window."""


async def sweep(setting: Setting) -> None:
    """Let every member of the window buy something once, so that the server has them cached."""
    await _client(setting, "BatchPost", BATCHES_IN_FLIGHT[100], items=100, sweep=True)

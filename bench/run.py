"""A run of the benchmark: the stages one after the other, each in interleaved rounds."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import time
from typing import Final

from bench import adapters, evaluating, floor, importing, old_member, replaying, slow_disk
from bench.figures import Book, Sample
from bench.h2load import LoadFailed
from bench.measures import ANYONE, DISK, FEW, SLOW, YARDSTICKS, Measure, Setting, sweep
from bench.pgbench import PgbenchFailed
from bench.policies import WITHOUT_RULES_AT
from bench.site import PARAMETERS, Site, SiteFailed, Window, told_by
from bench.slow_disk import NoShim
from bench.stopwatch import PARTS
from server import embedded
from server.database import migrate
from server.embedded import EmbeddedError

STAGES: Final = (
    "unary", "per_call", "batch", "hot", "cold", "split", "memory", "replay", "projections",
    "slow", "rules", "old_member", "adapters", "floor",
)  # fmt: skip
ON_DISK: Final = frozenset(("unary", "per_call", "batch", "hot", "cold"))
ON_THE_SITE: Final = frozenset(("split", "memory", "floor"))
"""Stages that need the same database as those on disk, without their rounds."""
WARM_MEMBERS: Final = 30_000
APART_MEMBERS: Final = 5_000
"""For transactions per call, which have a cache of their own to keep."""
SMALL_CACHE: Final = 20_000
MEMORY_SAMPLE_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured."""

    rounds: int = 5
    seconds: float = 5.0
    members: int = 1_000_000
    few_members: int = 120_000
    """Where cold accounts are not the question."""
    replay_members: int = 60_000
    replay_documents: int = 5
    """Of each of them, under ten rules: what is replayed is not to be enrolments alone."""
    memory_events: int = 1_000_000
    rules_documents: int = 2_000_000
    closed_lots: int = 100_000
    open_lots: int = 9_700
    """Of a member of twenty years: below the most that an account may have, with room to earn."""
    tickets: int = 50_000
    stays: int = 5_000
    """In the files of a day."""
    warm_seconds: float = 1.5
    """Before each sample, under the same load."""


QUICK: Final = Scale(
    rounds=1,
    seconds=0.6,
    members=20_000,
    few_members=4_000,
    replay_members=4_000,
    memory_events=50_000,
    rules_documents=250_000,
    closed_lots=5_000,
    open_lots=2_000,
    tickets=500,
    stays=100,
    warm_seconds=0.2,
)


class Run:
    """One run: what it is to measure, and the book it writes into."""

    def __init__(
        self, scale: Scale, stages: Sequence[str], folder: Path, *, step: Callable[[str, int], None]
    ) -> None:
        """Use `folder` for databases; `step` is told what begins, and how many samples are done."""
        self.scale = scale
        self.stages = stages
        self.folder = folder
        self.book = Book()
        self._step = step
        # A little ago: nothing that is measured may lie in the future.
        self._occurred = int(time()) - 60

    @property
    def samples(self) -> int:
        """How many samples there will be."""
        disk = len(self._on_disk()) * self.scale.rounds if self._needs_disk() else 0
        rest = {"split": 2, "memory": 1, "replay": self._replays(), "rules": self._replays()}
        rest |= {
            "old_member": 1,
            "adapters": 2 * self.scale.rounds + 2,
            "floor": len(floor.MEASURES),
        }
        rest |= {"projections": len(FEW) * self.scale.rounds, "slow": len(SLOW) * self.scale.rounds}
        return disk + sum(count for stage, count in rest.items() if stage in self.stages)

    def _on_disk(self) -> list[Measure]:
        wanted = {YARDSTICKS, *self.stages}
        return [each for each in DISK if wanted & set(each.stage.split())]

    def _needs_disk(self) -> bool:
        return bool(ON_DISK & set(self.stages))

    def _replays(self) -> int:
        return min(3, self.scale.rounds)

    async def take(self) -> None:
        """Measure everything that was asked for."""
        self.book.facts["scale"] = asdict(self.scale)
        if self._needs_disk() or ON_THE_SITE & set(self.stages):
            await self._unless_it_fails("disk", self._disk())
        if "replay" in self.stages:
            await self._unless_it_fails("replay", self._replay())
        if "projections" in self.stages:
            await self._unless_it_fails("projections", self._projections())
        if "slow" in self.stages:
            await self._unless_it_fails("slow", self._slow())
        if "rules" in self.stages:
            await self._unless_it_fails("rules", self._rules())
        if "old_member" in self.stages:
            await self._unless_it_fails("old_member", self._old_member())
        if "adapters" in self.stages:
            await self._unless_it_fails("adapters", self._adapters())

    async def _unless_it_fails(self, what: str, stage: Coroutine[None, None, None]) -> None:
        """A failure is told at the end: what was measured until then took half an hour."""
        try:
            await stage
        except (EmbeddedError, LoadFailed, PgbenchFailed, SiteFailed) as error:
            self.book.failed[what] = f"{type(error).__name__}: {error}"
            self._step(f"{what} failed: {error}", 0)

    @asynccontextmanager
    async def _site(
        self, name: str, members: int, env: dict[str, str] | None = None
    ) -> AsyncIterator[Site]:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        folder.chmod(0o711)
        seen = 0

        def enrolled(more: int) -> None:
            nonlocal seen
            seen += more
            self._step(f"enrolling {seen:,} of {members:,} members", 0)

        self._step(f"starting PostgreSQL ({name})", 0)
        async with Site.open(
            folder, members=members, occurred_seconds=self._occurred, enrolled=enrolled, env=env
        ) as site:
            yield site

    async def _disk(self) -> None:
        members = self.scale.members if "cold" in self.stages else self.scale.few_members
        async with self._site("disk", members) as site:
            if self._needs_disk():
                async with site.serving():
                    await self._rounds(site, self._on_disk(), "")
            if "split" in self.stages:
                await self._split(site)
            if "memory" in self.stages:
                await self._memory(site)
            if "floor" in self.stages:
                await self._floor(site)

    async def _projections(self) -> None:
        async with (
            self._site("projected", self.scale.few_members) as site,
            site.serving(projections=True),
        ):
            await self._rounds(site, FEW, "projected.")

    async def _slow(self) -> None:
        try:
            env = slow_disk.environment(self.folder)
        except NoShim as reason:
            self.book.skipped["slow"] = str(reason)
            self._step("slow", len(SLOW) * self.scale.rounds)
            return
        async with self._site("slow", self.scale.few_members, dict(env)) as site, site.serving():
            await self._rounds(site, SLOW, "slow.")

    async def _rounds(self, site: Site, measures: Sequence[Measure], prefix: str) -> None:
        peak = asyncio.create_task(self._watch_memory(site, prefix or "disk."))
        try:
            for number in range(self.scale.rounds):
                setting = await self._warmed(site, number)
                for measure in measures:
                    self._step(f"round {number + 1}: {prefix}{measure.title}", 0)
                    await self._led_in(measure, setting)
                    self.book.add(prefix + measure.name, number, await measure.take(setting))
                    self._step(f"round {number + 1}", 1)
        finally:
            peak.cancel()

    async def _led_in(self, measure: Measure, setting: Setting) -> None:
        """Let a load get going: its connections, statements and caches are not what is measured."""
        if measure.lead:
            # It may be too short for a single answer; the sample itself may not.
            with suppress(LoadFailed):
                await measure.take(replace(setting, seconds=self.scale.warm_seconds))

    async def _warmed(self, site: Site, number: int) -> Setting:
        """A window of members that this round alone uses, cached by the server."""
        share = site.members // (self.scale.rounds + 1)
        apart = min(APART_MEMBERS, share // 4)
        warm = min(WARM_MEMBERS, share - apart)
        window = Window(share * number, warm, apart)
        await site.move(window)
        self._step(f"round {number + 1}: warming {warm:,} members", 0)
        await sweep(Setting(site, window, self.scale.seconds))
        return Setting(site, window, self.scale.seconds)

    async def _watch_memory(self, site: Site, prefix: str) -> None:
        """Keep the greatest of what server and PostgreSQL had in memory."""
        while True:
            seen = (await asyncio.to_thread(site.watched.memory))._asdict()
            for name, value in seen.items():
                key = f"{prefix}{name}"
                peaks = self.book.facts.setdefault("peak_memory_mib", {})
                peaks[key] = max(peaks.get(key, 0.0), value)
            await asyncio.sleep(MEMORY_SAMPLE_SECONDS)

    async def _split(self, site: Site) -> None:
        """Where the server's CPU goes, by a server with the stopwatch installed."""
        async with site.serving(split=True):
            setting = await self._warmed(site, self.scale.rounds)
            for measure in FEW:
                self._step(f"split: {measure.title}", 0)
                await self._led_in(measure, setting)
                await site.control("Split")
                sample = await measure.take(setting)
                spent = json.loads(await site.control("Split"))
                name = f"split.{measure.name}"
                self.book.add(name, 0, replace(sample, parts_us=_parts(sample, spent)))
                self._step("split", 1)

    async def _memory(self, site: Site) -> None:
        """Send many events through a server with a small cache, and look at its memory."""
        everyone = Setting(site, Window(0, site.members, 1), max(1.0, self.scale.seconds / 2))
        points: list[dict[str, float]] = []
        cache = min(SMALL_CACHE, site.members // 5)
        async with site.serving(cache_accounts=cache):
            began = await site.events()
            seen = 0
            while seen < self.scale.memory_events:
                self._step(f"memory: {seen:,} of {self.scale.memory_events:,} events", 0)
                await ANYONE(everyone)
                seen = await site.events() - began
                points.append({"events": seen, "mib": site.watched.memory().server})
        middle = next(each for each in points if each["events"] >= seen / 2)
        self.book.facts["memory"] = {
            "cache_accounts": cache,
            "members": site.members,
            "points": points,
            "growth_in_second_half": points[-1]["mib"] / middle["mib"] - 1,
        }
        self._step("memory", 1)

    async def _replay(self) -> None:
        """A history of its own: the same whatever else is measured before."""
        async with self._site("replayed", self.scale.replay_members) as site:
            await self._shopped(site, self.scale.replay_documents)
            for number in range(self._replays()):
                self._step(f"replay {number + 1}", 0)
                told = await told_by(replaying.__name__, json.dumps({"url": site.url}))
                cpu = {"replay": told["replay_cpu_us"]}
                self.book.add("replay", number, Sample(told["replay"], cpu_us=cpu))
                self.book.add("copy_out", number, Sample(told["copy_out"]))
                self._step("replay", 1)
            accounts = round(told["accounts"])
            self.book.facts["replay"] = {"accounts": accounts, "events": await site.kinds()}

    async def _shopped(self, site: Site, times: int) -> None:
        """Let every member buy something so many times."""
        everyone = Setting(site, Window(0, site.members, 0), self.scale.seconds)
        async with site.serving():
            for number in range(times):
                self._step(f"purchase {number + 1} of {times} of {site.members:,} members", 0)
                await sweep(everyone)
        await site.vacuum()

    async def _floor(self, site: Site) -> None:
        """What the bytes of a document cost, with ten rules and without: once, and last."""
        for name, at in zip(floor.MEASURES, (site.occurred_seconds, WITHOUT_RULES_AT), strict=True):
            self._step(name, 0)
            options = floor.Options(site.url, str(site.folder), at)
            told = await told_by(floor.__name__, json.dumps(asdict(options)))
            rate = 1e6 / told["cpu_us"]
            cpu, events = {"server": told["cpu_us"]}, rate * told["events"]
            self.book.add(name, 0, Sample(rate, events=events, cpu_us=cpu))
            self._step("floor", 1)

    async def _rules(self) -> None:
        """What the policy language costs by itself, in a process without a ledger."""
        for number in range(self._replays()):
            self._step(f"rules {number + 1}", 0)
            asked = json.dumps({"documents": self.scale.rules_documents})
            told = await told_by(evaluating.__name__, asked)
            for name, sample in rules_samples(told).items():
                self.book.add(name, number, sample)
            self.book.facts["rules"] = {key: told[key] for key in ("documents", "peak_mib")}
            self._step("rules", 1)

    async def _old_member(self) -> None:
        """A member with a history as long as they come, in a ledger of their own."""
        folder = self.folder / "old_member"
        folder.mkdir(exist_ok=True)
        folder.chmod(0o711)
        self._step(f"a member with {self.scale.closed_lots:,} closed lots", 0)
        async with embedded.running(folder / "postgres", parameters=PARAMETERS) as url:
            await migrate(url)
            lots = {"closed": self.scale.closed_lots, "opened": self.scale.open_lots}
            told = await told_by(old_member.__name__, json.dumps({"url": url} | lots))
        for name, spent in told.items():
            self.book.add(f"member_{name}", 0, Sample(1000 / spent, p50_ms=spent))
        self.book.facts["old_member"] = lots
        self._step("old_member", 1)

    async def _adapters(self) -> None:
        """What adapters receive: webhooks, as fast as they can and paced; then files of a day."""
        folder = self.folder / "adapters"
        folder.mkdir(exist_ok=True)
        folder.chmod(0o711)
        async with embedded.running(folder / "postgres", parameters=PARAMETERS) as url:
            await self._webhooks(folder, url)
            self._step(f"files of {self.scale.tickets:,} tickets, {self.scale.stays:,} stays", 0)
            asked = {"url": url, "folder": str(folder)}
            counts = {"tickets": self.scale.tickets, "stays": self.scale.stays}
            told = await told_by(importing.__name__, json.dumps(asked | counts))
        for name in importing.MEASURES:
            self.book.add(name, 0, Sample(told[name]))
            self._step("adapters", 1)
        self.book.facts["files"] = counts

    async def _webhooks(self, folder: Path, url: str) -> None:
        self._step("starting an adapter process", 0)
        async with adapters.door(folder, url) as (address, process):
            for number in range(self.scale.rounds):
                for name, pace in zip(adapters.MEASURES, (0, adapters.PACE), strict=True):
                    self._step(f"round {number + 1}: {name}", 0)
                    prefix = f"{name}-{number}"
                    wanted = adapters.Wanted(address, self.scale.seconds, prefix, pace)
                    before = sum(process.cpu_times()[:2])
                    told = await told_by(adapters.__name__, adapters.as_json(wanted))
                    spent = sum(process.cpu_times()[:2]) - before
                    self.book.add(name, number, adapters.sample_of(told, spent))
                    self._step("adapters", 1)


def rules_samples(told: Mapping[str, float]) -> dict[str, Sample]:
    """The measures of the stage `rules`, which are told in microseconds and milliseconds."""
    samples = {
        f"rules_{lines}": Sample(
            1e6 / told[f"rows_{lines}_p50"],
            p50_ms=told[f"rows_{lines}_p50"] / 1000,
            p99_ms=told[f"rows_{lines}_p99"] / 1000,
        )
        for lines in (3, 20)
    }
    for lines in (3, 20):
        spent = told[f"bare_{lines}_p50"]
        samples[f"bare_{lines}"] = Sample(1e6 / spent, p50_ms=spent / 1000)
    for name in ("check", "compile"):
        samples[f"rules_{name}"] = Sample(1000 / told[name], p50_ms=told[name])
    samples["rules_sets"] = Sample(told["sets"], cpu_us={"client": told["sets_cpu_us"]})
    return samples


def _parts(sample: Sample, spent: dict[str, int]) -> dict[str, float]:
    """Microseconds for one operation by part; what no part accounts for is gRPC and asyncio."""
    parts = {part: spent.get(part, 0) / 1000 / sample.operations for part in PARTS}
    parts["grpc"] = sample.cpu_us["server"] - sum(parts.values())
    parts["postgres"] = sample.cpu_us["postgres"]
    return parts

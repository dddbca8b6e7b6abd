"""The whole demo: read, serve, let a year pass, count, replay, verify. One call does it all."""

import asyncio
import shutil
from pathlib import Path
from time import perf_counter
from typing import Final

import asyncpg
import grpc
from rich.console import Console

from ledger.replay import ReplayResult, replay
from loyalty.v1 import programme_service_pb2 as programme_pb
from loyalty.v1.audit_service_pb2 import VerifyHistoryResponse
from loyalty.v1.programme_service_pb2_grpc import ProgrammeServiceStub
from projections.balances import BALANCES
from projections.digest import digest_of
from projections.settlement import settlement_matrix
from projections.tiers import tier_counts
from projections.unit_totals import unit_totals
from server import auth, database, embedded
from server.cli.console import progress
from server.cli.sending import CALL_SECONDS, metadata
from server.cli.verifying import verify_history
from server.demo import report, year
from server.demo.child import follower_process, server_process
from server.demo.clock import SharedClock
from server.demo.proof import caught_up, recorded_documents
from server.demo.rewarding import Rewarding
from server.demo.sources import WEEK
from server.demo.traffic import Traffic
from server.demo.year import Scale, Year
from server.embedded.processes import find_postmaster

POLICY: Final = Path(__file__).parents[2] / "rules" / "programmes" / "harbour.yaml"
MARKER: Final = "made-by-loyalty-demo"
"""A folder with this file in it is the demo's own, and may be deleted."""


class DemoFailed(Exception):
    """Something did not come out as it has to; every line says what."""


def run_demo(folder: Path, scale: Scale, out: Console) -> None:
    """Run the demo with a fresh database in `folder` and print what happens.

    Raises:
        SourceError: the data is not there.
        DemoFailed: a total, a digest or the check of the history does not come out.
        DatabaseError, EmbeddedError, ChildFailed: database or server do not start.
    """
    began = perf_counter()
    out.print("[bold]Reading[/]")
    passing = year.read(scale)
    report.print_sources(out, passing.sources, passing.part)
    out.print(
        f"  {len(passing.documents):,} versions of documents and activities,"
        f" {len(passing.members.numbers):,} members; read in {perf_counter() - began:.1f} s"
    )
    _prepare(folder)
    problems = asyncio.run(Demo(folder, passing, out).run())
    out.print(f"[bold]Done[/] in {perf_counter() - began:.0f} s")
    if problems or scale.keep:
        out.print(f"The database stays: LOYALTY_DATA_DIR={folder} loyalty verify")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    if problems:
        raise DemoFailed("\n".join(problems))


def _prepare(folder: Path) -> None:
    """Make an empty folder where the demo's own was, if it was there."""
    marker = folder / MARKER
    if folder.exists() and not marker.exists():
        raise DemoFailed(f"{folder} is there already, and not the demo's: set LOYALTY_DATA_DIR")
    if find_postmaster(folder / "postgres" / "data") is not None:
        raise DemoFailed(f"the database in {folder} is in use: stop what runs on it")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    marker.touch()


class Demo:
    """One run over one year's documents, in one fresh database."""

    def __init__(self, folder: Path, passing: Year, out: Console) -> None:
        """Keep the database and the server's key in `folder`."""
        self._folder = folder
        self._year = passing
        self._out = out
        self._problems: list[str] = []

    async def run(self) -> list[str]:
        """Do everything; returns what did not come out as it has to."""
        async with embedded.running(self._folder / "postgres") as url:
            await database.migrate(url)
            connection = await database.connect(url)
            try:
                token = await auth.create_token(
                    connection, name="demo", business_units=["*"], verbs=list(auth.Verb)
                )
                begins_at = self._year.begins_at
                with server_process(url, self._folder, begins_at) as (address, clock):
                    self._out.print(f"[bold]Serving[/] at {address}, PostgreSQL embedded, fsync on")
                    with follower_process(url, self._folder, begins_at):
                        async with grpc.aio.insecure_channel(address) as channel:
                            await self._live(channel, clock, token=token)
                        await caught_up(connection)
                await self._count(connection)
                await self._prove(url, connection)
            finally:
                await connection.close()
        return self._problems

    async def _live(self, channel: grpc.aio.Channel, clock: SharedClock, *, token: str) -> None:
        request = programme_pb.PublishPolicyRequest(
            request_id="policy-1", document=POLICY.read_text(encoding="utf-8")
        )
        published = await ProgrammeServiceStub(channel).PublishPolicy(
            request, metadata=metadata(token), timeout=CALL_SECONDS
        )
        policy = published.policy
        self._out.print(
            f"  published {policy.programme} version {policy.version}, digest {policy.digest}\n"
            "  (the first policy needs no second person's approval; every later one does)"
        )
        traffic = Traffic(channel, clock, token=token)
        owners = self._year.members.numbers
        await traffic.enrol(owners)
        await self._pass_year(traffic)
        await traffic.advance(owners)
        self._report_traffic(traffic)

    async def _pass_year(self, traffic: Traffic) -> None:
        documents, begins_at = self._year.documents, self._year.begins_at
        weeks = (max(doc.occurred_at for doc in documents) - begins_at) // WEEK + 1
        with progress() as bar:
            task = bar.add_task("weeks", total=weeks)
            await traffic.pass_time(
                documents,
                begins_at=begins_at,
                week_done=lambda week: bar.update(task, completed=week),
            )
        self._out.print(f"  {weeks} weeks passed, points expired on the way")

    def _report_traffic(self, traffic: Traffic) -> None:
        outcome = traffic.outcome
        acts = ", ".join(f"{act} {count:,}" for act, count in sorted(traffic.spending.acts.items()))
        self._out.print(f"  {acts}")
        for (act, reason), count in sorted(outcome.refused.items()):
            self._out.print(f"  refused: {count:,} times {act}, {reason}")
            if act in ("document", "activity"):
                self._problems.append(f"{count} times {act} was refused: {reason}")
        self._out.print(
            f"  {outcome.writes:,} writes through gRPC in {outcome.seconds:.1f} s:"
            f" [bold]{outcome.writes / outcome.seconds:,.0f} writes/s[/], each durable"
        )

    async def _count(self, connection: asyncpg.Connection) -> None:
        self._out.print("[bold]Counting[/]")
        rewarding = Rewarding()
        recorded = await recorded_documents(connection, rewarding)
        table, ties = report.control_table(self._year.sources, self._year.brought_back, recorded)
        self._out.print(table)
        totals = (await unit_totals(connection)).value
        self._out.print(report.units_table(totals, recorded))
        matrix = (await settlement_matrix(connection)).value
        self._out.print(report.settlement_table(matrix))
        self._out.print(report.campaigns_table(rewarding.campaigns()))
        self._out.print(report.purses_table(rewarding.purses()))
        self._out.print(f"benefits: {report.counts_line(rewarding.benefits())}")
        tiers = (await tier_counts(connection)).value
        self._out.print(f"tiers: {report.tiers_line(tiers)}")
        unexplained = report.unaccounted(totals)
        self._out.print(f"issued points that no figure explains: {unexplained:,}")
        self._expect("control totals", ties)
        self._expect("points of the group", unexplained == 0)

    async def _prove(self, url: str, connection: asyncpg.Connection) -> None:
        self._out.print("[bold]Proving[/]")
        replayed = await self._replay(connection)
        projected = (await digest_of(connection, BALANCES)).hexdigest
        self._out.print(
            f"  replayed {replayed.events:,} events of {replayed.accounts:,} accounts:"
            f" [bold]{replayed.events_per_second:,} events/s[/]"
        )
        self._out.print(f"  balances by replay      {replayed.balances_digest}")
        self._out.print(f"  balances by projection  {projected}")
        self._expect("digests of the balances", replayed.balances_digest == projected)
        verified = await self._verify(url)
        self._out.print(
            f"  verified {verified.events_checked:,} events, evaluated"
            f" {verified.awards_checked:,} awards again: {len(verified.divergences)} divergences"
        )
        self._out.print(f"  accounts by replay      {replayed.state_digest}")
        self._out.print(f"  accounts by verify      {verified.state_digest}")
        self._out.print(f"  roots of all lanes      {replayed.root_digest}")
        roots = [(lane.lane, lane.size, lane.root) for lane in verified.lane_roots]
        self._expect("digests of the accounts", replayed.state_digest == verified.state_digest)
        self._expect("roots of the lanes", [tuple(lane) for lane in replayed.lane_roots] == roots)
        for first in verified.divergences[:1]:
            self._problems.append(
                f"lane {first.lane}, position {first.pos}: {first.reason} {first.detail}"
            )

    async def _replay(self, connection: asyncpg.Connection) -> ReplayResult:
        total = await connection.fetchval("SELECT sum(next_pos)::bigint FROM lane")
        with progress() as bar:
            task = bar.add_task("replay", total=total)
            return await replay(connection, advanced=lambda count: bar.advance(task, count))

    async def _verify(self, url: str) -> VerifyHistoryResponse:
        with progress() as bar:
            task = bar.add_task("verify", total=None)

            def show(done: VerifyHistoryResponse) -> None:
                bar.update(task, completed=done.events_checked, total=done.events_total)

            return await verify_history(url, skip_awards=False, progressed=show)

    def _expect(self, what: str, holds: bool) -> None:
        if not holds:
            self._problems.append(f"{what}: they do not match")

"""What a campaign's budget costs that every sale draws from: `python -m bench.shared_budget`.

Writers in processes of their own post sales of members of their own to one database, first without
the budget and then with it, so that whatever differs is the purse. Rounds take turns, and what a
writer did is told with its commits: two processes that meet in a lane decide a batch again.
"""

import asyncio
import json
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Annotated, Any, Final

import typer
import uvloop

from ledger.metrics import NoMetrics
from ledger.service import Ledger, LedgerSettings
from loyalty.v1.ledger_service_pb2 import PostDocumentRequest, Posting
from loyalty.v1.member_service_pb2 import EnrolMemberRequest
from loyalty.v1.programme_service_pb2 import PublishPolicyRequest
from loyalty.v1.types_pb2 import (
    DOCUMENT_KIND_SALE,
    DOCUMENT_STATUS_FINAL,
    Document,
    DocumentLine,
    Identity,
    MemberRef,
    Origin,
)
from server import database
from server.embedded import Lease

KEY: Final = bytes(range(32))
MEMBERS: Final = 400
"""Of each writer."""
_PLAIN: Final = """
schema: loyalty.policy/v1
programme: budget
version: 1
effective_from: 2020-01-01T00:00:00Z
zone: UTC
currencies: [{id: p, role: spendable}]
business_units: [{id: a, zone: UTC, currency: EUR, point_value: "0.01 EUR"}]
categories: [food]
groups: [{id: g}]
earn:
  - {kind: base, id: base, currency: p, rate: {points: 1, per: "1.00 EUR"}}
  - {kind: multiplier, id: twice, currency: p, factor: 2, group: g, campaign: k}
redemptions: [{id: pay, currency: p}]
campaigns: [{id: k%s}]
"""


def policy_with(points: int = 0) -> str:
    """The programme, with a budget of so many points for all members; 0: without one."""
    return _PLAIN % (f", budgets: [{{currency: p, points: {points}}}]" if points else "")


POLICIES: Final = {"without": policy_with(), "with": policy_with(10**9)}


@dataclass(frozen=True, slots=True)
class Told:
    """What a writer's process is told."""

    url: str
    name: str
    seconds: float
    callers: int

    def as_json(self) -> str:
        """For its command line."""
        return json.dumps(asdict(self))


class Commits(NoMetrics):
    """Counts commits."""

    def __init__(self) -> None:
        """Begin with none."""
        self.commits = 0

    def batch_committed(self, commands: int, events: int, seconds: float) -> None:
        """One more."""
        self.commits += 1


async def write(told: Told) -> dict[str, Any]:
    """Post sales for some seconds, once told on stdin to begin; what came of it."""
    pool = await database.pool(told.url)
    counted = Commits()
    ledger = await Ledger.open(pool, LedgerSettings(identity_key=KEY), metrics=counted)
    try:
        members = [
            MemberRef(identity=Identity(scheme="card", value=f"{told.name}-{number}"))
            for number in range(MEMBERS)
        ]
        await ledger.write_batch(
            [
                EnrolMemberRequest(
                    request_id=f"enrol-{each.identity.value}",
                    origin=Origin(business_unit="a"),
                    identities=[each.identity],
                )
                for each in members
            ],
            client=told.name,
        )
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        counted.commits, end, numbers = 0, time.monotonic() + told.seconds, iter(range(1 << 40))

        async def sell() -> tuple[int, int]:
            sales = points = 0
            while time.monotonic() < end:
                number = next(numbers)
                answer = await ledger.write(
                    sale(told.name, number, members[number % MEMBERS]), client=told.name
                )
                assert isinstance(answer.message, Posting)
                points += sum(g.granted for g in answer.message.grants if g.rule == "twice")
                sales += 1
            return sales, points

        done = await asyncio.gather(*(sell() for _ in range(told.callers)))
    finally:
        await ledger.close()
        await pool.close()
    sales, points = (sum(each) for each in zip(*done, strict=True))
    return {"sales": sales, "points": points, "commits": counted.commits}


def sale(name: str, number: int, member: MemberRef) -> PostDocumentRequest:
    """A sale of 20.00."""
    return PostDocumentRequest(
        request_id=f"sale-{number}",
        origin=Origin(business_unit="a"),
        member=member,
        document=Document(
            source=name,
            document_id=str(number),
            version=1,
            kind=DOCUMENT_KIND_SALE,
            status=DOCUMENT_STATUS_FINAL,
            currency_code="EUR",
            lines=[DocumentLine(line_id="1", category="food", net_minor_units=20_00)],
        ),
    )


async def sample(url: str, policy: str, writers: int, seconds: float, callers: int) -> list[Any]:
    """What each writer did, all of them at once, on a database that is new."""
    await database.migrate(url)
    pool = await database.pool(url, max_size=2)
    ledger = await Ledger.open(pool, LedgerSettings(identity_key=KEY))
    await ledger.write(PublishPolicyRequest(request_id="policy", document=policy), client="bench")
    await ledger.close()
    await pool.close()
    children = []
    for number in range(writers):
        told = Told(url, f"w{number}", seconds, callers)
        children.append(
            await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "bench.shared_budget",
                "--writer",
                told.as_json(),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
        )
    for child in children:
        assert child.stdout is not None
        await child.stdout.readline()
    told_to_begin = [child.communicate(b"go\n") for child in children]
    return [json.loads(out) for out, _ in await asyncio.gather(*told_to_begin)]


async def measure(
    url: str, rounds: int, seconds: float, callers: int
) -> list[tuple[str, int, list[Any]]]:
    """Every sample, in turn."""
    found: list[tuple[str, int, list[Any]]] = []
    for _ in range(rounds):
        for writers in (1, 2):
            for policy in POLICIES:
                name = f"budget_{len(found)}"
                owner = await database.connect(url, role=None)
                await owner.execute(f"CREATE DATABASE {name}")
                await owner.close()
                of_its_own = url.rpartition("/")[0] + f"/{name}"
                done = await sample(of_its_own, POLICIES[policy], writers, seconds, callers)
                found.append((policy, writers, done))
    return found


def main(
    rounds: Annotated[int, typer.Option(min=1)] = 3,
    seconds: Annotated[float, typer.Option(min=0.2, help="Of each sample.")] = 2.0,
    callers: Annotated[int, typer.Option(min=1, help="Sales under way in each writer.")] = 64,
    data_dir: Annotated[
        Path, typer.Option(help="A database is made, and removed, below it.")
    ] = Path("/var/tmp"),
    writer: Annotated[str, typer.Option(hidden=True)] = "",
) -> None:
    """Measure sales per second with one writer and two, without a shared budget and with one."""
    if writer:
        print(json.dumps(uvloop.run(write(Told(**json.loads(writer))))))
        return
    with tempfile.TemporaryDirectory(dir=data_dir) as folder:
        Path(folder).chmod(0o711)
        lease = Lease(Path(folder) / "data")
        try:
            found = uvloop.run(measure(lease.open(), rounds, seconds, callers))
        finally:
            lease.close()
    print("writers  budget   sales/s  sales per commit")
    for writers in (1, 2):
        for policy in POLICIES:
            done = [each for kind, count, each in found if (kind, count) == (policy, writers)]
            rate = median(sum(w["sales"] for w in each) / seconds for each in done)
            size = median(
                sum(w["sales"] for w in each) / max(1, sum(w["commits"] for w in each))
                for each in done
            )
            print(f"{writers:7}  {policy:7} {rate:8.0f}  {size:16.1f}")


if __name__ == "__main__":
    typer.run(main)

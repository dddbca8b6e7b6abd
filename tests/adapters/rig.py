"""A ledger, an adapter process beside it, and somebody who sends webhooks: for end-to-end tests.

The worker runs when the test says so (`work`), so that a test sees each state it asks for.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from adapters.frame import calls, database
from adapters.frame.adapter import Api, Connection
from adapters.frame.connections import connection_of, settings_models
from adapters.frame.mapping import parse
from adapters.frame.service import Serving, listening, running
from adapters.frame.settings import load
from adapters.frame.translating import Result, translated
from adapters.frame.words import Delivery, Statement
from loyalty.v1.account_service_pb2 import GetAccountRequest
from loyalty.v1.member_service_pb2 import EnrolMemberRequest
from loyalty.v1.types_pb2 import Identity, MemberRef, Origin
from tests.server.served import Caller, Served


def connection(mapping: str, secrets: Mapping[str, str] | None = None) -> Connection:
    """A connection of a mapping's text."""
    made = connection_of(parse(mapping, "mapping.yaml", settings_models()), None)
    keys = {name: (value,) for name, value in (secrets or {}).items()}
    return Connection(made.name, made.adapter, made.mapping, keys)


def translate(mapping: str, *bodies: bytes, **headers: str) -> dict[str, Result]:
    """What some bodies mean under a mapping, without any database."""
    kept = {"content-type": "application/json"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return translated([Delivery(body, kept) for body in bodies], connection(mapping))


def only(results: Mapping[str, Result]) -> Result:
    """The one result."""
    (result,) = results.values()
    return result


def statement(results: Mapping[str, Result]) -> Statement:
    """The one result, which has to be a document."""
    result = only(results)
    assert isinstance(result, Statement), result
    return result


def lines_of(stated: Statement) -> list[tuple[str, int]]:
    """Category and net amount of each line."""
    return [(line.category, line.net_minor_units) for line in stated.document.lines]


@dataclass
class Rig:
    """An adapter process over one mapping."""

    name: str
    serving: Serving
    http: httpx.AsyncClient
    pool: asyncpg.Pool
    caller: Caller

    async def post(self, body: bytes, headers: Mapping[str, str], path: str = "") -> httpx.Response:
        """Send a webhook."""
        return await self.http.post(f"/hooks/{self.name}{path}", content=body, headers=headers)

    async def work(self) -> None:
        """Let the worker do all that can be done now."""
        await self.serving.worker.drain()

    async def subjects(self) -> dict[str, Any]:
        """All subjects by name."""
        rows = await self.pool.fetch("SELECT * FROM adapters.subject")
        return {row["subject"]: row for row in rows}

    async def subject(self) -> Any:
        """The one subject."""
        (row,) = (await self.subjects()).values()
        return row

    async def deliveries(self) -> list[Any]:
        """All deliveries, oldest first."""
        return list(await self.pool.fetch("SELECT * FROM adapters.delivery ORDER BY delivery_id"))

    async def items(self) -> list[tuple[str, str]]:
        """Verdict and reason of all items."""
        rows = await self.pool.fetch("SELECT verdict, reason FROM adapters.item ORDER BY 1, 2")
        return [(row["verdict"], row["reason"]) for row in rows]

    async def documents(self) -> int:
        """How many versions of documents stand in the ledger."""
        return int(await self.pool.fetchval("SELECT count(*) FROM public.event WHERE kind = 60"))

    async def enrol(self, scheme: str, value: str, unit: str = "web") -> None:
        """Enrol somebody with one identity."""
        await self.enrol_with(self.caller, scheme, value, unit)

    @staticmethod
    async def enrol_with(caller: Caller, scheme: str, value: str, unit: str = "web") -> None:
        """As `enrol`, without an adapter process in this one."""
        request = EnrolMemberRequest(
            request_id=f"enrol-{scheme}-{value}"[:64],
            origin=Origin(business_unit=unit),
            identities=[Identity(scheme=scheme, value=value)],
        )
        await caller.members.EnrolMember(request)

    async def points(self, scheme: str, value: str, currency: str = "point") -> int:
        """Available points of somebody."""
        ref = MemberRef(identity=Identity(scheme=scheme, value=value))
        answer = await self.caller.accounts.GetAccount(GetAccountRequest(member=ref))
        return sum(each.available for each in answer.account.balances if each.currency == currency)


@asynccontextmanager
async def rig(
    served: Served,
    caller: Caller,
    folder: Path,
    mapping: str,
    secrets: Mapping[str, str],
    **changes: Any,
) -> AsyncIterator[Rig]:
    """An adapter process beside a running ledger, on the ledger's own database."""
    name = connection(mapping).name
    mappings, hidden = folder / "mappings", folder / "secrets"
    for each in (mappings, hidden):
        each.mkdir(exist_ok=True)
    (mappings / f"{name}.yaml").write_text(mapping, encoding="utf-8")
    for secret, value in secrets.items():
        (hidden / f"{name}.{secret}").write_text(value, encoding="utf-8")
    await database.migrate(served.dsn)
    wanted = {
        "listen": "127.0.0.1:0",
        "metrics_listen": "off",
        "mappings": mappings,
        "secrets": hidden,
        "ledger": served.address,
        "work": False,
        "pull": False,
        **changes,
    }
    token = await _token(served, name, folder / "token")
    async with running(load(**wanted), dsn=served.dsn, token=token) as serving:
        admin = await asyncpg.create_pool(served.dsn, min_size=1, max_size=2)
        async with httpx.AsyncClient(
            base_url=f"http://{serving.address}", timeout=20, verify=False
        ) as http:
            try:
                yield Rig(name, serving, http, admin, caller)
            finally:
                await admin.close()


async def _token(served: Served, name: str, kept: Path) -> str:
    """The adapter's token: one client for good, however often its process starts."""
    if not kept.is_file():
        kept.write_text(await served.token(f"adapter-{name}"), encoding="utf-8")
    return kept.read_text(encoding="utf-8")


@asynccontextmanager
async def api_of(app: Any) -> AsyncIterator[Api]:
    """Calls that a fake of a vendor's API answers, within the process, whatever the address."""
    limits = calls.LIMITS
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), timeout=limits) as client:
        yield Api(client)


@asynccontextmanager
async def vendor(app: Any) -> AsyncIterator[str]:
    """A fake of a vendor's API at an address of its own, for a whole adapter process."""
    async with listening(app, "127.0.0.1:0") as address:
        yield f"http://{address}"

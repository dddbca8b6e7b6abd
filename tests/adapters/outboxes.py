"""A shop that is told what changes: it checks signatures and keeps what it got, as it should."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
from standardwebhooks.webhooks import Webhook
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.frame import calls, database
from adapters.frame.adapter import Api
from adapters.frame.metrics import Metrics
from adapters.frame.outbox.service import Outbox
from adapters.frame.outbox.subscription import Subscription, SubscriptionFile, read
from adapters.frame.posting import Ledger
from loyalty.v1.account_service_pb2 import GetAccountRequest
from loyalty.v1.ledger_service_pb2 import Balance
from server.database import connect
from tests.database_fixtures import execute
from tests.server import requests
from tests.server.served import Caller, Served

SECRET = "whsec_bG95YWx0eS1vdXRib3gtdGVzdC1zZWNyZXQtMQ=="
OLDER_SECRET = "whsec_bG95YWx0eS1vdXRib3gtdGVzdC1zZWNyZXQtMg=="

TABLES = """adapters.outbox_subscription, adapters.outbox_news, adapters.outbox_member,
 adapters.outbox_message, adapters.known_customer, adapters.operator_act"""


def file_of(url: str, more: str = "", webhook: str = "", name: str = "shop") -> str:
    """Text of a subscription's file."""
    return f"""
schema: loyalty.outbox/v1
subscription: {name}
{more}
webhook:
  url: {url}
  private_addresses: true
{webhook}
"""


class Shop:
    """A receiver. `answers` says what it does with the next requests; after them all is well."""

    def __init__(self, secret: str = SECRET) -> None:
        self._secret = secret
        self.got: list[dict[str, Any]] = []
        """Messages that it took, each with its id."""
        self.ids: list[str] = []
        """Ids of all requests, in order."""
        self.answers: list[Callable[[], Response]] = []
        self.changed = asyncio.Condition()

    @property
    def app(self) -> Starlette:
        """The application."""
        return Starlette(routes=[Route("/hooks", self._take, methods=["POST"])])

    async def _take(self, request: Request) -> Response:
        body = await request.body()
        message = Webhook(self._secret).verify(body, dict(request.headers))
        self.ids.append(request.headers["webhook-id"])
        if self.answers:
            return self.answers.pop(0)()
        self.got.append({**message, "id": request.headers["webhook-id"]})
        async with self.changed:
            self.changed.notify_all()
        return Response(status_code=204)

    def of(self, kind: str) -> list[dict[str, Any]]:
        """What it was told of a kind, in order."""
        return [message["data"] for message in self.got if message["type"] == kind]

    def points(self) -> list[int]:
        """Available points, as it was told them one after the other."""
        return [
            sum(row["available"] for row in data["balances"] if row["currency"] == "point")
            for data in self.of("balance.changed")
        ]

    async def reached(self, ready: Callable[[], bool]) -> None:
        """Wait until something is so after a message."""
        async with self.changed:
            await asyncio.wait_for(self.changed.wait_for(ready), 60)


class Slow:
    """A receiver that answers only when it is let."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.asked, self.answers = asyncio.Event(), asyncio.Event()
        self.app = Starlette(routes=[Route("/hooks", self._take, methods=["POST"])])

    async def _take(self, request: Request) -> Response:
        self.ids.append(request.headers["webhook-id"])
        self.asked.set()
        await self.answers.wait()
        return Response(status_code=204)


class Customer:
    """A member of one test's own, and what happened since before this member was there."""

    def __init__(self, caller: Caller, card: str, since: str) -> None:
        self.card, self.since = card, since
        self._caller = caller
        self._done = count(1)

    async def buys(self, cents: int = 12_50) -> None:
        """Buy groceries."""
        name = f"{self.card}-{next(self._done)}"
        sale = requests.sale(name, document_id=name, cents=cents, card=self.card)
        await self._caller.ledger.PostDocument(sale)

    async def burns(self, points: int) -> None:
        """Spend points."""
        burn = requests.burn(f"{self.card}-{next(self._done)}", points)
        burn.member.CopyFrom(requests.member(self.card))
        await self._caller.ledger.BurnPoints(burn)

    async def balance(self) -> Balance:
        """The points that the ledger has."""
        asked = GetAccountRequest(member=requests.member(self.card))
        account = (await self._caller.accounts.GetAccount(asked)).account
        found: list[Balance] = [row for row in account.balances if row.currency == "point"]
        assert len(found) == 1
        return found[0]

    async def points(self) -> int:
        """Points to spend."""
        return (await self.balance()).available


async def newcomer(served: Served, caller: Caller, card: str) -> Customer:
    """A new member; whatever the outbox knew of others is gone."""
    await execute(served.dsn, f"TRUNCATE {TABLES}")
    connection = await connect(served.dsn)
    try:
        rows = await connection.fetch("SELECT lane, next_pos FROM lane")
    finally:
        await connection.close()
    since = json.dumps({str(row["lane"]): row["next_pos"] for row in rows})
    await caller.members.EnrolMember(requests.enrolment(f"e-{card}", card))
    return Customer(caller, card, since)


class Telling:
    """An outbox over a ledger, which works when the test says so."""

    def __init__(self, pool: asyncpg.Pool, outbox: Outbox, first: SubscriptionFile) -> None:
        self.pool = pool
        self.outbox = outbox
        self.file = first

    async def drain(self) -> None:
        """Tell all that can be told now."""
        await self.outbox.drain()

    async def again(self) -> None:
        """Let all pauses be over."""
        await self.pool.execute(
            "UPDATE adapters.outbox_member SET send_at = now() WHERE send_at > now()"
        )
        await self.drain()

    async def messages(self) -> list[tuple[str, str, int, str]]:
        """Kind, state, attempts and problem of all messages, in order."""
        rows = await self.pool.fetch(
            "SELECT kind, state, attempts, problem FROM adapters.outbox_message ORDER BY number"
        )
        return [tuple(row) for row in rows]


def subscription(folder: Path, text: str, *secrets: str) -> Subscription:
    """A subscription of a file's text."""
    path = folder / "it.outbox.yaml"
    path.write_text(text, encoding="utf-8")
    told: SubscriptionFile = read(path)
    return Subscription(told, {"webhook_secret": secrets or (SECRET,)})


@asynccontextmanager
async def telling(
    served: Served, caller: Caller, token: str, *subscriptions: Subscription, since: str = "{}"
) -> AsyncIterator[Telling]:
    """An outbox for subscriptions, beside a running ledger; what was before `since` is no news."""
    await database.migrate(served.dsn)
    pool = await database.pool(served.dsn, max_size=3 * len(subscriptions) + 1)
    ledger = Ledger(caller.channel, token)
    named = {each.name: each for each in subscriptions}
    client = calls.client()
    outbox = Outbox(pool, named, ledger=ledger, api=Api(client), metrics=Metrics())
    try:
        await outbox.begin()
        await pool.execute(
            "UPDATE adapters.outbox_subscription SET positions = $1 WHERE positions = '{}'", since
        )
        yield Telling(pool, outbox, subscriptions[0].file)
    finally:
        await outbox.close()
        await client.aclose()
        await pool.close()

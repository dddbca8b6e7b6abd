"""Killed while it tells, a process leaves nobody untold, and tells nobody an older state after a
newer one.
"""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from adapters.frame import database
from loyalty.v1.account_service_pb2 import GetAccountRequest
from tests.adapters import shop as shopify
from tests.adapters.outboxes import SECRET, Shop, file_of
from tests.adapters.process import AdapterProcess
from tests.adapters.rig import vendor
from tests.server import requests
from tests.server.served import Caller, Served

pytestmark = pytest.mark.slow

MEMBERS = 15
SALES = 6
KILLS = 3


@pytest.fixture
async def process(served: Served, tmp_path: Path) -> AsyncIterator[AdapterProcess]:
    """A process that is ended whatever happens."""
    await database.migrate(served.dsn)
    made = AdapterProcess(served, tmp_path, shopify.MAPPING, {"webhook_secret": shopify.SECRET})
    yield made
    await made.kill()


async def test_killed_again_and_again_it_tells_all_in_order(
    caller: Caller, process: AdapterProcess, tmp_path: Path
) -> None:
    shop = Shop()
    cards = [f"66{number:02}" for number in range(MEMBERS)]
    for card in cards:
        await caller.members.EnrolMember(requests.enrolment(f"m-{card}", card))
    async with vendor(shop.app) as address:
        told = tmp_path / "mappings" / "crm.outbox.yaml"
        told.write_text(file_of(f"{address}/hooks", name="crm"), encoding="utf-8")
        (tmp_path / "secrets" / "crm.webhook_secret").write_text(SECRET, encoding="utf-8")
        await process.start()
        selling = asyncio.create_task(_sell(caller, cards))
        for kill in range(KILLS):
            await shop.reached(partial(_has_got, shop, MEMBERS * (kill + 1)))
            await process.kill()
            await process.start()
        await selling
        last = dict([await _available(caller, card) for card in cards])
        await shop.reached(lambda: last.items() <= _newest(shop).items())
    seen: dict[tuple[str, str], int] = {}
    bodies: dict[str, object] = {}
    for message in shop.got:
        key = message["data"]["member_id"], message["type"]
        assert message["data"]["version"] >= seen.get(key, 0)
        seen[key] = message["data"]["version"]
        # What comes twice is the same to the letter.
        assert bodies.setdefault(message["id"], message) == message
    assert await process.stop() == 0


async def _sell(caller: Caller, cards: list[str]) -> None:
    for sale in range(SALES):
        for card in cards:
            number = f"{card}-{sale}"
            await caller.ledger.PostDocument(
                requests.sale(number, document_id=number, cents=20_00, card=card)
            )


async def _available(caller: Caller, card: str) -> tuple[str, int]:
    answer = await caller.accounts.GetAccount(GetAccountRequest(member=requests.member(card)))
    account = answer.account
    return account.member_id, sum(
        row.available for row in account.balances if row.currency == "point"
    )


def _has_got(shop: Shop, count: int) -> bool:
    return len(shop.got) >= count


def _newest(shop: Shop) -> dict[str, int]:
    """Points of each member, by what was told last."""
    return {
        data["member_id"]: sum(
            row["available"] for row in data["balances"] if row["currency"] == "point"
        )
        for data in shop.of("balance.changed")
    }

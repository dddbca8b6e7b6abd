"""Shopify end to end: webhooks in, points in the ledger."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.adapters import shop
from tests.adapters.rig import Rig, rig
from tests.server.served import Caller, Served


@pytest.fixture
async def web(served: Served, caller: Caller, tmp_path: Path) -> AsyncIterator[Rig]:
    """A shop's connection, and a customer who is a member."""
    secrets = {"webhook_secret": shop.SECRET}
    async with rig(served, caller, tmp_path, shop.MAPPING, secrets) as running:
        await running.enrol("shopify-customer", "207119551")
        yield running


async def send(web: Rig, told: dict[str, object], topic: str, delivery: str) -> int:
    sent = shop.body(told)
    answer = await web.post(sent, shop.headers(sent, topic, delivery))
    return answer.status_code


async def points(web: Rig) -> int:
    return await web.points("shopify-customer", "207119551")


async def test_a_paid_order_earns_and_its_refund_takes_back(web: Rig) -> None:
    jar, lamp = shop.line(1, "12.00", 2), shop.line(2, "30.00")
    bought = shop.order(jar, lamp)
    assert await send(web, bought, "orders/paid", "d-1") == 200
    await web.work()
    assert await points(web) == 54
    back = shop.refund(bought, shop.returned(jar, "12.00"), transactions=[shop.paid_back("12.00")])
    assert await send(web, back, "refunds/create", "d-2") == 200
    await web.work()
    assert await points(web) == 42
    row = await web.subject()
    assert row["state"] == "done"
    assert row["document"] == f"web/web-shop/{bought['id']}"
    assert row["read_by"].startswith("shopify/1 mapping 1 ")


async def test_a_refund_that_comes_first_waits_for_its_order(web: Rig) -> None:
    lamp = shop.line(2, "30.00")
    bought = shop.order(lamp)
    back = shop.refund(bought, shop.returned(lamp, "30.00"))
    await send(web, back, "refunds/create", "d-1")
    await web.work()
    row = await web.subject()
    assert (row["state"], row["reason"]) == ("parked", "sale_missing")
    await send(web, bought, "orders/paid", "d-2")
    await web.work()
    assert (await web.subject())["state"] == "done"
    assert await points(web) == 0

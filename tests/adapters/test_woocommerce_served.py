"""WooCommerce end to end: webhooks in, refunds fetched from a fake of the shop's API, pulls."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import JSONResponse

from adapters.frame.adapter import Api
from adapters.frame.pulling import Puller
from adapters.frame.words import RetryLater
from tests.adapters import woo
from tests.adapters.rig import Rig, api_of, connection, rig, vendor
from tests.server.served import Caller, Served

MEMBER = ("woo-customer", "26")


@pytest.fixture
def shop() -> woo.Api:
    """The fake of the shop's API."""
    return woo.Api()


@pytest.fixture
async def web(served: Served, caller: Caller, tmp_path: Path, shop: woo.Api) -> AsyncIterator[Rig]:
    """A shop's connection, and a customer who is a member."""
    async with vendor(shop.app) as site:
        mapping = woo.MAPPING.replace(woo.SITE, site)
        async with rig(served, caller, tmp_path, mapping, woo.SECRETS) as running:
            await running.enrol(*MEMBER)
            yield running


async def send(web: Rig, told: Any, topic: str = "order.updated", delivery: str = "d-1") -> int:
    sent = told if isinstance(told, bytes) else woo.body(told)
    (running,) = web.serving.worker.connections.values()
    headers = woo.headers(sent, topic, delivery)
    headers["x-wc-webhook-source"] = running.mapping.settings.site + "/"
    return (await web.post(sent, headers)).status_code


async def test_refunds_are_fetched_by_line(web: Rig, shop: woo.Api) -> None:
    jar, lamp = woo.line(1, "10.00"), woo.line(2, "30.00")
    sold = woo.order(jar, lamp)
    assert await send(web, sold, "order.created") == 200
    await web.work()
    assert await web.points(*MEMBER) == 40
    assert shop.asked == []
    back = woo.refund(5, "12.00", woo.returned(lamp, "12.00"))
    shop.orders[727] = woo.refunded(sold, back)
    shop.refunds[727] = [back]
    assert await send(web, shop.orders[727]) == 200
    await web.work()
    assert shop.asked == ["/wp-json/wc/v3/orders/727/refunds"]
    assert await web.points(*MEMBER) == 28


async def test_a_shop_that_asks_for_patience_gets_it(web: Rig, shop: woo.Api) -> None:
    jar = woo.line(1, "10.00")
    back = woo.refund(5, "4.00", woo.returned(jar, "4.00"))
    shop.orders[727] = woo.refunded(woo.order(jar), back)
    shop.refunds[727] = [back]
    shop.answers = [JSONResponse({}, status_code=429, headers={"retry-after": "77"})]
    await send(web, shop.orders[727])
    await web.work()
    row = await web.subject()
    assert (row["state"], row["reason"]) == ("due", "retry")
    wait = await web.pool.fetchval(
        "SELECT extract(epoch FROM due_at - changed_at)::int FROM adapters.subject"
    )
    assert wait == 77
    await web.pool.execute("UPDATE adapters.subject SET due_at = now()")
    await web.work()
    assert (await web.subject())["state"] == "done"
    assert await web.points(*MEMBER) == 6


async def test_deleted_gives_back_and_restored_earns_again(web: Rig) -> None:
    sold = woo.order(woo.line(1, "10.00"))
    await send(web, sold, "order.created")
    await web.work()
    await send(web, b'{"id": 727}', "order.deleted", "d-2")
    # A minute ago, so that restoring it comes later by the clock of the shop too.
    await web.pool.execute(
        "UPDATE adapters.delivery SET received_at = received_at - interval '1 minute'"
    )
    await web.work()
    assert await web.points(*MEMBER) == 0
    restored = {**sold, "date_modified_gmt": woo.now()}
    await send(web, restored, "order.restored", "d-3")
    await web.work()
    assert await web.points(*MEMBER) == 10


async def test_the_ping_is_answered_and_forgotten(web: Rig) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert (await web.post(b"webhook_id=7", form)).status_code == 200
    assert (
        await web.post(b"webhook_id=7&more=1", {**form, "x-wc-webhook-signature": "x"})
    ).status_code == 401
    assert await web.deliveries() == []


def puller(web: Rig, api: Api) -> Puller:
    worker = web.serving.worker
    return Puller(
        web.pool,
        worker.connections,
        inbox=web.serving.inbox,
        api=api,
        metrics=web.serving.metrics,
    )


async def test_a_pull_brings_what_no_webhook_brought_once(web: Rig, shop: woo.Api) -> None:
    for number in range(1, 131):
        shop.orders[number] = woo.order(
            woo.line(1, "1.00"), id=number, date_modified_gmt=woo.days_ago(1, number)
        )
    await send(web, shop.orders[7], "order.created")
    async with api_of(shop.app) as api:
        pulling = puller(web, api)
        await web.pool.execute(
            "INSERT INTO adapters.cursor (connection, position, due_at) VALUES ('woo', '', now())"
        )
        assert await pulling.step()
        assert await pulling.step()
        assert not await pulling.step()
    await web.work()
    assert len(await web.subjects()) == 130
    assert await web.points(*MEMBER) == 130
    row = await web.pool.fetchrow("SELECT * FROM adapters.cursor")
    assert row is not None
    assert shop.orders[130]["date_modified_gmt"] in row["position"]
    assert row["problem"] == ""
    async with api_of(shop.app) as api:
        await web.pool.execute("UPDATE adapters.cursor SET due_at = now()")
        assert await puller(web, api).step()
    await web.work()
    assert await web.documents() == 130


async def test_a_pull_that_fails_keeps_its_place_and_says_why(web: Rig, shop: woo.Api) -> None:
    shop.answers = [JSONResponse({}, status_code=502)]
    await web.pool.execute(
        "INSERT INTO adapters.cursor (connection, position, due_at) VALUES ('woo', '', now())"
    )
    async with api_of(shop.app) as api:
        assert await puller(web, api).step()
    row = await web.pool.fetchrow("SELECT *, due_at > now() AS later FROM adapters.cursor")
    assert row is not None
    assert (row["position"], row["later"], row["pulled_at"]) == ("", True, None)
    assert "502" in row["problem"]


async def test_a_wrong_key_is_waited_out_and_the_key_is_not_told(shop: woo.Api) -> None:
    made = connection(woo.MAPPING, {**woo.SECRETS, "consumer_secret": "cs_secret"})
    async with api_of(shop.app) as api:
        with pytest.raises(RetryLater) as later:
            await made.adapter.pull("", made, api)
    assert "401" in str(later.value)
    assert "secret" not in str(later.value)

"""Upkeep: figures from the database, and forgetting what is over without forgetting what came."""

from collections.abc import AsyncIterator
from pathlib import Path
from time import time

import pytest

from adapters.frame.upkeep import Upkeep
from tests.adapters import shop
from tests.adapters.rig import Rig, rig
from tests.server.served import Caller, Served


@pytest.fixture
async def web(served: Served, caller: Caller, tmp_path: Path) -> AsyncIterator[Rig]:
    """A shop's connection with one order that is done, one that is parked, one nobody has read."""
    secrets = {"webhook_secret": shop.SECRET}
    async with rig(served, caller, tmp_path, shop.MAPPING, secrets) as running:
        for number, currency in ((1, "GBP"), (2, "SEK"), (3, "GBP")):
            sent = shop.body(shop.order(shop.line(1, "1.00"), id=number, currency=currency))
            await running.post(sent, shop.headers(sent, "orders/paid", f"d-{number}"))
            if number == 2:
                await running.work()
        yield running


def upkeep(web: Rig) -> Upkeep:
    return Upkeep(
        web.pool,
        web.serving.metrics,
        keep_days=30,
        keep_parts_days=400,
        subscriptions=(),
    )


def value(web: Rig, name: str, **labels: str) -> float | None:
    return web.serving.metrics.registry.get_sample_value(f"loyalty_adapter_{name}", labels)


async def test_the_gauges_tell_what_is_stuck_and_what_waits(web: Rig) -> None:
    await web.pool.execute("UPDATE adapters.delivery SET received_at = now() - interval '1 hour'")
    await upkeep(web).look()
    stuck = {"connection": "web-shop", "state": "parked", "reason": "unmapped_currency"}
    assert value(web, "stuck", **stuck) == 1
    waiting = value(web, "waiting_seconds")
    assert waiting is not None
    assert 3_600 <= waiting < 3_700
    last = value(web, "last_delivery_timestamp_seconds", connection=web.name)
    assert last is not None
    assert 0 <= time() - last < 60
    await web.work()
    await upkeep(web).look()
    assert value(web, "waiting_seconds") == 0


async def test_bodies_are_forgotten_in_time_and_their_ids_never(web: Rig) -> None:
    await web.pool.execute(
        "UPDATE adapters.delivery SET received_at = now() - interval '31 days'"
        " WHERE event_id <> 'd-2'"
    )
    await upkeep(web).forget()
    kept = {row["event_id"]: row["body"] is not None for row in await web.deliveries()}
    # The third has not been read yet.
    assert kept == {"d-1": False, "d-2": True, "d-3": True}
    sent = shop.body(shop.order(shop.line(1, "1.00"), id=1))
    await web.post(sent, shop.headers(sent, "orders/paid", "d-1"))
    assert len(await web.deliveries()) == 3


async def test_parts_are_forgotten_when_nothing_changed_for_long(web: Rig) -> None:
    await web.work()
    await web.pool.execute(
        "UPDATE adapters.subject SET changed_at = now() - interval '401 days', due_at = NULL"
        " WHERE subject <> 'order/3'"
    )
    await upkeep(web).forget()
    rows = await web.pool.fetch("SELECT subject FROM adapters.part ORDER BY subject")
    # What is parked is still waited for.
    assert [row["subject"] for row in rows] == ["order/2", "order/3"]

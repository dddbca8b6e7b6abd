"""What operators see and do: lists, one delivery whole, trying again; as commands too."""

import asyncio
import json
import os
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from adapters.frame import operating
from adapters.frame.service import listening
from adapters.frame.settings import AdapterSettingsError
from tests.adapters import shop
from tests.adapters.rig import Rig, rig
from tests.server.served import Caller, Served

ROOT = Path(__file__).resolve().parents[2]
SECRETS = {"webhook_secret": shop.SECRET}


@pytest.fixture
async def web(served: Served, caller: Caller, tmp_path: Path) -> AsyncIterator[Rig]:
    """A connection with one of each: done, parked, dead delivery, dead item, reused id."""
    async with rig(served, caller, tmp_path, shop.MAPPING, SECRETS) as running:
        await running.enrol("shopify-customer", "207119551")
        good = shop.order(shop.line(1, "10.00"))
        bad_refund = {"id": 1, "refund_line_items": "none"}
        messages: list[tuple[bytes, str]] = [
            (shop.body(good), "d-1"),
            (shop.body(shop.order(shop.line(1, "1.00"), id=2, currency="SEK")), "d-2"),
            (b"{", "d-3"),
            (shop.body({**good, "id": 3, "refunds": [bad_refund]}), "d-4"),
            (shop.body(shop.order(shop.line(1, "5.00"), id=4)), "d-1"),
        ]
        for sent, delivery in messages:
            await running.post(sent, shop.headers(sent, "orders/updated", delivery))
        await running.work()
        yield running


async def stuck(web: Rig, **wanted: Any) -> list[tuple[str, str, str]]:
    asked = {"connection": "", "states": operating.STUCK, "reason": "", "limit": 100, **wanted}
    rows = await operating.stuck(web.pool, **asked)
    return sorted((row["what"], row["state"], row["reason"]) for row in rows)


async def test_everything_that_is_stuck_is_listed(web: Rig) -> None:
    everything = [
        ("delivery", "dead", "event_id_reused"),
        ("delivery", "dead", "unreadable"),
        ("item", "dead", "unreadable"),
        ("subject", "parked", "unmapped_currency"),
    ]
    assert await stuck(web) == everything
    assert await stuck(web, states=["parked"]) == everything[3:]
    assert await stuck(web, reason="unreadable") == everything[1:3]
    assert await stuck(web, connection="another") == []


async def test_a_reused_id_that_an_operator_lets_through_is_posted(web: Rig) -> None:
    assert await web.points("shopify-customer", "207119551") == 20
    wanted = operating.Wanted(reason="event_id_reused")
    done = await operating.retry(web.pool, wanted, operator="ann", why="the shop mended its ids")
    assert done == {"subjects": 0, "deliveries": 1}
    await web.work()
    assert await web.points("shopify-customer", "207119551") == 25
    act = await web.pool.fetchrow("SELECT * FROM adapters.operator_act")
    assert act is not None
    assert (act["operator"], act["what"], act["why"], act["deliveries"]) == (
        "ann",
        "reason=event_id_reused",
        "the shop mended its ids",
        1,
    )


async def test_trying_all_again_changes_nothing_that_was_right(web: Rig) -> None:
    before = await stuck(web)
    done = await operating.retry(web.pool, operating.Wanted(), operator="ann", why="a look")
    assert done == {"subjects": 1, "deliveries": 3}
    await web.work()
    after = await stuck(web)
    assert set(after) == set(before) - {("delivery", "dead", "event_id_reused")}
    assert await web.points("shopify-customer", "207119551") == 25


async def test_one_delivery_is_shown_with_what_became_of_its_items(web: Rig) -> None:
    rows = await operating.inbox(web.pool, connection="web-shop", state="taken", limit=10)
    newest = await operating.delivery(web.pool, rows[0]["delivery_id"])
    assert newest is not None
    assert [item["verdict"] for item in newest["items"]] == ["taken", "dead"]
    assert newest["items"][0]["state"] == "done"
    assert await operating.delivery(web.pool, 999_999) is None


class Result(NamedTuple):
    """What a command said and how it ended."""

    code: int
    out: str
    err: str


async def command(served: Served, *arguments: str) -> Result:
    """Run `loyalty adapter …` in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from server.cli import app; app()",
        "adapter",
        *arguments,
        cwd=ROOT,
        env={
            **os.environ,
            "LOYALTY_ADAPTERS_DATABASE_URL": served.dsn,
            "PYTHONPATH": f"{ROOT}:{ROOT / 'proto'}",
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return Result(process.returncode or 0, out.decode(), err.decode())


async def test_the_commands_say_the_same(web: Rig, served: Served, tmp_path: Path) -> None:
    listed = await command(served, "dead", "--state", "parked", "--json")
    assert listed.code == 1
    (parked,) = json.loads(listed.out)
    assert (parked["name"], parked["reason"]) == ("order/2", "unmapped_currency")
    whole = await command(served, "inbox", "1")
    assert whole.code == 0
    assert '"financial_status": "paid"' in whole.out
    assert "order/9007199254740993001" in whole.out
    absent = await command(served, "inbox", "77")
    assert (absent.code, "there is no delivery 77" in absent.err) == (1, True)
    again = await command(
        served, "retry", "--operator", "ann", "--why", "x", "--subject", "order/2"
    )
    assert "1 subjects and 0 deliveries" in again.out
    nothing = await command(served, "retry", "--operator", "ann", "--why", "x")
    assert (nothing.code, "say --all" in nothing.err) == (2, True)
    migrated = await command(served, "migrate")
    assert "nothing to do" in migrated.out
    wrong = await command(served, "inbox", "--state", "old")
    assert (wrong.code, "new, taken or dead" in wrong.err) == (2, True)
    mapping = tmp_path / "shop.yaml"
    mapping.write_text(shop.MAPPING, encoding="utf-8")
    order = tmp_path / "order.json"
    order.write_bytes(shop.body(shop.order(shop.line(1, "10.00"))))
    told = await command(served, "translate", "shopify", str(order), "--mapping", str(mapping))
    (meaning,) = json.loads(told.out).values()
    assert (told.code, meaning["document"]["lines"][0]["net_minor_units"]) == (0, "1000")
    other = await command(served, "translate", "square", str(order), "--mapping", str(mapping))
    assert (other.code, "is a mapping of 'shopify'" in other.err) == (2, True)
    checked = await command(served, "check", str(mapping), "--secrets", str(tmp_path))
    assert (checked.code, "web-shop.webhook_secret is missing" in checked.err) == (1, True)


async def test_an_address_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        named = f"LOYALTY_ADAPTERS_LISTEN = '{address}': Address already in use; stop what"
        with pytest.raises(AdapterSettingsError, match=named):
            async with listening(None, address):
                pass

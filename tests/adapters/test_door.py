"""The door: what is let in, what is not, and that what is acknowledged is committed."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from adapters.frame import database
from adapters.frame.words import Verdict
from tests.adapters import shop
from tests.adapters.rig import Rig, rig
from tests.server.served import Caller, Served


@pytest.fixture
async def web(served: Served, caller: Caller, tmp_path: Path) -> AsyncIterator[Rig]:
    """A shop's connection."""
    secrets = {"webhook_secret": shop.SECRET}
    async with rig(served, caller, tmp_path, shop.MAPPING, secrets) as running:
        yield running


def paid(**changes: Any) -> bytes:
    return shop.body(shop.order(shop.line(1, "10.00"), **changes))


async def test_what_is_acknowledged_is_committed(web: Rig) -> None:
    sent = paid()
    answer = await web.post(sent, shop.headers(sent, "orders/paid", "d-1"))
    assert answer.status_code == 200
    (row,) = await web.deliveries()
    assert (row["state"], row["event_id"], bytes(row["body"])) == ("new", "d-1", sent)
    assert "x-shopify-topic" in row["headers"]
    assert "hmac" not in row["headers"]


@pytest.mark.parametrize(
    "changes",
    [
        {"x-shopify-hmac-sha256": ""},
        {"x-shopify-hmac-sha256": "bm9uc2Vuc2U="},
        {"x-shopify-shop-domain": "other.myshopify.com"},
    ],
)
async def test_what_is_forged_is_not_kept(web: Rig, changes: dict[str, str]) -> None:
    sent = paid()
    answer = await web.post(sent, {**shop.headers(sent, "orders/paid", "d-1"), **changes})
    assert answer.status_code == 401
    assert await web.deliveries() == []


async def test_what_was_signed_too_long_ago_is_refused_and_not_kept(
    web: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = type(next(iter(web.serving.worker.connections.values())).adapter)
    monkeypatch.setattr(adapter, "verify", lambda *_: Verdict.STALE)
    sent = paid()
    answer = await web.post(sent, shop.headers(sent, "orders/paid", "d-1"))
    assert answer.status_code == 401
    assert await web.deliveries() == []


async def test_sent_again_it_is_one_delivery_and_the_same_answer(web: Rig) -> None:
    sent = paid()
    headers = shop.headers(sent, "orders/paid", "d-1")
    answers = await asyncio.gather(*(web.post(sent, headers) for _ in range(20)))
    assert {(each.status_code, each.content) for each in answers} == {(200, b"")}
    assert len(await web.deliveries()) == 1


async def test_an_event_id_with_another_body_is_kept_as_a_dead_letter(web: Rig) -> None:
    first, second = paid(), paid(name="#1002")
    for sent in (first, second, second):
        answer = await web.post(sent, shop.headers(sent, "orders/paid", "d-1"))
        assert answer.status_code == 200
    kept, reused = await web.deliveries()
    assert (kept["state"], bytes(kept["body"])) == ("new", first)
    assert (reused["state"], reused["reason"]) == ("dead", "event_id_reused")
    assert bytes(reused["body"]) == second
    await web.work()
    assert len(await web.subjects()) == 1


async def test_two_at_once_with_one_id_and_two_bodies_are_told_apart(web: Rig) -> None:
    bodies = [paid(name=f"#{number}") for number in range(8)]
    await asyncio.gather(
        *(web.post(each, shop.headers(each, "orders/paid", "d-1")) for each in bodies)
    )
    rows = await web.deliveries()
    assert sorted(row["state"] for row in rows) == ["dead"] * 7 + ["new"]


async def test_a_body_too_large_is_refused_before_it_is_read(web: Rig) -> None:
    host, _, port = web.serving.address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        b"POST /hooks/web-shop HTTP/1.1\r\nHost: a\r\nContent-Length: 20971520\r\n\r\n" + b"x" * 100
    )
    await writer.drain()
    head = await asyncio.wait_for(reader.readline(), 10)
    assert b" 413 " in head
    writer.close()
    assert await web.deliveries() == []


async def test_a_body_too_large_is_refused_though_its_length_is_not_told(web: Rig) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(80):
            yield b" " * 65_536

    try:
        answer = await web.http.post("/hooks/web-shop", content=endless())
        assert answer.status_code == 413
    except httpx.TransportError:
        pass  # It hung up in the middle of our sending, which says the same.
    assert await web.deliveries() == []


async def test_a_body_that_is_cut_off_is_not_kept(web: Rig) -> None:
    sent = paid()
    headers = shop.headers(sent, "orders/paid", "d-1")
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    host, _, port = web.serving.address.rpartition(":")
    _, writer = await asyncio.open_connection(host, int(port))
    head = f"POST /hooks/web-shop HTTP/1.1\r\nHost: a\r\n{lines}Content-Length: {len(sent)}\r\n\r\n"
    writer.write(head.encode() + sent[:-10])
    await writer.drain()
    writer.close()
    # A whole one behind it shows that the cut one has been dealt with.
    whole = await web.post(sent[:-10], headers)
    assert whole.status_code == 401
    assert await web.deliveries() == []


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/hooks/nobody", 404),
        ("GET", "/hooks/web-shop", 405),
        ("POST", "/", 404),
        ("GET", "/health/live", 200),
        ("GET", "/health/ready", 200),
    ],
)
async def test_what_is_at_which_address(web: Rig, method: str, path: str, status: int) -> None:
    assert (await web.http.request(method, path)).status_code == status


async def test_a_database_that_cannot_keep_it_makes_the_sender_come_again(web: Rig) -> None:
    sent = paid()
    headers = shop.headers(sent, "orders/paid", "d-1")
    await web.pool.execute("ALTER TABLE adapters.delivery RENAME TO gone")
    assert (await web.post(sent, headers)).status_code == 503
    await web.pool.execute("ALTER TABLE adapters.gone RENAME TO delivery")
    assert (await web.post(sent, headers)).status_code == 200
    assert len(await web.deliveries()) == 1


async def test_a_connection_that_breaks_is_replaced(web: Rig) -> None:
    sent = paid()
    assert (await web.post(sent, shop.headers(sent, "orders/paid", "d-1"))).status_code == 200
    await web.pool.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'loyalty-adapters'"
    )
    statuses = [
        (await web.post(sent, shop.headers(sent, "orders/paid", f"d-{number}"))).status_code
        for number in range(2, 6)
    ]
    assert statuses[-1] == 200
    assert set(statuses) <= {200, 503}
    assert len(await web.deliveries()) == 1 + statuses.count(200)


async def test_the_role_of_the_process_sees_no_table_of_the_ledger(
    web: Rig, served: Served
) -> None:
    pool = await database.pool(served.dsn)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await pool.fetch("SELECT * FROM public.event")
    await pool.close()

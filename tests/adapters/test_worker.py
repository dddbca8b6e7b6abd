"""The worker: nothing lost, nothing doubled, nothing blocked, whatever comes in whatever order."""

import asyncio
import itertools
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from adapters.frame import subjects
from adapters.frame.connections import connection_of, settings_models
from adapters.frame.mapping import MappingRefused, parse
from adapters.frame.stating import read_by
from adapters.frame.words import Delivery, Item, Unreadable
from loyalty.v1.audit_service_pb2 import VerifyHistoryRequest
from tests.adapters import shop
from tests.adapters.rig import Rig, rig
from tests.adapters.sending import MEMBER, SECRETS, send
from tests.server.served import Caller, Served


async def test_any_order_of_deliveries_ends_the_same(web: Rig) -> None:
    """All orders of four messages about an order, each order with a document of its own."""
    jar, lamp = shop.line(1, "10.00"), shop.line(2, "30.00")
    for number, arrival in enumerate(itertools.permutations(range(4))):
        bought = shop.order(jar, id=1_000 + number)
        grown = {**shop.order(jar, lamp, id=1_000 + number), "updated_at": shop.days_ago(6)}
        back = [
            shop.refund(bought, shop.returned(each, price), id=identity)
            for identity, (each, price) in enumerate(((jar, "10.00"), (lamp, "12.00")), start=1)
        ]
        messages = [bought, grown, *back]
        for step in arrival:
            topic = "orders/updated" if step < 2 else "refunds/create"
            await send(web, messages[step], f"d-{number}-{step}", topic)
            if number % 3:
                await web.work()
        await web.work()
    assert {row["state"] for row in (await web.subjects()).values()} == {"done"}
    # Each ends as the lamp less twelve pounds.
    assert await web.points(*MEMBER) == 24 * 18


async def test_what_says_nothing_new_is_not_posted_again(web: Rig) -> None:
    bought = shop.order(shop.line(1, "10.00"))
    await send(web, bought, "d-1", "orders/create")
    await web.work()
    await send(web, {**bought, "updated_at": shop.days_ago(1), "note": "a remark"}, "d-2")
    await web.work()
    row = await web.subject()
    assert (row["state"], row["reason"]) == ("done", "unchanged")
    assert await web.documents() == 1


async def test_a_bad_item_blocks_neither_its_siblings_nor_what_comes_later(web: Rig) -> None:
    good = shop.order(shop.line(1, "10.00"))
    broken = shop.refund(good, shop.returned(shop.line(1, "10.00"), "all of it"))
    await send(web, {**good, "refunds": [broken, None]}, "d-1")
    await send(web, b'{"id": 5, "updated', "d-2")
    await send(web, shop.order(shop.line(1, "7.00"), id=2), "d-3")
    sent = shop.body(good)
    strange = {"content-type": "application/json; charset=klingon"}
    await web.post(sent, {**shop.headers(sent, "orders/updated", "d-4"), **strange})
    await web.work()
    assert await web.points(*MEMBER) == 17
    assert [row["state"] for row in await web.deliveries()] == ["taken", "dead", "taken", "dead"]
    verdicts = [verdict for verdict, _ in await web.items()]
    assert verdicts == ["dead", "dead", "taken", "taken"]


async def test_dropped_is_recorded_as_dropped(web: Rig) -> None:
    await send(web, shop.order(shop.line(1, "10.00"), test=True), "d-1")
    await send(web, shop.order(shop.line(1, "10.00"), app_id=424242, id=2), "d-2")
    await send(web, {"id": 1}, "d-3", "products/update")
    await web.work()
    assert await web.items() == [
        ("dropped", "not_ours"),
        ("dropped", "own_echo"),
        ("dropped", "test"),
    ]
    assert await web.subjects() == {}


async def test_an_order_cancelled_before_it_counted_is_not_posted(web: Rig) -> None:
    bought = shop.order(shop.line(1, "10.00"), financial_status="pending")
    await send(web, bought, "d-1")
    await web.work()
    assert (await web.subject())["reason"] == "not_paid"
    await send(
        web, {**bought, "cancelled_at": shop.days_ago(1), "updated_at": shop.days_ago(1)}, "d-2"
    )
    await web.work()
    assert (await web.subject())["reason"] == "cancelled_before_it_counted"
    assert await web.documents() == 0


@pytest.mark.parametrize(("ahead", "state"), [(200, "due"), (400, "parked")])
async def test_what_has_not_happened_yet_is_not_posted(web: Rig, ahead: int, state: str) -> None:
    await send(web, shop.order(shop.line(1, "1.00"), updated_at=shop.from_now(ahead)), "d-1")
    await web.work()
    assert (await web.subject())["state"] == state
    assert await web.documents() == 0


async def test_what_no_row_fits_waits_for_the_row_and_is_posted_then(
    served: Served, caller: Caller, tmp_path: Path
) -> None:
    lacking = shop.MAPPING.replace("{code: line, category: goods}", "{code: tip, category: tip}")
    async with rig(served, caller, tmp_path, lacking, SECRETS) as web:
        await web.enrol(*MEMBER)
        await send(web, shop.order(shop.line(1, "10.00")), "d-1")
        await web.work()
        row = await web.subject()
        assert (row["state"], row["reason"]) == ("parked", "unmapped_category")
        assert "'line'" in row["detail"]
    mended = shop.MAPPING.replace("version: 1", "version: 2")
    async with rig(served, caller, tmp_path, mended, SECRETS) as web:
        await web.serving.worker.wake()
        await web.work()
        row = await web.subject()
        assert row["state"] == "done"
        made = connection_of(parse(mended, "", settings_models()), None)
        assert row["read_by"] == read_by(made)
        assert await web.points(*MEMBER) == 10


async def test_a_category_that_the_policy_does_not_know_is_parked(
    served: Served, caller: Caller, tmp_path: Path
) -> None:
    strange = shop.MAPPING.replace("category: goods", "category: spaceships")
    async with rig(served, caller, tmp_path, strange, SECRETS) as web:
        await send(web, shop.order(shop.line(1, "10.00")), "d-1")
        await web.work()
        row = await web.subject()
        assert (row["state"], row["reason"]) == ("parked", "ledger_unknown_category")
        assert row["due_at"] is not None


async def test_a_place_that_was_taken_out_of_the_mapping_parks_what_it_sold(
    served: Served, caller: Caller, tmp_path: Path
) -> None:
    closed = shop.MAPPING.replace("code: location/905684977", "code: location/1")
    async with rig(served, caller, tmp_path, closed, SECRETS) as web:
        sold = shop.order(
            shop.line(1, "10.00"), source_name="pos", location_id=905684977, currency="USD"
        )
        await send(web, sold, "d-1")
        await web.work()
        assert (await web.subject())["reason"] == "unmapped_place"


async def test_a_dry_run_records_nothing_and_the_next_run_all(
    served: Served, caller: Caller, tmp_path: Path
) -> None:
    async with rig(served, caller, tmp_path, shop.MAPPING, SECRETS, dry_run=True) as web:
        await web.enrol(*MEMBER)
        await send(web, shop.order(shop.line(1, "10.00")), "d-1")
        await web.work()
        assert (await web.subject())["reason"] == "dry_run"
        assert await web.documents() == 0
    async with rig(served, caller, tmp_path, shop.MAPPING, SECRETS) as web:
        await web.serving.worker.wake()
        await web.work()
        assert await web.points(*MEMBER) == 10


async def test_a_ledger_that_is_away_is_waited_for(
    served: Served, caller: Caller, tmp_path: Path
) -> None:
    async with rig(served, caller, tmp_path, shop.MAPPING, SECRETS, ledger="127.0.0.1:1") as web:
        await web.enrol(*MEMBER)
        await send(web, shop.order(shop.line(1, "10.00")), "d-1")
        await web.work()
        row = await web.subject()
        assert (row["state"], row["reason"], row["attempts"]) == ("due", "retry", 1)
    async with rig(served, caller, tmp_path, shop.MAPPING, SECRETS) as web:
        await web.pool.execute("UPDATE adapters.subject SET due_at = now()")
        await web.work()
        assert await web.points(*MEMBER) == 10


async def test_a_fault_of_an_adapter_stops_nothing_else(
    web: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    shopify = type(next(iter(web.serving.worker.connections.values())).adapter)
    whole, canonical = shopify.split, shopify.canonicalise

    def breaking(self: Any, delivery: Delivery, connection: Any) -> Any:
        if b"#break-split" in delivery.body:
            raise KeyError("a mistake of ours")
        return whole(self, delivery, connection)

    def failing(self: Any, parts: Any, mapping: Any) -> Any:
        if parts.subject == "order/2":
            raise ZeroDivisionError
        return canonical(self, parts, mapping)

    monkeypatch.setattr(shopify, "split", breaking)
    monkeypatch.setattr(shopify, "canonicalise", failing)
    names = ("#break-split", "#2", "#3")
    for number, name in enumerate(names, start=1):
        await send(web, shop.order(shop.line(1, "10.00"), id=number, name=name), f"d-{number}")
    await web.work()
    assert [row["reason"] for row in await web.deliveries()] == ["fault", "", ""]
    subjects = await web.subjects()
    assert {name: row["reason"] for name, row in subjects.items()} == {
        "order/2": "fault",
        "order/3": "",
    }
    assert await web.points(*MEMBER) == 10


async def test_a_subject_that_cannot_be_written_down_harms_only_itself(
    web: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = subjects.settle

    async def fails(connection: Any, claimed: Any) -> None:
        if any(each.subject == "order/1" for each in claimed):
            raise asyncpg.DataError("a character 0")
        await whole(connection, claimed)

    monkeypatch.setattr(subjects, "settle", fails)
    for number in (1, 2, 3):
        await send(web, shop.order(shop.line(1, "10.00"), id=number), f"d-{number}")
    await web.work()
    reasons = {name: row["reason"] for name, row in (await web.subjects()).items()}
    assert reasons == {"order/1": "fault", "order/2": "", "order/3": ""}


async def test_a_mapping_that_changes_has_to_raise_its_version(
    served: Served, caller: Caller, tmp_path: Path
) -> None:
    async with rig(served, caller, tmp_path, shop.MAPPING, SECRETS) as web:
        kept = await web.pool.fetchrow("SELECT * FROM adapters.mapping")
        assert kept is not None
        made = connection_of(parse(shop.MAPPING, "", settings_models()), None).mapping
        assert (kept["digest"], kept["content"]) == (made.digest, made.canonical)
    changed = shop.MAPPING.replace("category: goods", "category: general")
    with pytest.raises(MappingRefused, match="raise it"):
        async with rig(served, caller, tmp_path, changed, SECRETS):
            pass


async def test_several_workers_share_the_work_and_post_each_thing_once(
    web: Rig, served: Served
) -> None:
    for number in range(60):
        await send(web, shop.order(shop.line(1, "1.00"), id=number + 1), f"d-{number}")
    worker = web.serving.worker
    await asyncio.gather(*(worker.drain() for _ in range(4)))
    await worker.drain()
    assert await web.points(*MEMBER) == 60
    assert await web.documents() == 60
    answers = [each async for each in web.caller.audit.VerifyHistory(VerifyHistoryRequest())]
    assert answers[-1].done
    assert not answers[-1].divergences


async def test_what_was_posted_but_not_noted_is_posted_once(
    web: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    await send(web, shop.order(shop.line(1, "10.00")), "d-1")
    whole = subjects.settle

    async def dies(*_: object) -> None:
        raise asyncpg.InterfaceError("the process dies here")

    monkeypatch.setattr(subjects, "settle", dies)
    with pytest.raises(asyncpg.InterfaceError):
        await web.work()
    assert (await web.subject())["state"] == "new"
    assert await web.points(*MEMBER) == 10
    monkeypatch.setattr(subjects, "settle", whole)
    await web.work()
    assert (await web.subject())["state"] == "done"
    assert await web.points(*MEMBER) == 10
    assert await web.documents() == 1


async def test_a_document_conflict_ends_with_the_newer_state(web: Rig) -> None:
    """Posted, but the note of it was lost, and then the document changed within its second."""
    bought = shop.order(shop.line(1, "10.00"))
    await send(web, bought, "d-1")
    await web.work()
    await web.pool.execute("UPDATE adapters.subject SET posted_version = 0, posted_digest = NULL")
    grown = {**bought, "line_items": [*bought["line_items"], shop.line(2, "5.00")]}
    grown["subtotal_price"] = "15.00"
    await send(web, grown, "d-2")
    await web.work()
    assert (await web.subject())["state"] == "done"
    assert await web.points(*MEMBER) == 15


def test_no_adapter_may_return_what_the_database_cannot_keep() -> None:
    from adapters.frame.splitting import _checked
    from adapters.frame.words import Faulty, Part

    for bad in (
        Part("", "order", 1, {}),
        Part("order/\0", "order", 1, {}),
        Part("x" * 201, "order", 1, {}),
        Part("order/1", "order", -1, {}),
        Part("order/1", "order", 2**63, {}),
    ):
        item: Item = _checked(bad)
        assert isinstance(item, Faulty)
    assert Unreadable("a\0b\nc").args

"""Shopify's Admin API: reconciling pulls, and transactions where points paid a part."""

from pathlib import Path
from typing import Any

import pytest
from starlette.responses import JSONResponse, PlainTextResponse

from adapters.frame.adapter import Connection
from adapters.frame.splitting import items_of
from adapters.frame.words import Delivery, Part, Parts, RetryLater, Statement, Unreadable
from tests.adapters import shop
from tests.adapters.rig import api_of, connection, rig, vendor
from tests.adapters.shop_api import TOKEN, ShopApi
from tests.server.served import Caller, Served

SECRETS = {"webhook_secret": shop.SECRET, "access_token": TOKEN}
POINTS = shop.MAPPING.replace(
    "settings:",
    "payments:\n  - {code: stripe, kind: card}\n  - {code: harbour, kind: points, points: true}\n"
    "settings:",
)


def paid_twice() -> dict[str, Any]:
    return shop.order(
        shop.line(1, "10.00"),
        shop.line(2, "30.00"),
        id=77,
        payment_gateway_names=["stripe", "harbour"],
    )


def transaction(gateway: str, amount: str, **changes: Any) -> dict[str, Any]:
    return {"kind": "sale", "status": "success", "gateway": gateway, "amount": amount, **changes}


TRANSACTIONS = [
    transaction("stripe", "32.00", kind="authorization"),
    transaction("stripe", "32.00", kind="capture"),
    transaction("harbour", "8.00"),
    transaction("harbour", "8.00", status="failure"),
]


async def test_what_points_paid_of_an_order_is_fetched() -> None:
    api, made = ShopApi(), connection(POINTS, SECRETS)
    api.transactions[77] = TRANSACTIONS
    whole, hint = parts_of(made, paid_twice())
    assert hint.content is None
    async with api_of(api.app) as calls:
        (fetched,) = await made.adapter.resolve(Parts(whole.subject, {}), [hint], made, calls)
    contents = {whole.key: whole.content or {}, fetched.key: fetched.content or {}}
    stated = made.adapter.canonicalise(Parts(whole.subject, contents), made.mapping)
    assert isinstance(stated, Statement)
    assert [(each.kind, each.minor_units) for each in stated.document.payments] == [
        ("card", 32_00),
        ("points", 8_00),
    ]
    assert [each.paid_with_points_minor_units for each in stated.document.lines] == [2_00, 6_00]


def parts_of(made: Connection, told: dict[str, Any]) -> list[Part]:
    items = items_of(Delivery(shop.body(told)), made)
    return [each for each in items if isinstance(each, Part)]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (JSONResponse({}, 500), RetryLater),
        (JSONResponse({}, 429, headers={"retry-after": "2.0"}), RetryLater),
        (JSONResponse({}, 401), RetryLater),
        (JSONResponse({}, 302, headers={"location": "https://elsewhere.example"}), Unreadable),
        (JSONResponse({}, 404), Unreadable),
        (PlainTextResponse("<html>sorry</html>"), Unreadable),
        (JSONResponse({"transactions": [{"amount": "much"}]}), Unreadable),
        (PlainTextResponse(" " * 17_000_000), Unreadable),
    ],
)
async def test_trouble_of_the_shops_is_told_apart(answer: Any, error: type[Exception]) -> None:
    api, made = ShopApi(), connection(POINTS, SECRETS)
    api.answers = [answer]
    _, hint = parts_of(made, paid_twice())
    async with api_of(api.app) as calls:
        with pytest.raises(error):
            await made.adapter.resolve(Parts(hint.subject, {}), [hint], made, calls)


async def test_pulls_go_on_where_they_ended() -> None:
    api, made = ShopApi(), connection(shop.MAPPING, SECRETS)
    api.orders = [
        {**shop.order(shop.line(1, "1.00")), "id": number, "updated_at": shop.days_ago(1, number)}
        for number in range(300)
    ]
    cursor, seen = "", set()
    async with api_of(api.app) as calls:
        for expected in (250, 51, 1):
            pulled = await made.adapter.pull(cursor, made, calls)
            assert len(pulled.deliveries) == expected
            assert pulled.more == (expected == 250)
            cursor = pulled.cursor
            for delivery in pulled.deliveries:
                (part,) = items_of(delivery, made)
                assert isinstance(part, Part)
                seen.add(part.subject)
    assert len(seen) == 300


async def test_a_page_full_of_one_second_does_not_stop_the_pull() -> None:
    api, made = ShopApi(), connection(shop.MAPPING, SECRETS)
    second = shop.days_ago(1)
    api.orders = [{**shop.order(), "id": n, "updated_at": second} for n in range(260)]
    api.orders.append({**shop.order(), "id": 999, "updated_at": shop.days_ago(1, 5)})
    async with api_of(api.app) as calls:
        first = await made.adapter.pull(second, made, calls)
        last = await made.adapter.pull(first.cursor, made, calls)
    assert (first.more, last.more) == (True, False)
    assert b'"id": 999' in last.deliveries[-1].body


async def test_a_part_paid_with_points_earns_only_on_the_rest(
    served: Served, caller: Caller, tmp_path: Path
) -> None:
    api = ShopApi()
    api.transactions[77] = TRANSACTIONS
    async with vendor(api.app) as address:
        mapping = POINTS + f"  api_url: {address}\n"
        async with rig(served, caller, tmp_path, mapping, SECRETS) as web:
            await web.enrol("shopify-customer", "207119551")
            sent = shop.body(paid_twice())
            await web.post(sent, shop.headers(sent, "orders/paid", "d-1"))
            await web.work()
            assert (await web.subject())["state"] == "done"
            assert await web.points("shopify-customer", "207119551") == 32

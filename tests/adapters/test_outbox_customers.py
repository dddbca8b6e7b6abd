"""A shop is told of its own customers, by its own numbers, as soon as it is known who they are."""

from pathlib import Path

from tests.adapters import shop as shopify
from tests.adapters.outboxes import SECRET, Shop, file_of
from tests.adapters.rig import rig, vendor
from tests.adapters.sending import MEMBER, SECRETS, send
from tests.server.served import Caller, Served

NAMED = "connection: web-shop\ncustomer_scheme: shopify-customer"


async def test_a_customer_is_told_of_once_an_order_made_them_known(
    served: Served, caller: Caller, tmp_path: Path
) -> None:
    shop = Shop()
    for folder in ("mappings", "secrets"):
        (tmp_path / folder).mkdir()
    (tmp_path / "secrets" / "shop.webhook_secret").write_text(SECRET, encoding="utf-8")
    async with vendor(shop.app) as address:
        told = tmp_path / "mappings" / "shop.outbox.yaml"
        told.write_text(file_of(f"{address}/hooks", NAMED), encoding="utf-8")
        async with rig(served, caller, tmp_path, shopify.MAPPING, SECRETS, outbox=False) as web:
            await web.enrol(*MEMBER)
            await web.serving.outbox.drain()
            assert shop.got == [], "nobody said yet that this member is a customer there"
            await send(web, shopify.order(shopify.line(1, "10.00")), "d-1")
            await web.work()
            await web.serving.outbox.drain()
            (data,) = shop.of("balance.changed")
            assert data["customers"] == [MEMBER[1]]
            assert shop.points() == [await web.points(*MEMBER)]
            known = await web.pool.fetch(
                "SELECT connection, scheme, value FROM adapters.known_customer"
            )
            assert [tuple(row) for row in known] == [("web-shop", *MEMBER)]

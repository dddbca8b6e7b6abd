"""Webhooks of the Shopify shop, sent to an adapter process; and who buys there."""

from typing import Any

from tests.adapters import shop
from tests.adapters.rig import Rig

SECRETS = {"webhook_secret": shop.SECRET}
MEMBER = ("shopify-customer", "207119551")


async def send(web: Rig, told: Any, delivery: str, topic: str = "orders/updated") -> None:
    """Send a message, bytes or what is to become JSON; it has to be acknowledged."""
    sent = told if isinstance(told, bytes) else shop.body(told)
    answer = await web.post(sent, shop.headers(sent, topic, delivery))
    assert answer.status_code == 200

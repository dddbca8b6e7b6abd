"""A web shop on WooCommerce: what it sends, and a fake of its REST API, written from their
documentation.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

SECRET = "a-webhook-secret"
SITE = "https://harbour.example"
SECRETS = {"webhook_secret": SECRET, "consumer_key": "ck_1", "consumer_secret": "cs_1"}
MAPPING = f"""
schema: loyalty.adapter/v1
system: woocommerce
connection: woo
version: 1
own_actors: [loyalty]
places:
  - {{code: online, business_unit: web, zone: Europe/London, currencies: [GBP, USD], channel: web}}
categories:
  - {{code: line, category: goods}}
  - {{code: fee/Tip, category: tip}}
  - {{code: fee/Gift wrap, category: goods}}
identities:
  - {{kind: customer, scheme: woo-customer}}
  - {{kind: email, scheme: email}}
settings:
  site: {SITE}
"""
TODAY = datetime.now(UTC).replace(microsecond=0, tzinfo=None)


def days_ago(days: int, seconds: int = 0) -> str:
    """A time as WooCommerce writes it: GMT without saying so."""
    return (TODAY - timedelta(days=days) + timedelta(seconds=seconds)).isoformat()


def now() -> str:
    """This second."""
    return datetime.now(UTC).replace(microsecond=0, tzinfo=None).isoformat()


def line(number: int, total: str, quantity: int = 1, **changes: Any) -> dict[str, Any]:
    """A line of goods."""
    return {
        "id": number,
        "name": f"Thing {number}",
        "product_id": 90 + number,
        "variation_id": 0,
        "quantity": quantity,
        "subtotal": total,
        "total": total,
        "total_tax": "0.00",
        "meta_data": [{"id": 1, "key": "colour", "value": {"rgb": [1, 2, 3]}}],
        "sku": f"SKU-{number}",
        "price": 3.35,
        **changes,
    }


def order(*lines: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A paid order."""
    total = sum((Decimal(each["total"]) + Decimal(each["total_tax"]) for each in lines), Decimal(0))
    return {
        "id": 727,
        "number": "727",
        "status": "processing",
        "currency": "GBP",
        "date_created": "local and without zone",
        "date_created_gmt": days_ago(9),
        "date_modified_gmt": days_ago(9, 8),
        "date_paid_gmt": days_ago(9, 8),
        "created_via": "checkout",
        "prices_include_tax": False,
        "total": f"{total:.2f}",
        "customer_id": 26,
        "billing": {"email": "Guest@Example.com", "phone": "(555) 555-5555", "city": "London"},
        "payment_method": "stripe",
        "line_items": list(lines),
        "shipping_lines": [],
        "fee_lines": [],
        "coupon_lines": [],
        "refunds": [],
        "meta_data": [{"id": 2, "key": "_loyalty_card", "value": "8800"}],
        **changes,
    }


def refunded(
    told: Mapping[str, Any], *refunds: Mapping[str, Any], **changes: Any
) -> dict[str, Any]:
    """An order that tells of refunds as orders do: their sums, below zero."""
    sums = [{"id": each["id"], "reason": "", "total": f"-{each['amount']}"} for each in refunds]
    return {**told, "refunds": sums, "date_modified_gmt": days_ago(5), **changes}


def refund(number: int, amount: str, *lines: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A refund as it is fetched."""
    return {
        "id": number,
        "date_created_gmt": days_ago(5),
        "amount": amount,
        "reason": "",
        "refunded_payment": True,
        "line_items": list(lines),
        **changes,
    }


def returned(
    of: dict[str, Any], total: str, quantity: int = 1, tax: str = "0.00"
) -> dict[str, Any]:
    """A line of a refund: everything below zero, its own id, the refunded line in its meta data."""
    return {
        "id": 9_000 + int(of["id"]),
        "quantity": -quantity,
        "total": f"-{total}",
        "total_tax": f"-{tax}",
        "meta_data": [{"id": 3, "key": "_refunded_item_id", "value": str(of["id"])}],
    }


def body(told: Mapping[str, Any]) -> bytes:
    """What is sent."""
    return json.dumps(told).encode()


def headers(sent: bytes, topic: str, delivery: str = "d-1", **changes: str) -> dict[str, str]:
    """The headers of a webhook."""
    digest = hmac.new(SECRET.encode(), sent, hashlib.sha256).digest()
    return {
        "content-type": "application/json",
        "x-wc-webhook-source": f"{SITE}/",
        "x-wc-webhook-topic": topic,
        "x-wc-webhook-delivery-id": delivery,
        "x-wc-webhook-signature": base64.b64encode(digest).decode(),
        **changes,
    }


class Api:
    """A fake of wc/v3: orders by time of change in pages, refunds of an order."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.orders: dict[int, dict[str, Any]] = {}
        self.refunds: dict[int, list[dict[str, Any]]] = {}
        self.answers: list[Response] = []
        """Given first, one for each call: trouble of the shop's."""
        self.asked: list[str] = []

    @property
    def app(self) -> Starlette:
        """The application."""
        return Starlette(
            routes=[
                Route("/wp-json/wc/v3/orders", self._orders),
                Route("/wp-json/wc/v3/orders/{order:int}/refunds", self._refunds),
            ]
        )

    def _refuses(self, request: Request) -> Response | None:
        self.asked.append(request.url.path)
        if self.answers:
            return self.answers.pop(0)
        login = base64.b64encode(b"ck_1:cs_1").decode()
        if request.headers.get("authorization") != f"Basic {login}":
            return JSONResponse({"code": "woocommerce_rest_cannot_view"}, status_code=401)
        return None

    async def _orders(self, request: Request) -> Response:
        if (refusal := self._refuses(request)) is not None:
            return refusal
        query = request.query_params
        assert query["dates_are_gmt"] == "true"
        wanted = [
            each
            for _, each in sorted(self.orders.items())
            if each["date_modified_gmt"] > query["modified_after"]
        ]
        size, page = int(query["per_page"]), int(query["page"])
        assert size <= 100
        return JSONResponse(wanted[size * (page - 1) : size * page])

    async def _refunds(self, request: Request) -> Response:
        if (refusal := self._refuses(request)) is not None:
            return refusal
        number = request.path_params["order"]
        if number not in self.orders:
            return JSONResponse({"code": "woocommerce_rest_invalid_order_id"}, status_code=404)
        return JSONResponse(self.refunds.get(number, []))

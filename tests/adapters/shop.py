"""A web shop on Shopify that sends what its documentation says: orders, refunds, signatures."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

TODAY = datetime.now(UTC).replace(microsecond=0)


def days_ago(days: int, seconds: int = 0) -> str:
    """A time as Shopify writes it. Points of a year ago would have expired."""
    return (TODAY - timedelta(days=days) + timedelta(seconds=seconds)).isoformat()


def from_now(seconds: int) -> str:
    """A time that a clock far ahead would write."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


SECRET = "a-webhook-secret"
SHOP = "harbour.myshopify.com"
MAPPING = f"""
schema: loyalty.adapter/v1
system: shopify
connection: web-shop
version: 1
own_actors: ["424242"]
places:
  - {{code: online, business_unit: web, zone: Europe/London, currencies: [GBP], channel: web}}
  - code: location/905684977
    business_unit: market
    zone: America/New_York
    currencies: [USD]
    store: soho
categories:
  - {{code: line, category: goods}}
  - {{code: sku/WINE-*, category: drink}}
identities:
  - {{kind: customer, scheme: shopify-customer}}
  - {{kind: email, scheme: email}}
settings:
  shop: {SHOP}
"""


def line(number: int, price: str, quantity: int = 1, **changes: Any) -> dict[str, Any]:
    """A line of an order."""
    return {
        "id": 14_000_000_000_000_000_000 + number,
        "price": price,
        "quantity": quantity,
        "sku": f"SKU-{number}",
        "vendor": "Harbour",
        "product_id": 7_000 + number,
        "gift_card": False,
        "total_discount": "0.00",
        "discount_allocations": [],
        "tax_lines": [],
        **changes,
    }


def order(*lines: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A paid order of the online shop, in pounds."""
    total = sum((Decimal(each["price"]) * each["quantity"] for each in lines), Decimal(0))
    text = f"{total:.2f}"
    return {
        "id": 9_007_199_254_740_993_001,
        "name": "#1001",
        "test": False,
        "currency": "GBP",
        "financial_status": "paid",
        "created_at": days_ago(9),
        "processed_at": days_ago(9),
        "updated_at": days_ago(9, 5),
        "cancelled_at": None,
        "source_name": "web",
        "app_id": 580_111,
        "location_id": None,
        "customer": {"id": 207_119_551, "email": "Guest@Example.com", "phone": None},
        "email": "Guest@Example.com",
        "taxes_included": False,
        "subtotal_price": text,
        "total_price": text,
        "total_tip_received": "0.0",
        "line_items": list(lines),
        "shipping_lines": [],
        "refunds": [],
        "payment_gateway_names": ["shopify_payments"],
        **changes,
    }


def refund(of: dict[str, Any], *lines: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A refund of an order."""
    return {
        "id": 509_562_969,
        "order_id": of["id"],
        "created_at": days_ago(5),
        "refund_line_items": list(lines),
        "transactions": [],
        "order_adjustments": [],
        **changes,
    }


def returned(
    of: dict[str, Any], subtotal: str, quantity: int = 1, **changes: Any
) -> dict[str, Any]:
    """A line of a refund."""
    return {
        "id": 1,
        "line_item_id": of["id"],
        "quantity": quantity,
        "subtotal": subtotal,
        "total_tax": "0.00",
        **changes,
    }


def paid_back(amount: str, **changes: Any) -> dict[str, Any]:
    """A transaction of a refund."""
    return {"kind": "refund", "status": "success", "amount": amount, "currency": "GBP", **changes}


def body(told: Mapping[str, Any]) -> bytes:
    """What is sent."""
    return json.dumps(told).encode()


def signature(sent: bytes, secret: str = SECRET) -> str:
    """The signature, worked out as the documentation says."""
    return base64.b64encode(hmac.new(secret.encode(), sent, hashlib.sha256).digest()).decode()


def headers(sent: bytes, topic: str, delivery: str, **changes: str) -> dict[str, str]:
    """The headers of a webhook."""
    return {
        "content-type": "application/json",
        "x-shopify-topic": topic,
        "x-shopify-shop-domain": SHOP,
        "x-shopify-webhook-id": delivery,
        "x-shopify-event-id": f"event-{delivery}",
        "x-shopify-triggered-at": days_ago(9, 6),
        "x-shopify-hmac-sha256": signature(sent),
        **changes,
    }

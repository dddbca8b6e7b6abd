"""A restaurant on Square: what it sends, and a fake of the API, written from its documentation."""

import base64
import hashlib
import hmac
import json
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

KEY = "a-signature-key"
URL = "https://points.example/hooks/square"
TOKEN = "EAAA1"
SECRETS = {"signature_key": KEY, "access_token": TOKEN}


def mapping(api: str = "https://connect.squareup.com", more: str = "") -> str:
    """The mapping of the restaurant."""
    return f"""
schema: loyalty.adapter/v1
system: square
connection: square
version: 1
own_actors: [sq0ids-us]
places:
  - {{code: location/L1, business_unit: market, zone: America/New_York, currencies: [USD]}}
  - {{code: location/L88917AVBK2S5, business_unit: market, zone: America/New_York,
     currencies: [USD]}}
  - {{code: merchant, business_unit: market, zone: America/New_York, currencies: [USD]}}
categories:
  - {{code: line, category: grocery}}
  - {{code: payment, category: grocery}}
identities:
  - {{kind: customer, scheme: square-customer}}
  - {{kind: email, scheme: email}}
  - {{kind: phone, scheme: phone}}
settings:
  merchant: M1
  notification_url: {URL}
  api: {api}
{more}"""


MAPPING = mapping()


def usd(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "USD"}


def payment(amount: int, **changes: Any) -> dict[str, Any]:
    """A payment that was taken."""
    return {
        "id": "P1",
        "status": "COMPLETED",
        "location_id": "L1",
        "order_id": "O1",
        "created_at": "2026-03-01T12:00:00.000Z",
        "updated_at": "2026-03-01T12:00:01.000Z",
        "amount_money": usd(amount),
        "total_money": usd(amount),
        "tip_money": usd(0),
        "customer_id": "C1",
        "receipt_number": "P1-r",
        "source_type": "CARD",
        **changes,
    }


def line(uid: str, total: int, tax: int = 0, **changes: Any) -> dict[str, Any]:
    """A line of an order."""
    return {
        "uid": uid,
        "name": uid,
        "quantity": "1",
        "item_type": "ITEM",
        "total_money": usd(total),
        "total_tax_money": usd(tax),
        "total_service_charge_money": usd(0),
        **changes,
    }


def order(*lines: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """An order that payment P1 paid for."""
    total = sum(each["total_money"]["amount"] for each in lines)
    return {
        "id": "O1",
        "location_id": "L1",
        "version": 3,
        "state": "COMPLETED",
        "line_items": list(lines),
        "tenders": [{"id": "P1", "payment_id": "P1"}],
        "total_money": usd(total),
        "total_tip_money": usd(0),
        **changes,
    }


def refund(amount: int, **changes: Any) -> dict[str, Any]:
    """A refund of payment P1."""
    return {
        "id": "P1_R1",
        "status": "COMPLETED",
        "location_id": "L1",
        "payment_id": "P1",
        "order_id": "RO1",
        "created_at": "2026-03-02T12:00:00.000Z",
        "updated_at": "2026-03-02T12:00:01.000Z",
        "amount_money": usd(amount),
        **changes,
    }


def event(kind: str, told: dict[str, Any], *, number: int = 1, **changes: Any) -> dict[str, Any]:
    """An event as the webhook brings it: kind "payment.updated"."""
    family = kind.partition(".")[0]
    return {
        "merchant_id": "M1",
        "type": kind,
        "event_id": f"E{number}",
        "created_at": "2026-03-01T12:00:01.000Z",
        "data": {"type": family, "id": told.get("id", ""), "object": {family: told}},
        **changes,
    }


def body(told: Any) -> bytes:
    return json.dumps(told).encode()


def signed(told: bytes, url: str = URL, key: str = KEY) -> dict[str, str]:
    """The headers of a webhook."""
    digest = hmac.digest(key.encode(), url.encode() + told, hashlib.sha256)
    return {
        "content-type": "application/json",
        "x-square-hmacsha256-signature": base64.b64encode(digest).decode(),
    }


class SquareApi:
    """Payments, refunds and orders, two on a page."""

    PAGE = 2

    def __init__(self) -> None:
        self.payments: list[dict[str, Any]] = []
        self.refunds: list[dict[str, Any]] = []
        self.orders: dict[str, dict[str, Any]] = {}

    @property
    def app(self) -> Starlette:
        """The application."""
        return Starlette(
            routes=[
                Route("/v2/payments", self._payments),
                Route("/v2/refunds", self._refunds),
                Route("/v2/payments/{payment}", self._payment),
                Route("/v2/orders/{order}", self._order),
            ]
        )

    def _refuses(self, request: Request) -> Response | None:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return JSONResponse({"errors": [{"code": "UNAUTHORIZED"}]}, 401)
        return None

    def _page(self, request: Request, name: str, found: list[dict[str, Any]]) -> Response:
        if (refusal := self._refuses(request)) is not None:
            return refusal
        query = request.query_params
        assert query["sort_field"] == "UPDATED_AT"
        wanted = [each for each in found if each["updated_at"] >= query["updated_at_begin_time"]]
        begin = int(query.get("cursor", "0"))
        answer: dict[str, Any] = {name: wanted[begin : begin + self.PAGE]}
        if len(wanted) > begin + self.PAGE:
            answer["cursor"] = str(begin + self.PAGE)
        return JSONResponse(answer)

    async def _payments(self, request: Request) -> Response:
        return self._page(request, "payments", self.payments)

    async def _refunds(self, request: Request) -> Response:
        return self._page(request, "refunds", self.refunds)

    async def _payment(self, request: Request) -> Response:
        if (refusal := self._refuses(request)) is not None:
            return refusal
        for each in self.payments:
            if each["id"] == request.path_params["payment"]:
                return JSONResponse({"payment": each})
        return JSONResponse({"errors": [{"code": "NOT_FOUND"}]}, 404)

    async def _order(self, request: Request) -> Response:
        if (refusal := self._refuses(request)) is not None:
            return refusal
        found = self.orders.get(request.path_params["order"])
        if found is None:
            return JSONResponse({"errors": [{"code": "NOT_FOUND"}]}, 404)
        return JSONResponse({"order": found})

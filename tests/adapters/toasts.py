"""A restaurant on Toast: its checks and webhooks, written from its documentation."""

import base64
import hashlib
import hmac
import json
from typing import Any

from adapters.frame import moments

SECRETS = {"webhook_secret": "a-secret"}
RECORDED = "0cd990c9-fd74-461d-8468-de2a0919ccbba"


def mapping(more: str = "") -> str:
    return f"""
schema: loyalty.adapter/v1
system: toast
connection: toast
version: 1
places:
  - {{code: restaurant/R1, business_unit: dining, zone: America/New_York, currencies: [USD]}}
  - {{code: restaurant/{RECORDED}, business_unit: dining, zone: America/New_York,
     currencies: [USD]}}
categories:
  - {{code: sales/WINE, category: drink}}
  - {{code: line, category: food}}
identities:
  - {{kind: loyalty, scheme: card}}
  - {{kind: customer, scheme: toast-customer}}
{more}"""


def selection(guid: str, price: float | str, **changes: Any) -> dict[str, Any]:
    return {"guid": guid, "price": price, "tax": 0, "quantity": 1, "voided": False, **changes}


def check(*selections: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "guid": "C1",
        "paymentStatus": "CLOSED",
        "paidDate": "2026-03-01T20:00:00.000+0000",
        "voided": False,
        "deleted": False,
        "selections": list(selections),
        "appliedLoyaltyInfo": {"loyaltyIdentifier": "M1"},
        **changes,
    }


def event(*checks: dict[str, Any], **changes: Any) -> bytes:
    order = {
        "guid": "O1",
        "modifiedDate": "2026-03-01T20:00:01.000+0000",
        "businessDate": 20260301,
        "createdInTestMode": False,
        "checks": list(checks),
        **changes,
    }
    told = {
        "timestamp": moments.utc(moments.now()).isoformat(),
        "eventType": "order_updated",
        "guid": f"E{order['modifiedDate']}",
        "details": {"restaurantGuid": "R1", "order": order},
    }
    return json.dumps(told).encode()


def signature(told: bytes, key: str = "a-secret") -> bytes:
    time = json.loads(told)["timestamp"]
    return hmac.digest(key.encode(), told + time.encode(), hashlib.sha256)


def signed(told: bytes, key: str = "a-secret") -> dict[str, str]:
    return {"toast-signature": base64.b64encode(signature(told, key)).decode()}

"""A shop on Youzan: its trades, refunds and pushes, written from its documentation."""

import hashlib
import json
from typing import Any
from urllib.parse import quote_plus

SECRETS = {"client_id": "app", "client_secret": "geheim"}


def mapping(more: str = "") -> str:
    return f"""
schema: loyalty.adapter/v1
system: youzan
connection: youzan
version: 1
own_actors: [us]
places:
  - {{code: shop/42, business_unit: web, zone: Asia/Shanghai, currencies: [CNY]}}
  - {{code: shop, business_unit: web, zone: Asia/Shanghai, currencies: [CNY]}}
categories:
  - {{code: sku/WINE*, category: drink}}
  - {{code: line, category: goods}}
identities:
  - {{kind: outer_user_id, scheme: card}}
  - {{kind: buyer_id, scheme: youzan-buyer}}
{more}"""


def line(oid: int, payment: str, **changes: Any) -> dict[str, Any]:
    return {"oid": oid, "num": 1, "payment": payment, **changes}


def trade(status: str, *lines: dict[str, Any], paid: str = "100.00", **changes: Any) -> Any:
    info = {
        "tid": "E1",
        "status": status,
        "created": "2026-03-01 12:00:00",
        "pay_time": "2026-03-01 12:01:00",
        "update_time": "2026-03-01 12:01:00",
        **changes,
    }
    return {
        "full_order_info": {
            "order_info": info,
            "orders": list(lines or [line(1, paid)]),
            "pay_info": {"payment": paid, "post_fee": "0.00"},
            "buyer_info": {"buyer_id": 7, "outer_user_id": "M1"},
        }
    }


def push(kind: str, msg: Any, *, version: int = 1, **changes: Any) -> bytes:
    told = {
        "type": kind,
        "id": "E1",
        "kdt_id": 42,
        "msg_id": f"{kind}-{version}",
        "version": version,
        "test": False,
        "msg": msg if isinstance(msg, str) else quote_plus(json.dumps(msg)),
        **changes,
    }
    return json.dumps(told).encode()


def refund(fee: str, number: str = "F1", **changes: Any) -> dict[str, Any]:
    return {
        "tid": "E1",
        "refund_id": number,
        "refunded_fee": fee,
        "update_time": "2026-03-02 12:00:00",
        **changes,
    }


def signed(told: bytes, secret: str = "geheim") -> dict[str, str]:
    digest = hashlib.md5(b"app" + told + secret.encode()).hexdigest()
    return {"content-type": "application/json", "event-sign": digest}

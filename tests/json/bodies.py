"""Requests in JSON that are right, for tests that make them wrong in one place."""

import copy
from typing import Any

MEMBER = {"identity": {"scheme": "card", "value": "8800"}}
SALE: dict[str, Any] = {
    "request_id": "r-1",
    "origin": {"business_unit": "market"},
    "member": MEMBER,
    "document": {
        "source": "till",
        "document_id": "T-1",
        "version": "1",
        "kind": "DOCUMENT_KIND_SALE",
        "status": "DOCUMENT_STATUS_FINAL",
        "currency_code": "USD",
        "lines": [{"line_id": "1", "category": "grocery", "net_minor_units": 1250}],
    },
}


def sale(request_id: str = "r-1", document_id: str = "T-1") -> dict[str, Any]:
    """A basket of the member with one line of groceries, to be changed at will."""
    body = copy.deepcopy(SALE)
    body["request_id"] = request_id
    body["document"]["document_id"] = document_id
    return body

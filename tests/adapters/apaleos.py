"""Hotels on Apaleo: what they tell, and a fake of its API, from its documentation."""

import base64
import json
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

SECRETS = {"webhook_secret": "hush", "client_id": "us", "client_secret": "hidden"}


def mapping(address: str = "https://apaleo.example", **settings: str) -> str:
    """The mapping of the hotels."""
    more = "".join(f"  {name}: {value}\n" for name, value in settings.items())
    return f"""
schema: loyalty.adapter/v1
system: apaleo
connection: apaleo
version: 1
own_actors: [US-SP-LOYALTY]
places:
  - {{code: property/BER, business_unit: hotel, zone: Europe/Berlin, currencies: [EUR]}}
categories:
  - {{code: service/Accommodation, category: room}}
  - {{code: service/FoodAndBeverages, category: food}}
identities:
  - {{kind: external, scheme: card}}
  - {{kind: email, scheme: email}}
settings:
  account: HFTF
  api: {address}
  identity: {address}
{more}"""


MAPPING = mapping()


def reservation(status: str = "CheckedOut", **changes: Any) -> dict[str, Any]:
    return {
        "id": "XPGMSXGF-1",
        "status": status,
        "property": {"id": "BER"},
        "arrival": "2026-03-01T15:00:00+01:00",
        "departure": "2026-03-04T11:00:00+01:00",
        "modified": "2026-03-04T10:30:00Z",
        "checkOutTime": "2026-03-04T10:15:00+01:00",
        "externalCode": "8800",
        "primaryGuest": {"email": "anna@example.com", "phone": "+41791112233"},
        **changes,
    }


def charge(kind: str, net: float, gross: float, **changes: Any) -> dict[str, Any]:
    amount = {"grossAmount": gross, "netAmount": net, "vatType": "Reduced", "currency": "EUR"}
    return {"id": "C", "type": "TimeSlice", "serviceType": kind, "amount": amount, **changes}


def folio(*charges: dict[str, Any], number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"XPGMSXGF-1-{number}",
        "type": "Guest",
        "status": "ClosedWithInvoice",
        "updated": "2026-03-04T10:30:00Z",
        "reservation": {"id": "XPGMSXGF-1"},
        "charges": list(charges),
        "payments": [{"id": "P1", "amount": {"amount": 300, "currency": "EUR"}}],
        **changes,
    }


def event(topic: str = "Reservation", kind: str = "checked-out", **changes: Any) -> dict[str, Any]:
    return {
        "topic": topic,
        "type": kind,
        "id": "ec5a1fe4",
        "accountId": "HFTF",
        "propertyId": "BER",
        "timestamp": 1772617800000,
        "clientId": "SOMEBODY",
        "data": {"entityId": "XPGMSXGF-1"},
        **changes,
    }


def body(told: Any) -> bytes:
    return json.dumps(told).encode()


class ApaleoApi:
    """Login, reservations and folios. Where nothing is, the answer is 204."""

    def __init__(self, *reservations: dict[str, Any]) -> None:
        self.reservations = {each["id"]: each for each in reservations}
        self.folios: dict[str, dict[str, Any]] = {}

    @property
    def app(self) -> Starlette:
        """The application."""
        return Starlette(
            routes=[
                Route("/connect/token", self._login, methods=["POST"]),
                Route("/booking/v1/reservations", self._changed),
                Route("/booking/v1/reservations/{number}", self._reservation),
                Route("/finance/v1/folios", self._listed),
                Route("/finance/v1/folios/{number}", self._folio),
            ]
        )

    async def _login(self, request: Request) -> Response:
        basic = base64.b64encode(b"us:hidden").decode()
        if request.headers.get("authorization") != f"Basic {basic}":
            return JSONResponse({"error": "invalid_client"}, 400)
        return JSONResponse({"access_token": "T", "expires_in": 3600})

    def _found(self, request: Request, found: Any) -> Response:
        if request.headers.get("authorization") != "Bearer T":
            return Response(status_code=401)
        return Response(status_code=404) if found is None else JSONResponse(found)

    async def _changed(self, request: Request) -> Response:
        query = request.query_params
        assert query["dateFilter"] == "Modification"
        begin = (int(query["pageNumber"]) - 1) * int(query["pageSize"])
        page = list(self.reservations.values())[begin : begin + int(query["pageSize"])]
        if not page:
            return Response(status_code=204)
        return self._found(request, {"reservations": page, "count": len(self.reservations)})

    async def _reservation(self, request: Request) -> Response:
        return self._found(request, self.reservations.get(request.path_params["number"]))

    async def _listed(self, request: Request) -> Response:
        number = request.query_params["reservationIds"]
        rows = [
            {"id": each["id"]}
            for each in self.folios.values()
            if each["reservation"]["id"] == number
        ]
        return self._found(request, {"folios": rows}) if rows else Response(status_code=204)

    async def _folio(self, request: Request) -> Response:
        return self._found(request, self.folios.get(request.path_params["number"]))

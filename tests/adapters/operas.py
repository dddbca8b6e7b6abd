"""A hotel on OPERA Cloud: what it says and asks, and a fake of its APIs by their documents."""

import json
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

APP_KEY = "0ab1c2d3-e4f5-4a6b-8c7d-9e0f1a2b3c4d"
SECRETS = {
    "client_id": "us",
    "client_secret": "hidden",
    "app_key": APP_KEY,
    "vendor_client": "opera:let-me-in",
    "vendor_token": "a-token",
    "vendor_password": "opera:let-me-in",
}


def mapping(gateway: str = "https://opera.example", more: str = "", **settings: str) -> str:
    """The mapping of the hotel."""
    lines = "".join(f"  {name}: {value}\n" for name, value in settings.items())
    return f"""
schema: loyalty.adapter/v1
system: opera
connection: opera
version: 1
own_actors: ["777"]
places:
  - {{code: hotel/HOTEL1, business_unit: hotel, zone: Europe/Lisbon, currencies: [EUR]}}
  - {{code: chain, business_unit: hotel, zone: Europe/Lisbon, currencies: [EUR]}}
categories:
  - {{code: transaction/1*, category: room}}
  - {{code: transaction/2*, category: food}}
  - {{code: transaction/8*, category: tax}}
payments:
  - {{code: "9000", kind: card}}
identities:
  - {{kind: membership/GH, scheme: card}}
  - {{kind: membership, scheme: card}}
  - {{kind: profile, scheme: opera-profile}}
  - {{kind: email, scheme: email}}
settings:
  gateway: {gateway}
  external_system: LOYALTY
  hotels: [HOTEL1]
  awards: point
  redemptions:
    - {{code: PTS, currency: point, description: Points}}
    - {{code: RAW, currency: point, amounts: points}}
  levels:
    - {{tier: gold, level: G}}
{lines}{more}"""


MAPPING = mapping()


def event(action: str, key: str, *, number: int = 1, **header: Any) -> dict[str, Any]:
    """A business event as it is dequeued."""
    return {
        "businessEvent": {
            "header": {
                "moduleName": "RESERVATION",
                "actionType": action,
                "actionId": "1",
                "primaryKey": key,
                "publisherId": "18371",
                "createdDateTime": "2026-03-05 10:30:52.0",
                "hotelId": "HOTEL1",
                **header,
            },
            "details": [],
        },
        "businessEventId": {"id": str(number)},
    }


def events(*each: dict[str, Any]) -> dict[str, Any]:
    return {"businessEventData": list(each), "DataValueMapping": []}


def reservation(status: str = "CheckedOut", **changes: Any) -> dict[str, Any]:
    """A stay of three nights of somebody with a card."""
    membership = {"membershipId": "8800", "membershipType": "GH"}
    return {
        "reservationIdList": [
            {"id": "571062", "type": "Reservation"},
            {"id": "813595", "type": "Confirmation"},
        ],
        "roomStay": {"arrivalDate": "2026-03-02", "departureDate": "2026-03-05"},
        "reservationGuests": [
            {
                "profileInfo": {
                    "profileIdList": [{"id": "687128", "type": "Profile"}],
                    "profile": {"profileMemberships": {"profileMembership": [membership]}},
                },
                "primary": True,
            }
        ],
        "hotelId": "HOTEL1",
        "reservationStatus": status,
        **changes,
    }


def reservations(*each: dict[str, Any]) -> dict[str, Any]:
    return {"reservations": {"reservation": list(each)}}


def posting(code: str, amount: float | int | str, **changes: Any) -> dict[str, Any]:
    """A line of a folio."""
    posted = {"amount": amount, "currencyCode": "EUR"}
    return {"transactionNo": 1, "transactionCode": code, "postedAmount": posted, **changes}


def bill(*postings: dict[str, Any], balance: float | int = 0, window: int = 1) -> dict[str, Any]:
    """A folio with one window."""
    return {
        "reservationFolioInformation": {
            "folioWindows": [
                {
                    "folioWindowNo": window,
                    "balance": {"amount": balance, "currencyCode": "EUR"},
                    "folios": [{"postings": list(postings)}],
                }
            ]
        }
    }


def body(told: Any) -> bytes:
    return json.dumps(told).encode()


MEMBERSHIP = "/crm/v1/profiles/{number}/membershipType/{kind}/membershipId/{card:path}"


class OperaApi:
    """Login, events that are gone once they were given, reservations, folios and profiles."""

    PAGE = 2
    FOLIO_PAGE = 3
    LIST_PAGE = 2
    LISTED = ("reservationIdList", "roomStay", "hotelId", "reservationStatus")

    def __init__(self) -> None:
        self.cut: set[int] = set()
        """Windows that are told only when they are asked for alone."""
        self.queue: list[dict[str, Any]] = []
        self.reservations: dict[str, dict[str, Any]] = {}
        self.bills: dict[str, dict[str, Any]] = {}
        self.profiles: dict[str, dict[str, Any]] = {}
        self.changed: list[dict[str, Any]] = []
        """Bodies of the changes of memberships that were made."""
        self.faults: list[Response] = []
        """What the next changes are answered instead of being made."""
        self.logins = 0
        self.request_ids: set[str] = set()

    @property
    def app(self) -> Starlette:
        """The application."""
        at = "/rsv/v1/hotels/{hotel}/reservations"
        return Starlette(
            routes=[
                Route("/oauth/v1/tokens", self._login, methods=["POST"]),
                Route("/int/v1/externalSystem/LOYALTY/hotels/{hotel}/businessEvents", self._events),
                Route(at, self._departures),
                Route(at + "/{number}", self._reservation),
                Route("/csh/v1/hotels/{hotel}/reservations/{number}/folios", self._bill),
                Route("/crm/v1/profiles/{number}", self._profile),
                Route(MEMBERSHIP, self._membership, methods=["PUT"]),
            ]
        )

    async def _login(self, request: Request) -> Response:
        form = (await request.body()).decode()
        given = request.headers.get("authorization", "")
        if not given.startswith("Basic ") or request.headers.get("x-app-key") != APP_KEY:
            return JSONResponse({"error": "invalid_client"}, 401)
        assert "grant_type=client_credentials" in form
        self.logins += 1
        return JSONResponse({"access_token": "opera-token", "expires_in": 3600})

    def _refuses(self, request: Request) -> Response | None:
        headers = request.headers
        if headers.get("authorization") != "Bearer opera-token":
            return JSONResponse({"title": "Unauthorized"}, 401)
        assert headers["x-hotelid"] == "HOTEL1"
        assert headers["x-externalsystem"] == "LOYALTY"
        assert headers["x-request-id"] not in self.request_ids
        self.request_ids.add(headers["x-request-id"])
        return None

    async def _events(self, request: Request) -> Response:
        if (refusal := self._refuses(request)) is not None:
            return refusal
        assert int(request.query_params["limit"]) <= 20
        given, self.queue = self.queue[: self.PAGE], self.queue[self.PAGE :]
        return JSONResponse(events(*given))

    async def _departures(self, request: Request) -> Response:
        if (refusal := self._refuses(request)) is not None:
            return refusal
        query = request.query_params
        wanted = [
            each
            for each in self.reservations.values()
            if query["departureStartDate"]
            <= each["roomStay"]["departureDate"]
            <= query["departureEndDate"]
        ]
        rest = wanted[int(query["offset"]) :]
        page, more = rest[: self.LIST_PAGE], len(rest) > self.LIST_PAGE
        # A list tells neither who the guests are nor their memberships.
        brief = [{name: each[name] for name in self.LISTED} for each in page]
        return JSONResponse({"reservations": {"reservationInfo": brief, "hasMore": more}})

    async def _reservation(self, request: Request) -> Response:
        if (refusal := self._refuses(request)) is not None:
            return refusal
        found = self.reservations.get(request.path_params["number"])
        if found is None:
            return JSONResponse({"title": "Not found"}, 404)
        return JSONResponse(reservations(found))

    async def _bill(self, request: Request) -> Response:
        if (refusal := self._refuses(request)) is not None:
            return refusal
        query = request.query_params
        told = self.bills.get(request.path_params["number"], bill())
        assert int(query["limit"]) >= 300
        alone, offset = query.get("folioWindowNo"), int(query.get("offset", "0"))
        windows = []
        for each in told["reservationFolioInformation"]["folioWindows"]:
            if alone is None and each["folioWindowNo"] in self.cut:
                windows.append({**each, "folios": [], "emptyFolio": True, "emptyWindow": False})
            elif alone in (None, str(each["folioWindowNo"])):
                whole = each["folios"][0]["postings"][offset:]
                page = {**each, "folios": [{"postings": whole[: self.FOLIO_PAGE]}]}
                windows.append(page | {"hasMore": len(whole) > self.FOLIO_PAGE})
        return JSONResponse({"reservationFolioInformation": {"folioWindows": windows}})

    async def _profile(self, request: Request) -> Response:
        if (refusal := self._refuses(request)) is not None:
            return refusal
        found = self.profiles.get(request.path_params["number"])
        if found is None:
            return JSONResponse({"title": "Not found"}, 404)
        return JSONResponse({"profileDetails": found})

    async def _membership(self, request: Request) -> Response:
        """A change of a membership: what is put replaces what there was."""
        if (refusal := self._refuses(request)) is not None:
            return refusal
        if self.faults:
            return self.faults.pop(0)
        path, told = request.path_params, await request.json()
        assert request.headers["content-type"] == "application/json;charset=UTF-8"
        assert told["profileIdList"] == [{"id": path["number"], "type": "Profile"}]
        (put,) = told["profileMemberships"]
        kept = self.profiles[path["number"]]["profileMemberships"]["profileMembership"]
        for place, each in enumerate(kept):
            if (each["membershipType"], each["membershipId"]) == (path["kind"], path["card"]):
                kept[place] = put
                self.changed.append(put)
                return JSONResponse({"profileMemberships": [put]})
        return JSONResponse({"title": "Not found"}, 404)

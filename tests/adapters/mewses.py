"""A hotel on Mews: what it tells, and a fake of its Connector API, from its documentation."""

import json
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

ENTERPRISE = "851df8c8-90f2-4c4a-8e01-a4fc46b25178"
PROGRAMME = "f701dafb-5765-4cf4-b1dd-1f602a740ae5"
SECRETS = {"webhook_token": "hush", "client_token": "C", "access_token": "A"}


def mapping(api: str = "https://api.mews.example", **settings: str) -> str:
    """The mapping of the hotel."""
    more = "".join(f"  {name}: {value}\n" for name, value in settings.items())
    known = (
        ENTERPRISE,
        "3fa85f64-5717-4562-b3fc-2c963f66afa6",
        "4d0201db-36f5-428b-8d11-4f0a65e960cc",
    )
    places = "".join(
        f"  - {{code: enterprise/{each}, business_unit: hotel, zone: Asia/Shanghai,"
        " currencies: [EUR]}\n"
        for each in known
    )
    return f"""
schema: loyalty.adapter/v1
system: mews
connection: mews
version: 1
own_actors: [our-profile]
places:
{places}
categories:
  - {{code: type/SpaceOrder, category: room}}
  - {{code: type/ProductOrder, category: food}}
  - {{code: outlet, category: food}}
identities:
  - {{kind: provider, scheme: card}}
  - {{kind: membership, scheme: membership}}
  - {{kind: customer, scheme: mews-customer}}
settings:
  enterprises: [{ENTERPRISE}]
  api: {api}
{more}"""


MAPPING = mapping()


def reservation(state: str = "Processed", **changes: Any) -> dict[str, Any]:
    """A stay of two nights, by the hotel's clock."""
    return {
        "Id": "R1",
        "ServiceId": "S1",
        "AccountId": "C1",
        "AccountType": "Customer",
        "Number": "52",
        "State": state,
        "UpdatedUtc": "2026-03-25T13:00:00Z",
        "ScheduledStartUtc": "2026-03-23T06:00:00Z",
        "ActualStartUtc": "2026-03-22T16:30:00Z",
        "ScheduledEndUtc": "2026-03-25T04:00:00Z",
        "ActualEndUtc": "2026-03-25T02:00:00Z",
        **changes,
    }


def item(number: str, net: float, gross: float, kind: str = "SpaceOrder", **changes: Any) -> Any:
    """An order item."""
    return {
        "Id": number,
        "EnterpriseId": ENTERPRISE,
        "AccountId": "C1",
        "AccountType": "Customer",
        "ServiceOrderId": "R1",
        "AccountingCategoryId": f"cat-{kind}",
        "Amount": {"Currency": "EUR", "NetValue": net, "GrossValue": gross},
        "RevenueType": "Service",
        "UpdatedUtc": "2026-03-25T13:00:00Z",
        "CanceledUtc": None,
        "AccountingState": "Closed",
        "Type": kind,
        **changes,
    }


def membership(**changes: Any) -> dict[str, Any]:
    return {
        "Id": "M1",
        "AccountId": "C1",
        "LoyaltyProgramId": PROGRAMME,
        "State": "Enrolled",
        "IsPrimary": True,
        "ProviderMembershipId": "8800",
        "MembershipNumber": "MBR-1",
        "Points": 22,
        **changes,
    }


def webhook(*each: tuple[str, str], enterprise: str = ENTERPRISE) -> dict[str, Any]:
    events = [{"Discriminator": kind, "Value": {"Id": number}} for kind, number in each]
    return {"EnterpriseId": enterprise, "IntegrationId": "I", "Events": events}


def body(told: Any) -> bytes:
    return json.dumps(told).encode()


class MewsApi:
    """Lists by ids or by time of change, two on a page."""

    FILTERS = (
        ("ReservationIds", "Id"),
        ("ServiceOrderIds", "ServiceOrderId"),
        ("CustomerIds", "Id"),
        ("AccountIds", "AccountId"),
        ("LoyaltyMembershipIds", "Id"),
        ("LoyaltyProgramIds", "LoyaltyProgramId"),
    )

    def __init__(self) -> None:
        self.lists: dict[str, list[dict[str, Any]]] = {
            "reservations": [],
            "orderItems": [],
            "outletItems": [],
            "customers": [],
            "loyaltyMemberships": [],
        }
        self.updates: list[dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []
        self.answers: list[Any] = []
        """What the next lists are answered with instead of what there is."""
        self.faults: list[Response] = []
        """What the next updates are answered instead of being done."""

    @property
    def app(self) -> Starlette:
        """The application."""
        at = "/api/connector/v1"
        return Starlette(
            routes=[
                Route(f"{at}/{{name}}/getAll", self._all, methods=["POST"]),
                Route(f"{at}/{{name}}/getAll/2023-06-06", self._all, methods=["POST"]),
                Route(f"{at}/loyaltyMemberships/update", self._update, methods=["POST"]),
            ]
        )

    async def _told(self, request: Request) -> dict[str, Any] | None:
        told = await request.json()
        if (told.get("ClientToken"), told.get("AccessToken")) != ("C", "A"):
            return None
        assert told["Client"]
        return dict(told)

    async def _all(self, request: Request) -> Response:
        told = await self._told(request)
        if told is None:
            return JSONResponse({"Message": "Invalid token"}, 401)
        self.asked.append(told)
        if self.answers:
            return JSONResponse(self.answers.pop(0))
        name = request.path_params["name"]
        found = list(self.lists[name])
        for wanted, field in self.FILTERS:
            if wanted in told:
                found = [each for each in found if each[field] in told[wanted]]
        if "UpdatedUtc" in told:
            window = told["UpdatedUtc"]
            found = [
                each
                for each in found
                if window["StartUtc"] <= each.get("UpdatedUtc", window["StartUtc"])
            ]
        limit = told["Limitation"]
        begin = int(limit.get("Cursor", 0))
        page = found[begin : begin + limit["Count"]]
        answer: dict[str, Any] = {f"{name[0].upper()}{name[1:]}": page}
        if len(found) > begin + limit["Count"]:
            answer["Cursor"] = str(begin + limit["Count"])
        return JSONResponse(answer)

    async def _update(self, request: Request) -> Response:
        told = await self._told(request)
        if told is None:
            return JSONResponse({"Message": "Invalid token"}, 401)
        if self.faults:
            return self.faults.pop(0)
        self.updates += told["LoyaltyMembershipUpdates"]
        kept = {each["Id"]: each for each in self.lists["loyaltyMemberships"]}
        for update in told["LoyaltyMembershipUpdates"]:
            found = kept.get(update["LoyaltyMembershipId"])
            if found is None:
                return JSONResponse({"Message": "Invalid LoyaltyMembershipId"}, 400)
            values = {name: value for name, value in update.items() if isinstance(value, dict)}
            found |= {name: value["Value"] for name, value in values.items()}
        return JSONResponse({"LoyaltyMemberships": list(kept.values())})

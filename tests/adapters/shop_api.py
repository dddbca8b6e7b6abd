"""A fake of Shopify's Admin API, written from its documentation: orders and transactions."""

from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

TOKEN = "shpat_1"


class ShopApi:
    """Orders by `updated_at`, at most 250 at a time, and the transactions of an order."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.orders: list[dict[str, Any]] = []
        self.transactions: dict[int, list[dict[str, Any]]] = {}
        self.answers: list[Response] = []
        """Given first, one for each call: trouble of the shop's."""

    @property
    def app(self) -> Starlette:
        """The application."""
        at = "/admin/api/{version}"
        return Starlette(
            routes=[
                Route(f"{at}/orders.json", self._orders),
                Route(f"{at}/orders/{{order:int}}/transactions.json", self._transactions),
            ]
        )

    def _refuses(self, request: Request) -> Response | None:
        if self.answers:
            return self.answers.pop(0)
        if request.headers.get("x-shopify-access-token") != TOKEN:
            return JSONResponse({"errors": "[API] Invalid API key or access token"}, 401)
        return None

    async def _orders(self, request: Request) -> Response:
        if (refusal := self._refuses(request)) is not None:
            return refusal
        query = request.query_params
        assert (query["status"], query["order"]) == ("any", "updated_at asc")
        wanted = sorted(
            (each for each in self.orders if each["updated_at"] >= query["updated_at_min"]),
            key=lambda each: str(each["updated_at"]),
        )
        return JSONResponse({"orders": wanted[: min(int(query["limit"]), 250)]})

    async def _transactions(self, request: Request) -> Response:
        if (refusal := self._refuses(request)) is not None:
            return refusal
        found = self.transactions.get(request.path_params["order"])
        if found is None:
            return JSONResponse({"errors": "Not Found"}, 404)
        return JSONResponse({"transactions": found})

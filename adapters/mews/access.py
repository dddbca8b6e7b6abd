"""Mews's Connector API: every operation is a POST of JSON, page by page."""

from collections.abc import Mapping
from typing import Any, Final

from adapters.frame.adapter import Api, Connection
from adapters.frame.words import Unreadable
from adapters.mews.shapes import Settings

PAGE: Final = 100
PAGES_MAX: Final = 50
RESERVATIONS: Final = "reservations/getAll/2023-06-06"


class Mews:
    """The calls of one connection."""

    def __init__(self, connection: Connection, api: Api) -> None:
        """Call through `api` with the connection's tokens."""
        self._connection = connection
        self._api = api

    async def ask(self, operation: str, request: Mapping[str, Any]) -> Any:
        """Call an operation. Raises RetryLater, Unreadable."""
        settings: Settings = self._connection.mapping.settings
        login = {
            "ClientToken": self._connection.secret("client_token"),
            "AccessToken": self._connection.secret("access_token"),
            "Client": settings.client,
        }
        url = f"{settings.api}/api/connector/v1/{operation}"
        return await self._api.json("POST", url, json=login | dict(request))

    async def page(self, operation: str, request: Mapping[str, Any], cursor: str) -> Any:
        """Return one page; an answer without `Cursor` is the last."""
        limit: dict[str, Any] = {"Count": PAGE} | ({"Cursor": cursor} if cursor else {})
        return await self.ask(operation, {**request, "Limitation": limit}) or {}

    async def all(self, operation: str, name: str, request: Mapping[str, Any]) -> list[Any]:
        """Return all of a list, over its pages."""
        found: list[Any] = []
        cursor = ""
        for _ in range(PAGES_MAX):
            answer = await self.page(operation, request, cursor)
            page = answer.get(name) or []
            found += page
            cursor = answer.get("Cursor") or ""
            if not cursor or len(page) < PAGE:
                return found
        raise Unreadable(f"more than {PAGE * PAGES_MAX} {name} of one stay")

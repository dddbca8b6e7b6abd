"""Logins by client credentials (RFC 6749, 4.4): a token is used until shortly before its end."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from adapters.frame import moments
from adapters.frame.adapter import Api
from adapters.frame.moments import SECOND
from adapters.frame.words import RetryLater

SPARE_SECONDS: Final = 60
"""How long before its end a token is not used any more."""
SHORTEST_SECONDS: Final = 30


@dataclass(slots=True)
class _Held:
    token: str = ""
    until: int = 0
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)


class Logins:
    """Tokens of the connections of one adapter, by address and client."""

    def __init__(self) -> None:
        """Begin with none."""
        self._held: dict[tuple[str, str], _Held] = {}

    async def bearer(
        self,
        api: Api,
        url: str,
        client_id: str,
        client_secret: str,
        *,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> str:
        """Return a token for a client, a new one when there is none. Raises RetryLater."""
        held = self._held.setdefault((url, client_id), _Held())
        async with held.asking:
            if held.until > moments.now():
                return held.token
            answer = await api.json(
                "POST",
                url,
                auth=(client_id, client_secret),
                headers=dict(headers or {}),
                data={"grant_type": "client_credentials", **(form or {})},
            )
            held.token = _token_of(answer)
            seconds = max(_seconds_of(answer) - SPARE_SECONDS, SHORTEST_SECONDS)
            held.until = moments.now() + seconds * SECOND
            return held.token

    def forget(self, url: str, client_id: str) -> None:
        """Ask anew next time: the vendor refused the token before its end."""
        self._held.pop((url, client_id), None)


def _token_of(answer: Any) -> str:
    token = answer.get("access_token") if isinstance(answer, dict) else None
    if not (isinstance(token, str) and token):
        raise RetryLater("the vendor gave no access_token")
    return token


def _seconds_of(answer: Any) -> int:
    seconds = answer.get("expires_in")
    return seconds if isinstance(seconds, int) and not isinstance(seconds, bool) else 0

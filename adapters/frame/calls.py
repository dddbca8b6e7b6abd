"""HTTP calls to vendors: time limits, size limits, and what may pass by itself told apart."""

from typing import Any, Final
from urllib.parse import quote

import httpx

from adapters.frame.reading import json_of
from adapters.frame.words import RetryLater, Unreadable

ANSWER_BYTES_MAX: Final = 16 * 1024 * 1024
PATIENCE_SECONDS_MAX: Final = 3600
LIMITS: Final = httpx.Timeout(15.0, connect=5.0)
_NOTHING: Final = (204, 404, 410)
"""There is none, or none any more. Some vendors answer 204 where others answer an empty list."""
_LATER: Final = (408, 425, 429)


def segment(number: str) -> str:
    """Return what a sender named as one step of an address, which leads nowhere else.

    Raises:
        Unreadable: it is a step upwards, or none.
    """
    if number in ("", ".", ".."):
        raise Unreadable(f"the number {number!r} is none that can be asked for")
    return quote(number, safe="")


def expect_same(what: str, asked: str, told: str) -> None:
    """Do nothing if an answer is about what was asked for. Raises Unreadable."""
    if asked != told:
        raise Unreadable(f"{what} {asked[:40]!r} was asked for, {told[:40]!r} was told")


def client() -> httpx.AsyncClient:
    """Return a client for the calls of one process; the caller closes it."""
    return httpx.AsyncClient(timeout=LIMITS, follow_redirects=False)


async def answer_of(called: httpx.AsyncClient, method: str, url: str, **request: Any) -> Any:
    """Call and return the answer's JSON; None when there is no such thing.

    Raises:
        RetryLater: no answer, a fault of the vendor's, or the vendor asks for patience; also a
            refused login, which an operator has to mend meanwhile.
        Unreadable: the answer is no JSON, too large, or says that the call itself is wrong.
    """
    try:
        async with called.stream(method, url, **request) as response:
            body = await _body(response)
    except httpx.HTTPError as error:
        # The message may hold the address with a token in it: the type is enough.
        raise RetryLater(f"{httpx.URL(url).host} does not answer: {type(error).__name__}") from None
    host = response.url.host
    status = response.status_code
    if status in _NOTHING:
        return None
    if status in _LATER or status >= 500:
        raise RetryLater(f"{host} answers {status}", seconds=patience(response))
    if status in (401, 403):
        raise RetryLater(f"{host} refuses the login ({status})", seconds=PATIENCE_SECONDS_MAX // 6)
    if status >= 300:
        raise Unreadable(f"{host} answers {status} to {method}")
    return json_of(body)


async def _body(response: httpx.Response) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.aiter_bytes():
        size += len(chunk)
        if size > ANSWER_BYTES_MAX:
            raise Unreadable(f"an answer of more than {ANSWER_BYTES_MAX} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


def patience(response: httpx.Response) -> int:
    """Return for how many seconds an answer asks to be left alone; 0: it does not say."""
    stated = response.headers.get("retry-after", "").partition(".")[0]
    return min(int(stated), PATIENCE_SECONDS_MAX) if stated.isdecimal() and len(stated) < 10 else 0

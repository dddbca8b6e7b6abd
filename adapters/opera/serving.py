"""What OPERA Cloud calls: its outbound interface, served under /systems/<connection>/.

Whoever calls shows who it is; every answer comes within seconds, for a guest waits for it.
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from adapters.frame import moments, signatures
from adapters.frame.adapter import Connection
from adapters.frame.moments import SECOND
from adapters.frame.posting import Ledger, Refused
from adapters.frame.reading import dumped, json_of
from adapters.frame.words import Parked, RetryLater, Unreadable, shown
from adapters.opera import awards, memberships, redemptions
from adapters.opera.calling import KEY_LENGTH, Call, Declined, Vendor, answer, problem

log = structlog.get_logger(__name__)

BODY_MAX: Final = 256 * 1024
TOKEN_SECONDS: Final = 3600
Work = Callable[[Vendor, Call], Awaitable[Response]]

_CRM: Final = "/crm/v1/externalSystems/{system}"
_COMP: Final = "/csh/v1/hotels/{hotel}/memberships/{membership}/compRedemption"
OPERATIONS: Final[Sequence[tuple[str, str, Work]]] = (
    ("GET", f"{_CRM}/chains/{{chain}}/validateMembershipNumber", memberships.validated),
    ("GET", f"{_CRM}/profiles/{{profile}}/memberships", memberships.told),
    ("POST", f"{_CRM}/memberships/{{type}}/membershipIDs", memberships.numbered),
    ("POST", f"{_CRM}/chains/{{chain}}/enrollments", memberships.enrolled),
    ("PUT", f"{_CRM}/profiles/{{profile}}/profileAwards", awards.redeemed),
    ("GET", f"{_COMP}s", redemptions.listed),
    ("PUT", f"{_COMP}Authorizations", redemptions.authorised),
    ("POST", f"{_COMP}Postings", redemptions.posted),
    ("POST", f"{_COMP}Reversals", redemptions.reversed_),
)


def routes_of(connection: Connection, ledger: Ledger) -> Sequence[BaseRoute]:
    """Return the routes of a connection."""
    vendor = Vendor(connection, ledger)
    routes = [
        Route(path, _endpoint(vendor, work), methods=[method]) for method, path, work in OPERATIONS
    ]
    if vendor.settings.vendor_login == "oauth":

        async def token(request: Request) -> Response:
            return await _token(connection, request)

        routes.append(Route("/oauth/v1/tokens", token, methods=["POST"]))
    return routes


def _endpoint(vendor: Vendor, work: Work) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        if not _is_opera(vendor, request.headers.get("authorization", "")):
            log.warning("vendor_call_refused", connection=vendor.connection.name)
            return problem(Refused("UNAUTHENTICATED", "the login is missing or wrong"), 401)
        try:
            async with asyncio.timeout(vendor.settings.vendor_seconds):
                return await work(vendor, await _call(request))
        except Declined as error:
            return problem(error.refused, error.status)
        except (Unreadable, Parked) as error:
            return problem(Refused("MALFORMED", shown(error)), 400)
        except (RetryLater, TimeoutError):
            return problem(Refused("NOT_SERVING", "the ledger does not answer; ask again"), 503)
        except Exception:
            log.exception("vendor_call_failed", connection=vendor.connection.name)
            return problem(Refused("INTERNAL", "a fault of ours; it was logged"), 500)

    return endpoint


async def _call(request: Request) -> Call:
    body: Any = {}
    if request.method != "GET":
        body = json_of(await _body(request))
        if not isinstance(body, dict):
            raise Unreadable("the body is no JSON object")
    headers = request.headers
    key = headers.get("x-request-id") or headers.get("x-transactionid") or ""
    if len(key) > KEY_LENGTH:
        raise Unreadable(f"x-request-id has more than {KEY_LENGTH} characters")
    return Call(dict(request.path_params), dict(request.query_params), _plain(body), key)


def _plain(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Numbers with decimals as texts, so that what is echoed is what came."""
    made: Mapping[str, Any] = json_of(dumped(body))
    return made


async def _body(request: Request) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > BODY_MAX:
            raise Declined(Refused("MALFORMED", f"a body of more than {BODY_MAX} bytes"), 413)
        chunks.append(chunk)
    return b"".join(chunks)


def _is_opera(vendor: Vendor, given: str) -> bool:
    """Whether the caller is OPERA, by the way of the connection. No secret set: nobody is."""
    kind, _, value = given.partition(" ")
    connection = vendor.connection
    match vendor.settings.vendor_login:
        case "basic":
            return kind.casefold() == "basic" and signatures.same(
                connection.keys("vendor_password"), _decoded(value)
            )
        case "token":
            return kind.casefold() == "bearer" and signatures.same(
                connection.keys("vendor_token"), value.strip()
            )
        case _:
            return kind.casefold() == "bearer" and _is_ours(connection, value.strip())


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return ""


async def _token(connection: Connection, request: Request) -> Response:
    """Give OPERA a token for its client credentials: in the header, or in the form."""
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    given = _decoded(value) if kind.casefold() == "basic" else ""
    if not given:
        try:
            form = dict(_pairs(await _body(request)))
        except (Declined, ValueError):
            form = {}
        given = f"{form.get('client_id', '')}:{form.get('client_secret', '')}"
    if not signatures.same(connection.keys("vendor_client"), given):
        return answer({"error": "invalid_client"}, 401)
    until = moments.now() // SECOND + TOKEN_SECONDS
    signed = _signed(connection.secret("vendor_client"), until)
    return answer(
        {"access_token": signed, "token_type": "Bearer", "expires_in": TOKEN_SECONDS}, 200
    )


def _pairs(body: bytes) -> Sequence[tuple[str, str]]:
    return parse_qsl(body.decode())


def _signed(key: str, until: int) -> str:
    digest = hmac.digest(key.encode(), f"token {until}".encode(), hashlib.sha256)
    return f"{until}.{digest.hex()}"


def _is_ours(connection: Connection, token: str) -> bool:
    """Whether we gave out a token, under a client that is still live, and it has not ended."""
    text, _, digest = token.partition(".")
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        return False
    if int(text) < moments.now() // SECOND:
        return False
    return signatures.hmac_hex(connection.keys("vendor_client"), f"token {text}".encode(), digest)

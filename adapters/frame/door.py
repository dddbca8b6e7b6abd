"""The door: webhooks over HTTP. Verified, made durable, acknowledged; nothing else happens here.

`POST /hooks/<connection>`, with anything behind it that the sender needs, such as a secret path.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from time import perf_counter
from typing import Any, Final
from urllib.parse import parse_qsl

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from adapters.frame import moments
from adapters.frame.adapter import NO_DELIVERY, Connection
from adapters.frame.inbox import Inbox
from adapters.frame.metrics import Metrics
from adapters.frame.words import Delivery, Outcome, Reply, Unreadable, Verdict

log = structlog.get_logger(__name__)

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Scope = MutableMapping[str, Any]

BODY_SECONDS: Final = 10.0
"""How long a sender may take to send its body."""
HOOKS: Final = "/hooks/"
_REFUSED: Final = {
    Verdict.GREETING: Outcome.GREETING,
    Verdict.FORGED: Outcome.FORGED,
    Verdict.STALE: Outcome.STALE,
}


class TooLarge(Exception):
    """A body of more bytes than the system sends."""


class Gone(Exception):
    """The sender hung up in the middle of the body, or took too long."""


class Door:
    """The ASGI application for webhooks."""

    def __init__(
        self, connections: Mapping[str, Connection], inbox: Inbox, metrics: Metrics
    ) -> None:
        """Let in what comes for `connections`."""
        self._connections = connections
        self._inbox = inbox
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request below /hooks/."""
        path = str(scope["path"]).removeprefix(HOOKS)
        name, _, rest = path.partition("/")
        connection = self._connections.get(name)
        if connection is None:
            await _answer(send, Reply(404, b"there is no such connection\n"))
            return
        if scope["method"] != "POST":
            await _answer(send, Reply(405, b"send it with POST\n"))
            return
        began = perf_counter()
        try:
            outcome, why, delivery = await self._take(connection, rest, scope, receive)
        except Gone:
            self._metrics.received.labels(name, "gone").inc()
            return
        self._metrics.received.labels(name, outcome).inc()
        if outcome is Outcome.ACCEPTED:
            self._metrics.last.labels(name).set_to_current_time()
        self._metrics.acknowledging.observe(perf_counter() - began)
        if why:
            log.warning("delivery_refused", connection=name, outcome=outcome, why=why)
        await _answer(send, connection.adapter.reply(outcome, delivery))

    async def _take(
        self, connection: Connection, rest: str, scope: Scope, receive: Receive
    ) -> tuple[Outcome, str, Delivery]:
        """What becomes of a request, why where that is to be logged, and what it was."""
        adapter = connection.adapter
        headers = _headers(scope)
        try:
            body = await _body(headers, receive, adapter.body_max)
        except TooLarge:
            return Outcome.TOO_LARGE, f"more than {adapter.body_max} bytes", NO_DELIVERY
        query = dict(parse_qsl(scope.get("query_string", b"").decode("latin-1")))
        delivery = Delivery(body, headers, query, rest, moments.now())
        try:
            verdict = adapter.verify(delivery, connection)
        except Unreadable as error:
            return Outcome.UNREADABLE, str(error), delivery
        except Exception as error:
            log.exception("verifying_failed", connection=connection.name)
            return Outcome.FORGED, type(error).__name__, delivery
        if verdict is not Verdict.GENUINE:
            why = "" if verdict is Verdict.GREETING else f"{len(body)} bytes"
            return _REFUSED[verdict], why, delivery
        return *await self._keep(connection, delivery), delivery

    async def _keep(self, connection: Connection, delivery: Delivery) -> tuple[Outcome, str]:
        adapter = connection.adapter
        try:
            event_id = adapter.event_id(delivery)
            kept = adapter.redacted(delivery)
        except Unreadable as error:
            return Outcome.UNREADABLE, str(error)
        names = adapter.kept_headers
        headers = {name: kept.headers[name] for name in names if name in kept.headers}
        bare = Delivery(kept.body, headers, received_at=kept.received_at)
        try:
            outcome = await self._inbox.keep(connection.name, event_id, bare)
        except Exception as error:
            return Outcome.BUSY, str(error) or type(error).__name__
        why = "its id came before with another body" if outcome is Outcome.ID_REUSED else ""
        return outcome, why


def _headers(scope: Scope) -> dict[str, str]:
    return {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
    }


async def _body(headers: Mapping[str, str], receive: Receive, most: int) -> bytes:
    """Read the body. Raises TooLarge, before reading it where its length is told; Gone."""
    stated = headers.get("content-length", "0")
    if not stated.isdecimal() or int(stated) > most:
        raise TooLarge
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Gone
                chunk = message.get("body", b"")
                size += len(chunk)
                if size > most:
                    raise TooLarge
                chunks.append(chunk)
                if not message.get("more_body"):
                    break
    except TimeoutError:
        raise Gone from None
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def _answer(send: Send, reply: Reply) -> None:
    headers = [
        (b"content-length", str(len(reply.body)).encode()),
        (b"content-type", reply.media_type.encode()),
    ]
    if reply.status == 413:
        # The rest of the body is not read.
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


class Application:
    """The whole ASGI application: the door, what vendors may call, and the probes.

    What comes to the door does not pass through Starlette: it needs nothing of it, and there may be
    thousands in a second.
    """

    def __init__(
        self,
        door: Door | None,
        systems: Mapping[str, list[BaseRoute]],
        ready: Callable[[], Awaitable[bool]],
    ) -> None:
        """Answer for a door (None: it is in another process) and for routes of connections."""
        self._door = door
        self._ready = ready
        routes: list[BaseRoute] = [
            Route("/health/live", self._is_live),
            Route("/health/ready", self._is_ready),
        ]
        routes += [Mount(f"/systems/{name}", routes=own) for name, own in systems.items() if own]
        self._others = Starlette(routes=routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if self._door is not None and scope["type"] == "http" and _is_hook(scope):
            await self._door(scope, receive, send)
        else:
            await self._others(scope, receive, send)

    async def _is_live(self, _request: Request) -> Response:
        return Response("alive\n")

    async def _is_ready(self, _request: Request) -> Response:
        serving = await self._ready()
        return JSONResponse({"serving": serving}, status_code=200 if serving else 503)


def _is_hook(scope: Scope) -> bool:
    return str(scope["path"]).startswith(HOOKS)

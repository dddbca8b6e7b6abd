"""The gateway: a route's JSON in, one gRPC call, JSON out. An ASGI application.

A refusal comes as google.rpc.Status in JSON, whether the service refused or the gateway.
Under /check it reads the same requests and calls nobody: for Envoy, which drops an unknown field in
silence and therefore asks here before it transcodes.
"""

from difflib import get_close_matches
from http import HTTPStatus
from typing import Any, Final

import grpc
import structlog
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ledger.core.refusals import Malformed
from server.gateway import answers
from server.gateway.reading import BODY, QUERY, read_body, read_query
from server.gateway.routes import Route, routes
from server.status import status_of

BODY_BYTES_MAX: Final = 4 * 1024 * 1024
"""As much as a request may have over gRPC."""
CHECK: Final = "/check"
"""Before the path of a route: only read the request; 200 with nothing when it is one."""
LIVE: Final = "/health/live"
READY: Final = "/health/ready"
"""The probes; ready while the service behind says that it serves."""
HEALTH_SECONDS: Final = 3.0
PATH_SHOWN: Final = 100
JSON_TYPES: Final = ("", "application/json")

_Code = grpc.StatusCode
log = structlog.get_logger(__name__)


class _RefusedError(Exception):
    """The gateway itself refuses."""

    def __init__(self, status: Status, http: HTTPStatus, **headers: str) -> None:
        super().__init__(status.message)
        self.status = status
        self.http = http
        self.headers = headers


class Gateway:
    """Answers every route of the contract by a call over one channel."""

    def __init__(self, channel: grpc.aio.Channel, *, timeout_seconds: float) -> None:
        """Call over `channel`, and wait so long for each answer."""
        self._timeout = timeout_seconds
        self._routes = routes()
        self._calls: dict[str, Any] = {
            path: channel.unary_unary(
                route.method,
                request_serializer=route.request.SerializeToString,
                response_deserializer=route.response.FromString,
            )
            for path, route in self._routes.items()
        }
        self._check: Any = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=HealthCheckRequest.SerializeToString,
            response_deserializer=HealthCheckResponse.FromString,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        request = Request(scope, receive)
        try:
            response = await self._response(request)
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _response(self, request: Request) -> Response:
        path = request.url.path
        if path == LIVE:
            return Response("alive\n", media_type="text/plain")
        if path == READY:
            return await self._ready()
        try:
            route = self._route(request.method, path.removeprefix(CHECK))
            message = await _read(route, request)
            if path.startswith(CHECK):
                return Response()
            return answers.answer(await self._call(route, message, request))
        except grpc.aio.AioRpcError as error:
            # The service has logged it, or cannot be reached, which the caller is told.
            return answers.refusal(answers.status_of_call(error))
        except _RefusedError as error:
            response = answers.refusal(error.status, error.http)
            response.headers.update(error.headers)
        except Malformed as error:
            response = answers.refusal(status_of(error))
        log.info("refused", path=path, http=int(response.status_code))
        return response

    def _route(self, verb: str, path: str) -> Route:
        route = self._routes.get(path)
        if route is None:
            near = get_close_matches(path, self._routes, n=1)
            message = f"there is no {path[:PATH_SHOWN]}" + (
                f"; did you mean {near[0]}?" if near else ""
            )
            status = answers.status(_Code.NOT_FOUND, "NO_SUCH_ROUTE", message)
            raise _RefusedError(status, HTTPStatus.NOT_FOUND)
        if route.verb != verb:
            message = f"{path} is called with {route.verb}, not with {verb}"
            status = answers.status(_Code.UNIMPLEMENTED, "WRONG_VERB", message)
            raise _RefusedError(status, HTTPStatus.METHOD_NOT_ALLOWED, allow=route.verb)
        return route

    async def _call(self, route: Route, message: Message, request: Request) -> Message:
        authorization = request.headers.get("authorization", "")
        # gRPC carries no other characters; a token has none, so it is the service that refuses.
        known = authorization.isascii() and authorization.isprintable()
        metadata = (("authorization", authorization),) if known else ()
        call = self._calls[route.path]
        response: Message = await call(message, metadata=metadata, timeout=self._timeout)
        return response

    async def _ready(self) -> Response:
        """200 while the service behind says that it serves, else 503."""
        try:
            found = await self._check(HealthCheckRequest(), timeout=HEALTH_SECONDS)
            serves = found.status == HealthCheckResponse.SERVING
        except grpc.aio.AioRpcError:
            serves = False
        if serves:
            return Response("serving\n", media_type="text/plain")
        return Response("not serving\n", HTTPStatus.SERVICE_UNAVAILABLE, media_type="text/plain")


async def _read(route: Route, request: Request) -> Message:
    """The request that the query of a GET or the body of a POST states.

    Raises:
        Malformed, _RefusedError: it states none. What stands in the other place would be lost, so
            that has to be empty.
    """
    query: bytes = request.scope["query_string"]
    body = await _body(request)
    if route.verb == "GET":
        if body:
            raise Malformed(field=BODY, value=f"{len(body)} bytes", expected="nothing with a GET")
        return read_query(route.request, query)
    if query:
        value = query.decode(errors="replace")
        raise Malformed(field=QUERY, value=value, expected="nothing with a POST")
    _require_json(request)
    return read_body(route.request, body)


def _require_json(request: Request) -> None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    coding = request.headers.get("content-encoding", "identity")
    if kind not in JSON_TYPES or coding != "identity":
        message = f"the body is {kind} ({coding}), expected application/json (identity)"
        status = answers.status(_Code.INVALID_ARGUMENT, "NOT_JSON", message)
        raise _RefusedError(status, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            message = f"the body has more than {BODY_BYTES_MAX:,} bytes; send smaller batches"
            status = answers.status(_Code.RESOURCE_EXHAUSTED, "TOO_LARGE", message)
            raise _RefusedError(status, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return bytes(body)

"""What an HTTP caller is answered: a message or a google.rpc.Status in JSON, with HTTP's code."""

from http import HTTPStatus
from typing import Final

import grpc
from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from starlette.responses import Response

from server.status import DETAILS_KEY, DOMAIN, code_of

_Code = grpc.StatusCode
HTTP: Final[dict[grpc.StatusCode, int]] = {
    _Code.CANCELLED: 499,
    _Code.UNKNOWN: HTTPStatus.INTERNAL_SERVER_ERROR,
    _Code.INVALID_ARGUMENT: HTTPStatus.BAD_REQUEST,
    _Code.DEADLINE_EXCEEDED: HTTPStatus.GATEWAY_TIMEOUT,
    _Code.NOT_FOUND: HTTPStatus.NOT_FOUND,
    _Code.ALREADY_EXISTS: HTTPStatus.CONFLICT,
    _Code.PERMISSION_DENIED: HTTPStatus.FORBIDDEN,
    _Code.RESOURCE_EXHAUSTED: HTTPStatus.TOO_MANY_REQUESTS,
    _Code.FAILED_PRECONDITION: HTTPStatus.BAD_REQUEST,
    _Code.ABORTED: HTTPStatus.CONFLICT,
    _Code.OUT_OF_RANGE: HTTPStatus.BAD_REQUEST,
    _Code.UNIMPLEMENTED: HTTPStatus.NOT_IMPLEMENTED,
    _Code.INTERNAL: HTTPStatus.INTERNAL_SERVER_ERROR,
    _Code.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    _Code.DATA_LOSS: HTTPStatus.INTERNAL_SERVER_ERROR,
    _Code.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
}
"""HTTP's code for each of gRPC's, as google/rpc/code.proto pairs them."""


def answer(message: Message) -> Response:
    """What the service answered. Empty fields are written, so that a balance of 0 can be seen."""
    return _json(message, HTTPStatus.OK)


def refusal(status: Status, http: int | None = None) -> Response:
    """A refusal; `http` where it is HTTP's own and gRPC has no such code."""
    http = http or HTTP[code_of(status.code)]
    response = _json(status, http)
    if http in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        response.headers["retry-after"] = "1"
    if http == HTTPStatus.UNAUTHORIZED:
        response.headers["www-authenticate"] = "Bearer"
    return response


def status_of_call(error: grpc.aio.AioRpcError) -> Status:
    """The Status that came with a failed call, or one that says what gRPC said."""
    for key, value in error.trailing_metadata() or ():
        if key == DETAILS_KEY and isinstance(value, bytes):
            return Status.FromString(value)
    return status(error.code(), error.code().name, error.details() or "no answer")


def status(code: grpc.StatusCode, reason: str, message: str) -> Status:
    """A Status with nothing but a reason and a sentence."""
    number: int = code.value[0]
    made = Status(code=number, message=message)
    made.details.add().Pack(ErrorInfo(reason=reason, domain=DOMAIN))
    return made


def _json(message: Message, http: int) -> Response:
    text = MessageToJson(
        message,
        preserving_proto_field_name=True,
        always_print_fields_with_no_presence=True,
        ensure_ascii=False,
        indent=None,
    )
    return Response(text, status_code=http, media_type="application/json")

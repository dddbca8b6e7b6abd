"""The HTTP routes of the contract, as its .proto files annotate them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from google.api import annotations_pb2, http_pb2
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from loyalty.v1 import (
    account_service_pb2,
    audit_service_pb2,
    ledger_service_pb2,
    member_service_pb2,
    programme_service_pb2,
)

FILES: Final = (
    account_service_pb2,
    audit_service_pb2,
    ledger_service_pb2,
    member_service_pb2,
    programme_service_pb2,
)
"""Files with services. A call that is a stream has no route."""


@dataclass(frozen=True, slots=True)
class Route:
    """One call of the contract over HTTP."""

    verb: str
    """GET with its request in the query, or POST with its request as the body."""
    path: str
    method: str
    """The call as gRPC addresses it: "/loyalty.v1.LedgerService/PostDocument"."""
    request: type[Message]
    response: type[Message]


def unary_methods() -> Iterator[MethodDescriptor]:
    """The calls that answer one request with one response."""
    for file in FILES:
        for service in file.DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                if not (method.client_streaming or method.server_streaming):
                    yield method


def http_rule(method: MethodDescriptor) -> http_pb2.HttpRule:
    """The option `google.api.http` of a call; empty when it has none."""
    options: Any = method.GetOptions()
    rule: http_pb2.HttpRule = options.Extensions[annotations_pb2.http]
    return rule


def routes() -> dict[str, Route]:
    """All routes by path. No two calls share one, whatever the verb."""
    return {route.path: route for route in map(_route, unary_methods())}


def _route(method: MethodDescriptor) -> Route:
    rule = http_rule(method)
    service = method.containing_service
    return Route(
        verb="GET" if rule.get else "POST",
        path=rule.get or rule.post,
        method=f"/{service.full_name}/{method.name}",
        request=GetMessageClass(method.input_type),
        response=GetMessageClass(method.output_type),
    )

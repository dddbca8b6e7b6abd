"""Every call of the contract has one HTTP route, and all routes follow one pattern."""

import importlib
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.api import annotations_pb2, http_pb2
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.timestamp_pb2 import Timestamp

import loyalty.v1

SERVICES = sorted(Path(loyalty.v1.__file__).parent.glob("*_service_pb2.py"))
# A collection, and what is done with it.
PATH = re.compile(r"/v1/[a-z]+(:[a-z][A-Za-z]*)?")
MENDING = "write the option in the .proto file as its neighbours have it, then run `make gen`"


def unary_methods() -> Iterator[MethodDescriptor]:
    """The methods of all services that answer one request with one response."""
    for path in SERVICES:
        file = importlib.import_module(f"loyalty.v1.{path.stem}").DESCRIPTOR
        for service in file.services_by_name.values():
            for method in service.methods:
                if not (method.client_streaming or method.server_streaming):
                    yield method


METHODS = list(unary_methods())


def rule(method: MethodDescriptor) -> http_pb2.HttpRule:
    """The method's route as it was annotated."""
    options: Any = method.GetOptions()
    http: http_pb2.HttpRule = options.Extensions[annotations_pb2.http]
    return http


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_a_unary_call_has_a_route_of_the_common_pattern(method: MethodDescriptor) -> None:
    http = rule(method)
    kind = http.WhichOneof("pattern")
    example = f'option (google.api.http) = {{post: "/v1/collection:verb" body: "*"}} ({MENDING})'
    assert kind in ("get", "post"), f"{method.full_name} has no route: {example}"
    path = getattr(http, kind)
    assert PATH.fullmatch(path), f"{method.full_name}: {path} is not /v1/collection:verb"
    assert http.body == ("*" if kind == "post" else ""), f"{method.full_name}: {example}"
    assert not http.additional_bindings, f"{method.full_name} has more than one route"
    assert not http.response_body, f"{method.full_name}: the response is the whole answer"


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_a_get_asks_with_single_values_only(method: MethodDescriptor) -> None:
    # A member may be named by a telephone number, which belongs in no address that proxies log.
    if rule(method).WhichOneof("pattern") != "get":
        return
    nested = [
        field.name
        for field in method.input_type.fields
        if field.message_type not in (None, Timestamp.DESCRIPTOR)
    ]
    assert not nested, f"{method.full_name} is a GET with {nested}: make it a POST with body"


def test_no_two_calls_share_a_route() -> None:
    routes = Counter(
        (http.WhichOneof("pattern"), http.get or http.post) for http in map(rule, METHODS)
    )
    assert not [route for route, times in routes.items() if times > 1]

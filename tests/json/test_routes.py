"""Every call of the contract has one HTTP route, and all routes follow one pattern."""

import importlib
import re
from collections import Counter
from pathlib import Path

import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.timestamp_pb2 import Timestamp

import loyalty.v1
from server.gateway.routes import FILES, http_rule, unary_methods

SERVICES = sorted(Path(loyalty.v1.__file__).parent.glob("*_service_pb2.py"))
# A collection, and what is done with it.
PATH = re.compile(r"/v1/[a-z]+(:[a-z][A-Za-z]*)?")
MENDING = "write the option in the .proto file as its neighbours have it, then run `make gen`"


METHODS = list(unary_methods())


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_a_unary_call_has_a_route_of_the_common_pattern(method: MethodDescriptor) -> None:
    http = http_rule(method)
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
    if http_rule(method).WhichOneof("pattern") != "get":
        return
    nested = [
        field.name
        for field in method.input_type.fields
        if field.message_type not in (None, Timestamp.DESCRIPTOR)
    ]
    assert not nested, f"{method.full_name} is a GET with {nested}: make it a POST with body"


def test_every_file_with_a_service_is_known_to_the_gateway() -> None:
    files = {importlib.import_module(f"loyalty.v1.{path.stem}") for path in SERVICES}
    unknown = {file.__name__.rpartition(".")[2] for file in files - set(FILES)}
    assert not unknown, f"add {unknown} to FILES in server/gateway/routes.py"


def test_no_two_calls_share_a_route() -> None:
    routes = Counter(
        (http.WhichOneof("pattern"), http.get or http.post) for http in map(http_rule, METHODS)
    )
    assert not [route for route, times in routes.items() if times > 1]

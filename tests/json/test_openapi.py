"""docs/openapi.json is a valid document, and says of the routes what the gateway does.

That it is current is a step of .ci/run: `python proto/generate.py --check`; `make gen` mends it.
"""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.json_format import MessageToDict
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from loyalty.v1.ledger_service_pb2 import PostDocumentRequest
from server.gateway.reading import read_body
from server.gateway.routes import Route, routes

DOCS = Path(__file__).resolve().parents[2] / "docs"
DOCUMENT: Any = json.loads((DOCS / "openapi.json").read_text(encoding="utf-8"))
PAGE = (DOCS / "openapi.html").read_text(encoding="utf-8")
ROUTES = routes()
POSTED = [route for route in ROUTES.values() if route.verb == "POST"]
MENDING = "run `make gen` and commit"


def body_of(route: Route) -> Any:
    """What the document says of the body of a route."""
    operation = DOCUMENT["paths"][route.path]["post"]
    return operation["requestBody"]["content"]["application/json"]


def validator(name: str) -> jsonschema.Draft202012Validator:
    """What checks JSON against a schema of the document."""
    whole = DRAFT202012.create_resource(DOCUMENT)
    registry: Any = Registry().with_resource("openapi", whole)
    reference = {"$ref": f"openapi#/components/schemas/{name}"}
    return jsonschema.Draft202012Validator(reference, registry=registry)


def test_the_document_is_valid() -> None:
    faults = [str(fault) for fault in OpenAPIV31SpecValidator(DOCUMENT).iter_errors()]
    assert not faults


def test_it_has_the_routes_of_the_gateway_and_no_other() -> None:
    said = {
        (verb.upper(), path, operation["operationId"])
        for path, verbs in DOCUMENT["paths"].items()
        for verb, operation in verbs.items()
    }
    served = {(route.verb, path, route.method.rpartition("/")[2]) for path, route in ROUTES.items()}
    assert said == served, MENDING


@pytest.mark.parametrize("route", POSTED, ids=lambda route: route.path)
def test_an_example_is_a_request(route: Route) -> None:
    body = body_of(route)
    if "example" not in body:
        return
    read_body(route.request, json.dumps(body["example"]).encode())
    faults = list(validator(route.request.DESCRIPTOR.name).iter_errors(body["example"]))
    assert not faults


def test_most_calls_have_an_example() -> None:
    assert sum("example" in body_of(route) for route in POSTED) > len(POSTED) / 2


def test_everything_is_described() -> None:
    def silent(place: str, part: Any) -> list[str]:
        return [] if part.get("description") else [place]

    found = []
    for name, schema in DOCUMENT["components"]["schemas"].items():
        found += silent(name, schema)
        for field, part in schema.get("properties", {}).items():
            found += silent(f"{name}.{field}", part)
    for path, verbs in DOCUMENT["paths"].items():
        for operation in verbs.values():
            found += silent(path, operation)
            for parameter in operation.get("parameters", []):
                found += silent(f"{path}?{parameter['name']}", parameter)
    assert not found


def test_numbers_of_64_bits_are_texts() -> None:
    request = PostDocumentRequest.DESCRIPTOR.fields_by_name["document"].message_type
    assert request is not None
    schema = DOCUMENT["components"]["schemas"]["Document"]["properties"]
    wide = [field.name for field in request.fields if field.type == FieldDescriptor.TYPE_INT64]
    assert wide
    assert {schema[name]["type"] for name in wide} == {"string"}


def test_a_request_is_closed_and_says_what_it_needs() -> None:
    schema = DOCUMENT["components"]["schemas"]["BurnPointsRequest"]
    assert schema["additionalProperties"] is False
    assert {"request_id", "origin", "member"} <= set(schema["required"])
    assert "validate_only" not in schema["required"]
    # A text that may not be empty is needed, unless it is one of several ways.
    for name, needed in (("GrantTier", True), ("WithdrawPolicy", True), ("UnlinkIdentity", False)):
        asked = DOCUMENT["components"]["schemas"][f"{name}Request"]
        assert ("reason" in asked["required"]) is needed, name
    assert "lot_id" not in DOCUMENT["components"]["schemas"]["TraceLotsRequest"].get("required", ())
    # An answer may have more fields in a later release.
    assert "additionalProperties" not in DOCUMENT["components"]["schemas"]["Posting"]


def test_one_of_several_ways_is_said_to_be_one() -> None:
    both = {"member_id": "m", "identity": {"scheme": "card", "value": "1"}}
    assert not validator("MemberRef").is_valid(both)
    assert validator("MemberRef").is_valid({"member_id": "m"})
    said = DOCUMENT["components"]["schemas"]["MemberRef"]["description"]
    assert said.endswith("At most one of `member_id`, `identity`, `pool_id`.")
    policy = {"version": "1", "document": "…"}
    assert not validator("PolicyChoice").is_valid(policy)


def test_the_page_has_every_call_and_its_links_lead_somewhere() -> None:
    ids = set(re.findall(r'id="([^"]+)"', PAGE))
    assert set(re.findall(r'href="#([^"]+)"', PAGE)) <= ids, MENDING
    assert {route.method.rpartition("/")[2] for route in ROUTES.values()} <= ids, MENDING
    assert not re.search(r"<script|https?://(?!127\.0\.0\.1)", PAGE)


def test_a_request_that_the_document_allows_reads_back_the_same() -> None:
    example = body_of(ROUTES["/v1/documents:post"])["example"]
    message = read_body(PostDocumentRequest, json.dumps(example).encode())
    assert MessageToDict(message, preserving_proto_field_name=True) == example

"""What a body may say: everything that JSON states enters the request, or is refused by name."""

import json

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.json_format import MessageToDict, MessageToJson
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.refusals import Malformed
from loyalty.v1.ledger_service_pb2 import PostDocumentRequest
from loyalty.v1.programme_service_pb2 import ListPoliciesRequest, PublishPolicyRequest
from loyalty.v1.types_pb2 import DOCUMENT_KIND_SALE, Document, DocumentLine, MemberRef
from server.gateway.reading import read_body, read_query
from server.gateway.routes import unary_methods
from server.status import status_of
from tests.server.served import violations_of


def read(content: object) -> PostDocumentRequest:
    """The request that some JSON states."""
    return read_body(PostDocumentRequest, json.dumps(content).encode())


def fault(content: object) -> Malformed:
    """Why some JSON states no request."""
    with pytest.raises(Malformed) as refused:
        read(content)
    return refused.value


def reachable_fields() -> list[FieldDescriptor]:
    """Every field that stands somewhere in a request of the contract."""
    open_kinds = [method.input_type for method in unary_methods()]
    fields: dict[str, FieldDescriptor] = {}
    while open_kinds:
        for field in open_kinds.pop().fields:
            if field.full_name in fields:
                continue
            fields[field.full_name] = field
            if field.message_type not in (None, Timestamp.DESCRIPTOR):
                open_kinds.append(field.message_type)
    return list(fields.values())


@pytest.mark.parametrize(
    ("content", "field", "expected"),
    [
        ({"documents": {}}, "documents", "did you mean document?"),
        ({"document": {"lines": [{}, {"net": 1}]}}, "document.lines[1].net", "a field of Document"),
        ({"document": {"version": 1.0}}, "document.version", "a whole number of 64 bits"),
        ({"document": {"version": "1_000"}}, "document.version", "a whole number of 64 bits"),
        ({"document": {"version": "٣"}}, "document.version", "a whole number of 64 bits"),
        ({"document": {"version": True}}, "document.version", "a whole number of 64 bits"),
        ({"document": {"version": 2**63}}, "document.version", "a whole number of 64 bits"),
        ({"document": {"kind": "sale"}}, "document.kind", "DOCUMENT_KIND_SALE"),
        ({"document": {"kind": 1}}, "document.kind", "one of DOCUMENT_KIND_UNSPECIFIED, "),
        ({"document": []}, "document", "an object with the fields of Document"),
        ({"document": {"lines": {}}}, "document.lines", "a list"),
        ({"document": {"lines": [None]}}, "document.lines[0]", "an object with the fields of"),
        ({"document": {"coupons": [1]}}, "document.coupons[0]", "a text in quotes"),
        ({"validate_only": "true"}, "validate_only", "true or false, without quotes"),
        ({"request_id": 7}, "request_id", "a text in quotes"),
        ({"request_id": "\ud800"}, "request_id", "a text without half characters"),
        ({"origin": {"occurred_time": "2026-05-01"}}, "origin.occurred_time", "a time with"),
        ({"origin": {"occurred_time": "2026-02-30T00:00:00Z"}}, "origin.occurred_time", "a time"),
        ({"origin": {"occurred_time": 0}}, "origin.occurred_time", "a time with its zone"),
        ({"member": {"member_id": "m", "identity": {}}}, "member.identity", "nothing beside"),
        ({"request_id": "a", "requestId": "b"}, "requestId", "nothing beside request_id"),
        ([], "(body)", "an object with the fields of PostDocumentRequest"),
        (None, "(body)", "an object with the fields of PostDocumentRequest"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named_with_what_would(
    content: object, field: str, expected: str
) -> None:
    refused = fault(content)
    assert refused.field == field
    assert expected in refused.expected


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"{} {}",
        b"\xff\xfe",
        b"{'request_id': 'r'}",
        b'{"request_id": "a", "request_id": "b"}',
        b'{"document": {"version": NaN}}',
        b'{"document": {"version": ' + b"9" * 5_000 + b"}}",
        b"[" * 100_000,
    ],
)
def test_what_is_no_json_is_refused(raw: bytes) -> None:
    with pytest.raises(Malformed) as refused:
        read_body(PostDocumentRequest, raw)
    assert refused.value.field == "(body)"


def test_all_faults_are_told_at_once() -> None:
    refused = fault({"request_idd": "r", "document": {"versio": 1, "kind": "sale"}})
    assert violations_of(status_of(refused)) == ["request_idd", "document.versio", "document.kind"]


def test_what_a_fault_repeats_of_the_value_is_short() -> None:
    assert len(str(fault({"reqest_id": "x" * 10_000}).value)) <= 80


def test_both_names_of_a_field_are_understood_and_null_is_nothing() -> None:
    request = read({"requestId": "r", "validate_only": None, "document": {"documentId": "T"}})
    assert request == PostDocumentRequest(request_id="r", document=Document(document_id="T"))


def test_a_message_that_is_there_but_empty_is_there() -> None:
    assert read({"document": {}}).HasField("document")
    assert not read({"document": None}).HasField("document")


def test_a_query_has_numbers_flags_and_times() -> None:
    assert read_query(ListPoliciesRequest, b"page_size=20&page_token=a%20b") == ListPoliciesRequest(
        page_size=20, page_token="a b"
    )
    assert read_query(PublishPolicyRequest, b"allow_overlap=true").allow_overlap
    with pytest.raises(Malformed, match="true or false"):
        read_query(PublishPolicyRequest, b"allow_overlap=1")


# Texts as the wire takes them, numbers to the edges.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
numbers = st.integers(-(2**63), 2**63 - 1)
lines = st.builds(DocumentLine, line_id=texts, category=texts, net_minor_units=numbers)
requests = st.builds(
    PostDocumentRequest,
    request_id=texts,
    validate_only=st.booleans(),
    member=st.builds(MemberRef, member_id=texts),
    document=st.builds(
        Document,
        document_id=texts,
        version=numbers,
        kind=st.just(DOCUMENT_KIND_SALE),
        lines=st.lists(lines, max_size=3),
        coupons=st.lists(texts, max_size=3),
    ),
)


@given(requests, st.booleans(), st.booleans())
def test_what_protobuf_writes_is_read_back(
    request: PostDocumentRequest, snake: bool, ascii_only: bool
) -> None:
    text = MessageToJson(request, preserving_proto_field_name=snake, ensure_ascii=ascii_only)
    assert read_body(PostDocumentRequest, text.encode()) == request


@given(requests, st.data())
def test_a_name_that_is_wrong_anywhere_is_named(
    request: PostDocumentRequest, data: st.DataObject
) -> None:
    content = MessageToDict(request, preserving_proto_field_name=True)
    places = [("", content)]
    places += [("document.", content["document"])] if content.get("document") else []
    path, place = data.draw(st.sampled_from(places))
    name = data.draw(st.sampled_from(sorted(place) or ["request_id"]))
    place[f"{name}x"] = place.pop(name, "")
    refused = fault(content)
    assert refused.field == f"{path}{name}x"


@pytest.mark.parametrize("field", reachable_fields(), ids=lambda field: field.full_name)
def test_every_field_of_a_request_can_be_read(field: FieldDescriptor) -> None:
    """A field of a new kind (bytes, a map, a duration) has to be taught to the reader first."""
    value: object = {FieldDescriptor.TYPE_BOOL: True, FieldDescriptor.TYPE_STRING: "t"}.get(
        field.type, 7
    )
    if field.message_type is not None:
        value = "2026-05-01T09:30:00Z" if field.message_type is Timestamp.DESCRIPTOR else {}
    elif field.enum_type is not None:
        value = field.enum_type.values[-1].name
    content = {field.name: [value] if field.is_repeated else value}
    assert field.containing_type is not None
    message = read_body(GetMessageClass(field.containing_type), json.dumps(content).encode())
    assert [each.name for each, _ in message.ListFields()] == [field.name]

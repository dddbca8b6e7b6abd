"""The fingerprint of a document is put together from parts; it must be that of the whole."""

from hashlib import sha256

import pytest

from ledger.act import Act
from ledger.identities import IdentityHash
from ledger.preparing import FINGERPRINT_FORMAT, prepare
from ledger.writes import CODES
from loyalty.v1.ledger_service_pb2 import PostDocumentRequest
from loyalty.v1.types_pb2 import Document, DocumentLine, Identity, MemberRef, Origin

HASHED = IdentityHash(b"k" * 32)
CARD = MemberRef(identity=Identity(scheme="card", value="8800"))
BY_ID = MemberRef(member_id="0199c0de-0000-7000-8000-000000000001")


def request(member: MemberRef | None, **origin: str) -> PostDocumentRequest:
    """A request with something in every part."""
    return PostDocumentRequest(
        request_id="r-1",
        validate_only=True,
        language="en",
        origin=Origin(business_unit="market", channel="pos", **origin),  # type: ignore[arg-type]
        member=member,
        document=Document(
            source="till",
            document_id="d-1",
            version=3,
            lines=[DocumentLine(line_id="1", category="food", net_minor_units=12_34)],
        ),
    )


def prepared(given: PostDocumentRequest) -> Act:
    """The act of a request."""
    return prepare(given, client="till-1", hashed=HASHED, deliver=lambda _: None)


def stripped(given: PostDocumentRequest) -> PostDocumentRequest:
    """The request without what may differ when it is sent again, and without its member."""
    rest = PostDocumentRequest()
    rest.CopyFrom(given)
    rest.request_id = ""
    rest.validate_only = False
    rest.language = ""
    rest.origin.till = rest.origin.operator = rest.origin.client_software = ""
    rest.ClearField("member")
    return rest


@pytest.mark.parametrize("member", [None, CARD, BY_ID])
@pytest.mark.parametrize("origin", [{}, {"till": "3", "operator": "ann", "client_software": "x"}])
def test_the_parts_are_the_bytes_of_the_whole_request(
    member: MemberRef | None, origin: dict[str, str]
) -> None:
    given = request(member, **origin)
    act = prepared(given)
    content = stripped(given).SerializeToString(deterministic=True)
    assert act.document_fingerprint == FINGERPRINT_FORMAT + sha256(content).digest()
    stated = MemberRef()
    if member is not None:
        stated.CopyFrom(member)
    if act.identity is not None:
        stated.identity.value = HASHED.of(CARD.identity).hex()
    whole = content + b"\x00" + stated.SerializeToString(deterministic=True)
    assert act.fingerprint == FINGERPRINT_FORMAT + sha256(whole).digest()


@pytest.mark.parametrize("member", [None, CARD, BY_ID])
def test_the_command_says_all_but_who_the_identity_is(member: MemberRef | None) -> None:
    given = request(member, till="3")
    act = prepared(given)
    assert act.command[0] == CODES[PostDocumentRequest]
    expected = stripped(given)
    if member is not None:
        expected.member.CopyFrom(member)
        if member.HasField("identity"):
            expected.member.identity.value = ""
    assert PostDocumentRequest.FromString(act.command[1:]) == expected


def test_no_part_of_a_document_request_was_added_without_its_fingerprint() -> None:
    left_out = {"request_id", "validate_only", "language", "move", "unclaimed_if_unknown"}
    names = {field.name for field in PostDocumentRequest.DESCRIPTOR.fields}
    assert names == {"origin", "member", "document", "document_unit"} | left_out


def test_another_unit_s_document_is_another_request() -> None:
    given = request(None)
    given.document_unit = "market"
    act = prepared(given)
    content = stripped(given).SerializeToString(deterministic=True)
    assert act.document_fingerprint == FINGERPRINT_FORMAT + sha256(content).digest()
    assert act.document.startswith("d/market/")


def test_the_parts_of_a_document_request_have_no_maps() -> None:
    waiting, seen = [PostDocumentRequest.DESCRIPTOR], set[str]()
    while waiting:
        message = waiting.pop()
        assert not message.GetOptions().map_entry
        if message.full_name not in seen:
            seen.add(message.full_name)
            waiting += [field.message_type for field in message.fields if field.message_type]
    assert {"loyalty.v1.MemberRef", "loyalty.v1.Identity"} <= seen
    assert {field.name for field in Identity.DESCRIPTOR.fields} == {"scheme", "value"}

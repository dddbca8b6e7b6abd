"""Acts prepared outside the writer: keys, hashed identities, and what makes it the same request.

That happens when the call comes in, while the writer waits for the database; the writer itself only
looks up, decides and appends.
"""

from functools import lru_cache
from hashlib import sha256
from typing import Final

from ledger.act import Act, Deliver
from ledger.core.people import actor
from ledger.core.wire import nested, tag_of
from ledger.identities import IdentityHash
from ledger.keys import (
    act_key,
    burn_thing,
    claim_thing,
    document_thing,
    hold_thing,
    key_thing,
    proposal_thing,
    request_key,
    row_thing,
    source_thing,
    transfer_thing,
)
from ledger.receipt_codes import receipt_hash
from ledger.rows import IdentityKey
from ledger.short_forms import activity_document, as_document
from ledger.writes import CODES, WITHOUT_ORIGIN, WriteRequest, member_of, other_member_of
from loyalty.v1.ledger_service_pb2 import (
    AcceptTransferRequest,
    AdjustPointsRequest,
    ApproveAdjustmentRequest,
    CancelTransferRequest,
    CaptureHoldRequest,
    ClaimDocumentRequest,
    ContinueTransferRequest,
    DeclineTransferRequest,
    EarnPointsRequest,
    HoldPointsRequest,
    MoveDocumentRequest,
    PostDocumentRequest,
    RecordActivityRequest,
    RecordOpeningRequest,
    RejectAdjustmentRequest,
    ReleaseHoldRequest,
    ReverseEntryRequest,
)
from loyalty.v1.member_service_pb2 import (
    EnrolMemberRequest,
    LinkIdentityRequest,
    MoveIdentityRequest,
    UnlinkIdentityRequest,
    UpdateMemberRequest,
)
from loyalty.v1.types_pb2 import Identity, MemberRef, Origin

ABOUT_IDENTITY: Final = (LinkIdentityRequest, UnlinkIdentityRequest, MoveIdentityRequest)
"""Requests with one identity besides the member they name."""
FINGERPRINT_FORMAT: Final = b"\x01"

_PROFILE_FIELDS: Final = (
    "birthday",
    "clear_birthday",
    "attributes",
    "add_segments",
    "remove_segments",
    "household",
    "clear_household",
)
"""What a command is not to keep: what is known of members never enters the history."""
_DOCUMENT_CODE: Final = bytes((CODES[PostDocumentRequest],))
_ORIGIN: Final = tag_of(PostDocumentRequest, "origin")
_MEMBER: Final = tag_of(PostDocumentRequest, "member")
_DOCUMENT: Final = tag_of(PostDocumentRequest, "document")


def prepare(
    request: WriteRequest,
    *,
    client: str,
    hashed: IdentityHash,
    deliver: Deliver,
    deadline: float | None = None,
) -> Act:
    """An act for a request whose shape has been checked."""
    if type(request) is EarnPointsRequest:
        request = as_document(request, client)
    elif type(request) is RecordActivityRequest:
        request = activity_document(request)
    act = Act(request, client, deliver, deadline, key=request_key(client, request.request_id))
    _find_people(act, hashed)
    _find_identities(act, hashed)
    _find_things(act)
    _hide_code(act, hashed)
    _fingerprint(act, hashed)
    return act


def _hide_code(act: Act, hashed: IdentityHash) -> None:
    """Take a receipt's code out of the request: it is a secret, of which a keyed hash is enough."""
    request = act.request
    if isinstance(request, PostDocumentRequest):
        code = request.document.receipt_code
    elif isinstance(request, ClaimDocumentRequest):
        code = request.receipt_code
    else:
        return
    if not code:
        return
    act.receipt_hash = receipt_hash(hashed, act.document, code)
    act.request = type(request)()
    act.request.CopyFrom(request)  # type: ignore[arg-type]
    if isinstance(act.request, PostDocumentRequest):
        act.request.document.receipt_code = ""
    elif isinstance(act.request, ClaimDocumentRequest):
        act.request.receipt_code = ""


def _find_people(act: Act, hashed: IdentityHash) -> None:
    """Name who acts as the history may keep it: a staff id is a person's."""
    request = act.request
    if isinstance(request, PostDocumentRequest) or not isinstance(request, WITHOUT_ORIGIN):
        act.operator = hashed.operator(request.origin.operator)
    if type(request) is AdjustPointsRequest and request.approver:
        act.approver = actor(act.client, hashed.pseudonym(request.approver))


def _find_identities(act: Act, hashed: IdentityHash) -> None:
    request = act.request
    if isinstance(request, PostDocumentRequest):
        pass
    elif isinstance(request, EnrolMemberRequest):
        act.new_identities = tuple((each.scheme, hashed.of(each)) for each in request.identities)
    elif isinstance(request, UpdateMemberRequest):
        act.household_code = hashed.household(request.household)
    elif isinstance(request, ABOUT_IDENTITY):
        act.new_identities = ((request.identity.scheme, hashed.of(request.identity)),)
    act.identity = _identity_in(member_of(request), hashed)
    act.other_identity = _identity_in(other_member_of(request), hashed)


def _identity_in(member: MemberRef | None, hashed: IdentityHash) -> IdentityKey | None:
    if member is None or member.WhichOneof("ref") != "identity":
        return None
    return (member.identity.scheme, hashed.of(member.identity))


def _find_things(act: Act) -> None:
    request = act.request
    match request:
        case PostDocumentRequest():
            stated = request.document
            unit = request.document_unit or request.origin.business_unit
            act.document = document_thing(unit, stated.source, stated.document_id)
            act.version_key = act_key(act.document, stated.version)
        case ClaimDocumentRequest() | MoveDocumentRequest():
            act.document = key_thing(request.document)
            act.thing = claim_thing(act.document)
        case HoldPointsRequest() | CaptureHoldRequest() | ReleaseHoldRequest():
            act.thing = hold_thing(request.origin.business_unit, request.hold_id)
        case ReverseEntryRequest():
            act.thing = burn_thing(request.entry_id)
        case (
            AcceptTransferRequest()
            | DeclineTransferRequest()
            | CancelTransferRequest()
            | ContinueTransferRequest()
        ):
            act.thing = transfer_thing(request.transfer_id)
        case ApproveAdjustmentRequest() | RejectAdjustmentRequest():
            act.thing = proposal_thing(request.adjustment_id)
        case RecordOpeningRequest():
            act.thing = source_thing(request.source)
            act.version_key = act_key(row_thing(request.source, request.row), 0)
        case _:
            pass


def _fingerprint(act: Act, hashed: IdentityHash) -> None:
    """Canonical bytes: the request without what may differ when it is sent again.

    Who typed it at which till, and with which software, does not make it another request.
    """
    if isinstance(act.request, PostDocumentRequest):
        _fingerprint_document(act, act.request)
        return
    request = type(act.request)()
    request.CopyFrom(act.request)  # type: ignore[arg-type]
    request.request_id = ""
    request.validate_only = False
    if not isinstance(request, WITHOUT_ORIGIN):
        origin = request.origin
        origin.client_software = origin.till = origin.operator = ""
    if isinstance(request, AdjustPointsRequest):
        request.approver = act.approver
    named = bool(act.identity or act.other_identity or act.new_identities)
    if named:
        _set_identities(act, request, keep=True)
    code = bytes((CODES[type(request)],))
    act.command = code + request.SerializeToString(deterministic=True)
    told = act.receipt_hash
    if isinstance(request, UpdateMemberRequest):
        told = _hide_profile(request, hashed)
        act.command = code + request.SerializeToString(deterministic=True)
    act.fingerprint = FINGERPRINT_FORMAT + sha256(act.command + told).digest()
    if named:
        _set_identities(act, request, keep=False)
        act.command = code + request.SerializeToString(deterministic=True)


def _hide_profile(request: UpdateMemberRequest, hashed: IdentityHash) -> bytes:
    """Clear what is told of a member, and give a keyed hash of it in its stead.

    A plain hash would tell: there are 366 birthdays.
    """
    told = sha256(request.SerializeToString(deterministic=True)).hexdigest()
    for name in _PROFILE_FIELDS:
        request.ClearField(name)
    return hashed.of(Identity(scheme="member profile", value=told))


def _fingerprint_document(act: Act, request: PostDocumentRequest) -> None:
    """As for any request, put together from its parts, which have no maps to put in order."""
    origin = request.origin
    if origin.client_software or origin.till or origin.operator:
        origin = Origin()
        origin.CopyFrom(request.origin)
        origin.client_software = origin.till = origin.operator = ""
    content = nested(_ORIGIN, origin.SerializeToString())
    content += nested(_DOCUMENT, request.document.SerializeToString())
    if request.document_unit:
        content += PostDocumentRequest(document_unit=request.document_unit).SerializeToString()
    if act.identity is None:
        stated = kept = request.member.SerializeToString()
    else:
        scheme, keyed = act.identity
        stated, kept = _before_value(scheme) + keyed.hex().encode(), _of_scheme(scheme)
    act.command = _DOCUMENT_CODE + content + (nested(_MEMBER, kept) if kept else b"")
    content += act.receipt_hash
    hashing = sha256(content)
    act.document_fingerprint = FINGERPRINT_FORMAT + hashing.digest()
    hashing.update(b"\x00" + stated)
    act.fingerprint = FINGERPRINT_FORMAT + hashing.digest()


def _identified(scheme: str, value: str) -> bytes:
    member = MemberRef()
    identity = member.identity
    identity.scheme = scheme
    identity.value = value
    return member.SerializeToString()


@lru_cache(maxsize=64)
def _of_scheme(scheme: str) -> bytes:
    return _identified(scheme, "")


@lru_cache(maxsize=64)
def _before_value(scheme: str) -> bytes:
    """What stands before the value, which is the last field, where that is a keyed hash."""
    digits = 2 * sha256().digest_size
    return _identified(scheme, "0" * digits)[:-digits]


def _set_identities(act: Act, request: WriteRequest, *, keep: bool) -> None:
    """Replace every identity's value by its keyed hash, for the fingerprint, or by nothing.

    The command is kept for ever beside the account's stream: with the hash in it, it would say
    whose account that is even after the identity's own row was deleted.
    """
    member = member_of(request)
    if act.identity is not None and member is not None:
        member.identity.value = act.identity[1].hex() if keep else ""
    other = other_member_of(request)
    if act.other_identity is not None and other is not None:
        other.identity.value = act.other_identity[1].hex() if keep else ""
    if isinstance(request, EnrolMemberRequest):
        for identity, (_, keyed) in zip(request.identities, act.new_identities, strict=True):
            identity.value = keyed.hex() if keep else ""
    elif isinstance(request, ABOUT_IDENTITY):
        request.identity.value = act.new_identities[0][1].hex() if keep else ""

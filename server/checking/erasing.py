"""The shape of erasures. What stands in a certificate stays for ever, so its texts are codes."""

from typing import Final

from loyalty.v1.member_service_pb2 import EraseMemberRequest, GetErasureRequest
from loyalty.v1.types_pb2 import ErasedBalance, ErasureRequester
from server.checking import shape
from server.checking.consents import code
from server.checking.documents import names

_BALANCES: Final = frozenset(ErasedBalance.values()) - {0}
_REQUESTERS: Final = frozenset(ErasureRequester.values()) - {0}


def erase_member(request: EraseMemberRequest) -> None:
    """Check who is to be erased, for whom, and what becomes of the points. Raises Malformed."""
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    shape.member(request.member)
    if request.balance not in _BALANCES:
        shape.refuse("balance", request.balance, names(ErasedBalance.keys()))
    if request.requested_by not in _REQUESTERS:
        shape.refuse("requested_by", request.requested_by, names(ErasureRequester.keys()))
    if request.reference:
        code("reference", request.reference)


def get_erasure(request: GetErasureRequest) -> None:
    """Check a question for an erasure. Raises Malformed."""
    shape.text("member_id", request.member_id)

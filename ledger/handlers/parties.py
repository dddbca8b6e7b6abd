"""Who takes part in a transfer besides the member that a request is about.

This is the one place where an account is found that the request does not act for: what becomes of
accounts (they are merged, they are pools) is looked at here, and how far a member takes part in
`ledger.core.closing`.
"""

from ledger.act import Act
from ledger.core import refusals
from ledger.lanes import account_stream
from ledger.redirects import live_stream
from ledger.work import Work
from ledger.writes import other_member_of
from loyalty.v1.types_pb2 import MemberRef


def other_stream(act: Act, work: Work) -> str:
    """Stream of the second account that a request names. Raises UnknownMember, Merging."""
    if act.other_identity is not None:
        account = work.holder(act.other_identity)
        if not account:
            raise refusals.UnknownMember(member=f"identity of scheme {act.other_identity[0]}")
        return live_stream(account_stream(account), work)
    other = other_member_of(act.request) or MemberRef()
    return stream_of(other.member_id, work)


def stream_of(account_id: str, work: Work) -> str:
    """Stream of what an account that is named is part of now. Raises UnknownMember, Merging."""
    stream = account_stream(account_id)
    if work.other_account(stream).enrolled_at is None:
        raise refusals.UnknownMember(member=account_id)
    return live_stream(stream, work)

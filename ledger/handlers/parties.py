"""Who takes part in a transfer or a pool besides the member that a request is about.

This is the one place where an account is found that the request does not act for: what becomes of
accounts (they are merged, they are pools) is looked at here, and how far a member takes part in
`ledger.core.closing`.
"""

from ledger.act import Act
from ledger.core import refusals
from ledger.core.pools import require_pool
from ledger.core.state import Account
from ledger.handlers import context
from ledger.lanes import account_stream
from ledger.redirects import live_stream
from ledger.work import Work
from ledger.writes import member_of, other_member_of, pool_of
from loyalty.v1.types_pb2 import MemberRef


def first_stream(act: Act, work: Work) -> str:
    """Stream of the member or pool that a request acts for. Raises UnknownMember, UnknownPool."""
    member = member_of(act.request)
    if member is not None and member.pool_id:
        return pool_stream(member.pool_id, work)
    return context.member_stream(act, work)


def other_stream(act: Act, work: Work) -> str:
    """Stream of the second account that is named. Raises UnknownMember, UnknownPool, Merging."""
    if act.other_identity is not None:
        account = work.holder(act.other_identity)
        if not account:
            raise refusals.unknown_identity(act.other_identity[0])
        return live_stream(account_stream(account), work)
    other = other_member_of(act.request) or MemberRef()
    if other.pool_id:
        return pool_stream(other.pool_id, work)
    stream = account_stream(other.member_id)
    if work.other_account(stream).enrolled_at is None:
        # Whoever knows the id of a pool may not name it as a member, to merge with or to bring in.
        raise refusals.UnknownMember(member=other.member_id)
    return live_stream(stream, work)


def stream_of(account_id: str, work: Work) -> str:
    """Stream of a pool, or of what a member is part of now. Raises UnknownMember, Merging."""
    return live_stream(named_stream(account_id, work), work)


def named_stream(account_id: str, work: Work) -> str:
    """Stream of the very account that is named, merged or not. Raises UnknownMember."""
    stream = account_stream(account_id)
    account = work.other_account(stream)
    if account.enrolled_at is None and account.pooling.pool is None:
        raise refusals.UnknownMember(member=account_id)
    return stream


def one_with(account: Account) -> list[str]:
    """An account, and those of the members who are part of it now."""
    return [account.account_id, *account.part_ids]


def pool_stream(pool_id: str, work: Work) -> str:
    """Stream of a pool. Raises UnknownPool."""
    stream = account_stream(pool_id)
    require_pool(work.other_account(stream))
    return stream


def pool_named(act: Act, work: Work) -> str:
    """Stream of the pool in which a member does something. Raises UnknownPool."""
    return pool_stream(pool_of(act.request), work)

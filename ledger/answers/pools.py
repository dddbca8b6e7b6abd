"""Pools as callers see them."""

from collections.abc import Iterable

from ledger.answers.postings import add_balances
from ledger.core.instant import to_timestamp
from ledger.core.pools import require_pool
from ledger.core.state import Account
from loyalty.v1.member_service_pb2 import Pool, PoolMember


def pool_message(account: Account, *, position: str, transfer_ids: Iterable[str] = ()) -> Pool:
    """A pool as callers see it. Raises UnknownPool for an account that is none."""
    pool = require_pool(account)
    message = Pool(
        pool_id=account.account_id,
        business_unit=account.business_unit,
        create_time=to_timestamp(pool.created_at),
        members=[
            PoolMember(member_id=member.member_id, permissions=member.permissions)
            for member in pool.members
        ],
        closed=pool.closed,
        position=position,
        transfer_ids=transfer_ids,
    )
    add_balances(message, account, ends_first=False)
    return message

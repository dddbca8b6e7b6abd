"""Where an account's things are now: an account that was merged leads to the one it is part of."""

from ledger.core.refusals import Merging
from ledger.core.state import OWN, Account
from ledger.known import DocumentHead
from ledger.lanes import account_of, account_stream
from ledger.work import Work

HOPS_MAX = 64
"""More merges of merged accounts than anybody makes: a circle cannot be."""


def live_stream(stream: str, work: Work) -> str:
    """Stream of the account that an account is part of now. Raises Merging while that moves."""
    live = place_of(stream, work)
    require_still(work.account(live))
    return live


def place_of(stream: str, work: Work) -> str:
    """As `live_stream`, and no matter whether it is on the move."""
    for _ in range(HOPS_MAX):
        membership = work.other_account(stream).membership
        if not membership.is_merged:
            return stream
        stream = account_stream(membership.into)
    raise AssertionError(f"{stream} is merged into itself")


def require_still(account: Account) -> None:
    """Refuse to act on an account whose things are on the move. Raises Merging."""
    if is_moving(account):
        raise Merging(member_id=account.account_id)


def is_moving(account: Account) -> bool:
    """Whether an account's things are going to another one just now."""
    merging = account.merging
    return merging is not None and (merging.undoing or merging.source == account.account_id)


def owner_stream(head: DocumentHead) -> str:
    """Stream of whose document it is, wherever its newest version stands."""
    owner = head.posted.owner_id
    return account_stream(owner) if owner and account_of(head.stream) else head.stream


def owner_in(stream: str, named: str) -> str:
    """How the account with a stream tells whose something is, that belongs to a named one."""
    return OWN if named == stream else account_of(named)

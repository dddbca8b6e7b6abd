"""CreatePool, AddPoolMember, RemovePoolMember, SetPoolPermission, ClosePool.

Who is in a pool stands in its own account and in those of its members, and both change in one act.
What goes home because of it is sent in the same act, and arrives as every transfer does.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import uuid_utils

from ledger.act import Act, Answer
from ledger.answers.pools import pool_message
from ledger.answers.postings import position_token
from ledger.core import commands
from ledger.core.closing import require_taking_part
from ledger.core.commands import Command
from ledger.core.instant import Instant
from ledger.core.pools import contributed, require_pool
from ledger.handlers import context, parties
from ledger.handlers.carrying_out import carry_out
from ledger.handlers.members import require_unit
from ledger.known import Range
from ledger.lanes import account_of, account_stream
from ledger.work import Work
from loyalty.v1.events_pb2 import TRANSFER_KIND_HOME
from loyalty.v1.member_service_pb2 import (
    AddPoolMemberRequest,
    ClosePoolRequest,
    CreatePoolRequest,
    RemovePoolMemberRequest,
    SetPoolPermissionRequest,
)


def create_pool(act: Act, work: Work) -> Answer:
    """Open a pool whose first member is who opens it."""
    request = act.request
    assert isinstance(request, CreatePoolRequest)
    founder, unit, at = _doer(act, work)
    stream = account_stream(str(uuid_utils.uuid7()))
    where = _decide(work, stream, commands.CreatePool(account_of(founder), unit, at))
    _decide(work, founder, commands.JoinPool(account_of(stream), unit, at))
    return _answer(act, work, where)


def add_pool_member(act: Act, work: Work) -> Answer:
    """Let a member in."""
    request = act.request
    assert isinstance(request, AddPoolMemberRequest)
    doer, unit, at = _doer(act, work)
    joining = parties.other_stream(act, work)
    stream = parties.pool_named(act, work)
    command = commands.AddPoolMember(
        account_of(joining), tuple(request.permissions), account_of(doer), unit, at
    )
    where = _decide(work, stream, command)
    _decide(work, joining, commands.JoinPool(account_of(stream), unit, at))
    return _answer(act, work, where)


def set_pool_permission(act: Act, work: Work) -> Answer:
    """Say what a member may do."""
    request = act.request
    assert isinstance(request, SetPoolPermissionRequest)
    doer, unit, at = _doer(act, work)
    subject = parties.other_stream(act, work)
    command = commands.SetPoolPermissions(
        account_of(subject), tuple(request.permissions), account_of(doer), unit, at
    )
    return _answer(act, work, _decide(work, parties.pool_named(act, work), command))


def remove_pool_member(act: Act, work: Work) -> Answer:
    """Take a member out, or let one leave; what the member had put in goes home."""
    request = act.request
    assert isinstance(request, RemovePoolMemberRequest)
    doer, unit, at = _doer(act, work)
    leaving = parties.other_stream(act, work)
    stream = parties.pool_named(act, work)
    where = _take_out(work, stream, leaving, account_of(doer), unit, at)
    home = _contributors(work, stream)
    if _is_open(work, stream):
        home = parties.one_with(work.account(leaving))
    return _answer(act, work, where, _send_home(work, stream, home, unit, at))


def close_pool(act: Act, work: Work) -> Answer:
    """Take everybody out; what is left goes home to whoever had put it in."""
    request = act.request
    assert isinstance(request, ClosePoolRequest)
    doer, unit, at = _doer(act, work)
    stream = parties.pool_named(act, work)
    members = [member.member_id for member in require_pool(work.account(stream)).members]
    where = _decide(work, stream, commands.ClosePool(account_of(doer), unit, at))
    for member_id in members:
        left = parties.stream_of(member_id, work)
        _decide(work, left, commands.LeavePool(account_of(stream), unit, at))
    home = _contributors(work, stream)
    return _answer(act, work, where, _send_home(work, stream, home, unit, at))


def leave_pools(work: Work, stream: str, unit: str, at: Instant) -> list[str]:
    """Take who goes for good out of all pools, in the act in which the account is closed or erased.

    What they had put in stays with the others, as it could not arrive; what others had put into a
    pool that closes behind them goes home: the ids of those transfers.
    """
    pools = [account_stream(pool_id) for pool_id in work.account(stream).pooling.joined]
    if not all([work.other_account(pool).pooling.pool for pool in pools]):
        # Not known in the first round: all are looked up at once.
        return []
    gone = parties.one_with(work.account(stream))
    ids: list[str] = []
    for pool in pools:
        _take_out(work, pool, stream, account_of(stream), unit, at)
        if not _is_open(work, pool):
            others = [each for each in _contributors(work, pool) if each not in gone]
            ids += _send_home(work, pool, others, unit, at).transfer_ids
    return ids


def _take_out(work: Work, stream: str, leaving: str, by_id: str, unit: str, at: Instant) -> Range:
    """Record in both accounts that a member is in a pool no more."""
    command = commands.RemovePoolMember(account_of(leaving), by_id, unit, at)
    where = _decide(work, stream, command)
    _decide(work, leaving, commands.LeavePool(account_of(stream), unit, at))
    return where


def _is_open(work: Work, stream: str) -> bool:
    return not require_pool(work.account(stream)).closed


def _contributors(work: Work, stream: str) -> list[str]:
    """Who put in what a pool has, also those who left before it came back."""
    return list(dict.fromkeys(lot.contributor for lot in work.account(stream).lots))


@dataclass(slots=True)
class _Sent:
    """What went home."""

    transfer_ids: list[str]
    where: Range | None = None


def _send_home(
    work: Work, stream: str, contributors: Iterable[str], unit: str, at: Instant
) -> _Sent:
    """Send to each of some members what is left of what they put in, by currency."""
    sent = _Sent([])
    account = work.account(stream)
    left = {currency: contributed(account, currency) for currency in account.balances}
    for contributor in contributors:
        for currency, by_contributor in left.items():
            points = by_contributor.get(contributor, 0)
            if not points:
                continue
            entry_id = str(uuid_utils.uuid7())
            command = commands.SendPoints(
                entry_id=entry_id,
                receiver_id=contributor,
                business_unit=unit,
                currency=currency,
                points=points,
                occurred_at=at,
                kind=TRANSFER_KIND_HOME,
            )
            sent.where = _decide(work, stream, command)
            sent.transfer_ids.append(entry_id)
    return sent


class _Doer(NamedTuple):
    """Who does something about a pool, where and when."""

    stream: str
    unit: str
    at: Instant


def _doer(act: Act, work: Work) -> _Doer:
    """Whoever does it has to take part, unless they leave. Raises what that is refused with."""
    at = context.occurred_at(act, work)
    unit: str = act.request.origin.business_unit  # type: ignore[union-attr]
    require_unit(work, unit, at)
    stream = context.member_stream(act, work)
    may_leave = isinstance(act.request, RemovePoolMemberRequest)
    if not (may_leave and stream == parties.other_stream(act, work)):
        require_taking_part(work.account(stream))
    return _Doer(stream, unit, at)


def _decide(work: Work, stream: str, command: Command) -> Range:
    work.advance(stream)
    return carry_out(work, stream, command).where


def _answer(act: Act, work: Work, where: Range, sent: _Sent | None = None) -> Answer:
    """Answer with the pool as it is now; the request's facts reach to the last that was sent."""
    ids: list[str] = []
    if sent is not None and sent.where is not None:
        ids = sent.transfer_ids
        where = where._replace(last=sent.where.last, next_pos=sent.where.next_pos)
    account = work.account(where.stream)
    position = position_token(where.lane, where.next_pos)
    message = pool_message(account, position=position, transfer_ids=ids)
    return context.register(act, work, where, message)

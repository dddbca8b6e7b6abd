"""LinkIdentity, UnlinkIdentity, MoveIdentity."""

import uuid_utils

from ledger.act import Act, Answer
from ledger.core import commands, refusals
from ledger.core.instant import Instant
from ledger.core.state import Account
from ledger.handlers import context
from ledger.handlers.awaiting import credit_awaiting
from ledger.handlers.carrying_out import carry_out
from ledger.handlers.members import member_message, register_identity, require_unit, told
from ledger.known import Range
from ledger.lanes import account_stream
from ledger.redirects import place_of
from ledger.rows import Holder
from ledger.work import Work
from loyalty.v1.member_service_pb2 import (
    LinkIdentityRequest,
    MoveIdentityRequest,
    UnlinkIdentityRequest,
)


def link_identity(act: Act, work: Work) -> Answer:
    """Add an identity; one that the member has already changes nothing."""
    request = act.request
    assert isinstance(request, LinkIdentityRequest)
    at = _occurred_at(act, work, request.origin.business_unit)
    stream = context.member_stream(act, work)
    account, _ = work.advance(stream)
    key = act.new_identities[0]
    holder = work.holder(key)
    if holder and _is_part_of(work, holder, stream):
        return _unchanged(act, work, stream, account)
    if holder:
        raise refusals.IdentityTaken(scheme=key[0])
    where, _ = _link(act, work, stream, at, moved_from="")
    credit_awaiting(work, stream, at)
    return context.register(act, work, where, told(work, stream))


def unlink_identity(act: Act, work: Work) -> Answer:
    """Take an identity from its member."""
    request = act.request
    assert isinstance(request, UnlinkIdentityRequest)
    at = _occurred_at(act, work, request.origin.business_unit)
    stream = context.member_stream(act, work)
    key = act.new_identities[0]
    holder = work.holder(key)
    if not holder or not _is_part_of(work, holder, stream):
        raise refusals.IdentityNotLinked(scheme=key[0])
    where, account = _unlink(act, work, at, moved_to="")
    work.unlink_identity(key)
    return context.register(act, work, where, member_message(account, where))


def move_identity(act: Act, work: Work) -> Answer:
    """Take an identity from its member and link it to another; both facts stand in one commit."""
    request = act.request
    assert isinstance(request, MoveIdentityRequest)
    at = _occurred_at(act, work, request.origin.business_unit)
    stream = context.member_stream(act, work)
    account, _ = work.advance(stream)
    holder = work.holder(act.new_identities[0])
    if not holder:
        raise refusals.IdentityNotLinked(scheme=act.new_identities[0][0])
    if _is_part_of(work, holder, stream):
        return _unchanged(act, work, stream, account)
    _unlink(act, work, at, moved_to=account.account_id)
    where, _ = _link(act, work, stream, at, moved_from=holder)
    credit_awaiting(work, stream, at)
    return context.register(act, work, where, told(work, stream))


def _occurred_at(act: Act, work: Work, business_unit: str) -> Instant:
    at = context.occurred_at(act, work)
    require_unit(work, business_unit, at)
    return at


def _is_part_of(work: Work, holder: str, stream: str) -> bool:
    """Whether an account, or one that is merged into it, has an identity."""
    return place_of(account_stream(holder), work) == stream


def _unchanged(act: Act, work: Work, stream: str, account: Account) -> Answer:
    where = work.append(stream, account.version, ())
    return context.register(act, work, where, member_message(account, where))


def _link(
    act: Act, work: Work, stream: str, at: Instant, *, moved_from: str
) -> tuple[Range, Account]:
    request = act.request
    assert isinstance(request, LinkIdentityRequest | MoveIdentityRequest)
    key, identity_id = act.new_identities[0], str(uuid_utils.uuid7())
    command = commands.LinkIdentity(
        identity_id, key[0], request.origin.business_unit, at, moved_from
    )
    done = _decide(command, work, stream)
    register_identity(work, stream, identity_id, key)
    return done


def _unlink(act: Act, work: Work, at: Instant, *, moved_to: str) -> tuple[Range, Account]:
    """Record in the account that has the identity that it is gone."""
    request = act.request
    assert isinstance(request, UnlinkIdentityRequest | MoveIdentityRequest)
    key = act.new_identities[0]
    holder = work.known.identities[key]
    assert isinstance(holder, Holder), "an identity without a member was refused"
    stream = account_stream(holder.account)
    work.other_account(stream)
    command = commands.UnlinkIdentity(
        identity_id=holder.identity_id,
        scheme=key[0],
        business_unit=request.origin.business_unit,
        reason=request.reason,
        actor=act.actor,
        occurred_at=at,
        moved_to=moved_to,
    )
    return _decide(command, work, stream)


def _decide(
    command: commands.LinkIdentity | commands.UnlinkIdentity, work: Work, stream: str
) -> tuple[Range, Account]:
    work.advance(stream)
    done = carry_out(work, stream, command)
    return done.where, done.account

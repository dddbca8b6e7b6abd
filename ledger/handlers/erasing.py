"""EraseMember."""

import uuid_utils

from ledger.act import Act, Answer
from ledger.answers.erasures import certificate_of
from ledger.answers.postings import position_token
from ledger.core import commands
from ledger.core.instant import Instant
from ledger.handlers import context
from ledger.handlers.carrying_out import carry_out
from ledger.handlers.members import require_unit
from ledger.handlers.pools import leave_pools
from ledger.lanes import account_of, account_stream
from ledger.profile import UNKNOWN
from ledger.work import Work
from loyalty.v1.events_pb2 import MemberErased
from loyalty.v1.member_service_pb2 import EraseMemberRequest


def erase_member(act: Act, work: Work) -> Answer:
    """Let an account be nobody's, and all that tells whose it was be gone in the same commit."""
    request = act.request
    assert isinstance(request, EraseMemberRequest)
    at = context.occurred_at(act, work)
    unit = request.origin.business_unit
    require_unit(work, unit, at)
    stream = context.member_stream(act, work)
    goes_home = leave_pools(work, stream, unit, at)
    account, _ = work.advance(stream)
    # Who is erased is erased with all that was merged into their account.
    streams = (stream, *map(account_stream, account.part_ids))
    for part in streams[1:]:
        # Only the account that they are part of was named.
        work.other_account(part)
    linked = [each for part in streams for each in work.identities_of(part)]
    command = commands.EraseMember(
        certificate_id=str(uuid_utils.uuid7()),
        business_unit=unit,
        requested_by=request.requested_by,
        reference=request.reference,
        actor=act.actor,
        identities=tuple((holder.identity_id, scheme) for (scheme, _), holder in linked),
        profile=work.profile(stream) != UNKNOWN,
        balance=request.balance,
        occurred_at=at,
    )
    done = carry_out(work, stream, command)
    where = done.where
    for part in streams[1:]:
        _unlink_all(act, work, part, unit, at)
    for part in streams:
        for document in work.awaiting(account_of(part)):
            work.await_no_more(document)
        work.erase_profile(part)
    for key, _ in linked:
        work.unlink_identity(key)
    fact = next(each.event for each in done.facts if isinstance(each.event, MemberErased))
    position = position_token(where.lane, where.next_pos)
    certificate = certificate_of(fact, member_id=account.account_id, position=position)
    certificate.transfer_ids.extend(goes_home)
    return context.register(act, work, where, certificate)


def _unlink_all(act: Act, work: Work, stream: str, unit: str, at: Instant) -> None:
    """Take from an account that was merged what it is found by; its own stream tells that."""
    for (scheme, _), holder in work.identities_of(stream):
        work.advance(stream)
        command = commands.UnlinkIdentity(
            identity_id=holder.identity_id,
            scheme=scheme,
            business_unit=unit,
            reason="",
            actor=act.actor,
            occurred_at=at,
        )
        carry_out(work, stream, command)

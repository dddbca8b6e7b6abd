"""EraseMember."""

import uuid_utils

from ledger.act import Act, Answer
from ledger.answers import position_token
from ledger.core import commands
from ledger.core.decide import decide
from ledger.erasures import certificate_of
from ledger.handlers import context
from ledger.handlers.members import require_unit
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
    account, _ = work.advance(stream)
    linked = work.identities_of(stream)
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
    decision = decide(
        command, account, now=work.now(stream), ladder=work.policies.ladder, ends=work.ends
    )
    where = work.record(stream, decision)
    for document in work.awaiting(account.account_id):
        work.await_no_more(document)
    for key, _ in linked:
        work.unlink_identity(key)
    work.erase_profile(stream)
    fact = next(each.event for each in decision.facts if isinstance(each.event, MemberErased))
    position = position_token(where.lane, where.next_pos)
    certificate = certificate_of(fact, member_id=account.account_id, position=position)
    return context.register(act, work, where, certificate)

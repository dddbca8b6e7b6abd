"""SuspendMember, CloseMember, ReopenMember."""

from typing import Final

import uuid_utils

from ledger.act import Act, Answer
from ledger.core import commands
from ledger.handlers import context
from ledger.handlers.carrying_out import carry_out
from ledger.handlers.members import member_message, require_unit
from ledger.handlers.pools import leave_pools
from ledger.work import Work
from loyalty.v1.member_service_pb2 import (
    CloseMemberRequest,
    ReopenMemberRequest,
    SuspendMemberRequest,
)
from loyalty.v1.types_pb2 import (
    MEMBERSHIP_STATE_CLOSED,
    MEMBERSHIP_STATE_OPEN,
    MEMBERSHIP_STATE_SUSPENDED,
    MembershipState,
)

_STATES: Final[dict[type, MembershipState.ValueType]] = {
    SuspendMemberRequest: MEMBERSHIP_STATE_SUSPENDED,
    CloseMemberRequest: MEMBERSHIP_STATE_CLOSED,
    ReopenMemberRequest: MEMBERSHIP_STATE_OPEN,
}


def change_membership(act: Act, work: Work) -> Answer:
    """Suspend a member, close the account, or let the member take part again."""
    request = act.request
    assert isinstance(request, SuspendMemberRequest | CloseMemberRequest | ReopenMemberRequest)
    at = context.occurred_at(act, work)
    unit = request.origin.business_unit
    require_unit(work, unit, at)
    stream = context.member_stream(act, work)
    closes = isinstance(request, CloseMemberRequest)
    goes_home = leave_pools(work, stream, unit, at) if closes else []
    work.advance(stream)
    command = commands.ChangeMembership(
        entry_id=str(uuid_utils.uuid7()),
        state=_STATES[type(request)],
        reason=request.reason,
        actor=act.actor,
        business_unit=unit,
        occurred_at=at,
        forfeit=isinstance(request, CloseMemberRequest) and request.forfeit,
    )
    done = carry_out(work, stream, command)
    message = member_message(done.account, done.where)
    message.transfer_ids.extend(goes_home)
    return context.register(act, work, done.where, message)

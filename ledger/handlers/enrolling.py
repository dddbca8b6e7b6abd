"""EnrolMember."""

import uuid_utils

from ledger.act import Act, Answer
from ledger.consents import consents_of
from ledger.core import refusals
from ledger.handlers import context
from ledger.handlers.awaiting import credit_awaiting
from ledger.handlers.members import open_account, require_unit, told
from ledger.lanes import account_stream
from ledger.work import Work
from loyalty.v1.member_service_pb2 import EnrolMemberRequest


def enrol_member(act: Act, work: Work) -> Answer:
    """Open an account known by the given identities."""
    request = act.request
    assert isinstance(request, EnrolMemberRequest)
    at = context.occurred_at(act, work)
    require_unit(work, request.origin.business_unit, at)
    holder = _holder(act, work)
    if holder:
        if not request.or_existing:
            raise refusals.IdentityTaken(scheme=_taken_scheme(act, work))
        return _existing(act, work, account_stream(holder))
    stream = account_stream(str(uuid_utils.uuid7()))
    consents = consents_of(request.consents, business_unit=request.origin.business_unit, at=at)
    where = open_account(
        work, stream, act.new_identities, origin=request.origin, since=at, consents=consents
    )
    credit_awaiting(work, stream, at)
    return context.register(act, work, where, told(work, stream))


def _holder(act: Act, work: Work) -> str:
    """Account that has one of the identities already; empty for none. Raises IdentitiesDiffer."""
    holders: dict[str, str] = {}
    for key in act.new_identities:
        account = work.holder(key)
        if account:
            holders.setdefault(account, key[0])
    if len(holders) > 1:
        raise refusals.IdentitiesDiffer(schemes=", ".join(holders.values()))
    return next(iter(holders), "")


def _taken_scheme(act: Act, work: Work) -> str:
    return next(key[0] for key in act.new_identities if work.holder(key))


def _existing(act: Act, work: Work, stream: str) -> Answer:
    """The member who was faster, or there all along; nothing is recorded but the request."""
    work.other_account(stream)
    account, _ = work.advance(stream)
    message = told(work, stream)
    message.existed = True
    where = work.append(stream, account.version, ())
    return context.register(act, work, where, message)

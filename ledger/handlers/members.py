"""EnrolMember, and how members are told of."""

from collections.abc import Iterable

import uuid_utils

from ledger.act import Act, Answer
from ledger.answers import position_token
from ledger.consents import consents_of
from ledger.core import commands, refusals
from ledger.core.care import Consent
from ledger.core.decide import Decision, decide
from ledger.core.instant import Instant, optional_timestamp
from ledger.core.state import Account
from ledger.handlers import context
from ledger.lanes import account_stream, lane_of
from ledger.store import IdentityKey, IdentityRow
from ledger.work import Range, Work
from loyalty.v1.member_service_pb2 import EnrolMemberRequest, Member
from loyalty.v1.types_pb2 import Origin


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
    decision, where = open_account(
        work, stream, act.new_identities, origin=request.origin, since=at, consents=consents
    )
    return context.register(act, work, where, member_message(decision.account, where))


def open_account(
    work: Work,
    stream: str,
    keys: Iterable[IdentityKey],
    *,
    origin: Origin,
    since: Instant,
    consents: tuple[Consent, ...] = (),
) -> tuple[Decision, Range]:
    """Enrol a member who is known by identities that nobody has."""
    identities = [(str(uuid_utils.uuid7()), key) for key in keys]
    command = commands.EnrolMember(
        business_unit=origin.business_unit,
        channel=origin.channel,
        occurred_at=since,
        identities=tuple((identity_id, key[0]) for identity_id, key in identities),
        consents=consents,
    )
    account = work.account(stream)
    decision = decide(
        command, account, now=work.now(stream), ladder=work.policies.ladder, ends=work.ends
    )
    where = work.record(stream, decision)
    for identity_id, key in identities:
        register_identity(work, stream, identity_id, key)
    return decision, where


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
    where = work.append(stream, account.version, ())
    message = member_message(account, where)
    message.existed = True
    return context.register(act, work, where, message)


def require_unit(work: Work, business_unit: str, at: int) -> None:
    """Raise UnknownBusinessUnit for a unit that the policy in force does not know."""
    policy = work.policies.at(at)
    if business_unit not in policy.units:
        raise refusals.UnknownBusinessUnit(
            field="origin.business_unit",
            value=business_unit,
            known=", ".join(sorted(policy.units)),
        )


def register_identity(work: Work, stream: str, identity_id: str, key: IdentityKey) -> None:
    """Let an identity be the member's with an account, who may be another one than before."""
    account = work.account(stream).account_id
    lane = lane_of(stream, work.lanes)
    work.register_identity(IdentityRow(key[0], key[1], account, identity_id, lane))


def member_message(account: Account, where: Range) -> Member:
    """A member as callers see it."""
    return Member(
        member_id=account.account_id,
        business_unit=account.business_unit,
        enrol_time=optional_timestamp(account.enrolled_at),
        identity_schemes=account.identity_schemes,
        tier=account.tier,
        membership=account.membership.state,
        position=position_token(where.lane, where.next_pos),
    )

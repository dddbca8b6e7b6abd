"""What handlers of members share: opening an account, registering identities, telling who it is."""

from collections.abc import Iterable

import uuid_utils

from ledger.answers.postings import position_token
from ledger.core import commands, refusals
from ledger.core.care import Consent
from ledger.core.instant import Instant, optional_timestamp
from ledger.core.state import Account
from ledger.handlers.carrying_out import carry_out
from ledger.known import Range
from ledger.lanes import lane_of
from ledger.rows import IdentityKey, IdentityRow
from ledger.work import Work
from loyalty.v1.member_service_pb2 import Member
from loyalty.v1.types_pb2 import Origin


def open_account(
    work: Work,
    stream: str,
    keys: Iterable[IdentityKey],
    *,
    origin: Origin,
    since: Instant,
    consents: tuple[Consent, ...] = (),
) -> Range:
    """Enrol a member who is known by identities that nobody has."""
    identities = [(str(uuid_utils.uuid7()), key) for key in keys]
    command = commands.EnrolMember(
        business_unit=origin.business_unit,
        channel=origin.channel,
        occurred_at=since,
        identities=tuple((identity_id, key[0]) for identity_id, key in identities),
        consents=consents,
    )
    where = carry_out(work, stream, command).where
    for identity_id, key in identities:
        register_identity(work, stream, identity_id, key)
    return where


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


def told(work: Work, stream: str) -> Member:
    """A member as callers see it, after all that was recorded so far."""
    account = work.account(stream)
    return member_message(account, work.append(stream, account.version, ()))


def member_message(account: Account, where: Range) -> Member:
    """A member as callers see it."""
    return Member(
        member_id=account.account_id,
        business_unit=account.business_unit,
        enrol_time=optional_timestamp(account.enrolled_at),
        identity_schemes=account.identity_schemes,
        tier=account.tier,
        membership=account.membership.state,
        merged_into=account.membership.leads_to,
        merge_step=0 if account.merging is None else account.merging.step,
        erase_time=optional_timestamp(account.care.erased_at),
        pool_ids=account.pooling.joined,
        position=position_token(where.lane, where.next_pos),
    )

"""Members: joining, and being known by one more identity."""

from ledger.core.commands import ChangeProfile, EnrolMember, LinkIdentity
from ledger.core.decision import Draft
from ledger.core.instant import to_timestamp
from ledger.core.refusals import AlreadyEnrolled
from ledger.core.state import Account
from loyalty.v1.events_pb2 import IdentityLinked, MemberEnrolled, MemberProfileChanged


def enrol(draft: Draft, command: EnrolMember, account: Account) -> None:
    """Open the account. Raises AlreadyEnrolled."""
    if account.enrolled_at is not None:
        raise AlreadyEnrolled(member_id=account.account_id)
    draft.record(
        MemberEnrolled(
            member_id=account.account_id,
            business_unit=command.business_unit,
            channel=command.channel,
            enrol_time=to_timestamp(command.occurred_at),
        )
    )
    for identity_id, scheme in command.identities:
        draft.record(
            IdentityLinked(
                identity_id=identity_id, scheme=scheme, business_unit=command.business_unit
            )
        )


def change_profile(draft: Draft, command: ChangeProfile) -> None:
    """Note that what is known of the member changed."""
    draft.record(
        MemberProfileChanged(
            changed=command.changed,
            business_unit=command.business_unit,
            change_time=to_timestamp(command.occurred_at),
        )
    )


def link(draft: Draft, command: LinkIdentity) -> None:
    """Add an identity."""
    draft.record(
        IdentityLinked(
            identity_id=command.identity_id,
            scheme=command.scheme,
            business_unit=command.business_unit,
        )
    )

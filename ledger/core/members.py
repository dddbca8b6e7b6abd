"""Members: joining, being known by one more identity, and what they agree to."""

from collections.abc import Iterable

from ledger.core.care import CONSENTS_MAX, Consent
from ledger.core.commands import ChangeProfile, EnrolMember, LinkIdentity, UnlinkIdentity
from ledger.core.decision import Draft
from ledger.core.instant import to_timestamp
from ledger.core.refusals import AlreadyEnrolled, TooManyConsents
from ledger.core.state import Account
from loyalty.v1.events_pb2 import (
    ConsentChanged,
    IdentityLinked,
    IdentityUnlinked,
    MemberEnrolled,
    MemberProfileChanged,
)
from loyalty.v1.types_pb2 import CONSENT_STATE_GRANTED, CONSENT_STATE_WITHDRAWN


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
    _change_consents(draft, command.consents)


def change_profile(draft: Draft, command: ChangeProfile) -> None:
    """Note that what is known of the member changed, and what the member agrees to.

    Raises TooManyConsents.
    """
    if command.changed:
        draft.record(
            MemberProfileChanged(
                changed=command.changed,
                business_unit=command.business_unit,
                change_time=to_timestamp(command.occurred_at),
            )
        )
    _change_consents(draft, command.consents)


def _change_consents(draft: Draft, told: Iterable[Consent]) -> None:
    """Record each, one that changes nothing too: it is evidence. Raises TooManyConsents."""
    for consent in told:
        known = {each.about for each in draft.tally.care.consents}
        if consent.granted and consent.about not in known and len(known) >= CONSENTS_MAX:
            raise TooManyConsents(limit=CONSENTS_MAX)
        draft.record(
            ConsentChanged(
                purpose=consent.purpose,
                channel=consent.channel,
                state=CONSENT_STATE_GRANTED if consent.granted else CONSENT_STATE_WITHDRAWN,
                wording_version=consent.wording_version,
                source=consent.source,
                business_unit=consent.business_unit,
                change_time=to_timestamp(consent.changed_at),
            )
        )


def link(draft: Draft, command: LinkIdentity) -> None:
    """Add an identity."""
    draft.record(
        IdentityLinked(
            identity_id=command.identity_id,
            scheme=command.scheme,
            business_unit=command.business_unit,
            moved_from=command.moved_from,
        )
    )


def unlink(draft: Draft, command: UnlinkIdentity) -> None:
    """Take an identity away."""
    draft.record(
        IdentityUnlinked(
            identity_id=command.identity_id,
            scheme=command.scheme,
            business_unit=command.business_unit,
            moved_to=command.moved_to,
            reason=command.reason,
            actor=command.actor,
        )
    )

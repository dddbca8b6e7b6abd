"""Suspending members, closing accounts, and letting members take part again."""

from ledger.core.commands import (
    BurnPoints,
    CaptureHold,
    ChangeMembership,
    ChangeProfile,
    Command,
    CompleteTransfer,
    ConvertPoints,
    EraseMember,
    HoldPoints,
    LeaveDocument,
    PostDocument,
    RecallPoints,
    ReceivePoints,
    ReleaseHold,
    ReturnPoints,
    ReverseEntry,
    SendPoints,
    UnlinkIdentity,
)
from ledger.core.decision import Draft
from ledger.core.expiring import forfeit
from ledger.core.instant import to_timestamp
from ledger.core.membership import require_not_closed, require_spending, shown
from ledger.core.refusals import AccountErased, AccountNotEmpty, Merging
from ledger.core.state import Account
from loyalty.v1.events_pb2 import MembershipChanged
from loyalty.v1.types_pb2 import MEMBERSHIP_STATE_CLOSED, MEMBERSHIP_STATE_OPEN

_SPENDING = (BurnPoints, HoldPoints, SendPoints, ReceivePoints, ConvertPoints)
"""What lets points go as the member wants it, and what others let come in."""
_OF_OLD_THINGS = (
    CaptureHold,
    ReleaseHold,
    ReverseEntry,
    RecallPoints,
    CompleteTransfer,
    ReturnPoints,
    UnlinkIdentity,
    LeaveDocument,
)
"""What is about a hold, burn, transfer, document or identity that stands already."""


def require_membership(command: Command, account: Account) -> None:
    """Refuse what a member who is suspended, closed or erased may not do.

    Raises AccountErased, Merging, AccountClosed, AccountSuspended.
    """
    member_id, membership = account.account_id, account.membership
    if not _corrects(command):
        require_somebody(account)
    if _goes(command) and account.merging is not None:
        # What comes would come to nobody, and who it was would stay known by it.
        raise Merging(member_id=member_id)
    if isinstance(command, PostDocument):
        if command.head is None:
            require_not_closed(member_id, membership)
    elif isinstance(command, _SPENDING):
        require_spending(member_id, membership)
    elif isinstance(command, ChangeMembership):
        if command.state not in (MEMBERSHIP_STATE_OPEN, MEMBERSHIP_STATE_CLOSED):
            require_not_closed(member_id, membership)
    elif not (isinstance(command, (*_OF_OLD_THINGS, EraseMember)) or _withdraws(command)):
        require_not_closed(member_id, membership)


def require_somebody(account: Account) -> None:
    """Refuse what only a member can do. Raises AccountErased."""
    if account.care.erased_at is not None:
        since = shown(account.care.erased_at)
        raise AccountErased(member_id=account.account_id, since=since)


def require_member(account: Account) -> None:
    """Refuse who is not to get anything new. Raises AccountErased, AccountClosed."""
    require_somebody(account)
    require_not_closed(account.account_id, account.membership)


def require_taking_part(account: Account) -> None:
    """Refuse who may not spend, nor act for anybody, now.

    Raises AccountErased, AccountClosed, AccountSuspended.
    """
    require_somebody(account)
    require_spending(account.account_id, account.membership)


def _corrects(command: Command) -> bool:
    """Whether a command is about something that stood before, and not about a member."""
    if isinstance(command, PostDocument):
        return command.head is not None
    return isinstance(command, _OF_OLD_THINGS)


def _goes(command: Command) -> bool:
    """Whether a member takes part no more from now on."""
    if isinstance(command, ChangeMembership):
        return command.state == MEMBERSHIP_STATE_CLOSED
    return isinstance(command, EraseMember)


def _withdraws(command: Command) -> bool:
    """Whether nothing is told but consents that are withdrawn: that is always possible."""
    return (
        isinstance(command, ChangeProfile)
        and not command.changed
        and not any(consent.granted for consent in command.consents)
    )


def change_membership(draft: Draft, command: ChangeMembership) -> None:
    """Suspend, close or reopen; what stands so already is not recorded again.

    Raises AccountNotEmpty.
    """
    if draft.tally.membership.state == command.state:
        return
    closes = command.state == MEMBERSHIP_STATE_CLOSED
    if closes:
        require_empty(draft, forfeits=command.forfeit)
    draft.record(
        MembershipChanged(
            state=command.state,
            reason=command.reason,
            actor=command.actor,
            business_unit=command.business_unit,
            change_time=to_timestamp(command.occurred_at),
            entry_id=command.entry_id,
        )
    )
    if closes:
        forfeit(draft, entry_id=command.entry_id)


def require_empty(draft: Draft, *, forfeits: bool) -> None:
    """Refuse to close an account with points; those held or in transit are for others to end."""
    for currency, row in draft.tally.balances.items():
        available, pending, held, _, in_transit = row
        windows = [lot for lot in draft.tally.lots.items if lot.tier_window]
        qualifying = [lot for lot in windows if lot.currency == currency]
        available -= sum(lot.available for lot in qualifying)
        pending -= sum(lot.pending for lot in qualifying)
        if held or in_transit or ((available or pending) and not forfeits):
            raise AccountNotEmpty(
                currency=currency,
                available=available,
                pending=pending,
                held=held,
                in_transit=in_transit,
            )

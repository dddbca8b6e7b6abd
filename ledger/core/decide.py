"""The one door to every verb: a command and an account in, facts or a refusal out."""

from collections.abc import Callable
from typing import Any, Final

from ledger.core import pools
from ledger.core.adjustments import adjust, approve, reject
from ledger.core.advance import advance, settle
from ledger.core.burns import burn
from ledger.core.closing import change_membership, require_membership
from ledger.core.commands import (
    AddPoolMember,
    AdjustPoints,
    AdvanceAccount,
    ApproveAdjustment,
    BurnPoints,
    CaptureHold,
    ChangeMembership,
    ChangeProfile,
    ClosePool,
    Command,
    CompleteTransfer,
    ConvertPoints,
    CreatePool,
    CreateReferral,
    EnrolMember,
    EraseMember,
    ExtendLot,
    GrantTier,
    HoldPoints,
    JoinPool,
    LeaveDocument,
    LeavePool,
    LinkIdentity,
    LotEnds,
    PostDocument,
    RecallPoints,
    ReceivePoints,
    RecordOpening,
    RejectAdjustment,
    ReleaseHold,
    RemovePoolMember,
    ReturnPoints,
    ReverseEntry,
    SendPoints,
    SetPoolPermissions,
    TierLadder,
    UnlinkIdentity,
)
from ledger.core.conversions import convert
from ledger.core.decision import DATES_ALONE, Decision, Draft, Outcome
from ledger.core.documents import post
from ledger.core.erasing import erase
from ledger.core.extending import extend
from ledger.core.holds import capture, hold, release
from ledger.core.instant import Instant
from ledger.core.members import change_profile, enrol, link, unlink
from ledger.core.moves import leave
from ledger.core.openings import open_balance
from ledger.core.recalls import recall
from ledger.core.referring import refer
from ledger.core.reversals import reverse
from ledger.core.state import Account
from ledger.core.tiers import grant, reach_by
from ledger.core.transfers import complete, give_back, receive, send

__all__ = ["Decision", "Outcome", "decide"]


def decide(  # noqa: C901 - one arm per verb
    command: Command,
    account: Account,
    *,
    now: Instant,
    ladder: TierLadder,
    ends: LotEnds = DATES_ALONE,
) -> Decision:
    """Decide a command on an account that was advanced to `now`.

    The result is advanced as well: a lot that is born overdue expires in the same decision.
    `now` is the writer's instant, which the facts will bear as recorded. Raises Refusal.
    """
    if isinstance(command, AdvanceAccount):
        return advance(account, now=now, ladder=ladder, ends=ends)
    require_membership(command, account)
    draft = Draft(account, at=command.occurred_at, ends=ends)
    outcome = Outcome.POSTED
    match command:
        case PostDocument():
            if post(draft, command, now=now) is Outcome.SUPERSEDED:
                return Decision((), account, Outcome.SUPERSEDED)
            if _counts_for_tiers(draft, account):
                reach_by(draft, command, ladder, now=now)
        case LeaveDocument():
            leave(draft, command)
            if _counts_for_tiers(draft, account):
                reach_by(draft, command, ladder, now=now)
        case ReverseEntry():
            reverse(draft, command, now=now)
        case SendPoints():
            send(draft, command, now=now)
        case GrantTier():
            grant(draft, command, ladder)
        case CreateReferral():
            refer(draft, command)
        case EraseMember():
            erase(draft, command, account)
        case EnrolMember():
            enrol(draft, command, account)
        case AdjustPoints():
            outcome = adjust(draft, command)
        case ApproveAdjustment():
            approve(draft, command, now=now)
        case RejectAdjustment():
            reject(draft, command, now=now)
        case RecordOpening():
            open_balance(draft, command, ladder)
        case ExtendLot():
            extend(draft, command)
        case RecallPoints():
            recall(draft, command)
        case _:
            _SIMPLY[type(command)](draft, command)
    settle(draft, since=command.occurred_at, now=now, ladder=ladder)
    return draft.decision(outcome)


def _counts_for_tiers(draft: Draft, account: Account) -> bool:
    """Whether something changed that a ladder may look at."""
    tally = draft.tally
    return tally.qualifying is not account.qualifying or tally.counting.usage is not account.usage


_SIMPLY: Final[dict[type, Callable[[Draft, Any], None]]] = {
    BurnPoints: burn,
    HoldPoints: hold,
    CaptureHold: capture,
    ReleaseHold: release,
    ReceivePoints: receive,
    CompleteTransfer: complete,
    ReturnPoints: give_back,
    ConvertPoints: convert,
    LinkIdentity: link,
    UnlinkIdentity: unlink,
    ChangeProfile: change_profile,
    ChangeMembership: change_membership,
    CreatePool: pools.create,
    AddPoolMember: pools.add,
    RemovePoolMember: pools.remove,
    SetPoolPermissions: pools.set_permissions,
    ClosePool: pools.close,
    JoinPool: pools.join,
    LeavePool: pools.leave,
}
"""Verbs that ask for nothing but the account and their command."""

"""What time has decided: recorded before every command, in the order in which it fell due.

At one instant: releases, then expiries, then holds that time out, then tier periods, each by id.
What a hold has of a lot expires with it, where the hold does not keep its points.
What one step makes due (points of a hold that come back to an overdue lot) joins the queue, so
that nothing is due when it is empty.
"""

from heapq import heapify, heappop, heappush
from typing import Final

from ledger.core.arrears import release_lot
from ledger.core.commands import LotEnds, TierLadder
from ledger.core.decision import DATES_ALONE, Decision, Draft, Outcome
from ledger.core.expiring import expire, forfeit
from ledger.core.holds import give_back, let_expire
from ledger.core.instant import Instant
from ledger.core.state import Account, Lot
from ledger.core.tally import Tally
from ledger.core.tiers import end_period, reach
from loyalty.v1.events_pb2 import RELEASE_CAUSE_TIMED_OUT

_RELEASE: Final = 0
_EXPIRE: Final = 1
_TIME_OUT: Final = 2
_END_PERIOD: Final = 3
_LONG_AGO: Final = -(2**62)

_Due = tuple[Instant, int, str, str]
"""(due instant, what, lot or hold id, the hold's business unit)"""


def advance(
    account: Account, *, now: Instant, ladder: TierLadder, ends: LotEnds = DATES_ALONE
) -> Decision:
    """Record what is due by `now`; no facts when nothing is."""
    if not _is_due(account, now, ends):
        return Decision((), account, Outcome.POSTED)
    draft = Draft(account, at=now, ends=ends)
    settle(draft, since=_LONG_AGO, now=now, ladder=ladder)
    return draft.decision()


def settle(draft: Draft, *, since: Instant, now: Instant, ladder: TierLadder) -> None:
    """Record what is due by `now` on a draft.

    `since` is when its last facts occurred: points that came back to an overdue lot then, expire
    then, and not when the lot would have.
    """
    queue = _due(draft, since, now)
    heapify(queue)
    while queue:
        at, what, subject, unit = heappop(queue)
        draft.at = at
        if what == _RELEASE:
            follow = _release(draft, subject, ladder, now)
        elif what == _EXPIRE:
            follow = _expire(draft, subject, now)
        elif what == _TIME_OUT:
            follow = _time_out(draft, subject, unit, now)
        else:
            follow = _end_period(draft, ladder, now)
        for due in follow:
            heappush(queue, due)
    if draft.tally.membership.is_closed:
        forfeit(draft, entry_id="")


def _is_due(account: Account, now: Instant, ends: LotEnds) -> bool:
    for balance in account.balances.values():
        if balance.pending and any(_releasable(lot, now) for lot in account.lots):
            return True
    for lot in account.lots:
        if lot.expires_at is None or lot.expires_at > now or lot.life is not None:
            break
        if lot.available:
            return True
    for lot in reversed(account.lots):
        if lot.life is None:
            break
        if lot.available and _passed(ends.end(lot, account), now):
            return True
    if account.holds and _hold_is_due(account, now, ends):
        return True
    end = account.tiers[-1].next_question_at if account.tiers else None
    return _passed(end, now) and not account.membership.rests


def _passed(end: Instant | None, now: Instant) -> bool:
    return end is not None and end <= now


def _due(draft: Draft, since: Instant, now: Instant) -> list[_Due]:
    tally = draft.tally
    due: list[_Due] = []
    for lot in tally.lots.items:
        if lot.expires_at is None or lot.expires_at > now or lot.life is not None:
            break
        if lot.available:
            due.append((max(lot.expires_at, since), _EXPIRE, lot.lot_id, ""))
    due += _living_due(draft, since, now)
    for row in tally.balances.values():
        if row[1]:
            due += _releases(tally, since, now)
            break
    due += _held_due(draft, since, now)
    for hold in tally.holds:
        if hold.expires_at is not None and hold.expires_at <= now:
            due.append((max(hold.expires_at, since), _TIME_OUT, hold.hold_id, hold.business_unit))
    end = tally.tiers[-1].next_question_at if tally.tiers else None
    if end is not None and end <= now and not tally.membership.rests:
        due.append((end, _END_PERIOD, "", ""))
    return due


def _living_due(draft: Draft, since: Instant, now: Instant) -> list[_Due]:
    """Lots whose end is derived, as far as it has passed; they stand last."""
    due: list[_Due] = []
    for lot in reversed(draft.tally.lots.items):
        if lot.life is None:
            break
        end = draft.end_of(lot)
        if lot.available and end is not None and end <= now:
            due.append((max(end, since), _EXPIRE, lot.lot_id, ""))
    return due


def _held_due(draft: Draft, since: Instant, now: Instant) -> list[_Due]:
    """Lots that have passed their time, of which a hold that does not keep them has points."""
    due: list[_Due] = []
    for hold in draft.tally.holds:
        for draw in hold.draws if hold.points_expire else ():
            end = draft.end_of(draw)
            if end is not None and end <= now:
                due.append((max(end, since), _EXPIRE, draw.lot_id, ""))
    return due


def _releases(tally: Tally, since: Instant, now: Instant) -> list[_Due]:
    return [
        (max(lot.available_at, since), _RELEASE, lot.lot_id, "")
        for lot in tally.lots.items
        if lot.available_at is not None and _releasable(lot, now)
    ]


def _releasable(lot: Lot, now: Instant) -> bool:
    return lot.pending > 0 and lot.available_at is not None and lot.available_at <= now


def _hold_is_due(account: Account, now: Instant, ends: LotEnds) -> bool:
    for hold in account.holds:
        if _passed(hold.expires_at, now):
            return True
        if hold.points_expire and any(_passed(ends.end(draw, account), now) for draw in hold.draws):
            return True
    return False


def _release(draft: Draft, lot_id: str, ladder: TierLadder, now: Instant) -> list[_Due]:
    lot = next(lot for lot in draft.tally.lots.items if lot.lot_id == lot_id and lot.pending)
    release_lot(draft, lot, entry_id="")
    due: list[_Due] = []
    if lot.tier_window:
        reach(draft, ladder, entry_id="")
        due = _period_due(draft, now)
    left = next((left for left in draft.tally.lots.items if left.lot_id == lot_id), lot)
    expires_at = draft.end_of(left)
    if expires_at is not None and expires_at <= now:
        due.append((max(expires_at, draft.at), _EXPIRE, lot_id, ""))
    return due


def _expire(draft: Draft, lot_id: str, now: Instant) -> list[_Due]:
    due: list[_Due] = []
    if draft.tally.holds:
        held_until = let_expire(draft, lot_id)
        if held_until is not None and held_until <= now:
            due.append((held_until, _EXPIRE, lot_id, ""))
    for lot in draft.tally.lots.items:
        if lot.lot_id != lot_id or not lot.available:
            continue
        end = draft.end_of(lot)
        if end is None or end > now:
            continue
        if end > draft.at:
            # What was recorded since it was queued lets it live on for a while.
            return [*due, (end, _EXPIRE, lot_id, "")]
        expire(draft, lot)
        break
    return due


def _time_out(draft: Draft, hold_id: str, business_unit: str, now: Instant) -> list[_Due]:
    same = (
        hold
        for hold in draft.tally.holds
        if hold.hold_id == hold_id and hold.business_unit == business_unit and not hold.recalled
    )
    hold = next(same, None)
    if hold is None:
        # All that it held has expired since this was queued.
        return []
    give_back(draft, hold, cause=RELEASE_CAUSE_TIMED_OUT, entry_id="")
    due: list[_Due] = []
    for draw in hold.draws:
        expires_at = draft.end_of(draw)
        if expires_at is not None and expires_at <= now:
            due.append((max(expires_at, draft.at), _EXPIRE, draw.lot_id, ""))
    return due


def _end_period(draft: Draft, ladder: TierLadder, now: Instant) -> list[_Due]:
    end = draft.tally.tiers[-1].next_question_at
    if end is None or end > draft.at:
        # A tier that was reached since this was queued has an end of its own.
        return []
    end_period(draft, ladder)
    # A tier that is gone protects no points any more.
    living = _living_due(draft, draft.at, now) + _held_due(draft, draft.at, now)
    return _period_due(draft, now) + living


def _period_due(draft: Draft, now: Instant) -> list[_Due]:
    end = draft.tally.tiers[-1].next_question_at if draft.tally.tiers else None
    return [] if end is None or end > now else [(max(end, draft.at), _END_PERIOD, "", "")]

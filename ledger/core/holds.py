"""Holds: points are set aside, then captured in parts, released, or given back by time.

Where the policy says so, what they have of a lot expires with it, and they go on with the rest.
"""

from collections.abc import Sequence
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp

from ledger.core.burns import changed_usages, check_terms, draw_or_refuse, use_limits
from ledger.core.commands import CaptureHold, HoldFact, HoldPoints, ReleaseHold
from ledger.core.decision import Draft, check_points
from ledger.core.draws import draw_held, draw_of
from ledger.core.instant import (
    Instant,
    from_timestamp,
    optional_timestamp,
    to_datetime,
    to_timestamp,
)
from ledger.core.pools import require_spender
from ledger.core.refusals import HoldExists, HoldResolved, MoreThanHeld, UnknownHold
from ledger.core.state import Drawn, Hold
from ledger.core.velocity import use_speeds
from loyalty.v1.events_pb2 import (
    RELEASE_CAUSE_FINAL_CAPTURE,
    RELEASE_CAUSE_LOT_EXPIRED,
    RELEASE_CAUSE_RELEASED,
    RELEASE_CAUSE_TIMED_OUT,
    HoldCaptured,
    HoldReleased,
    PointsHeld,
    ReleaseCause,
)

CAPTURED: Final = "CAPTURED"
RELEASED: Final = "RELEASED"
TIMED_OUT: Final = "TIMED_OUT"
EXPIRED: Final = "EXPIRED"
_BY_TIME: Final = (RELEASE_CAUSE_TIMED_OUT, RELEASE_CAUSE_LOT_EXPIRED)


def hold(draft: Draft, command: HoldPoints) -> None:
    """Set points aside. Raises HoldExists, and what a burn raises."""
    check_points(command.points)
    require_spender(draft.tally.account(), command.spender_id)
    if _open_hold(draft, command.hold_id, command.business_unit) is not None:
        raise HoldExists(hold_id=command.hold_id)
    check_terms(command.points, command.terms)
    usages = use_limits(draft, command.points, command.terms.limits)
    usages += use_speeds(draft.tally.counting.usage, command.speeds, command.points)
    first = command.terms.draw_first
    draws = draw_or_refuse(draft, command.currency, command.points, first=first)
    draft.record(
        PointsHeld(
            hold_id=command.hold_id,
            currency=command.currency,
            points=command.points,
            business_unit=command.business_unit,
            draws=draws,
            expire_time=optional_timestamp(command.expires_at),
            available_after=draft.available(command.currency) - command.points,
            entry_id=command.entry_id,
            policy_digest=command.terms.policy_digest,
            usages=usages,
            spender_id=command.spender_id,
            points_expire=command.points_expire,
        )
    )


def capture(draft: Draft, command: CaptureHold) -> None:
    """Spend held points; the last capture gives back the rest.

    Raises Malformed, UnknownHold, HoldResolved, MoreThanHeld.
    """
    check_points(command.points)
    held = _find(draft, command)
    left = held.points - command.points
    if left < 0:
        raise MoreThanHeld(left=held.points, requested=command.points)
    draft.record(
        HoldCaptured(
            hold_id=held.hold_id,
            currency=held.currency,
            points=command.points,
            business_unit=held.business_unit,
            draws=draw_held(held.draws, command.points),
            # Nothing is left to capture: the hold is over even if the caller would have gone on.
            final=command.final or not left,
            entry_id=command.entry_id,
            hold_left=left,
            act=held.acts + 1,
            usages=changed_usages(held.limits, 0),
            burn_time=to_timestamp(command.occurred_at),
        )
    )
    if command.final and left:
        rest = _find(draft, command)
        give_back(draft, rest, cause=RELEASE_CAUSE_FINAL_CAPTURE, entry_id=command.entry_id)


def release(draft: Draft, command: ReleaseHold) -> None:
    """Give all held points back. Raises UnknownHold, HoldResolved."""
    held = _find(draft, command)
    give_back(draft, held, cause=RELEASE_CAUSE_RELEASED, entry_id=command.entry_id)


def give_back(draft: Draft, held: Hold, *, cause: ReleaseCause.ValueType, entry_id: str) -> None:
    """End a hold; what it has left becomes available in the lots it came from."""
    _let_go(draft, held, held.draws, cause=cause, entry_id=entry_id)


def let_expire(draft: Draft, lot_id: str) -> Instant | None:
    """Let what holds have of a lot whose time has passed come back to it, to expire there.

    Holds that keep their points are left alone. Gives when points end that others still have.
    """
    later: Instant | None = None
    for held in list(draft.tally.holds):
        gone: list[Drawn] = []
        for drawn in held.draws if held.points_expire else ():
            end = draft.end_of(drawn) if drawn.lot_id == lot_id else None
            if end is None:
                continue
            if end <= draft.at:
                gone.append(drawn)
            elif later is None or end < later:
                later = end
        if gone:
            _let_go(draft, held, gone, cause=RELEASE_CAUSE_LOT_EXPIRED, entry_id="")
    return later


def _let_go(
    draft: Draft,
    held: Hold,
    draws: Sequence[Drawn],
    *,
    cause: ReleaseCause.ValueType,
    entry_id: str,
) -> None:
    points = sum(draw.points for draw in draws)
    left = held.points - points
    draft.record(
        HoldReleased(
            hold_id=held.hold_id,
            currency=held.currency,
            points=points,
            business_unit=held.business_unit,
            draws=[draw_of(draw, draw.points) for draw in draws],
            cause=cause,
            available_after=draft.available(held.currency) + points,
            entry_id=entry_id,
            act=held.acts + 1,
            # A hold of which something was spent, or still is held, was not for nothing.
            usages=changed_usages(held.limits, -points, 0 if held.captured or left else -1),
            hold_left=left,
        )
    )


def _open_hold(draft: Draft, hold_id: str, business_unit: str) -> Hold | None:
    for held in draft.tally.holds:
        same = held.hold_id == hold_id and held.business_unit == business_unit
        if same and not held.recalled:
            return held
    return None


def _find(draft: Draft, command: CaptureHold | ReleaseHold) -> Hold:
    held = _open_hold(draft, command.hold_id, command.business_unit)
    if held is not None:
        return held
    if not command.history:
        raise UnknownHold(hold_id=command.hold_id)
    raise _resolved(command.hold_id, command.history)


def _resolved(hold_id: str, history: tuple[HoldFact, ...]) -> HoldResolved:
    """Name the act that ended a hold: the first of its acts that left nothing to act on."""
    for fact in history:
        if isinstance(fact, HoldCaptured) and fact.final:
            return HoldResolved(hold_id=hold_id, first_outcome=CAPTURED, resolved_by=fact.entry_id)
        if isinstance(fact, HoldReleased) and fact.cause not in _BY_TIME:
            return HoldResolved(hold_id=hold_id, first_outcome=RELEASED, resolved_by=fact.entry_id)
    last = history[-1]
    if isinstance(last, HoldReleased) and last.cause == RELEASE_CAUSE_LOT_EXPIRED:
        ended = max(_text(draw.expire_time) for draw in last.draws)
        return HoldResolved(hold_id=hold_id, first_outcome=EXPIRED, resolved_at=ended)
    # Time may have ended it in the very step that this command is part of.
    placed = history[0]
    assert isinstance(placed, PointsHeld)
    ended = _text(placed.expire_time)
    return HoldResolved(hold_id=hold_id, first_outcome=TIMED_OUT, resolved_at=ended)


def _text(at: Timestamp) -> str:
    """A time as people read it; empty for none, as of points whose end is derived."""
    return to_datetime(from_timestamp(at)).isoformat().replace("+00:00", "Z") if at.seconds else ""

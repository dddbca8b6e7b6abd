"""Facts that set recalled points aside, give them back, or take them."""

from collections.abc import Sequence

from ledger.core.lots import CorruptHistory, drawn_of
from ledger.core.state import Drawn, Hold
from ledger.core.tally import Tally
from loyalty.v1.events_pb2 import (
    PendingQuarantined,
    PendingQuarantineLifted,
    PointsQuarantined,
    QuarantineClawedBack,
    QuarantineLifted,
)


def quarantine(tally: Tally, event: PointsQuarantined | PendingQuarantined) -> None:
    """Set points aside: with what this recall has set aside before, where there is something."""
    pending = isinstance(event, PendingQuarantined)
    draws = [drawn_of(draw) for draw in event.draws]
    state = "pending" if pending else "available"
    tally.lots.shift(draws, out_of=state, into="held")
    index = _find(tally, event, pending=pending)
    if index is None:
        tally.holds.append(
            Hold(
                event.recall_id,
                event.business_unit,
                event.currency,
                tuple(draws),
                None,
                event.entry_id,
                recalled=True,
                pending=pending,
            )
        )
        return
    held = tally.holds[index]
    tally.holds[index] = held._replace(draws=_added(held.draws, draws))


def lift(tally: Tally, event: QuarantineLifted | PendingQuarantineLifted) -> None:
    """Give points back as they were."""
    pending = isinstance(event, PendingQuarantineLifted)
    draws = [drawn_of(draw) for draw in event.draws]
    tally.lots.shift(draws, out_of="held", into="pending" if pending else "available")
    _take(tally, event, draws, pending=pending)


def claw_back(tally: Tally, event: QuarantineClawedBack) -> None:
    """Take points that were set aside, spendable ones and others."""
    draws = [drawn_of(draw) for draw in event.draws]
    tally.lots.shift(draws, out_of="held", into="")
    for draw in draws:
        points = draw.points
        for pending in (False, True):
            index = _find(tally, event, pending=pending)
            there = 0 if index is None else _points_of(tally.holds[index], draw)
            taken = min(points, there)
            if taken:
                _take(tally, event, [draw._replace(points=taken)], pending=pending)
                points -= taken
        if points:
            raise CorruptHistory(f"recall {event.recall_id} has not set {points} points aside")


def _find(
    tally: Tally,
    event: PointsQuarantined
    | PendingQuarantined
    | QuarantineLifted
    | PendingQuarantineLifted
    | QuarantineClawedBack,
    *,
    pending: bool,
) -> int | None:
    for index, held in enumerate(tally.holds):
        same = held.recalled and held.hold_id == event.recall_id
        if same and held.currency == event.currency and held.pending == pending:
            return index
    return None


def _points_of(held: Hold, draw: Drawn) -> int:
    return sum(each.points for each in held.draws if _same(each, draw))


def _same(one: Drawn, other: Drawn) -> bool:
    return one.lot_id == other.lot_id and one.expires_at == other.expires_at


def _added(draws: tuple[Drawn, ...], more: Sequence[Drawn]) -> tuple[Drawn, ...]:
    """Draws with more of them: one for each lot and end."""
    kept = list(draws)
    for draw in more:
        for index, each in enumerate(kept):
            if _same(each, draw):
                kept[index] = each._replace(points=each.points + draw.points)
                break
        else:
            kept.append(draw)
    return tuple(kept)


def _take(
    tally: Tally,
    event: QuarantineLifted | PendingQuarantineLifted | QuarantineClawedBack,
    draws: Sequence[Drawn],
    *,
    pending: bool,
) -> None:
    """Take draws from what a recall has set aside; a hold with nothing left is over."""
    index = _find(tally, event, pending=pending)
    if index is None:
        raise CorruptHistory(f"recall {event.recall_id} has set nothing aside")
    held = tally.holds[index]
    left = list(held.draws)
    for draw in draws:
        found = next((n for n, each in enumerate(left) if _same(each, draw)), None)
        if found is None or left[found].points < draw.points:
            raise CorruptHistory(f"recall {event.recall_id} has not so much of {draw.lot_id}")
        left[found] = left[found]._replace(points=left[found].points - draw.points)
    draws_left = tuple(each for each in left if each.points)
    if draws_left:
        tally.holds[index] = held._replace(draws=draws_left)
    else:
        del tally.holds[index]

"""Facts that set points aside, and end that."""

from collections.abc import Iterable, Sequence

from ledger.core.applying.lots import count, note_burn
from ledger.core.instant import from_timestamp
from ledger.core.lots import CorruptHistory, drawn_of
from ledger.core.state import Counted, Drawn, Hold
from ledger.core.tally import Tally
from loyalty.v1.events_pb2 import HoldCaptured, HoldReleased, PointsHeld
from loyalty.v1.types_pb2 import Usage


def hold(tally: Tally, event: PointsHeld) -> None:
    """Set points aside."""
    draws = tuple(drawn_of(draw) for draw in event.draws)
    tally.lots.hold(draws)
    expires_at = from_timestamp(event.expire_time) if "expire_time" in event else None
    tally.holds.append(
        Hold(
            event.hold_id,
            event.business_unit,
            event.currency,
            draws,
            expires_at,
            event.entry_id,
            0,
            limits_of(event.usages),
            points_expire=event.points_expire,
        )
    )
    count(tally, event.usages)


def limits_of(usages: Iterable[Usage]) -> tuple[Counted, ...]:
    """The limits that a hold's points are counted under."""
    return tuple(Counted(used.name, used.scope, used.period, used.kept) for used in usages)


def capture(tally: Tally, event: HoldCaptured) -> None:
    """Spend held points."""
    note_burn(tally, event)
    _end(tally, event, comes_back=False)


def release(tally: Tally, event: HoldReleased) -> None:
    """Give held points back to their lots: all, or those whose lot has passed its time."""
    _end(tally, event, comes_back=True)


def _end(tally: Tally, event: HoldCaptured | HoldReleased, *, comes_back: bool) -> None:
    draws = [drawn_of(draw) for draw in event.draws]
    tally.lots.end_hold(draws, comes_back=comes_back)
    index = _open_hold(tally, event)
    held = tally.holds[index]
    count(tally, event.usages, owner=held.owner)
    left = _without(held, draws) if comes_back else _after(held.draws, event.points)
    if left:
        captured = held.captured or not comes_back
        tally.holds[index] = held._replace(draws=left, acts=event.act, captured=captured)
    else:
        del tally.holds[index]


def _open_hold(tally: Tally, event: HoldCaptured | HoldReleased) -> int:
    for index, held in enumerate(tally.holds):
        same = held.hold_id == event.hold_id and held.business_unit == event.business_unit
        if same and not held.recalled:
            return index
    raise CorruptHistory(f"there is no open hold {event.hold_id}")


def _without(held: Hold, gone: Sequence[Drawn]) -> tuple[Drawn, ...]:
    """Draws of a hold that are left once some of them, whole, came back."""
    if len(gone) == len(held.draws):
        return ()
    lots = {(draw.lot_id, draw.expires_at) for draw in gone}
    return tuple(draw for draw in held.draws if (draw.lot_id, draw.expires_at) not in lots)


def _after(draws: tuple[Drawn, ...], points: int) -> tuple[Drawn, ...]:
    """Draws that are left once points were taken from the first ones."""
    for index, draw in enumerate(draws):
        if points < draw.points:
            left = draw._replace(points=draw.points - points)
            return (left, *draws[index + 1 :])
        points -= draw.points
    return ()

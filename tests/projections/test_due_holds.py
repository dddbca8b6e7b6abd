"""What time decides of holds that do not keep their points."""

from typing import Any

import pytest

from ledger.core.events import AnyFact
from ledger.core.instant import to_timestamp
from loyalty.v1.events_pb2 import (
    RELEASE_CAUSE_LOT_EXPIRED,
    HoldCaptured,
    HoldMovedIn,
    HoldMovedOut,
    HoldReleased,
    LotExtended,
    PointsBurned,
    PointsHeld,
)
from loyalty.v1.types_pb2 import Draw, LotLife, MovedLot
from projections.due_ends import Part
from projections.due_names import held_part, hold_part, names_in
from projections.due_parts import Key, Parts
from tests.projections.history import START

SOON, LATER = START + 10**12, START + 10**13
HOLD: dict[str, Any] = {"business_unit": "market", "hold_id": "H"}
LOT: dict[str, Any] = {"lot_id": "lot", "expire_time": to_timestamp(SOON)}
KEY = ("m", held_part("market", "H", "lot"))


def applied(known: dict[Key, Part], *facts: AnyFact) -> dict[Key, Part]:
    """What is kept after facts, when only what each one names is looked up."""
    for fact in facts:
        names = set(names_in(fact))
        extended = isinstance(fact, LotExtended)
        parts = Parts({k: part for k, part in known.items() if k[1] in names or extended})
        parts.apply("m", fact)
        known = {k: part for k, part in known.items() if k not in parts.gone()}
        known |= dict(parts.changed())
    return known


def held(*, expire: bool = True, **more: Any) -> PointsHeld:
    """40 points of one lot are held."""
    draws = [Draw(points=40, **{**LOT, **more})]
    ends = to_timestamp(LATER)
    return PointsHeld(points=40, draws=draws, expire_time=ends, points_expire=expire, **HOLD)


def test_a_lot_that_is_held_is_due_where_the_hold_does_not_keep_it() -> None:
    parts = applied({}, held())
    assert parts[KEY] == Part(40, ends_at=SOON)
    assert parts["m", hold_part("market", "H")].due_at == LATER
    assert KEY not in applied({}, held(expire=False))


def test_what_is_captured_or_expired_is_not_due_any_more() -> None:
    some = HoldCaptured(points=10, draws=[Draw(points=10, **LOT)], **HOLD)
    parts = applied({}, held(), some)
    assert parts[KEY].available == 30
    rest = HoldReleased(
        points=30, draws=[Draw(points=30, **LOT)], cause=RELEASE_CAUSE_LOT_EXPIRED, **HOLD
    )
    assert KEY not in applied(parts, rest)


def test_a_held_lot_that_lives_longer_is_due_later() -> None:
    longer = LotExtended(
        lot_id="lot", expire_time_before=to_timestamp(SOON), expire_time=to_timestamp(LATER)
    )
    assert applied({}, held(), longer)[KEY] == Part(40, ends_at=LATER)


@pytest.mark.parametrize("expire", [True, False])
def test_a_hold_that_moves_is_due_where_it_went(expire: bool) -> None:
    there = HoldMovedIn(points=40, lots=[MovedLot(points=40, **LOT)], points_expire=expire, **HOLD)
    assert (KEY in applied({}, there)) is expire
    gone = HoldMovedOut(points=40, draws=[Draw(points=40, **LOT)], **HOLD)
    assert applied({}, held(expire=expire), gone) == {}


def test_activity_keeps_held_points_alive() -> None:
    life = LotLife(expiry="idle", inactive_months=2, extended_by=["burn"])
    made: dict[str, Any] = {"expire_time": None, "earned_time": to_timestamp(START), "life": life}
    parts = applied({}, held(**made))
    assert parts[KEY].early
    burned = PointsBurned(burn_time=to_timestamp(SOON))
    later = Parts(parts)
    later.apply("m", burned)
    [(_, part)] = [each for each in later.changed() if each[0] == KEY]
    assert part.ends_at is not None
    assert part.ends_at > (parts[KEY].ends_at or LATER)

"""Facts with many draws: they do what as many facts with one draw do, in one pass."""

from collections.abc import Callable
from typing import Any

import pytest

from ledger.core.evolve import evolve, fold
from ledger.core.instant import SECOND, to_timestamp
from ledger.core.lots import MANY, CorruptHistory, OpenLots
from ledger.core.state import Account, Drawn, Lot
from loyalty.v1.events_pb2 import BurnReversed, OpeningLotRecorded, PointsBurned
from loyalty.v1.types_pb2 import Draw
from tests.core.spec import NEW_YEAR, Story, utc

DAY = 86_400 * SECOND
Change = Callable[[OpenLots, Any], None]
CHANGES: dict[str, Change] = {
    "draw": OpenLots.draw,
    "draw_pending": OpenLots.draw_pending,
    "hold": OpenLots.hold,
    "release_hold": lambda lots, draws: lots.end_hold(draws, comes_back=True),
    "capture_hold": lambda lots, draws: lots.end_hold(draws, comes_back=False),
    "give_back": lambda lots, draws: lots.give_back(draws, currency="P"),
}


def lots_of(count: int) -> OpenLots:
    """Lots with 2 points in each state; every third stands twice, once on grace."""
    lots = OpenLots(())
    for number in range(count):
        expires_at = NEW_YEAR + number * DAY
        lot = Lot(f"l{number}", "P", "A", "A", "", "", 0, None, expires_at, number, 2, 2, 2)
        lots.insert(lot)
        if number % 3 == 0:
            lots.insert(lot._replace(expires_at=expires_at + 400 * DAY, available=3, grace=True))
    return lots


def draws_from(lots: OpenLots) -> list[Drawn]:
    """Two draws of one point from every lot; the second ones go backwards."""
    ones = [
        Drawn(
            lot.lot_id,
            1,
            lot.issuer,
            lot.funder,
            lot.earned_at,
            lot.expires_at,
            lot.grace,
            seq=lot.seq,
        )
        for lot in lots.items
    ]
    return ones + ones[::-1]


@pytest.mark.parametrize("change", CHANGES)
def test_many_draws_at_once_do_what_they_do_one_by_one(change: str) -> None:
    at_once, one_by_one = lots_of(30), lots_of(30)
    draws = draws_from(at_once)
    CHANGES[change](at_once, draws)
    for draw in draws:
        CHANGES[change](one_by_one, [draw])
    assert at_once.items == one_by_one.items


def test_many_lots_open_again_in_draw_order_and_one_named_twice_opens_once() -> None:
    at_once, one_by_one = OpenLots(lots_of(3).items), OpenLots(lots_of(3).items)
    draws = draws_from(lots_of(30))[::-1]
    at_once.give_back(draws, currency="P")
    for draw in draws:
        one_by_one.give_back([draw], currency="P")
    assert at_once.items == one_by_one.items
    assert sum(lot.grace for lot in at_once.items) == 10


@pytest.mark.parametrize("change", [name for name in CHANGES if name != "give_back"])
def test_many_draws_from_a_lot_that_is_not_there_are_a_corrupt_history(change: str) -> None:
    draws = [Drawn(f"x{number}", 1, "A", "A", 0, None) for number in range(MANY + 1)]
    with pytest.raises(CorruptHistory, match="lot x0"):
        CHANGES[change](lots_of(3), draws)


class Counted(str):
    """A lot id that counts how often one is compared: time on a busy machine proves nothing."""

    compared = 0
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        Counted.compared += 1
        return str.__eq__(self, other)


@pytest.mark.parametrize("change", CHANGES)
def test_the_work_grows_with_the_draws_and_not_with_their_square(change: str) -> None:
    count = 1_000
    ids = [Counted(f"l{number}") for number in range(count)]
    lots = OpenLots(
        Lot(name, "P", "A", "A", "", "", 0, None, None, number, 2, 2, 2)
        for number, name in enumerate(ids)
    )
    draws = [Drawn(Counted(name), 1, "A", "A", 0, None) for name in reversed(ids)]
    Counted.compared = 0
    CHANGES[change](lots, draws)
    assert Counted.compared < 20 * count


def test_a_burn_of_many_lots_comes_back_whole_and_in_parts() -> None:
    count = 60
    account = fold(Account("m-1"), [_opening(number) for number in range(count)])
    draws = [_draw(number) for number in range(count)]
    burned = evolve(account, PointsBurned(currency="P", points=count, draws=draws))
    assert not burned.lots
    back = evolve(burned, BurnReversed(currency="P", points=count, draws=draws[::-1]))
    assert [lot.lot_id for lot in back.lots] == [lot.lot_id for lot in account.lots]
    assert back.balances == account.balances


def test_a_long_burn_is_reversed_from_its_end_in_parts() -> None:
    story = Story()
    for number in range(20):
        story.has_lot(f"L{number:02}", 3, expires=f"2025-07-{number + 1:02}")
    burn = story.burns(60)
    story.reverses(burn, 31)
    assert sum(story.lots_left.values()) == 31
    assert story.lots_left["L09"] == 1
    story.reverses(burn)
    assert list(story.lots_left.values()) == [3] * 20
    assert story.lot("L00").expires_at == utc("2025-07-01")


def _opening(number: int) -> OpeningLotRecorded:
    return OpeningLotRecorded(
        lot_id=f"l{number}",
        currency="P",
        points=1,
        business_unit="A",
        funder="A",
        earned_time=to_timestamp(NEW_YEAR),
        expire_time=to_timestamp(NEW_YEAR + number * DAY),
    )


def _draw(number: int) -> Draw:
    return Draw(
        lot_id=f"l{number}",
        points=1,
        issuer="A",
        funder="A",
        earned_time=to_timestamp(NEW_YEAR),
        expire_time=to_timestamp(NEW_YEAR + number * DAY),
    )

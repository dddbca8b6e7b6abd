"""Taking back burns, and taking back what was taken back."""

import pytest

from ledger.core.refusals import Malformed, MoreThanLeft, NotReversible, UnknownEntry
from ledger.core.state import Lot
from tests.core.spec import Story, drawn, utc


def test_a_closed_lot_opens_again_with_its_own_expiry() -> None:
    story = Story().has_lot("L1", 30, expires="2025-07-01", issuer="B").has_lot("L2", 10)
    burn = story.burns(35)
    assert story.lots_left == {"L2": 5}
    story.reverses(burn, 10)
    back = story.lot("L1")
    assert isinstance(back, Lot)
    assert (back.available, back.issuer, back.expires_at) == (5, "B", utc("2025-07-01"))


def test_the_last_draw_is_refilled_first() -> None:
    story = Story().has_lot("L1", 30, expires="2025-07-01").has_lot("L2", 10)
    burn = story.burns(35)
    assert drawn(story.reverses(burn, 10), "burn_reversed") == {"L2": 5, "L1": 5}


def test_a_draw_that_was_given_back_in_full_is_not_named_again() -> None:
    story = Story().has_lot("L1", 30, expires="2025-07-01").has_lot("L2", 10)
    burn = story.burns(35)
    assert drawn(story.reverses(burn, 5), "burn_reversed") == {"L2": 5}
    assert drawn(story.reverses(burn, 10), "burn_reversed") == {"L1": 10}


def test_no_more_than_is_left_is_given_back() -> None:
    story = Story().has_lot("L1", 100)
    burn = story.burns(50)
    story.reverses(burn, 20)
    with pytest.raises(MoreThanLeft) as refused:
        story.reverses(burn, 31)
    assert refused.value.fields == {"left": 30, "requested": 31}
    story.reverses(burn)
    with pytest.raises(MoreThanLeft) as empty:
        story.reverses(burn)
    assert empty.value.left == 0


def test_another_units_burn_is_not_to_be_known() -> None:
    story = Story().has_lot("L1", 100)
    burn = story.burns(50)
    with pytest.raises(UnknownEntry):
        story.reverses(burn, unit="B")
    with pytest.raises(UnknownEntry):
        story.reverses("e999")


def test_a_negative_amount_is_malformed() -> None:
    story = Story().has_lot("L1", 100)
    burn = story.burns(50)
    with pytest.raises(Malformed):
        story.reverses(burn, -1)


def test_a_reversal_is_taken_back_in_parts_up_to_its_points() -> None:
    story = Story().has_lot("L1", 100)
    burn = story.burns(50)
    reversal = story.reverses(burn, 20)
    story.reverses(reversal, 15)
    with pytest.raises(MoreThanLeft):
        story.reverses(reversal, 6)
    again = story.reverses(reversal)
    assert story.available == 50
    with pytest.raises(NotReversible) as refused:
        story.reverses(again)
    assert refused.value.burn_entry_id == "e1"


def test_points_taken_again_come_back_to_the_lots_they_were_taken_from() -> None:
    story = Story().has_lot("L1", 10)
    burn = story.burns(10)
    reversal = story.reverses(burn)
    story.has_lot("L2", 10, expires="2025-07-01")
    assert drawn(story.reverses(reversal), "reversal_reversed") == {"L2": 10}
    assert drawn(story.reverses(burn), "burn_reversed") == {"L2": 10}
    assert story.lots_left == {"L2": 10, "L1": 10}


def test_grace_lets_one_lot_stand_with_two_expiries() -> None:
    story = Story().has_lot("L1", 100, expires="2025-04-01")
    burn = story.burns(40)
    story.holds("H", 60)
    story.at("2025-04-05").reverses(burn, grace="2025-04-16")
    assert story.available == 40
    story.at("2025-04-06").releases("H")
    assert (story.available, story.total("points_expired")) == (40, 60)
    second = story.at("2025-04-07").burns(40)
    assert drawn(second, "points_burned") == {"L1": 40}


def test_acts_of_a_burn_are_numbered() -> None:
    story = Story().has_lot("L1", 100)
    burn = story.burns(50)
    reversal = story.reverses(burn, 20)
    again = story.reverses(reversal, 5)
    assert [getattr(d.facts[0].event, "act", 0) for d in (reversal, again)] == [1, 2]


def test_points_that_live_on_grace_get_no_further_one() -> None:
    story = Story().has_lot("L1", 100, expires="2025-04-01")
    burn = story.burns(40)
    story.at("2025-04-05").reverses(burn, grace="2025-04-16")
    assert story.lot("L1").grace
    again = story.at("2025-04-15").burns(30)
    story.at("2025-04-20").reverses(again, grace="2025-05-01")
    story.passes_time()
    assert (story.available, story.total("points_expired")) == (0, 60 + 10 + 30)


def test_a_hold_does_not_wash_off_that_points_live_on_grace() -> None:
    story = Story().has_lot("L1", 100, expires="2025-04-01")
    burn = story.burns(40)
    story.at("2025-04-05").reverses(burn, grace="2025-04-16")
    story.at("2025-04-15").holds("H", 40)
    captured = story.captures("H", 25)
    story.at("2025-04-20").reverses(captured, grace="2025-05-01")
    story.releases("H")
    story.passes_time()
    assert (story.available, story.held) == (0, 0)


def test_points_taken_from_a_lot_on_grace_and_from_one_that_is_not_come_back_as_they_were() -> None:
    story = Story().has_lot("L1", 40, expires="2025-04-01").has_lot("L2", 40, expires="2025-04-18")
    burn = story.burns(40)
    story.at("2025-04-05").reverses(burn, grace="2025-04-16")
    both = story.at("2025-04-10").burns(80)
    story.at("2025-04-20").reverses(both, grace="2025-05-01")
    story.passes_time()
    assert {lot.lot_id: lot.expires_at for lot in story.account.lots} == {"L2": utc("2025-05-01")}

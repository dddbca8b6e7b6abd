"""Transfers and conversions as the core decides them: S24, S25 and S26, and what is close by."""

from dataclasses import replace
from fractions import Fraction

import pytest

from ledger.core import snapshot
from ledger.core.commands import ReceivePoints
from ledger.core.counting import TRANSFER
from ledger.core.decide import decide
from ledger.core.decision import LOTS_MAX, TOTAL_MAX
from ledger.core.refusals import (
    FeeNotReversible,
    InsufficientPoints,
    LimitReached,
    Malformed,
    PointsOverflow,
    TooManyLots,
)
from ledger.core.state import Account, Balance, Lot
from loyalty.v1.events_pb2 import (
    RETURN_CAUSE_CANCELLED,
    PointsBurned,
    PointsReturned,
)
from rules.redemptions import PeriodLimit
from tests.core.between import FEE_UNIT, Between, converts
from tests.core.spec import NO_LIMITS, Grant, Story, drawn, moved, no_ladder, utc


def s24() -> Between:
    """M1 with LA 100 of A and LB 50 of B, M2 with LC 60 of B."""
    pair = Between()
    pair.sender.has_lot("LA", 100, expires="2025-07-01", earned="2025-01-01")
    pair.sender.has_lot("LB", 50, issuer="B", earned="2025-01-01")
    pair.receiver.has_lot("LC", 60, expires="2025-07-01", earned="2025-02-01", issuer="B")
    return pair.at("2025-03-01")


def terms_of(lot: Lot) -> tuple[str, int, int | None]:
    """(issuer, available, expires_at)."""
    return lot.issuer, lot.available, lot.expires_at


def test_s24_a_transfer_with_a_fee() -> None:
    pair = s24()
    pair.moves(120)
    assert pair.sender.lots_left == {"LB": 18}
    july = utc("2025-07-01")
    assert {lot.lot_id: terms_of(lot) for lot in pair.receiver.account.lots} == {
        "LC": ("B", 60, july),
        "t1.1": ("A", 100, july),
        "t1.2": ("B", 20, None),
    }
    assert pair.receiver.lot("t1.1").earned_at == utc("2025-01-01")
    [fee] = [fact.event for fact in pair.sender.facts if isinstance(fact.event, PointsBurned)]
    assert (fee.points, fee.business_unit, fee.fee) == (12, FEE_UNIT, True)
    assert [(draw.lot_id, draw.issuer, draw.points) for draw in fee.draws] == [("LB", "B", 12)]
    burn = pair.at("2025-03-02").receiver.burns(70, unit="B")
    # Of equal expiry the one that was earned first: the points keep that too.
    assert drawn(burn, "points_burned") == {"t1.1": 70}


def test_what_a_funder_pays_for_leaves_first_and_the_fee_goes_on_from_there() -> None:
    pair = s24()
    sent = pair.sends(30, fee=25, draw_first=("B",))
    assert drawn(sent, "points_sent") == {"LB": 30}
    assert drawn(sent, "points_burned") == {"LB": 20, "LA": 5}
    pair.arrives()
    promo = replace(NO_LIMITS, draw_first=("B",))
    assert pair.receiver.lot("t1.1").funder == "B"
    burned = pair.receiver.burns(80, terms=promo)
    assert drawn(burned, "points_burned") == {"LC": 60, "t1.1": 20}


def test_s25_a_compensated_transfer() -> None:
    pair = s24().at("2025-06-29")
    pair.sends(120, accept_until="2025-07-10")
    pair.at("2025-07-02").sender.passes_time()
    assert pair.sender.account.balance("P") == Balance(available=18, in_transit=120)
    back = pair.at("2025-07-05").returns()
    assert moved(back.facts) == [
        ("points_returned", 120),
        ("burn_reversed", 12),
        ("points_expired", 100),
    ]
    assert pair.sender.lots_left == {"LB": 50}
    assert pair.sender.total("points_expired") == 100
    assert pair.sender.account.balance("P") == Balance(available=50)


def test_s26_points_become_points_of_another_unit() -> None:
    story = Story().has_lot("L1", 102, expires="2025-07-01").has_lot("L2", 98).at("2025-03-01")
    given = converts(story, 159, 127)
    assert drawn(given, "points_converted") == {"L1": 102, "L2": 57}
    assert story.lots_left == {"L2": 41, "c1.1": 127}
    assert (story.available, story.account.balance("Q").available) == (41, 127)
    new = story.lot("c1.1")
    assert (new.issuer, new.funder, new.expires_at) == ("B", "B", None)
    # A owes B what the old points were worth; what the new ones are worth is less by the residual.
    owed = 159 * Fraction("0.01")
    issued = 127 * Fraction("0.0125")
    assert (owed, issued, owed - issued) == (
        Fraction("1.59"),
        Fraction("1.5875"),
        Fraction("0.0025"),
    )


def test_in_transit_nothing_expires_and_nobody_has_the_points() -> None:
    pair = s24()
    pair.sends(120, fee=0)
    pair.at("2026-01-01").sender.passes_time()
    assert pair.sender.account.balance("P") == Balance(available=30, in_transit=120)
    with pytest.raises(InsufficientPoints):
        pair.sender.burns(31)
    assert pair.receiver.available == 60


def test_what_is_overdue_on_arrival_expires_in_that_step() -> None:
    pair = s24().at("2025-06-30")
    pair.sends(120, fee=0)
    arrival = pair.at("2025-07-02").arrives()
    assert moved(arrival.facts) == [("points_received", 120), ("points_expired", 100)]
    assert pair.receiver.available == 20
    assert arrival.facts[-1].occurred_at == utc("2025-07-02")
    pair.completes()
    assert pair.sender.lots_left == {"LB": 30}


def test_a_lot_that_was_sent_whole_comes_back_as_it_was() -> None:
    pair = Between()
    pair.sender.posts("D1", 1, Grant(40, expires_at=utc("2025-09-01")), 20)
    pair.sender.posts("D2", 1, 30)
    before = pair.sender.account
    pair.sends(77)
    pair.returns()
    assert pair.sender.account.lots == before.lots
    assert pair.sender.account.balances == before.balances


def test_a_return_leaves_the_limits_as_they_were() -> None:
    limit = PeriodLimit("sent/gift", "local_day", "2025-03-01", 100)
    pair = s24()
    pair.sends(80, limits=(limit,))
    with pytest.raises(LimitReached) as refusal:
        pair.sends(30, limits=(limit,))
    assert (refusal.value.used, refusal.value.whose) == (80, "sender")
    pair.returns()
    pair.sends(100, limits=(limit,), fee=0)


def test_the_fee_must_be_there_too() -> None:
    pair = s24()
    with pytest.raises(InsufficientPoints) as refusal:
        pair.sends(140)
    assert (refusal.value.available, refusal.value.requested) == (150, 154)
    with pytest.raises(Malformed):
        pair.sends(0)


def test_the_receiver_may_be_full() -> None:
    pair = s24()
    pair.sends(120)
    full = tuple(
        Lot(f"l{number}", "P", "A", "A", "", "", 0, None, None, number, 1)
        for number in range(LOTS_MAX - 1)
    )
    crowd = Account("m-2", lots=full, balances={"P": Balance(len(full))})
    arrival = ReceivePoints(pair.sent, "m-1", "A", pair.sender.now)
    with pytest.raises(TooManyLots):
        decide(arrival, crowd, now=pair.sender.now, ladder=no_ladder)
    rich = Account("m-2", balances={"P": Balance(TOTAL_MAX - 100)})
    with pytest.raises(PointsOverflow):
        decide(arrival, rich, now=pair.sender.now, ladder=no_ladder)
    limit = PeriodLimit("received/gift", "local_day", "2025-03-01", 100)
    with pytest.raises(LimitReached) as refusal:
        pair.arrives(limit)
    assert refusal.value.whose == "receiver"


def test_points_that_come_in_let_others_live_on() -> None:
    pair = s24()
    pair.moves(10)
    assert pair.receiver.account.last_activity[TRANSFER] == utc("2025-03-01")
    assert TRANSFER not in pair.sender.account.last_activity


def test_a_member_does_not_learn_what_the_sender_bought() -> None:
    pair = Between()
    pair.sender.posts("D1", 1, 40)
    pair.moves(40, fee=0)
    assert pair.receiver.lot("t1.1").document == ""


def test_a_fee_is_not_reversed_by_itself() -> None:
    pair = s24()
    pair.sends(120)
    with pytest.raises(FeeNotReversible):
        pair.sender.reverses("t1", unit=FEE_UNIT)
    pair.returns(RETURN_CAUSE_CANCELLED)
    returned = [f.event for f in pair.sender.facts if isinstance(f.event, PointsReturned)]
    assert [fact.cause for fact in returned] == [RETURN_CAUSE_CANCELLED]


def test_a_conversion_takes_its_fee_on_top() -> None:
    story = Story().has_lot("L1", 100)
    with pytest.raises(InsufficientPoints):
        converts(story, 96, 50, fee=5)
    done = converts(story, 90, 45, fee=5, expires="2025-06-01")
    assert moved(done.facts) == [
        ("points_converted", 90),
        ("points_burned", 5),
        ("converted_points_issued", 45),
    ]
    assert story.lots_left == {"c1.1": 45, "L1": 5}
    story.at("2025-06-01").passes_time()
    assert story.account.balance("Q").available == 0


def test_points_in_transit_survive_the_bytes_of_an_account() -> None:
    pair = s24()
    pair.sends(120)
    account = pair.sender.account
    assert snapshot.decode(snapshot.encode(account)) == account

"""Points by hand: given or taken by one person, from a limit on by two."""

import pytest

from ledger.core.commands import RefundTerms
from ledger.core.decision import Outcome
from ledger.core.refusals import (
    AdjustmentResolved,
    ApproverIsActor,
    ApproverMissing,
    EndNotLater,
    InsufficientPoints,
    LotWithoutDate,
    Malformed,
    MoreThanExpired,
    UnknownAdjustment,
    UnknownLot,
)
from loyalty.v1.events_pb2 import AdjustmentMade
from tests.core.by_hand import adjusts, approves, expired, extends, rejects
from tests.core.spec import Grant, Story, drawn, entry_of, moved, utc


def test_s31_adjustment_with_approver() -> None:
    story = Story().at("2025-03-01")
    adjusts(story, +500)
    adjusts(story, +1000)
    with pytest.raises(ApproverMissing) as missing:
        adjusts(story, +2000)
    assert missing.value.fields == {"points": 2000, "points_alone": 1000, "named": "yes"}
    with pytest.raises(ApproverIsActor):
        adjusts(story, +2000, approver="u1")
    adjusts(story, +2000, approver="u2")
    with pytest.raises(Malformed) as malformed:
        adjusts(story, +100, reason="")
    assert malformed.value.fields["field"] == "reason"
    burn = story.burns(3200, unit="B")
    assert story.available == 300
    assert sum(drawn(burn, "points_burned").values()) == 3200
    assert {lot.issuer for lot in story.account.lots} == {"A"}
    assert story.total("points_adjusted") == 300 + 3200
    taken = adjusts(story, -500)
    assert moved(taken.facts) == [("points_clawed_back", 300), ("arrears_incurred", 200)]
    [debt] = story.account.debts
    assert (debt.points, debt.business_unit, story.arrears) == (200, "A", 200)


@pytest.mark.parametrize("approver", ["U1", "\uff55\uff11", " u1 "])
def test_one_person_is_known_however_the_name_is_written(approver: str) -> None:
    with pytest.raises(ApproverIsActor):
        adjusts(Story(), +2000, approver=approver)


def test_who_names_somebody_else_has_to_say_who_it_is() -> None:
    with pytest.raises(Malformed) as malformed:
        adjusts(Story(), +2000, by="", approver="u2")
    assert malformed.value.fields["field"] == "origin.operator"


def test_a_limit_looks_at_the_absolute_amount() -> None:
    story = Story().has_lot("L", 5000)
    adjusts(story, -1000)
    with pytest.raises(ApproverMissing):
        adjusts(story, -1001)
    adjusts(story, -1001, approver="u2")
    assert story.available == 5000 - 2001


def test_points_given_by_hand_repay_no_arrears() -> None:
    story = Story()
    story.posts("D1", 1, 100)
    story.burns(100)
    story.posts("D1", 2)
    adjusts(story, +70)
    assert (story.available, story.arrears) == (70, 100)
    story.posts("D2", 1, 30)
    assert (story.available, story.arrears) == (70, 70)


def test_points_are_taken_from_those_that_expire_first_and_never_from_held_ones() -> None:
    story = Story().has_lot("L1", 40, expires="2025-06-01").has_lot("L2", 60)
    story.posts("D1", 1, Grant(50, pending_until=utc("2025-12-01")))
    story.holds("H", 30)
    taken = adjusts(story, -80)
    assert drawn(taken, "points_clawed_back") == {"L1": 10, "L2": 60}
    assert (story.available, story.pending, story.held, story.arrears) == (0, 50, 30, 10)


def test_a_lot_that_is_named_is_taken_from_first_what_is_pending_of_it_too() -> None:
    story = Story().has_lot("L1", 40)
    posted = story.posts("D1", 1, Grant(50, pending_until=utc("2025-12-01")))
    taken = adjusts(story, -60, lot_id=f"{entry_of(posted)}.1")
    assert moved(taken.facts) == [("pending_clawed_back", 50), ("points_clawed_back", 10)]
    with pytest.raises(UnknownLot):
        adjusts(story, -1, lot_id="L9")


@pytest.mark.parametrize(
    ("refunds", "moves"),
    [
        (
            RefundTerms(when_spent="write_off"),
            [("points_clawed_back", 30), ("clawback_written_off", 70)],
        ),
        (
            RefundTerms(arrears_limit=50),
            [("points_clawed_back", 30), ("arrears_incurred", 50), ("clawback_written_off", 20)],
        ),
    ],
)
def test_what_is_missing_is_borne_as_the_policy_says(
    refunds: RefundTerms, moves: list[tuple[str, int]]
) -> None:
    story = Story().has_lot("L", 30)
    assert moved(adjusts(story, -100, refunds=refunds).facts) == moves


def test_more_than_there_is_may_be_refused() -> None:
    story = Story().has_lot("L", 30)
    with pytest.raises(InsufficientPoints) as refused:
        adjusts(story, -100, refunds=RefundTerms(when_spent="refuse"))
    assert refused.value.fields == {"available": 30, "requested": 100, "currency": "P"}


def test_own_lot_alone_means_the_lot_that_is_named() -> None:
    own = RefundTerms(any_lot=False)
    story = Story().has_lot("L1", 30).has_lot("L2", 30)
    adjusts(story, -40, lot_id="L1", refunds=own)
    assert (story.lots_left, story.arrears) == ({"L2": 30}, 10)
    adjusts(story, -20, refunds=own)
    assert (story.lots_left, story.arrears) == ({"L2": 10}, 10)


def test_points_expire_as_it_was_stated() -> None:
    story = Story().at("2025-03-01")
    adjusts(story, +100, expires="2025-04-01")
    assert story.at("2025-04-01").passes_time()
    assert story.available == 0


# --- in two steps --------------------------------------------------------------------------------


def test_a_proposal_moves_nothing_until_another_person_agrees() -> None:
    story = Story()
    proposal = adjusts(story, +2000, propose=True)
    assert proposal.outcome is Outcome.PROPOSED
    assert story.available == 0
    made = approves(story, proposal, by="crm/u2")
    assert moved(made.facts) == [("points_adjusted", 2000)]
    decided = made.facts[0].event
    assert isinstance(decided, AdjustmentMade)
    assert (decided.actor, decided.approver, decided.act) == ("desk/u1", "crm/u2", 1)
    with pytest.raises(AdjustmentResolved) as resolved:
        approves(story, proposal, by="crm/u2")
    assert resolved.value.fields["first_outcome"] == "POSTED"
    assert resolved.value.fields["resolved_by"] == decided.entry_id


@pytest.mark.parametrize("by", ["desk/u2", "desk", "crm/u1", "crm/U1"])
def test_one_client_or_one_operator_cannot_agree_with_itself(by: str) -> None:
    story = Story()
    proposal = adjusts(story, +2000, propose=True)
    with pytest.raises(ApproverIsActor):
        approves(story, proposal, by=by)


def test_a_proposal_that_was_turned_down_is_over() -> None:
    story = Story()
    proposal = adjusts(story, -2000, propose=True)
    rejects(story, proposal, by="desk/u1")
    for answer in (approves, rejects):
        with pytest.raises(AdjustmentResolved) as resolved:
            answer(story, proposal, by="crm/u2")
        assert resolved.value.fields["first_outcome"] == "REJECTED"


def test_nobody_may_agree_too_late() -> None:
    story = Story().at("2025-03-01")
    proposal = adjusts(story, +2000, propose=True)
    story.at("2025-03-31")
    with pytest.raises(AdjustmentResolved) as resolved:
        approves(story, proposal, by="crm/u2")
    assert resolved.value.fields["first_outcome"] == "EXPIRED"
    assert resolved.value.fields["resolved_at"] == "2025-03-31T00:00:00Z"


def test_what_one_person_may_move_alone_is_not_proposed() -> None:
    story = Story()
    assert adjusts(story, +1000, propose=True).outcome is Outcome.POSTED
    assert story.available == 1000


def test_a_named_person_does_not_count_where_the_policy_wants_a_call() -> None:
    story = Story()
    with pytest.raises(ApproverMissing) as missing:
        adjusts(story, +2000, approver="u2", named=False)
    assert missing.value.fields["named"] == "no"
    assert adjusts(story, +2000, named=False, propose=True).outcome is Outcome.PROPOSED


def test_a_proposal_of_another_unit_is_not_known() -> None:
    story = Story()
    proposal = adjusts(story, +2000, propose=True)
    with pytest.raises(UnknownAdjustment):
        approves(story, proposal, by="crm/u2", unit="B")


# --- expired points, and later ends --------------------------------------------------------------


def test_expired_points_of_a_lot_come_back_with_a_new_end() -> None:
    story = Story().has_lot("L", 100, expires="2025-03-01", earned="2024-03-01")
    story.burns(30)
    story.at("2025-04-01").passes_time()
    back = adjusts(story, 50, lot_id="L", expired=expired(story, "L"), expires="2025-06-01")
    assert moved(back.facts) == [("lot_reinstated", 50)]
    lot = story.lot("L")
    assert (lot.available, lot.earned_at, lot.expires_at) == (
        50,
        utc("2024-03-01"),
        utc("2025-06-01"),
    )
    with pytest.raises(MoreThanExpired) as more:
        adjusts(story, 21, lot_id="L", expired=expired(story, "L"))
    assert more.value.fields == {"lot_id": "L", "expired": 20, "requested": 21}
    story.at("2025-06-01").passes_time()
    assert story.available == 0
    adjusts(story, 70, lot_id="L", expired=expired(story, "L"))
    assert story.available == 70


def test_only_the_unit_that_issued_a_lot_lets_it_come_back() -> None:
    story = Story().has_lot("L", 100, expires="2025-03-01", issuer="B")
    story.at("2025-04-01").passes_time()
    with pytest.raises(MoreThanExpired):
        adjusts(story, 50, lot_id="L", expired=expired(story, "L"))


def test_a_lot_and_what_is_held_of_it_end_later() -> None:
    story = Story().has_lot("L", 100, expires="2025-03-01")
    story.holds("H", 40)
    extends(story, "L", "2025-06-01")
    story.at("2025-05-01")
    story.releases("H")
    assert story.available == 100
    assert story.at("2025-06-01").passes_time()
    assert story.available == 0


def test_an_end_moves_forward_only() -> None:
    story = Story().has_lot("L", 100, expires="2025-03-01").has_lot("N", 10)
    for until in ("2025-03-01", "2025-02-01"):
        with pytest.raises(EndNotLater):
            extends(story, "L", until)
    with pytest.raises(LotWithoutDate):
        extends(story, "N", "2026-01-01")
    with pytest.raises(UnknownLot):
        extends(story, "L", "2026-01-01", unit="B")


def test_a_burn_of_before_comes_back_with_the_end_of_before() -> None:
    story = Story().has_lot("L", 100, expires="2025-03-01")
    burn = story.burns(40)
    extends(story, "L", "2025-06-01")
    story.reverses(burn)
    story.at("2025-03-01").passes_time()
    assert story.lots_left == {"L": 60}


def test_what_came_back_joins_its_lot_when_both_end_alike() -> None:
    story = Story().has_lot("L", 100, expires="2025-03-01")
    burn = story.burns(40)
    extends(story, "L", "2025-06-01")
    story.reverses(burn)
    extends(story, "L", "2025-06-01")
    [lot] = story.account.lots
    assert lot.available == 100

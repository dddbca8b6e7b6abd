"""Posting documents: net state in, differences out."""

import pytest

from ledger.core.commands import PostDocument
from ledger.core.counting import document_key
from ledger.core.decide import Outcome, decide
from ledger.core.decision import LOTS_MAX, TOTAL_MAX
from ledger.core.events import kind_of
from ledger.core.refusals import PointsOverflow, TooManyLots
from ledger.core.state import Account, Balance, Lot
from loyalty.v1.events_pb2 import DocumentPosted, PointsEarned, PointsPended
from loyalty.v1.types_pb2 import Document, Origin, Pins
from tests.core.spec import CANCELLED, FINAL, PENDING, Grant, Story, drawn, moved, no_ladder, utc


def test_a_final_document_makes_one_lot_of_grants_with_equal_terms() -> None:
    story = Story()
    posted = story.posts("D1", 1, 100, Grant(50, rule="bonus"), Grant(7, rule="gift", funder="K"))
    assert moved(posted.facts) == [("points_earned", 150), ("points_earned", 7)]
    earned = posted.facts[1].event
    assert isinstance(earned, PointsEarned)
    assert (earned.lot_id, earned.business_unit, earned.funder, earned.document) == (
        "e1.1",
        "A",
        "A",
        document_key("A", "till", "D1"),
    )
    assert earned.available_after == 150


def test_the_recorded_version_holds_what_every_rule_gave_in_total() -> None:
    story = Story()
    story.posts("D1", 1, 100)
    story.posts("D1", 2, 120, Grant(5, rule="bonus"))
    head = story.heads["D1"]
    assert [(grant.rule, grant.granted) for grant in head.grants] == [("base", 120), ("bonus", 5)]
    assert head.document.version == 2
    assert not head.origin.HasField("occurred_time")
    assert head.origin.business_unit == "A"


def test_a_pending_document_makes_points_that_wait_for_its_final_version() -> None:
    story = Story()
    posted = story.posts("R1", 1, 200, status=PENDING)
    pended = posted.facts[1].event
    assert isinstance(pended, PointsPended)
    assert not pended.HasField("available_time")
    story.at("2027-01-01").passes_time()
    assert (story.pending, story.available) == (200, 0)
    assert not story.heads["R1"].pinned


def test_going_final_takes_back_first_then_releases_then_adds() -> None:
    story = Story()
    story.posts("R1", 1, 100, Grant(50, rule="bonus"), status=PENDING)
    final = story.posts("R1", 2, 80, Grant(70, rule="bonus"), status=FINAL)
    assert moved(final.facts) == [
        ("pending_clawed_back", 20),
        ("points_released", 130),
        ("points_earned", 20),
    ]
    assert story.heads["R1"].pinned


def test_going_final_does_not_release_points_that_have_to_wait_longer() -> None:
    story = Story().at("2025-03-01")
    until = utc("2025-03-15")
    bonus = Grant(40, rule="bonus", pending_until=until)
    story.posts("R1", 1, 60, bonus, status=PENDING)
    final = story.posts("R1", 2, 60, bonus)
    assert moved(final.facts) == [
        ("pending_clawed_back", 40),
        ("points_released", 60),
        ("points_pended", 40),
    ]
    assert (story.pending, story.available) == (40, 60)
    story.at("2025-03-15").passes_time()
    assert (story.pending, story.available) == (0, 100)


def test_cancelling_a_pending_document_takes_back_what_is_pending() -> None:
    story = Story()
    story.posts("R1", 1, 200, status=PENDING)
    assert moved(story.posts("R1", 2, status=CANCELLED).facts) == [("pending_clawed_back", 200)]
    assert not story.account.lots


def test_a_rule_that_stops_giving_is_taken_back_while_another_gives_more() -> None:
    story = Story()
    story.posts("D1", 1, 100, Grant(50, rule="promotion"))
    changed = story.posts("D1", 2, 130)
    assert moved(changed.facts) == [("points_clawed_back", 50), ("points_earned", 30)]


def test_a_documents_own_lots_are_taken_before_others_that_expire_sooner() -> None:
    story = Story().has_lot("L0", 500, expires="2025-02-01")
    story.posts("D1", 1, 100)
    assert drawn(story.posts("D1", 2, 60), "points_clawed_back") == {"e1.1": 40}


def test_a_lot_born_overdue_expires_in_the_same_decision() -> None:
    story = Story().at("2025-03-01")
    late = story.posts("D1", 1, Grant(10, expires_at=utc("2025-02-01")), occurred="2025-01-01")
    assert moved(late.facts) == [("points_earned", 10), ("points_expired", 10)]
    assert late.facts[-1].occurred_at == utc("2025-02-01")


def test_a_release_date_that_has_passed_makes_points_available_at_once() -> None:
    story = Story().at("2025-03-01")
    posted = story.posts("D1", 1, Grant(10, pending_until=utc("2025-02-01")))
    assert moved(posted.facts) == [("points_earned", 10)]


def test_points_released_by_time_repay_arrears_first() -> None:
    story = Story()
    story.posts("D1", 1, 100)
    story.burns(100)
    story.posts("D1", 2)
    story.posts("D2", 1, Grant(30, pending_until=utc("2025-02-01")))
    assert story.arrears == 100
    facts = story.at("2025-02-01").passes_time()
    assert moved(facts) == [("points_released", 30), ("arrears_repaid", 30)]
    assert (story.available, story.arrears) == (0, 70)


def test_the_oldest_debt_is_repaid_first() -> None:
    story = Story()
    story.posts("D1", 1, 30)
    story.posts("D2", 1, 40)
    story.burns(70)
    story.posts("D1", 2)
    story.posts("D2", 2)
    assert [debt.points for debt in story.account.debts] == [30, 40]
    repaid = story.posts("D3", 1, 50)
    assert moved(repaid.facts) == [
        ("points_earned", 50),
        ("arrears_repaid", 30),
        ("arrears_repaid", 20),
    ]
    assert [(debt.points, debt.document) for debt in story.account.debts] == [(20, "A/till/D2")]


def test_points_that_come_back_otherwise_repay_nothing() -> None:
    story = Story().has_lot("L0", 100)
    burn = story.burns(40)
    story.posts("D1", 1, 50)
    story.holds("H", 60)
    story.burns(50)
    story.posts("D1", 2)
    assert story.arrears == 50
    story.releases("H")
    story.reverses(burn)
    story.has_lot("L1", 5)
    assert story.arrears == 50


def test_qualifying_points_are_taken_from_their_window_only_and_never_owed() -> None:
    story = Story()
    old = Grant(30, rule="status", currency="QP", window="2024")
    new = Grant(20, rule="status", currency="QP", window="2025")
    story.posts("D1", 1, old)
    story.posts("D2", 1, new)
    story.posts("D2", 2)
    assert story.account.qualifying == {("QP", "2024"): 30, ("QP", "2025"): 0}
    assert not story.account.debts


def test_the_two_newest_years_are_kept_and_older_ones_added_up() -> None:
    story = Story()
    for number, window in enumerate(["2024", "2025", "2026", "2023"]):
        story.posts(f"D{number}", 1, Grant(10, rule="status", currency="QP", window=window))
    story.posts("D3", 2)
    assert story.account.qualifying == {("QP", ""): 10, ("QP", "2025"): 10, ("QP", "2026"): 10}


def test_deciding_a_version_again_changes_nothing() -> None:
    story = Story()
    story.posts("D1", 4, 100)
    again = story.posts("D1", 4, 100)
    assert (again.outcome, again.facts) == (Outcome.SUPERSEDED, ())


def test_a_document_without_a_member_is_recorded_and_grants_nothing() -> None:
    account = Account("document/A/till/D1")
    document = Document(source="till", document_id="D1", version=1, status=FINAL)
    command = PostDocument("e1", "A", document, Origin(), "2025-03-01", 5, None, Pins(), ())
    decision = decide(command, account, now=5, ladder=no_ladder)
    assert [kind_of(fact.event) for fact in decision.facts] == ["document_posted"]
    assert decision.account == account._replace(version=1)
    posted = decision.facts[0].event
    assert isinstance(posted, DocumentPosted)
    assert posted.business_date == "2025-03-01"


def test_an_account_that_is_full_of_lots_takes_no_more() -> None:
    full = Account("m-1", lots=tuple(_lot(number) for number in range(LOTS_MAX)))
    with pytest.raises(TooManyLots) as refused:
        _posts_one(full)
    assert refused.value.fields == {"limit": LOTS_MAX}


def test_a_balance_that_cannot_be_counted_is_refused() -> None:
    rich = Account("m-1", balances={"P": Balance(available=TOTAL_MAX - 5)})
    with pytest.raises(PointsOverflow):
        _posts_one(rich)


def _lot(number: int) -> Lot:
    return Lot(f"l{number}", "P", "A", "A", "", "", 0, None, None, number, 1)


def _posts_one(account: Account) -> None:
    document = Document(source="till", document_id="D1", version=1, status=FINAL)
    grants = [Grant(10)]
    command = PostDocument("e1", "A", document, Origin(), "", 5, None, Pins(), grants)
    decide(command, account, now=5, ladder=no_ladder)


def test_a_pending_document_counts_for_no_tier_until_it_is_final() -> None:
    story = Story()
    status = Grant(30, rule="status", currency="QP", window="2025")
    story.posts("D1", 1, status, status=PENDING)
    assert story.account.qualifying == {}
    story.posts("D1", 2, status)
    assert story.account.qualifying == {("QP", "2025"): 30}
    story.posts("D2", 1, status, status=PENDING)
    story.posts("D2", 2)
    assert story.account.qualifying == {("QP", "2025"): 30}


def test_qualifying_points_of_a_window_are_one_lot() -> None:
    story = Story()
    status = Grant(30, rule="status", currency="QP", window="2025")
    for number in range(5):
        story.posts(f"D{number}", 1, status)
    assert [(lot.currency, lot.available) for lot in story.account.lots] == [("QP", 150)]
    story.posts("D3", 2)
    assert story.account.lots[0].available == 120
    assert story.account.qualifying == {("QP", "2025"): 120}


def test_qualifying_points_that_are_pending_wait_in_a_lot_of_their_own() -> None:
    story = Story()
    status = Grant(30, rule="status", currency="QP", window="2025")
    story.posts("D1", 1, status)
    story.posts("D2", 1, status, status=PENDING)
    assert [(lot.available, lot.pending) for lot in story.account.lots] == [(30, 0), (0, 30)]

"""Two accounts become one, and two again: where everything goes, and that nothing is lost."""

import pytest

from ledger.core import merging
from ledger.core.commands import (
    ChangeMembership,
    Counts,
    RecallPoints,
    Use,
)
from ledger.core.events import Fact
from ledger.core.evolve import evolve
from ledger.core.instant import to_timestamp
from ledger.core.refusals import (
    AccountClosed,
    AccountSuspended,
    AlreadyMerged,
    HoldOfBoth,
    InsufficientPoints,
    MergeIntoItself,
    Merging,
    NotMerged,
    PointsRecalled,
    TooManyLots,
    UnmergeFirst,
)
from loyalty.v1.events_pb2 import OpeningLotRecorded
from loyalty.v1.types_pb2 import (
    MEMBERSHIP_STATE_CLOSED,
    MEMBERSHIP_STATE_SUSPENDED,
    RECALL_ACTION_QUARANTINE,
    RECALL_ACTION_RELEASE,
    RecallAction,
)
from tests.core.people import People
from tests.core.spec import CANCELLED, PENDING, Grant, utc


def has_lot(people: People, name: str, lot_id: str, points: int, expires: str = "") -> None:
    """Bring in an opening lot."""
    account = people.accounts[name]
    lot = OpeningLotRecorded(
        lot_id=lot_id,
        currency="P",
        points=points,
        business_unit="B",
        funder="B",
        earned_time=to_timestamp(utc("2025-01-01")),
        expire_time=to_timestamp(utc(expires)) if expires else None,
        available_after=account.balance("P").available + points,
    )
    people._record(name, [Fact(lot, people.now)], evolve(account, lot))


def two() -> People:
    return People(["s", "t"])


def test_s27_a_hold_a_return_and_a_burn_between_merge_and_unmerge() -> None:
    people = two()
    people.posts("s", "D1", 1, Grant(100, expires_at=utc("2025-12-31")))
    people.holds("s", "H", 40)
    has_lot(people, "t", "LT", 50)
    people.begins("s", "t")
    with pytest.raises(Merging):
        people.burns("s", 10)
    people.finishes("s")
    assert people.balance("t") == (110, 0, 40, 0)
    people.captures("H", 40, final=True)
    assert people.balance("t") == (110, 0, 0, 0)
    people.posts("s", "D1", 2, Grant(60, expires_at=utc("2025-12-31")))
    assert people.balance("t") == (70, 0, 0, 0)
    people.burns("t", 30)
    assert people.balance("t") == (40, 0, 0, 0)
    people.unmerges("s")
    assert (people.balance("s"), people.balance("t")) == ((0, 0, 0, 0), (40, 0, 0, 0))
    people.posts("s", "D1", 3, status=CANCELLED)
    assert (people.balance("s"), people.balance("t")) == ((0, 0, 0, 60), (40, 0, 0, 0))
    [debt] = people.accounts["s"].debts
    assert (debt.business_unit, debt.points) == ("A", 60)


def test_lots_keep_everything_they_have_and_come_back_as_they_were() -> None:
    people = two()
    people.posts("s", "D1", 1, Grant(100, expires_at=utc("2025-12-31"), funder="spring"))
    people.posts("s", "D2", 1, Grant(30, pending_until=utc("2025-02-01")))
    people.posts("s", "D3", 1, 20, status=PENDING)
    has_lot(people, "s", "LS", 7)
    before = people.accounts["s"]
    people.merges("s", "t")
    there = people.accounts["t"]
    assert [lot._replace(owner="") for lot in there.lots] == list(before.lots)
    assert {lot.owner for lot in there.lots} == {"s"}
    assert (people.accounts["s"].lots, people.balance("s")) == ((), (0, 0, 0, 0))
    people.unmerges("s")
    back = people.accounts["s"]
    assert (back.lots, back.balances) == (before.lots, before.balances)
    assert people.accounts["t"].lots == ()


def test_pending_points_of_the_source_become_available_in_the_target() -> None:
    people = two()
    people.posts("s", "D1", 1, Grant(30, pending_until=utc("2025-02-01")))
    people.posts("s", "D2", 1, 20, status=PENDING)
    people.merges("s", "t")
    people.at("2025-02-02").posts("s", "D2", 2, 25)
    assert people.balance("t") == (55, 0, 0, 0)
    people.unmerges("s")
    assert people.balance("s") == (55, 0, 0, 0)


def test_debts_move_and_are_repaid_by_whatever_comes() -> None:
    people = two()
    people.posts("s", "D1", 1, 100)
    people.burns("s", 100)
    people.posts("s", "D1", 2, 30)
    people.merges("s", "t")
    assert people.balance("t") == (0, 0, 0, 70)
    people.posts("t", "D2", 1, 50)
    assert people.balance("t") == (0, 0, 0, 20)
    people.unmerges("s")
    assert (people.balance("s"), people.balance("t")) == ((0, 0, 0, 20), (0, 0, 0, 0))


def test_a_hold_goes_with_its_points_and_may_end_anywhere() -> None:
    people = two()
    people.posts("s", "D1", 1, 100)
    people.holds("s", "H1", 30, until="2025-02-01")
    people.holds("s", "H2", 20)
    people.captures("H2", 5)
    people.merges("s", "t")
    people.releases("H2")
    people.unmerges("s")
    assert people.balance("s") == (65, 0, 30, 0)
    people.at("2025-02-02").passes_time("s")
    assert people.balance("s") == (95, 0, 0, 0)


def test_what_a_recall_has_set_aside_does_not_move() -> None:
    people = two()

    def recalls(who: str, lot: str, action: RecallAction.ValueType) -> None:
        people.does(
            who,
            RecallPoints(
                entry_id=people.new_entry(),
                recall_id="R",
                business_unit="A",
                action=action,
                lots=frozenset({lot}),
                reason="paid twice",
                actor="desk/u1",
                occurred_at=people.now,
            ),
        )

    people.posts("s", "D1", 1, 10)
    people.posts("t", "D2", 1, 10)
    for who in ("s", "t"):
        [lot] = people.accounts[who].lots
        recalls(who, lot.lot_id, RECALL_ACTION_QUARANTINE)
        with pytest.raises(PointsRecalled) as refused:
            people.merges("s", "t")
        assert refused.value.fields == {"member_id": who, "recall_id": "R"}
        recalls(who, lot.lot_id, RECALL_ACTION_RELEASE)
    people.merges("s", "t")
    recalls("t", lot.lot_id, RECALL_ACTION_QUARANTINE)
    with pytest.raises(PointsRecalled):
        people.unmerges("s")


def test_a_hold_of_both_members_has_to_end_before_they_part() -> None:
    people = two()
    people.posts("s", "D1", 1, 10)
    people.posts("t", "D2", 1, 10)
    people.merges("s", "t")
    people.holds("t", "H", 15)
    with pytest.raises(HoldOfBoth) as refused:
        people.unmerges("s")
    assert refused.value.fields == {"hold_id": "H", "business_unit": "A"}
    people.releases("H")
    people.unmerges("s")
    assert (people.balance("s"), people.balance("t")) == ((10, 0, 0, 0), (10, 0, 0, 0))


def test_a_hold_of_the_target_on_the_sources_points_alone_goes_with_them() -> None:
    people = two()
    people.posts("s", "D1", 1, Grant(10, expires_at=utc("2025-12-31")))
    people.posts("t", "D2", 1, 10)
    people.merges("s", "t")
    people.holds("t", "H", 8)
    people.unmerges("s")
    assert (people.balance("s"), people.balance("t")) == ((2, 0, 8, 0), (10, 0, 0, 0))
    people.captures("H", 8)
    assert people.balance("s") == (2, 0, 0, 0)


def test_a_burn_before_the_merge_is_given_back_to_the_targets_lots() -> None:
    people = two()
    people.posts("s", "D1", 1, 100)
    burn = people.burns("s", 60)
    spent = people.burns("s", 40)
    people.merges("s", "t")
    people.reverses(burn, 25)
    assert people.balance("t") == (25, 0, 0, 0)
    assert {lot.owner for lot in people.accounts["t"].lots} == {"s"}
    people.unmerges("s")
    assert (people.balance("s"), people.balance("t")) == ((25, 0, 0, 0), (0, 0, 0, 0))
    people.reverses(burn)
    people.reverses(spent)
    assert (people.balance("s"), people.balance("t")) == ((100, 0, 0, 0), (0, 0, 0, 0))


def test_a_burn_of_both_members_points_is_given_back_to_each() -> None:
    people = two()
    people.posts("s", "D1", 1, Grant(20, expires_at=utc("2025-12-31")))
    people.posts("t", "D2", 1, 50)
    people.merges("s", "t")
    burn = people.burns("t", 30)
    people.unmerges("s")
    assert (people.balance("s"), people.balance("t")) == ((0, 0, 0, 0), (40, 0, 0, 0))
    people.reverses(burn, 15)
    assert (people.balance("s"), people.balance("t")) == ((5, 0, 0, 0), (50, 0, 0, 0))
    people.reverses(burn)
    assert (people.balance("s"), people.balance("t")) == ((20, 0, 0, 0), (50, 0, 0, 0))


def test_what_the_source_posts_after_the_merge_is_its_own_when_they_part() -> None:
    people = two()
    people.merges("s", "t")
    people.posts("s", "D1", 1, 30)
    people.posts("t", "D2", 1, 40)
    people.posts("s", "D1", 2, 35)
    assert people.balance("t") == (75, 0, 0, 0)
    people.unmerges("s")
    assert (people.balance("s"), people.balance("t")) == ((35, 0, 0, 0), (40, 0, 0, 0))
    people.posts("s", "D1", 3, 5)
    assert people.balance("s") == (5, 0, 0, 0)


def test_a_chain_of_merges_ends_at_its_end_and_is_undone_from_there() -> None:
    people = People(["a", "b", "c"])
    people.posts("a", "D1", 1, 10)
    people.posts("b", "D2", 1, 20)
    people.posts("c", "D3", 1, 40)
    people.merges("a", "b")
    people.merges("b", "c")
    assert people.where("a") == "c"
    people.posts("a", "D1", 2, 11)
    assert people.balance("c") == (71, 0, 0, 0)
    assert set(people.accounts["c"].parts) == {"", "a", "b"}
    with pytest.raises(UnmergeFirst) as refused:
        people.unmerges("a")
    assert refused.value.fields == {"member_id": "a", "merged_id": "b", "into_id": "c"}
    people.unmerges("b")
    assert [people.balance(name)[0] for name in "abc"] == [0, 31, 40]
    people.posts("a", "D1", 3, 12)
    people.unmerges("a")
    assert [people.balance(name)[0] for name in "abc"] == [12, 20, 40]
    assert not any(people.accounts[name].parts for name in "abc")


def test_a_merge_is_refused_for_these() -> None:
    people = People(["s", "t", "x"])
    with pytest.raises(MergeIntoItself):
        people.begins("s", "s")
    with pytest.raises(NotMerged):
        people.begins("s", "t", undoing=True)
    people.begins("s", "t")
    for source, target in (("t", "s"), ("x", "t"), ("t", "x"), ("s", "x")):
        with pytest.raises(Merging):
            people.begins(source, target)
    people.finishes("s")
    with pytest.raises(AlreadyMerged):
        people.begins("s", "x")
    for state, refusal in (
        (MEMBERSHIP_STATE_SUSPENDED, AccountSuspended),
        (MEMBERSHIP_STATE_CLOSED, AccountClosed),
    ):
        people.does("x", ChangeMembership("e", state, "asked", "office", "A", people.now))
        with pytest.raises(refusal):
            people.begins("x", "t")
        with pytest.raises(refusal):
            people.begins("t", "x")


def test_two_accounts_with_more_lots_than_one_may_have_stay_two(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(merging, "LOTS_MAX", 3)
    people = two()
    for number in range(2):
        people.posts("s", f"S{number}", 1, 10)
        people.posts("t", f"T{number}", 1, 10)
    with pytest.raises(TooManyLots):
        people.begins("s", "t")


def test_a_merge_goes_step_by_step_and_never_has_a_point_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(merging, "LOTS_A_STEP", 3)
    monkeypatch.setattr(merging, "COUNTS_A_STEP", 2)
    people = two()
    for number in range(8):
        uses = [Use("cap/day", "", f"2025-01-{number + 1:02}", 0, 5)]
        people.posts("s", f"D{number}", 1, 10, counts=Counts(uses))
    people.holds("s", "H", 25)
    people.begins("s", "t")
    steps = 0
    while not people.goes_on("s"):
        steps += 1
        total = [sum(people.balance(name)) for name in "st"]
        assert sum(total) == 80
        people.posts("t", f"T{steps}", 1, 1)
        people.posts("t", f"T{steps}", 2, status=CANCELLED)
    assert steps > 4
    assert people.accounts["t"].usage == {
        ("cap/day", "", f"2025-01-{number + 1:02}"): 5 for number in range(8)
    }
    people.begins("s", "t", undoing=True)
    while not people.goes_on("s"):
        assert sum(sum(people.balance(name)) for name in "st") == 80
        for name in "st":
            with pytest.raises(Merging):
                people.burns(name, 1)
    assert people.accounts["t"].usage == {}
    assert len(people.accounts["s"].usage) == 8


def test_points_of_the_source_are_spent_by_the_target_in_the_usual_order() -> None:
    people = two()
    people.posts("s", "D1", 1, Grant(10, expires_at=utc("2025-03-01")))
    has_lot(people, "t", "LT", 10, "2025-02-15")
    people.merges("s", "t")
    people.burns("t", 15)
    assert people.lots("t") == {next(iter(people.lots("t"))): 5}
    with pytest.raises(InsufficientPoints):
        people.burns("t", 6)
    people.at("2025-03-02").passes_time("t")
    assert people.balance("t") == (0, 0, 0, 0)

"""Recalls: exactly the points of some lots, set aside, given back, or taken for good."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.core import snapshot
from ledger.core.instant import DAY
from ledger.core.refusals import InsufficientPoints, Refusal, UnknownHold
from ledger.core.state import Account
from loyalty.v1.events_pb2 import (
    ClawbackWrittenOff,
    PointsClawedBack,
    QuarantineClawedBack,
    RecallMade,
)
from loyalty.v1.types_pb2 import RECALL_SPENT_ARREARS, RECALL_SPENT_WRITE_OFF, RecallSpent
from tests.core.recalling import claws_back, lifts, quarantines
from tests.core.spec import CANCELLED, PENDING, Grant, Story, drawn, entry_of, moved, utc


def two_lots() -> Story:
    return Story().has_lot("good", 60).has_lot("bad", 40, expires="2025-06-01", issuer="B")


def made(story: Story) -> RecallMade:
    """The last thing that a recall did."""
    return [fact.event for fact in story.facts if isinstance(fact.event, RecallMade)][-1]


def test_points_that_are_set_aside_cannot_be_spent_and_do_not_expire() -> None:
    story = two_lots()
    assert moved(quarantines(story, "bad").facts) == [("points_quarantined", 40)]
    assert (story.available, story.held) == (60, 40)
    with pytest.raises(InsufficientPoints):
        story.burns(61)
    assert not story.at("2025-07-01").passes_time()
    assert story.held == 40
    with pytest.raises(UnknownHold):
        story.releases("R", unit="HQ")
    assert snapshot.decode(snapshot.encode(story.account)) == story.account


def test_what_comes_back_is_as_it_was_and_expires_if_its_time_has_passed() -> None:
    story = two_lots()
    before = story.account
    quarantines(story, "bad")
    lifts(story)
    assert _as_it_was(before, story.account)
    quarantines(story, "bad")
    story.at("2025-07-01")
    assert moved(lifts(story).facts) == [("quarantine_lifted", 40), ("points_expired", 40)]


def test_pending_points_are_set_aside_and_wait_again() -> None:
    story = Story().at("2025-03-01")
    posted = story.posts("D1", 1, Grant(50, pending_until=utc("2025-04-01")))
    lot = f"{entry_of(posted)}.1"
    before = story.account
    assert moved(quarantines(story, lot).facts) == [("pending_quarantined", 50)]
    assert (story.pending, story.held) == (0, 50)
    lifts(story)
    assert _as_it_was(before, story.account)
    quarantines(story, lot)
    assert not story.at("2025-05-01").passes_time()
    lifted = moved(lifts(story).facts)
    assert lifted == [("pending_quarantine_lifted", 50), ("points_released", 50)]


def test_what_waited_for_its_document_is_released_when_that_is_final() -> None:
    story = Story()
    posted = story.posts("D1", 1, 50, status=PENDING)
    lot = f"{entry_of(posted)}.1"
    quarantines(story, lot)
    story.posts("D1", 2, 50)
    assert (story.pending, story.held) == (0, 50)
    assert moved(lifts(story, final=frozenset({"A/till/D1"})).facts) == [
        ("pending_quarantine_lifted", 50),
        ("points_released", 50),
    ]


def test_a_clawback_of_its_document_leaves_what_is_set_aside() -> None:
    story = Story()
    posted = story.posts("D1", 1, 50)
    quarantines(story, f"{entry_of(posted)}.1")
    story.posts("D1", 2, status=CANCELLED)
    assert (story.held, story.arrears) == (50, 50)


def test_exactly_the_points_of_the_lot_are_taken_and_nobody_is_paid_for_them() -> None:
    story = two_lots()
    quarantines(story, "bad")
    story.burns(10)
    taken = claws_back(story, "bad", "good")
    assert drawn(taken, "quarantine_clawed_back") == {"bad": 40}
    assert drawn(taken, "points_clawed_back") == {"good": 50}
    for fact in taken.facts:
        if isinstance(fact.event, PointsClawedBack | QuarantineClawedBack):
            assert {draw.issuer for draw in fact.event.draws} == {fact.event.business_unit}
    assert story.account.lots == ()


def test_held_points_stay_until_their_hold_is_resolved() -> None:
    story = two_lots()
    story.holds("H", 30)
    claws_back(story, "bad", spent=RECALL_SPENT_ARREARS)
    assert [(told.taken, told.held, told.charged) for told in made(story).lots] == [(10, 30, 0)]
    assert (story.held, story.arrears) == (30, 0)
    story.captures("H", 20, final=True)
    assert story.available == 70
    claws_back(story, "bad", spent=RECALL_SPENT_ARREARS)
    assert [(told.taken, told.charged) for told in made(story).lots] == [(10, 20)]
    assert (story.available, story.arrears) == (60, 20)
    assert claws_back(story, "bad", spent=RECALL_SPENT_ARREARS).facts == ()


@pytest.mark.parametrize(
    ("spent", "unit", "debts", "written_off"),
    [
        (RECALL_SPENT_ARREARS, "", [("B", 15)], []),
        (RECALL_SPENT_WRITE_OFF, "", [], [("B", 15)]),
        (RECALL_SPENT_WRITE_OFF, "HQ", [], [("HQ", 15)]),
    ],
)
def test_what_was_spent_is_owed_or_written_off(
    spent: RecallSpent.ValueType,
    unit: str,
    debts: list[tuple[str, int]],
    written_off: list[tuple[str, int]],
) -> None:
    story = two_lots()
    story.reverses(story.burns(20), 5)
    taken = claws_back(story, "bad", spent=spent, write_off_to=unit)
    assert drawn(taken, "points_clawed_back") == {"bad": 25}
    assert [(debt.business_unit, debt.points) for debt in story.account.debts] == debts
    losses = [each.event for each in taken.facts if isinstance(each.event, ClawbackWrittenOff)]
    assert [(loss.business_unit, loss.points) for loss in losses] == written_off


def test_what_was_charged_and_comes_back_is_not_taken_again() -> None:
    story = two_lots()
    burn = story.burns(20)
    claws_back(story, "bad", spent=RECALL_SPENT_ARREARS)
    story.reverses(burn)
    assert story.lots_left == {"bad": 20, "good": 60}
    assert claws_back(story, "bad", spent=RECALL_SPENT_ARREARS).facts == ()


def test_two_recalls_do_not_meet() -> None:
    story = two_lots()
    quarantines(story, "bad", recall="one")
    quarantines(story, "good", "bad", recall="two")
    assert story.held == 100
    lifts(story, recall="two")
    assert (story.available, story.held) == (60, 40)
    claws_back(story, recall="one")
    assert (story.available, story.held) == (60, 0)


# --- laws -------------------------------------------------------------------------------------

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("burn"), st.integers(1, 60)),
        st.tuples(st.just("hold"), st.integers(1, 60)),
        st.tuples(st.just("capture"), st.integers(1, 60)),
        st.tuples(st.just("release"), st.just(0)),
        st.tuples(st.just("reverse"), st.integers(0, 3)),
        st.tuples(st.just("earn"), st.integers(1, 40)),
        st.tuples(st.just("quarantine"), st.integers(0, 1)),
        st.tuples(st.just("lift"), st.just(0)),
        st.tuples(st.just("claw_back"), st.integers(0, 1)),
        st.tuples(st.just("wait"), st.integers(1, 60)),
    ),
    max_size=25,
)
LOTS = ("bad", "worse")


class Lived:
    """Does steps; those that cannot be are left out."""

    def __init__(self) -> None:
        """Two lots that may turn out to be bad."""
        self.story = Story().has_lot("bad", 60, expires="2025-06-01")
        self.story.has_lot("worse", 40, issuer="B")
        self.burns: list[str] = []
        self.number = 0

    def does(self, step: str, amount: int) -> None:
        self.number += 1
        with suppress(Refusal, StopIteration, IndexError):
            getattr(self, step)(amount)

    def burn(self, amount: int) -> None:
        self.burns.append(entry_of(self.story.burns(amount)))

    def hold(self, amount: int) -> None:
        self.story.holds(f"H{self.number}", amount)

    def capture(self, amount: int) -> None:
        held = next(held for held in self.story.account.holds if not held.recalled)
        captured = self.story.captures(held.hold_id, min(amount, held.points))
        self.burns.append(entry_of(captured))

    def release(self, _: int) -> None:
        held = next(held for held in self.story.account.holds if not held.recalled)
        self.story.releases(held.hold_id)

    def reverse(self, amount: int) -> None:
        self.story.reverses(self.burns[amount])

    def earn(self, amount: int) -> None:
        self.story.posts(f"D{self.number}", 1, amount)

    def quarantine(self, amount: int) -> None:
        quarantines(self.story, LOTS[amount])

    def lift(self, _: int) -> None:
        lifts(self.story)

    def claw_back(self, amount: int) -> None:
        claws_back(self.story, LOTS[amount], spent=RECALL_SPENT_ARREARS)

    def wait(self, amount: int) -> None:
        self.story.now += amount * DAY


def lived(steps: list[tuple[str, int]]) -> Story:
    life = Lived()
    for step, amount in steps:
        life.does(step, amount)
    return life.story


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_a_recall_never_takes_more_than_there_was(steps: list[tuple[str, int]]) -> None:
    story = lived(steps)
    taken = {"bad": 0, "worse": 0}
    for fact in story.facts:
        if isinstance(fact.event, RecallMade):
            for told in fact.event.lots:
                taken[told.lot_id] += told.taken + told.charged
    assert taken["bad"] <= 60
    assert taken["worse"] <= 40


@settings(max_examples=60, deadline=None)
@given(STEPS, st.sets(st.sampled_from(LOTS), min_size=1))
def test_setting_aside_and_giving_back_changes_nothing(
    steps: list[tuple[str, int]], lots: set[str]
) -> None:
    story = lived(steps)
    story.passes_time()
    before = story.account
    quarantines(story, *lots, recall="identity")
    lifts(story, recall="identity")
    assert _as_it_was(before, story.account)


def _as_it_was(before: Account, after: Account) -> bool:
    return before._replace(version=0) == after._replace(version=0)

"""Suspending, closing and reopening: what a member may still do, and what becomes of the points."""

from collections.abc import Callable

import pytest

from ledger.core.commands import (
    ChangeMembership,
    Command,
    EraseMember,
    GrantTier,
    LinkIdentity,
)
from ledger.core.decide import Decision
from ledger.core.refusals import (
    AccountClosed,
    AccountErased,
    AccountNotEmpty,
    AccountSuspended,
    Refusal,
)
from ledger.core.tally import Tally
from ledger.verifying.erasure_books import wrong_of_erasure
from loyalty.v1.events_pb2 import EXPIRE_CAUSE_FORFEITED, PointsExpired, ReversalReversed
from loyalty.v1.types_pb2 import (
    ERASED_BALANCE_KEPT,
    ERASURE_REQUESTER_MEMBER,
    MEMBERSHIP_STATE_CLOSED,
    MEMBERSHIP_STATE_OPEN,
    MEMBERSHIP_STATE_SUSPENDED,
    MembershipState,
)
from tests.core.between import Between
from tests.core.spec import CANCELLED, PENDING, Grant, Story, moved, utc

SUSPENDED = MEMBERSHIP_STATE_SUSPENDED
CLOSED = MEMBERSHIP_STATE_CLOSED
OPEN = MEMBERSHIP_STATE_OPEN


def changes(story: Story, state: MembershipState.ValueType, *, forfeit: bool = False) -> Decision:
    return story.does(
        ChangeMembership("e-x", state, "asked", "office/anna", "A", story.now, forfeit)
    )


def erases(story: Story) -> Decision:
    wanted_by, kept = ERASURE_REQUESTER_MEMBER, ERASED_BALANCE_KEPT
    return story.does(
        EraseMember("e-x", "A", wanted_by, "", "office/anna", (), False, kept, story.now)
    )


def forfeits(story: Story) -> list[PointsExpired]:
    expired = [fact.event for fact in story.facts if isinstance(fact.event, PointsExpired)]
    return [fact for fact in expired if fact.cause == EXPIRE_CAUSE_FORFEITED]


def test_a_suspended_member_earns_and_returns_goods_but_spends_nothing() -> None:
    story = Story()
    story.posts("D1", 1, 100)
    story.holds("H", 30)
    burn = story.burns(10)
    changes(story, SUSPENDED)
    with pytest.raises(AccountSuspended):
        story.burns(5)
    with pytest.raises(AccountSuspended) as refused:
        story.holds("H2", 5)
    assert refused.value.fields == {"member_id": "m-1", "since": "2025-01-01T00:00:00Z"}
    story.captures("H", 20, final=True)
    reversal = story.reverses(burn)
    with pytest.raises(AccountSuspended):
        story.reverses(reversal)
    story.posts("D2", 1, 50)
    story.posts("D1", 2, 60)
    assert story.available == 60 - 20 + 50
    changes(story, OPEN)
    story.burns(90)
    assert story.available == 0


def test_a_state_that_holds_already_is_not_recorded_again() -> None:
    story = Story()
    assert changes(story, OPEN).facts == ()
    changes(story, SUSPENDED)
    assert changes(story, SUSPENDED).facts == ()


def test_an_account_with_points_is_closed_only_with_a_word_about_them() -> None:
    story = Story()
    story.posts("D1", 1, 40, Grant(10, rule="later", pending_until=utc("2025-01-20")))
    story.posts("D2", 1, Grant(70, rule="status", currency="QP", window="2025"))
    with pytest.raises(AccountNotEmpty) as refused:
        changes(story, CLOSED)
    assert refused.value.fields == {
        "currency": "P",
        "available": 40,
        "pending": 10,
        "held": 0,
        "in_transit": 0,
    }
    decision = changes(story, CLOSED, forfeit=True)
    assert moved(decision.facts) == [("points_expired", 40)]
    assert [fact.entry_id for fact in forfeits(story)] == ["e-x"]
    assert (story.available, story.pending) == (0, 10)
    assert story.account.qualifying == {("QP", "2025"): 70}


def test_what_becomes_available_on_a_closed_account_expires_at_once() -> None:
    story = Story()
    story.posts("D1", 1, 40, Grant(10, rule="later", pending_until=utc("2025-01-20")))
    burn = story.burns(25)
    changes(story, CLOSED, forfeit=True)
    assert [fact.points for fact in forfeits(story)] == [15]
    story.at("2025-01-20").passes_time()
    story.reverses(burn)
    assert [fact.points for fact in forfeits(story)] == [15, 10, 25]
    assert (story.available, story.pending, story.held) == (0, 0, 0)


def test_transfers_end_before_an_account_is_closed_and_need_two_open_ones() -> None:
    pair = Between()
    pair.sender.posts("D1", 1, 40)
    pair.sends(30, fee=0)
    with pytest.raises(AccountNotEmpty) as refused:
        changes(pair.sender, CLOSED, forfeit=True)
    assert refused.value.in_transit == 30
    changes(pair.receiver, SUSPENDED)
    with pytest.raises(AccountSuspended):
        pair.arrives()
    changes(pair.sender, SUSPENDED)
    with pytest.raises(AccountSuspended):
        pair.sends(5)
    pair.returns()
    assert pair.sender.available == 40


def test_an_account_with_a_hold_is_not_closed_whatever_is_forfeited() -> None:
    story = Story()
    story.posts("D1", 1, 40)
    story.holds("H", 40)
    with pytest.raises(AccountNotEmpty):
        changes(story, CLOSED, forfeit=True)
    story.captures("H", 40)
    changes(story, CLOSED)


def test_a_closed_account_takes_corrections_of_old_documents_and_nothing_else() -> None:
    story = Story()
    story.posts("D1", 1, 40)
    story.posts("D3", 1, 20, status=PENDING)
    changes(story, CLOSED, forfeit=True)
    story.posts("D1", 2, 30)
    story.posts("D3", 2, status=CANCELLED)
    assert story.arrears == 10
    commands: list[Command] = [
        LinkIdentity("i-1", "card", "A", story.now),
        GrantTier("e-9", "gold", None, "match", "A", story.now, "policy-1"),
    ]
    for command in commands:
        with pytest.raises(AccountClosed):
            story.does(command)
    with pytest.raises(AccountClosed):
        story.posts("D2", 1, 5)
    with pytest.raises(AccountClosed):
        story.burns(5)
    with pytest.raises(AccountClosed):
        changes(story, SUSPENDED)


def test_reopening_gives_nothing_back() -> None:
    story = Story()
    story.posts("D1", 1, 40)
    changes(story, CLOSED, forfeit=True)
    changes(story, OPEN)
    assert story.available == 0
    story.posts("D2", 1, 15)
    assert story.available == 15


@pytest.mark.parametrize(
    ("ends", "refusal"),
    [
        (lambda story: changes(story, SUSPENDED), AccountSuspended),
        (lambda story: changes(story, CLOSED, forfeit=True), AccountClosed),
        (erases, AccountErased),
    ],
)
def test_what_was_spent_is_put_right_whoever_it_was_and_never_spent_anew(
    ends: Callable[[Story], Decision], refusal: type[Refusal]
) -> None:
    story = Story()
    story.posts("D1", 1, 40)
    story.holds("H", 10)
    captured = story.captures("H", 10, final=True)
    burn = story.burns(20)
    before = story.reverses(burn, 5)
    ends(story)
    for entry in (burn, captured):
        after = story.reverses(entry)
        with pytest.raises(refusal):
            story.reverses(after)
    with pytest.raises(refusal):
        story.reverses(before)


def test_a_spending_behind_an_erasure_is_found() -> None:
    story = Story()
    story.posts("D1", 1, 40)
    again = ReversalReversed(entry_id="e-9", currency="P", points=1, business_unit="A")
    assert list(wrong_of_erasure(again, Tally(story.account), "m-1")) == []
    erases(story)
    [wrong] = wrong_of_erasure(again, Tally(story.account), "m-1")
    assert "ReversalReversed" in wrong

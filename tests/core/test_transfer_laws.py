"""Laws of transfers over random histories of two members: nothing is lost, nothing appears.

`Story` checks the identities of each account by itself; here the two are looked at together.
"""

from collections import Counter
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.core import snapshot
from ledger.core.evolve import fold
from ledger.core.refusals import Refusal
from ledger.core.state import Account
from loyalty.v1.events_pb2 import (
    BurnReversed,
    PointsBurned,
    PointsReceived,
    PointsSent,
)
from tests.core.between import FEE_UNIT, Between
from tests.core.spec import Grant, Story, account_facts

HOUR = 3_600_000_000
LIVES = st.none() | st.integers(1, 300)


def born(pair: Between, lots: list[tuple[int, int | None]]) -> None:
    """Give the sender lots of (points, hours they live)."""
    story = pair.sender
    for number, (points, life) in enumerate(lots, 1):
        expires = None if life is None else story.now + life * HOUR
        story.posts(f"D{number}", 1, Grant(points, expires_at=expires))


all_lots = st.lists(st.tuples(st.integers(1, 60), LIVES), min_size=1, max_size=14)
parts = st.integers(1, 100)


@settings(max_examples=120, deadline=None)
@given(all_lots, parts, st.integers(0, 5), st.integers(0, 400))
def test_a_return_brings_back_the_exact_lots(
    lots: list[tuple[int, int | None]], percent: int, fee: int, hours: int
) -> None:
    pair, undisturbed = Between(), Between()
    for each in (pair, undisturbed):
        born(each, lots)
    with suppress(Refusal):
        pair.sends(max(1, pair.sender.available * percent // 100), fee=fee)
        for each in (pair, undisturbed):
            each.at_instant(each.sender.now + hours * HOUR)
        pair.returns()
    undisturbed.at_instant(pair.sender.now).sender.passes_time()
    pair.sender.passes_time()
    # As if it had never been sent: what is overdue is gone, and every other lot is as it was.
    assert _points(pair.sender) == _points(undisturbed.sender)
    assert pair.sender.account.balances == undisturbed.sender.account.balances


def _points(story: Story) -> dict[str, tuple[int, int | None, str]]:
    return {lot.lot_id: (lot.available, lot.expires_at, lot.issuer) for lot in story.account.lots}


@settings(max_examples=120, deadline=None)
@given(all_lots, parts, st.integers(0, 5), st.integers(0, 400), st.booleans())
def test_what_leaves_one_account_comes_into_the_other(
    lots: list[tuple[int, int | None]], percent: int, fee: int, hours: int, back: bool
) -> None:
    pair = Between()
    born(pair, lots)
    begin = pair.sender.available
    with suppress(Refusal):
        points = max(1, begin * percent // 100)
        pair.sends(points, fee=fee)
        pair.at_instant(pair.sender.now + hours * HOUR)
        pair.arrives()
        pair.completes()
        if back:
            there, pair.sender, pair.receiver = pair.receiver, pair.receiver, pair.sender
            pair.sends(there.available, fee=0)
            pair.arrives()
            pair.completes()
    stories = (pair.sender, pair.receiver)
    left = sum(sum(story.account.balance("P")) for story in stories)
    expired = sum(story.total("points_expired") for story in stories)
    assert begin == left + expired + sum(_fees(story) for story in stories)
    by_issuer: Counter[str] = Counter()
    for story in stories:
        by_issuer.update(_sent_less_received(story))
    assert not +by_issuer
    assert not -by_issuer


def _fees(story: Story) -> int:
    burned = [fact.event for fact in story.facts if isinstance(fact.event, PointsBurned)]
    given_back = [fact.event for fact in story.facts if isinstance(fact.event, BurnReversed)]
    assert all(fact.business_unit == FEE_UNIT for fact in burned)
    return sum(fact.points for fact in burned) - sum(fact.points for fact in given_back)


def _sent_less_received(story: Story) -> Counter[str]:
    """Points by everything that a transfer keeps: issuer, funder, end and earned time."""
    moved: Counter[str] = Counter()
    for fact in story.facts:
        if isinstance(fact.event, PointsSent):
            for lot in fact.event.lots:
                moved[_kept(lot)] += lot.points
        elif isinstance(fact.event, PointsReceived):
            for lot in fact.event.lots:
                moved[_kept(lot)] -= lot.points
    return moved


def _kept(lot: object) -> str:
    return repr([getattr(lot, name) for name in ("issuer", "funder", "expire_time", "earned_time")])


@settings(max_examples=60, deadline=None)
@given(all_lots, parts, st.integers(0, 60))
def test_a_fold_with_points_in_transit_may_be_split_anywhere(
    lots: list[tuple[int, int | None]], percent: int, where: int
) -> None:
    pair = Between()
    born(pair, lots)
    pair.moves(max(1, pair.sender.available * percent // 200), fee=0)
    with suppress(Refusal):
        pair.sends(pair.sender.available, fee=0)
    for story in (pair.sender, pair.receiver):
        events = account_facts(story.facts)
        start = Account(story.account.account_id)
        cut = where % (len(events) + 1)
        resumed = fold(snapshot.decode(snapshot.encode(fold(start, events[:cut]))), events[cut:])
        assert snapshot.encode(resumed) == snapshot.encode(fold(start, events))

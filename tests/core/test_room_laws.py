"""Laws of room, on random histories: nothing is overshot, no number is had twice, order is free."""

from collections import Counter
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

import rules
from ledger.core import snapshot
from ledger.core.decide import Outcome
from ledger.core.evolve import fold
from ledger.core.state import Account
from ledger.verifying.counting_books import CountingBook
from loyalty.v1.events_pb2 import DocumentPosted
from loyalty.v1.types_pb2 import DocumentStatus
from tests.core.offers import FIRST, Offer, number_of
from tests.core.spec import CANCELLED, FINAL, PENDING, Story, account_facts

VISIT = rules.CounterKey("visit", "count", "2025", "2025-03-01", by_day=True, missed_allowed=0)
MEMBERS = ("M1", "M2", "M3")

Step = tuple[str, str, int, DocumentStatus.ValueType, int]
"""(member, document, points wanted, status, day of March)"""

steps = st.tuples(
    st.sampled_from(MEMBERS),
    st.sampled_from(["D1", "D2", "D3", "D4"]),
    st.integers(1, 120),
    st.sampled_from([FINAL, FINAL, FINAL, CANCELLED, PENDING]),
    st.integers(1, 3),
)
histories = st.lists(steps, min_size=4, max_size=30)


class Programme:
    """Three members under one offer; a document keeps the day of its first version."""

    def __init__(self) -> None:
        self.offer = Offer(cap=100, budget=300, welcome=50, counter=VISIT)
        self.stories = {name: Story(Account(name)) for name in MEMBERS}
        self.days: dict[tuple[str, str], int] = {}

    def take(self, step: Step) -> None:
        """Post the next version of a document, and hold the laws against it."""
        name, document, wanted, status, day = step
        story = self.stories[name]
        head = story.heads.get(document)
        day = self.days.setdefault((name, document), day)
        self.offer.counter = VISIT._replace(day=f"2025-03-{day:02}")
        version = 1 if head is None else head.document.version + 1
        worth = 0 if status == CANCELLED else wanted
        self.offer.posts(story, document, version, worth, status=status)
        self.check()

    def check(self) -> None:
        """Assert that nothing is overshot and that no number is had twice."""
        budget = 0
        for story in self.stories.values():
            granted: Counter[str] = Counter()
            for head in story.heads.values():
                for grant in head.grants:
                    granted[grant.rule] += grant.granted
            assert granted["base"] <= 100
            assert self.offer.used_of(story) == granted["base"]
            budget += granted["k"]
            self._check_numbers(story)
        assert budget <= 300
        assert sum(self.offer.purses.values()) == budget

    def _check_numbers(self, story: Story) -> None:
        final = [name for name, head in story.heads.items() if head.pinned]
        firsts = [number for name in final if (number := number_of(story, name, FIRST))]
        assert len(set(firsts)) == len(firsts)
        days: dict[int, str] = {}
        for name in final:
            number = number_of(story, name, VISIT)
            if number:
                day = next(n.day for n in story.heads[name].numbers if n.counter == "visit")
                assert days.setdefault(number, day) == day
        assert len(set(days.values())) == len(days)


@settings(max_examples=40, deadline=None)
@given(histories)
def test_nothing_is_overshot_and_no_number_is_had_twice(history: list[Step]) -> None:
    programme = Programme()
    for step in history:
        programme.take(step)


@settings(max_examples=40, deadline=None)
@given(histories, st.integers(0, 100))
def test_a_fold_with_counts_may_be_split_anywhere(history: list[Step], where: int) -> None:
    programme = Programme()
    for step in history:
        programme.take(step)
    for name, story in programme.stories.items():
        events = account_facts(story.facts)
        cut = where % (len(events) + 1)
        first = fold(Account(name), events[:cut])
        resumed = fold(snapshot.decode(snapshot.encode(first)), events[cut:])
        assert resumed == story.account
        assert snapshot.encode(resumed) == snapshot.encode(story.account)


@settings(max_examples=40, deadline=None)
@given(histories)
def test_books_beside_the_fold_find_nothing(history: list[Step]) -> None:
    programme = Programme()
    for step in history:
        programme.take(step)
    for name, story in programme.stories.items():
        book, account = CountingBook(), Account(name)
        for event in account_facts(story.facts):
            if isinstance(event, DocumentPosted):
                assert list(book.post(event, account)) == []
            account = fold(account, [event])
        assert list(book.compare(account)) == []


@settings(max_examples=40, deadline=None)
@given(histories)
def test_a_version_posted_twice_counts_once(history: list[Step]) -> None:
    programme = Programme()
    for step in history:
        programme.take(step)
    for story in programme.stories.values():
        for document, head in list(story.heads.items()):
            before = story.account
            again = programme.offer.posts(story, document, head.document.version, 77)
            assert again.outcome is Outcome.SUPERSEDED
            assert story.account is before


versions = st.lists(
    st.tuples(st.integers(1, 150), st.sampled_from([FINAL, FINAL, CANCELLED])),
    min_size=1,
    max_size=5,
)


@settings(max_examples=60, deadline=None)
@given(versions, st.data())
def test_a_document_alone_takes_the_same_room_in_any_order_of_delivery(
    stated: list[tuple[int, DocumentStatus.ValueType]], data: st.DataObject
) -> None:
    deliveries = list(enumerate(stated, 1))
    ends = []
    for order in (deliveries, data.draw(st.permutations(deliveries)), deliveries[-1:]):
        story, offer = Story(), Offer(cap=100, budget=80, welcome=30)
        for version, (wanted, status) in order:
            offer.posts(story, "D1", version, 0 if status == CANCELLED else wanted, status=status)
        purse = sum(offer.purses.values())
        ends.append((story.available, offer.used_of(story), purse, number_of(story, "D1", FIRST)))
    assert all(one == other for one, other in pairwise(ends))

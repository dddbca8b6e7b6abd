"""Laws that hold for every history: tried on random ones. `Story` checks the identities itself."""

from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.core import snapshot
from ledger.core.advance import advance
from ledger.core.decide import Outcome
from ledger.core.evolve import evolve, fold
from ledger.core.refusals import Refusal
from ledger.core.state import Account
from loyalty.v1.types_pb2 import DocumentStatus
from tests.core.spec import CANCELLED, FINAL, PENDING, Grant, Story, account_facts, no_ladder

HOUR = 3_600_000_000
Step = Callable[[Story], object]

amounts = st.integers(1, 120)
hours = st.integers(1, 100)
unit_names = st.sampled_from(["A", "B"])
hold_ids = st.sampled_from(["H1", "H2", "H3"])
statuses = st.sampled_from([PENDING, FINAL, FINAL, FINAL, CANCELLED])


def waits(by: int) -> Step:
    """Time passes, and nobody looks."""

    def step(story: Story) -> None:
        story.now += by * HOUR

    return step


def posts(
    document: str,
    version: int,
    status: DocumentStatus.ValueType,
    grants: list[tuple[str, int, int | None, int | None]],
) -> Step:
    """Post a document whose rules give these points."""

    def step(story: Story) -> object:
        given_now = [
            Grant(
                points,
                rule=rule,
                currency="QP" if rule == "status" else "P",
                funder="K" if rule == "bonus" else "A",
                pending_until=None if delay is None else story.now + delay * HOUR,
                expires_at=None if life is None else story.now + life * HOUR,
                window="2025" if rule == "status" else "",
            )
            for rule, points, delay, life in grants
        ]
        return story.posts(document, version, *given_now, status=status)

    return step


def grants_of(
    status: DocumentStatus.ValueType,
) -> st.SearchStrategy[list[tuple[str, int, int | None, int | None]]]:
    """What rules may give; nothing for a cancelled document."""
    if status == CANCELLED:
        return st.just([])
    rules = st.lists(st.sampled_from(["base", "bonus", "status"]), unique=True)
    terms = st.tuples(amounts, st.none() | st.integers(-5, 50), st.none() | st.integers(-5, 200))
    return rules.flatmap(
        lambda names: st.tuples(*(terms for _ in names)).map(
            lambda given_terms: [
                (name, points, delay, None if name == "status" else life)
                for name, (points, delay, life) in zip(names, given_terms, strict=True)
            ]
        )
    )


postings = statuses.flatmap(
    lambda status: st.builds(
        posts,
        st.sampled_from(["D1", "D2", "D3"]),
        st.integers(1, 8),
        st.just(status),
        grants_of(status),
    )
)
steps = st.one_of(
    st.builds(waits, hours),
    postings,
    postings,
    st.builds(lambda n, unit: lambda story: story.burns(n, unit=unit), amounts, unit_names),
    st.builds(lambda h, n: lambda story: story.holds(h, n), hold_ids, amounts),
    st.builds(
        lambda h, n, final: lambda story: story.captures(h, n, final=final),
        hold_ids,
        amounts,
        st.booleans(),
    ),
    st.builds(lambda h: lambda story: story.releases(h), hold_ids),
    st.builds(
        lambda entry, n, unit: lambda story: story.reverses(f"e{entry}", n, unit=unit),
        st.integers(1, 30),
        st.integers(0, 60),
        unit_names,
    ),
)
histories = st.lists(steps, min_size=1, max_size=30)


def told(history: list[Step]) -> Story:
    """A story with 50 points to begin with; refusals leave no trace."""
    story = Story().has_lot("L0", 50)
    for step in history:
        with suppress(Refusal):
            step(story)
    return story


@settings(max_examples=150, deadline=None)
@given(histories, st.integers(0, 100))
def test_a_fold_may_be_split_anywhere(history: list[Step], where: int) -> None:
    events = account_facts(told(history).facts)
    start = Account("m-1")
    cut = where % (len(events) + 1)
    whole = fold(start, events)
    first = fold(start, events[:cut])
    assert fold(first, events[cut:]) == whole
    one_by_one = start
    for event in events:
        one_by_one = evolve(one_by_one, event)
    assert one_by_one == whole
    resumed = fold(snapshot.decode(snapshot.encode(first)), events[cut:])
    assert snapshot.encode(resumed) == snapshot.encode(whole) == snapshot.encode(one_by_one)


@settings(max_examples=60, deadline=None)
@given(histories)
def test_nothing_stays_due(history: list[Step]) -> None:
    story = told(history)
    story.passes_time()
    assert not advance(story.account, now=story.now, ladder=no_ladder).facts
    for lot in story.account.lots:
        assert not lot.available or lot.expires_at is None or lot.expires_at > story.now


@settings(max_examples=60, deadline=None)
@given(histories)
def test_what_time_decides_is_in_order(history: list[Step]) -> None:
    story = told(history)
    story.now += 300 * HOUR
    facts = story.passes_time()
    assert all(earlier.occurred_at <= later.occurred_at for earlier, later in pairwise(facts))


@settings(max_examples=60, deadline=None)
@given(histories)
def test_a_document_version_decided_twice_changes_nothing(history: list[Step]) -> None:
    story = told(history)
    for document, head in list(story.heads.items()):
        before = story.account
        again = story.posts(document, head.document.version, 77)
        assert again.outcome is Outcome.SUPERSEDED
        assert fold(before, account_facts(list(again.facts))) == again.account


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_document_ends_the_same_in_any_order_of_delivery(data: st.DataObject) -> None:
    pending = data.draw(st.integers(0, 2))
    done = data.draw(st.lists(st.sampled_from([FINAL, CANCELLED]), min_size=1, max_size=4))
    versions: list[tuple[int, DocumentStatus.ValueType, list[Grant]]] = []
    for number, status in enumerate([PENDING] * pending + done, 1):
        points = data.draw(st.tuples(*[st.integers(0, 100)] * 3))
        rules = zip(("base", "bonus", "status"), points, strict=True)
        grants = [
            Grant(n, rule=rule, currency="QP", window="2025")
            if rule == "status"
            else Grant(n, rule=rule)
            for rule, n in rules
            if n and status != CANCELLED
        ]
        versions.append((number, status, grants))
    in_order, shuffled, newest = Story(), Story(), Story()
    for story, deliveries in [
        (in_order, versions),
        (shuffled, data.draw(st.permutations(versions))),
        (newest, versions[-1:]),
    ]:
        for number, status, grants in deliveries:
            story.posts("D1", number, *grants, status=status)
    assert _points(in_order) == _points(shuffled) == _points(newest)


def _points(story: Story) -> list[int]:
    counted = story.account.qualifying.get(("QP", "2025"), 0)
    status = story.account.balance("QP")
    return [story.available, story.pending, story.arrears, counted, status.available]

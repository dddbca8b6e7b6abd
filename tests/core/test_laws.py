"""Laws that hold for every history: tried on random ones. `Story` checks the identities itself."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.core import snapshot
from ledger.core.advance import advance
from ledger.core.decide import Outcome
from ledger.core.evolve import evolve, fold
from ledger.core.refusals import Refusal
from ledger.core.state import Account
from loyalty.v1.events_pb2 import BurnReversed, HoldCaptured, PointsBurned, ReversalReversed
from loyalty.v1.types_pb2 import DocumentStatus
from tests.core.spec import (
    CANCELLED,
    FINAL,
    NO_LIMITS,
    PENDING,
    Grant,
    Story,
    account_facts,
    no_ladder,
)

HOUR = 3_600_000_000
Step = Callable[[Story], object]

ACTS = PointsBurned | HoldCaptured | BurnReversed | ReversalReversed


@dataclass(frozen=True, slots=True)
class Terms:
    """What a rule gives, in points and hours from now."""

    points: int
    delay: int | None
    life: int | None


def waits(by: int) -> Step:
    """Time passes, and nobody looks."""

    def step(story: Story) -> None:
        story.now += by * HOUR

    return step


def posts(
    document: str, ahead: int, status: DocumentStatus.ValueType, rules: dict[str, Terms]
) -> Step:
    """Post the version that is so far ahead of the document's newest."""

    def step(story: Story) -> object:
        head = story.heads.get(document)
        version = max(1, (head.document.version if head else 0) + ahead)
        given_now = [] if status == CANCELLED else [_grant(story, *rule) for rule in rules.items()]
        return story.posts(document, version, *given_now, status=status)

    return step


def _grant(story: Story, rule: str, terms: Terms) -> Grant:
    counts = rule == "status"
    return Grant(
        terms.points,
        rule=rule,
        currency="QP" if counts else "P",
        funder="K" if rule == "bonus" else "A",
        pending_until=None if terms.delay is None else story.now + terms.delay * HOUR,
        expires_at=None if terms.life is None else story.now + terms.life * HOUR,
        window="2025" if counts else "",
    )


def burns(percent: int, unit: str) -> Step:
    """Spend a part of what is available."""
    return lambda story: story.burns(story.available * percent // 100, unit=unit)


def spends(percent: int, draw_first: list[str]) -> Step:
    """Spend what some funders pay for first; of that order nothing may be left behind."""

    def step(story: Story) -> object:
        terms = replace(NO_LIMITS, draw_first=tuple(draw_first))
        story.passes_time()
        before = {lot.lot_id: lot for lot in story.account.lots if lot.currency == "P"}
        decision = story.burns(story.available * percent // 100, terms=terms)
        burned = next(f.event for f in decision.facts if isinstance(f.event, PointsBurned))
        ranks = [_rank(draw.funder, draw_first) for draw in burned.draws]
        assert ranks == sorted(ranks)
        taken = {draw.lot_id: draw.points for draw in burned.draws}
        for lot_id, lot in before.items():
            left = lot.available - taken.get(lot_id, 0)
            assert not left or _rank(lot.funder, draw_first) >= ranks[-1]
        return decision

    return step


def _rank(funder: str, draw_first: list[str]) -> int:
    return draw_first.index(funder) if funder in draw_first else len(draw_first)


def holds(number: int, percent: int, life: int | None, *, expire: bool) -> Step:
    """Set a part of what is available aside, to keep it or not."""

    def step(story: Story) -> object:
        points = story.available * percent // 100
        until = None if life is None else story.now + life * HOUR
        return story.holds(f"H{number}", points, until=until, expire=expire)

    return step


def captures(number: int, percent: int, *, final: bool) -> Step:
    """Spend a part of an open hold, or of one that is over or never was."""

    def step(story: Story) -> object:
        held = [hold for hold in story.account.holds if hold.hold_id == f"H{number}"]
        points = held[0].points * percent // 100 if held else 5
        return story.captures(f"H{number}", points, final=final)

    return step


def releases(number: int) -> Step:
    """Give a hold back."""
    return lambda story: story.releases(f"H{number}")


def reverses(back: int, points: int) -> Step:
    """Take back one of the last burns, captures or reversals."""

    def step(story: Story) -> object:
        acts = [fact.event for fact in story.facts if isinstance(fact.event, ACTS)]
        act = acts[-1 - back % len(acts)] if acts else None
        entry, unit = (act.entry_id, act.business_unit) if act else ("e0", "A")
        return story.reverses(entry, points, unit=unit)

    return step


percents = st.sampled_from([100, 90]) | st.integers(1, 100)
numbers = st.integers(1, 3)
all_terms = st.builds(
    Terms, st.integers(1, 100), st.none() | st.integers(-5, 50), st.none() | st.integers(-5, 200)
)
postings = st.builds(
    posts,
    st.sampled_from(["D1", "D2", "D3"]),
    st.sampled_from([1, 1, 1, 2, 0, -1]),
    st.sampled_from([FINAL, FINAL, CANCELLED, PENDING]),
    st.dictionaries(st.sampled_from(["base", "bonus", "status"]), all_terms, min_size=1),
)
steps = st.one_of(
    postings,
    postings,
    st.builds(burns, percents, st.sampled_from(["A", "B"])),
    st.builds(spends, percents, st.sampled_from([["K"], ["X", "K"], ["A"]])),
    st.builds(holds, numbers, percents, st.none() | st.integers(1, 100), expire=st.booleans()),
    st.builds(captures, numbers, percents, final=st.booleans()),
    st.builds(releases, numbers),
    st.builds(reverses, st.integers(0, 3), st.just(0) | st.integers(1, 60)),
    st.builds(waits, st.integers(1, 60)),
)
histories = st.lists(steps, min_size=8, max_size=40)


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
    for hold in story.account.holds:
        for draw in hold.draws if hold.points_expire else ():
            assert draw.expires_at is None or draw.expires_at > story.now


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
    story.passes_time()
    for document, head in story.heads.items():
        before = story.account
        again = story.posts(document, head.document.version, 77)
        assert (again.outcome, again.facts) == (Outcome.SUPERSEDED, ())
        assert again.account is before


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

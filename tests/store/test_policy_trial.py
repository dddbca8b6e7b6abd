"""Whatever steps people try to take with policies: what is let through verifies, by its law."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ledger.core.events import PolicyFact
from ledger.core.instant import SECOND, to_timestamp
from ledger.core.people import same_person
from ledger.core.programme import Programme, after
from ledger.core.publishing import (
    require_approver,
    require_draft,
    require_draftable,
    require_in_time,
    require_publishable,
    require_withdrawable,
)
from ledger.core.refusals import Refusal
from ledger.verifying.policy_trial import Contents, PolicyTrial
from loyalty.v1.events_pb2 import (
    PolicyApproved,
    PolicyDrafted,
    PolicyPublished,
    PolicySimulated,
    PolicyWithdrawn,
)

STREAM = "policy/t"
MINUTE = 60 * SECOND


class Try(NamedTuple):
    """Somebody tries a step with a document; its version and time are told by its digest."""

    step: str
    digest: int
    who: str
    after: int
    """Minutes since the try before."""
    allowed: bool
    """Reaching back and overlapping."""


PEOPLE = st.sampled_from(["office/anna", "office", "chief/ben", "chief/Anna", "board"])
DIGESTS = st.integers(0, 5)
ONE = st.builds(
    Try,
    st.sampled_from(["draft", "simulate", "approve", "publish", "withdraw"]),
    DIGESTS,
    PEOPLE,
    st.integers(0, 30),
    st.booleans(),
)


@st.composite
def whole_ways(draw: st.DrawFn) -> list[Try]:
    """A document on its way from draft to force, by whoever is at hand: chance seldom finds it."""
    digest = draw(DIGESTS)
    steps = ["draft", "approve", "publish"]
    return [Try(step, digest, draw(PEOPLE), 0, draw(st.booleans())) for step in steps]


TRIES = st.lists(st.one_of(ONE.map(lambda one: [one]), whole_ways()), max_size=15).map(
    lambda parts: [each for part in parts for each in part]
)


def version_of(digest: int) -> int:
    """Two documents share each number."""
    return digest // 2 + 1


def begins(digest: int) -> int:
    """Later versions mostly begin later; one pair does not."""
    return [0, 20, 90, 90, 60, 200][digest] * MINUTE


def draft(state: Programme, each: Try, _now: int) -> PolicyFact:
    version = version_of(each.digest)
    require_draftable(state, name="t", version=version, digest=str(each.digest))
    return PolicyDrafted(
        programme="t",
        version=version,
        digest=str(each.digest),
        author=each.who,
        effective_time=to_timestamp(begins(each.digest)),
    )


def simulate(state: Programme, each: Try, _now: int) -> PolicyFact:
    known = require_draft(state, str(each.digest))
    return PolicySimulated(programme="t", digest=known.digest, author=each.who)


def approve(state: Programme, each: Try, _now: int) -> PolicyFact:
    known = require_draft(state, str(each.digest))
    require_approver(known, each.who)
    return PolicyApproved(programme="t", digest=known.digest, approver=each.who)


def publish(state: Programme, each: Try, now: int) -> PolicyFact:
    version, digest = version_of(each.digest), str(each.digest)
    approver = require_publishable(
        state, name="t", version=version, digest=digest, approval_required=True
    )
    require_in_time(
        state,
        version=version,
        effective_at=begins(each.digest),
        now=now,
        allow_retroactive=each.allowed,
        allow_overlap=each.allowed,
    )
    return PolicyPublished(
        programme="t",
        version=version,
        digest=digest,
        publisher=each.who,
        approved_by=approver,
        effective_time=to_timestamp(begins(each.digest)),
    )


def withdraw(state: Programme, each: Try, now: int) -> PolicyFact:
    known = require_withdrawable(state, str(each.digest), now=now)
    return PolicyWithdrawn(programme="t", digest=known.digest, author=each.who, reason="no")


STEPS: dict[str, Callable[[Programme, Try, int], PolicyFact]] = {
    "draft": draft,
    "simulate": simulate,
    "approve": approve,
    "publish": publish,
    "withdraw": withdraw,
}


class NothingRead(Contents):
    """Documents are not what is tried here."""

    def faults(self, _fact: Any) -> list[str]:
        return []


def taken(tries: Iterable[Try]) -> list[tuple[PolicyFact, int]]:
    """The steps that were let through, with their times."""
    state, now = Programme(), 0
    facts: list[tuple[PolicyFact, int]] = []
    for each in tries:
        now += each.after * MINUTE + 1
        try:
            fact = STEPS[each.step](state, each, now)
        except Refusal:
            continue
        state = after(state, fact, now, STREAM)
        facts.append((fact, now))
    return facts


@settings(max_examples=300, deadline=None)
@given(TRIES)
def test_what_is_let_through_verifies_and_needed_two_people(tries: list[Try]) -> None:
    trial = PolicyTrial(NothingRead([]))
    state = Programme()
    for fact, at in taken(tries):
        assert list(trial.enter(fact, stream=STREAM, recorded_at=at)) == []
        if isinstance(fact, PolicyPublished) and state.published:
            author = state.versions[fact.digest].author
            assert fact.approved_by
            assert not same_person(author, fact.approved_by)
        state = after(state, fact, at, STREAM)
    numbers = [each.version for each in state.published]
    assert len(numbers) == len(set(numbers))


@settings(max_examples=200, deadline=None)
@given(TRIES, st.data())
def test_a_step_that_is_left_out_of_the_history_is_missed(
    tries: list[Try], data: st.DataObject
) -> None:
    facts = taken(tries)
    approvals = [fact for fact, _ in facts if isinstance(fact, PolicyApproved)]
    used = [
        approval
        for approval in approvals
        if any(
            isinstance(fact, PolicyPublished)
            and (fact.digest, fact.approved_by) == (approval.digest, approval.approver)
            for fact, _ in facts
        )
        and sum(each == approval for each in approvals) == 1
    ]
    assume(used)
    gone = data.draw(st.sampled_from(used))
    trial = PolicyTrial(NothingRead([]))
    found = [
        wrong
        for fact, at in facts
        if fact is not gone
        for wrong in trial.enter(fact, stream=STREAM, recorded_at=at)
    ]
    assert found == [f"{gone.approver!r} is said to have approved it, and did not"]

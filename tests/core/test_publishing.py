"""The steps of a policy: which may follow which, who may take them, and what is in force when."""

from typing import Any

import pytest

from ledger.core import refusals
from ledger.core.events import PolicyFact
from ledger.core.instant import SECOND, to_timestamp
from ledger.core.people import actor, same_person
from ledger.core.programme import Programme, State, after
from ledger.core.publishing import (
    LEAD,
    WITHDRAWAL_LEAD,
    require_approver,
    require_draft,
    require_draftable,
    require_in_time,
    require_publishable,
    require_withdrawable,
)
from loyalty.v1.events_pb2 import (
    PolicyApproved,
    PolicyDrafted,
    PolicyPublished,
    PolicySimulated,
    PolicyWithdrawn,
)

HOUR = 3600 * SECOND


def drafted(version: int, digest: str, *, author: str = "office", at: int = 0) -> PolicyDrafted:
    return PolicyDrafted(
        programme="t",
        version=version,
        digest=digest,
        author=author,
        effective_time=to_timestamp(at),
    )


def published(version: int, digest: str, *, at: int = 0) -> PolicyPublished:
    return PolicyPublished(
        programme="t",
        version=version,
        digest=digest,
        publisher="office",
        effective_time=to_timestamp(at),
    )


def approved(digest: str, approver: str = "chief") -> PolicyApproved:
    return PolicyApproved(programme="t", digest=digest, approver=approver)


def withdrawn(digest: str) -> PolicyWithdrawn:
    return PolicyWithdrawn(programme="t", digest=digest, author="office", reason="not ready")


def programme(*facts: PolicyFact) -> Programme:
    """Fold facts, one a second."""
    folded = Programme()
    for number, fact in enumerate(facts, start=1):
        folded = after(folded, fact, number * SECOND, "policy/t")
    return folded


def publishable(state: Programme, version: int, digest: str, *, required: bool = True) -> str:
    return require_publishable(
        state, name="t", version=version, digest=digest, approval_required=required
    )


def in_time(state: Programme, version: int, at: int, **flags: Any) -> None:
    allowed = {"allow_retroactive": False, "allow_overlap": False, **flags}
    require_in_time(state, version=version, effective_at=at, now=HOUR, **allowed)


def test_a_version_is_seen_at_every_step() -> None:
    simulated = PolicySimulated(programme="t", digest="b", report_digest="r")
    first = published(1, "a")
    steps: list[tuple[PolicyFact, State]] = [
        (drafted(2, "b", at=HOUR), State.DRAFTED),
        (simulated, State.SIMULATED),
        (approved("b"), State.APPROVED),
        (published(2, "b", at=HOUR), State.SCHEDULED),
    ]
    facts: list[PolicyFact] = [first]
    for fact, expected in steps:
        facts.append(fact)
        state = programme(*facts)
        assert state.state(state.versions["b"], HOUR - 1) is expected
        assert state.version == len(facts)
    assert state.state(state.versions["b"], HOUR) is State.IN_FORCE
    assert state.state(state.versions["a"], HOUR - 1) is State.IN_FORCE
    assert state.state(state.versions["a"], HOUR) is State.REPLACED
    gone = programme(*facts, withdrawn("b"))
    assert gone.state(gone.versions["b"], HOUR) is State.WITHDRAWN
    assert gone.state(gone.versions["a"], HOUR) is State.IN_FORCE


def test_the_highest_version_that_has_taken_effect_is_in_force() -> None:
    state = programme(published(1, "a"), published(3, "c", at=2 * HOUR), published(2, "b", at=HOUR))
    found = {at: state.in_force(at) for at in (-1, 0, HOUR, 2 * HOUR)}
    assert [each and each.digest for each in found.values()] == [None, "a", "b", "c"]
    assert programme(published(1, "a", at=5), withdrawn("a")).in_force(9) is None


def test_a_person_is_a_client_and_an_operator_adds_doubt_only() -> None:
    assert actor("office", "") == "office"
    assert actor("office", "anna") == "office/anna"
    assert same_person("office/anna", "office/ben")
    assert same_person("office", "office/ben")
    assert same_person("office/Anna  B.", "chief/anna b.")
    assert same_person("office/Zo\u00eb", "chief/ZOE\u0308")
    assert same_person("office/anna", "chief/\uff21\uff4e\uff4e\uff41")
    assert not same_person("office/anna", "chief/ben")
    assert not same_person("office", "chief")
    assert not same_person("office/anna", "chief")


@pytest.mark.parametrize("approver", ["office", "office/ben", "chief/Anna"])
def test_nobody_approves_a_draft_of_their_own(approver: str) -> None:
    draft = programme(drafted(1, "a", author="office/anna")).versions["a"]
    with pytest.raises(refusals.ApproverIsAuthor) as refused:
        require_approver(draft, approver)
    assert refused.value.fields == {"author": "office/anna", "approver": approver}
    require_approver(draft, "chief/ben")


def test_the_first_policy_needs_nobody_and_every_later_one_a_second_person() -> None:
    assert publishable(Programme(), 1, "a") == ""
    begun = programme(published(1, "a"))
    with pytest.raises(refusals.PolicyNotDrafted):
        publishable(begun, 2, "b")
    with pytest.raises(refusals.PolicyNotApproved) as refused:
        publishable(programme(published(1, "a"), drafted(2, "b")), 2, "b")
    assert refused.value.fields == {"version": 2, "digest": "b", "author": "office"}
    ready = programme(published(1, "a"), drafted(2, "b"), approved("b"))
    assert publishable(ready, 2, "b") == "chief"
    # Withdrawing the first gives nobody the right to begin again alone.
    with pytest.raises(refusals.PolicyNotDrafted):
        publishable(programme(published(1, "a", at=HOUR), withdrawn("a")), 2, "b")


def test_where_no_approval_is_asked_for_a_draft_may_still_have_one() -> None:
    begun = programme(published(1, "a"), drafted(2, "b"))
    assert publishable(begun, 2, "b", required=False) == ""
    assert publishable(begun, 3, "c", required=False) == ""
    assert publishable(programme(drafted(2, "b"), approved("b")), 2, "b", required=False) == "chief"


def test_an_approval_of_the_author_that_stands_in_the_history_counts_for_nothing() -> None:
    forged = programme(published(1, "a"), drafted(2, "b"), approved("b", "office/ben"))
    with pytest.raises(refusals.PolicyNotApproved):
        publishable(forged, 2, "b")


def test_a_number_that_was_published_is_spent() -> None:
    for state in (
        programme(published(1, "a", at=HOUR)),
        programme(published(1, "a", at=HOUR), withdrawn("a")),
    ):
        for step in (
            lambda state=state: publishable(state, 1, "z"),
            lambda state=state: require_draftable(state, name="t", version=1, digest="z"),
        ):
            with pytest.raises(refusals.PolicyExists):
                step()


def test_the_same_document_is_drafted_once_and_another_of_its_number_again() -> None:
    state = programme(drafted(1, "a"))
    with pytest.raises(refusals.DraftExists):
        require_draftable(state, name="t", version=1, digest="a")
    require_draftable(state, name="t", version=1, digest="b")
    with pytest.raises(refusals.PolicyWithdrawn):
        require_draftable(
            programme(drafted(1, "a"), withdrawn("a")), name="t", version=1, digest="a"
        )


def test_a_draft_goes_on_until_it_is_withdrawn_or_its_number_is_published() -> None:
    assert require_draft(programme(drafted(1, "a")), "a").digest == "a"
    with pytest.raises(refusals.PolicyNotDrafted):
        require_draft(programme(drafted(1, "a")), "b")
    with pytest.raises(refusals.PolicyWithdrawn):
        require_draft(programme(drafted(1, "a"), withdrawn("a")), "a")
    with pytest.raises(refusals.PolicyExists):
        require_draft(programme(drafted(1, "a"), drafted(1, "b"), published(1, "b")), "a")
    with pytest.raises(refusals.PolicyExists, match="was published already, with digest a"):
        require_draft(programme(drafted(1, "a"), published(1, "a")), "a")


def test_what_reaches_back_is_refused_unless_it_is_allowed_or_the_first() -> None:
    in_time(Programme(), 1, 0)
    in_time(programme(published(1, "a", at=9 * HOUR), withdrawn("a")), 2, 0)
    begun = programme(published(1, "a"))
    with pytest.raises(refusals.RetroactivePolicy):
        in_time(begun, 2, HOUR + LEAD - 1)
    in_time(begun, 2, HOUR + LEAD)
    in_time(begun, 2, HOUR, allow_retroactive=True)


@pytest.mark.parametrize(("version", "hour"), [(2, 4), (2, 5), (4, 4), (4, 3)])
def test_a_lower_version_may_not_take_effect_at_or_after_a_higher(version: int, hour: int) -> None:
    state = programme(published(1, "a"), published(3, "c", at=4 * HOUR))
    with pytest.raises(refusals.PolicyOverlaps) as refused:
        in_time(state, version, hour * HOUR)
    assert refused.value.fields["other_version"] == 3
    in_time(state, version, hour * HOUR, allow_overlap=True)
    in_time(programme(published(1, "a"), published(3, "c"), withdrawn("c")), version, hour * HOUR)


def test_versions_in_turn_do_not_overlap() -> None:
    state = programme(published(1, "a"), published(3, "c", at=4 * HOUR))
    in_time(state, 2, 3 * HOUR)
    in_time(state, 4, 5 * HOUR)


def test_a_policy_is_withdrawn_before_the_lead_and_a_draft_at_any_time() -> None:
    state = programme(published(1, "a", at=HOUR), drafted(2, "b"))
    assert require_withdrawable(state, "a", now=HOUR - WITHDRAWAL_LEAD - 1).digest == "a"
    with pytest.raises(refusals.PolicyInForce) as refused:
        require_withdrawable(state, "a", now=HOUR - WITHDRAWAL_LEAD)
    assert refused.value.fields["latest"] == "1970-01-01T00:54:50+00:00"
    assert require_withdrawable(state, "b", now=9 * HOUR).digest == "b"
    with pytest.raises(refusals.PolicyNotDrafted):
        require_withdrawable(state, "c", now=0)
    with pytest.raises(refusals.PolicyWithdrawn):
        require_withdrawable(programme(drafted(2, "b"), withdrawn("b")), "b", now=0)


def test_facts_about_what_nobody_drafted_only_move_the_stream_on() -> None:
    state = programme(approved("z"), withdrawn("z"))
    assert state.version == 2
    assert dict(state.versions) == {}


def test_a_version_says_who_did_what() -> None:
    state = programme(drafted(1, "a"), approved("a"), approved("a", "boss"))
    version = state.versions["a"]
    assert version.author == "office"
    assert [step.by for step in version.approvals] == ["chief", "boss"]
    assert version.touched_at == SECOND

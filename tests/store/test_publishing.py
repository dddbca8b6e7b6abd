"""Policies from draft to force, on a database: what a step costs, who may take it, what stays."""

import asyncio
import threading

import pytest

import rules
from ledger.act import Answer
from ledger.clock import SettableClock
from ledger.core.events import KIND_NUMBER
from ledger.core.instant import CLOCKS_DIFFER_BY
from ledger.core.publishing import LEAD, WITHDRAWAL_LEAD
from ledger.core.refusals import (
    ApproverIsAuthor,
    PolicyExists,
    PolicyInForce,
    PolicyInvalid,
    PolicyNotApproved,
    PolicyNotDrafted,
    PolicyOverlaps,
    PolicyWithdrawn,
    RequestConflict,
    RetroactivePolicy,
    UnknownCategory,
)
from ledger.policies import KNOWN_MAX, asks_of_members
from ledger.verifying.findings import Reason
from loyalty.v1.events_pb2 import PolicyApproved, PolicyPublished
from loyalty.v1.programme_service_pb2 import (
    POLICY_STATE_APPROVED,
    POLICY_STATE_SCHEDULED,
    POLICY_STATE_SIMULATED,
    POLICY_STATE_WITHDRAWN,
    ApprovePolicyRequest,
    DraftPolicyRequest,
    Policy,
    PublishPolicyRequest,
    RecordSimulationRequest,
    WithdrawPolicyRequest,
)
from loyalty.v1.types_pb2 import Points
from tests.store.tampering import told
from tests.store.till import POLICY, Till, at, open_till


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The versions that were compiled, in order."""
    versions: list[int] = []
    compile_policy = rules.compile_policy

    def noted(document: rules.PolicyDocument, *, published: bool = False) -> rules.Policy:
        policy = compile_policy(document, published=published)
        versions.append(policy.version)
        return policy

    monkeypatch.setattr(rules, "compile_policy", noted)
    return versions


async def test_a_policy_is_compiled_once_where_it_is_published(
    database: str, compiled: list[int]
) -> None:
    async with open_till(database) as till:
        await till.publish()
        assert compiled == [1]
        member = await till.enrol("1")
        await till.post(till.document(member, "D1", 1, 10000))
        assert await till.available(member) == 100
    async with open_till(database) as till:
        assert compiled == [1, 1]
        assert await till.available(member) == 100


async def test_what_can_be_refused_without_compiling_is(database: str, compiled: list[int]) -> None:
    async with open_till(database, approval_required=False) as till:
        await till.publish()
        with pytest.raises(PolicyExists):
            await till.publish(POLICY + "# again\n")
        with pytest.raises(RetroactivePolicy):
            await till.publish(POLICY.replace("version: 1", "version: 2"))
        with pytest.raises(PolicyInvalid, match="this ledger is of programme 'test'"):
            await till.publish(POLICY.replace("programme: test", "programme: other"))
        assert compiled == [1]


async def test_a_refusal_names_some_of_many_categories(database: str) -> None:
    listed = ", ".join(f"c{number}" for number in range(3000))
    async with open_till(database) as till:
        await till.publish(POLICY.replace("[food,", f"[{listed},"))
        member = await till.enrol("1")
        with pytest.raises(UnknownCategory) as refused:
            await till.post(till.document(member, "D1", 1, 10000))
        assert str(refused.value.fields["known"]).count(",") == KNOWN_MAX


SOON = "2025-03-01T13:00"


def later(version: int, effective: str = SOON, text: str = "") -> str:
    """The policy of the tills in a later version."""
    changed = POLICY.replace("version: 1", f"version: {version}")
    return changed.replace("2020-01-01T00:00:00", f"{effective}:00") + text


async def drafted(till: Till, text: str, operator: str = "") -> str:
    """Draft a document; its digest."""
    request = DraftPolicyRequest(request_id=till.rid(), document=text, operator=operator)
    return policy_of(await till.write(request)).digest


def approval(till: Till, digest: str) -> ApprovePolicyRequest:
    return ApprovePolicyRequest(request_id=till.rid(), digest=digest)


def withdrawal(till: Till, digest: str) -> WithdrawPolicyRequest:
    return WithdrawPolicyRequest(request_id=till.rid(), digest=digest, reason="not ready")


def publication(till: Till, digest: str, *, allow_overlap: bool = False) -> PublishPolicyRequest:
    return PublishPolicyRequest(request_id=till.rid(), digest=digest, allow_overlap=allow_overlap)


def policy_of(answer: Answer) -> Policy:
    message = answer.message
    assert isinstance(message, Policy)
    return message


def chief_of(till: Till) -> Till:
    """Another client at the same ledger."""
    return Till(till.ledger, till.clock, "chief")


async def test_a_second_person_approves_and_the_version_takes_effect_in_its_time(
    database: str,
) -> None:
    async with open_till(database) as till:
        await till.publish()
        chief = chief_of(till)
        digest = await drafted(till, later(2, text="# twice\n").replace("points: 1,", "points: 2,"))
        with pytest.raises(PolicyNotApproved):
            await till.write(publication(till, digest))
        with pytest.raises(ApproverIsAuthor):
            await till.write(approval(till, digest))
        simulation = RecordSimulationRequest(
            request_id=till.rid(),
            digest=digest,
            report_digest="5" * 64,
            difference=[Points(currency="p", amount=100)],
            documents=7,
        )
        assert policy_of(await till.write(simulation)).state == POLICY_STATE_SIMULATED
        assert policy_of(await chief.write(approval(chief, digest))).state == POLICY_STATE_APPROVED
        published = policy_of(await till.write(publication(till, digest)))
        assert published.state == POLICY_STATE_SCHEDULED
        assert published.document.endswith("# twice\n")
        assert list(published.approvers) == ["chief"]
        assert published.simulations[0].documents == 7
        member = await till.enrol("1")
        await till.post(till.document(member, "D1", 1, 10000))
        till.clock.set(at(SOON))
        await till.post(till.document(member, "D2", 1, 10000))
        assert await till.available(member) == 300
        assert not [w async for w in till.ledger.verify(skip_awards=False)][-1].divergences


async def test_every_step_is_answered_again_by_its_request_and_recorded_once(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        chief = chief_of(till)
        draft = DraftPolicyRequest(request_id="d", document=later(2), operator="anna")
        first = await till.write(draft)
        digest = policy_of(first).digest
        steps = [(till, draft), (chief, approval(chief, digest)), (till, publication(till, digest))]
        for client, request in steps:
            answer = await client.write(request)
            before = till.ledger.policies.programme.version
            again = await client.write(request)
            assert again.replayed
            assert again.message == answer.message
            assert till.ledger.policies.programme.version == before
        draft.operator = "ben"
        with pytest.raises(RequestConflict):
            await till.write(draft)


async def test_validating_a_step_records_nothing_of_it(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        chief = chief_of(till)
        draft = DraftPolicyRequest(request_id="d", document=later(2), validate_only=True)
        digest = policy_of(await till.write(draft)).digest
        with pytest.raises(PolicyNotDrafted):
            await chief.write(approval(chief, digest))
        await drafted(till, later(2))
        approve = approval(chief, digest)
        approve.validate_only = True
        await chief.write(approve)
        with pytest.raises(PolicyNotApproved):
            await till.write(publication(till, digest))
        assert till.ledger.policies.programme.version == 2


async def test_a_withdrawn_version_is_never_in_force(database: str) -> None:
    async with open_till(database, approval_required=False) as till:
        await till.publish()
        await till.publish(later(2))
        digest = till.ledger.policies.programme.published[0].digest
        gone = policy_of(await till.write(withdrawal(till, digest)))
        assert gone.state == POLICY_STATE_WITHDRAWN
        assert gone.withdraw_reason == "not ready"
        till.clock.set(at(SOON))
        found = till.ledger.policies.find(at(SOON))
        assert found is not None
        assert found.event.version == 1
        with pytest.raises(PolicyWithdrawn):
            await till.write(publication(till, digest))
        with pytest.raises(PolicyExists):
            await till.publish(later(2).replace("points: 1,", "points: 3,"))
    async with open_till(database, now="2025-03-02T12:00") as till:
        found = till.ledger.policies.find(at("2025-03-02T12:00"))
        assert found is not None
        assert found.event.version == 1


async def test_within_the_lead_of_taking_effect_nothing_is_withdrawn(database: str) -> None:
    async with open_till(database, approval_required=False) as till:
        await till.publish()
        await till.publish(later(2))
        digest = till.ledger.policies.programme.published[0].digest
        till.clock.set(at(SOON) - WITHDRAWAL_LEAD)
        with pytest.raises(PolicyInForce):
            await till.write(withdrawal(till, digest))
        # A till whose clock is as far ahead as it may be can sell under it before its time.
        member = await till.enrol("1")
        ahead = at(SOON) - till.clock.now() - CLOCKS_DIFFER_BY
        assert 0 < ahead <= LEAD
        till.clock.set(at(SOON) - CLOCKS_DIFFER_BY)
        await till.post(till.document(member, "D1", 1, 10000, occurred=SOON))
        with pytest.raises(PolicyInForce):
            await till.write(withdrawal(till, digest))


async def test_a_version_out_of_turn_is_refused_unless_it_is_allowed(database: str) -> None:
    async with open_till(database, approval_required=False) as till:
        await till.publish()
        await till.publish(later(3))
        digest = await drafted(till, later(2, effective="2025-03-01T14:00"))
        with pytest.raises(PolicyOverlaps):
            await till.write(publication(till, digest))
        await till.write(publication(till, digest, allow_overlap=True))
        found = till.ledger.policies.find(at("2025-03-01T15:00"))
        assert found is not None
        assert found.event.version == 3


@pytest.mark.parametrize("approve_first", [True, False])
async def test_of_an_approval_and_a_withdrawal_at_once_none_is_lost_and_none_counts_twice(
    database: str, approve_first: bool
) -> None:
    async with open_till(database) as till, open_till(database) as other:
        await till.publish()
        digest = await drafted(till, later(2))
        await other.ledger.policies.refresh(other.ledger.reading)
        chief = Till(other.ledger, other.clock, "chief")
        steps = [chief.write(approval(chief, digest)), till.write(withdrawal(till, digest))]
        if not approve_first:
            steps.reverse()
        results = await asyncio.gather(*steps, return_exceptions=True)
        refusals = [each for each in results if isinstance(each, BaseException)]
        # The withdrawal always stands; the approval came before it, or was refused because of it.
        assert all(isinstance(each, PolicyWithdrawn) for each in refusals)
        await till.ledger.policies.refresh(till.ledger.reading)
        programme = till.ledger.policies.programme
        assert programme.versions[digest].withdrawn is not None
        assert programme.version == 4 - len(refusals)
        with pytest.raises(PolicyWithdrawn):
            await till.write(publication(till, digest))
        assert not [w async for w in other.ledger.verify(skip_awards=False)][-1].divergences


async def test_two_processes_publish_one_version_once_and_see_each_other(database: str) -> None:
    async with (
        open_till(database, approval_required=False) as one,
        open_till(database, approval_required=False) as other,
    ):
        two = Till(other.ledger, other.clock, "two")
        await one.publish()
        texts = [later(2, text=f"# {name}\n") for name in ("one", "two")]
        results = await asyncio.gather(
            *(till.publish(text) for till, text in zip((one, two), texts, strict=True)),
            return_exceptions=True,
        )
        assert {type(each) for each in results} == {type(None), PolicyExists}
        # What the other process drafted is found without waiting for the next look.
        digest = await drafted(one, later(3, effective="2025-03-01T14:00"))
        published = policy_of(await two.write(publication(two, digest)))
        assert published.version == 3
        await one.ledger.policies.refresh(one.ledger.reading)
        found = one.ledger.policies.find(at("2025-03-01T15:00"))
        assert found is not None
        assert found.event.digest == digest


class TickingClock(SettableClock):
    """A clock that goes on whenever it is looked at, as every clock does."""

    def now(self) -> int:
        """A little later than the last time."""
        self.set(super().now() + 7)
        return super().now()


async def test_every_process_tells_one_time_of_a_step(database: str) -> None:
    clock = TickingClock(at("2025-03-01T12:00"))
    async with open_till(database, clock=clock) as one, open_till(database, clock=clock) as two:
        await one.publish()
        digest = await drafted(one, later(2))
        chief = chief_of(one)
        await chief.write(approval(chief, digest))
        await two.ledger.policies.refresh(two.ledger.reading)
        known, read = (till.ledger.policies.programme.versions for till in (one, two))
        assert {**known} == {**read}


async def test_a_large_policy_is_compiled_outside_the_writer(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[str] = []
    compile_policy = rules.compile_policy

    def noted(document: rules.PolicyDocument, *, published: bool = False) -> rules.Policy:
        threads.append(threading.current_thread().name)
        return compile_policy(document, published=published)

    async with open_till(database) as till:
        await till.publish()
        chief = chief_of(till)
        monkeypatch.setattr(rules, "compile_policy", noted)
        digest = await drafted(till, later(2))
        await chief.write(approval(chief, digest))
        await till.write(publication(till, digest))
    assert threads
    assert threading.main_thread().name not in threads


async def test_what_the_owner_of_the_database_forges_of_a_policy_is_found(database: str) -> None:
    async with told(database) as story:
        till = story.till
        chief = chief_of(till)
        digest = await drafted(till, later(2))
        await chief.write(approval(chief, digest))
        await till.write(publication(till, digest))
        assert await story.found() == {}
        [approved] = await story.places(KIND_NUMBER["policy_approved"])
        [_, published] = await story.places(KIND_NUMBER["policy_published"])

        def by_the_author(fact: PolicyApproved) -> None:
            fact.approver = "till/ben"

        await story.rewrite(approved, by_the_author)
        assert await story.found() == {Reason.POLICY_MISMATCH: [approved, published]}

        def earlier(fact: PolicyPublished) -> None:
            fact.approved_by = ""
            fact.effective_time.seconds -= 3600

        await story.rewrite(published, earlier)
        assert await story.found() == {Reason.POLICY_MISMATCH: [approved, published]}


@pytest.mark.parametrize(
    ("terms", "asks"),
    [
        ("", False),
        # A word that somebody chose for something of their own asks nothing.
        (
            "caps: [{id: household, currency: p, per: member, window: local_day, points: 9}]\n",
            False,
        ),
        ("caps: [{id: c, currency: p, per: household, window: local_day, points: 9}]\n", True),
        ("transfers: [{id: household, currency: p}]\n", False),
        ("transfers: [{id: t, currency: p, relation: household}]\n", True),
        ("member_attributes: [{id: town, type: string}]\n", True),
        ("segments: [staff]\n", True),
    ],
)
def test_a_policy_asks_of_members_where_its_terms_do_and_not_where_a_name_says_so(
    terms: str, asks: bool
) -> None:
    loaded = rules.load(POLICY + terms)
    assert not loaded.findings
    assert asks_of_members(loaded.canonical) is asks

"""What is done with a version of the policy: drafted, run over history, approved, published,
withdrawn. Each step is a fact in the stream `policy/<programme>`."""

from ledger.act import Act, Answer
from ledger.answers.policies import policy_message
from ledger.checking import (
    CheckedPolicy,
    DocumentRequest,
    check_request,
    require_drafting,
    require_publishing,
)
from ledger.core import refusals
from ledger.core.events import Fact, PolicyFact
from ledger.core.instant import to_timestamp
from ledger.core.people import actor
from ledger.core.programme import Programme
from ledger.core.publishing import require_approver, require_draft, require_withdrawable
from ledger.core.refusals import Refusal
from ledger.handlers import context
from ledger.known import PolicyNow
from ledger.lanes import POLICY
from ledger.policies import PublishedPolicy
from ledger.work import Work
from loyalty.v1.events_pb2 import (
    PolicyApproved,
    PolicyDrafted,
    PolicyPublished,
    PolicySimulated,
    PolicyWithdrawn,
)
from loyalty.v1.programme_service_pb2 import (
    ApprovePolicyRequest,
    DraftPolicyRequest,
    PublishPolicyRequest,
    RecordSimulationRequest,
    WithdrawPolicyRequest,
)


def draft_policy(act: Act, work: Work) -> Answer:
    """Record a document that is checked, and in force nowhere yet."""
    request = act.request
    assert isinstance(request, DraftPolicyRequest)
    programme = work.programme()
    checked = _checked(request, act, work, programme)
    _require_one_programme(programme, checked.programme)
    require_drafting(checked, programme)
    checked.policy()
    fact = PolicyDrafted(
        programme=checked.programme,
        version=checked.version,
        digest=checked.digest,
        document=checked.document,
        expanded=checked.expanded,
        author=actor(act.client, request.operator),
        effective_time=to_timestamp(checked.effective_at),
    )
    return _record(act, work, fact)


def record_simulation(act: Act, work: Work) -> Answer:
    """Record that a draft was run over history."""
    request = act.request
    assert isinstance(request, RecordSimulationRequest)
    draft = require_draft(work.programme(), request.digest)
    fact = PolicySimulated(
        programme=draft.programme,
        digest=draft.digest,
        report_digest=request.report_digest,
        difference=request.difference,
        documents=request.documents,
        author=actor(act.client, request.operator),
    )
    return _record(act, work, fact)


def approve_policy(act: Act, work: Work) -> Answer:
    """Record that a second person approves a draft."""
    request = act.request
    assert isinstance(request, ApprovePolicyRequest)
    draft = require_draft(work.programme(), request.digest)
    approver = actor(act.client, request.operator)
    require_approver(draft, approver)
    fact = PolicyApproved(
        programme=draft.programme, digest=draft.digest, approver=approver, note=request.note
    )
    return _record(act, work, fact)


def publish_policy(act: Act, work: Work) -> Answer:
    """Publish a policy document, once and for all."""
    request = act.request
    assert isinstance(request, PublishPolicyRequest)
    programme = work.programme()
    checked = _checked(request, act, work, programme)
    _require_one_programme(programme, checked.programme)
    approver = require_publishing(
        request,
        checked,
        programme,
        approval_required=work.policies.approval_required,
        now=work.clock_now(),
    )
    fact = PolicyPublished(
        programme=checked.programme,
        version=checked.version,
        digest=checked.digest,
        document=checked.document,
        effective_time=to_timestamp(checked.effective_at),
        publisher=actor(act.client, request.operator),
        expanded=checked.expanded,
        approved_by=approver,
    )
    policy = PublishedPolicy(fact, checked.policy(), checked.effective_at)
    return _record(act, work, fact, policy)


def withdraw_policy(act: Act, work: Work) -> Answer:
    """Withdraw a draft, or a policy that has not taken effect."""
    request = act.request
    assert isinstance(request, WithdrawPolicyRequest)
    known = require_withdrawable(work.programme(), request.digest, now=work.clock_now())
    fact = PolicyWithdrawn(
        programme=known.programme,
        digest=known.digest,
        author=actor(act.client, request.operator),
        reason=request.reason,
    )
    return _record(act, work, fact)


def _record(
    act: Act, work: Work, fact: PolicyFact, policy: PublishedPolicy | None = None
) -> Answer:
    """Record a fact of the programme, and answer with the version as it stands after it."""
    stream = POLICY + fact.programme
    before = work.programme()
    where = work.append(stream, before.version, [Fact(fact, work.clock_now())])
    # What is stored, and not the clock a moment before: every process tells one time.
    recorded_at = work.batch.events[-1].recorded_at
    work.policy_facts.append(PolicyNow(stream, before.version + 1, fact, recorded_at, policy))
    now = work.programme()
    message = policy_message(
        now,
        now.versions[fact.digest],
        now=work.clock_now(),
        with_document=isinstance(fact, PolicyPublished),
    )
    return context.register(act, work, where, message)


def _checked(request: DocumentRequest, act: Act, work: Work, programme: Programme) -> CheckedPolicy:
    """The document of the request; prepared by whoever queued the act, or checked here."""
    checked = act.policy or check_request(
        request,
        programme,
        approval_required=work.policies.approval_required,
        now=work.clock_now(),
    )
    if isinstance(checked, Refusal):
        raise checked
    return checked


def _require_one_programme(programme: Programme, name: str) -> None:
    stream = programme.stream
    if stream and stream != POLICY + name:
        raise refusals.PolicyInvalid(
            where="programme",
            problem=f"this ledger is of programme {stream.removeprefix(POLICY)!r}, not {name!r}",
        )

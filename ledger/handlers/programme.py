"""PublishPolicy: a checked policy document becomes part of the ledger's history."""

from collections.abc import Sequence
from typing import Final

import rules
from ledger.act import Act, Answer
from ledger.core import refusals
from ledger.core.events import Fact
from ledger.core.instant import SECOND, from_datetime, to_datetime, to_timestamp
from ledger.handlers import context
from ledger.lanes import POLICY
from ledger.policies import PublishedPolicy
from ledger.work import PublishedNow, Work
from loyalty.v1.events_pb2 import PolicyPublished
from loyalty.v1.programme_service_pb2 import PublishPolicyRequest
from rules.model import PolicyModel

LEAD: Final = 10 * SECOND
"""How far ahead a policy takes effect: well above the time in which every process has seen it."""


def publish_policy(act: Act, work: Work) -> Answer:
    """Publish a policy document, once and for all."""
    request = act.request
    assert isinstance(request, PublishPolicyRequest)
    loaded = rules.load(request.document)
    if loaded.model is None:
        raise _invalid(loaded.findings)
    # Compiling is the dear part, so whatever can be refused without it is.
    _require_one_programme(work, loaded.model.programme)
    _require_new_version(work, loaded.model)
    now = work.clock_now()
    _require_lead(work, loaded.model, now, allowed=request.allow_retroactive)
    policy = _compiled(loaded)
    stream = POLICY + policy.programme
    event = PolicyPublished(
        programme=policy.programme,
        version=policy.version,
        digest=policy.digest,
        document=request.document,
        effective_time=to_timestamp(policy.effective_from),
        publisher=act.client,
        expanded=loaded.canonical,
    )
    recorded_at = work.now(stream)
    before = work.policies.stream_version + len(work.published)
    where = work.append(stream, before, [Fact(event, now)])
    made = PublishedPolicy(event, policy, policy.effective_from, recorded_at)
    work.published.append(PublishedNow(stream, before + 1, made))
    return context.register(act, work, where, made.message)


def _compiled(loaded: rules.PolicyDocument) -> rules.Policy:
    try:
        return rules.compile_policy(loaded)
    except rules.PolicyRefused as refused:
        raise _invalid(refused.findings) from None


def _invalid(findings: Sequence[rules.Finding]) -> refusals.PolicyInvalid:
    """Refuse for the first error found, with the others as notes."""
    faults = [(f.path or "document", f.message) for f in findings if f.severity == "error"]
    refusal = refusals.PolicyInvalid(where=faults[0][0], problem=faults[0][1])
    for where, problem in faults[1:]:
        refusal.add_note(f"{where}: {problem}")
    return refusal


def _require_one_programme(work: Work, programme: str) -> None:
    stream = work.policies.stream
    if stream and stream != POLICY + programme:
        raise refusals.PolicyInvalid(
            where="programme",
            problem=f"this ledger is of programme {stream.removeprefix(POLICY)!r},"
            f" not {programme!r}",
        )


def _require_new_version(work: Work, model: PolicyModel) -> None:
    published_now = [each.policy.event for each in work.published]
    for before in published_now + [each.event for each in work.policies.all]:
        if before.version == model.version:
            raise refusals.PolicyExists(
                programme=model.programme, version=model.version, digest=before.digest
            )


def _require_lead(work: Work, model: PolicyModel, now: int, *, allowed: bool) -> None:
    """The first policy of a programme may reach back: there is no history it could contradict."""
    earliest = now + LEAD
    effective_at = from_datetime(model.effective_from)
    if work.policies.stream and not allowed and effective_at < earliest:
        raise refusals.RetroactivePolicy(
            effective_time=to_datetime(effective_at).isoformat(),
            earliest=to_datetime(earliest).isoformat(),
        )

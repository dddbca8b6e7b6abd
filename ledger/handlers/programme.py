"""PublishPolicy: a checked policy document becomes part of the ledger's history."""

from typing import Final

import rules
from ledger.act import Act, Answer
from ledger.core import refusals
from ledger.core.events import Fact
from ledger.core.instant import SECOND, to_datetime, to_timestamp
from ledger.handlers import context
from ledger.lanes import POLICY
from ledger.policies import published
from ledger.work import PublishedNow, Work
from loyalty.v1.events_pb2 import PolicyPublished
from loyalty.v1.programme_service_pb2 import PublishPolicyRequest

LEAD: Final = 10 * SECOND
"""How far ahead a policy takes effect: well above the time in which every process has seen it."""


def publish_policy(act: Act, work: Work) -> Answer:
    """Publish a policy document, once and for all."""
    request = act.request
    assert isinstance(request, PublishPolicyRequest)
    policy, expanded = _compiled(request.document)
    _require_one_programme(work, policy)
    _require_new_version(work, policy)
    now = work.clock_now()
    _require_lead(work, policy, now, allowed=request.allow_retroactive)
    stream = POLICY + policy.programme
    event = PolicyPublished(
        programme=policy.programme,
        version=policy.version,
        digest=policy.digest,
        document=request.document,
        effective_time=to_timestamp(policy.effective_from),
        publisher=act.client,
        expanded=expanded,
    )
    recorded_at = work.now(stream)
    before = work.policies.stream_version + len(work.published)
    where = work.append(stream, before, [Fact(event, now)])
    work.published.append(PublishedNow(stream, before + 1, recorded_at, event))
    return context.register(act, work, where, published(event, recorded_at).message)


def _compiled(document: str) -> tuple[rules.Policy, bytes]:
    """The policy, and the expanded document that its digest covers. Raises PolicyInvalid."""
    try:
        loaded = rules.load(document)
        errors = [found for found in rules.check(loaded) if found.severity == "error"]
        if not errors:
            return rules.compile_policy(loaded), loaded.canonical
    except rules.PolicyRefused as refused:
        errors = list(refused.findings)
    faults = [(found.path or "document", found.message) for found in errors]
    refusal = refusals.PolicyInvalid(where=faults[0][0], problem=faults[0][1])
    for where, problem in faults[1:]:
        refusal.add_note(f"{where}: {problem}")
    raise refusal


def _require_one_programme(work: Work, policy: rules.Policy) -> None:
    stream = work.policies.stream
    if stream and stream != POLICY + policy.programme:
        raise refusals.PolicyInvalid(
            where="programme",
            problem=f"this ledger is of programme {stream.removeprefix(POLICY)!r},"
            f" not {policy.programme!r}",
        )


def _require_new_version(work: Work, policy: rules.Policy) -> None:
    published_now = [each.event for each in work.published]
    for before in published_now + [each.event for each in work.policies.all]:
        if before.version == policy.version:
            raise refusals.PolicyExists(
                programme=policy.programme, version=policy.version, digest=before.digest
            )


def _require_lead(work: Work, policy: rules.Policy, now: int, *, allowed: bool) -> None:
    """The first policy of a programme may reach back: there is no history it could contradict."""
    earliest = now + LEAD
    if work.policies.stream and not allowed and policy.effective_from < earliest:
        raise refusals.RetroactivePolicy(
            effective_time=to_datetime(policy.effective_from).isoformat(),
            earliest=to_datetime(earliest).isoformat(),
        )

"""Policies as the contract shows them: one version with where it stands, and a page of all."""

import base64
import binascii
from collections.abc import Sequence
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp

from ledger.answers import paging
from ledger.core import refusals
from ledger.core.instant import Instant, to_timestamp
from ledger.core.programme import Programme, Run, State, Step, Version
from loyalty.v1 import programme_service_pb2 as pb

_STATES: Final = {
    State.DRAFTED: pb.POLICY_STATE_DRAFTED,
    State.SIMULATED: pb.POLICY_STATE_SIMULATED,
    State.APPROVED: pb.POLICY_STATE_APPROVED,
    State.SCHEDULED: pb.POLICY_STATE_SCHEDULED,
    State.IN_FORCE: pb.POLICY_STATE_IN_FORCE,
    State.REPLACED: pb.POLICY_STATE_REPLACED,
    State.WITHDRAWN: pb.POLICY_STATE_WITHDRAWN,
}


def policy_message(
    programme: Programme, each: Version, *, now: Instant, with_document: bool
) -> pb.Policy:
    """A version as the contract shows it."""
    approved = each.approvals[-1] if each.approvals else None
    return pb.Policy(
        programme=each.programme,
        version=each.version,
        digest=each.digest,
        document=each.document if with_document else "",
        effective_time=to_timestamp(each.effective_at),
        publish_time=_at(each.published),
        publisher=_by(each.published),
        state=_STATES[programme.state(each, now)],
        author=each.author,
        draft_time=_at(each.drafted),
        approvers=[step.by for step in each.approvals],
        approve_time=_at(approved),
        simulations=[_simulation(run) for run in each.simulations],
        withdrawer=_by(each.withdrawn),
        withdraw_time=_at(each.withdrawn),
        withdraw_reason=each.withdrawn.why if each.withdrawn is not None else "",
    )


def policies_page(
    programme: Programme, request: pb.ListPoliciesRequest, *, now: Instant
) -> pb.ListPoliciesResponse:
    """A page of all versions. Raises Malformed for a token that no page gave."""
    ordered = sorted(
        programme.versions.values(), key=lambda each: (each.version, each.touched_at), reverse=True
    )
    start = _start(ordered, request.page_token)
    size = paging.size_of(request)
    page = ordered[start : start + size]
    return pb.ListPoliciesResponse(
        policies=[policy_message(programme, each, now=now, with_document=False) for each in page],
        next_page_token=_token(page[-1]) if start + size < len(ordered) else "",
    )


def _token(last: Version) -> str:
    return base64.urlsafe_b64encode(bytes.fromhex(last.digest)).decode()


def _start(ordered: Sequence[Version], token: str) -> int:
    """Index behind the version that a page ended with."""
    if not token:
        return 0
    try:
        digest = base64.urlsafe_b64decode(token).hex()
    except (binascii.Error, ValueError):
        digest = ""
    for index, each in enumerate(ordered):
        if each.digest == digest:
            return index + 1
    raise refusals.Malformed(
        field="page_token", value=token, expected="next_page_token of the page before"
    )


def _simulation(run: Run) -> pb.Simulation:
    fact = run.fact
    return pb.Simulation(
        report_digest=fact.report_digest,
        difference=fact.difference,
        documents=fact.documents,
        author=fact.author,
        record_time=to_timestamp(run.at),
    )


def _by(step: Step | None) -> str:
    return "" if step is None else step.by


def _at(step: Step | None) -> Timestamp | None:
    return None if step is None else to_timestamp(step.at)

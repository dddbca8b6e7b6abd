"""Policy documents, read, checked and compiled before their act is queued.

A large policy takes a third of a second, in which the writer would serve no till; so this happens
in a thread, and the writer only decides whether the version may take its next step.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import rules
from ledger.core import refusals
from ledger.core.instant import Instant, from_datetime
from ledger.core.programme import Programme
from ledger.core.publishing import require_draftable, require_in_time, require_publishable
from ledger.core.refusals import Refusal
from loyalty.v1.programme_service_pb2 import DraftPolicyRequest, PublishPolicyRequest

DocumentRequest = DraftPolicyRequest | PublishPolicyRequest


@dataclass(frozen=True, slots=True)
class CheckedPolicy:
    """A policy document whose shape is right."""

    document: str
    """As it was sent."""
    expanded: bytes
    digest: str
    programme: str
    version: int
    effective_at: Instant
    loaded: rules.PolicyDocument
    compiled: rules.Policy | None = None
    """None where the request was to be refused all the same: compiling is the dear part."""

    def policy(self) -> rules.Policy:
        """The policy, compiled. Raises PolicyInvalid."""
        compiled = self.compiled or _compiled(self.loaded)
        return replace(compiled, digest=self.digest)


Checked = CheckedPolicy | Refusal
"""A refusal is kept until it is known that the request was not recorded before."""


def check_request(
    request: DocumentRequest, programme: Programme, *, approval_required: bool, now: Instant
) -> Checked:
    """Check the document of a request, or that of the draft it names."""
    try:
        checked = _read(request, programme)
    except Refusal as refusal:
        return refusal
    try:
        if isinstance(request, DraftPolicyRequest):
            require_drafting(checked, programme)
        else:
            require_publishing(
                request, checked, programme, approval_required=approval_required, now=now
            )
    except Refusal:
        # The writer decides; if it comes to another end, by what it learnt since, it compiles.
        return checked
    try:
        return replace(checked, compiled=_compiled(checked.loaded))
    except refusals.PolicyInvalid as refusal:
        return refusal


def require_drafting(checked: CheckedPolicy, programme: Programme) -> None:
    """Whether a document may become a draft; else raises what stands against it."""
    require_draftable(
        programme, name=checked.programme, version=checked.version, digest=checked.digest
    )


def require_publishing(
    request: PublishPolicyRequest,
    checked: CheckedPolicy,
    programme: Programme,
    *,
    approval_required: bool,
    now: Instant,
) -> str:
    """Who approved what may be published; raises what stands against it."""
    approver = require_publishable(
        programme,
        name=checked.programme,
        version=checked.version,
        digest=checked.digest,
        approval_required=approval_required,
    )
    require_in_time(
        programme,
        version=checked.version,
        effective_at=checked.effective_at,
        now=now,
        allow_retroactive=request.allow_retroactive,
        allow_overlap=request.allow_overlap,
    )
    return approver


def _read(request: DocumentRequest, programme: Programme) -> CheckedPolicy:
    if isinstance(request, DraftPolicyRequest) or not request.digest:
        loaded = rules.load(request.document)
        if loaded.model is None:
            raise invalid(loaded.findings)
        return _checked(request.document, loaded, loaded.canonical, loaded.digest)
    draft = programme.versions.get(request.digest)
    if draft is None:
        raise refusals.PolicyNotDrafted(digest=request.digest)
    # Expanding the document today could add keys that the draft did not have.
    return _checked(draft.document, rules.load(draft.expanded), draft.expanded, draft.digest)


def _checked(
    document: str, loaded: rules.PolicyDocument, expanded: bytes, digest: str
) -> CheckedPolicy:
    model = loaded.model
    if model is None:
        raise invalid(loaded.findings)
    return CheckedPolicy(
        document=document,
        expanded=expanded,
        digest=digest,
        programme=model.programme,
        version=model.version,
        effective_at=from_datetime(model.effective_from),
        loaded=loaded,
    )


def _compiled(loaded: rules.PolicyDocument) -> rules.Policy:
    try:
        return rules.compile_policy(loaded)
    except rules.PolicyRefused as refused:
        raise invalid(refused.findings) from None


def invalid(findings: Sequence[rules.Finding]) -> refusals.PolicyInvalid:
    """Refuse for the first error found, with the others as notes."""
    faults = [(f.path or "document", f.message) for f in findings if f.severity == "error"]
    refusal = refusals.PolicyInvalid(where=faults[0][0], problem=faults[0][1])
    for where, problem in faults[1:]:
        refusal.add_note(f"{where}: {problem}")
    return refusal

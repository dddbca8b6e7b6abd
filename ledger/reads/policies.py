"""Questions about the programme and its policies, and their documents checked before a write.

Whatever reads or compiles a document does so in a thread: the tills are not to feel it.
"""

import asyncio
from typing import Any

import rules
from ledger.answers.policies import policies_page, policy_message
from ledger.checking import Checked, check_request, invalid
from ledger.clock import Clock
from ledger.core import refusals
from ledger.core.instant import Instant, from_datetime, from_timestamp, to_timestamp
from ledger.core.programme import Version
from ledger.policies import PolicyBook, PublishedPolicy
from ledger.store import Store
from ledger.writes import ABOUT_POLICY
from loyalty.v1 import programme_service_pb2 as pb
from rules.difference import difference
from rules.model import ACTIVITIES, PolicyModel


class PolicyReads:
    """Answers questions about policies, with what every process has recorded of them."""

    def __init__(self, store: Store, *, policies: PolicyBook, clock: Clock) -> None:
        """Read from `store` into `policies`, which the writer shares."""
        self._store = store
        self._policies = policies
        self._clock = clock

    async def policy(self, request: pb.GetPolicyRequest) -> pb.Policy:
        """A version with its document. Raises UnknownPolicy, NoPolicy."""
        await self._policies.refresh(self._store)
        which = request.WhichOneof("which")
        if which == "version":
            return self._shown(self._numbered(request.version))
        if which == "digest":
            return self._shown(self._named(request.digest))
        at = self._at(request) if which == "effective_time" else self._clock.now()
        return self._shown(self._named(self._in_force(at).event.digest))

    async def page(self, request: pb.ListPoliciesRequest) -> pb.ListPoliciesResponse:
        """A page of all drafts and policies. Raises Malformed."""
        await self._policies.refresh(self._store)
        return policies_page(self._policies.programme, request, now=self._clock.now())

    async def programme(self, request: pb.GetProgrammeRequest) -> pb.GetProgrammeResponse:
        """The programme, as the policy of a time has it. Raises NoPolicy."""
        await self._policies.refresh(self._store)
        stated = request.HasField("effective_time")
        return _programme(self._in_force(self._at(request) if stated else self._clock.now()))

    async def differences(self, request: pb.DiffPoliciesRequest) -> list[str]:
        """What differs between two policies. Raises UnknownPolicy, NoPolicy, PolicyInvalid."""
        await self._policies.refresh(self._store)
        sides = [self._side(choice) for choice in (getattr(request, "from"), request.to)]
        return await asyncio.to_thread(_differences, *sides)

    async def checked(self, request: Any) -> Checked | None:
        """The document of a write, checked; None when the write has none.

        A draft that this process has not seen yet, another has perhaps just recorded.
        """
        if not isinstance(request, ABOUT_POLICY):
            return None
        digest = "" if isinstance(request, pb.DraftPolicyRequest) else request.digest
        if digest and digest not in self._policies.programme.versions:
            await self._policies.refresh(self._store)
        if not isinstance(request, pb.DraftPolicyRequest | pb.PublishPolicyRequest):
            return None
        return await asyncio.to_thread(
            check_request,
            request,
            self._policies.programme,
            approval_required=self._policies.approval_required,
            now=self._clock.now(),
        )

    def _at(self, request: pb.GetPolicyRequest | pb.GetProgrammeRequest) -> Instant:
        return from_timestamp(request.effective_time)

    def _in_force(self, at: Instant) -> PublishedPolicy:
        self._policies.at(at)
        found = self._policies.find(at)
        assert found is not None, "at() refuses when there is none"
        return found

    def _numbered(self, version: int) -> Version:
        found = self._policies.programme.numbered(version)
        if found is None:
            raise refusals.UnknownPolicy(policy=f"version {version}")
        return found

    def _named(self, digest: str) -> Version:
        found = self._policies.programme.versions.get(digest)
        if found is None:
            raise refusals.UnknownPolicy(policy=digest)
        return found

    def _shown(self, each: Version) -> pb.Policy:
        return policy_message(
            self._policies.programme, each, now=self._clock.now(), with_document=True
        )

    def _side(self, choice: pb.PolicyChoice) -> str | bytes:
        """The text to be compared; nothing chosen is the policy in force now."""
        match choice.WhichOneof("which"):
            case "version":
                return self._numbered(choice.version).expanded
            case "digest":
                return self._named(choice.digest).expanded
            case "document":
                return choice.document
            case _:
                return self._in_force(self._clock.now()).event.expanded


def check_document(text: str) -> pb.CheckPolicyResponse:
    """Everything that is wrong with a document, and what it is when nothing is."""
    loaded = rules.load(text)
    response = pb.CheckPolicyResponse(findings=findings_of(loaded))
    if loaded.model is None or any(each.severity == "error" for each in response.findings):
        return response
    model = loaded.model
    response.programme, response.version = model.programme, model.version
    response.digest = loaded.digest
    response.effective_time.CopyFrom(to_timestamp(from_datetime(model.effective_from)))
    return response


def findings_of(loaded: rules.PolicyDocument) -> list[pb.PolicyFinding]:
    """What the check finds, errors first."""
    return [
        pb.PolicyFinding(
            path=found.path, message=found.message, line=found.line, severity=found.severity
        )
        for found in rules.check(loaded)
    ]


def _differences(before: str | bytes, after: str | bytes) -> list[str]:
    models = []
    for text in (before, after):
        loaded = rules.load(text)
        if loaded.model is None:
            raise invalid(loaded.findings)
        models.append(loaded)
    return [change.says() for change in difference(*models)]


def _programme(policy: PublishedPolicy) -> pb.GetProgrammeResponse:
    model: PolicyModel = policy.compiled.model
    return pb.GetProgrammeResponse(
        programme=model.programme,
        time_zone=model.zone,
        version=model.version,
        digest=policy.event.digest,
        currencies=[
            pb.PointCurrency(currency=each.id, role=each.role, scale=each.scale)
            for each in model.currencies
        ],
        business_units=[
            pb.BusinessUnit(
                business_unit=each.id,
                time_zone=each.zone,
                currency_code=each.currency,
                point_value="" if each.point_value is None else str(each.point_value),
            )
            for each in model.business_units
        ],
        tiers=[] if model.tiers is None else [tier.id for tier in model.tiers.ladder],
        activities=[*ACTIVITIES, *model.activities],
    )

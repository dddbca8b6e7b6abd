"""ProgrammeService: the programme, and the versions of its policy from draft to force."""

import asyncio
from typing import Final

import grpc

import rules
from ledger.reads.policies import check_document, findings_of
from ledger.service import Ledger
from ledger.writes import WriteRequest
from loyalty.v1 import programme_service_pb2 as pb
from server.auth import Verb
from server.checking import policies as validation
from server.rpc import Call, Door, Rpc

SERVICE: Final = "loyalty.v1.ProgrammeService"


class ProgrammeServicer:
    """Hands policies to the ledger, and shows them."""

    def __init__(self, ledger: Ledger) -> None:
        """Write to and read from `ledger`."""
        self._ledger = ledger

    def handler(self, door: Door) -> grpc.GenericRpcHandler:
        """Return what gRPC serves."""

        writes = Verb.POLICY
        reads = Verb.READ
        return door.service(
            SERVICE,
            Rpc("DraftPolicy", pb.DraftPolicyRequest, writes, validation.draft_policy, self._draft),
            Rpc(
                "RecordSimulation",
                pb.RecordSimulationRequest,
                writes,
                validation.record_simulation,
                self._simulated,
            ),
            Rpc(
                "ApprovePolicy",
                pb.ApprovePolicyRequest,
                writes,
                validation.approve_policy,
                self._approve,
            ),
            Rpc(
                "PublishPolicy",
                pb.PublishPolicyRequest,
                writes,
                validation.publish_policy,
                self._publish,
            ),
            Rpc(
                "WithdrawPolicy",
                pb.WithdrawPolicyRequest,
                writes,
                validation.withdraw_policy,
                self._withdraw,
            ),
            Rpc("CheckPolicy", pb.CheckPolicyRequest, writes, validation.check_policy, self._check),
            Rpc(
                "GetProgramme",
                pb.GetProgrammeRequest,
                reads,
                validation.get_programme,
                self._programme,
            ),
            Rpc("GetPolicy", pb.GetPolicyRequest, reads, validation.get_policy, self._get),
            Rpc(
                "ListPolicies", pb.ListPoliciesRequest, reads, validation.list_policies, self._list
            ),
            Rpc(
                "DiffPolicies", pb.DiffPoliciesRequest, reads, validation.diff_policies, self._diff
            ),
        )

    async def _draft(self, request: pb.DraftPolicyRequest, call: Call) -> pb.DraftPolicyResponse:
        policy, replayed = await self._write(request, call)
        findings = await asyncio.to_thread(_findings, request.document)
        return pb.DraftPolicyResponse(policy=policy, replayed=replayed, findings=findings)

    async def _simulated(
        self, request: pb.RecordSimulationRequest, call: Call
    ) -> pb.RecordSimulationResponse:
        policy, replayed = await self._write(request, call)
        return pb.RecordSimulationResponse(policy=policy, replayed=replayed)

    async def _approve(
        self, request: pb.ApprovePolicyRequest, call: Call
    ) -> pb.ApprovePolicyResponse:
        policy, replayed = await self._write(request, call)
        return pb.ApprovePolicyResponse(policy=policy, replayed=replayed)

    async def _publish(
        self, request: pb.PublishPolicyRequest, call: Call
    ) -> pb.PublishPolicyResponse:
        policy, replayed = await self._write(request, call)
        findings = await asyncio.to_thread(_findings, policy.document)
        return pb.PublishPolicyResponse(policy=policy, replayed=replayed, findings=findings)

    async def _withdraw(
        self, request: pb.WithdrawPolicyRequest, call: Call
    ) -> pb.WithdrawPolicyResponse:
        policy, replayed = await self._write(request, call)
        return pb.WithdrawPolicyResponse(policy=policy, replayed=replayed)

    async def _write(self, request: WriteRequest, call: Call) -> tuple[pb.Policy, bool]:
        answer = await self._ledger.write(
            request, client=call.principal.client, deadline=call.deadline
        )
        policy = answer.message
        assert isinstance(policy, pb.Policy)
        return policy, answer.replayed

    async def _check(self, request: pb.CheckPolicyRequest, _call: Call) -> pb.CheckPolicyResponse:
        return await asyncio.to_thread(check_document, request.document)

    async def _programme(
        self, request: pb.GetProgrammeRequest, _call: Call
    ) -> pb.GetProgrammeResponse:
        return await self._ledger.programme.programme(request)

    async def _get(self, request: pb.GetPolicyRequest, _call: Call) -> pb.GetPolicyResponse:
        return pb.GetPolicyResponse(policy=await self._ledger.programme.policy(request))

    async def _list(self, request: pb.ListPoliciesRequest, _call: Call) -> pb.ListPoliciesResponse:
        return await self._ledger.programme.page(request)

    async def _diff(self, request: pb.DiffPoliciesRequest, _call: Call) -> pb.DiffPoliciesResponse:
        said = await self._ledger.programme.differences(request)
        return pb.DiffPoliciesResponse(differences=said)


def _findings(document: str) -> list[pb.PolicyFinding]:
    """What was drafted or published had no error, so what is found are warnings."""
    return findings_of(rules.load(document))

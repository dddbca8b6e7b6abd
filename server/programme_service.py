"""ProgrammeService: the programme's policies."""

import asyncio
from typing import Final

import grpc

import rules
from ledger.service import Ledger
from loyalty.v1 import programme_service_pb2 as pb
from server import validation
from server.auth import Verb
from server.rpc import Call, Door, Rpc

SERVICE: Final = "loyalty.v1.ProgrammeService"


class ProgrammeServicer:
    """Hands policies to the ledger, and shows them."""

    def __init__(self, ledger: Ledger) -> None:
        """Write to and read from `ledger`."""
        self._ledger = ledger

    def handler(self, door: Door) -> grpc.GenericRpcHandler:
        """Return what gRPC serves."""
        return door.service(
            SERVICE,
            Rpc(
                "PublishPolicy",
                pb.PublishPolicyRequest,
                Verb.POLICY,
                validation.publish_policy,
                self._publish,
            ),
            Rpc("GetPolicy", pb.GetPolicyRequest, Verb.READ, validation.get_policy, self._get),
        )

    async def _publish(
        self, request: pb.PublishPolicyRequest, call: Call
    ) -> pb.PublishPolicyResponse:
        answer = await self._ledger.write(
            request, client=call.principal.client, deadline=call.deadline
        )
        assert isinstance(answer.message, pb.Policy)
        # In a thread: a large policy takes long enough to be felt at the tills.
        warnings = await asyncio.to_thread(_warnings, request.document)
        return pb.PublishPolicyResponse(
            policy=answer.message, replayed=answer.replayed, findings=warnings
        )

    async def _get(self, request: pb.GetPolicyRequest, _call: Call) -> pb.GetPolicyResponse:
        return pb.GetPolicyResponse(policy=await self._ledger.policy(request))


def _warnings(document: str) -> list[pb.PolicyFinding]:
    """What was published had no error, so what is found are warnings."""
    return [
        pb.PolicyFinding(path=found.path, message=found.message, line=found.line)
        for found in rules.check(rules.load(document))
    ]

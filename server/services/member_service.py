"""MemberService: who is known, and by what."""

from typing import Any, Final, TypeVar

import grpc
from google.protobuf.message import Message

from ledger.service import Ledger
from loyalty.v1 import member_service_pb2 as pb
from server.auth import Verb
from server.checking import erasing, validation
from server.rpc import Call, Door, Rpc
from server.services.merge_calls import MergeCalls
from server.services.pool_calls import PoolCalls, brought_home

SERVICE: Final = "loyalty.v1.MemberService"
Question = TypeVar("Question", bound=Message)


class MemberServicer:
    """Hands enrolments, links, tiers and profiles to the ledger, and answers who a member is."""

    def __init__(self, ledger: Ledger) -> None:
        """Write to and read from `ledger`."""
        self._ledger = ledger

    def handler(self, door: Door) -> grpc.GenericRpcHandler:
        """Return what gRPC serves."""
        return door.service(
            SERVICE,
            self._write("EnrolMember", pb.EnrolMemberRequest, pb.EnrolMemberResponse),
            self._write("LinkIdentity", pb.LinkIdentityRequest, pb.LinkIdentityResponse),
            self._write("UnlinkIdentity", pb.UnlinkIdentityRequest, pb.UnlinkIdentityResponse),
            self._write("MoveIdentity", pb.MoveIdentityRequest, pb.MoveIdentityResponse),
            self._write("CreateReferral", pb.CreateReferralRequest, pb.CreateReferralResponse),
            self._write("GrantTier", pb.GrantTierRequest, pb.GrantTierResponse),
            self._write("UpdateMember", pb.UpdateMemberRequest, pb.UpdateMemberResponse),
            self._write("SuspendMember", pb.SuspendMemberRequest, pb.SuspendMemberResponse),
            self._write("CloseMember", pb.CloseMemberRequest, pb.CloseMemberResponse),
            self._write("ReopenMember", pb.ReopenMemberRequest, pb.ReopenMemberResponse),
            Rpc(
                "EraseMember",
                pb.EraseMemberRequest,
                Verb.ERASE,
                erasing.erase_member,
                self._erase,
                for_unit=True,
            ),
            Rpc(
                "GetErasure",
                pb.GetErasureRequest,
                Verb.READ,
                erasing.get_erasure,
                self._erasure,
            ),
            self._write("ContinueMerge", pb.ContinueMergeRequest, pb.ContinueMergeResponse),
            *MergeCalls(self._ledger).offers(),
            *PoolCalls(self._ledger).offers(),
            Rpc("GetMember", pb.GetMemberRequest, Verb.READ, validation.get_member, self._get),
        )

    def _write(self, name: str, request: type[Question], response: type[Message]) -> Rpc[Question]:
        """A call that is answered with the member after it, and with whether it was replayed."""
        verb, check = validation.MEMBER_WRITES[name]

        async def answer(question: Any, call: Call) -> Message:
            if isinstance(question, pb.EnrolMemberRequest) and question.or_existing:
                # It may show a member whom somebody else enrolled.
                call.principal.require(Verb.READ)
            given = await self._ledger.write(
                question, client=call.principal.client, deadline=call.deadline
            )
            member: Any = given.message
            told: dict[str, Any] = {"member": member, "replayed": given.replayed}
            if member.transfer_ids and not question.validate_only:
                told["transfers"] = await brought_home(call, self._ledger, member.transfer_ids)
            return response(**told)

        return Rpc(name, request, verb, check, answer, for_unit=True)

    async def _erase(self, request: pb.EraseMemberRequest, call: Call) -> pb.EraseMemberResponse:
        given = await self._ledger.write(
            request, client=call.principal.client, deadline=call.deadline
        )
        message = given.message
        assert isinstance(message, pb.ErasureCertificate), "an erasure is answered with one"
        response = pb.EraseMemberResponse(certificate=message, replayed=given.replayed)
        if not request.validate_only:
            home = await brought_home(call, self._ledger, message.transfer_ids)
            response.transfers.extend(home)
        return response

    async def _erasure(self, request: pb.GetErasureRequest, _: Call) -> pb.GetErasureResponse:
        return await self._ledger.erasures.erasure(request.member_id)

    async def _get(self, request: pb.GetMemberRequest, call: Call) -> pb.GetMemberResponse:
        reads = self._ledger.reads
        found = await reads.found(request.member, min_position=request.min_position)
        member = await reads.told(found.account, found.position)
        response = pb.GetMemberResponse(member=member, merged_into=found.merged_into)
        referral = await reads.referral(request.member)
        if referral is not None:
            response.referral.CopyFrom(referral)
        if Verb.PROFILE in call.principal.verbs:
            profile, consents = await reads.profile(request.member)
            response.profile.CopyFrom(profile)
            response.consents.extend(consents)
        return response

"""MemberService: who is known, and by what."""

from typing import Final

import grpc

from ledger.service import Ledger
from loyalty.v1 import member_service_pb2 as pb
from server import profile_shape, validation
from server.auth import Verb
from server.rpc import Call, Door, Rpc

SERVICE: Final = "loyalty.v1.MemberService"


class MemberServicer:
    """Hands enrolments, links, tiers and profiles to the ledger, and answers who a member is."""

    def __init__(self, ledger: Ledger) -> None:
        """Write to and read from `ledger`."""
        self._ledger = ledger

    def handler(self, door: Door) -> grpc.GenericRpcHandler:
        """Return what gRPC serves."""
        return door.service(
            SERVICE,
            Rpc(
                "EnrolMember",
                pb.EnrolMemberRequest,
                Verb.ENROL,
                validation.enrol_member,
                self._enrol,
                unit=_unit,
            ),
            Rpc(
                "LinkIdentity",
                pb.LinkIdentityRequest,
                Verb.ENROL,
                validation.link_identity,
                self._link,
                unit=_unit,
            ),
            Rpc(
                "GrantTier",
                pb.GrantTierRequest,
                Verb.TIER,
                validation.grant_tier,
                self._grant,
                unit=_unit,
            ),
            Rpc(
                "UpdateMember",
                pb.UpdateMemberRequest,
                Verb.PROFILE,
                profile_shape.update_member,
                self._update,
                unit=_unit,
            ),
            Rpc("GetMember", pb.GetMemberRequest, Verb.READ, validation.get_member, self._get),
        )

    async def _enrol(self, request: pb.EnrolMemberRequest, call: Call) -> pb.EnrolMemberResponse:
        answer = await self._ledger.write(
            request, client=call.principal.client, deadline=call.deadline
        )
        assert isinstance(answer.message, pb.Member)
        return pb.EnrolMemberResponse(member=answer.message, replayed=answer.replayed)

    async def _link(self, request: pb.LinkIdentityRequest, call: Call) -> pb.LinkIdentityResponse:
        answer = await self._ledger.write(
            request, client=call.principal.client, deadline=call.deadline
        )
        assert isinstance(answer.message, pb.Member)
        return pb.LinkIdentityResponse(member=answer.message, replayed=answer.replayed)

    async def _grant(self, request: pb.GrantTierRequest, call: Call) -> pb.GrantTierResponse:
        answer = await self._ledger.write(
            request, client=call.principal.client, deadline=call.deadline
        )
        assert isinstance(answer.message, pb.Member)
        return pb.GrantTierResponse(member=answer.message, replayed=answer.replayed)

    async def _update(self, request: pb.UpdateMemberRequest, call: Call) -> pb.UpdateMemberResponse:
        answer = await self._ledger.write(
            request, client=call.principal.client, deadline=call.deadline
        )
        assert isinstance(answer.message, pb.Member)
        return pb.UpdateMemberResponse(member=answer.message, replayed=answer.replayed)

    async def _get(self, request: pb.GetMemberRequest, call: Call) -> pb.GetMemberResponse:
        member = await self._ledger.member(request.member, min_position=request.min_position)
        response = pb.GetMemberResponse(member=member)
        if Verb.PROFILE in call.principal.verbs:
            response.profile.CopyFrom(await self._ledger.profile(request.member))
        return response


def _unit(
    request: pb.EnrolMemberRequest
    | pb.LinkIdentityRequest
    | pb.GrantTierRequest
    | pb.UpdateMemberRequest,
) -> str:
    return request.origin.business_unit

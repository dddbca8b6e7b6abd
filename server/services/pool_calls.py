"""The calls about pools. What goes home by one of them is brought on at once, as any transfer."""

from collections.abc import Iterable
from typing import Any, TypeVar

from google.protobuf.message import Message

from ledger.service import Ledger
from loyalty.v1 import member_service_pb2 as pb
from loyalty.v1.ledger_service_pb2 import Transfer
from server.auth import Verb
from server.checking import pools, validation
from server.rpc import Call, Rpc
from server.services.transfer_calls import transfer_seen_by
from server.transferring import bring_on

Question = TypeVar("Question", bound=Message)


class PoolCalls:
    """Answers the calls about pools."""

    def __init__(self, ledger: Ledger) -> None:
        """Write to and read from `ledger`."""
        self._ledger = ledger

    def offers(self) -> list[Rpc[Any]]:
        """What MemberService offers of them."""
        return [
            self._write("CreatePool", pb.CreatePoolRequest, pb.CreatePoolResponse),
            self._write("AddPoolMember", pb.AddPoolMemberRequest, pb.AddPoolMemberResponse),
            self._write(
                "RemovePoolMember", pb.RemovePoolMemberRequest, pb.RemovePoolMemberResponse
            ),
            self._write(
                "SetPoolPermission", pb.SetPoolPermissionRequest, pb.SetPoolPermissionResponse
            ),
            self._write("ClosePool", pb.ClosePoolRequest, pb.ClosePoolResponse),
            Rpc("GetPool", pb.GetPoolRequest, Verb.READ, pools.get_pool, self._get),
        ]

    def _write(self, name: str, request: type[Question], response: type[Message]) -> Rpc[Question]:
        verb, check = validation.MEMBER_WRITES[name]

        async def answer(question: Any, call: Call) -> Message:
            given = await self._ledger.write(
                question, client=call.principal.client, deadline=call.deadline
            )
            pool = given.message
            assert isinstance(pool, pb.Pool), "a write about a pool is answered with it"
            told: dict[str, Any] = {"pool": pool, "replayed": given.replayed}
            if pool.transfer_ids and not question.validate_only:
                told["transfers"] = await brought_home(call, self._ledger, pool.transfer_ids)
            return response(**told)

        return Rpc(name, request, verb, check, answer, for_unit=True)

    async def _get(self, request: pb.GetPoolRequest, _: Call) -> pb.GetPoolResponse:
        viewer = request.member if request.HasField("member") else None
        pool = await self._ledger.reads.pool(
            request.pool_id, viewer, min_position=request.min_position
        )
        return pb.GetPoolResponse(pool=pool)


async def brought_home(call: Call, ledger: Ledger, transfer_ids: Iterable[str]) -> list[Transfer]:
    """Bring on what goes home by a call; how each transfer stands, as its client may see it."""
    ids = list(transfer_ids)
    for transfer_id in ids:
        await bring_on(ledger, transfer_id)
    return [await transfer_seen_by(call.principal, ledger, transfer_id) for transfer_id in ids]

"""MergeMembers and UnmergeMembers: what was begun is brought to its end, step by step.

It decides nothing. A step that was taken already changes nothing, so whoever else goes on with it
(another call, the sweeper after a crash) does no harm, and there is nothing to remember.
"""

from typing import Any, Final, TypeVar
from uuid import uuid4

import structlog
from google.protobuf.message import Message

from ledger.core.refusals import Refusal
from ledger.service import Ledger
from loyalty.v1 import member_service_pb2 as pb
from loyalty.v1.types_pb2 import (
    MEMBERSHIP_STATE_MERGING,
    MEMBERSHIP_STATE_UNMERGING,
    MemberRef,
    Origin,
)
from server.checking import validation
from server.rpc import Call, Rpc

MERGES: Final = "merges"
"""Who asks for the steps: the unit, and the client too."""
_ON_THE_MOVE: Final = (MEMBERSHIP_STATE_MERGING, MEMBERSHIP_STATE_UNMERGING)
Question = TypeVar("Question", bound=Message)

log = structlog.get_logger(__name__)


class MergeCalls:
    """Answers the calls that make one member of two, and two of one."""

    def __init__(self, ledger: Ledger) -> None:
        """Write to and read from `ledger`."""
        self._ledger = ledger

    def offers(self) -> list[Rpc[Any]]:
        """What MemberService offers of them."""
        return [
            self._call("MergeMembers", pb.MergeMembersRequest, pb.MergeMembersResponse, "into"),
            self._call(
                "UnmergeMembers", pb.UnmergeMembersRequest, pb.UnmergeMembersResponse, "from"
            ),
        ]

    def _call(
        self, name: str, request: type[Question], response: type[Message], other: str
    ) -> Rpc[Question]:
        verb, check = validation.MEMBER_WRITES[name]

        async def answer(question: Any, call: Call) -> Message:
            given = await self._ledger.write(
                question, client=call.principal.client, deadline=call.deadline
            )
            member: Any = given.message
            into = MemberRef(member_id=member.merged_into)
            if not question.validate_only:
                member = await bring_on(self._ledger, member)
            told: dict[str, Any] = {
                "member": member,
                other: await self._ledger.reads.member(into),
                "replayed": given.replayed,
            }
            return response(**told)

        return Rpc(name, request, verb, check, answer, for_unit=True)


async def bring_on(ledger: Ledger, member: pb.Member) -> pb.Member:
    """Take the steps of what was begun; the member after the last. What fails the sweeper does.

    The caller's deadline does not count: what is under way is brought to its end anyhow.
    """
    step = 1
    while True:
        try:
            given = await ledger.write(_step(member.member_id, step), client=MERGES)
        except Refusal as refusal:
            log.warning("merge_not_continued", member=member.member_id, reason=refusal.reason)
            return member
        assert isinstance(given.message, pb.Member), "a step is answered with a member"
        member = given.message
        if member.membership not in _ON_THE_MOVE or member.merge_step + 1 == step:
            return member
        step = member.merge_step + 1


def _step(member_id: str, step: int) -> pb.ContinueMergeRequest:
    return pb.ContinueMergeRequest(
        request_id=str(uuid4()),
        origin=Origin(business_unit=MERGES),
        member=MemberRef(member_id=member_id),
        step=step,
    )

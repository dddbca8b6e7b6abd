"""Who turns out to be somebody else: members who are merged, and told apart again."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from loyalty.v1.member_service_pb2 import MergeMembersRequest, UnmergeMembersRequest
from loyalty.v1.types_pb2 import MemberRef, Origin

BROUGHT_ON: Final = (MergeMembersRequest, UnmergeMembersRequest)
"""After these the service takes the steps that follow."""


@dataclass
class Merges:
    """Draws requests, and remembers who was merged."""

    random: Random
    member: Callable[[], MemberRef]
    """Draws a member."""
    id: Callable[[str], str]
    """A request id that was not given before."""
    unit: Callable[[], str]
    merged: list[MemberRef] = field(default_factory=list)

    def merge(self) -> MergeMembersRequest:
        """Two become one; now and then they are one already."""
        return MergeMembersRequest(
            request_id=self.id("merge"),
            origin=Origin(business_unit=self.unit()),
            member=self.member(),
            into=self.member(),
            reason="the same person",
        )

    def unmerge(self) -> Any:
        """One becomes two again."""
        if not self.merged:
            return self.merge()
        return UnmergeMembersRequest(
            request_id=self.id("unmerge"),
            origin=Origin(business_unit=self.unit()),
            member=self.random.choice(self.merged),
            reason="two after all",
        )

    def learn(self, request: MergeMembersRequest | UnmergeMembersRequest) -> None:
        """Remember what was answered."""
        if isinstance(request, MergeMembersRequest):
            self.merged.append(request.member)
        elif request.member in self.merged:
            self.merged.remove(request.member)

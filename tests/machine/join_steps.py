"""Steps of merges: begun, refused in between, brought to their end, undone."""

from typing import Any

from hypothesis.stateful import rule

from loyalty.v1.ledger_service_pb2 import BurnPointsRequest
from loyalty.v1.member_service_pb2 import (
    ContinueMergeRequest,
    MergeMembersRequest,
    UnmergeMembersRequest,
)
from tests.machine.real import member_of, ref
from tests.machine.steps import Steps, amount, members


class JoinSteps(Steps):
    """Members become one, and two again."""

    @rule(source=members, into=members)
    def merge(self, source: str, into: str) -> None:
        """Staff find out that two members are one person."""
        request = self.about(
            MergeMembersRequest, "a", member=ref(source), into=ref(into), reason="one person"
        )
        self._begun(request, source, lambda: self.clerk.merge(source, into), frozen=(source,))

    @rule(source=members)
    def unmerge(self, source: str) -> None:
        """Staff find out that they are not."""
        request = self.about(UnmergeMembersRequest, "a", member=ref(source), reason="two persons")
        frozen = (source, self.clerk.place(source))
        self._begun(request, source, lambda: self.clerk.unmerge(source), frozen=frozen)

    def _begun(self, request: Any, source: str, work: Any, *, frozen: tuple[str, ...]) -> None:
        """Begin, see that nothing is taken from who is frozen, and take all steps."""
        answer = self.both(request, lambda _: work())
        if answer is None:
            return
        for member in frozen:
            burn = self.about(BurnPointsRequest, "a", member=ref(member), points=amount("p", 1))
            assert getattr(self.real.write(burn), "reason", "taken") == "MERGING"
        number = 0
        while number == 0 or member_of(answer).merge_step:
            number += 1
            step = self.about(ContinueMergeRequest, "a", member=ref(source), step=number)
            answer = self.both(step, lambda _: None)
            assert answer is not None, "a step that is due is taken"

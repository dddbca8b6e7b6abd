"""Steps of merges: begun, refused in between, brought to their end, undone."""

from typing import Any

import hypothesis.strategies as st
from hypothesis.stateful import rule

from loyalty.v1.ledger_service_pb2 import BurnPointsRequest
from loyalty.v1.member_service_pb2 import (
    ContinueMergeRequest,
    MergeMembersRequest,
    UnmergeMembersRequest,
)
from tests.machine.real import member_of
from tests.machine.steps import Steps, amount, members


class JoinSteps(Steps):
    """Members become one, and two again."""

    @rule(source=members, into=members, contrary=st.sampled_from((False, False, False, True)))
    def join_or_part(self, source: str, into: str, contrary: bool) -> None:
        """Staff find out that two members are one person, or that they are not."""
        if self.clerk.is_merged(source) is contrary:
            self._merge(source, into)
        else:
            self._unmerge(source)

    def _merge(self, source: str, into: str) -> None:
        request = self.about(
            MergeMembersRequest,
            "a",
            member=self.ref(source),
            into=self.ref(into),
            reason="one person",
        )
        self._begun(
            request, source, lambda: self.clerk.merge(source, into, self.now), frozen=(source,)
        )

    def _unmerge(self, source: str) -> None:
        request = self.about(
            UnmergeMembersRequest, "a", member=self.ref(source), reason="two persons"
        )
        frozen = (source, self.clerk.place(source))
        self._begun(request, source, lambda: self.clerk.unmerge(source, self.now), frozen=frozen)

    def _begun(self, request: Any, source: str, work: Any, *, frozen: tuple[str, ...]) -> None:
        """Begin, see that nothing is taken from who is frozen, and take all steps."""
        answer = self.both(request, lambda _: work())
        if answer is None:
            return
        for member in frozen:
            burn = self.about(
                BurnPointsRequest, "a", member=self.ref(member), points=amount("p", 1)
            )
            assert getattr(self.real.write(burn), "reason", "taken") == "MERGING"
        number = 0
        while number == 0 or member_of(answer).merge_step:
            number += 1
            step = self.about(ContinueMergeRequest, "a", member=self.ref(source), step=number)
            answer = self.both(step, lambda _: None)
            assert answer is not None, "a step that is due is taken"

"""Steps of a member's life: suspended, closed, open again, erased."""

from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
from hypothesis.stateful import multiple, rule

from loyalty.v1.member_service_pb2 import (
    CloseMemberRequest,
    EraseMemberRequest,
    ReopenMemberRequest,
    SuspendMemberRequest,
)
from loyalty.v1.types_pb2 import (
    ERASED_BALANCE_FORFEITED,
    ERASED_BALANCE_KEPT,
    ERASURE_REQUESTER_MEMBER,
)
from tests.machine.journey_steps import transfers
from tests.machine.lives import Left
from tests.machine.pool_steps import PoolSteps
from tests.machine.steps import members


class LifeSteps(PoolSteps):
    """Whatever makes a member take part less, or again."""

    @rule(member=members, back=st.booleans())
    def suspend_or_reopen(self, member: str, back: bool) -> None:
        """A card is stolen, or found."""
        kind = ReopenMemberRequest if back else SuspendMemberRequest
        request = self.about(kind, "a", member=self.ref(member), reason="card stolen or found")
        work = self.clerk.reopen if back else self.clerk.suspend
        self.both(request, lambda _: work(member))

    @rule(
        target=transfers,
        member=members,
        forfeit=st.sampled_from((True, True, True, False)),
        bring_on=st.booleans(),
    )
    def close_account(self, member: str, forfeit: bool, bring_on: bool) -> Any:
        """A member wants to take part no more."""
        request = self.about(
            CloseMemberRequest, "a", member=self.ref(member), reason="moved away", forfeit=forfeit
        )
        return self._leaving(
            request,
            lambda: self.clerk.close_member(member, self.now, forfeit=forfeit),
            bring_on=bring_on,
        )

    @rule(
        target=transfers,
        member=members,
        forfeit=st.booleans(),
        sure=st.sampled_from((False, False, True)),
        bring_on=st.booleans(),
    )
    def erase(self, member: str, forfeit: bool, sure: bool, bring_on: bool) -> Any:
        """A member wants to be forgotten, which few do."""
        if not sure:
            return multiple()
        request = self.about(
            EraseMemberRequest,
            "a",
            member=self.ref(member),
            balance=ERASED_BALANCE_FORFEITED if forfeit else ERASED_BALANCE_KEPT,
            requested_by=ERASURE_REQUESTER_MEMBER,
        )
        return self._leaving(
            request,
            lambda: self.clerk.erase(member, self.now, forfeit=forfeit),
            bring_on=bring_on,
        )

    def _leaving(self, request: Any, work: Callable[[], Left], *, bring_on: bool) -> Any:
        """Who goes leaves all pools at once; what goes home because of it is on its way."""
        before = {pool: self.real.sent_from(of) for pool, of in self.pools.items()}
        expected = Left()
        self.both(request, lambda _: expected.extend(work()))
        found: list[Any] = []
        for pool, sent in before.items():
            new = self.real.sent_from(self.pools[pool])[len(sent) :]
            going = [each for where, each in expected if where == pool]
            found += self.go_home(pool, new, going, bring_on=bring_on).values
        return multiple(*found)

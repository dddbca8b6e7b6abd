"""Steps of pools: opened, joined, left, closed; their points are put in and spent as all others."""

from collections.abc import Callable, Iterable
from typing import Any

import hypothesis.strategies as st
from hypothesis.stateful import multiple, rule

from loyalty.v1.member_service_pb2 import (
    AddPoolMemberRequest,
    ClosePoolRequest,
    CreatePoolRequest,
    RemovePoolMemberRequest,
    SetPoolPermissionRequest,
)
from loyalty.v1.types_pb2 import PoolPermission
from tests.machine.journey_steps import JourneySteps, transfers
from tests.machine.real import pool_of
from tests.machine.sharing import MAY, Going
from tests.machine.steps import members, points

POOLS_MOST = 3
permissions = st.sampled_from(
    (MAY, ("view", "contribute"), ("contribute", "spend"), ("spend",), ("view", "administer"))
)
insiders = st.one_of(st.none(), st.none(), st.none(), members)
"""Who does something: None: somebody who may."""


class PoolSteps(JourneySteps):
    """Whatever can be done with a pool besides moving points."""

    @rule(founder=members)
    def open_pool(self, founder: str) -> None:
        """Somebody opens a pool."""
        if len(self.pools) == POOLS_MOST:
            return
        name = f"pool{len(self.pools) + 1}"
        request = self.about(CreatePoolRequest, "a", member=self.ref(founder))
        answer = self.both(request, lambda _: self.clerk.open_pool(name, founder))
        if answer is None:
            return
        self.pools[name] = pool_of(answer).pool_id
        self.names[self.pools[name]] = name

    @rule(number=st.integers(0, 1), by=insiders, joining=members, may=permissions)
    def add(self, number: int, by: str | None, joining: str, may: tuple[str, ...]) -> None:
        """Somebody is let in."""
        if (pool := self.pool(number)) is None:
            return
        by = by or self._administrator(pool)
        request = self.about(
            AddPoolMemberRequest,
            "a",
            member=self.ref(by),
            pool_id=self.pools[pool],
            joining=self.ref(joining),
            permissions=_enum(may),
        )
        self.both(request, lambda _: self.clerk.add_to_pool(pool, by, joining, may))

    @rule(number=st.integers(0, 1), by=insiders, subject=members, may=permissions)
    def permit(self, number: int, by: str | None, subject: str, may: tuple[str, ...]) -> None:
        """Somebody may do more, or less."""
        if (pool := self.pool(number)) is None:
            return
        by = by or self._administrator(pool)
        request = self.about(
            SetPoolPermissionRequest,
            "a",
            member=self.ref(by),
            pool_id=self.pools[pool],
            subject=self.ref(subject),
            permissions=_enum(may),
        )
        self.both(request, lambda _: self.clerk.permit(pool, by, subject, may))

    @rule(
        target=transfers,
        number=st.integers(0, 1),
        who=st.integers(0, 2),
        currency=st.sampled_from(("p", "p", "q")),
        given=points,
        bring_on=st.sampled_from((True, True, True, False)),
    )
    def put_in(self, number: int, who: int, currency: str, given: int, bring_on: bool) -> Any:
        """Somebody who is in a pool puts points into it."""
        pool = self.pool(number)
        insiders = list(self.clerk.members[pool]["pool"]["members"]) if pool else []
        if pool is None or not insiders:
            return multiple()
        member = insiders[who % len(insiders)]
        given = self.within(member, currency, min(given, 70), fits=True)
        return self.sent(member, pool, currency, given, "a", bring_on=bring_on)

    @rule(
        target=transfers,
        number=st.integers(0, 1),
        by=insiders,
        leaving=members,
        bring_on=st.booleans(),
    )
    def leave(self, number: int, by: str | None, leaving: str, bring_on: bool) -> Any:
        """Somebody leaves, or is shown out."""
        if (pool := self.pool(number)) is None:
            return multiple()
        by = by or leaving
        request = self.about(
            RemovePoolMemberRequest,
            "a",
            member=self.ref(by),
            pool_id=self.pools[pool],
            leaving=self.ref(leaving),
        )
        return self._going_home(
            request,
            pool,
            lambda: self.clerk.leave_pool(pool, by, leaving, self.now),
            bring_on=bring_on,
        )

    @rule(
        target=transfers,
        number=st.integers(0, 1),
        by=insiders,
        sure=st.sampled_from((False, False, False, True)),
        bring_on=st.booleans(),
    )
    def close(self, number: int, by: str | None, sure: bool, bring_on: bool) -> Any:
        """A pool is closed, or somebody tries to."""
        pool = self.pool(number)
        if pool is None or not sure:
            return multiple()
        by = by or self._administrator(pool)
        request = self.about(ClosePoolRequest, "a", member=self.ref(by), pool_id=self.pools[pool])
        return self._going_home(
            request, pool, lambda: self.clerk.close_pool(pool, by, self.now), bring_on=bring_on
        )

    def _going_home(
        self, request: Any, pool: str, work: Callable[[], list[Going]], *, bring_on: bool
    ) -> Any:
        """What goes home because of it is on its way, and arrives now or later."""
        expected: list[Going] = []
        answer = self.both(request, lambda _: expected.extend(work()))
        if answer is None:
            return multiple()
        return self.go_home(pool, pool_of(answer).transfer_ids, expected, bring_on=bring_on)

    def go_home(
        self, pool: str, transfer_ids: Iterable[str], expected: list[Going], *, bring_on: bool
    ) -> Any:
        """Just what was to be sent home has been; it arrives now or later."""
        sent = self._sent_home(transfer_ids, pool)
        assert sorted(sent.values()) == sorted(expected)
        for transfer, (whose, currency, number) in sent.items():
            self.clerk.send_home(transfer, pool, whose, currency, number, self.now)
        for transfer in sent if bring_on else ():
            self.bring_on(transfer)
        return multiple(*sent)

    def _sent_home(self, transfer_ids: Iterable[str], pool: str) -> dict[str, Going]:
        """What the ledger sent home, by transfer."""
        sent: dict[str, Going] = {}
        for transfer_id in transfer_ids:
            told = self.real.transfer(transfer_id)
            assert self.names[told.sender_id] == pool
            whose, of = self.names[told.receiver_id], told.points
            sent[transfer_id] = (whose, of.currency, of.amount)
        return sent

    def _administrator(self, pool: str) -> str:
        """Somebody who may administer a pool, if anybody may."""
        may = self.clerk.members[pool]["pool"]["members"]
        return next((member for member in may if "administer" in may[member]), "ann")


def _enum(may: tuple[str, ...]) -> list[PoolPermission.ValueType]:
    return [PoolPermission.Value(f"POOL_PERMISSION_{each.upper()}") for each in may]

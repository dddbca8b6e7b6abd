"""Who puts points together: pools that members open, fill, spend from, leave and close."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from loyalty.v1.ledger_service_pb2 import BurnPointsRequest, TransferPointsRequest
from loyalty.v1.member_service_pb2 import (
    AddPoolMemberRequest,
    ClosePoolRequest,
    CreatePoolRequest,
    Pool,
    RemovePoolMemberRequest,
)
from loyalty.v1.types_pb2 import (
    POOL_PERMISSION_CONTRIBUTE,
    POOL_PERMISSION_SPEND,
    MemberRef,
    Origin,
    Points,
)

BROUGHT_ON: Final = (RemovePoolMemberRequest, ClosePoolRequest)
"""What goes home because of these the service brings on."""
RECENT: Final = 6
"""The newest pools are used: others are closed, or forgotten."""


@dataclass
class Known:
    """A pool, and who opened it or was let in."""

    pool_id: str
    members: list[MemberRef]


@dataclass
class Pools:
    """Draws requests, and remembers which pools there are."""

    random: Random
    member: Callable[[], MemberRef]
    """Draws a member."""
    id: Callable[[str], str]
    """A request id that was not given before."""
    unit: Callable[[], str]
    known: dict[str, Known] = field(default_factory=dict)

    def draw(self) -> Any:
        """Something about a pool."""
        pool = self.random.choice([*self.known.values()][-RECENT:]) if self.known else None
        if pool is None or self.random.random() < 0.08:
            return self._about(CreatePoolRequest, self.member())
        kind = self.random.choices(
            (self._add, self._put_in, self._take_home, self._spend, self._remove, self._close),
            weights=(20, 35, 12, 20, 8, 2),
        )[0]
        return kind(pool)

    def learn(self, request: Any, pool: Pool) -> None:
        """Remember what was answered."""
        if isinstance(request, CreatePoolRequest):
            self.known[pool.pool_id] = Known(pool.pool_id, [request.member])
        elif isinstance(request, AddPoolMemberRequest):
            # It may have been closed before this answer arrived.
            if pool.pool_id in self.known:
                self.known[pool.pool_id].members.append(request.joining)
        elif isinstance(request, ClosePoolRequest):
            self.known.pop(pool.pool_id, None)

    def _insider(self, pool: Known) -> MemberRef:
        """Mostly somebody who is in it, or was."""
        return self.member() if self.random.random() < 0.1 else self.random.choice(pool.members)

    def _about(self, kind: Any, member: MemberRef, **fields: Any) -> Any:
        return kind(
            request_id=self.id("pool"),
            origin=Origin(business_unit=self.unit()),
            member=member,
            **fields,
        )

    def _add(self, pool: Known) -> Any:
        return self._about(
            AddPoolMemberRequest,
            pool.members[0],
            pool_id=pool.pool_id,
            joining=self.member(),
            permissions=(POOL_PERMISSION_CONTRIBUTE, POOL_PERMISSION_SPEND),
        )

    def _put_in(self, pool: Known) -> Any:
        points = Points(
            currency=self.random.choice(("p", "p", "q")), amount=self.random.randint(1, 100)
        )
        into = MemberRef(pool_id=pool.pool_id)
        return self._about(TransferPointsRequest, self._insider(pool), receiver=into, points=points)

    def _take_home(self, pool: Known) -> Any:
        points = Points(currency="p", amount=self.random.randint(1, 40))
        return self._about(
            TransferPointsRequest,
            MemberRef(pool_id=pool.pool_id),
            receiver=self._insider(pool),
            points=points,
        )

    def _spend(self, pool: Known) -> Any:
        points = Points(currency="p", amount=self.random.randint(1, 60))
        return self._about(
            BurnPointsRequest, self._insider(pool), pool_id=pool.pool_id, points=points
        )

    def _remove(self, pool: Known) -> Any:
        return self._about(
            RemovePoolMemberRequest,
            pool.members[0],
            pool_id=pool.pool_id,
            leaving=self._insider(pool),
        )

    def _close(self, pool: Known) -> Any:
        return self._about(ClosePoolRequest, pool.members[0], pool_id=pool.pool_id)

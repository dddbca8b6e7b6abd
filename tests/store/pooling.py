"""Words for pools at a till."""

from typing import Any, TypeAlias

from loyalty.v1.ledger_service_pb2 import (
    BurnPointsRequest,
    HoldPointsRequest,
    TransferPointsRequest,
)
from loyalty.v1.member_service_pb2 import (
    AddPoolMemberRequest,
    ClosePoolRequest,
    CreatePoolRequest,
    Pool,
    RemovePoolMemberRequest,
    SetPoolPermissionRequest,
)
from loyalty.v1.types_pb2 import (
    POOL_PERMISSION_ADMINISTER,
    POOL_PERMISSION_CONTRIBUTE,
    POOL_PERMISSION_SPEND,
    POOL_PERMISSION_VIEW,
    MemberRef,
    Origin,
    PoolPermission,
)
from server.transferring import bring_on
from tests.store.moving import Mover

VIEW, CONTRIBUTE = POOL_PERMISSION_VIEW, POOL_PERMISSION_CONTRIBUTE
SPEND, ADMINISTER = POOL_PERMISSION_SPEND, POOL_PERMISSION_ADMINISTER
Permission: TypeAlias = PoolPermission.ValueType


class Pooler(Mover):
    """Opens pools at a till, and moves points into and out of them."""

    async def opens(self, founder: MemberRef) -> MemberRef:
        pool = await self.pool(CreatePoolRequest, founder)
        return MemberRef(pool_id=pool.pool_id)

    async def adds(
        self, pool: MemberRef, joining: MemberRef, *may: Permission, by: MemberRef
    ) -> Pool:
        return await self.pool(
            AddPoolMemberRequest, by, pool_id=pool.pool_id, joining=joining, permissions=may
        )

    async def permits(
        self, pool: MemberRef, subject: MemberRef, *may: Permission, by: MemberRef
    ) -> Pool:
        return await self.pool(
            SetPoolPermissionRequest, by, pool_id=pool.pool_id, subject=subject, permissions=may
        )

    async def removes(self, pool: MemberRef, leaving: MemberRef, *, by: MemberRef) -> Pool:
        return await self.pool(RemovePoolMemberRequest, by, pool_id=pool.pool_id, leaving=leaving)

    async def removes_and_dies(
        self, pool: MemberRef, leaving: MemberRef, *, by: MemberRef
    ) -> list[str]:
        """As if the process died after that commit: ids of the transfers that are under way."""
        request = self._request(RemovePoolMemberRequest, by, pool_id=pool.pool_id, leaving=leaving)
        return list((await self._written(request)).transfer_ids)

    async def closes(self, pool: MemberRef, *, by: MemberRef) -> Pool:
        return await self.pool(ClosePoolRequest, by, pool_id=pool.pool_id)

    async def pool(self, kind: type[Any], by: MemberRef, **fields: Any) -> Pool:
        """A write about a pool; what goes home because of it arrives."""
        message = await self._written(self._request(kind, by, **fields))
        for transfer_id in message.transfer_ids:
            await bring_on(self.till.ledger, transfer_id)
        return message

    def _request(self, kind: type[Any], by: MemberRef, **fields: Any) -> Any:
        return kind(
            request_id=self.till.rid(), origin=Origin(business_unit="a"), member=by, **fields
        )

    async def _written(self, request: Any) -> Pool:
        message = (await self.till.write(request)).message
        assert isinstance(message, Pool)
        return message

    def burn(self, pool: MemberRef, spender: MemberRef, points: int) -> BurnPointsRequest:
        request = self.till.burn(spender, points)
        request.pool_id = pool.pool_id
        return request

    def hold(
        self, pool: MemberRef, spender: MemberRef, hold_id: str, points: int
    ) -> HoldPointsRequest:
        request = self.till.hold(spender, hold_id, points)
        request.pool_id = pool.pool_id
        return request

    async def sees(self, pool: MemberRef, viewer: MemberRef | None = None) -> Pool:
        return await self.till.ledger.reads.pool(pool.pool_id, viewer, min_position="")

    async def lineage(self, pool: MemberRef) -> dict[str, int]:
        """Points left by who put them in."""
        account, _ = await self.till.ledger.reads.account(pool)
        left: dict[str, int] = {}
        for lot in account.lots:
            left[lot.contributor] = left.get(lot.contributor, 0) + lot.left
        return left

    async def id_of(self, member: MemberRef) -> str:
        return (await self.till.ledger.reads.member(member)).member_id

    def between_pools(self, one: MemberRef, other: MemberRef) -> TransferPointsRequest:
        return self.transfer(one, other, 1)

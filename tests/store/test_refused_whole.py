"""What is refused when a part of it was decided already records nothing, in any account."""

from typing import Any

from ledger.core.pools import POOLS_MAX
from loyalty.v1.member_service_pb2 import CloseMemberRequest, MoveIdentityRequest
from loyalty.v1.types_pb2 import MemberRef
from server.database import connect
from tests.store.moving import divergences
from tests.store.pooling import VIEW, Pooler
from tests.store.stories import move
from tests.store.test_pool_ends import outcome
from tests.store.till import Till, open_till, origin_of


def closing(till: Till, member: MemberRef, *, forfeit: bool) -> CloseMemberRequest:
    return CloseMemberRequest(
        request_id=till.rid(), origin=origin_of("a"), member=member, reason="so", forfeit=forfeit
    )


class Whole:
    """Writes at a till that are refused, and how many facts there are after each."""

    def __init__(self, till: Till, connection: Any) -> None:
        self.till = till
        self._connection = connection

    async def facts(self) -> int:
        count: int = await self._connection.fetchval("SELECT count(*) FROM event")
        return count

    async def refused(self, request: Any) -> tuple[str, int]:
        """Why a write is refused, and how many facts it left all the same."""
        before = await self.facts()
        reason = await outcome(self.till.write(request))
        return reason, await self.facts() - before


async def test_nothing_of_what_is_refused_is_recorded(database: str) -> None:
    async with open_till(database) as till:
        connection = await connect(database)
        whole, pooler = Whole(till, connection), Pooler(till)
        await till.publish()
        anna, ben, gone = [await till.enrol(card) for card in ("1", "2", "3")]
        await till.post(till.document(anna, "D1", 1, 100_00))
        await till.write(closing(till, gone, forfeit=False))
        pools = [await pooler.opens(anna) for _ in range(POOLS_MAX)]
        another = await pooler.opens(ben)
        taken = MoveIdentityRequest(
            request_id=till.rid(),
            origin=origin_of("a"),
            member=MemberRef(member_id=await pooler.id_of(gone)),
            identity=ben.identity,
            reason="so",
        )
        assert await whole.refused(taken) == ("ACCOUNT_CLOSED", 0)
        assert await whole.refused(move(till, gone, "D1")) == ("ACCOUNT_CLOSED", 0)
        assert await whole.refused(closing(till, anna, forfeit=False)) == ("ACCOUNT_NOT_EMPTY", 0)
        before = await whole.facts()
        assert await outcome(pooler.opens(anna)) == "TOO_MANY_POOLS"
        assert await outcome(pooler.adds(another, anna, VIEW, by=ben)) == "TOO_MANY_POOLS"
        assert await whole.facts() == before
        await connection.close()

        assert (await till.ledger.reads.member(ben)).member_id == await pooler.id_of(ben)
        assert await till.available(anna) == 100
        assert [len((await pooler.sees(pool)).members) for pool in (*pools, another)] == [1] * 11
        assert await divergences(till) == {}

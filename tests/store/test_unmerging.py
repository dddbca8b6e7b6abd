"""Merges and their undoing, of two of whom one was closed or erased before, meanwhile or after."""

import pytest

from ledger.core.refusals import (
    AccountClosed,
    AccountErased,
    Merging,
    NotMerged,
    UnknownMember,
)
from loyalty.v1.member_service_pb2 import CloseMemberRequest
from loyalty.v1.types_pb2 import (
    ERASED_BALANCE_FORFEITED,
    ERASED_BALANCE_KEPT,
    MEMBERSHIP_STATE_CLOSED,
    MEMBERSHIP_STATE_OPEN,
    ErasedBalance,
    MemberRef,
)
from server.database import connect
from tests.store.erasing import erase, erasing
from tests.store.merging import (
    ORIGIN,
    finish,
    merge,
    merging,
    points,
    told,
    unmerge,
    unmerging,
    verified,
)
from tests.store.stories import CLAIMS, move
from tests.store.stories import verified as found
from tests.store.till import Till, moved, open_till

LEFT = {
    "identity": "INSERT INTO identity VALUES ('card', 'x', $1, gen_random_uuid(), 0)",
    "member_profile": "INSERT INTO member_profile VALUES ($1, 'x', NULL)",
}
"""What may be left of somebody, by table."""
BALANCES = [ERASED_BALANCE_FORFEITED, ERASED_BALANCE_KEPT]


def closing(till: Till, member: MemberRef) -> CloseMemberRequest:
    return CloseMemberRequest(
        request_id=till.rid(), origin=ORIGIN, member=member, reason="moved away", forfeit=True
    )


async def by_id(till: Till, member: MemberRef) -> MemberRef:
    return MemberRef(member_id=(await till.ledger.reads.member(member)).member_id)


async def test_who_parts_from_a_closed_account_is_open_and_has_what_comes_back(
    database: str,
) -> None:
    async with open_till(database) as till:
        await till.publish()
        s, t = await till.enrol("s"), await till.enrol("t")
        await till.post(till.document(s, "D1", 1, 100_00))
        await till.post(till.document(t, "D2", 1, 30_00))
        source = await merge(till, s, t)
        burned = await till.post(till.burn(t, 110))
        await till.write(closing(till, t))
        await unmerge(till, source)
        assert (await till.ledger.reads.member(s)).membership == MEMBERSHIP_STATE_OPEN
        assert (await till.ledger.reads.member(t)).membership == MEMBERSHIP_STATE_CLOSED
        assert (await points(till, s), await points(till, t)) == ((0, 0, 0), (0, 0, 0))
        # Ten of those that were spent were the closed account's: they come back expired.
        back = await till.post(till.reverse(burned.entry_id))
        assert moved(back) == [("burn_reversed", 110), ("points_expired", 10)]
        assert (await points(till, s), await points(till, t)) == ((100, 0, 0), (0, 0, 0))
        await till.post(till.burn(s, 40))
        with pytest.raises(AccountClosed):
            await till.post(till.burn(t, 1))
        assert not (await verified(till)).divergences


async def test_what_comes_home_to_who_has_closed_since_expires_there(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        s, t = await till.enrol("s"), await till.enrol("t")
        await till.post(till.document(s, "D1", 1, 100_00))
        source = await merge(till, s, t)
        burned = await till.post(till.burn(t, 100))
        await unmerge(till, source)
        await till.write(closing(till, s))
        await till.post(till.reverse(burned.entry_id))
        assert (await points(till, s), await points(till, t)) == ((0, 0, 0), (0, 0, 0))
        assert not (await verified(till)).divergences


@pytest.mark.parametrize("balance", BALANCES)
async def test_who_was_erased_with_all_that_is_part_of_it_stays_one(
    database: str, balance: ErasedBalance.ValueType
) -> None:
    async with open_till(database) as till:
        await till.publish()
        s, t, u = [await till.enrol(name) for name in ("s", "t", "u")]
        await till.post(till.document(s, "D1", 1, 100_00))
        first, second = await merge(till, s, t), await merge(till, t, u)
        erased = await by_id(till, u)
        certificate = await erase(till, t, balance)
        assert (certificate.member_id, len(certificate.identities)) == (erased.member_id, 3)
        for source in (first, second):
            with pytest.raises(AccountErased) as refusal:
                await told(till, unmerging(till, MemberRef(member_id=source)))
            assert refusal.value.member_id == erased.member_id
        with pytest.raises(AccountErased):
            await told(till, unmerging(till, erased))
        with pytest.raises(UnknownMember):
            await till.ledger.reads.member(s)
        assert not (await verified(till)).divergences
        # Whoever asks for one of them is told of the one certificate.
        for named in (first, second, erased.member_id):
            told_later = await till.ledger.erasures.erasure(named)
            assert told_later.complete
            assert told_later.certificate.digest == certificate.digest
            assert told_later.certificate.member_id == erased.member_id


@pytest.mark.parametrize("table", ["identity", "member_profile"])
async def test_an_erasure_is_complete_when_nothing_is_left_of_any_part(
    database: str, table: str
) -> None:
    async with open_till(database) as till:
        await till.publish()
        s, t, u = [await till.enrol(name) for name in ("s", "t", "u")]
        parts = [await merge(till, s, t), await merge(till, t, u)]
        erased = await by_id(till, u)
        await erase(till, u)
        owner = await connect(database, role=None)
        try:
            for part in parts:
                assert (await till.ledger.erasures.erasure(erased.member_id)).complete
                await owner.execute(LEFT[table], part)
                assert not (await till.ledger.erasures.erasure(erased.member_id)).complete
                await owner.execute(f"DELETE FROM {table}")
        finally:
            await owner.close()


async def test_who_parted_before_is_not_erased_with_the_other(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        s, t = await till.enrol("s"), await till.enrol("t")
        await till.post(till.document(s, "D1", 1, 100_00))
        source = await merge(till, s, t)
        await unmerge(till, source)
        await erase(till, t)
        with pytest.raises(NotMerged):
            await told(till, unmerging(till, s))
        await till.post(till.burn(s, 100))
        assert not (await verified(till)).divergences


async def test_nobody_is_closed_or_erased_while_another_account_comes(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        s, t = await till.enrol("s"), await till.enrol("t")
        await till.post(till.document(s, "D1", 1, 100_00))
        source = (await told(till, merging(till, s, t))).member_id
        for member in (s, t):
            for request in (closing(till, member), erasing(till, member)):
                with pytest.raises(Merging):
                    await till.write(request)
        await finish(till, source)
        assert len((await erase(till, t)).identities) == 2
        assert not (await verified(till)).divergences


async def test_a_document_that_went_home_with_its_owner_may_come_back_alone(database: str) -> None:
    async with open_till(database) as till:
        await till.publish(CLAIMS)
        s, t = await till.enrol("s"), await till.enrol("t")
        source = await merge(till, s, t)
        await till.post(till.document(s, "D1", 1, 60_00))
        await unmerge(till, source)
        await till.post(move(till, t, "D1"))
        assert (await points(till, s), await points(till, t)) == ((0, 0, 0), (60, 0, 0))
        await till.post(till.document(t, "D1", 2, 20_00))
        await till.post(move(till, s, "D1"))
        await till.post(till.document(s, "D1", 3, 50_00))
        assert (await points(till, s), await points(till, t)) == ((50, 0, 0), (0, 0, 0))
        await merge(till, s, t)
        await till.post(till.document(t, "D1", 4, 40_00))
        assert await points(till, t) == (40, 0, 0)
        assert await found(till) == {}

"""Two members become one, and two again, on a real database: who is meant, and what is whose."""

import pytest

from ledger.core.refusals import (
    AlreadyMerged,
    DocumentConflict,
    MergeIntoItself,
    Merging,
    NotMerged,
    RequestConflict,
    UnmergeFirst,
)
from loyalty.v1.ledger_service_pb2 import OUTCOME_REPLAYED
from loyalty.v1.member_service_pb2 import LinkIdentityRequest, UnlinkIdentityRequest
from loyalty.v1.types_pb2 import Identity, MemberRef
from tests.store.merging import (
    ORIGIN,
    finish,
    merge,
    merging,
    points,
    step,
    told,
    unmerge,
    unmerging,
    verified,
)
from tests.store.till import moved, open_till


async def test_s27_on_the_store(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        s, t = await till.enrol("s"), await till.enrol("t")
        await till.post(till.document(s, "D1", 1, 100_00))
        await till.post(till.hold(s, "H", 40))
        await till.post(till.document(t, "D2", 1, 50_00))
        begun = await told(till, merging(till, s, t))
        source = begun.member_id
        with pytest.raises(Merging):
            await till.post(till.burn(s, 10))
        await finish(till, source)
        assert await points(till, t) == (110, 40, 0)
        assert await points(till, s) == (110, 40, 0)
        await till.post(till.capture("H", 40, final=True))
        assert await points(till, t) == (110, 0, 0)
        returned = await till.post(till.document(s, "D1", 2, 60_00))
        assert moved(returned) == [("points_clawed_back", 40)]
        assert await points(till, t) == (70, 0, 0)
        await till.post(till.burn(t, 30))
        assert await points(till, t) == (40, 0, 0)
        await unmerge(till, source)
        # D1 was earned first, and nothing expires: the burn took what was left of it.
        assert await points(till, s) == (0, 0, 0)
        assert await points(till, t) == (40, 0, 0)
        await till.post(till.document(s, "D1", 3))
        assert await points(till, s) == (0, 0, 60)
        assert await points(till, t) == (40, 0, 0)
        assert not (await verified(till)).divergences


async def test_old_requests_and_versions_replay_for_ever(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        s, t = await till.enrol("s"), await till.enrol("t")
        sale, burn = till.document(s, "D1", 1, 100_00), till.burn(s, 30)
        sold, burned = await till.post(sale), await till.post(burn)
        source = await merge(till, s, t)
        second = till.document(s, "D1", 2, 80_00)
        corrected = await till.post(second)

        async def replays() -> None:
            for request, first in ((sale, sold), (burn, burned), (second, corrected)):
                again = await till.post(request)
                assert (again.outcome, again.entry_id) == (OUTCOME_REPLAYED, first.entry_id)
            # The same versions under other request ids.
            for version, net, first in ((1, 100_00, sold), (2, 80_00, corrected)):
                again = await till.post(till.document(s, "D1", version, net))
                assert (again.outcome, again.entry_id) == (OUTCOME_REPLAYED, first.entry_id)

        await replays()
        by_target = await till.post(till.document(t, "D1", 2, 80_00))
        assert by_target.entry_id == corrected.entry_id
        await unmerge(till, source)
        await replays()
        with pytest.raises(DocumentConflict):
            await till.post(till.document(t, "D1", 1, 100_00))
        burn.points.amount = 31
        with pytest.raises(RequestConflict):
            await till.post(burn)
        assert not (await verified(till)).divergences


async def test_what_names_the_source_lands_at_the_target(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        s, t = await till.enrol("s"), await till.enrol("t")
        source = await merge(till, s, t)
        target = (await till.ledger.reads.member(t)).member_id
        for named in (s, MemberRef(member_id=source)):
            posted = await till.post(till.document(named, f"D-{named.WhichOneof('ref')}", 1, 5_00))
            assert posted.member_id == target
        burned = await till.post(till.burn(s, 4))
        assert burned.member_id == target
        assert await points(till, t) == (6, 0, 0)
        await unmerge(till, source)
        # Both documents named the source, so they are its own, and the burn took of them.
        assert await points(till, s) == (6, 0, 0)
        assert await points(till, t) == (0, 0, 0)
        assert not (await verified(till)).divergences


async def test_a_burn_is_given_back_to_whom_it_was_taken_from(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        s, t = await till.enrol("s"), await till.enrol("t")
        await till.post(till.document(s, "D1", 1, 20_00))
        before = await till.post(till.burn(s, 5))
        await till.post(till.document(t, "D2", 1, 50_00))
        source = await merge(till, s, t)
        await till.post(till.reverse(before.entry_id, 2))
        assert await points(till, t) == (67, 0, 0)
        both = await till.post(till.burn(t, 30))
        await unmerge(till, source)
        assert (await points(till, s), await points(till, t)) == ((0, 0, 0), (37, 0, 0))
        answer = await till.post(till.reverse(both.entry_id))
        assert [balance.available for balance in answer.balances] == [50]
        assert (await points(till, s), await points(till, t)) == ((17, 0, 0), (50, 0, 0))
        await till.post(till.reverse(before.entry_id))
        assert await points(till, s) == (20, 0, 0)
        assert not (await verified(till)).divergences


async def test_merges_in_a_chain_and_those_that_are_refused(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        a, b, c = [await till.enrol(name) for name in "abc"]
        for name, member in (("A", a), ("B", b), ("C", c)):
            await till.post(till.document(member, name, 1, 10_00))
        one = await merge(till, a, b)
        with pytest.raises(MergeIntoItself):
            await till.write(merging(till, b, a))
        with pytest.raises(AlreadyMerged):
            await till.write(merging(till, a, c))
        two = await merge(till, b, c)
        assert await points(till, a) == (30, 0, 0)
        await till.post(till.document(a, "A", 2, 11_00))
        with pytest.raises(UnmergeFirst):
            await till.write(unmerging(till, MemberRef(member_id=one)))
        await unmerge(till, two)
        await unmerge(till, one)
        assert [await points(till, each) for each in (a, b, c)] == [
            (11, 0, 0),
            (10, 0, 0),
            (10, 0, 0),
        ]
        with pytest.raises(NotMerged):
            await till.write(unmerging(till, a))
        assert not (await verified(till)).divergences


async def test_a_step_that_was_taken_changes_nothing(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        s, t = await till.enrol("s"), await till.enrol("t")
        await till.post(till.document(s, "D1", 1, 20_00))
        source = (await told(till, merging(till, s, t))).member_id
        assert (await told(till, step(till, source, 7))).merge_step == 0
        await finish(till, source)
        heads = await till.ledger.reading.heads()
        assert (await told(till, step(till, source, 1))).merge_step == 0
        assert await till.ledger.reading.heads() == heads


async def test_what_is_checked_only_merges_nothing(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        s, t = await till.enrol("s"), await till.enrol("t")
        request = merging(till, s, t)
        request.validate_only = True
        await till.write(request)
        await till.post(till.document(s, "D1", 1, 20_00))
        assert await points(till, t) == (0, 0, 0)


async def test_identities_of_the_source_are_the_targets_while_they_are_one(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        s, t = await till.enrol("s"), await till.enrol("t")
        source = await merge(till, s, t)
        extra = Identity(scheme="card", value="x")
        await till.write(
            LinkIdentityRequest(request_id=till.rid(), origin=ORIGIN, member=s, identity=extra)
        )
        gone = UnlinkIdentityRequest(
            request_id=till.rid(), origin=ORIGIN, member=t, identity=s.identity
        )
        await till.write(gone)
        await unmerge(till, source)
        assert (await till.ledger.reads.member(MemberRef(identity=extra))).member_id != source
        assert not (await verified(till)).divergences


async def test_an_empty_account_merges_too(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        s, t = await till.enrol("s"), await till.enrol("t")
        source = await merge(till, s, t)
        await unmerge(till, source)
        again = await merge(till, s, t)
        assert again == source
        assert not (await verified(till)).divergences

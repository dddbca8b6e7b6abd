"""The worked scenarios through the whole write side, on a real database, with their numbers."""

import pytest

from ledger.core.refusals import HoldResolved, InsufficientPoints, MoreThanHeld
from loyalty.v1.types_pb2 import MemberRef
from tests.store.till import POLICY, Till, at, moved, open_till

TIMED = POLICY + "holds:\n  - {timeout_hours: 72}\n"


async def earned(till: Till, member: MemberRef, document_id: str, points: int) -> None:
    await till.post(till.document(member, document_id, 1, points * 100))


async def test_s09_the_part_paid_with_points_earns_nothing(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        member = await till.enrol("1")
        await earned(till, member, "D0", 5000)
        burn = await till.post(till.burn(member, 3000))
        assert await till.available(member) == 2000
        v1 = till.document(member, "D1", 1, 6000, 4000)
        v1.document.lines[1].paid_with_points_minor_units = 3000
        assert moved(await till.post(v1)) == [("points_earned", 70)]
        await till.post(till.document(member, "D1", 2, 6000))
        assert await till.available(member) == 2060
        await till.post(till.reverse(burn.entry_id))
        assert await till.available(member) == 5060
        v3 = await till.post(till.document(member, "D1", 3, 4550))
        assert moved(v3) == [("points_clawed_back", 15)]
        assert await till.available(member) == 5045


async def test_s14_captures_until_final_and_a_second_resolution(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        member = await till.enrol("1")
        await earned(till, member, "D1", 60)
        await earned(till, member, "D2", 60)
        await till.post(till.hold(member, "H", 100))
        assert moved(await till.post(till.capture("H", 90))) == [("hold_captured", 90)]
        with pytest.raises(MoreThanHeld) as more:
            await till.post(till.capture("H", 20))
        assert more.value.fields["left"] == 10
        final = await till.post(till.capture("H", 5, final=True))
        assert moved(final) == [("hold_captured", 5), ("hold_released", 5)]
        with pytest.raises(HoldResolved) as resolved:
            await till.post(till.release("H"))
        assert resolved.value.fields["first_outcome"] == "CAPTURED"
        assert await till.available(member) == 25


async def test_s13_a_hold_that_timed_out_cannot_be_captured(database: str) -> None:
    async with open_till(database, now="2025-03-30T10:00") as till:
        await till.publish(TIMED)
        member = await till.enrol("1")
        await earned(till, member, "D1", 200)
        await till.post(till.hold(member, "H", 150))
        till.clock.set(at("2025-04-01T12:00"))
        await till.post(till.capture("H", 60))
        till.clock.set(at("2025-04-02T11:00"))
        with pytest.raises(HoldResolved) as resolved:
            await till.post(till.capture("H", 10, final=True))
        assert resolved.value.fields["first_outcome"] == "TIMED_OUT"
        # The refusal recorded nothing of its own, but what time had decided was recorded.
        entries = await till.ledger.account(member)
        assert entries[0].holds == ()
        assert await till.available(member) == 140


async def test_s16_partial_reversal_and_reversal_of_a_reversal(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        member = await till.enrol("1")
        await earned(till, member, "D1", 100)
        burn = await till.post(till.burn(member, 80))
        first = await till.post(till.reverse(burn.entry_id, 30))
        assert await till.available(member) == 50
        await till.post(till.reverse(first.entry_id))
        assert await till.available(member) == 20
        await till.post(till.reverse(burn.entry_id, 80))
        assert await till.available(member) == 100


async def test_s16c_a_reversal_is_not_taken_back_without_the_points(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        member = await till.enrol("1")
        await earned(till, member, "D1", 100)
        burn = await till.post(till.burn(member, 80))
        first = await till.post(till.reverse(burn.entry_id, 30))
        await till.post(till.burn(member, 50))
        with pytest.raises(InsufficientPoints):
            await till.post(till.reverse(first.entry_id))


async def test_arrears_of_a_cancelled_document_are_repaid_by_the_next(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        member = await till.enrol("1")
        await earned(till, member, "D1", 100)
        await till.post(till.burn(member, 100))
        await till.post(till.document(member, "D1", 2))
        await till.post(till.document(member, "D2", 1, 7000, unit="b"))
        account, _ = await till.ledger.account(member)
        assert (account.balance("p").available, account.balance("p").arrears) == (0, 30)
        await till.post(till.document(member, "D3", 1, 5000, unit="b"))
        account, _ = await till.ledger.account(member)
        assert (account.balance("p").available, account.balance("p").arrears) == (20, 0)

"""Documents without a member that become one's: by the code of the receipt, or by their unit."""

import asyncio

import pytest

from ledger.core.refusals import (
    AlreadyClaimed,
    AlreadyTheirs,
    ClaimTooLate,
    DocumentConflict,
    DocumentOfAnotherMember,
    Refusal,
    RequestConflict,
    TooManyGuesses,
    UnknownDocument,
    WrongReceiptCode,
)
from ledger.receipt_codes import WRONG_MOST
from loyalty.v1.ledger_service_pb2 import OUTCOME_REPLAYED, OUTCOME_VALIDATED
from loyalty.v1.types_pb2 import DOCUMENT_STATUS_CANCELLED, DOCUMENT_STATUS_PENDING
from server.database import connect
from tests.store.stories import CLAIMS, TIERED, claim, gild, move, verified, with_code
from tests.store.till import POLICY, at, moved, open_till


async def test_s11_a_claim_and_what_follows(database: str) -> None:
    async with open_till(database) as till:
        await till.publish(CLAIMS)
        first, second = await till.enrol("1"), await till.enrol("2")
        await gild(till, first)
        for document, net in (("D1", 60_00), ("D2", 25_00)):
            sale = till.document(None, document, 1, net)
            assert moved(await till.post(with_code(sale, "7KQ2-99"))) == []
        till.clock.set(at("2025-03-11T12:00"))
        posting = await till.post(claim(till, first, "D1", "7KQ2-99"))
        assert moved(posting) == [("points_earned", 120)]
        till.clock.set(at("2025-03-12T12:00"))
        with pytest.raises(AlreadyClaimed) as refused:
            await till.post(claim(till, second, "D1", "7KQ2-99"))
        assert refused.value.fields == {
            "document": "a/till/D1",
            "entry_id": posting.entry_id,
            "claimed_time": "2025-03-11T12:00:00+00:00",
        }
        till.clock.set(at("2025-03-16T12:00"))
        with pytest.raises(ClaimTooLate) as late:
            await till.post(claim(till, first, "D2", "7KQ2-99"))
        assert late.value.fields["limit"] == "2025-03-16T00:00:00+00:00"
        till.clock.set(at("2025-03-17T12:00"))
        v2 = await till.post(till.document(None, "D1", 2, 45_00))
        assert moved(v2) == [("points_clawed_back", 30)]
        account, _ = await till.ledger.reads.account(first)
        [lot] = account.lots
        assert (lot.available, lot.expires_at) == (90, at("2025-04-01T00:00"))
        assert lot.earned_at == at("2025-03-01T12:00")
        assert await verified(till) == {}


async def test_a_code_is_found_however_it_is_typed(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        member = await till.enrol("1")
        await till.post(with_code(till.document(None, "D1", 1, 60_00), "7kq2 99"))
        assert moved(await till.post(claim(till, member, "D1", "\uff17KQ2-99"))) == [
            ("points_earned", 60)
        ]


async def test_a_claim_is_answered_once_and_replayed(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        first, second = await till.enrol("1"), await till.enrol("2")
        await till.post(with_code(till.document(None, "D1", 1, 60_00), "77"))
        request = claim(till, first, "D1", "77", rid="claim")
        request.validate_only = True
        assert (await till.post(request)).outcome == OUTCOME_VALIDATED
        request.validate_only = False
        posted = await till.post(request)
        again = await till.post(request)
        assert (again.outcome, again.entry_id) == (OUTCOME_REPLAYED, posted.entry_id)
        with pytest.raises(RequestConflict):
            await till.post(claim(till, second, "D1", "77", rid="claim"))
        with pytest.raises(RequestConflict) as other:
            await till.post(claim(till, first, "D1", "78", rid="claim"))
        assert "receipt_code" in str(other.value.fields["field"])
        with pytest.raises(AlreadyClaimed):
            await till.post(claim(till, first, "D1", "77"))
        assert await till.available(first) == 60


async def test_wrong_codes_are_refused_and_then_not_looked_at(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        member = await till.enrol("1")
        await till.post(with_code(till.document(None, "D1", 1, 60_00), "right"))
        await till.post(till.document(None, "D2", 1, 60_00))
        with pytest.raises(UnknownDocument):
            await till.post(claim(till, member, "D9", "right"))
        with pytest.raises(WrongReceiptCode):
            await till.post(claim(till, member, "D2", "right"))
        guesses = [claim(till, member, "D1", f"guess {n}") for n in range(WRONG_MOST + 3)]
        answers = await till.ledger.write_batch(guesses, client="till")
        reasons = [each.reason for each in answers if isinstance(each, Refusal)]
        assert reasons == ["WRONG_RECEIPT_CODE"] * WRONG_MOST + ["TOO_MANY_GUESSES"] * 3
        with pytest.raises(TooManyGuesses):
            await till.post(claim(till, member, "D1", "right"))
        # Another document's codes may be tried, and after an hour these too.
        with pytest.raises(WrongReceiptCode):
            await till.post(claim(till, member, "D2", "other"))
        till.clock.set(at("2025-03-01T13:00"))
        await till.post(claim(till, member, "D1", "right"))
        assert await till.available(member) == 60


async def test_the_code_stands_nowhere(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        member = await till.enrol("1")
        await till.post(with_code(till.document(None, "D1", 1, 60_00), "SECRET77"))
        await till.post(claim(till, member, "D1", "SECRET77"))
        owner = await connect(database, role=None)
        try:
            for column in ("event.payload", "request.command", "request.answer"):
                table, name = column.split(".")
                rows = await owner.fetch(f"SELECT {name} FROM {table}")
                assert not [row for row in rows if row[0] and b"SECRET77" in row[0]]
        finally:
            await owner.close()


async def test_another_code_of_the_same_version_is_a_conflict(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        await till.post(with_code(till.document(None, "D1", 1, 60_00), "one"))
        again = await till.post(with_code(till.document(None, "D1", 1, 60_00), "ONE"))
        assert again.outcome == OUTCOME_REPLAYED
        with pytest.raises(DocumentConflict) as refused:
            await till.post(with_code(till.document(None, "D1", 1, 60_00), "two"))
        assert refused.value.fields["field"] == "document.receipt_code"


async def test_a_later_version_without_a_code_keeps_that_of_the_one_before(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        member = await till.enrol("1")
        await till.post(with_code(till.document(None, "D1", 1, 60_00), "77"))
        await till.post(till.document(None, "D1", 2, 40_00))
        assert moved(await till.post(claim(till, member, "D1", "77"))) == [("points_earned", 40)]
        assert await verified(till) == {}


async def test_two_processes_claim_at_once_and_one_wins(database: str) -> None:
    async with open_till(database) as till, open_till(database) as other:
        other.client = "app"
        await till.publish()
        await other.ledger.policies.refresh(other.ledger.reading)
        members = [await till.enrol(str(number)) for number in range(8)]
        await till.post(with_code(till.document(None, "D1", 1, 60_00), "77"))
        claims = [
            (till, other)[number % 2].post(claim((till, other)[number % 2], member, "D1", "77"))
            for number, member in enumerate(members)
        ]
        results = await asyncio.gather(*claims, return_exceptions=True)
        won = [each for each in results if not isinstance(each, BaseException)]
        lost = [each for each in results if isinstance(each, AlreadyClaimed)]
        assert (len(won), len(lost)) == (1, 7)
        assert {each.fields["entry_id"] for each in lost} == {won[0].entry_id}
        assert not any("member" in each.fields for each in lost)
        assert sum([await till.available(member) for member in members]) == 60
        assert await verified(till) == {}


async def test_a_later_version_names_the_member(database: str) -> None:
    async with open_till(database) as till:
        await till.publish(CLAIMS)
        first, second = await till.enrol("1"), await till.enrol("2")
        await till.post(till.document(None, "D1", 1, 60_00))
        await till.post(till.document(None, "D2", 1, 60_00))
        till.clock.set(at("2025-03-11T12:00"))
        v2 = await till.post(till.document(first, "D1", 2, 50_00))
        assert moved(v2) == [("points_earned", 50)]
        with pytest.raises(DocumentOfAnotherMember):
            await till.post(till.document(second, "D1", 3, 50_00))
        till.clock.set(at("2025-03-20T12:00"))
        with pytest.raises(ClaimTooLate):
            await till.post(till.document(first, "D2", 2, 50_00))
        # Staff may credit it all the same.
        assert moved(await till.post(move(till, first, "D2"))) == [("points_earned", 60)]
        assert await verified(till) == {}


async def test_a_claim_pins_the_member_as_of_when_it_happened(database: str) -> None:
    async with open_till(database) as till:
        await till.publish(TIERED)
        member = await till.enrol("1")
        await till.post(with_code(till.document(None, "D1", 1, 60_00), "77"))
        till.clock.set(at("2025-03-05T12:00"))
        await gild(till, member, "2025-03-05T12:00")
        assert moved(await till.post(claim(till, member, "D1", "77"))) == [("points_earned", 60)]
        assert moved(await till.post(till.document(member, "D2", 1, 60_00))) == [
            ("points_earned", 120)
        ]
        assert await verified(till) == {}


async def test_a_claim_is_under_the_policy_of_the_sale(database: str) -> None:
    async with open_till(database, approval_required=False) as till:
        await till.publish()
        member = await till.enrol("1")
        await till.post(with_code(till.document(None, "D1", 1, 60_00), "77"))
        dearer = POLICY.replace("version: 1", "version: 2").replace("points: 1,", "points: 3,")
        await till.publish(dearer.replace("2020-01-01", "2025-03-05"))
        till.clock.set(at("2025-03-06T12:00"))
        assert moved(await till.post(claim(till, member, "D1", "77"))) == [("points_earned", 60)]
        assert moved(await till.post(till.document(member, "D2", 1, 60_00))) == [
            ("points_earned", 180)
        ]
        assert await verified(till) == {}


async def test_a_claimed_booking_waits_for_check_out(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        member = await till.enrol("1")
        booked = with_code(till.document(None, "R1", 1, 90_00), "77")
        booked.document.status = DOCUMENT_STATUS_PENDING
        await till.post(booked)
        till.clock.set(at("2025-06-01T12:00"))
        assert moved(await till.post(claim(till, member, "R1", "77"))) == [("points_pended", 90)]
        assert moved(await till.post(till.document(None, "R1", 2, 90_00))) == [
            ("points_released", 90)
        ]
        assert await verified(till) == {}


@pytest.mark.parametrize("moves_on", [False, True])
async def test_a_booking_that_was_claimed_lives_from_the_claim_once_it_is_final(
    database: str, moves_on: bool
) -> None:
    async with open_till(database) as till:
        since = "days: 5, since: released, claimed_since: claimed}"
        await till.publish(CLAIMS.replace("days: 30}", since))
        first, second = await till.enrol("1"), await till.enrol("2")
        booked = with_code(till.document(None, "R1", 1, 60_00), "77")
        booked.document.status = DOCUMENT_STATUS_PENDING
        await till.post(booked)
        till.clock.set(at("2025-03-11T12:00"))
        await till.post(claim(till, first, "R1", "77"))
        if moves_on:
            till.clock.set(at("2025-03-13T12:00"))
            await till.post(move(till, second, "R1"))
        # It happened before it was claimed, and is told as final afterwards.
        final = till.document(None, "R1", 2, 90_00, occurred="2025-03-02T12:00")
        assert "points_expired" not in dict(moved(await till.post(final)))
        account, _ = await till.ledger.reads.account(second if moves_on else first)
        assert sum(lot.available for lot in account.lots) == 90
        assert {lot.expires_at for lot in account.lots} == {at("2025-03-17T00:00")}
        assert await verified(till) == {}


async def test_what_is_claimed_after_its_time_is_born_and_expires(database: str) -> None:
    async with open_till(database) as till:
        await till.publish(CLAIMS.replace("days: 30", "days: 5"))
        member = await till.enrol("1")
        await till.post(with_code(till.document(None, "D1", 1, 60_00), "77"))
        till.clock.set(at("2025-03-11T12:00"))
        assert moved(await till.post(claim(till, member, "D1", "77"))) == [
            ("points_earned", 60),
            ("points_expired", 60),
        ]
        assert await verified(till) == {}


async def test_a_document_that_was_never_unclaimed_is_not_claimed(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        first, second = await till.enrol("1"), await till.enrol("2")
        await till.post(with_code(till.document(first, "D1", 1, 60_00), "77"))
        with pytest.raises(DocumentOfAnotherMember):
            await till.post(claim(till, second, "D1", "77"))
        with pytest.raises(AlreadyTheirs):
            await till.post(claim(till, first, "D1", "77"))


async def test_a_cancelled_document_is_claimed_for_what_may_come(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        member = await till.enrol("1")
        await till.post(with_code(till.document(None, "D1", 1, 60_00), "77"))
        cancelled = till.document(None, "D1", 2)
        assert cancelled.document.status == DOCUMENT_STATUS_CANCELLED
        await till.post(cancelled)
        assert moved(await till.post(claim(till, member, "D1", "77"))) == []
        assert moved(await till.post(till.document(None, "D1", 3, 60_00))) == [
            ("points_earned", 60)
        ]
        assert await verified(till) == {}

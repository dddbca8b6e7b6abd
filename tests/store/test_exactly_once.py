"""A write counts once, for ever, by its request id and by its business key."""

import asyncio

import pytest

from ledger.core.refusals import (
    DocumentOfAnotherMember,
    HoldExists,
    InsufficientPoints,
    RequestConflict,
)
from loyalty.v1.ledger_service_pb2 import (
    OUTCOME_POSTED,
    OUTCOME_REPLAYED,
    OUTCOME_SUPERSEDED,
    OUTCOME_VALIDATED,
    EarnPointsRequest,
    Posting,
)
from loyalty.v1.types_pb2 import Money, Origin
from tests.store.till import Till, moved, open_till


async def test_a_request_is_answered_again_and_a_changed_one_names_the_field(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        member = await till.enrol("1")
        await till.post(till.document(member, "D1", 1, 10000))
        burned = await till.post(till.burn(member, 30, rid="r"))
        again = await till.post(till.burn(member, 30, rid="r"))
        assert (again.outcome, again.entry_id) == (OUTCOME_REPLAYED, burned.entry_id)
        with pytest.raises(RequestConflict) as refused:
            await till.post(till.burn(member, 31, rid="r"))
        assert refused.value.fields["field"] == "points.amount"
        with pytest.raises(RequestConflict) as other:
            await till.post(till.document(member, "D2", 1, 100, rid="r"))
        assert other.value.fields["first"] == "BurnPoints"
        assert await till.available(member) == 70


async def test_request_ids_belong_to_the_client_that_chose_them(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        member = await till.enrol("1")
        await till.post(till.document(member, "D1", 1, 10000))
        await till.post(till.burn(member, 30, rid="r"))
        other = Till(till.ledger, till.clock, client="other")
        assert (await other.post(other.burn(member, 30, rid="r"))).outcome == OUTCOME_POSTED


async def test_a_refusal_is_not_remembered(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        member = await till.enrol("1")
        with pytest.raises(InsufficientPoints):
            await till.post(till.burn(member, 30, rid="r"))
        await till.post(till.document(member, "D1", 1, 10000))
        assert (await till.post(till.burn(member, 30, rid="r"))).outcome == OUTCOME_POSTED


async def test_duplicates_in_one_batch_are_one(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        member = await till.enrol("1")
        same = till.document(member, "D1", 1, 10000)
        answers = await asyncio.gather(*(till.write(same) for _ in range(20)))
        assert sum(not answer.replayed for answer in answers) == 1
        assert await till.available(member) == 100


async def test_a_hold_id_is_used_once(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        member = await till.enrol("1")
        await till.post(till.document(member, "D1", 1, 10000))
        await till.post(till.hold(member, "H", 10))
        with pytest.raises(HoldExists):
            await till.post(till.hold(member, "H", 10))


async def test_a_document_stays_with_its_member(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        one, two = await till.enrol("1"), await till.enrol("2")
        await till.post(till.document(one, "D1", 1, 10000))
        with pytest.raises(DocumentOfAnotherMember):
            await till.post(till.document(two, "D1", 2, 10000))
        # A cancellation that no longer knows the member is still the member's.
        await till.post(till.document(None, "D1", 3))
        assert await till.available(one) == 0


async def test_validate_only_says_everything_and_records_nothing(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        member = await till.enrol("1")
        request = till.document(member, "D1", 1, 10000)
        request.validate_only = True
        answer = await till.post(request)
        assert (answer.outcome, moved(answer)) == (OUTCOME_VALIDATED, [("points_earned", 100)])
        assert await till.available(member) == 0
        request.validate_only = False
        assert (await till.post(request)).outcome == OUTCOME_POSTED


async def test_an_earn_is_a_document_of_its_request(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        member = await till.enrol("1")
        earn = EarnPointsRequest(
            request_id="e",
            origin=Origin(business_unit="a"),
            member=member,
            amount=Money(currency_code="EUR", minor_units=1234),
            category="food",
        )
        assert moved(await till.post(earn)) == [("points_earned", 12)]
        assert (await till.post(earn)).outcome == OUTCOME_REPLAYED
        assert await till.available(member) == 12


async def test_what_was_answered_survives_a_restart(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        member = await till.enrol("1")
        request = till.document(member, "D1", 1, 10000)
        first = await till.post(request)
    async with open_till(database) as after:
        again = await after.post(request)
        assert (again.outcome, again.entry_id) == (OUTCOME_REPLAYED, first.entry_id)
        assert again.position == first.position
        assert await after.available(member) == 100


async def test_two_processes_never_give_one_document_to_two_members(database: str) -> None:
    async with open_till(database) as one, open_till(database) as two:
        two.client = "other"
        await one.publish()
        await two.ledger.policies.refresh(two.ledger.reading)
        # Their accounts stand in different lanes, so neither process waits for the other.
        cards = [await one.enrol(f"card-{number}") for number in range(8)]
        for number in range(20):
            mine, yours = cards[number % 4], cards[4 + number % 4]
            document_id = f"D-{number}"
            results = await asyncio.gather(
                one.post(one.document(mine, document_id, 1 + number % 2, 10_00)),
                two.post(two.document(yours, document_id, 2 + number % 2, 10_00)),
                return_exceptions=True,
            )
            # The older version loses as superseded, the newer one for naming another member.
            lost = [
                result
                for result in results
                if isinstance(result, BaseException) or result.outcome == OUTCOME_SUPERSEDED
            ]
            assert len(lost) == 1
            assert isinstance(lost[0], Posting | DocumentOfAnotherMember)
        assert sum([await one.available(card) for card in cards]) == 20 * 10


async def test_a_first_version_after_a_later_one_is_superseded(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        card = await till.enrol("card")
        await till.post(till.document(card, "D-1", 3, 10_00))
        late = till.document(card, "D-1", 1, 50_00)
        assert (await till.post(late)).outcome == OUTCOME_SUPERSEDED
    async with open_till(database) as after:
        assert (await after.post(late)).outcome == OUTCOME_SUPERSEDED
        assert await after.available(card) == 10

"""Documents that name an identity nobody has: credited to who gets it, by themselves."""

import pytest

from ledger.awaited import CREDITED_AT_ONCE
from ledger.core.refusals import DocumentConflict, UnknownMember
from ledger.writes import WriteRequest
from loyalty.v1.ledger_service_pb2 import OUTCOME_REPLAYED, PostDocumentRequest
from loyalty.v1.member_service_pb2 import EnrolMemberRequest, LinkIdentityRequest
from loyalty.v1.types_pb2 import DOCUMENT_STATUS_PENDING, Identity, MemberRef
from projections.due import DueAccounts
from server.database import connect
from server.passes import into
from server.sweeping import SWEEPER, Sweeper
from tests.store.stories import CLAIMS, TIERED, claim, move, verified, with_code
from tests.store.till import POLICY, Till, at, moved, open_till, origin_of


def card(value: str) -> MemberRef:
    """Whoever has a card, if anybody has."""
    return MemberRef(identity=Identity(scheme="card", value=value))


def for_whom(request: PostDocumentRequest) -> PostDocumentRequest:
    """The document may wait for its member."""
    request.unclaimed_if_unknown = True
    return request


async def waits(till: Till, document: str, version: int, *net: int, who: str = "7") -> None:
    """Post a document for a card that nobody has."""
    posting = await till.post(for_whom(till.document(card(who), document, version, *net)))
    assert (posting.member_id, moved(posting)) == ("", [])


async def rows(database: str) -> int:
    """Documents that wait."""
    owner = await connect(database, role=None)
    try:
        return int(await owner.fetchval("SELECT count(*) FROM awaited_identity"))
    finally:
        await owner.close()


async def test_whoever_enrols_with_the_card_has_its_documents(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        with pytest.raises(UnknownMember):
            await till.post(till.document(card("7"), "D1", 1, 60_00))
        await waits(till, "D1", 1, 60_00)
        await waits(till, "D2", 1, 40_00)
        await waits(till, "D2", 2, 30_00)
        await waits(till, "D3", 1, 10_00, who="8")
        assert await rows(database) == 3
        member = await till.enrol("7")
        assert await till.available(member) == 90
        assert await rows(database) == 1
        assert moved(await till.post(till.document(member, "D1", 2, 50_00))) == [
            ("points_clawed_back", 10)
        ]
        assert await verified(till) == {}


async def test_a_linked_card_brings_its_documents_too(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        await waits(till, "D1", 1, 60_00)
        member = await till.enrol("1")
        link = LinkIdentityRequest(
            request_id=till.rid(), origin=origin_of("a"), member=member, identity=card("7").identity
        )
        await till.write(link)
        assert await till.available(member) == 60
        assert await verified(till) == {}


async def test_in_one_batch_with_the_enrolment(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        enrolment = EnrolMemberRequest(
            request_id="e", origin=origin_of("a"), identities=[card("7").identity]
        )
        writes: list[WriteRequest] = [
            for_whom(till.document(card("7"), "D1", 1, 60_00)),
            enrolment,
            for_whom(till.document(card("7"), "D2", 1, 40_00)),
        ]
        answers = await till.ledger.write_batch(writes, client="till", atomic=True)
        assert len(answers) == 3
        assert await till.available(card("7")) == 100
        assert await rows(database) == 0


async def test_what_is_too_old_stays_nobodys(database: str) -> None:
    async with open_till(database) as till:
        await till.publish(CLAIMS)
        await waits(till, "D1", 1, 60_00)
        till.clock.set(at("2025-03-20T12:00"))
        member = await till.enrol("7")
        assert await till.available(member) == 0
        assert await rows(database) == 0
        again = await till.post(for_whom(till.document(card("7"), "D1", 1, 60_00)))
        assert again.outcome == OUTCOME_REPLAYED
        with pytest.raises(DocumentConflict):
            await till.post(till.document(card("7"), "D1", 1, 60_00))
        assert moved(await till.post(move(till, member, "D1"))) == [("points_earned", 60)]


async def test_a_booking_waits_and_is_checked_out_by_its_guest(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        booked = for_whom(till.document(card("7"), "R1", 1, 90_00))
        booked.document.status = DOCUMENT_STATUS_PENDING
        await till.post(booked)
        till.clock.set(at("2025-06-01T12:00"))
        member = await till.enrol("7")
        account, _ = await till.ledger.reads.account(member)
        assert account.balance("p").pending == 90
        out = await till.post(for_whom(till.document(card("7"), "R1", 2, 80_00)))
        assert moved(out) == [("pending_clawed_back", 10), ("points_released", 80)]
        assert await verified(till) == {}


async def test_another_card_takes_the_place_of_the_first(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        await waits(till, "D1", 1, 60_00)
        await waits(till, "D1", 2, 60_00, who="8")
        first, second = await till.enrol("7"), await till.enrol("8")
        assert await till.available(first) == 0
        assert await till.available(second) == 60


async def test_a_version_without_a_member_waits_on(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        await waits(till, "D1", 1, 60_00)
        await till.post(till.document(None, "D1", 2, 50_00))
        assert await till.available(await till.enrol("7")) == 50


async def test_who_shows_the_receipt_first_has_it(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        sale = for_whom(till.document(card("7"), "D1", 1, 60_00))
        await till.post(with_code(sale, "77"))
        first = await till.enrol("1")
        await till.post(claim(till, first, "D1", "77"))
        assert await rows(database) == 0
        second = await till.enrol("7")
        assert (await till.available(first), await till.available(second)) == (60, 0)


async def test_an_unknown_card_takes_nobodys_document(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        member = await till.enrol("1")
        await till.post(till.document(member, "D1", 1, 60_00))
        with pytest.raises(UnknownMember):
            await till.post(for_whom(till.document(card("7"), "D1", 2, 60_00)))


async def test_the_sweeper_credits_what_the_enrolment_did_not_see(database: str) -> None:
    """Two processes: one posts for a card while the other enrols it. Here it is staged."""
    async with open_till(database) as till:
        await till.publish()
        for number in range(CREDITED_AT_ONCE + 5):
            await waits(till, f"D{number}", 1, 1_00)
        member = await till.enrol("7")
        assert await till.available(member) == CREDITED_AT_ONCE
        sweeper = Sweeper(DueAccounts(till.ledger.reading.pool), into(till.ledger, client=SWEEPER))
        swept = await sweeper.sweep(till.clock.now())
        assert swept.moved == {("points_earned", "p"): 5}
        assert await till.available(member) == CREDITED_AT_ONCE + 5
        assert (await sweeper.sweep(till.clock.now() + 1)).asked == 0
        assert await verified(till) == {}


async def test_the_sweeper_forgets_whom_nobody_can_be_any_more(database: str) -> None:
    async with open_till(database) as till:
        await till.publish(CLAIMS)
        await waits(till, "D1", 1, 60_00)
        sweeper = Sweeper(DueAccounts(till.ledger.reading.pool), into(till.ledger, client=SWEEPER))
        await sweeper.sweep(at("2025-03-15T23:59"))
        assert await rows(database) == 1
        await sweeper.sweep(at("2025-03-16T00:01"))
        assert await rows(database) == 0


async def test_no_fact_or_command_tells_which_card(database: str) -> None:
    async with open_till(database) as till:
        await till.publish(TIERED)
        await waits(till, "D1", 1, 60_00, who="card-77")
        owner = await connect(database, role=None)
        try:
            awaited = await owner.fetchval("SELECT keyed_hash FROM awaited_identity")
            for query in ("SELECT payload FROM event", "SELECT command FROM request"):
                for row in await owner.fetch(query):
                    assert row[0] is None or awaited not in row[0]
                    assert row[0] is None or b"card-77" not in row[0]
        finally:
            await owner.close()


async def test_two_processes_enrol_and_post_at_once(database: str) -> None:
    async with open_till(database) as till, open_till(database) as other:
        other.client = "app"
        await till.publish(POLICY)
        await other.ledger.policies.refresh(other.ledger.reading)
        for number in range(10):
            who = f"card {number}"
            await waits(till, f"D{number}", 1, 1_00, who=who)
            await other.enrol(who)
            late = for_whom(till.document(card(who), f"E{number}", 1, 1_00))
            assert moved(await till.post(late)) == [("points_earned", 1)]
        assert await rows(database) == 0
        assert await verified(till) == {}

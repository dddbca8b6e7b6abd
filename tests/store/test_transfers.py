"""Transfers on a real database: the scenarios, a crash at every point, two processes at once."""

import asyncio

import pytest

from ledger.core.refusals import (
    AccountSuspended,
    AccountTooYoung,
    InsufficientPoints,
    LimitReached,
    Malformed,
    NoRelation,
    RequestConflict,
    TransferResolved,
    TransferWaits,
    UnknownMember,
    UnknownTransfer,
)
from loyalty.v1.events_pb2 import (
    RETURN_CAUSE_CANCELLED,
    RETURN_CAUSE_DECLINED,
    RETURN_CAUSE_REFUSED,
    RETURN_CAUSE_TIMED_OUT,
)
from loyalty.v1.ledger_service_pb2 import (
    OUTCOME_REPLAYED,
    OUTCOME_VALIDATED,
    TRANSFER_STATE_AWAITING_ACCEPTANCE,
    TRANSFER_STATE_COMPLETED,
    TRANSFER_STATE_IN_TRANSIT,
    TRANSFER_STATE_RECEIVED,
    TRANSFER_STATE_RETURNED,
)
from loyalty.v1.member_service_pb2 import CloseMemberRequest, SuspendMemberRequest
from loyalty.v1.types_pb2 import MemberRef, Origin
from tests.store.moving import ACCEPTED, AT_ONCE, MOVING, Mover, divergences
from tests.store.till import Till, at, moved, open_till

JULY = at("2025-07-01T00:00")


async def lots(till: Till, member: MemberRef) -> list[tuple[str, int, int | None]]:
    """(issuer, available, expires) of the open lots, in draw order."""
    account, _ = await till.ledger.reads.account(member)
    return [(lot.issuer, lot.available, lot.expires_at) for lot in account.lots if lot.available]


async def test_s24_a_transfer_with_a_fee(database: str) -> None:
    async with open_till(database, now="2025-03-01T00:00") as till:
        mover = Mover(till)
        await till.publish(AT_ONCE)
        m1, m2 = await mover.s24()
        transfer = await mover.moves(m1, m2, 120)
        assert (transfer.state, transfer.fee) == (TRANSFER_STATE_COMPLETED, 12)
        assert transfer.HasField("sent_time")
        assert transfer.HasField("ended_time")
        assert await lots(till, m1) == [("b", 18, None)]
        assert await lots(till, m2) == [("a", 100, JULY), ("b", 60, JULY), ("b", 20, None)]
        till.clock.set(at("2025-03-02T00:00"))
        burn = await till.post(till.burn(m2, 70, unit="b"))
        assert [(draw.issuer, draw.points) for draw in burn.movements[0].draws] == [("a", 70)]
        assert await divergences(till) == {}


async def test_s25_a_compensated_transfer(database: str) -> None:
    async with open_till(database, now="2025-06-29T00:00") as till:
        mover = Mover(till)
        await till.publish(ACCEPTED)
        m1, m2 = await mover.s24()
        sent = await mover.sends(m1, m2, 120)
        assert moved(sent) == [("points_sent", 120), ("points_burned", 12)]
        assert await mover.state(sent.entry_id) == TRANSFER_STATE_AWAITING_ACCEPTANCE
        till.clock.set(at("2025-07-02T00:00"))
        assert await mover.balance(m1) == (18, 120)
        till.clock.set(at("2025-07-05T00:00"))
        declined = await mover.declines(m2, sent.entry_id)
        assert moved(declined) == []
        transfer = await till.ledger.reads.transfer(sent.entry_id)
        assert (transfer.state, transfer.cause) == (TRANSFER_STATE_RETURNED, RETURN_CAUSE_DECLINED)
        assert await mover.balance(m1) == (50, 0)
        assert await lots(till, m1) == [("b", 50, None)]
        assert await divergences(till) == {}


async def test_what_the_policy_asks_of_both_is_refused_at_once(database: str) -> None:
    rules = (
        "transfers: [{id: gift, currency: p, account_age_days: 30, min_points: 10,"
        " sender_limits: [{window: local_day, points: 50}],"
        " receiver_limits: [{window: local_day, points: 30}]}]\n"
    )
    async with open_till(database, now="2025-03-01T00:00") as till:
        mover = Mover(till)
        await till.publish(MOVING + rules)
        m1, m2 = await mover.s24()
        with pytest.raises(AccountTooYoung) as young:
            await mover.sends(m1, m2, 20)
        assert (young.value.whose, young.value.minimum) == ("sender", 30)
        till.clock.set(at("2025-04-15T00:00"))
        with pytest.raises(Malformed):
            await mover.sends(m1, m1, 20)
        with pytest.raises(UnknownMember):
            await mover.sends(m1, MemberRef(member_id="0" * 36), 20)
        assert (await mover.moves(m1, m2, 30)).state == TRANSFER_STATE_COMPLETED
        with pytest.raises(LimitReached) as limit:
            await mover.sends(m1, m2, 10)
        assert (limit.value.whose, limit.value.used) == ("receiver", 30)
        m3 = await till.enrol("3")
        till.clock.set(at("2025-05-20T00:00"))
        await mover.moves(m1, m3, 30)
        with pytest.raises(LimitReached) as limit:
            await mover.sends(m1, m2, 21)
        assert (limit.value.whose, limit.value.used) == ("sender", 30)
        suspend = SuspendMemberRequest(
            request_id=till.rid(),
            origin=Origin(business_unit="a", operator="anna"),
            member=m1,
            reason="test",
        )
        await till.write(suspend)
        with pytest.raises(AccountSuspended):
            await mover.sends(m1, m2, 21)


async def test_terms_for_a_household_ask_the_profiles(database: str) -> None:
    rules = "transfers: [{id: family, currency: p, relation: household}]\n"
    async with open_till(database) as till:
        mover = Mover(till)
        await till.publish(MOVING + rules)
        m1, m2 = await mover.s24()
        with pytest.raises(NoRelation):
            await mover.sends(m1, m2, 20)
        for member in (m1, m2):
            await till.household(member, "h-1")
        assert (await mover.moves(m1, m2, 20)).state == TRANSFER_STATE_COMPLETED


async def test_a_request_is_answered_again_whatever_became_of_the_transfer(database: str) -> None:
    async with open_till(database) as till:
        mover = Mover(till)
        await till.publish(AT_ONCE)
        m1, m2 = await mover.s24()
        request = mover.transfer(m1, m2, 50, rid="r")
        first = await till.post(request)
        await mover.brought_on(first.entry_id)
        again = await till.post(request)
        assert (again.outcome, again.entry_id) == (OUTCOME_REPLAYED, first.entry_id)
        with pytest.raises(RequestConflict) as conflict:
            await till.post(mover.transfer(m1, await till.enrol("3"), 50, rid="r"))
        assert "receiver" in str(conflict.value.fields["field"])
        tried = mover.transfer(m1, m2, 20)
        tried.validate_only = True
        assert (await till.post(tried)).outcome == OUTCOME_VALIDATED
        assert await mover.balance(m1) == (150 - 50 - 5, 0)


async def test_the_identity_of_the_receiver_is_not_kept(database: str) -> None:
    async with open_till(database) as till:
        mover = Mover(till)
        await till.publish(AT_ONCE)
        m1 = await till.enrol("1")
        m2 = await till.enrol("the-receivers-own-card")
        await mover.earns(m1, "D", 100, on="2025-01-01", tea=True)
        await mover.moves(m1, m2, 50)
        rows = await till.ledger.reading.pool.fetch(
            "SELECT command FROM request WHERE command IS NOT NULL"
        )
        payloads = await till.ledger.reading.pool.fetch("SELECT payload FROM event")
        assert rows
        assert not any(b"the-receivers-own-card" in row[0] for row in [*rows, *payloads])


# --- accepting, declining, cancelling, letting time pass ----------------------------------------


async def test_an_accepted_transfer_completes(database: str) -> None:
    async with open_till(database) as till:
        mover = Mover(till)
        await till.publish(ACCEPTED)
        m1, m2 = await mover.s24()
        sent = await mover.sends(m1, m2, 120)
        transfer = await mover.brought_on(sent.entry_id)
        assert transfer.state == TRANSFER_STATE_AWAITING_ACCEPTANCE
        with pytest.raises(TransferWaits):
            await till.post(mover.step(sent.entry_id, 1))
        for stranger in (m1, await till.enrol("3")):
            with pytest.raises(UnknownTransfer):
                await mover.accepts(stranger, sent.entry_id)
        accepted = await mover.accepts(m2, sent.entry_id)
        assert moved(accepted) == [("points_received", 120)]
        assert await mover.state(sent.entry_id) == TRANSFER_STATE_RECEIVED
        assert (await mover.brought_on(sent.entry_id)).state == TRANSFER_STATE_COMPLETED
        for late in (mover.accepts(m2, sent.entry_id), mover.declines(m2, sent.entry_id)):
            with pytest.raises(TransferResolved) as resolved:
                await late
            assert resolved.value.first_outcome == "COMPLETED"
        with pytest.raises(TransferResolved):
            await mover.cancels(m1, sent.entry_id)
        assert await divergences(till) == {}


async def test_the_sender_may_take_points_back_until_they_are_accepted(database: str) -> None:
    async with open_till(database) as till:
        mover = Mover(till)
        await till.publish(ACCEPTED)
        m1, m2 = await mover.s24()
        sent = await mover.sends(m1, m2, 120)
        with pytest.raises(UnknownTransfer):
            await mover.cancels(m2, sent.entry_id)
        with pytest.raises(UnknownTransfer):
            await mover.cancels(m1, "no such transfer")
        cancelled = await mover.cancels(m1, sent.entry_id)
        assert moved(cancelled) == [("points_returned", 120), ("burn_reversed", 12)]
        assert await mover.balance(m1) == (150, 0)
        with pytest.raises(TransferResolved) as resolved:
            await mover.accepts(m2, sent.entry_id)
        assert resolved.value.first_outcome == "CANCELLED"
        transfer = await till.ledger.reads.transfer(sent.entry_id)
        assert transfer.cause == RETURN_CAUSE_CANCELLED
        assert await divergences(till) == {}


async def test_what_is_not_accepted_in_time_comes_back(database: str) -> None:
    async with open_till(database, now="2025-03-01T12:00") as till:
        mover = Mover(till)
        await till.publish(ACCEPTED)
        m1, m2 = await mover.s24()
        sent = await mover.sends(m1, m2, 120)
        till.clock.set(at("2025-03-15T23:59"))
        assert await mover.steps(sent.entry_id, 1) == "TRANSFER_WAITS"
        till.clock.set(at("2025-03-16T00:00"))
        # Too late a moment after, whether or not anybody has given them back yet.
        with pytest.raises(TransferResolved) as resolved:
            await mover.accepts(m2, sent.entry_id)
        assert resolved.value.first_outcome == "TIMED_OUT"
        till.clock.set(at("2025-03-20T00:00"))
        transfer = await mover.brought_on(sent.entry_id)
        assert transfer.cause == RETURN_CAUSE_TIMED_OUT
        assert await mover.balance(m1) == (150, 0)
        account, _ = await till.ledger.reads.account(m1)
        events = await till.ledger.reading.stream_events(f"account/{account.account_id}")
        assert {event.occurred_at for event in events[-2:]} == {at("2025-03-16T00:00")}
        assert await divergences(till) == {}


async def test_an_account_that_cannot_take_points_lets_them_go_back(database: str) -> None:
    async with open_till(database) as till:
        mover = Mover(till)
        await till.publish(AT_ONCE)
        m1, m2 = await mover.s24()
        for kind, reason in (
            (SuspendMemberRequest, "ACCOUNT_SUSPENDED"),
            (CloseMemberRequest, "ACCOUNT_CLOSED"),
        ):
            request = kind(
                request_id=till.rid(),
                origin=Origin(business_unit="a", operator="anna"),
                member=m2,
                reason="test",
            )
            if isinstance(request, CloseMemberRequest):
                request.forfeit = True
            await till.write(request)
            transfer = await mover.moves(m1, m2, 120)
            assert transfer.state == TRANSFER_STATE_RETURNED
            assert (transfer.cause, transfer.reason) == (RETURN_CAUSE_REFUSED, reason)
            assert await mover.balance(m1) == (150, 0)
        assert await divergences(till) == {}


# --- crashes ------------------------------------------------------------------------------------


async def test_after_a_crash_between_any_two_facts_the_next_process_goes_on(database: str) -> None:
    async with open_till(database) as till:
        mover = Mover(till)
        await till.publish(AT_ONCE)
        m1, m2 = await mover.s24()
        sent = await mover.sends(m1, m2, 120)
    # Died after the points had left.
    async with open_till(database) as till:
        mover = Mover(till)
        assert await mover.balance(m1) == (18, 120)
        assert await mover.state(sent.entry_id) == TRANSFER_STATE_IN_TRANSIT
        assert await divergences(till) == {}
        received = await mover.steps(sent.entry_id, 1)
        assert not isinstance(received, str)
        assert moved(received) == [("points_received", 120)]
    # Died after they had arrived.
    async with open_till(database) as till:
        mover = Mover(till)
        assert (await mover.balance(m1), await mover.balance(m2)) == ((18, 120), (180, 0))
        assert await mover.state(sent.entry_id) == TRANSFER_STATE_RECEIVED
        assert await divergences(till) == {}
        assert (await mover.brought_on(sent.entry_id)).state == TRANSFER_STATE_COMPLETED
        assert (await mover.balance(m1), await mover.balance(m2)) == ((18, 0), (180, 0))
    # Died after all of it: whoever asks again gets the first answers, or that it is over.
    async with open_till(database) as till:
        mover = Mover(till)
        first = await mover.steps(sent.entry_id, 1)
        assert not isinstance(first, str)
        assert first.outcome == OUTCOME_REPLAYED
        assert await mover.steps(sent.entry_id, 3) == "TRANSFER_RESOLVED"
        assert await mover.balance(m2) == (180, 0)
        assert await divergences(till) == {}


async def test_after_a_crash_before_they_go_back_the_next_process_gives_them_back(
    database: str,
) -> None:
    async with open_till(database) as till:
        mover = Mover(till)
        await till.publish(AT_ONCE)
        m1, m2 = await mover.s24()
        sent = await mover.sends(m1, m2, 120)
        suspend = SuspendMemberRequest(
            request_id=till.rid(),
            origin=Origin(business_unit="a", operator="anna"),
            member=m2,
            reason="test",
        )
        await till.write(suspend)
    async with open_till(database) as till:
        mover = Mover(till)
        transfer = await mover.brought_on(sent.entry_id)
        assert (transfer.state, transfer.reason) == (TRANSFER_STATE_RETURNED, "ACCOUNT_SUSPENDED")
        assert await mover.balance(m1) == (150, 0)
        assert await mover.steps(sent.entry_id, 2) == "TRANSFER_RESOLVED"
        assert await divergences(till) == {}


async def test_two_processes_at_once_never_double(database: str) -> None:
    async with open_till(database) as one, open_till(database) as other:
        await one.publish(AT_ONCE)
        mover, second = Mover(one), Mover(other)
        m1, m2 = await mover.s24()
        await other.ledger.policies.refresh(other.ledger.reading)
        for _ in range(6):
            sent = await mover.sends(m1, m2, 10)
            await asyncio.gather(
                *(each.brought_on(sent.entry_id) for each in (mover, second, mover, second))
            )
            assert await mover.state(sent.entry_id) == TRANSFER_STATE_COMPLETED
        assert (await mover.balance(m1), await mover.balance(m2)) == ((84, 0), (120, 0))
        assert await divergences(one) == {}


async def test_a_yes_and_a_no_at_once_end_in_one_of_them(database: str) -> None:
    async with open_till(database) as one, open_till(database) as other:
        await one.publish(ACCEPTED)
        mover = Mover(one)
        second = Mover(Till(other.ledger, other.clock, client="other"))
        m1, m2 = await mover.s24()
        await other.ledger.policies.refresh(other.ledger.reading)
        total = 150 + 60
        for round_ in range(8):
            sent = await mover.sends(m1, m2, 10)
            answers = await asyncio.gather(
                mover.accepts(m2, sent.entry_id),
                second.cancels(m1, sent.entry_id),
                return_exceptions=True,
            )
            assert sum(isinstance(answer, TransferResolved) for answer in answers) == 1, round_
            await mover.brought_on(sent.entry_id)
            (have, moving), (got, _) = await mover.balance(m1), await mover.balance(m2)
            state = await mover.state(sent.entry_id)
            total -= state == TRANSFER_STATE_COMPLETED  # the fee
            assert (moving, have + got) == (0, total)
        assert await divergences(one) == {}


async def test_points_in_transit_are_nobodys_to_spend(database: str) -> None:
    async with open_till(database) as till:
        mover = Mover(till)
        await till.publish(AT_ONCE)
        m1, m2 = await mover.s24()
        await mover.sends(m1, m2, 120)
        with pytest.raises(InsufficientPoints):
            await till.post(till.burn(m1, 19))
        with pytest.raises(InsufficientPoints):
            await till.post(till.burn(m2, 61))

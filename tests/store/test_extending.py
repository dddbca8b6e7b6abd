"""Expired points that come back by hand, and lots that live longer, on a database."""

from typing import Any

import pytest

from ledger.core.instant import to_timestamp
from ledger.core.refusals import EndNotLater, Malformed, MoreThanExpired
from ledger.verifying.findings import Reason
from loyalty.v1.ledger_service_pb2 import ExtendLotRequest
from loyalty.v1.types_pb2 import MemberRef, Origin
from server.database import connect
from tests.store.tampering import Story
from tests.store.test_adjusting import (
    ADJUSTABLE,
    CALLED,
    adjusting,
    another_end,
    approving,
    other,
    verified,
)
from tests.store.till import Till, at, moved, open_till

BACK, EXTENDED = 44, 50


def extending(till: Till, member: MemberRef, lot_id: str, until: str) -> ExtendLotRequest:
    return ExtendLotRequest(
        request_id=till.rid(),
        origin=Origin(business_unit="a", operator="u1"),
        member=member,
        lot_id=lot_id,
        expire_time=to_timestamp(at(until)),
        reason="three years instead of one",
    )


async def test_expired_points_come_back_and_a_lot_lives_longer(database: str) -> None:
    async with open_till(database) as till:
        await till.publish(ADJUSTABLE)
        member = await till.enrol("1")
        first = await till.post(adjusting(till, member, 100))
        second = await till.post(adjusting(till, member, 40))
        one, two = f"{first.entry_id}.1", f"{second.entry_id}.1"
        await till.post(till.burn(member, 30))
        await till.post(extending(till, member, two, "2027-03-01T00:00"))
        till.clock.set(at("2026-03-02T12:00"))
        assert await till.available(member) == 40
        back = adjusting(till, member, 50, lot_id=one)
        assert moved(await till.post(back)) == [("points_expired", 70), ("lot_reinstated", 50)]
        with pytest.raises(MoreThanExpired) as more:
            await till.post(adjusting(till, member, 21, lot_id=one))
        assert more.value.fields["expired"] == 20
        with pytest.raises(MoreThanExpired):
            await till.post(adjusting(till, member, 20, lot_id=one, unit="b", reason="campaign"))
        account, _ = await till.ledger.reads.account(member)
        assert {lot.lot_id: lot.expires_at for lot in account.lots} == {
            two: at("2027-03-01T00:00"),
            one: at("2027-03-03T00:00"),
        }
        with pytest.raises(EndNotLater):
            await till.post(extending(till, member, two, "2027-03-01T00:00"))
        with pytest.raises(Malformed):
            await till.post(extending(till, member, two, "2026-03-02T12:00"))
        assert await verified(till.ledger) == []


async def test_a_proposal_to_let_points_come_back_looks_at_what_has_expired_then(
    database: str,
) -> None:
    async with open_till(database) as till:
        await till.publish(CALLED)
        member, office = await till.enrol("1"), other(till)
        given = await till.post(adjusting(till, member, 3000, propose=True))
        made = await office.post(approving(office, given.entry_id))
        till.clock.set(at("2026-03-02T12:00"))
        lot_id = f"{made.entry_id}.1"
        proposals = [
            await till.post(adjusting(till, member, 2000, lot_id=lot_id, propose=True))
            for _ in range(2)
        ]
        await office.post(approving(office, proposals[0].entry_id))
        with pytest.raises(MoreThanExpired):
            await office.post(approving(office, proposals[1].entry_id))
        assert await till.available(member) == 2000
        assert await verified(till.ledger) == []


def earlier(fact: Any) -> None:
    fact.expire_time.seconds = fact.expire_time_before.seconds


def by_another_unit(fact: Any) -> None:
    fact.business_unit = "b"


@pytest.mark.parametrize(
    ("kind", "change"), [(BACK, another_end), (EXTENDED, earlier), (EXTENDED, by_another_unit)]
)
async def test_a_tampered_end_is_found(database: str, kind: int, change: Any) -> None:
    async with open_till(database) as till:
        await till.publish(ADJUSTABLE)
        member = await till.enrol("1")
        given = await till.post(adjusting(till, member, 100))
        lot_id = f"{given.entry_id}.1"
        await till.post(extending(till, member, lot_id, "2026-04-01T00:00"))
        till.clock.set(at("2026-04-02T12:00"))
        await till.post(adjusting(till, member, 100, lot_id=lot_id))
        owner = await connect(database, role=None)
        story = Story(till, owner, member)
        assert await story.found() == {}
        await owner.execute("ALTER TABLE event DISABLE TRIGGER event_append_only")
        await story.rewrite((await story.places(kind))[0], change)
        assert Reason.ADJUSTMENT_MISMATCH in await story.found()
        await owner.close()

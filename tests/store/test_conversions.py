"""Conversions on a real database: S26 with its numbers, what is refused, and settlement."""

from fractions import Fraction

import pytest

from ledger.core.refusals import (
    AccountSuspended,
    BelowMinimum,
    FeeNotReversible,
    InsufficientPoints,
    NotAStep,
    UnknownConversion,
    UnknownEntry,
)
from loyalty.v1.member_service_pb2 import SuspendMemberRequest
from loyalty.v1.types_pb2 import Origin
from projections.settlement import settlement_matrix
from projections.unit_totals import unit_totals
from server.database import connect, pool
from tests.projections.following import follow_to_the_end
from tests.store.moving import MOVING, Mover, divergences
from tests.store.till import at, moved, open_till

SWAP = "conversions: [{id: swap, currency: p, into: q, rate: 4/5, issuer: b%s}]\n"
TWO = MOVING.replace("currencies:\n", "currencies:\n  - {id: q, role: spendable%s}\n")


async def test_s26_points_become_points_of_another_unit(database: str) -> None:
    async with open_till(database, now="2025-03-01T00:00") as till:
        mover = Mover(till)
        await till.publish(TWO % "" + SWAP % "")
        member = await till.enrol("1")
        await mover.earns(member, "L1", 102, on="2025-01-01", tea=False)
        await mover.earns(member, "L2", 98, on="2025-01-01", tea=True)
        converted = await till.post(mover.convert(member, 159))
        assert moved(converted) == [("points_converted", 159), ("converted_points_issued", 127)]
        assert [draw.points for draw in converted.movements[0].draws] == [102, 57]
        account, _ = await till.ledger.reads.account(member)
        assert [
            (lot.currency, lot.issuer, lot.available, lot.expires_at) for lot in account.lots
        ] == [
            ("p", "a", 41, None),
            ("q", "b", 127, None),
        ]
        assert await divergences(till) == {}
    reading, connection = await pool(database), await connect(database)
    await follow_to_the_end(reading)
    [flow] = (await settlement_matrix(connection)).value.flows
    assert (flow.issuer, flow.business_unit, flow.currency, flow.converted) == ("a", "b", "p", 159)
    # What a owes b at a cent a point, less what b's new points are worth: the residual.
    owed, issued = flow.points * Fraction("0.01"), 127 * Fraction("0.0125")
    assert (owed, issued, owed - issued) == (
        Fraction("1.59"),
        Fraction("1.5875"),
        Fraction("0.0025"),
    )
    points = {
        (row.business_unit, row.currency): row
        for unit in (await unit_totals(connection)).value
        for row in unit.points
    }
    assert (
        points["a", "p"].issued == 200 == points["a", "p"].outstanding + points["b", "p"].converted
    )
    assert points["b", "q"].outstanding == points["b", "q"].issued == 127
    await connection.close()
    await reading.close()


async def test_terms_and_fee_of_a_conversion(database: str) -> None:
    async with open_till(database, now="2025-03-01T00:00") as till:
        mover = Mover(till)
        terms = ", min_points: 10, step: 5, fee_points: 3, fee_unit: a"
        await till.publish(TWO % ", expiry: june" + SWAP % terms)
        member = await till.enrol("1")
        await mover.earns(member, "L1", 30, on="2025-01-01", tea=True)
        for points, refusal in ((5, BelowMinimum), (12, NotAStep), (30, InsufficientPoints)):
            with pytest.raises(refusal):
                await till.post(mover.convert(member, points))
        with pytest.raises(UnknownConversion) as unknown:
            await till.post(mover.convert(member, 10, "swop"))
        assert unknown.value.fields == {"field": "conversion", "value": "swop", "known": "swap"}
        converted = await till.post(mover.convert(member, 25))
        assert moved(converted) == [
            ("points_converted", 25),
            ("points_burned", 3),
            ("converted_points_issued", 20),
        ]
        await till.write(
            SuspendMemberRequest(
                request_id=till.rid(),
                origin=Origin(business_unit="a", operator="anna"),
                member=member,
                reason="test",
            )
        )
        with pytest.raises(AccountSuspended):
            await till.post(mover.convert(member, 5))
        with pytest.raises(UnknownConversion):
            await till.post(mover.convert(member, 10, "swop"))
        with pytest.raises(FeeNotReversible):
            await till.post(till.reverse(converted.entry_id, unit="a"))
        with pytest.raises(UnknownEntry):
            await till.post(till.reverse(converted.entry_id, unit="b"))
        till.clock.set(at("2025-07-01T00:00"))
        assert await till.available(member, "q") == 0
        assert await divergences(till) == {}

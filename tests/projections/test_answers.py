"""What the read side answers after a known history."""

from collections import Counter
from hashlib import sha256
from typing import Any

import asyncpg
import pytest

from ledger.core.events import EFFECTS, KIND_NAME, columns_of
from ledger.core.instant import SECOND
from ledger.digests import encoded
from ledger.lanes import account_stream, lane_of
from loyalty.v1.events_pb2 import (
    ArrearsRepaid,
    BurnReversed,
    HoldCaptured,
    OpeningLotRecorded,
    PendingClawedBack,
    PointsClawedBack,
    PointsExpired,
    PointsHeld,
    PointsPended,
    PolicyPublished,
    ReversalReversed,
)
from projections.balances import BALANCES, Balance, balances_of
from projections.digest import balances_digest, digest_of
from projections.reading import Behind, positions_of, reached
from projections.settlement import Flow, settlement_matrix
from projections.tiers import Tier, tier_counts, tier_of
from projections.unit_totals import UNIT_TOTALS, UnitPoints, UnitTotals, unit_totals
from tests.projections.following import follow_to_the_end
from tests.projections.history import (
    LANES,
    START,
    History,
    burned,
    draws,
    earned,
    enrolled,
    life_of,
    lives,
    posted,
    tier_changed,
)

ANNA, BEN = account_stream("anna"), account_stream("ben")


async def test_a_balance_is_the_sum_of_what_each_kind_does_to_it(
    service: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    history = History()
    life = life_of("anna", seed=4)
    history.add(ANNA, *life)
    await history.write(connection)
    await follow_to_the_end(service)
    wanted: Counter[str] = Counter()
    for fact in life:
        kind, currency, points, _ = columns_of(fact)
        if currency == "mile":
            continue
        for column, sign in EFFECTS[KIND_NAME[kind]]._asdict().items():
            wanted[column] += sign * (points or 0)
    answer = await balances_of(connection, "anna")
    [found] = [row for row in answer.value if row.currency == "point"]
    assert {name: getattr(found, name) for name in wanted} == wanted
    assert answer.positions[lane_of(ANNA, LANES)] == len(life)


async def test_an_account_without_points_has_no_balance(connection: asyncpg.Connection) -> None:
    assert await balances_of(connection, "nobody") == ({}, ())


async def test_an_account_has_a_balance_for_each_currency(
    service: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    history = History()
    qualifying = earned("market", 7)
    qualifying.currency = "tier-point"
    history.add(ANNA, earned("market", 100), qualifying, burned("market", ("market", 30)))
    await history.write(connection)
    await follow_to_the_end(service)
    assert (await balances_of(connection, "anna")).value == (
        Balance("point", 70, 0, 0, 0, 0, pos=2),
        Balance("tier-point", 7, 0, 0, 0, 0, pos=1),
    )


async def test_balances_survive_points_near_the_limit_of_int64(
    service: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    history = History()
    most = 10**15
    history.add(ANNA, *(earned("market", most) for _ in range(1_000)))
    await history.write(connection)
    await follow_to_the_end(service)
    (found,) = (await balances_of(connection, "anna")).value
    assert found.available == 1_000 * most


async def test_the_last_tier_counts_and_so_do_members_without_one(
    service: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    history = History()
    until = START + 365 * 86_400 * SECOND + 1
    history.add(ANNA, enrolled("anna"), tier_changed("silver", START), tier_changed("gold", until))
    history.add(BEN, enrolled("ben"))
    await history.write(connection)
    await follow_to_the_end(service)
    assert (await tier_of(connection, "anna")).value == Tier("gold", until, pos=2)
    assert (await tier_of(connection, "ben")).value == Tier("", None, pos=0)
    assert (await tier_of(connection, "nobody")).value is None
    history.add(BEN, tier_changed("gold"))
    await history.write(connection)
    await follow_to_the_end(service)
    assert (await tier_of(connection, "ben")).value == Tier("gold", None, pos=1)
    assert (await tier_counts(connection)).value == {"gold": 2}


async def test_a_unit_counts_documents_once_whatever_their_versions_and_members(
    service: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    history = History()
    history.add(ANNA, posted("market", "d1"), posted("market", "d1", 2), posted("hotel", "d1"))
    # Claimed, then moved to another member: other streams, other lanes, the same document.
    history.add("document/market/till/d2", posted("market", "d2"))
    history.add(BEN, posted("market", "d2", 2), posted("market", "d1", 3))
    await history.write(connection)
    await follow_to_the_end(service, batch_size=2)
    assert (await unit_totals(connection)).value == (
        UnitTotals("hotel", documents=1, postings=1, points=()),
        UnitTotals("market", documents=2, postings=5, points=()),
    )


async def test_units_issue_expire_and_owe_by_issuer_but_burn_where_it_was_spent(
    service: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    history = History()
    market: dict[str, Any] = {"currency": "point", "business_unit": "market"}
    history.add(
        ANNA,
        earned("market", 1_000),
        PointsPended(points=40, lot_id="p", **market),
        OpeningLotRecorded(points=60, lot_id="o", **market),
        earned("hotel", 500),
        burned("hotel", ("market", 300), ("hotel", 100)),
        PointsHeld(points=50, draws=draws(("market", 50)), **market),
        HoldCaptured(points=20, draws=draws(("market", 20)), **market),
        PointsExpired(points=10, lot_id="o", **market),
        PendingClawedBack(points=5, draws=draws(("market", 5)), **market),
        PointsClawedBack(points=7, draws=draws(("hotel", 7)), **market),
        ArrearsRepaid(points=3, draws=draws(("hotel", 3)), **market),
    )
    await history.write(connection)
    await follow_to_the_end(service)
    hotel, store = (unit.points[0] for unit in (await unit_totals(connection)).value)
    # fields: issued, burned, expired, clawed back, repaid, outstanding, converted
    assert hotel == UnitPoints("hotel", "point", 500, 400, 0, 0, 0, 390, 0)
    assert store == UnitPoints("market", "point", 1_100, 20, 10, 12, 3, 765, 0)


async def test_the_issuer_pays_where_its_points_were_taken(
    service: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    history = History()
    at_b: dict[str, Any] = {"currency": "point", "business_unit": "b"}
    at_a: dict[str, Any] = {"currency": "point", "business_unit": "a"}
    history.add(ANNA, burned("b", ("a", 800)))
    history.add(
        BEN,
        burned("a", ("a", 200), ("b", 200)),
        BurnReversed(points=250, draws=draws(("b", 200), ("a", 50)), **at_a),
        ReversalReversed(points=30, draws=draws(("b", 30)), **at_a),
        PointsClawedBack(points=40, draws=draws(("a", 10), ("b", 30)), **at_a),
        ArrearsRepaid(points=70, draws=draws(("b", 70)), **at_a),
        HoldCaptured(points=5, draws=draws(("a", 5)), **at_b),
    )
    await history.write(connection)
    await follow_to_the_end(service)
    matrix = (await settlement_matrix(connection)).value
    assert matrix.flows == (
        Flow("point", "a", "a", burned=150, reclaimed=0, converted=0),
        Flow("point", "a", "b", burned=805, reclaimed=0, converted=0),
        Flow("point", "b", "a", burned=30, reclaimed=100, converted=0),
    )
    assert matrix.net("point") == {"a": -675, "b": 675}
    assert matrix.net("other") == {}


async def test_points_foot_over_all_units_and_settlement_sums_to_zero(
    service: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    await lives(60).write(connection)
    await follow_to_the_end(service)
    points = [row for unit in (await unit_totals(connection)).value for row in unit.points]
    outstanding = sum(row.outstanding for row in points)
    gone = sum(
        row.burned + row.expired + row.clawed_back + row.repaid + row.converted for row in points
    )
    assert sum(row.issued for row in points) == outstanding + gone
    held = "SELECT sum(available + pending + held + in_transit)::bigint FROM balance"
    assert outstanding == await connection.fetchval(held)
    assert sum((await settlement_matrix(connection)).value.net("point").values()) == 0


async def test_totals_may_outgrow_64_bits(
    service: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    huge = 2**62
    history = History()
    for round_trip in range(3):
        history.add(
            ANNA,
            earned("market", huge, f"m{round_trip}"),
            burned("hotel", ("market", huge)),
        )
        history.add(
            BEN,
            earned("market", huge, f"b{round_trip}"),
            PointsClawedBack(
                points=huge, currency="point", business_unit="b", draws=draws(("market", huge))
            ),
        )
    await history.write(connection)
    await follow_to_the_end(service)
    points = {
        row.business_unit: row
        for unit in (await unit_totals(connection)).value
        for row in unit.points
    }
    assert points["market"] == UnitPoints("market", "point", 6 * huge, 0, 0, 0, 0, 0, 0)
    assert {type(field) for field in points["market"]} == {str, int}
    assert (await settlement_matrix(connection)).value.flows == (
        Flow("point", "market", "b", burned=0, reclaimed=3 * huge, converted=0),
        Flow("point", "market", "hotel", burned=3 * huge, reclaimed=0, converted=0),
    )
    hashed = sha256()
    for row in (
        ("b", "point", 0, 0, 0, 3 * huge, 0, 0, 0),
        ("hotel", "point", 0, 3 * huge, 0, 0, 0, 0, 0),
        ("market", "point", 6 * huge, 0, 0, 0, 0, 0, 0),
    ):
        hashed.update(encoded(row))
    assert (await digest_of(connection, UNIT_TOTALS)).hexdigest == hashed.hexdigest()


async def test_a_replay_that_knows_only_numbers_gets_the_digest_of_the_balances(
    service: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    history = History()
    history.add(ANNA, earned("market", 100))
    history.add(BEN, earned("market", 50), burned("market", ("market", 50)))
    await history.write(connection)
    await follow_to_the_end(service)
    found = await digest_of(connection, BALANCES)
    assert found.hexdigest == balances_digest(
        [("ben", "point", 0, 0, 0, 0, 0), ("anna", "point", 100, 0, 0, 0, 0)]
    )
    assert found.hexdigest != balances_digest([("anna", "point", 101, 0, 0, 0, 0)])
    assert found.positions == await positions_of(connection, "balances")


async def test_a_reader_waits_for_a_position_or_learns_which_lanes_are_behind(
    service: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    history = History()
    history.add(ANNA, earned("market", 1), earned("market", 1))
    await history.write(connection)
    await follow_to_the_end(service)
    lane = lane_of(ANNA, LANES)
    assert (await reached(connection, "balances", {lane: 2}, seconds=0))[lane] == 2
    with pytest.raises(Behind) as caught:
        await reached(connection, "balances", {lane: 3, (lane + 1) % LANES: 0}, seconds=0.1)
    assert caught.value.lanes == [lane]


async def test_an_event_without_points_in_another_stream_changes_no_balance(
    service: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    history = History()
    policy = PolicyPublished(programme="harbour", version=1)
    history.add("policy/harbour", policy)
    await history.write(connection)
    await follow_to_the_end(service)
    assert await connection.fetchval("SELECT count(*) FROM balance") == 0
    lane = lane_of("policy/harbour", LANES)
    assert (await positions_of(connection, "balances"))[lane] == 1

"""Where transfers stand, whatever the order in which their two lanes are read."""

from collections.abc import Callable
from itertools import permutations
from typing import Any

import asyncpg

from ledger.core.events import AnyFact
from ledger.core.instant import to_timestamp
from ledger.lanes import account_stream
from loyalty.v1.events_pb2 import (
    RETURN_CAUSE_REFUSED,
    TRANSFER_KIND_GIFT,
    PointsReceived,
    PointsReturned,
    PointsSent,
    TransferCompleted,
)
from loyalty.v1.types_pb2 import MovedLot
from projections.balances import balances_of
from projections.settlement import settlement_matrix
from projections.transfers import (
    FIRST_PAGE,
    TRANSFERS,
    DueTransfer,
    TransferRow,
    due_transfers,
    transfers_of,
    waiting,
)
from projections.unit_totals import unit_totals
from tests.projections.following import follow_to_the_end
from tests.projections.history import START, History, burned, draws, earned

ANNA, BEN = account_stream("anna"), account_stream("ben")
LATER = START + 10**15


def moving(transfer: str, **more: Any) -> dict[str, Any]:
    """What all facts of a transfer say."""
    return {
        "entry_id": transfer,
        "currency": "point",
        "points": 40,
        "business_unit": "market",
        **more,
    }


def sent(transfer: str, *, until: int | None = None) -> PointsSent:
    """Anna sends Ben points of the hotel."""
    fact = PointsSent(
        **moving(transfer, receiver_id="ben", draws=draws(("hotel", 40))),
        kind=TRANSFER_KIND_GIFT,
        fee=4,
    )
    if until is not None:
        fact.needs_acceptance = True
        fact.accept_until_time.CopyFrom(to_timestamp(until))
    return fact


def received(transfer: str) -> PointsReceived:
    """Ben has them."""
    lot = MovedLot(lot_id=f"{transfer}.1", points=40, issuer="hotel", funder="hotel")
    return PointsReceived(**moving(transfer, sender_id="anna"), lots=[lot], kind=TRANSFER_KIND_GIFT)


def completed(transfer: str) -> TransferCompleted:
    """Anna has let go."""
    return TransferCompleted(**moving(transfer, receiver_id="ben", draws=draws(("hotel", 40))))


def returned(transfer: str) -> PointsReturned:
    """They came back."""
    return PointsReturned(
        **moving(transfer, receiver_id="ben", draws=draws(("hotel", 40))),
        cause=RETURN_CAUSE_REFUSED,
        reason="TOO_MANY_LOTS",
    )


async def rows(connection: asyncpg.Connection, account: str = "anna") -> list[TransferRow]:
    """All transfers of an account."""
    found = await transfers_of(connection, account, before=FIRST_PAGE, only_open=False, most=50)
    return list(found.value)


async def test_a_row_is_the_same_in_whatever_order_its_facts_are_read(
    service: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    told: list[tuple[str, Callable[[str], AnyFact]]] = [
        (ANNA, sent),
        (BEN, received),
        (ANNA, completed),
    ]
    for number, order in enumerate(permutations(told)):
        for stream, fact in order:
            history = History()
            heads = await connection.fetch("SELECT lane, next_pos FROM lane")
            history.heads.update({row[0]: row[1] for row in heads})
            history.add(stream, fact(f"t{number}"))
            await history.write(connection)
            await follow_to_the_end(service)
    found = await rows(connection)
    assert len(found) == 6
    assert await rows(connection, "ben") == found
    for row in found:
        assert row[1:5] == ("anna", "ben", "point", 40)
        assert (row.kind, row.business_unit, row.fee) == (TRANSFER_KIND_GIFT, "market", 4)
        assert None not in (row.sent_at, row.received_at, row.completed_at)
        assert (row.accept_until, row.returned_at, row.cause) == (None, None, None)


async def test_what_is_due_is_what_somebody_else_has_to_bring_on(
    service: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    history = History()
    until = START + 5
    history.add(ANNA, earned("hotel", 400), sent("t1"), sent("t2", until=until), sent("t3"))
    history.add(ANNA, sent("t4"), completed("t4"), sent("t5"), returned("t5"))
    history.add(BEN, received("t3"), received("t4"))
    await history.write(connection)
    await follow_to_the_end(service)
    early = await due_transfers(connection, until - 1, after="", limit=10)
    assert early == [DueTransfer("t1", received=False), DueTransfer("t3", received=True)]
    due = await due_transfers(connection, until, after="t1", limit=10)
    assert due == [DueTransfer("t2", received=False), DueTransfer("t3", received=True)]
    assert (await waiting(connection, until)).transfers == 3
    assert (await waiting(connection, until - 1)).transfers == 2
    open_ones = await transfers_of(connection, "ben", before="t3", only_open=True, most=5)
    assert [row.transfer for row in open_ones.value] == ["t2", "t1"]
    [back] = [row for row in await rows(connection) if row.transfer == "t5"]
    assert (back.cause, back.reason) == (RETURN_CAUSE_REFUSED, "TOO_MANY_LOTS")


async def test_points_in_motion_stay_the_issuers_and_nobody_settles_them(
    service: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    history = History()
    history.add(ANNA, earned("hotel", 100), sent("t1"), sent("t2"), completed("t2"))
    history.add(BEN, received("t2"))
    await history.write(connection)
    await follow_to_the_end(service)
    [anna] = (await balances_of(connection, "anna")).value
    [ben] = (await balances_of(connection, "ben")).value
    assert (anna.available, anna.in_transit, ben.available) == (20, 40, 40)
    [hotel] = (await unit_totals(connection)).value
    assert (hotel.points[0].issued, hotel.points[0].outstanding) == (100, 100)
    assert (await settlement_matrix(connection)).value.flows == ()
    history = History(heads=history.heads, versions=history.versions)
    history.add(BEN, burned("market", ("hotel", 40)))
    await history.write(connection)
    await follow_to_the_end(service)
    [flow] = (await settlement_matrix(connection)).value.flows
    assert (flow.issuer, flow.business_unit, flow.burned) == ("hotel", "market", 40)
    assert TRANSFERS.points_only

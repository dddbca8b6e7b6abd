"""Laws of following the log: nothing twice, nothing lost, nothing guessed, and all of it again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import asyncpg
import pytest

from ledger.core.events import KIND_NUMBER
from ledger.lanes import account_stream, lane_of
from projections import PROJECTIONS, checkpoints
from projections.balances import BALANCES, balances_of
from projections.checkpoints import Overtaken
from projections.digest import digest_of
from projections.projection import Connection, EventBatch
from projections.reading import positions_of, reached
from projections.rebuild import (
    AlreadyRebuilding,
    DigestsDiffer,
    Progress,
    RebuildStopped,
    UnknownProjection,
    rebuild,
)
from projections.runner import follow
from projections.tiers import TIERS
from server.database import connect
from tests.database_fixtures import execute
from tests.projections.following import follow_to_the_end, follower_of
from tests.projections.history import LANES, History, earned, lives

ANNA = account_stream("anna")
UNKNOWN_KIND = 999


async def digests(connection: asyncpg.Connection) -> dict[str, str]:
    """Digest of every projection's live build."""
    return {
        projection.name: (await digest_of(connection, projection)).hexdigest
        for projection in PROJECTIONS
    }


async def heads(connection: asyncpg.Connection) -> dict[int, int]:
    """Where every lane ends."""
    return {row[0]: row[1] for row in await connection.fetch("SELECT lane, next_pos FROM lane")}


@asynccontextmanager
async def following(service: asyncpg.Pool, *, runners: int = 1) -> AsyncIterator[None]:
    """Runners in the background, small batches, until the block ends."""
    tasks = [asyncio.create_task(follow(service, batch_size=40)) for _ in range(runners)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize("name", [projection.name for projection in PROJECTIONS])
async def test_a_rebuild_from_zero_has_the_digest_of_the_live_rows(
    service: asyncpg.Pool, connection: asyncpg.Connection, name: str
) -> None:
    await lives(40).write(connection)
    await follow_to_the_end(service, batch_size=37)
    before = await digests(connection)
    seen: list[Progress] = []
    rebuilt = await rebuild(service, name, progress=seen.append, batch_size=100)
    assert rebuilt.digest == rebuilt.replaced_digest == before[name]
    assert await digests(connection) == before
    assert rebuilt.positions == await heads(connection) == await positions_of(connection, name)
    assert len(seen) > 1
    assert seen[-1].events == seen[-1].total == rebuilt.events
    (projection,) = (each for each in PROJECTIONS if each.name == name)
    for table in projection.tables:
        versions = await connection.fetch(f"SELECT DISTINCT version FROM {table.name}")
        assert [row[0] for row in versions] == [rebuilt.version]


async def test_the_size_of_batches_leaves_no_trace(
    service: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    await lives(25).write(connection)
    found = []
    for batch_size in (1, 7, 5_000):
        await follow_to_the_end(service, batch_size=batch_size)
        found.append(await digests(connection))
        for projection in PROJECTIONS:
            async with connection.transaction():
                await checkpoints.discard(connection, projection, 1)
                await checkpoints.begin(connection, projection, 1)
    assert found[0] == found[1] == found[2]


async def test_a_crash_before_the_checkpoint_moves_loses_nothing_and_doubles_nothing(
    service: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    await lives(20).write(connection)
    crashes = 2

    async def crash_after_applying(session: Connection, batch: EventBatch) -> None:
        nonlocal crashes
        await BALANCES.apply(session, batch)
        if crashes:
            crashes -= 1
            raise ConnectionResetError("the server went away")

    follower = follower_of(service, replace(BALANCES, apply=crash_after_applying), 60)
    for _ in range(2):
        with pytest.raises(ConnectionResetError):
            await follower.step()
        assert await connection.fetchval("SELECT count(*) FROM balance") == 0
    while (done := await follower.step()) and done.events:
        pass
    assert (await rebuild(service, "balances")).replaced_digest is not None


async def test_two_runners_at_once_do_not_double(
    service: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    async with following(service, runners=2):
        for first in range(0, 60, 20):
            # Three histories on the same lanes: positions go on where the last one ended.
            history = lives(20, first=first)
            await continued(history, connection)
        end = await heads(connection)
        for projection in PROJECTIONS:
            await reached(connection, projection.name, end, seconds=20)
    for projection in PROJECTIONS:
        rebuilt = await rebuild(service, projection.name)
        assert rebuilt.digest == rebuilt.replaced_digest


async def continued(history: History, connection: asyncpg.Connection) -> None:
    """Write a history behind what the lanes already have."""
    start = await heads(connection)
    history.rows = [(row[0], row[1] + start[row[0]], *row[2:]) for row in history.rows]
    history.heads.update(start)
    await history.write(connection)


async def test_a_rebuild_while_events_arrive_loses_none(
    service: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    await lives(20).write(connection)
    async with following(service):
        writing = asyncio.create_task(continued(lives(20, first=20), connection))
        rebuilt = await rebuild(service, "balances", batch_size=50)
        await writing
        await continued(lives(20, first=40), connection)
        await reached(connection, "balances", await heads(connection), seconds=20)
    assert rebuilt.version == 2
    assert (await rebuild(service, "balances")).version == 3


async def test_a_runner_whose_checkpoint_was_moved_by_another_changes_nothing(
    service: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    await lives(10).write(connection)

    async def overtake(session: Connection, batch: EventBatch) -> None:
        await BALANCES.apply(session, batch)
        await session.execute("UPDATE subscription SET pos = pos + 1 WHERE name = 'balances'")

    with pytest.raises(Overtaken):
        await follower_of(service, replace(BALANCES, apply=overtake)).step()
    assert await connection.fetchval("SELECT count(*) FROM balance") == 0
    assert set((await positions_of(connection, "balances")).values()) == {0}


async def test_a_lane_stops_before_a_kind_that_moves_points_in_an_unknown_way(
    service: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    history = History()
    history.add(ANNA, earned("market", 5))
    history.add_raw(ANNA, (UNKNOWN_KIND, "point", 3, "market"), b"\x01")
    history.add(ANNA, earned("market", 7))
    history.add(account_stream("other"), earned("market", 9))
    await history.write(connection)
    follower = follower_of(service)
    await follower.step()
    lane = lane_of(ANNA, LANES)
    assert lane != lane_of(account_stream("other"), LANES)
    assert follower.stops[lane].pos == 1
    assert f"kind {UNKNOWN_KIND} is not known" in follower.stops[lane].reason
    done = await follower.step()
    assert done is not None
    assert not done.behind(follower.stops)
    assert [row.available for row in (await balances_of(connection, "anna")).value] == [5]
    assert [row.available for row in (await balances_of(connection, "other")).value] == [9]
    with pytest.raises(RebuildStopped, match="is not known"):
        await rebuild(service, "balances")
    assert [row.available for row in (await balances_of(connection, "anna")).value] == [5]


async def test_an_unknown_kind_without_points_concerns_only_who_looks_at_more_than_points(
    service: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    history = History()
    history.add_raw(ANNA, (UNKNOWN_KIND, None, None, "market"), b"\x01")
    await history.write(connection)
    balances, tiers = follower_of(service), follower_of(service, TIERS)
    await balances.step()
    await tiers.step()
    assert not balances.stops
    assert list(tiers.stops) == [lane_of(ANNA, LANES)]


async def test_a_payload_that_cannot_be_read_stops_its_lane_alone(
    service: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    history = lives(10)
    history.add_raw(ANNA, (KIND_NUMBER["tier_changed"], None, None, None), b"\xff\xff")
    await history.write(connection)
    follower = follower_of(service, TIERS)
    await follower.step()
    lane = lane_of(ANNA, LANES)
    assert list(follower.stops) == [lane]
    await follower.step()
    end = await heads(connection)
    found = await positions_of(connection, "tiers")
    assert {number for number in end if found[number] < end[number]} == {lane}
    with pytest.raises(RebuildStopped):
        await rebuild(service, "tiers")


async def test_a_lane_with_a_gap_or_a_shortened_log_is_not_followed(
    service: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    history = History()
    history.add(ANNA, earned("market", 5))
    await history.write(connection)
    lane = lane_of(ANNA, LANES)
    await connection.execute("UPDATE lane SET next_pos = 2 WHERE lane = $1", lane)
    follower = follower_of(service)
    await follower.step()
    assert "missing before position 2" in follower.stops[lane].reason
    await connection.execute("UPDATE subscription SET pos = 9 WHERE lane = $1", lane)
    follower = follower_of(service)
    await follower.step()
    assert "the lane ends at 2" in follower.stops[lane].reason
    await follower.step()
    assert list(follower.stops) == [lane]


async def test_rows_that_were_tampered_with_are_found_and_replaced_only_on_demand(
    service: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    await lives(10).write(connection)
    await follow_to_the_end(service)
    right = await digests(connection)
    await connection.execute("UPDATE balance SET available = available + 1")
    wrong = await digests(connection)
    with pytest.raises(DigestsDiffer) as caught:
        await rebuild(service, "balances")
    assert (caught.value.live, caught.value.rebuilt) == (wrong["balances"], right["balances"])
    assert await digests(connection) == wrong
    assert await connection.fetchval("SELECT count(DISTINCT version) FROM balance") == 1
    rebuilt = await rebuild(service, "balances", accept_difference=True)
    assert (rebuilt.digest, rebuilt.replaced_digest) == (right["balances"], wrong["balances"])
    assert await digests(connection) == right


async def test_rows_of_another_definition_are_left_alone_until_they_are_rebuilt(
    service: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    await lives(5).write(connection)
    newer = follower_of(service, replace(BALANCES, definition=2))
    await follower_of(service).step()
    assert await newer.step() is None
    await connection.execute("UPDATE projection_build SET definition = 0")
    assert await follower_of(service).step() is None
    rebuilt = await rebuild(service, "balances")
    assert rebuilt.replaced_digest is None
    done = await follower_of(service).step()
    assert done is not None
    assert done.events == 0


async def test_what_a_killed_rebuild_left_behind_is_cleaned_up_by_the_next(
    service: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    await lives(5).write(connection)
    await follow_to_the_end(service)
    await checkpoints.begin(connection, BALANCES, 2)
    await connection.execute("INSERT INTO balance VALUES (2, 0, 'x', 'point', 1, 1, 1, 1, 1, 1)")
    rebuilt = await rebuild(service, "balances")
    assert rebuilt.digest == rebuilt.replaced_digest
    assert await checkpoints.versions(connection, "balances") == [rebuilt.version]


async def test_one_rebuild_of_a_projection_runs_at_a_time(
    service: asyncpg.Pool, database: str
) -> None:
    other = await connect(database)
    await other.fetchval("SELECT pg_advisory_lock(4851294, hashtext('balances'))")
    with pytest.raises(AlreadyRebuilding):
        await rebuild(service, "balances")
    await other.close()


async def test_a_name_that_no_projection_has_is_answered_with_those_that_exist(
    service: asyncpg.Pool,
) -> None:
    with pytest.raises(UnknownProjection, match="balances, tiers, unit_totals, settlement"):
        await rebuild(service, "balance")


async def test_a_runner_outlives_a_database_that_kicks_it_out(
    service: asyncpg.Pool, connection: asyncpg.Connection, database: str
) -> None:
    async with following(service):
        await lives(5).write(connection)
        await reached(connection, "balances", await heads(connection), seconds=20)
        kick = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname ="
            " current_database() AND pid NOT IN (pg_backend_pid(), {})"
        )
        await execute(database, kick.format(connection.get_server_pid()))
        await continued(lives(5, first=5), connection)
        await reached(connection, "balances", await heads(connection), seconds=20)

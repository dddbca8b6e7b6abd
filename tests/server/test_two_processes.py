"""Two server processes started by mistake on one database: slower, never wrong."""

import asyncio
from pathlib import Path

import grpc

from loyalty.v1.audit_service_pb2 import VerifyHistoryRequest, VerifyHistoryResponse
from server.database import connect
from tests.server import requests
from tests.server.served import Caller, Served
from tests.server.test_drain import process
from tests.server.test_services_outage import Tills, assert_exactly_once

SHARED_SALES = 40


async def post_shared(caller: Caller, till: str) -> int:
    """Post the sales that the other process gets as well; how many were new here."""
    posted = 0
    for number in range(SHARED_SALES):
        sale = requests.sale(f"{till}-{number}", document_id=f"shared-{number}")
        try:
            answer = await caller.ledger.PostDocument(sale)
        except grpc.aio.AioRpcError as error:
            raise AssertionError(error.details()) from error
        posted += answer.posting.outcome == 1
    return posted


async def verified(caller: Caller) -> VerifyHistoryResponse:
    """The last word of a check of the whole history."""
    words: list[VerifyHistoryResponse] = []
    async for word in caller.audit.VerifyHistory(VerifyHistoryRequest()):
        words.append(word)
    return words[-1]


async def test_two_processes_fork_no_position_and_double_no_award(
    database: str, tmp_path: Path
) -> None:
    async with (
        process(database, tmp_path) as (_, one_address),
        process(database, tmp_path) as (_, two_address),
    ):
        one, two = Served(one_address, database), Served(two_address, database)
        token = await one.token("till")
        async with one.caller(token) as first, two.caller(token) as second:
            await one.with_member(first)
            # The other process sees the new policy at its next look.
            await asyncio.sleep(2.5)
            rivals = [Tills(), Tills()]
            rivals[0].caller, rivals[1].caller = first, second
            posting = [
                asyncio.create_task(tills.run(number * 100 + till))
                for number, tills in enumerate(rivals)
                for till in range(6)
            ]
            new = await asyncio.gather(post_shared(first, "a"), post_shared(second, "b"))
            for tills in rivals:
                tills.finish()
            await asyncio.gather(*posting)
            assert sum(new) == SHARED_SALES
            both = Tills()
            both.acknowledged = rivals[0].acknowledged | rivals[1].acknowledged
            await assert_exactly_once(first, both)
            last = await verified(second)
            assert last.done
            assert not last.divergences
    connection = await connect(database, role=None)
    heads = await connection.fetch("SELECT lane, next_pos FROM lane")
    for lane, next_pos in heads:
        found = await connection.fetchval("SELECT count(*) FROM event WHERE lane = $1", lane)
        assert found == next_pos
    await connection.close()

"""What must be true when a simulation ends, reckoned from what was answered."""

from collections import Counter
from typing import Final, cast

from ledger.act import Answer
from ledger.core.events import AccountFact, AnyFact, decode
from ledger.lanes import ACCOUNT, account_of
from ledger.verifying.verify import verify
from loyalty.v1.events_pb2 import HoldCaptured, PointsBurned
from loyalty.v1.ledger_service_pb2 import (
    BurnPointsRequest,
    CaptureHoldRequest,
    Posting,
)
from tests.core.laws import check_laws
from tests.simulation.due import folded
from tests.simulation.located import Located
from tests.simulation.merge_checks import check_merges
from tests.simulation.motion_checks import check_motion, fees
from tests.simulation.pool_checks import check_pools
from tests.simulation.processes import World
from tests.simulation.replays import check_replays
from tests.simulation.sales_checks import check_sales
from tests.simulation.store import MemoryLog
from tests.simulation.traffic import Traffic

ASKED_AGAIN: Final = 200
"""Requests that are asked once more."""


async def check(world: World, traffic: Traffic) -> None:
    """Assert everything."""
    for stream in world.database.streams:
        if stream.startswith(ACCOUNT):
            of_account = [cast(AccountFact, fact) for fact in _facts(world, stream)]
            check_laws(of_account, folded(world, stream))
    await _check_history(world)
    facts = [
        (account_of(stream), fact)
        for stream in world.database.streams
        for fact in _facts(world, stream)
    ]
    _check_entries(facts, traffic)
    check_sales(facts, traffic)
    check_motion(facts, world, traffic)
    check_pools(facts, world, traffic)
    await check_merges(facts, world, traffic)
    asked = list(traffic.sent.values())
    await check_replays(traffic, asked[:: max(1, len(asked) // ASKED_AGAIN)])


async def _check_history(world: World) -> None:
    """Verification finds nothing: positions, versions, hashes, folds, awards under their pins."""
    findings = [
        divergence
        async for progress in verify(MemoryLog(world.database), skip_awards=False)
        for divergence in progress.divergences
    ]
    assert not findings, findings[:3]


def _check_entries(facts: list[Located], traffic: Traffic) -> None:
    """Every answered burn, capture and fee stands in the history, once, and no other does."""
    answered = Counter(fees(traffic))
    for sent in traffic.sent.values():
        if isinstance(sent.request, BurnPointsRequest | CaptureHoldRequest) and isinstance(
            sent.result, Answer
        ):
            answered[_posting(sent.result).entry_id] += 1
    recorded: Counter[str] = Counter()
    for _, fact in facts:
        if isinstance(fact, PointsBurned | HoldCaptured):
            recorded[fact.entry_id] += 1
    assert recorded == answered


def _posting(answer: Answer) -> Posting:
    assert isinstance(answer.message, Posting)
    return answer.message


def _facts(world: World, stream: str) -> list[AnyFact]:
    return [decode(event.payload) for event in world.database.streams[stream]]

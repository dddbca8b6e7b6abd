"""What must be true when a simulation ends, reckoned from what was answered."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, cast

from ledger.act import Answer
from ledger.core.events import AccountFact, AnyFact, decode, kind_of
from ledger.lanes import ACCOUNT
from ledger.verify import verify
from loyalty.v1.events_pb2 import DocumentPosted
from loyalty.v1.ledger_service_pb2 import (
    OUTCOME_POSTED,
    OUTCOME_SUPERSEDED,
    BurnPointsRequest,
    CaptureHoldRequest,
    PostDocumentRequest,
    Posting,
)
from loyalty.v1.types_pb2 import DOCUMENT_STATUS_CANCELLED
from tests.core.laws import check_laws
from tests.simulation.due import folded
from tests.simulation.processes import World
from tests.simulation.store import MemoryLog
from tests.simulation.traffic import Traffic


async def check(world: World, traffic: Traffic) -> None:
    """Assert everything."""
    for stream in world.database.streams:
        if stream.startswith(ACCOUNT):
            facts = [cast(AccountFact, fact) for fact in _facts(world, stream)]
            check_laws(facts, folded(world, stream))
    await _check_history(world)
    _check_entries(world, traffic)
    _check_documents(world, traffic)
    await _check_replays(traffic)


async def _check_history(world: World) -> None:
    """Verification finds nothing: positions, versions, hashes, folds, awards under their pins."""
    findings = [
        divergence
        async for progress in verify(MemoryLog(world.database), skip_awards=False)
        for divergence in progress.divergences
    ]
    assert not findings, findings[:3]


def _check_entries(world: World, traffic: Traffic) -> None:
    """Every answered burn and capture stands in the history, once, and no other does."""
    answered: Counter[str] = Counter()
    for sent in traffic.sent.values():
        if isinstance(sent.request, BurnPointsRequest | CaptureHoldRequest) and isinstance(
            sent.result, Answer
        ):
            answered[_posting(sent.result).entry_id] += 1
    recorded: Counter[str] = Counter()
    for fact in _all_facts(world):
        if kind_of(fact) in ("points_burned", "hold_captured"):
            recorded[cast(Any, fact).entry_id] += 1
    assert recorded == answered


def _check_documents(world: World, traffic: Traffic) -> None:
    """The newest version that was answered stands, and gives what a child would reckon."""
    newest: dict[tuple[str, str], PostDocumentRequest] = {}
    versions: Counter[tuple[str, str, int]] = Counter()
    for sent in traffic.sent.values():
        request, result = sent.request, sent.result
        if not isinstance(request, PostDocumentRequest) or not isinstance(result, Answer):
            continue
        if _posting(result).outcome == OUTCOME_SUPERSEDED:
            continue
        key = (request.origin.business_unit, request.document.document_id)
        versions[*key, request.document.version] = 1
        if key not in newest or newest[key].document.version < request.document.version:
            newest[key] = request
    heads: dict[tuple[str, str], DocumentPosted] = {}
    recorded: Counter[tuple[str, str, int]] = Counter()
    for fact in _all_facts(world):
        if isinstance(fact, DocumentPosted):
            key = (fact.business_unit, fact.document.document_id)
            recorded[*key, fact.document.version] += 1
            heads[key] = fact
    assert recorded == versions, "each answered version was recorded once, and no other"
    for key, request in newest.items():
        assert heads[key].document == request.document
        assert sum(grant.granted for grant in heads[key].grants) == _expected(request)


def _expected(request: PostDocumentRequest) -> int:
    if request.document.status == DOCUMENT_STATUS_CANCELLED:
        return 0
    food = sum(line.net_minor_units for line in request.document.lines if line.category == "food")
    return food // 100


async def _check_replays(traffic: Traffic) -> None:
    """Whatever was answered once is answered the same for ever."""
    for sent in list(traffic.sent.values())[:: max(1, len(traffic.sent) // 200)]:
        if isinstance(sent.result, Answer) and _counts(sent.result):
            again = await traffic.send(sent.request)
            assert isinstance(again, Answer)
            assert again.replayed


def _counts(answer: Answer) -> bool:
    return not isinstance(answer.message, Posting) or answer.message.outcome == OUTCOME_POSTED


def _posting(answer: Answer) -> Posting:
    assert isinstance(answer.message, Posting)
    return answer.message


def _facts(world: World, stream: str) -> list[AnyFact]:
    return [decode(event.payload) for event in world.database.streams[stream]]


def _all_facts(world: World) -> Iterator[AnyFact]:
    for stream in world.database.streams:
        yield from _facts(world, stream)

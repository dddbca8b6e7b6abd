"""Sending writes to a running server in batches, again where that is safe, and counting answers."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import grpc
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from loyalty.v1 import ledger_service_pb2 as ledger_pb

if TYPE_CHECKING:
    # The generated code has one class for both kinds of channel; only its types tell them apart.
    from loyalty.v1.ledger_service_pb2_grpc import LedgerServiceAsyncStub

BATCH_ITEMS: Final = 1_000
BATCH_BYTES: Final = 3_500_000
ATTEMPTS: Final = 8
FIRST_PAUSE_SECONDS: Final = 0.25
CALL_SECONDS: Final = 60.0

_WAIT_AND_RETRY: Final = frozenset({"QUEUE_FULL", "NOT_SERVING", "DEADLINE_PASSED"})
_LOST_CALL: Final = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
    }
)


@dataclass(slots=True)
class Tally:
    """What became of writes, counted."""

    posted: int = 0
    replayed: int = 0
    superseded: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    def count(self, result: ledger_pb.BatchResult) -> None:
        """Count one answer."""
        if result.HasField("refusal"):
            self.refused[reason_of(result.refusal)] += 1
        elif result.posting.outcome == ledger_pb.OUTCOME_REPLAYED:
            self.replayed += 1
        elif result.posting.outcome == ledger_pb.OUTCOME_SUPERSEDED:
            self.superseded += 1
        else:
            self.posted += 1


def reason_of(status: Status) -> str:
    """Reason in a refusal's ErrorInfo; empty when it has none."""
    for detail in status.details:
        info = ErrorInfo()
        if detail.Unpack(info):
            return info.reason
    return ""


def metadata(token: str) -> tuple[tuple[str, str], ...]:
    """What identifies the caller, to go with every call."""
    return (("authorization", f"Bearer {token}"),)


def chunks(items: Iterable[ledger_pb.BatchItem]) -> Iterator[list[ledger_pb.BatchItem]]:
    """Cut writes into batches within the contract's limits of number and size, in order."""
    batch: list[ledger_pb.BatchItem] = []
    size = 0
    for item in items:
        grown = size + item.ByteSize() + 8
        if batch and (len(batch) == BATCH_ITEMS or grown > BATCH_BYTES):
            yield batch
            batch, grown = [], grown - size
        batch.append(item)
        size = grown
    if batch:
        yield batch


async def send(
    stub: "LedgerServiceAsyncStub",
    items: Sequence[ledger_pb.BatchItem],
    *,
    token: str,
) -> list[ledger_pb.BatchResult]:
    """Send one batch and return an answer for each item, in order.

    What the server had no room or time for is sent again: request ids make that safe.

    Raises:
        grpc.aio.AioRpcError: the call itself is refused, or the server stays away.
    """
    results: list[ledger_pb.BatchResult | None] = [None] * len(items)
    open_items = list(range(len(items)))
    pause = FIRST_PAUSE_SECONDS
    for attempt in range(1, ATTEMPTS + 1):
        request = ledger_pb.BatchPostRequest(items=[items[index] for index in open_items])
        try:
            answer = await stub.BatchPost(request, metadata=metadata(token), timeout=CALL_SECONDS)
        except grpc.aio.AioRpcError as error:
            if error.code() not in _LOST_CALL or attempt == ATTEMPTS:
                raise
        else:
            for index, result in zip(open_items, answer.results, strict=True):
                results[index] = result
            open_items = [index for index in open_items if _may_wait(results[index])]
            if not open_items or attempt == ATTEMPTS:
                break
        await asyncio.sleep(pause)
        pause *= 2
    return [result for result in results if result is not None]


def _may_wait(result: ledger_pb.BatchResult | None) -> bool:
    if result is None:
        return True
    return result.HasField("refusal") and reason_of(result.refusal) in _WAIT_AND_RETRY

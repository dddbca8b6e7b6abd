"""Many writes: cut into batches, each item answered, and what the server had no room for again."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import grpc
from google.protobuf.message import Message

from loyalty.v1.ledger_service_pb2 import (
    BatchItem,
    BatchPostRequest,
    BatchResult,
    Posting,
    PostStreamRequest,
    PostStreamResponse,
)
from loyalty.v1.types_pb2 import Origin
from loyalty_client.building import item
from loyalty_client.errors import LoyaltyError, NoAnswer, Refusal
from loyalty_client.filling import fill, write_of
from loyalty_client.refusals import AtomicRefused

BATCH_ITEMS: Final = 1_000
BATCH_BYTES: Final = 3_500_000
"""Less than the 4 MiB that a call may have."""
WINDOW: Final = 4
"""Batches of a stream that may wait for their answer."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one write among many."""

    request_id: str
    posting: Posting | None
    refusal: LoyaltyError | None

    def get(self) -> Posting:
        """The answer.

        Raises:
            LoyaltyError: the refusal, if it was refused.
        """
        if self.posting is None:
            assert self.refusal is not None
            raise self.refusal
        return self.posting


class Batch:
    """Some writes, until each is answered for good."""

    def __init__(self, items: Sequence[BatchItem]) -> None:
        """Nothing is answered yet."""
        self._items = items
        self._results: list[Result | None] = [None] * len(items)

    @property
    def open_items(self) -> list[BatchItem]:
        """The items to send."""
        return [item for item, result in self._pairs() if result is None]

    def take(self, answers: Sequence[BatchResult]) -> None:
        """Take the answers to the open items."""
        places = [place for place, result in enumerate(self._results) if result is None]
        for place, answer in zip(places, answers, strict=True):
            self._results[place] = _result(self._items[place], answer)

    def reopen(self) -> LoyaltyError | None:
        """Open the items again that the server had no room or time for; why, or None if none."""
        reason: LoyaltyError | None = None
        for place, result in enumerate(self._results):
            if result is not None and result.refusal is not None and result.refusal.transient:
                reason = result.refusal
                self._results[place] = None
        return reason

    def results(self) -> list[Result]:
        """One for each item, in order."""
        return [result for result in self._results if result is not None]

    def _pairs(self) -> Iterator[tuple[BatchItem, Result | None]]:
        return zip(self._items, self._results, strict=True)


def _result(sent: BatchItem, answer: BatchResult) -> Result:
    write: Any = write_of(sent)
    if answer.HasField("posting"):
        return Result(write.request_id, answer.posting, None)
    status = answer.refusal
    refusal = Refusal.of(status) or NoAnswer.of(status)
    return Result(write.request_id, None, refusal)


def _items(writes: Iterable[Message], origin: Origin | None) -> Iterator[BatchItem]:
    """Items of the writes, which are filled in themselves: sent again, they are the same."""
    for write in writes:
        fill(write_of(write) if isinstance(write, BatchItem) else write, origin)
        yield item(write)


def batches(writes: Iterable[Message], origin: Origin | None) -> Iterator[list[BatchItem]]:
    """Cut writes into batches within the contract's limits of number and size, in order."""
    batch: list[BatchItem] = []
    size = 0
    for made in _items(writes, origin):
        grown = size + made.ByteSize() + 8
        if batch and (len(batch) == BATCH_ITEMS or grown > BATCH_BYTES):
            yield batch
            batch, grown = [], grown - size
        batch.append(made)
        size = grown
    if batch:
        yield batch


def together(writes: Iterable[Message], origin: Origin | None) -> BatchPostRequest:
    """All or nothing."""
    return BatchPostRequest(items=_items(writes, origin), atomic=True)


def postings_of(results: Iterable[Result]) -> list[Posting]:
    """The answers to an atomic batch.

    Raises:
        LoyaltyError: it was refused; what the first one says that was not refused for another.
    """
    given = list(results)
    refusals = [result.refusal for result in given if result.refusal is not None]
    refusals.sort(key=lambda refusal: isinstance(refusal, AtomicRefused))
    if refusals:
        raise refusals[0]
    return [result.get() for result in given]


class Pipeline:
    """Batches on their way through a stream, which may break and be begun again."""

    def __init__(self, cut: Iterator[list[BatchItem]]) -> None:
        """Send the batches in their order."""
        self._cut = enumerate(cut, 1)
        self._sent: deque[PostStreamRequest] = deque()
        self._over = False

    @property
    def done(self) -> bool:
        """Whether everything is sent and answered."""
        return self._over and not self._sent

    def begin(self) -> Iterator[PostStreamRequest]:
        """What a stream that has just begun sends first: the unanswered, then new ones."""
        yield from list(self._sent)
        while len(self._sent) < WINDOW and (request := self.following()) is not None:
            yield request

    def following(self) -> PostStreamRequest | None:
        """The next new batch; None: there is none."""
        sequence, items = next(self._cut, (0, None))
        if items is None:
            self._over = True
            return None
        request = PostStreamRequest(sequence=sequence, items=items)
        self._sent.append(request)
        return request

    def answered(self, answer: PostStreamResponse) -> Batch:
        """The batch that an answer is for.

        Raises:
            ValueError: answers come in order, and this one does not.
        """
        first = self._sent[0].sequence if self._sent else 0
        if answer.sequence != first:
            raise ValueError(f"batch {first} is to be answered, the answer is to {answer.sequence}")
        batch = Batch(self._sent.popleft().items)
        batch.take(answer.results)
        return batch

    def ended(self) -> None:
        """The stream is over.

        Raises:
            NoAnswer: not everything was answered, so another one has to be begun.
        """
        if self._sent:
            raise NoAnswer("the stream ended early", grpc.StatusCode.UNAVAILABLE)

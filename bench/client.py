"""A client of the product's own methods, as a process of its own: python -m bench.client '{…}'.

Every call carries bytes of its own, glued from prepared ones; answers are looked at only once in
each caller, since reading them all would cost the machine more than the server does.
"""

import asyncio
import json
import math
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import asdict, dataclass
from random import random
from resource import RUSAGE_SELF, getrusage
from time import perf_counter
from typing import Any, Final

import grpc
import uvloop

from bench.baskets import batch_items, bodies, card_of, documents, fresh_ids, stream_items
from bench.h2load import quantile
from loyalty.v1.ledger_service_pb2 import (
    BatchPostResponse,
    PostDocumentResponse,
    Posting,
    PostStreamResponse,
)

SERVICE: Final = "/loyalty.v1.LedgerService/"
CALLERS_PER_CHANNEL: Final = 32
MESSAGE_BYTES_MAX: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """What the client is told."""

    address: str
    token: str
    method: str
    """PostDocument, BatchPost, PostStream, or the path of one of the server's bench methods."""
    callers: int
    seconds: float
    start: int
    size: int
    """The members it names: so many from `start` on."""
    occurred_seconds: int
    items: int = 1
    one_member: bool = False
    """All items of a batch name the same member."""
    sweep: bool = False
    """Name one member after the other, and end after the last, however long it takes."""

    def as_json(self) -> str:
        """For the command line of the process."""
        return json.dumps(asdict(self))


class Refused(Exception):
    """An answer that says something else than that it was recorded."""


class Client:
    """Callers that each wait for an answer before they call again."""

    def __init__(self, options: ClientOptions) -> None:
        """Make the bytes that bodies are glued from."""
        self.options = options
        self.latencies: list[float] = []
        self._ids = fresh_ids()
        self._documents = bodies(documents(options.occurred_seconds), self._member)
        glue = stream_items if options.method == "PostStream" else batch_items
        self._items = glue(options.occurred_seconds)
        self._metadata = (("authorization", f"Bearer {options.token}"),)
        self._ends = 0.0
        self._swept = 0

    def _member(self) -> int:
        if self.options.sweep:
            self._swept += 1
            return self.options.start + (self._swept - 1) % self.options.size
        return self.options.start + int(random() * self.options.size)

    def _batch(self) -> bytes:
        items, ids = self._items, self._ids
        card = card_of(self._member())
        glued = []
        for number in range(self.options.items):
            if not self.options.one_member:
                card = card_of(self._member())
            glued.append(items[number % len(items)].filled(next(ids), card))
        return b"".join(glued)

    async def run(self) -> float:
        """Call until the time is over; the seconds that it took."""
        options = self.options
        sizes = [
            ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
            # Channels with equal settings would share one connection.
            ("grpc.use_local_subchannel_pool", 1),
        ]
        channels = [
            grpc.aio.insecure_channel(options.address, options=sizes)
            for _ in range(-(-options.callers // CALLERS_PER_CHANNEL))
        ]
        for channel in channels:
            await channel.channel_ready()
        caller = self._stream if options.method == "PostStream" else self._unary
        began = perf_counter()
        self._ends = math.inf if options.sweep else began + options.seconds
        async with asyncio.TaskGroup() as group:
            for number in range(options.callers):
                group.create_task(caller(channels[number % len(channels)]))
        took = perf_counter() - began
        for channel in channels:
            await channel.close()
        return took

    async def _unary(self, channel: grpc.aio.Channel) -> None:
        method = self.options.method
        call: Any = channel.unary_unary(method if method.startswith("/") else SERVICE + method)
        checked = method.startswith("/")
        while (began := perf_counter()) < self._ends and self._swept < self.options.size:
            body = self._batch() if method == "BatchPost" else next(self._documents)
            answer = await call(body, metadata=self._metadata)
            self.latencies.append(perf_counter() - began)
            if not checked:
                _check(method, answer)
                checked = True

    async def _stream(self, channel: grpc.aio.Channel) -> None:
        call: Any = channel.stream_stream(SERVICE + "PostStream")(metadata=self._metadata)
        began = perf_counter()
        while began < self._ends:
            await call.write(self._batch())
            answer = await call.read()
            if not self.latencies:
                _check("PostStream", answer)
            now = perf_counter()
            self.latencies.append(now - began)
            began = now
        await call.done_writing()
        async for _ in _rest(call):
            raise Refused("an answer came to nothing")


async def _rest(call: Any) -> AsyncIterator[bytes]:
    while (answer := await call.read()) is not grpc.aio.EOF:
        yield answer


def _check(method: str, answer: bytes) -> None:
    for posting in _postings(method, answer):
        if posting.outcome != 1:
            raise Refused(f"outcome {posting.outcome} of {method}")


def _postings(method: str, answer: bytes) -> Iterator[Posting]:
    if method == "PostDocument":
        yield PostDocumentResponse.FromString(answer).posting
        return
    kind = BatchPostResponse if method == "BatchPost" else PostStreamResponse
    for result in kind.FromString(answer).results:
        if result.HasField("refusal"):
            raise Refused(str(result.refusal))
        yield result.posting


def main(arguments: Sequence[str]) -> None:
    """Run the process; one line of JSON tells what was seen."""
    options = ClientOptions(**json.loads(arguments[0]))
    client = Client(options)
    took = uvloop.run(client.run())
    latencies = sorted(1000 * each for each in client.latencies)
    used = getrusage(RUSAGE_SELF)
    told = {
        "calls": len(latencies),
        "seconds": took,
        "p50_ms": quantile(latencies, 0.5),
        "p99_ms": quantile(latencies, 0.99),
        "cpu_seconds": used.ru_utime + used.ru_stime,
    }
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

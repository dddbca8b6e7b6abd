"""What the bytes of a document alone cost: python -m bench.floor '{…}'.

The ledger posts a few documents. Then requests like them are parsed, and the same events, keys and
answers are hashed and written, copied from what the ledger had made of them. Nothing is checked,
looked up, asked of the rules or decided, and gRPC is not there. A ledger in Python that keeps this
format cannot be cheaper; what BatchPost costs beyond it is what deciding costs.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import count, cycle, islice
from pathlib import Path
from statistics import median
from time import thread_time
from typing import Final, NamedTuple

import uvloop

from bench import baskets
from bench.seeding import CLIENT, preparing
from ledger.act import Answer
from ledger.core.events import AnyFact, columns_of, decode, encode
from ledger.core.instant import Instant
from ledger.core.wire import nested, tag_of
from ledger.envelope import sealed
from ledger.garbage import search_seldom
from ledger.identities import IdentityHash
from ledger.keys import act_key, document_thing, request_key
from ledger.lanes import DOCUMENT
from ledger.rows import AppendBatch, Head, KeyRow
from ledger.service import Ledger
from ledger.store import Store
from loyalty.v1.ledger_service_pb2 import (
    BatchPostRequest,
    BatchPostResponse,
    BatchResult,
    PostDocumentRequest,
    Posting,
)
from loyalty.v1.types_pb2 import Document
from server import database, logs
from server.config import load
from server.identity_key import identity_key

MEASURES: Final = ("floor", "floor_plain")
"""With ten rules, and without any."""
AT_ONCE: Final = 512
"""Documents in a commit, as the writer's largest batch."""
WARM: Final = 4
SAMPLES: Final = 20
LANE: Final = 0
_RESULT: Final = tag_of(BatchPostResponse, "results")
_POSTING: Final = tag_of(BatchResult, "posting")


@dataclass(frozen=True, slots=True)
class Options:
    """What the process is told."""

    url: str
    data_dir: str
    """Where the ledger's identity key is."""
    at: int
    """When the documents occur, in seconds since the epoch: that says which policy holds."""


class Example(NamedTuple):
    """What the ledger made of one document."""

    facts: list[AnyFact]
    occurred_at: Instant
    answer: Posting
    command: bytes


async def measured(options: Options) -> dict[str, float]:
    """CPU microseconds and events of a document; what PostgreSQL needs comes on top."""
    key = identity_key(load(database_url=options.url, data_dir=Path(options.data_dir)))
    async with await database.pool(options.url, max_size=6) as pool:
        async with preparing(pool, key) as ledger:
            examples = await _examples(ledger, options.at)
        store = await Store.open(pool)
        writing = _Writing(store, (await store.heads())[LANE], examples, IdentityHash(key))
        bodies = _bodies(options.at)
        for _ in range(WARM):
            await writing.commit(_joined(bodies))
        spent = [await writing.commit(_joined(bodies)) for _ in range(SAMPLES)]
        await store.drop_sessions()
    events = sum(len(example.facts) for example in examples) / len(examples)
    return {"cpu_us": 1e6 * median(spent) / AT_ONCE, "events": events}


def _bodies(at: int) -> Iterator[bytes]:
    return baskets.bodies(baskets.batch_items(at), count().__next__)


def _joined(bodies: Iterator[bytes]) -> bytes:
    return b"".join(islice(bodies, AT_ONCE))


async def _examples(ledger: Ledger, at: int) -> list[Example]:
    """What the ledger makes of one document of each basket, each of another member."""
    asked = b"".join(islice(_bodies(at), len(baskets.batch_items(at))))
    requests = [item.post_document for item in BatchPostRequest.FromString(asked).items]
    for result in await ledger.write_batch(requests, client=CLIENT):
        if not isinstance(result, Answer):
            raise result
    return [await _example(ledger.reading, request.document) for request in requests]


async def _example(store: Store, document: Document) -> Example:
    thing = document_thing(baskets.UNIT, document.source, document.document_id)
    [row] = await store.find_keys([act_key(thing, document.version)], [])
    stream = await store.stream_events(row.stream)
    events = [event for event in stream if event.version >= (row.first_version or 0)]
    facts = [decode(event.payload) for event in events]
    answer, command = Posting.FromString(row.answer or b""), row.command or b""
    return Example(facts, events[0].occurred_at, answer, command)


class _Writing:
    """Writes batches into a lane, one commit after the other."""

    def __init__(
        self, store: Store, head: Head, examples: Sequence[Example], hashed: IdentityHash
    ) -> None:
        self._store = store
        self._head = head
        self._examples = cycle(examples)
        self._hashed = hashed
        self._recorded_at = head.last_recorded_at

    async def commit(self, body: bytes) -> float:
        """Write the documents of a BatchPostRequest; CPU seconds of this thread."""
        began = thread_time()
        batch = AppendBatch(expected={LANE: self._head.next_pos})
        request = BatchPostRequest.FromString(body)
        answers = [self._write(item.post_document, batch) for item in request.items]
        self._head = Head(self._head.next_pos + len(batch.events), self._recorded_at)
        batch.recorded_at = {LANE: self._recorded_at}
        if await self._store.append(batch) is not None:
            raise RuntimeError("another process writes in this lane")
        b"".join(answers)
        return thread_time() - began

    def _write(self, request: PostDocumentRequest, batch: AppendBatch) -> bytes:
        """Bytes of the BatchResult; the events and both keys go into the batch."""
        example = next(self._examples)
        document = request.document.SerializeToString()
        content = sha256(document + request.origin.SerializeToString())
        of_document = content.digest()
        content.update(self._hashed.of(request.member.identity))
        stream = DOCUMENT + request.request_id
        for version, fact in enumerate(example.facts, 1):
            self._append(batch, stream, version, fact, example.occurred_at)
        message = Posting()
        message.CopyFrom(example.answer)
        answer = message.SerializeToString()
        key, last = act_key(stream, 1), len(example.facts)
        told = (LANE, stream, 1, last)
        batch.keys.append(KeyRow(key, example.command, of_document, answer, None, *told))
        of_request = request_key(CLIENT, request.request_id)
        batch.keys.append(KeyRow(of_request, None, content.digest(), None, key, *told))
        return nested(_RESULT, nested(_POSTING, answer))

    def _append(
        self, batch: AppendBatch, stream: str, version: int, fact: AnyFact, occurred_at: Instant
    ) -> None:
        self._recorded_at += 1
        made = type(fact)()
        made.CopyFrom(fact)  # type: ignore[arg-type]
        pos = self._head.next_pos + len(batch.events)
        place = (LANE, pos, stream, version, *columns_of(made))
        batch.events.append(sealed((*place, occurred_at, self._recorded_at), encode(made)))


def main(arguments: Sequence[str]) -> None:
    """Run the process; one line of JSON tells what was seen."""
    logs.configure("warning")
    search_seldom()
    print(json.dumps(uvloop.run(measured(Options(**json.loads(arguments[0]))))), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

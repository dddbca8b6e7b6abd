"""What the ledger itself says of the demo's year, read from its stored events and projections."""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import asyncpg

from ledger.core.events import KIND_NUMBER, decode
from ledger.lanes import account_of
from loyalty.v1.events_pb2 import DocumentPosted
from loyalty.v1.types_pb2 import DOCUMENT_KIND_ACTIVITY, DOCUMENT_STATUS_CANCELLED
from projections import PROJECTIONS
from projections.projection import Positions
from projections.reading import reached
from server.demo.rewarding import Rewarding
from server.demo.sources import major

CATCH_UP_SECONDS: Final = 120.0
_FETCH: Final = 5_000

_DOCUMENTS: Final = "SELECT stream, payload FROM event WHERE kind = $1 ORDER BY lane, pos"
_HEADS: Final = "SELECT lane, next_pos FROM lane"


@dataclass(slots=True)
class Recorded:
    """A unit's documents as the log has them; `net` of their latest versions, in major units."""

    of_members: int = 0
    of_guests: int = 0
    activities: int = 0
    versions: int = 0
    net: Decimal = Decimal(0)


def _net(document: DocumentPosted) -> int:
    if document.document.status == DOCUMENT_STATUS_CANCELLED:
        return 0
    return sum(line.net_minor_units for line in document.document.lines)


async def recorded_documents(
    connection: asyncpg.Connection, rewarding: Rewarding
) -> dict[str, Recorded]:
    """Count and add up all documents in the log, by business unit; `rewarding` reads along."""
    heads: dict[tuple[str, str, str], tuple[int, int]] = {}
    found: dict[str, Recorded] = defaultdict(Recorded)
    async with connection.transaction(readonly=True):
        kind = KIND_NUMBER["document_posted"]
        async for stream, payload in connection.cursor(_DOCUMENTS, kind, prefetch=_FETCH):
            fact = decode(payload)
            assert isinstance(fact, DocumentPosted), "the kind column says so"
            unit = fact.business_unit
            recorded = found[unit]
            recorded.versions += 1
            key = (unit, fact.document.source, fact.document.document_id)
            rewarding.add(key, stream, fact)
            if key not in heads:
                _count(recorded, fact, of_member=bool(account_of(stream)))
            head = heads.get(key, (0, 0))
            heads[key] = max(head, (fact.document.version, _net(fact)))
    for (unit, *_), (_, net) in heads.items():
        found[unit].net += major(net)
    return dict(found)


def _count(recorded: Recorded, fact: DocumentPosted, *, of_member: bool) -> None:
    if fact.document.kind == DOCUMENT_KIND_ACTIVITY:
        recorded.activities += 1
    elif of_member:
        recorded.of_members += 1
    else:
        recorded.of_guests += 1


async def caught_up(connection: asyncpg.Connection) -> Positions:
    """Wait until every projection has seen all that is in the log; the positions of its end.

    Raises:
        Behind: one of them does not get there in two minutes.
    """
    heads: Positions = {row["lane"]: row["next_pos"] for row in await connection.fetch(_HEADS)}
    for projection in PROJECTIONS:
        await reached(connection, projection.name, heads, seconds=CATCH_UP_SECONDS)
    return heads

"""Filling a fresh ledger: policies and members, as a process of its own: python -m bench.seeding.

Members are enrolled through the ledger's write path, without gRPC in front: only what is measured
later needs to come over the wire.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import asyncpg
import uvloop

from bench.baskets import SCHEME, UNIT, card_of
from bench.policies import TEN_RULES, WITHOUT_RULES
from ledger.act import Answer
from ledger.service import Ledger, LedgerSettings
from loyalty.v1.member_service_pb2 import EnrolMemberRequest
from loyalty.v1.programme_service_pb2 import PublishPolicyRequest
from loyalty.v1.types_pb2 import Identity, Origin
from server import database, logs
from server.config import load
from server.identity_key import identity_key

CLIENT: Final = "seeding"
AT_ONCE: Final = 2_000
IN_FLIGHT: Final = 2


@dataclass(frozen=True, slots=True)
class SeedOptions:
    """What the process is told."""

    url: str
    data_dir: str
    members: int

    def as_json(self) -> str:
        """For the command line of the process."""
        return json.dumps(asdict(self))


@asynccontextmanager
async def preparing(pool: asyncpg.Pool, key: bytes) -> AsyncIterator[Ledger]:
    """A ledger with the identity key of the one that is measured, before or beside that."""
    # The cache would only hold what the measured server is to read for itself.
    # Both policies are the benchmark's own, and nobody is there to approve the second one.
    settings = LedgerSettings(identity_key=key, cache_accounts=1_000, approval_required=False)
    ledger = await Ledger.open(pool, settings)
    try:
        yield ledger
    finally:
        await ledger.close()


async def seed(options: SeedOptions) -> None:
    """Publish both policies and enrol the members; a line on stdout for every so many."""
    key = identity_key(load(database_url=options.url, data_dir=Path(options.data_dir)))
    async with (
        await database.pool(options.url, max_size=6) as pool,
        preparing(pool, key) as ledger,
    ):
        await _publish(ledger)
        chunks = iter(range(0, options.members, AT_ONCE))

        async def enrol() -> None:
            for start in chunks:
                await _enrol(ledger, range(start, min(start + AT_ONCE, options.members)))
                print(min(AT_ONCE, options.members - start), flush=True)

        await asyncio.gather(*(enrol() for _ in range(IN_FLIGHT)))


async def _publish(ledger: Ledger) -> None:
    for number, document in enumerate((WITHOUT_RULES, TEN_RULES), 1):
        request = PublishPolicyRequest(
            request_id=f"policy-{number}", document=document, allow_retroactive=True
        )
        await ledger.write(request, client=CLIENT)


async def _enrol(ledger: Ledger, members: range) -> None:
    requests = [
        EnrolMemberRequest(
            request_id=f"member-{member}",
            origin=Origin(business_unit=UNIT),
            identities=[Identity(scheme=SCHEME, value=card_of(member).decode())],
        )
        for member in members
    ]
    for result in await ledger.write_batch(requests, client=CLIENT):
        if not isinstance(result, Answer):
            raise result


def main(arguments: Sequence[str]) -> None:
    """Run the process."""
    logs.configure("warning")
    uvloop.run(seed(SeedOptions(**json.loads(arguments[0]))))


if __name__ == "__main__":
    main(sys.argv[1:])

"""A member of twenty years beside a new one: python -m bench.old_member '{"url": …}'.

The old one has twenty years of documents, closed lots that a replay must still know, and as many
open lots as an account may have. What a till asks for must not feel any of that.
"""

import json
import statistics
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Final

import uvloop

from ledger.act import Answer
from ledger.clock import SystemClock
from ledger.core.instant import DAY, SECOND, to_timestamp
from ledger.garbage import search_seldom
from ledger.service import Ledger, LedgerSettings
from ledger.writes import WriteRequest
from loyalty.v1.account_service_pb2 import ListEntriesRequest
from loyalty.v1.ledger_service_pb2 import (
    BurnPointsRequest,
    PostDocumentRequest,
    Posting,
    ReverseEntryRequest,
)
from loyalty.v1.member_service_pb2 import EnrolMemberRequest
from loyalty.v1.programme_service_pb2 import PublishPolicyRequest
from loyalty.v1.types_pb2 import (
    DOCUMENT_KIND_SALE,
    DOCUMENT_STATUS_FINAL,
    Document,
    DocumentLine,
    Identity,
    MemberRef,
    Origin,
    Points,
)
from server.database import pool

POLICY: Final = """
schema: loyalty.policy/v1
programme: old
version: 1
effective_from: 2000-01-01T00:00:00Z
zone: UTC
currencies: [{id: p, role: spendable}]
business_units: [{id: a, zone: UTC, currency: EUR, point_value: "0.01 EUR"}]
categories: [food]
earn:
  - {kind: base, id: base, currency: p, rate: {points: 1, per: "1.00 EUR"}}
redemptions:
  - {id: pay, currency: p}
"""
CLIENT: Final = "bench"
PAGE: Final = 500
OPEN_MAX: Final = 9_000
"""So many lots are open at most while the history is made, before a burn closes them."""
SAMPLES: Final = 100
ASKED: Final = ("account", "sale", "burn", "burn_and_reversal", "entries")
MEASURES: Final = ("old_first_read", *(f"{who}_{what}" for who in ("old", "new") for what in ASKED))
"""What is told, in milliseconds."""
YEARS: Final = 20
_KEY: Final = bytes(range(32))


@dataclass(slots=True)
class Bench:
    """A ledger, and requests that differ from each other by a number."""

    ledger: Ledger
    number: int = 0

    def next(self) -> str:
        """An id that was not used yet."""
        self.number += 1
        return f"n{self.number}"

    async def enrol(self, card: str) -> MemberRef:
        """A member known by a card."""
        identity = Identity(scheme="card", value=card)
        enrol = EnrolMemberRequest(
            request_id=self.next(), origin=Origin(business_unit="a"), identities=[identity]
        )
        await self.ledger.write(enrol, client=CLIENT)
        return MemberRef(identity=identity)

    def sale(self, member: MemberRef, occurred_at: int) -> PostDocumentRequest:
        """A sale worth ten points."""
        number = self.next()
        return PostDocumentRequest(
            request_id=number,
            origin=Origin(business_unit="a", occurred_time=to_timestamp(occurred_at)),
            member=member,
            document=Document(
                source="till",
                document_id=number,
                version=1,
                kind=DOCUMENT_KIND_SALE,
                status=DOCUMENT_STATUS_FINAL,
                currency_code="EUR",
                lines=[DocumentLine(line_id="1", category="food", net_minor_units=1000)],
            ),
        )

    def burn(self, member: MemberRef, points: int) -> BurnPointsRequest:
        """A burn of so many points."""
        return BurnPointsRequest(
            request_id=self.next(),
            origin=Origin(business_unit="a"),
            member=member,
            points=Points(currency="p", amount=points),
        )

    async def write(self, request: WriteRequest) -> Posting:
        """Record it."""
        answer = await self.ledger.write(request, client=CLIENT)
        assert isinstance(answer.message, Posting)
        return answer.message


async def aged(bench: Bench, member: MemberRef, *, closed: int, opened: int) -> None:
    """Give a member so many closed and so many open lots, over twenty years."""
    every = closed + opened
    now = SystemClock().now() - SECOND
    step = YEARS * 365 * DAY // every
    standing = done = 0
    while done < every:
        size = min(PAGE, every - done)
        sales = [bench.sale(member, now - (every - done - n) * step) for n in range(size)]
        for answer in await bench.ledger.write_batch(sales, client=CLIENT):
            assert isinstance(answer, Answer), answer
        done, standing = done + size, standing + size
        if standing > OPEN_MAX or done == every:
            close = standing - (opened if done == every else 0)
            if close > 0:
                await bench.write(bench.burn(member, 10 * close))
                standing -= close


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    """Milliseconds, the median of many."""
    spent = []
    for _ in range(SAMPLES):
        began = perf_counter()
        await work()
        spent.append(perf_counter() - began)
    return 1000 * statistics.median(spent)


async def asked(bench: Bench, member: MemberRef) -> dict[str, float]:
    """Milliseconds of what tills and apps ask for."""

    async def reversal() -> None:
        burned = await bench.write(bench.burn(member, 15))
        origin = Origin(business_unit="a")
        await bench.write(
            ReverseEntryRequest(request_id=bench.next(), origin=origin, entry_id=burned.entry_id)
        )

    return {
        "account": await timed(lambda: bench.ledger.reads.account(member)),
        "sale": await timed(lambda: bench.write(bench.sale(member, SystemClock().now() - SECOND))),
        "burn": await timed(lambda: bench.write(bench.burn(member, 15))),
        "burn_and_reversal": await timed(reversal),
        # After the others: before them the newest entry is one burn of thousands of lots.
        "entries": await timed(
            lambda: bench.ledger.reads.entries(ListEntriesRequest(member=member, page_size=20))
        ),
    }


async def measured(url: str, *, closed: int, opened: int) -> dict[str, float]:
    """Milliseconds by what was asked, of the old member and of a new one, and a cold start."""
    settings = LedgerSettings(identity_key=_KEY, approval_required=False)
    connections = await pool(url)
    try:
        bench = Bench(await Ledger.open(connections, settings))
        publish = PublishPolicyRequest(request_id="policy", document=POLICY)
        await bench.ledger.write(publish, client=CLIENT)
        old, new = await bench.enrol("old"), await bench.enrol("new")
        await aged(bench, old, closed=closed, opened=opened)
        await aged(bench, new, closed=0, opened=200)
        told = {f"old_{name}": spent for name, spent in (await asked(bench, old)).items()}
        told |= {f"new_{name}": spent for name, spent in (await asked(bench, new)).items()}
        await bench.ledger.close()
        bench.ledger = await Ledger.open(connections, settings)
        began = perf_counter()
        await bench.ledger.reads.account(old)
        told["old_first_read"] = 1000 * (perf_counter() - began)
        await bench.ledger.close()
    finally:
        await connections.close()
    return told


def main(arguments: Sequence[str]) -> None:
    """Run the process; one line of JSON tells what was seen."""
    search_seldom()
    print(json.dumps(uvloop.run(measured(**json.loads(arguments[0])))), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

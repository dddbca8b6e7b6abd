"""A day's files through an adapter into a ledger: python -m bench.importing '{"url": …}'.

A file of tickets and one of stays, written here, go the whole way: cut, kept in the inbox, read and
posted to a ledger in a process of its own.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter
from typing import Final

import grpc
import uvloop

from adapters.frame import database
from adapters.frame.adapter import Connection
from adapters.frame.connections import connection_of, settings_models
from adapters.frame.importing import bring_in
from adapters.frame.mapping import parse
from adapters.frame.settings import load
from loyalty.v1.programme_service_pb2 import PublishPolicyRequest
from loyalty.v1.programme_service_pb2_grpc import ProgrammeServiceStub
from server.auth import Verb, create_token
from server.database import connect, migrate

MEASURES: Final = ("import_tickets", "import_stays")
START_SECONDS: Final = 60.0
POLICY: Final = """
schema: loyalty.policy/v1
programme: imports
version: 1
effective_from: 2020-01-01T00:00:00Z
zone: UTC
currencies: [{id: p, role: spendable}]
business_units: [{id: a, zone: UTC, currency: EUR, point_value: "0.01 EUR"}]
categories: [goods]
earn:
  - {kind: base, id: base, currency: p, rate: {points: 1, per: "1.00 EUR"}}
"""
MAPPING: Final = """
schema: loyalty.adapter/v1
system: SYSTEM
connection: SYSTEM
version: 1
places: [{code: store/9, business_unit: a, zone: UTC, currencies: [EUR]},
         {code: hotel/H1, business_unit: a, zone: UTC, currencies: [EUR]}]
categories: [{code: line, category: goods}, {code: category/9, category: goods}]
identities: []
"""


def tickets(count: int) -> Iterator[str]:
    """A log of tickets with ten lines each."""
    yield '<POSLog xmlns="http://www.nrf-arts.org/IXRetail/namespace/">\n'
    lines = "".join(
        f"<LineItem><SequenceNumber>{at}</SequenceNumber><Sale><ItemID>{at:013}</ItemID>"
        f'<MerchandiseHierarchy Level="Department">{at}</MerchandiseHierarchy><Description>A thing'
        " of the shop</Description><RegularSalesUnitPrice>1.99</RegularSalesUnitPrice>"
        "<ExtendedAmount>1.99</ExtendedAmount><Quantity>1</Quantity></Sale></LineItem>"
        for at in range(1, 11)
    )
    for number in range(1, count + 1):
        yield (
            "<Transaction><RetailStoreID>9</RetailStoreID><WorkstationID>1</WorkstationID>"
            f"<SequenceNumber>{number}</SequenceNumber><BusinessDayDate>2026-01-01</BusinessDayDate>"
            "<EndDateTime>2026-01-01T12:00:00</EndDateTime><CurrencyCode>EUR</CurrencyCode>"
            f"<RetailTransaction>{lines}"
            '<Total TotalType="TransactionGrandAmount">19.90</Total></RetailTransaction>'
            "</Transaction>\n"
        )
    yield "</POSLog>\n"


def stays(count: int) -> Iterator[str]:
    """A message of stays with five nights each."""
    yield (
        '<OTA_HotelStayInfoNotifRQ xmlns="http://www.opentravel.org/OTA/2003/05"'
        ' TimeStamp="2026-01-07T04:00:00Z"><StayInfos ChainCode="C" HotelCode="H1">\n'
    )
    details = "".join(
        f'<RevenueDetail TransactionDate="2026-01-0{day}" PMSRevenueCode="11" Amount="99.00"'
        ' CurrencyCode="EUR"><FolioIDs><FolioID>1</FolioID></FolioIDs></RevenueDetail>'
        for day in range(1, 6)
    )
    for number in range(1, count + 1):
        yield (
            '<StayInfo><RevenueCategories><RevenueCategory RevenueCategoryCode="9"><RevenueDetails>'
            f"{details}</RevenueDetails></RevenueCategory></RevenueCategories>"
            f'<ReservationID Type="14" ID="{number}"/><HotelReservation><RoomStays><RoomStay>'
            '<RoomRates><RoomRate><Rates><Rate EffectiveDate="2026-01-01" ExpireDate="2026-01-06"/>'
            "</Rates></RoomRate></RoomRates></RoomStay></RoomStays></HotelReservation></StayInfo>\n"
        )
    yield "</StayInfos></OTA_HotelStayInfoNotifRQ>\n"


def connection(system: str) -> Connection:
    """The connection of a system under the mapping of the benchmark."""
    text = MAPPING.replace("SYSTEM", system)
    return connection_of(parse(text, system, settings_models()), None)


async def measure(url: str, folder: Path, counts: dict[str, int]) -> dict[str, float]:
    """Bring in a file of each sort; how many a second went the whole way."""
    await migrate(url)
    await database.migrate(url)
    token = await _token(url)
    found: dict[str, float] = {}
    async with _ledger(url, folder, token) as address:
        settings = load(ledger=address)
        for name, system, made in (
            ("import_tickets", "poslog", tickets(counts["tickets"])),
            ("import_stays", "ota", stays(counts["stays"])),
        ):
            file = folder / f"{system}.xml"
            with file.open("w", encoding="utf-8") as out:
                out.writelines(made)
            began = perf_counter()
            done = await bring_in(
                [file],
                connection(system),
                settings,
                dsn=url,
                token=token,
                advanced=lambda *_: None,
            )
            spent = perf_counter() - began
            posted = sum(done.subjects.values())
            if not done.is_whole or posted != counts[name.removeprefix("import_")]:
                raise RuntimeError(f"{name}: {done}")
            found[name] = posted / spent
    return found


async def _token(url: str) -> str:
    session = await connect(url, role=None)
    try:
        verbs = [verb.value for verb in Verb]
        return await create_token(session, name="import", business_units=["*"], verbs=verbs)
    finally:
        await session.close()


@asynccontextmanager
async def _ledger(url: str, folder: Path, token: str) -> AsyncIterator[str]:
    """A ledger as `loyalty serve` starts it, with the policy."""
    settings = {
        "DATABASE_URL": url,
        "LOYALTY_DATA_DIR": str(folder / "data"),
        "LOYALTY_LISTEN": "127.0.0.1:0",
        "LOYALTY_METRICS_LISTEN": "off",
        "LOYALTY_LOG_LEVEL": "error",
        "PYTHONPATH": ":".join(filter(None, sys.path)),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from server.cli import app; app()",
        "serve",
        env={**os.environ, **settings},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), START_SECONDS)
        address: str = json.loads(line)["grpc"]
        async with grpc.aio.insecure_channel(address) as channel:
            await ProgrammeServiceStub(channel).PublishPolicy(
                PublishPolicyRequest(request_id="p", document=POLICY, allow_retroactive=True),
                metadata=(("authorization", f"Bearer {token}"),),
            )
        yield address
    finally:
        process.terminate()
        await process.wait()


if __name__ == "__main__":
    _asked = json.loads(sys.argv[1])
    _url, _folder = _asked.pop("url"), Path(_asked.pop("folder"))
    print(json.dumps(uvloop.run(measure(_url, _folder, _asked))))

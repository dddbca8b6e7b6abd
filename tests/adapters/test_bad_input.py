"""Every cell of docs/adapters/bad-input.md: bad input goes through the real door and translation,
and what becomes of it has to be what the page says.
"""

import importlib
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from starlette.applications import Starlette
from structlog.testing import capture_logs

from adapters.frame.connections import systems
from adapters.frame.translating import as_data
from adapters.frame.words import Delivery, Statement
from loyalty.v1.programme_service_pb2 import PublishPolicyRequest
from tests.adapters.rig import Rig, lines_of, rig, vendor
from tests.adapters.spoilt import case
from tests.adapters.spoilt.case import System, verdict
from tests.server.served import POLICY, Caller, Served

PAGE = Path(__file__).resolve().parents[2] / "docs" / "adapters" / "bad-input.md"
SYSTEMS: Mapping[str, System] = {
    name: importlib.import_module(f"tests.adapters.spoilt.{name}").SYSTEM for name in systems()
}
ROWS = [text for name, text in vars(case).items() if name.isupper() and isinstance(text, str)]
IN_DATABASE = (case.AGAIN, case.REUSED, case.STRANGER)
NONE = "—"
WEB = "  - {id: web,"
CHINA = '  - {id: china, zone: Asia/Shanghai, currency: CNY, point_value: "0.01 CNY"}\n'
"""Youzan sells in yuan, for which the policy has no unit."""
ADDRESSES = re.compile(r"https://(connect\.squareup\.com|(api\.mews|apaleo|opera)\.example)")


def table() -> dict[str, dict[str, str]]:
    """The page's cells by row and system; code marks are for the eye."""
    found: dict[str, dict[str, str]] = {}
    heads: list[str] = []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if not line.startswith("|"):
            heads = []
            continue
        first, *cells = (cell.strip().replace("`", "") for cell in line.strip("|").split("|"))
        if not heads:
            heads = [first, *(cell.lower() for cell in cells)]
        elif heads[0] == "what comes" and set(first) != {"-"}:
            assert first not in found, f"{first} stands there twice"
            found[first] = dict(zip(heads[1:], cells, strict=True))
    return found


TABLE = table()


def said(row: str, system: str) -> str:
    return TABLE.get(row, {}).get(system, "the page has no such cell")


def test_the_page_has_every_row_and_every_system() -> None:
    assert list(TABLE) == ROWS
    assert all(sorted(cells) == sorted(SYSTEMS) for cells in TABLE.values())


def test_what_a_system_does_not_have_is_said_with_its_reason_and_nothing_else_is_left_out() -> None:
    reasons = set(re.findall(r"^\* (\w): ", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    used = set()
    for row, cells in TABLE.items():
        for name, cell in cells.items():
            tried = row in SYSTEMS[name].spoilt or row in IN_DATABASE
            assert tried != cell.startswith(NONE), (row, name)
            if cell.startswith(NONE):
                used.add(cell.removeprefix(NONE).strip())
    assert used == reasons


@pytest.mark.parametrize("name", sorted(SYSTEMS))
async def test_the_good_input_counts(name: str) -> None:
    system = SYSTEMS[name]
    word, results = await verdict(system, system.good())
    assert word == "posted", results


@pytest.mark.parametrize(
    ("row", "name"),
    [
        (row, name)
        for row in ROWS
        if row not in IN_DATABASE
        for name in SYSTEMS
        if row in SYSTEMS[name].spoilt
    ],
)
async def test_a_cell(row: str, name: str) -> None:
    system = SYSTEMS[name]
    spoilt = system.spoilt[row]()
    with capture_logs() as logs:
        word, results = await verdict(system, spoilt)
    assert word == said(row, name), [as_data(result) for result in results]
    _, (good,) = await verdict(system, system.good())
    assert isinstance(good, Statement)
    told = spoilt.holds or (lambda stated: lines_of(stated) == lines_of(good))
    assert all(told(each) for each in results if isinstance(each, Statement))
    shown = f"{logs} {[as_data(result) for result in results if isinstance(result, Exception)]}"
    assert not [secret for secret in system.secrets.values() if f"{secret}'" in shown]


@pytest.fixture
async def strangers(served: Served) -> AsyncIterator[Caller]:
    """A client of a ledger without members, with a policy that has units for all systems."""
    policy = POLICY.read_text(encoding="utf-8").replace(WEB, f"{CHINA}{WEB}")
    async with served.caller(await served.token("till")) as client:
        await client.programme.PublishPolicy(
            PublishPolicyRequest(request_id="p-1", document=policy, allow_retroactive=True)
        )
        yield client


@pytest.fixture
async def all_of_them(served: Served, strangers: Caller, tmp_path: Path) -> AsyncIterator[Rig]:
    """One adapter process with a connection to every system, and its vendors' APIs."""
    apis = [made.api for made in (system.good() for system in SYSTEMS.values()) if made.api]
    app = Starlette(routes=[route for api in apis for route in api.routes])
    mappings, secrets = tmp_path / "mappings", tmp_path / "secrets"
    mappings.mkdir()
    secrets.mkdir()
    async with vendor(app) as address:
        for name, system in SYSTEMS.items():
            text = ADDRESSES.sub(address, system.mapping)
            if name == "youzan":
                text = text.replace("business_unit: web", "business_unit: china")
            (mappings / f"{name_of(system)}.yaml").write_text(text, encoding="utf-8")
            for secret, value in system.secrets.items():
                file = secrets / f"{name_of(system)}.{secret}"
                file.write_text(value, encoding="utf-8")
        shop = SYSTEMS["shopify"]
        async with rig(served, strangers, tmp_path, shop.mapping, shop.secrets) as running:
            yield running


def name_of(system: System) -> str:
    (name,) = re.findall(r"^connection: (\S+)$", system.mapping, re.MULTILINE)
    return str(name)


async def send(at: Rig, system: System, delivery: Delivery) -> None:
    """Send it to the door, or into the inbox as a pull does."""
    if delivery.pulled:
        bare = Delivery(delivery.body, delivery.headers, pulled=True)
        await at.serving.inbox.keep(name_of(system), "", bare)
        return
    at.name = name_of(system)
    path = f"/{delivery.path}" if delivery.path else ""
    answer = await at.post(delivery.body, delivery.headers, path)
    assert answer.status_code == 200


@pytest.mark.database
async def test_what_is_known_by_its_id_and_whom_nobody_knows(all_of_them: Rig) -> None:
    at = all_of_them
    found: dict[tuple[str, str], str] = {}
    for name, system in SYSTEMS.items():
        first, other = system.spoilt[case.REUSED]().sent
        await send(at, system, first)
        before = len(await at.deliveries())
        await send(at, system, first)
        after = await at.deliveries()
        found[case.AGAIN, name] = "200 duplicate" if len(after) == before else "200 accepted"
        await send(at, system, other)
        last = (await at.deliveries())[-1]
        assert last["body"] == other.body
        found[case.REUSED, name] = f"{last['state']} {last['reason']}".removeprefix("new ")
        found[case.REUSED, name] = found[case.REUSED, name] or "200 accepted"
    await at.work()
    rows = await at.pool.fetch("SELECT * FROM adapters.subject ORDER BY connection, subject")
    for name, system in SYSTEMS.items():
        told = [row for row in rows if row["connection"] == name_of(system) and row["document"]]
        found[case.STRANGER, name] = " + ".join(f"{row['state']} {row['reason']}" for row in told)
    assert found == {(row, name): said(row, name) for row, name in found}

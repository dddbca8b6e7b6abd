"""Files brought in: cut without being held whole, counted once however often they come."""

import asyncio
import io
import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapters.frame import database
from adapters.frame.cutting import PIECES_MAX, cut
from adapters.frame.importing import Imported, bring_in, messages_of
from adapters.frame.settings import load
from adapters.frame.words import Unreadable
from adapters.ota import ADAPTER as OTA
from adapters.poslog import ADAPTER as POSLOG
from server.cli import app
from tests.adapters import hotel, till_log
from tests.adapters.rig import connection, rig, translate
from tests.adapters.till_log import control, log, member, sold, ticket, totals
from tests.server.served import Caller, Served

MOST = 100_000


def pieces(body: bytes, name: str = "Transaction", most: int = MOST) -> list[bytes]:
    return list(cut(io.BytesIO(body), name, most=most))


def tickets(count: int) -> list[str]:
    return [
        ticket(sold(1, "5.00"), member(), totals("5.00"), number=at) for at in range(1, count + 1)
    ]


class Drops(io.BytesIO):
    """A file that gives a few bytes at a time, so that every seam is tried."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(7 if size is None or size < 0 or size > 7 else size)


# --- cutting -----------------------------------------------------------------------------------


def test_a_file_is_cut_into_messages_that_mean_the_same() -> None:
    body = log(*tickets(2 * PIECES_MAX + 1))
    made = pieces(body)
    assert len(made) == 3
    whole = translate(till_log.mapping(), body, content_type="application/xml")
    cut_up = translate(till_log.mapping(), *made, content_type="application/xml")
    assert whole == cut_up
    assert len(whole) == 2 * PIECES_MAX + 1
    assert list(cut(Drops(body), "Transaction", most=MOST)) == made, "wherever it is read"


def test_elements_keep_what_they_stand_in() -> None:
    told = hotel.message(hotel.stay(number="R1"), hotel.stay(number="R2"))
    other = hotel.message(hotel.stay(number="R3"), hotel="LIS02")
    inside = other[other.index(b"<StayInfos") : other.index(b"</OTA_")]
    both = hotel.soap(told.replace(b"</OTA_", inside + b"</OTA_", 1))
    made = pieces(both, "StayInfo")
    assert len(made) == 2
    names = translate(hotel.mapping(), *made, content_type="text/xml")
    assert list(names) == ["stay/HB/LIS01/R1/-", "stay/HB/LIS01/R2/-", "stay/HB/LIS02/R3/-"]


def test_an_empty_element_an_odd_attribute_and_another_charset_are_cut_rightly() -> None:
    body = '<?xml version="1.0" encoding="iso-8859-1"?><a n="ä&gt;"><T v="x>y"/><T>ö</T></a>'
    (made,) = pieces(body.encode("iso-8859-1"), "T")
    assert made.decode("iso-8859-1") == body


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (log(*tickets(3))[:-20], "no XML"),
        (b'<!DOCTYPE a [<!ENTITY b "b">]><POSLog/>', "document type"),
        (b"<a>" * 40 + b"</a>" * 40, "deeper"),
        (b"<a><Transaction>" + b"x" * 900_000 + b"</Transaction></a>", "more than"),
        ("<a/>".encode("utf-16"), "UTF-16"),
        (b"no xml", "no XML"),
    ],
)
def test_what_cannot_be_cut_is_refused(body: bytes, problem: str) -> None:
    with pytest.raises(Unreadable, match=problem):
        pieces(body)


def test_what_came_before_the_cut_was_returned() -> None:
    body = log(*tickets(PIECES_MAX + 2))
    taken = cut(Drops(body[:-20]), "Transaction", most=MOST)
    assert next(taken) == pieces(body)[0]
    with pytest.raises(Unreadable):
        list(taken)


def test_a_file_without_such_elements_is_one_message() -> None:
    assert list(messages_of(io.BytesIO(b"<OTA_HotelResRQ/>"), OTA)) == [b"<OTA_HotelResRQ/>"]
    large = io.BytesIO(b"<a>" + b" " * OTA.body_max + b"</a>")
    with pytest.raises(Unreadable, match="one message"):
        list(messages_of(large, OTA))


# --- importing ---------------------------------------------------------------------------------


async def brought(
    served: Served, folder: Path, token: str, *files: Path, mapping: str = ""
) -> Imported:
    made = connection(mapping or till_log.mapping())
    settings = load(ledger=served.address, mappings=folder, secrets=folder)
    await database.migrate(served.dsn)
    seen: dict[str, int] = {}

    def advanced(what: str, more: int, total: int) -> None:
        seen[what] = seen.get(what, 0) + more
        assert seen[what] <= total or what == "posting"

    done = await bring_in(files, made, settings, dsn=served.dsn, token=token, advanced=advanced)
    assert seen.get("reading", 0) == sum(file.stat().st_size for file in files)
    return done


@pytest.mark.database
async def test_a_days_file_counts_once_however_often_it_comes(
    served: Served, caller: Caller, tmp_path: Path
) -> None:
    async with rig(served, caller, tmp_path, till_log.mapping(), {}) as at:
        await at.enrol("card", "M1", unit="market")
        token = (tmp_path / "token").read_text(encoding="utf-8")
        file = tmp_path / "day.xml"
        till_log.write_day(file, 250, members=2)
        done = await brought(served, tmp_path, token, file)
        assert done.is_whole
        assert (done.messages, done.known, done.items) == (3, 0, {"taken": 250})
        assert sum(done.subjects.values()) == 250
        points, documents = await at.points("card", "M1"), await at.documents()
        assert points == 125 * 5
        again = await brought(served, tmp_path, token, file)
        assert (again.messages, again.known, again.is_whole) == (3, 3, True)
        assert await at.points("card", "M1") == points
        assert await at.documents() == documents == 250


@pytest.mark.database
async def test_a_file_that_is_cut_goes_on_where_it_stopped_when_it_comes_whole(
    served: Served, caller: Caller, tmp_path: Path
) -> None:
    async with rig(served, caller, tmp_path, till_log.mapping(), {}) as at:
        await at.enrol("card", "M1", unit="market")
        token = (tmp_path / "token").read_text(encoding="utf-8")
        file = tmp_path / "day.xml"
        body = log(*tickets(PIECES_MAX + 5), control(200))
        file.write_bytes(body[:-200])
        half = await brought(served, tmp_path, token, file)
        assert not half.is_whole
        assert "no XML" in half.problems[0]
        file.write_bytes(body)
        whole = await brought(served, tmp_path, token, file)
        assert whole.is_whole
        assert await at.points("card", "M1") == 5 * (PIECES_MAX + 5)
        assert whole.gaps == ["store 9, 2026-03-01, workstation 1: 106 to 199 are missing"]


@pytest.mark.database
async def test_what_is_parked_or_dead_is_told_and_settled_by_the_next_mapping(
    served: Served, caller: Caller, tmp_path: Path
) -> None:
    async with rig(served, caller, tmp_path, till_log.mapping(), {}):
        token = (tmp_path / "token").read_text(encoding="utf-8")
        file = tmp_path / "day.xml"
        bad = ticket(sold(1, "5.005"), number=3)
        file.write_bytes(log(*tickets(1), ticket(sold(1, "5.00"), number=2, store="77"), bad))
        done = await brought(served, tmp_path, token, file)
        assert not done.is_whole
        assert done.subjects["parked: unmapped_place"] == 1
        assert done.subjects["dead: unreadable"] == 1
        mended = (
            till_log.mapping().replace("store/10", "store/77").replace("version: 1", "version: 2")
        )
        done = await brought(served, tmp_path, token, file, mapping=mended)
        assert "parked: unmapped_place" not in done.subjects
        assert done.subjects["dead: unreadable"] == 1


@pytest.mark.database
async def test_the_command_tells_what_became_of_a_file(
    served: Served, caller: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(served, caller, tmp_path, till_log.mapping(), {}):
        token = (tmp_path / "token").read_text(encoding="utf-8")
    mapping, file = tmp_path / "tills.yaml", tmp_path / "day.xml"
    mapping.write_text(till_log.mapping(), encoding="utf-8")
    file.write_bytes(log(*tickets(2), control(3)))
    for name, value in (
        ("LOYALTY_TOKEN", token),
        ("LOYALTY_ADAPTERS_LEDGER", served.address),
        ("LOYALTY_ADAPTERS_DATABASE_URL", served.dsn),
    ):
        monkeypatch.setenv(name, value)

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["adapter", "import", *arguments])
        return result.exit_code, result.output

    told = "poslog", str(file), "--mapping", str(mapping)
    code, output = await asyncio.to_thread(run, *told, "--json")
    assert code == 0, output
    assert json.loads(output)["items"] == {"dropped: control": 1, "taken": 2}
    code, output = await asyncio.to_thread(run, "ota", str(file), "--mapping", str(mapping))
    assert code != 0
    file.write_bytes(log(ticket(sold(1, "5.00"), number=9, store="77")))
    code, output = await asyncio.to_thread(run, *told)
    assert code == 1
    assert "unmapped_place" in output
    assert os.fspath(file) not in output
    assert POSLOG.cut_at == "Transaction"

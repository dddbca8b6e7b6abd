"""Opening balances from the command line: brought in, resumed after a kill, proven, and changed."""

import asyncio
import csv
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from server.database import connect
from tests.cli.test_commands import ROOT, data, environment, loyalty, served

__all__ = ["environment", "served"]

HEADER = "row,member,business_unit,currency,points,earned_time,expire_time,tier,tier_until_time\n"
ROWS = (
    "1,card:1,market,point,1200,2016-05-01T00:00:00Z,2099-01-01T00:00:00Z,gold,2099-01-01T00:00:00Z\n"
    "2,card:1,hotel,point,300,2016-06-01T00:00:00Z,,,\n"
    "3,card:2,market,point,0,,,,\n"
)
VERBS = ("--verb", "opening", "--verb", "read")


@pytest.fixture
async def office(served: None, environment: pytest.MonkeyPatch) -> None:
    """The token in the environment is one that may bring balances in."""
    made = data(await loyalty("token", "create", "office", "--unit", "*", *VERBS, "--json"))
    environment.setenv("LOYALTY_TOKEN", str(made["token"]))


@pytest.fixture
async def owner(database: str) -> AsyncIterator[asyncpg.Connection]:
    """Somebody who sees the whole database."""
    connection = await connect(database, role=None)
    yield connection
    await connection.close()


def written(folder: Path, text: str, name: str = "guests.csv") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def listed(file: Path) -> list[list[str]]:
    """Rows of a file that a command wrote, without the names of its columns."""
    return list(csv.reader(file.read_text(encoding="utf-8").splitlines()))[1:]


async def test_a_file_is_tried_brought_in_and_proven(office: None, tmp_path: Path) -> None:
    file = written(tmp_path, HEADER + ROWS)
    words = ("opening", "import", str(file), "--enrol", "--json")
    tried = data(await loyalty(*words, "--dry-run"))
    assert (tried["rows"], tried["recorded"], tried["refused"]) == (3, 3, {})
    nothing = data(await loyalty("opening", "prove", str(file), "--json"), code=1)
    assert (nothing["digest_in_ledger"], nothing["rows_in_ledger"]) == ("", 0)
    done = data(await loyalty(*words))
    assert (done["recorded"], done["replayed"]) == (3, 0)
    again = data(await loyalty(*words))
    assert (again["recorded"], again["replayed"]) == (0, 3)
    proof = data(await loyalty("opening", "prove", str(file), "--json"))
    assert proof["holds"]
    assert proof["verdicts"] == {"exact": 3}
    assert proof["points"] == [
        {"currency": "point", "issuer": "hotel", "in_file": 300, "in_ledger": 300},
        {"currency": "point", "issuer": "market", "in_file": 1200, "in_ledger": 1200},
    ]
    told = listed(tmp_path / "guests.csv.proof.csv")
    assert told == [[str(row + 1), str(row), "exact", ""] for row in (1, 2, 3)]
    shown = await loyalty("opening", "prove", str(file))
    assert "exactly this file" in shown.stdout
    assert "gold" in (await loyalty("tier", "card:1")).stdout


async def test_a_changed_file_is_noticed(office: None, tmp_path: Path) -> None:
    file = written(tmp_path, HEADER + ROWS)
    data(await loyalty("opening", "import", str(file), "--enrol", "--json"))
    written(tmp_path, HEADER + ROWS.replace("300", "3000") + "4,card:9,market,,,,,,\n")
    refused = await loyalty("opening", "import", str(file), "--enrol")
    assert refused.exit_code == 1
    assert "was begun with the file of digest" in refused.stderr
    proof = data(await loyalty("opening", "prove", str(file), "--json"), code=1)
    assert proof["verdicts"] == {"different": 1, "exact": 2, "missing": 1}
    assert proof["digest_of_file"] != proof["digest_in_ledger"]
    told = {row[1]: row for row in listed(tmp_path / "guests.csv.proof.csv")}
    assert told["2"][2] == "different"
    assert "points: 300" in told["2"][3]


async def test_what_is_wrong_in_a_row_is_listed_and_the_others_come_in(
    office: None, tmp_path: Path
) -> None:
    wrong = (
        "5,,market,,,,,,\n"
        "6,card:6,market,point,-5,2016-05-01T00:00:00Z,,,\n"
        "7,card:7,market,point,5,2016-05-01,,,\n"
        "8,card:8,market,pebble,5,2016-05-01T00:00:00Z,,,\n"
        "3,card:2,market,point,0,,,,\n"
    )
    file = written(tmp_path, HEADER + ROWS + wrong)
    tried = await loyalty("opening", "import", str(file), "--enrol", "--dry-run")
    assert tried.exit_code == 1
    assert "line 6: points = '-5': expected a whole number, 0 or more" in tried.stderr
    done = data(await loyalty("opening", "import", str(file), "--enrol", "--json"), code=1)
    assert done["recorded"] == 3
    assert done["refused"] == {"MALFORMED": 4, "UNKNOWN_CURRENCY": 1}
    rejects = listed(tmp_path / "guests.csv.rejects.csv")
    assert [(row[0], row[1], row[2]) for row in rejects] == [
        ("5", "5", "MALFORMED"),
        ("6", "6", "MALFORMED"),
        ("7", "7", "MALFORMED"),
        ("9", "3", "MALFORMED"),
        ("8", "8", "UNKNOWN_CURRENCY"),
    ]
    assert "pebble" in rejects[-1][3]
    misspelt = written(tmp_path, (HEADER + ROWS).replace("points", "pts"), "other.csv")
    refused = await loyalty("opening", "import", str(misspelt))
    assert refused.exit_code == 2
    assert "pts" in refused.stderr


async def test_a_parquet_file_comes_in_too(office: None, tmp_path: Path) -> None:
    file = tmp_path / "guests.parquet"
    columns = {
        "member": ["card:1", "card:2"],
        "business_unit": ["market", "market"],
        "currency": ["point", "point"],
        "points": [5, 7],
        "earned_time": ["2016-05-01", "2016-05-02"],
    }
    pq.write_table(pa.table(columns), file)
    words = ("opening", "import", str(file), "--enrol", "--zone", "Europe/Lisbon", "--json")
    assert data(await loyalty(*words))["recorded"] == 2
    proof = ("opening", "prove", str(file), "--zone", "Europe/Lisbon", "--json")
    assert data(await loyalty(*proof))["holds"]


MANY = 50_000


def many(folder: Path) -> Path:
    """A file of an older programme with 50,000 rows of 30,000 members."""
    file = folder / "many.csv"
    with file.open("w", encoding="utf-8") as text:
        text.write("member,business_unit,currency,points,earned_time,expire_time\n")
        for number in range(MANY):
            unit = ("market", "hotel", "web")[number % 3]
            text.write(
                f"card:{number % 30_000},{unit},point,{number % 977 + 1},2016-05-01T00:00:00Z,"
                f"2099-{number % 12 + 1:02}-01T00:00:00Z\n"
            )
    return file


async def recorded(owner: asyncpg.Connection) -> int:
    return int(await owner.fetchval("SELECT count(*) FROM event WHERE kind = 100"))


@pytest.mark.slow
async def test_fifty_thousand_rows_survive_a_kill_and_are_proven(
    office: None, owner: asyncpg.Connection, tmp_path: Path
) -> None:
    file = many(tmp_path)
    killed = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", "from server.cli import app; app()"),
        *("opening", "import", str(file), "--enrol"),
        cwd=ROOT,
        stderr=asyncio.subprocess.DEVNULL,
    )
    while await recorded(owner) < MANY // 4:
        assert killed.returncode is None
        await asyncio.sleep(0.05)
    os.kill(killed.pid, signal.SIGKILL)
    await killed.wait()
    before = await recorded(owner)
    assert before < MANY
    done = data(await loyalty("opening", "import", str(file), "--enrol", "--json"))
    assert done["rows"] == MANY
    assert done["recorded"] + done["replayed"] == MANY  # type: ignore[operator]
    assert int(str(done["replayed"])) >= before
    assert await recorded(owner) == MANY
    proof = data(await loyalty("opening", "prove", str(file), "--json"))
    assert proof["verdicts"] == {"exact": MANY}
    expected = sum(number % 977 + 1 for number in range(MANY))
    rows = json.loads(json.dumps(proof["points"]))
    assert sum(row["in_ledger"] for row in rows) == expected
    held = await owner.fetchval("SELECT sum(points) FROM event WHERE kind = 34")
    assert held == expected
    verified = await loyalty("verify")
    assert verified.exit_code == 0, verified

"""The commands against a real server: import twice, look, replay; and what they say when stuck."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from server.config import load
from server.main import running_server

ROOT = Path(__file__).resolve().parents[2]
HARBOUR = str(ROOT / "tests" / "policies" / "harbour.yaml")
HEADER = "business_unit,source,document_id,occurred_time,member,category,net_amount,currency\n"
SALES = (
    HEADER
    + "market,till,T-1,2017-03-01T10:00:00Z,card:1,grocery/produce,12.345,USD\n"
    + "market,till,T-1,2017-03-01T10:00:00Z,card:1,household/soap,40.00,USD\n"
    + "dining,pos,D-1,2017-03-02T19:30:00+01:00,card:2,food/pizza,20.00,USD\n"
    + "web,shop,W-1,2017-03-03T09:00:00Z,,goods/vase,9.99,GBP\n"
    + "market,till,T-2,2017-03-04T10:00:00Z,card:1,no-such-category,1.00,USD\n"
    + "market,till,T-3,yesterday,card:1,grocery,1.00,USD\n"
)


class Result(NamedTuple):
    """What a command said and how it ended."""

    exit_code: int
    stdout: str
    stderr: str


async def loyalty(*arguments: str) -> Result:
    """Run a command as a shell would: a process of its own, beside the server in this one."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", "from server.cli import app; app()", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    stdout, stderr = await process.communicate()
    assert process.returncode is not None
    return Result(process.returncode, stdout.decode(), stderr.decode())


def data(result: Result, *, code: int = 0) -> dict[str, object]:
    """What a command printed as JSON."""
    assert result.exit_code == code, result
    printed: dict[str, object] = json.loads(result.stdout)
    return printed


@pytest.fixture
def environment(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> pytest.MonkeyPatch:
    """Settings of a server and its clients, in the environment as an operator would put them."""
    for name, value in {
        "DATABASE_URL": database,
        "LOYALTY_DATA_DIR": str(tmp_path),
        "LOYALTY_LISTEN": "127.0.0.1:0",
        "LOYALTY_METRICS_LISTEN": "off",
    }.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.fixture
async def served(environment: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """A running server with a policy, named by the environment together with a token."""
    async with running_server(load()) as address:
        environment.setenv("LOYALTY_SERVER", address)
        verbs = [word for verb in ("earn", "enrol", "read", "policy") for word in ("--verb", verb)]
        made = data(await loyalty("token", "create", "till", "--unit", "*", *verbs, "--json"))
        environment.setenv("LOYALTY_TOKEN", str(made["token"]))
        published = await loyalty("policy", "publish", HARBOUR)
        assert published.exit_code == 0, published
        yield


@pytest.mark.slow
async def test_importing_a_file_twice_posts_it_once(served: None, tmp_path: Path) -> None:
    file = tmp_path / "sales.csv"
    file.write_text(SALES, encoding="utf-8")
    first = data(await loyalty("import", str(file), "--enrol", "--json"), code=1)
    assert (first["documents"], first["posted"], first["enrolled"]) == (5, 3, 2)
    assert first["refused"] == {"MALFORMED": 1, "UNKNOWN_CATEGORY": 1}
    assert first["rounded"] == {"USD": "-0.005"}
    before = data(await loyalty("account", "card:1", "--json"))

    second = data(await loyalty("import", str(file), "--enrol", "--json"), code=1)
    assert (second["posted"], second["replayed"], second["enrolled"]) == (0, 3, 0)
    assert data(await loyalty("account", "card:1", "--json")) == before

    rejects = (tmp_path / "sales.csv.rejects.csv").read_text(encoding="utf-8").splitlines()
    assert len(rejects) == 3
    assert "T-2,1,UNKNOWN_CATEGORY" in rejects[1]
    assert "T-3,1,MALFORMED" in rejects[2]


async def test_unknown_members_are_listed_unless_they_are_to_be_enrolled(
    served: None, tmp_path: Path
) -> None:
    file = tmp_path / "sales.csv"
    file.write_text(
        HEADER + "market,till,T-1,2017-03-01T10:00:00Z,card:1,grocery,12.34,USD\n",
        encoding="utf-8",
    )
    refused = data(await loyalty("import", str(file), "--json"), code=1)
    assert refused["refused"] == {"UNKNOWN_MEMBER": 1}
    posted = data(await loyalty("import", str(file), "--enrol", "--json"))
    assert (posted["posted"], posted["enrolled"]) == (1, 1)


@pytest.mark.slow
async def test_account_and_entries_show_what_was_earned(served: None, tmp_path: Path) -> None:
    file = tmp_path / "sales.csv"
    file.write_text(SALES, encoding="utf-8")
    await loyalty("import", str(file), "--enrol", "--json")
    shown = await loyalty("account", "card:2")
    assert shown.exit_code == 0, shown
    assert "dining/pos/D-1" in shown.stdout
    entries = data(await loyalty("entries", "card:2", "--currency", "point", "--json"))["entries"]
    assert isinstance(entries, list)
    assert entries[0]["movement"]["points"] == "40"
    assert (await loyalty("entries", "card:2")).exit_code == 0
    missing = await loyalty("account", "card:404")
    assert missing.exit_code == 1
    assert "UNKNOWN_MEMBER" in missing.stderr


@pytest.mark.slow
async def test_tier_shows_what_is_missing_for_the_next(served: None, tmp_path: Path) -> None:
    file = tmp_path / "sales.csv"
    file.write_text(SALES, encoding="utf-8")
    await loyalty("import", str(file), "--enrol", "--json")
    shown = await loyalty("tier", "card:2")
    assert shown.exit_code == 0, shown
    told = data(await loyalty("tier", "card:2", "--json"))
    assert f"To reach {told['next_tier']}" in shown.stdout
    assert (await loyalty("tier", "card:404")).exit_code == 1


@pytest.mark.slow
async def test_replay_prints_the_same_digests_each_time(served: None, tmp_path: Path) -> None:
    file = tmp_path / "sales.csv"
    file.write_text(SALES, encoding="utf-8")
    await loyalty("import", str(file), "--enrol", "--json")
    first = data(await loyalty("replay", "--json"))
    second = data(await loyalty("replay", "--json"))
    assert first["state_digest"] == second["state_digest"]
    assert first["accounts"] == 2
    rebuilt = data(await loyalty("rebuild", "balances", "--json"))
    assert rebuilt["digest"] == first["balances_digest"]


@pytest.mark.slow
async def test_tokens_are_listed_without_the_token_and_revoked(served: None) -> None:
    listed = await loyalty("token", "list", "--json")
    assert '"name": "till"' in listed.stdout
    assert "loy_" not in listed.stdout
    made = json.loads(listed.stdout)[0]["create_time"]
    shown = await loyalty("token", "list")
    assert f"{datetime.fromisoformat(made):%Y-%m-%d %H:%M} UTC" in shown.stdout
    assert (await loyalty("token", "revoke", "till")).exit_code == 0
    again = await loyalty("token", "revoke", "till")
    assert again.exit_code == 1
    assert "loyalty token list" in again.stderr
    taken = await loyalty("token", "create", "till", "--unit", "*", "--verb", "earn")
    assert taken.exit_code == 1
    assert "Choose another name" in taken.stderr


async def test_migrate_says_that_there_is_nothing_to_do(environment: pytest.MonkeyPatch) -> None:
    result = await loyalty("migrate")
    assert result.exit_code == 0
    assert "nothing to do" in result.stdout


async def test_a_policy_is_checked_without_a_server(tmp_path: Path) -> None:
    assert (await loyalty("policy", "check", HARBOUR)).exit_code == 0
    wrong = tmp_path / "wrong.yaml"
    text = Path(HARBOUR).read_text(encoding="utf-8")
    wrong.write_text(text.replace("business_unit: [dining]", "business_unit: [dinning]"))
    result = await loyalty("policy", "check", str(wrong))
    assert result.exit_code == 1
    assert "did you mean 'dining'" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "advice"),
    [
        (["account", "card:1"], 2, "loyalty token create"),
        (["account", "card:1", "--token", "t", "--server", "127.0.0.1:1"], 3, "loyalty serve"),
        (["account", "8800", "--token", "t"], 2, "scheme:value"),
        (["import", "absent.csv", "--token", "t"], 2, "there is no file absent.csv"),
        (["config"], 2, "LOYALTY_LANES"),
    ],
)
async def test_errors_say_what_to_do_next(
    arguments: list[str], code: int, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LOYALTY_TOKEN", raising=False)
    monkeypatch.setenv("LOYALTY_LANES", "many")
    result = await loyalty(*arguments)
    assert result.exit_code == code
    assert advice in result.stderr

"""How every command ends when it cannot do what it was asked for: by a code, and in words.

Exit codes: 0 yes, 1 no (diverges, refused), 2 wrong call or setting, 3 unreachable.
"""

import shlex
import shutil
from pathlib import Path
from typing import Final

import pytest
from typer.testing import CliRunner

from server.cli import app, sending
from tests.cli.test_help import EXPECTED

ROOT: Final = Path(__file__).resolve().parents[2]
NOBODY: Final = "127.0.0.1:1"
ID: Final = "0198a1c2-0000-7000-8000-000000000001"
DIGEST: Final = "ab" * 32
POLICY: Final = "rules/programmes/harbour.yaml"
WHY: Final = "--unit market --reason goodwill"

ASK_A_SERVER: Final = {
    "account": "card:1",
    "activity": "card:1 review R-1 --unit market",
    "adjust": f"card:1 5 --currency point {WHY}",
    "adjustment approve": f"{ID} --unit market --operator ann",
    "adjustment list": "",
    "adjustment reject": f"{ID} --unit market --operator ann",
    "convert": "card:1 points_to_miles 5 --unit market",
    "document claim": "market/till/T-1 card:1 CODE --unit market",
    "document move": "market/till/T-1 card:1 --reason goodwill",
    "document show": "market/till/T-1",
    "document unclaimed": "--unit market",
    "entries": "card:1",
    "explain": "market/till/T-1",
    "import": "docs/examples/sales.csv --rejects {folder}/rejects.csv",
    "lot extend": f"card:1 {ID}.0 --until 2027-01-01 {WHY}",
    "member certificate": ID,
    "member close": f"card:1 {WHY}",
    "member consent": "card:1 marketing --unit market --source form/9 --grant",
    "member enrol": "card:1 --unit market",
    "member erase": "card:1 --unit market --balance forfeited --requested-by member --yes",
    "member merge": f"card:1 card:2 {WHY}",
    "member move-identity": f"card:1 card:2 {WHY}",
    "member reopen": f"card:1 {WHY}",
    "member show": "card:1",
    "member suspend": f"card:1 {WHY}",
    "member unlink": "card:1 card:1 --unit market",
    "member unmerge": f"card:1 {WHY}",
    "member update": "card:1 --unit market --household H-1",
    "opening import": "{folder}/opening.csv",
    "opening prove": "{folder}/opening.csv",
    "period close": "2026-01",
    "period list": "",
    "policy approve": f"{DIGEST} --operator ann",
    "policy draft": POLICY,
    "policy list": "",
    "policy publish": POLICY,
    "policy show": DIGEST,
    "policy withdraw": f"{DIGEST} --reason goodwill",
    "pool add": f"{ID} card:1 --may view --by card:2 --unit market",
    "pool close": f"{ID} --by card:2 --unit market",
    "pool open": "--by card:2 --unit market",
    "pool permit": f"{ID} card:1 --may view --by card:2 --unit market",
    "pool remove": f"{ID} card:1 --by card:2 --unit market",
    "pool show": ID,
    "quote": "docs/examples/basket.yaml --unit market",
    "recall": f"spring {WHY}",
    "referral": "card:1 card:2 --unit market",
    "settlement": "--period 2026-01",
    "tier": "card:1",
    "transfer": "card:1 card:2 5 --currency point --unit market",
    "transfers accept": f"card:1 {ID} --unit market",
    "transfers cancel": f"card:1 {ID} --unit market",
    "transfers decline": f"card:1 {ID} --unit market",
    "transfers list": "card:1",
    "transfers show": ID,
}
OPEN_THE_DATABASE: Final = {
    "migrate": "",
    "policy backtest": f"{POLICY} --from 2026-01-01",
    "rebuild": "balances",
    "replay": "",
    "serve": "--listen 127.0.0.1:0",
    "sweep": "--once",
    "token create": "till --unit market --verb earn",
    "token list": "",
    "token revoke": "till",
    "transfers continue": "--once",
    "verify": "",
}
OPEN_THE_ADAPTERS: Final = {
    "adapter dead": "",
    "adapter import": "shopify docs/examples/shopify-order.json"
    " --mapping docs/examples/web-shop.yaml",
    "adapter inbox": "",
    "adapter migrate": "",
    "adapter outbox dead": "",
    "adapter outbox list": "",
    "adapter outbox retry": "--all --operator ann --why mended",
    "adapter retry": "--all --operator ann --why mended",
    "adapter serve": "--listen 127.0.0.1:0",
}
READ_FILES: Final = {
    "adapter import": "poslog absent.xml --mapping absent.yaml",
    "adapter outbox draft": "absent.yaml --member card:1",
    "adapter translate": "shopify absent.json --mapping absent.yaml",
    "import": "absent.csv",
    "opening import": "absent.csv",
    "opening prove": "absent.csv",
    "policy backtest": "absent.yaml",
    "policy check": "absent.yaml",
    "policy diff": f"absent.yaml {POLICY}",
    "policy draft": "absent.yaml",
    "policy publish": "absent.yaml",
    "quote": "absent.yaml --unit market",
}
ALONE: Final = {
    "adapter check",
    "bench",
    "config",
    "demo",
    "gateway",
    "policy reference",
    "policy schema",
}
"""The others: `gateway` waits for its server, `adapter check` counts findings."""


def ended(monkeypatch: pytest.MonkeyPatch, words: str, **environment: str) -> tuple[int, str]:
    """The exit code of a command, and all that it said; a traceback fails the test."""
    monkeypatch.chdir(ROOT)
    for name in ("DATABASE_URL", "LOYALTY_TOKEN", "LOYALTY_ADAPTERS_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LOYALTY_SERVER", NOBODY)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    result = CliRunner().invoke(app, shlex.split(words))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, " ".join(result.output.split())


def test_every_command_is_in_a_table() -> None:
    tables = [ASK_A_SERVER, OPEN_THE_DATABASE, OPEN_THE_ADAPTERS, READ_FILES, ALONE]
    assert set().union(*tables) == EXPECTED


@pytest.mark.parametrize("name", ASK_A_SERVER)
def test_a_server_that_is_away(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sending, "FIRST_PAUSE_SECONDS", 0)
    (tmp_path / "opening.csv").write_text("member,business_unit\ncard:1,market\n")
    words = f"{name} {ASK_A_SERVER[name].format(folder=tmp_path)}"
    code, said = ended(monkeypatch, words, LOYALTY_TOKEN="none")
    assert (code, "Is it running?" in said) == (3, True), said
    code, said = ended(monkeypatch, words)
    assert (code, "no token is given" in said) == (2, True), said


@pytest.mark.parametrize("name", OPEN_THE_DATABASE)
def test_a_database_that_is_away(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    words = f"{name} {OPEN_THE_DATABASE[name]}"
    token = {"LOYALTY_DATA_DIR": str(tmp_path), "LOYALTY_TOKEN": "none"}
    code, said = ended(
        monkeypatch, words, DATABASE_URL=f"postgresql://u:secret@{NOBODY}/l", **token
    )
    assert (code, f"cannot reach postgresql://u:***@{NOBODY}/l" in said) == (3, True), said
    code, said = ended(monkeypatch, words, DATABASE_URL="postgresql://u:secret@db:port/l", **token)
    assert (code, "DATABASE_URL cannot be read" in said) == (3, True), said
    assert "secret" not in said
    code, said = ended(monkeypatch, words, LOYALTY_LANES="many", **token)
    assert (code, "LOYALTY_LANES = 'many': expected" in said) == (2, True), said


@pytest.mark.parametrize("name", OPEN_THE_ADAPTERS)
def test_a_database_of_the_adapters_that_is_away(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    words = f"{name} {OPEN_THE_ADAPTERS[name]}"
    url = f"postgresql://u:secret@{NOBODY}/l"
    shutil.copy(ROOT / "docs" / "examples" / "web-shop.yaml", tmp_path)
    monkeypatch.setenv("LOYALTY_ADAPTERS_MAPPINGS", str(tmp_path))
    environment = {"LOYALTY_ADAPTERS_DATABASE_URL": url, "LOYALTY_TOKEN": "none"}
    code, said = ended(monkeypatch, words, **environment)
    assert (code, f"u:***@{NOBODY}/l" in said) == (3, True), said


@pytest.mark.parametrize("name", READ_FILES)
def test_a_file_that_is_not_there(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    code, said = ended(monkeypatch, f"{name} {READ_FILES[name]}", LOYALTY_TOKEN="none")
    assert (code, "absent." in said) == (2, True), said


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_an_option_that_does_not_exist(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    code, said = ended(monkeypatch, f"{name} --bogus")
    assert (code, "No such option: --bogus" in said) == (2, True), said


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("Till --unit market --verb earn", "name 'Till': expected up to 64 of a-z"),
        ("till --unit Market --verb earn", "business unit 'Market': expected its id"),
        ("till --unit market --verb ern", "verb 'ern': expected one of earn, burn"),
    ],
)
def test_a_token_that_makes_no_sense(
    words: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, said = ended(monkeypatch, f"token create {words}", DATABASE_URL=f"postgresql://{NOBODY}")
    assert (code, told in said) == (2, True), said

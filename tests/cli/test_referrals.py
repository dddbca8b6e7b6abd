"""Referrals from the command line: told, told again, and seen at the member."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from server.config import load
from server.main import running_server
from tests.cli.test_commands import HEADER, data, environment, loyalty
from tests.server.test_referrals import FRIENDS

__all__ = ["environment"]

VERBS = [word for verb in ("enrol", "read", "policy", "earn") for word in ("--verb", verb)]


@pytest.fixture
async def desk(environment: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[None]:
    """A server of a programme that rewards who brings others, and two members."""
    policy = tmp_path / "policy.yaml"
    policy.write_text(FRIENDS, encoding="utf-8")
    async with running_server(load()) as address:
        environment.setenv("LOYALTY_SERVER", address)
        made = data(await loyalty("token", "create", "desk", "--unit", "*", *VERBS, "--json"))
        environment.setenv("LOYALTY_TOKEN", str(made["token"]))
        published = await loyalty("policy", "publish", str(policy))
        assert published.exit_code == 0, published
        for card in ("card:1", "card:2"):
            await loyalty("member", "enrol", card, "--unit", "market")
        yield


async def test_who_brought_a_member_is_told_and_seen(desk: None, tmp_path: Path) -> None:
    words = ("referral", "card:2", "card:1", "--unit", "market")
    checked = await loyalty(*words, "--validate-only")
    assert (checked.exit_code, checked.stdout) == (0, "it could be told\n")
    assert (await loyalty(*words)).stdout == "told\n"
    assert (await loyalty(*words)).stdout == "told before\n"
    other = await loyalty("referral", "card:1", "card:2", "--unit", "market")
    assert other.exit_code == 1
    assert "SELF_REFERRAL" in other.stderr
    before = await loyalty("member", "show", "card:2")
    assert "no purchase that counts yet" in before.stdout
    sales = tmp_path / "sales.csv"
    sale = f"market,till,T-1,{datetime.now(UTC).isoformat()},card:2,grocery,40.00,USD\n"
    sales.write_text(HEADER + sale, encoding="utf-8")
    assert (await loyalty("import", str(sales))).exit_code == 0
    after = await loyalty("member", "show", "card:2")
    assert "market/till/T-1 counts" in after.stdout
    seen = data(await loyalty("member", "show", "card:2", "--json"))["referral"]
    assert isinstance(seen, dict)
    explained = await loyalty("explain", f"market/referral/{seen['referral_id']}")
    assert explained.exit_code == 0, explained
    assert "friend" in explained.stdout

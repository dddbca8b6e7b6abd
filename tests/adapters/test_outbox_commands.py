"""`loyalty adapter outbox …`: what operators see and do."""

import asyncio
import json
from pathlib import Path

from typer.testing import CliRunner, Result

from adapters.frame.metrics import Metrics
from adapters.frame.upkeep import Upkeep
from server.cli import app
from tests.adapters.outboxes import SECRET, Shop, file_of, subscription, telling
from tests.adapters.rig import vendor
from tests.server import requests
from tests.server.served import Caller, Served


async def run(served: Served, token: str, *arguments: str) -> Result:
    """Run a command as an operator does."""
    environment = {
        "LOYALTY_ADAPTERS_DATABASE_URL": served.dsn,
        "LOYALTY_ADAPTERS_LEDGER": served.address,
        "LOYALTY_TOKEN": token,
    }

    def invoked() -> Result:
        return CliRunner().invoke(app, ["adapter", *arguments], env=environment)

    return await asyncio.to_thread(invoked)


async def test_an_operator_sees_what_is_dead_and_lets_it_be_told(
    served: Served, caller: Caller, tmp_path: Path
) -> None:
    token = await served.token("outbox", verbs=("audit", "read"))
    shop = Shop("whsec_c29tZWJvZHktZWxzZXMtc2VjcmV0LXRoYXQtaXMtd3Jvbmc=")
    await caller.ledger.PostDocument(requests.sale())
    async with vendor(shop.app) as address:
        file = tmp_path / "it.outbox.yaml"
        subscribed = subscription(tmp_path, file_of(f"{address}/hooks"))
        async with telling(served, caller, token, subscribed) as told:
            await told.drain()
            await told.pool.execute("UPDATE adapters.outbox_message SET state = 'dead'")
            metrics = Metrics()
            names = ["shop"]
            await Upkeep(
                told.pool, metrics, keep_days=1, keep_parts_days=1, subscriptions=names
            ).look()
            labels = {"subscription": "shop"}
            dead_ones = metrics.registry.get_sample_value("loyalty_adapter_outbox_dead", labels)
            assert dead_ones == 2
        listed = await run(served, token, "outbox", "list", "--json")
        rows = json.loads(listed.output)
        assert [row["kind"] for row in rows] == ["tier.changed", "balance.changed"]
        dead = await run(served, token, "outbox", "dead")
        assert dead.exit_code == 1
        nothing = await run(served, token, "outbox", "retry", "--operator", "ann", "--why", "x")
        assert nothing.exit_code == 2
        every = ("--subscription", "shop", "--operator", "ann", "--why", "x")
        again = await run(served, token, "outbox", "retry", *every)
        assert "1 members again, 2 dead messages anew" in " ".join(again.output.split())
        none = await run(served, token, "outbox", "dead")
        assert (none.exit_code, none.stdout.split(";")[0]) == (0, "no message was given up")
        (tmp_path / "shop.webhook_secret").write_text(SECRET, encoding="utf-8")
        named = ("--member", "card:8800", "--secrets", str(tmp_path))
        drafted = await run(served, token, "outbox", "draft", str(file), *named)
        kinds = [row["kind"] for row in json.loads(drafted.output)]
        assert kinds == ["balance.changed", "tier.changed"]
        unknown = await run(served, token, "outbox", "draft", str(file), "--member", "card:1")
        assert unknown.exit_code != 0
        checked = await run(served, token, "check", str(file), "--secrets", str(tmp_path))
        assert checked.exit_code == 0, checked.output
        assert "subscription shop to http" in " ".join(checked.output.split())
    assert shop.got == []

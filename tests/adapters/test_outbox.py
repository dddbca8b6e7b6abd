"""Subscribers are told what changed in the ledger: once, in order, and again until they have it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from itertools import count
from pathlib import Path

import pytest
import pytest_asyncio
from starlette.responses import RedirectResponse, Response

from adapters.frame import database
from adapters.frame.outbox import operating
from adapters.frame.outbox.sending import ATTEMPTS_MAX
from adapters.frame.words import RetryLater
from tests.adapters.outboxes import (
    OLDER_SECRET,
    SECRET,
    Customer,
    Shop,
    Slow,
    Telling,
    file_of,
    newcomer,
    subscription,
    telling,
)
from tests.adapters.rig import vendor
from tests.server import requests
from tests.server.served import Caller, Served, serving

Tell = Callable[..., AbstractAsyncContextManager[Telling]]
pytestmark = pytest.mark.asyncio(loop_scope="module")
CARDS = count(1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(
    module_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Served]:
    """The one ledger of these tests; each has its own member, and an outbox that begins there."""
    await database.migrate(module_database)
    async with serving(module_database, tmp_path_factory.mktemp("outbox")) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def caller(served: Served) -> AsyncIterator[Caller]:
    """A client that may do everything, with the policy published."""
    async with served.caller(await served.token("till")) as client:
        await served.with_member(client)
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def token(served: Served) -> str:
    """A token that may only read."""
    return await served.token("outbox", verbs=("audit", "read"))


@pytest_asyncio.fixture(loop_scope="module")
async def customer(served: Served, caller: Caller) -> Customer:
    return await newcomer(served, caller, f"77{next(CARDS)}")


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def tell(served: Served, caller: Caller, customer: Customer, token: str) -> Tell:
    """An outbox for subscriptions, which knows of nothing before the customer."""
    return partial(telling, served, caller, token, since=customer.since)


@pytest_asyncio.fixture(loop_scope="module")
async def told(tell: Tell, shop: Shop, tmp_path: Path) -> AsyncIterator[Telling]:
    """One shop that is told everything of the customer."""
    async with vendor(shop.app) as address:
        subscribed = subscription(tmp_path, file_of(f"{address}/hooks"))
        async with tell(subscribed) as running:
            yield running


def status(code: int, **headers: str) -> Callable[[], Response]:
    """An answer."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda: Response(status_code=code, headers=named)


async def test_a_shop_is_told_balance_and_tier_and_then_only_what_changes(
    customer: Customer, told: Telling, shop: Shop
) -> None:
    await customer.buys(500_00)
    await told.drain()
    first = [message["type"] for message in shop.got]
    assert first == ["balance.changed", "tier.changed"]
    earned = shop.points()[0]
    assert earned > 0
    await told.drain()
    assert len(shop.got) == 2
    await customer.burns(100)
    await told.drain()
    assert [message["type"] for message in shop.got[2:]] == ["balance.changed"]
    assert shop.points() == [earned, earned - 100]
    versions = [data["version"] for data in shop.of("balance.changed")]
    assert versions == sorted(set(versions))
    assert len(set(shop.ids)) == len(shop.ids)


async def test_many_changes_at_once_are_one_message_with_the_last_state(
    customer: Customer, told: Telling, shop: Shop
) -> None:
    for _ in range(5):
        await customer.buys(10_00)
    await told.drain()
    assert len(shop.of("balance.changed")) == 1
    assert shop.points() == [await customer.points()]


async def test_what_fails_is_sent_again_as_it_was_and_what_is_newer_waits_for_it(
    customer: Customer, told: Telling, shop: Shop
) -> None:
    shop.answers = [status(500)]
    await customer.buys()
    await told.drain()
    assert shop.got == []
    assert await told.messages() == [
        ("balance.changed", "waiting", 1, "answers 500"),
        ("tier.changed", "waiting", 0, ""),
    ]
    await told.drain()
    assert len(shop.ids) == 1, "it waits before the next attempt"
    await told.again()
    assert shop.ids[0] == shop.ids[1]
    assert [message["type"] for message in shop.got] == ["balance.changed", "tier.changed"]


async def test_a_newer_state_takes_the_place_of_one_that_still_waits(
    customer: Customer, told: Telling, shop: Shop
) -> None:
    shop.answers = [status(503, retry_after="0")]
    await customer.buys(500_00)
    await told.drain()
    await customer.burns(100)
    await told.drain()
    await told.again()
    assert len(shop.points()) == 1
    assert shop.points() == [await customer.points()]


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (status(404), "answers 404"),
        (lambda: RedirectResponse("http://169.254.169.254/"), "answers 307: redirects are not"),
    ],
)
async def test_after_enough_attempts_a_message_is_given_up_and_later_ones_go_on(
    customer: Customer, told: Telling, shop: Shop, answer: Callable[[], Response], problem: str
) -> None:
    await customer.buys()
    shop.answers = [answer] * ATTEMPTS_MAX
    await told.drain()
    for _ in range(ATTEMPTS_MAX - 1):
        await told.again()
    (balance, tier) = await told.messages()
    assert balance[:3] == ("balance.changed", "dead", ATTEMPTS_MAX)
    assert balance[3].startswith(problem)
    assert tier[:2] == ("tier.changed", "sent")
    assert len(set(shop.ids)) == 2


async def test_who_is_gone_is_not_asked_again(
    customer: Customer, told: Telling, shop: Shop
) -> None:
    shop.answers = [status(410)]
    await customer.buys()
    await told.drain()
    states = [(kind, state) for kind, state, _, _ in await told.messages()]
    assert states == [("balance.changed", "dead"), ("tier.changed", "sent")]


async def test_who_asks_for_patience_is_left_alone_for_so_long(
    customer: Customer, told: Telling, shop: Shop
) -> None:
    shop.answers = [status(429, retry_after="1800")]
    await customer.buys()
    await told.drain()
    wait = await told.pool.fetchval(
        "SELECT extract(epoch FROM send_at - now())::int FROM adapters.outbox_member"
    )
    assert 1_700 < wait <= 1_800
    await told.again()
    assert len(shop.ids) == 1, "nobody else's message goes there meanwhile either"


async def test_a_receiver_that_is_down_keeps_no_other_one_waiting(
    customer: Customer, tell: Tell, shop: Shop, tmp_path: Path
) -> None:
    async with vendor(shop.app) as address:
        good = subscription(tmp_path, file_of(f"{address}/hooks"))
        down = subscription(tmp_path, file_of("http://127.0.0.1:1/hooks", name="down"))
        async with tell(down, good) as told:
            await customer.buys()
            await told.drain()
            assert len(shop.got) == 2
            rows = await told.pool.fetch(
                "SELECT problem FROM adapters.outbox_message"
                " WHERE subscription = 'down' AND state = 'waiting' ORDER BY number"
            )
            assert [row["problem"] for row in rows] == ["no answer: ConnectError", ""]


async def test_a_receiver_that_does_not_answer_keeps_no_other_one_waiting(
    customer: Customer,
    tell: Tell,
    shop: Shop,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Longer than anybody waits here: whoever had to wait for the slow one would fail.
    monkeypatch.setattr("adapters.frame.outbox.webhooks.WHOLE_SECONDS", 600.0)
    monkeypatch.setattr("adapters.frame.outbox.webhooks.LIMITS", None)
    slow = Slow()
    async with vendor(shop.app) as address, vendor(slow.app) as slow_address:
        good = subscription(tmp_path, file_of(f"{address}/hooks"))
        slower = subscription(tmp_path, file_of(f"{slow_address}/hooks", name="slow"))
        async with tell(slower, good) as told:
            working = asyncio.create_task(told.outbox.run())
            try:
                await customer.buys(500_00)
                await asyncio.wait_for(slow.asked.wait(), 60)
                await shop.reached(lambda: len(shop.got) == 2)
                await customer.burns(100)
                await shop.reached(lambda: len(shop.got) == 3)
                assert len(slow.ids) == 1
                assert not slow.answers.is_set()
            finally:
                slow.answers.set()
                working.cancel()


async def test_an_answer_that_comes_too_late_is_none(
    customer: Customer,
    tell: Tell,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("adapters.frame.outbox.webhooks.WHOLE_SECONDS", 1.0)
    slow = Slow()
    async with vendor(slow.app) as address:
        late = subscription(tmp_path, file_of(f"{address}/hooks"))
        async with tell(late) as told:
            await customer.buys()
            await told.drain()
            (first, _) = await told.messages()
            assert first == ("balance.changed", "waiting", 1, "no answer within 1 seconds")
            slow.answers.set()
            monkeypatch.setattr("adapters.frame.outbox.webhooks.WHOLE_SECONDS", 60.0)
            await told.again()
            assert [state for _, state, _, _ in await told.messages()] == ["sent", "sent"]
            assert slow.ids[0] == slow.ids[1] != slow.ids[2]


async def test_two_processes_send_once(
    caller: Caller, customer: Customer, tell: Tell, shop: Shop, tmp_path: Path
) -> None:
    async with vendor(shop.app) as address:
        subscribed = subscription(tmp_path, file_of(f"{address}/hooks"))
        for number in range(12):
            card = f"{customer.card}-{number}"
            await caller.members.EnrolMember(requests.enrolment(f"m-{card}", card))
        async with (
            tell(subscribed) as one,
            tell(subscribed) as other,
        ):
            await asyncio.gather(one.drain(), other.drain())
            await one.drain()
    assert len(shop.ids) == len(set(shop.ids)) == 2 * 13


async def test_built_again_from_the_beginning_it_tells_the_same_with_no_older_version(
    customer: Customer, told: Telling, shop: Shop
) -> None:
    await customer.buys(500_00)
    await told.drain()
    await customer.burns(100)
    await told.drain()
    last = shop.of("balance.changed")[-1]
    await told.pool.execute("DELETE FROM adapters.outbox_message")
    await told.pool.execute("DELETE FROM adapters.outbox_member")
    await told.pool.execute(
        "UPDATE adapters.outbox_subscription SET positions = $1, caught_up = false", customer.since
    )
    count = len(shop.got)
    await told.drain()
    again = [message for message in shop.got[count:] if message["type"] == "balance.changed"]
    assert [message["data"] for message in again] == [last]


async def test_who_wants_changes_only_is_not_told_what_is_so_already(
    customer: Customer, tell: Tell, shop: Shop, tmp_path: Path
) -> None:
    await customer.buys(500_00)
    async with vendor(shop.app) as address:
        text = file_of(f"{address}/hooks", more="begin_with: changes")
        async with tell(subscription(tmp_path, text)) as told:
            await told.drain()
            assert shop.got == []
            await customer.burns(100)
            await told.drain()
            assert [message["type"] for message in shop.got] == ["balance.changed"]


async def test_while_a_secret_is_replaced_both_verify(
    customer: Customer, tell: Tell, tmp_path: Path
) -> None:
    await customer.buys()
    for name, secret in (("new", SECRET), ("old", OLDER_SECRET)):
        shop = Shop(secret)
        async with vendor(shop.app) as address:
            text = file_of(f"{address}/hooks", name=name)
            both = subscription(tmp_path, text, SECRET, OLDER_SECRET)
            async with tell(both) as told:
                await told.drain()
        assert len(shop.got) == 2


async def test_points_that_expire_soon_are_told_and_so_is_that_they_are_spent(
    customer: Customer, tell: Tell, shop: Shop, tmp_path: Path
) -> None:
    await customer.buys(500_00)
    async with vendor(shop.app) as address:
        text = file_of(
            f"{address}/hooks",
            more="currencies: [point]",
            webhook="  events: [points.expiring]\n  expiring_days: 366",
        )
        async with tell(subscription(tmp_path, text)) as told:
            await told.drain()
            (rows,) = (data["expiring"] for data in shop.of("points.expiring"))
            balance = await customer.balance()
            assert rows[0]["points"] == balance.next_expire_points
            assert sum(row["points"] for row in rows) == balance.available
            await customer.burns(balance.available)
            await told.drain()
            assert shop.of("points.expiring")[-1]["expiring"] == []


async def test_a_token_that_may_not_follow_tells_nobody_and_loses_nothing(
    served: Served, caller: Caller, customer: Customer, shop: Shop, tmp_path: Path, token: str
) -> None:
    blind = await served.token("blind", units=("market",), verbs=("read",))
    await customer.buys()
    async with vendor(shop.app) as address:
        subscribed = subscription(tmp_path, file_of(f"{address}/hooks"))
        async with telling(served, caller, blind, subscribed, since=customer.since) as told:
            with pytest.raises(RetryLater, match="refuses its history"):
                await told.drain()
        async with telling(served, caller, token, subscribed, since=customer.since) as told:
            await told.drain()
    assert len(shop.got) == 2


async def test_told_again_it_is_how_things_are_now(
    customer: Customer, told: Telling, shop: Shop
) -> None:
    shop.answers = [status(410)]
    await customer.buys(500_00)
    await told.drain()
    assert shop.points() == []
    wanted = operating.Wanted(subscription="shop", kind="balance.changed")
    done = await operating.retry(told.pool, wanted, operator="ann", why="the shop is back")
    assert done == {"members": 1, "dead": 1}
    await customer.burns(100)
    await told.drain()
    assert shop.points() == [await customer.points()]
    assert await told.pool.fetchval("SELECT why FROM adapters.operator_act") == "the shop is back"
    everything = operating.Wanted(subscription="shop", everything=True)
    count = len(shop.got)
    await operating.retry(told.pool, everything, operator="ann", why="the shop lost its table")
    await told.drain()
    kinds = [message["type"] for message in shop.got[count:]]
    assert kinds == ["balance.changed", "tier.changed"]

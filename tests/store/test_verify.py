"""A history that nobody touched: it verifies, replays, and both agree with the live ledger."""

import asyncio
from hashlib import sha256
from pathlib import Path

import pytest

from ledger.core.evolve import fold
from ledger.core.state import Account
from ledger.digests import StateDigest, balance_rows, balances_digest
from ledger.envelope import StoredEvent, envelope_of, leaf_hash
from ledger.lanes import account_of
from ledger.replay import ReplayResult, replay
from ledger.tree import Frontier
from ledger.verifying import verify as verifying
from loyalty.v1.audit_service_pb2 import VerifyHistoryResponse
from projections.balances import BALANCES
from projections.digest import digest_of
from server.database import connect, pool
from tests.projections.following import follow_to_the_end
from tests.store.lived import live
from tests.store.till import Till, open_till

ROOT = Path(__file__).resolve().parents[2]


async def last_word(till: Till, *, skip_awards: bool = False) -> VerifyHistoryResponse:
    """The result of a verification."""
    words = [word async for word in till.ledger.verify(skip_awards=skip_awards)]
    assert [word.done for word in words] == [False] * (len(words) - 1) + [True]
    return words[-1]


async def replayed(url: str, upto: dict[int, int] | None = None) -> ReplayResult:
    """A replay on a connection of its own."""
    connection = await connect(url)
    try:
        return await replay(connection, upto=upto)
    finally:
        await connection.close()


async def test_a_history_verifies_twice_and_a_replay_agrees(database: str) -> None:
    async with open_till(database) as till:
        await live(till)
        first, second = await last_word(till), await last_word(till)
        assert list(first.divergences) == []
        assert first == second
        assert first.events_checked == first.events_total > 500
        assert first.awards_checked > 100
        again = await replayed(database)
        assert again.events == first.events_total
        assert again.state_digest == first.state_digest
        assert [(root.lane, root.size, root.root) for root in first.lane_roots] == list(
            again.lane_roots
        )


async def test_two_replays_are_equal_but_for_their_seconds(database: str) -> None:
    async with open_till(database) as till:
        await live(till, rounds=4)
        one, two = await replayed(database), await replayed(database)
        assert one.root_digest == two.root_digest
        assert (one.events, one.accounts, one.balances_digest, one.state_digest) == (
            two.events,
            two.accounts,
            two.balances_digest,
            two.state_digest,
        )


async def test_a_replay_equals_the_accounts_that_the_writer_holds(database: str) -> None:
    async with open_till(database) as till:
        life = await live(till, rounds=8)
        states, rows = StateDigest(), []
        for member in life.members:
            # Nothing is due: the last act of a member has advanced the account.
            await till.post(till.advance(member))
        for member in life.members:
            account, _ = await till.ledger.reads.account(member)
            states.add(account)
            rows += balance_rows(account)
        again = await replayed(database)
        assert again.accounts == len(life.members)
        assert again.state_digest == states.hexdigest()
        assert again.balances_digest == balances_digest(rows)


async def test_a_replay_has_the_digest_of_the_balances_projection(database: str) -> None:
    async with open_till(database) as till:
        await live(till, rounds=4)
        service = await pool(database)
        await follow_to_the_end(service)
        async with service.acquire() as connection:
            found = await digest_of(connection, BALANCES)
        await service.close()
        assert (await replayed(database, found.positions)).balances_digest == found.hexdigest


async def test_a_replay_stops_at_the_positions_it_is_given(database: str) -> None:
    async with open_till(database) as till:
        life = await live(till, rounds=3)
        heads = await till.ledger.history.heads()
        then = await replayed(database)
        await life.round(12)
        assert (await replayed(database)).events > then.events
        past = await replayed(database, heads)
        assert past.state_digest == then.state_digest
        assert past.lane_roots == then.lane_roots


async def test_a_verification_looks_at_what_was_there_when_it_began(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifying, "PAGE", 10)
    monkeypatch.setattr(verifying, "PROGRESS_EVERY", 10)
    async with open_till(database) as till:
        life = await live(till, rounds=6)
        total = sum((await till.ledger.history.heads()).values())
        life_goes_on: asyncio.Task[None] | None = None
        words = []
        async for word in till.ledger.verify(skip_awards=False):
            words.append(word)
            if life_goes_on is None:
                life_goes_on = asyncio.create_task(life.round(20))
        assert life_goes_on is not None
        await life_goes_on
        assert sum((await till.ledger.history.heads()).values()) > total
        checked = [word.events_checked for word in words]
        assert checked == sorted(checked)
        assert len(checked) > 10
        assert words[-1].events_checked == words[-1].events_total == total
        assert not words[-1].divergences


async def test_awards_can_be_left_out(database: str) -> None:
    async with open_till(database) as till:
        await live(till, rounds=2)
        skipped = await last_word(till, skip_awards=True)
        assert skipped.awards_checked == 0
        assert skipped.state_digest == (await last_word(till)).state_digest


async def test_an_empty_ledger_verifies(database: str) -> None:
    async with open_till(database) as till:
        last = await last_word(till)
        assert not last.divergences
        assert (last.events_total, len(last.lane_roots)) == (0, 16)


def test_the_leaf_is_that_of_the_decision_record() -> None:
    record = (ROOT / "docs/decisions/0006-leaf-and-tree.md").read_text()
    event = StoredEvent(
        lane=3,
        pos=7,
        stream="account/018f4d2e-7c00-7000-8000-000000000001",
        version=2,
        kind=20,
        currency="point",
        points=150,
        business_unit="market",
        occurred_at=1740830400000000,
        recorded_at=1740830400000001,
        payload=bytes.fromhex("a20100"),
        leaf_hash=b"",
    )
    assert envelope_of(event).hex() in "".join(record.split())
    assert leaf_hash(event).hex() in record


# The test vectors of Certificate Transparency: these leaves, and the root over the first n of them.
LEAVES = (
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
)
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def test_the_tree_has_the_published_roots() -> None:
    leaves = [sha256(b"\x00" + bytes.fromhex(leaf)).digest() for leaf in LEAVES]
    tree = Frontier()
    assert tree.root().hex() == ROOTS[0]
    for leaf, root in zip(leaves, ROOTS[1:], strict=True):
        tree.append(leaf)
        assert tree.root().hex() == root


def test_leaves_added_together_make_the_tree_of_leaves_added_alone() -> None:
    leaves = [sha256(bytes([number])).digest() for number in range(40)]
    for first in range(0, 40, 3):
        for second in range(first, 41):
            alone, together = Frontier(), Frontier()
            for leaf in leaves[:second]:
                alone.append(leaf)
            together.extend(b"".join(leaves[:first]))
            together.extend(b"".join(leaves[first:second]))
            assert (together.size, together.root()) == (alone.size, alone.root())


def test_the_state_digest_is_that_of_the_accounts_in_any_order() -> None:
    accounts = [fold(Account(account_of(f"account/{name}")), []) for name in "ab"]
    one, two = StateDigest(), StateDigest()
    for account in accounts:
        one.add(account)
    for account in reversed(accounts):
        two.add(account)
    assert one.hexdigest() == two.hexdigest() != StateDigest().hexdigest()

"""What is due in a MemoryDatabase, found by folding every account: slow, and surely right."""

from typing import cast

from ledger.core.advance import advance
from ledger.core.events import AccountFact, decode
from ledger.core.evolve import fold
from ledger.core.instant import Instant, from_timestamp, to_datetime
from ledger.core.state import Account
from ledger.lanes import ACCOUNT, account_of
from loyalty.v1.events_pb2 import MergeStepped
from projections.due import DueAccount, Range
from tests.simulation.processes import World


class MemoryDue:
    """As `DueAccounts`, for programmes in which dates alone decide."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def now(self) -> Instant:
        """The world's time."""
        return self._world.now

    async def page(self, wanted: Range, *, last: DueAccount | None, limit: int) -> list[DueAccount]:
        """The next due accounts, oldest first."""
        if wanted.early:
            return []
        found = [due for due in map(self._due, accounts(self._world)) if due is not None]
        found = [due for due in found if wanted.after < due.at <= wanted.until]
        found.sort(key=lambda due: (due.at, due.account))
        begin = 0 if last is None else sum(_order(due) <= _order(last) for due in found)
        return found[begin : begin + limit]

    async def count(self, wanted: Range) -> int:
        """How many are due."""
        return len(await self.page(wanted, last=None, limit=1_000_000))

    async def awaited(self, *, limit: int) -> list[str]:
        """Accounts that documents wait for."""
        database = self._world.database
        waiting = {(row.scheme, row.keyed_hash) for row in database.awaited.values()}
        accounts = {database.identities[key].account for key in waiting & set(database.identities)}
        return sorted(accounts)[:limit]

    async def forget_awaited(self, until: Instant) -> None:
        """As the real one."""
        gone = [
            row for row in self._world.database.awaited.values() if row.until < to_datetime(until)
        ]
        for row in gone:
            del self._world.database.awaited[row.document]

    def _due(self, stream: str) -> DueAccount | None:
        account = folded(self._world, stream)
        facts = advance(account, now=self._world.now, ladder=lambda *_, **__: None).facts
        dues = [fact.occurred_at for fact in facts[:1]]
        if account.merging is not None and account.merging.source == account.account_id:
            dues.append(_stepped(self._world, stream))
        return DueAccount(account.account_id, "", min(dues)) if dues else None


def accounts(world: World) -> list[str]:
    """Streams of all accounts."""
    return [name for name in world.database.streams if name.startswith(ACCOUNT)]


def _stepped(world: World, stream: str) -> Instant:
    """When the last step of an account's merge was taken; from then on the next one is due."""
    for event in reversed(world.database.streams[stream]):
        fact = decode(event.payload)
        if isinstance(fact, MergeStepped):
            return from_timestamp(fact.step_time)
    raise AssertionError(f"{stream} was never merged")


def folded(world: World, stream: str) -> Account:
    """An account, folded from all its facts; what was folded before is not folded again."""
    events = world.database.streams[stream]
    account = world.folded.get(stream) or Account(account_of(stream))
    if account.version < len(events):
        facts = [cast(AccountFact, decode(event.payload)) for event in events[account.version :]]
        account = world.folded[stream] = fold(account, facts)
    return account


def _order(due: DueAccount) -> tuple[Instant, str]:
    return due.at, due.account

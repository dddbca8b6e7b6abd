"""The real ledger, whole but for its database, as the state machine asks it."""

from collections.abc import Coroutine, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from ledger.act import Answer
from ledger.clock import SettableClock
from ledger.core.events import KIND_NUMBER, AccountFact, decode
from ledger.core.evolve import fold
from ledger.core.instant import SECOND, from_datetime
from ledger.core.refusals import Refusal
from ledger.core.state import FAR_FUTURE, Account, Lot
from ledger.lanes import ACCOUNT, account_of, account_stream
from ledger.metrics import NoMetrics
from ledger.service import Ledger, LedgerSettings
from ledger.verifying.verify import verify
from loyalty.v1.events_pb2 import PointsSent
from loyalty.v1.ledger_service_pb2 import Posting, Transfer
from loyalty.v1.member_service_pb2 import Member, Pool
from loyalty.v1.programme_service_pb2 import PublishPolicyRequest
from loyalty.v1.types_pb2 import Identity, MemberRef, MembershipState, PoolPermission
from tests.core.laws import check_laws
from tests.machine.programme import POLICY
from tests.simulation.database import MemoryDatabase
from tests.simulation.loop import VirtualLoop
from tests.simulation.store import MemoryLog, MemoryStore

BEGIN = from_datetime(datetime(2025, 12, 25, tzinfo=UTC))
CLIENT = "till"
Given = TypeVar("Given")


class WholeLog(MemoryLog):
    """A log that also tells the versions of documents, which merges are verified by."""

    def __init__(self, database: MemoryDatabase) -> None:
        super().__init__(database)
        self._streams = database.streams

    async def documents_of(self, stream: str) -> list[bytes]:
        posted = KIND_NUMBER["document_posted"]
        return [event.payload for event in self._streams.get(stream, ()) if event.kind == posted]


class RealLedger:
    """A ledger over a store in memory. Times are seconds since `BEGIN`."""

    def __init__(self) -> None:
        self.loop = VirtualLoop()
        self.database = MemoryDatabase(4)
        self.clock = SettableClock(BEGIN)
        self.ledger = self.run(self._opened())
        publish = PublishPolicyRequest(request_id="policy", document=POLICY)
        self.run(self.ledger.write(publish, client=CLIENT))

    async def _opened(self) -> Ledger:
        settings = LedgerSettings(identity_key=bytes(32), approval_required=False, cache_accounts=2)
        store = MemoryStore(self.database)
        ledger = Ledger(store, MemoryStore(self.database), settings, self.clock, NoMetrics())
        await ledger.start()
        return ledger

    def run(self, work: Coroutine[Any, Any, Given]) -> Given:
        """Run it to its end."""
        return self.loop.run_until_complete(work)

    def at(self, now: int) -> None:
        """Put the clock to a second."""
        self.clock.set(BEGIN + now * SECOND)

    def write(self, request: Any) -> Answer | Refusal:
        """Send a write; its answer, or the refusal."""

        async def asked() -> Answer | Refusal:
            try:
                return await self.ledger.write(request, client=CLIENT)
            except Refusal as refusal:
                return refusal

        return self.run(asked())

    def account(self, member: MemberRef) -> Account:
        """The account as a reader sees it now, its lots in the order of their ends."""
        seen = self.run(self.ledger.reads.account(member))[0]
        return seen._replace(lots=tuple(sorted(seen.lots, key=Lot.order)))

    def transfer(self, transfer: str) -> Transfer:
        """A transfer as a reader sees it now."""
        return self.run(self.ledger.reads.transfer(transfer))

    def sent_from(self, pool_id: str) -> list[str]:
        """Ids of all transfers out of a pool, the oldest first."""
        events = self.database.streams[account_stream(pool_id)]
        facts = [decode(event.payload) for event in events]
        return [fact.entry_id for fact in facts if isinstance(fact, PointsSent)]

    def check(self) -> None:
        """The laws of the core hold for every account, and verification finds nothing."""
        for stream, events in self.database.streams.items():
            if stream.startswith(ACCOUNT):
                facts: list[AccountFact] = [decode(event.payload) for event in events]  # type: ignore[misc]
                check_laws(facts, fold(Account(account_of(stream)), facts))
        findings = self.run(self._verified())
        assert not findings, findings[:3]

    async def _verified(self) -> list[Any]:
        log = WholeLog(self.database)
        return [
            found
            async for progress in verify(log, skip_awards=False)
            for found in progress.divergences
        ]

    def close(self) -> None:
        """End what runs."""
        self.run(self.ledger.close())
        self.loop.close()


def balance(account: Account, currency: str) -> dict[str, int]:
    """Points by state."""
    held = account.balance(currency)
    return {
        "available": held.available,
        "pending": held.pending,
        "held": held.held,
        "in_transit": held.in_transit,
        "arrears": held.arrears,
    }


def lots(account: Account, names: Mapping[str, str]) -> list[tuple[Any, ...]]:
    """The open lots in the order of their ends: what it is, whose it is, and points by state.

    `names` are those of members and rewards, by their ids.
    """
    return [
        (
            lot.currency,
            lot.issuer,
            FAR_FUTURE if lot.expires_at is None else (lot.expires_at - BEGIN) // SECOND,
            (lot.earned_at - BEGIN) // SECOND,
            _document(lot, names),
            names.get(lot.contributor, lot.contributor),
            names.get(lot.owner, lot.owner),
            lot.available,
            lot.pending,
            lot.held,
            lot.in_transit,
        )
        for lot in spendable(account)
    ]


def _document(lot: Lot, names: Mapping[str, str]) -> str:
    """A document by its name; rewards have one in `names`, by their referrals' ids."""
    name = lot.document.rpartition("/")[2]
    return names.get(name, name)


def spendable(account: Account) -> list[Lot]:
    """The open lots whose points can buy something."""
    return [lot for lot in account.lots if not lot.tier_window]


def tier(account: Account) -> tuple[str, int | None]:
    """The tier in force, and its end."""
    until = account.tiers[-1].valid_until if account.tiers else None
    return account.tier, None if until is None else (until - BEGIN) // SECOND


def debts(account: Account, names: Mapping[str, str]) -> list[tuple[str, int, str]]:
    """(unit, points, whose) of what is owed, in the order it is repaid."""
    return [
        (debt.business_unit, debt.points, names.get(debt.owner, debt.owner))
        for debt in account.debts
    ]


def insiders(account: Account, names: Mapping[str, str]) -> dict[str, Any] | None:
    """What everybody may do in the pool that an account is, and whether it is closed."""
    pool = account.pooling.pool
    if pool is None:
        return None
    members = {
        names[member.member_id]: tuple(
            PoolPermission.Name(each).removeprefix("POOL_PERMISSION_").lower()
            for each in member.permissions
        )
        for member in pool.members
    }
    return {"members": members, "closed": pool.closed}


def standing(account: Account) -> tuple[str, bool]:
    """(suspended, closed or nothing; whether the account is nobody's)."""
    name = MembershipState.Name(account.membership.state)
    state = name.removeprefix("MEMBERSHIP_STATE_").lower()
    return "" if state == "open" else state, account.care.erased_at is not None


def ref(member: str) -> MemberRef:
    """A member by card."""
    return MemberRef(identity=Identity(scheme="card", value=member))


def posting(answer: Answer) -> Posting:
    """The posting in an answer."""
    assert isinstance(answer.message, Posting)
    return answer.message


def granted(answer: Answer) -> list[tuple[str, int, int]]:
    """(rule, wanted, granted) of each grant in an answer."""
    return [(grant.rule, grant.wanted, grant.granted) for grant in posting(answer).grants]


def member_of(answer: Answer) -> Member:
    """The member in an answer."""
    assert isinstance(answer.message, Member)
    return answer.message


def pool_of(answer: Answer) -> Pool:
    """The pool in an answer."""
    assert isinstance(answer.message, Pool)
    return answer.message

"""The sweeper on a real database: it changes when things are recorded, and nothing else."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from random import Random

import asyncpg
import pytest

from ledger.core.events import KIND_NUMBER
from ledger.core.instant import DAY, SECOND
from ledger.core.refusals import Refusal
from loyalty.v1.ledger_service_pb2 import AdvanceAccountRequest, Posting
from loyalty.v1.types_pb2 import DOCUMENT_STATUS_PENDING, MemberRef
from projections import PROJECTIONS
from projections.due import DueAccounts
from projections.rebuild import rebuild
from server.database import pool
from server.passes import Outcome, PassStopped, Send, into
from server.sweeping import SWEEPER, Sweeper, Swept
from tests.projections.following import follow_to_the_end
from tests.store.till import POLICY, Till, open_till

POLICY_OF_TIME = (
    POLICY.replace(
        "  - {id: p, role: spendable}",
        "  - {id: p, role: spendable, expiry: month}\n"
        "  - {id: idle, role: spendable, expiry: idle}\n"
        "  - {id: kept, role: spendable, expiry: kept}\n"
        "  - {id: late, role: spendable, expiry: late, pending_days: 10}\n"
        "  - {id: stay, role: spendable, expiry: late}\n"
        "  - {id: qp, role: tier_qualifying}",
    ).replace(
        "redemptions:",
        """  - {kind: base, id: idle, currency: idle, rate: {points: 1, per: "1.00 EUR"}}
  - {kind: base, id: kept, currency: kept, rate: {points: 1, per: "1.00 EUR"}}
  - {kind: base, id: late, currency: late, rate: {points: 1, per: "1.00 EUR"}}
  - {kind: base, id: stay, currency: stay, rate: {points: 1, per: "1.00 EUR"}}
  - {kind: base, id: status, currency: qp, rate: {points: 1, per: "1.00 EUR"}}
expiries:
  - {kind: fixed, id: month, days: 30}
  - {kind: inactivity, id: idle, months: 2, hard_months: 5, extended_by: [earn, burn]}
  - {kind: fixed, id: kept, days: 20, unless_tier: [gold]}
  - {kind: fixed, id: late, days: 15, since: released}
holds:
  - {timeout_hours: 48}
  - {timeout_hours: 2400, business_unit: [b], held_points: expire}
redemptions:""",
    )
    + """
reversals: {grace_days: 6}
tiers:
  window: rolling_months
  window_months: 2
  valid: {months: 2}
  ladder:
    - {id: basic}
    - {id: gold, reach_any: [[{currency: qp, at_least: 300}]]}
"""
)


class Sweeping:
    """A ledger that is written to, and sweepers that look into its projection."""

    def __init__(self, till: Till, service: asyncpg.Pool) -> None:
        """Begin with a sweeper of every account."""
        self.till = till
        self.service = service
        self.sweeper = Sweeper(DueAccounts(service), into(till.ledger, client=SWEEPER))

    async def sweep(self, sweeper: Sweeper | None = None) -> Swept:
        """One pass until now, with everything recorded so far in the projection."""
        await follow_to_the_end(self.service)
        return await (sweeper or self.sweeper).sweep(self.till.clock.now())

    async def later(self, *, days: int) -> None:
        """Let time pass."""
        self.till.clock.set(self.till.clock.now() + days * DAY)

    async def events(self) -> int:
        """How many events the ledger has."""
        found: int = await self.service.fetchval("SELECT sum(next_pos)::bigint FROM lane")
        return found

    async def state(self, member: MemberRef) -> tuple[object, ...]:
        """What the member has, in words that do not say which member it is."""
        account, _ = await self.till.ledger.reads.account(member)
        lots = [
            (lot.currency, lot.available, lot.pending, lot.held, lot.expires_at)
            for lot in account.lots
        ]
        balances = {name: row for name, row in account.balances.items() if any(row)}
        return balances, sorted(lots, key=str), len(account.holds), account.tiers[-1:]

    async def sell(self, member: MemberRef, document: str, cents: int) -> Posting:
        """A sale, now."""
        return await self.till.post(self.till.document(member, document, 1, cents))


@pytest.fixture
async def sweeping(database: str) -> AsyncIterator[Sweeping]:
    """A ledger with a policy in which time decides all it can."""
    async with open_till(database) as till:
        await till.publish(POLICY_OF_TIME)
        service = await pool(database, min_size=1, max_size=6)
        try:
            yield Sweeping(till, service)
        finally:
            await service.close()


def only(send: Send[AdvanceAccountRequest], accounts: set[str]) -> Send[AdvanceAccountRequest]:
    """Send for these accounts alone; the others are as if nobody had swept."""

    async def sent(requests: Sequence[AdvanceAccountRequest]) -> list[Outcome]:
        wanted = [request for request in requests if request.member.member_id in accounts]
        outcomes = iter(await send(wanted) if wanted else [])
        return [
            next(outcomes) if request.member.member_id in accounts else Posting()
            for request in requests
        ]

    return sent


@dataclass
class Twins:
    """Two members who do the same; what one is refused, the other is refused too."""

    till: Till
    members: tuple[MemberRef, MemberRef]
    chance: Random
    documents: int = 0
    burns: list[tuple[str, ...]] = field(default_factory=list)
    holds: list[str] = field(default_factory=list)

    async def act(self) -> None:
        """Something random, twice."""
        what = self.chance.choice(("sell", "sell", "cancel", "burn", "reverse", "hold", "end"))
        number = self.chance.randrange(1, 200)
        self.documents += what == "sell"
        name = self.documents if what == "sell" else self.chance.randrange(self.documents + 1)
        hold = f"H{len(self.holds)}" if what == "hold" else self.chance.choice(self.holds or [""])
        burned = self.chance.choice(self.burns or [("", "")])
        answers = [
            await self._act(what, number, name, f"{hold}-{who}", burned[who], who) for who in (0, 1)
        ]
        reasons = {answer for answer in answers if isinstance(answer, str)}
        assert len(reasons) == (1 if reasons else 0)
        assert not reasons or all(isinstance(answer, str) for answer in answers)
        if what == "hold":
            self.holds.append(hold)
        if what == "burn" and not reasons:
            self.burns.append(
                tuple(answer.entry_id for answer in answers if isinstance(answer, Posting))
            )

    async def _act(
        self, what: str, number: int, name: int, hold: str, burned: str, who: int
    ) -> Posting | str:
        till, member = self.till, self.members[who]
        match what:
            case "sell":
                request: object = till.document(member, f"D{name}-{who}", 1, number * 100)
            case "cancel":
                request = till.document(member, f"D{name}-{who}", 2)
            case "burn":
                request = till.burn(member, number)
            case "reverse":
                request = till.reverse(burned or "none")
            case "hold":
                request = till.hold(member, hold, number)
            case _:
                request = till.release(hold) if number % 2 else till.capture(hold, 1)
        try:
            return await till.post(request)
        except Refusal as refusal:
            return refusal.reason


@pytest.mark.parametrize("seed", range(4))
async def test_who_was_swept_has_what_they_would_have_had(sweeping: Sweeping, seed: int) -> None:
    till = sweeping.till
    swept, unswept = await till.enrol("1"), await till.enrol("2")
    chance = Random(seed)
    account = (await till.ledger.reads.account(swept))[0].account_id
    sweeper = Sweeper(
        DueAccounts(sweeping.service), only(into(till.ledger, client=SWEEPER), {account})
    )
    twins = Twins(till, (swept, unswept), chance)
    recorded = 0
    for _ in range(30):
        for _ in range(chance.randrange(4)):
            till.clock.set(till.clock.now() + SECOND)
            await twins.act()
        await sweeping.later(days=chance.randrange(1, 12))
        before = await sweeping.state(swept)
        recorded += (await sweeping.sweep(sweeper)).accounts
        after = await sweeping.state(swept)
        assert before == after == await sweeping.state(unswept)
        # All that was due was found: asking by hand records nothing.
        events = await sweeping.events()
        await till.post(till.advance(swept))
        assert await sweeping.events() == events
    assert recorded > 5
    for projection in PROJECTIONS:
        rebuilt = await rebuild(sweeping.service, projection.name)
        assert rebuilt.digest == rebuilt.replaced_digest


async def test_two_sweepers_at_once_record_everything_once(sweeping: Sweeping) -> None:
    till = sweeping.till
    members = [await till.enrol(str(number)) for number in range(30)]
    for number, member in enumerate(members):
        await sweeping.sell(member, f"D{number}", 10_00)
    await sweeping.later(days=31)
    await follow_to_the_end(sweeping.service)
    rivals = [
        Sweeper(DueAccounts(sweeping.service), into(till.ledger, client=SWEEPER), rate=1_000)
        for _ in range(2)
    ]
    now = till.clock.now()
    one, two = await asyncio.gather(*(rival.sweep(now) for rival in rivals))
    assert one.accounts + two.accounts == len(members)
    assert one.replayed + two.replayed == len(members)
    assert (one.moved + two.moved)["points_expired", "p"] == 10 * len(members)
    expired = await sweeping.service.fetchval(
        "SELECT count(*) FROM event WHERE currency = 'p' AND kind = $1",
        KIND_NUMBER["points_expired"],
    )
    assert expired == len(members)
    assert [await till.available(member) for member in members] == [0] * len(members)


async def test_a_pass_that_was_killed_between_pages_is_finished_by_the_next(
    sweeping: Sweeping,
) -> None:
    till = sweeping.till
    for number in range(9):
        await sweeping.sell(await till.enrol(str(number)), f"D{number}", 10_00)
    await sweeping.later(days=31)
    await follow_to_the_end(sweeping.service)
    pages = 0

    async def dies(requests: Sequence[AdvanceAccountRequest]) -> list[Outcome]:
        nonlocal pages
        pages += 1
        if pages == 3:
            raise ConnectionResetError("killed")
        return await into(till.ledger, client=SWEEPER)(requests)

    with pytest.raises(ConnectionResetError):
        await Sweeper(DueAccounts(sweeping.service), dies, rate=4).sweep(till.clock.now())
    # The projection may know of what was recorded, or not yet: both are told apart by the ids.
    again = await Sweeper(DueAccounts(sweeping.service), into(till.ledger, client=SWEEPER)).sweep(
        till.clock.now()
    )
    assert (again.accounts, again.replayed) == (1, 8)
    assert not again.refused
    last = await sweeping.sweep()
    assert last.asked == 0


async def test_nothing_due_records_nothing_and_uses_up_no_request_id(sweeping: Sweeping) -> None:
    till = sweeping.till
    member = await till.enrol("1")
    await sweeping.sell(member, "D1", 400_00)
    events = await sweeping.events()
    keys = await sweeping.service.fetchval("SELECT count(*) FROM request")
    await sweeping.later(days=9)
    assert (await sweeping.sweep()).asked == 0
    # Gold keeps these alive: they may be due, and are not.
    await sweeping.later(days=12)
    swept = await sweeping.sweep()
    account = (await till.ledger.reads.account(member))[0]
    assert account.tier == "gold"
    assert account.balance("kept").available == 400
    assert swept.moved == {("points_released", "late"): 400, ("points_expired", "stay"): 400}
    assert await sweeping.events() == events + 2
    assert await sweeping.service.fetchval("SELECT count(*) FROM request") == keys + 1


async def test_each_thing_that_time_decides_is_recorded_at_its_own_instant(
    sweeping: Sweeping,
) -> None:
    till = sweeping.till
    member = await till.enrol("1")
    await sweeping.sell(member, "D1", 400_00)
    await till.post(till.hold(member, "H", 50))
    seen = await swept_daily(sweeping, member, days=100)
    assert seen == {
        "hold_released p": 2,
        "points_released late": 10,
        "points_expired stay": 16,
        "points_expired late": 26,
        "points_expired p": 31,
        "points_expired kept": 62,
        "points_expired idle": 62,
    }


async def test_points_that_are_held_and_expire_all_the_same_are_found(sweeping: Sweeping) -> None:
    till = sweeping.till
    member = await till.enrol("1")
    await sweeping.sell(member, "D1", 50_00)
    kept, lapsing = till.hold(member, "H1", 10), till.hold(member, "H2", 40)
    lapsing.origin.business_unit = "b"
    await till.post(kept)
    await till.post(lapsing)
    await sweeping.later(days=1)
    await till.post(till.release("H1"))
    await till.post(till.burn(member, 10))
    seen = await swept_daily(sweeping, member, days=31)
    assert seen["hold_released p"] == seen["points_expired p"] == 30


async def test_points_that_nothing_keeps_alive_any_more_are_found_without_a_date(
    sweeping: Sweeping,
) -> None:
    member = await sweeping.till.enrol("1")
    await sweeping.sell(member, "D1", 10_00)
    await sweeping.later(days=10)
    await sweeping.sell(member, "D2", 10_00)
    seen = await swept_daily(sweeping, member, days=90)
    # Two months after the second sale, and 20 days after each, since basic protects nothing.
    assert seen == {
        "points_expired stay": 6,
        "points_released late": 10,
        "points_expired kept": 11,
        "points_expired late": 16,
        "points_expired p": 21,
        "points_expired idle": 62,
    }


async def test_a_booking_that_time_releases_in_no_way_is_dated_when_it_is_final(
    sweeping: Sweeping,
) -> None:
    till = sweeping.till
    member = await till.enrol("1")
    booked = till.document(member, "D1", 1, 10_00)
    booked.document.status = DOCUMENT_STATUS_PENDING
    await till.post(booked)
    await sweeping.later(days=40)
    assert (await sweeping.sweep()).asked == 0
    await till.post(till.document(member, "D1", 2, 10_00))
    seen = await swept_daily(sweeping, member, days=90)
    # The others had passed their time when the booking became final.
    assert {name for name in seen if "expired" in name} == {
        "points_expired idle",
        "points_expired late",
        "points_expired stay",
    }


async def swept_daily(sweeping: Sweeping, member: MemberRef, *, days: int) -> dict[str, int]:
    """On which day what was first swept; each day, nothing is left that is due."""
    seen: dict[str, int] = {}
    for day in range(1, days + 1):
        await sweeping.later(days=1)
        for kind, currency in (await sweeping.sweep()).moved:
            seen.setdefault(f"{kind} {currency}", day)
        events = await sweeping.events()
        await sweeping.till.post(sweeping.till.advance(member))
        assert await sweeping.events() == events, f"day {day}"
    return seen


async def test_a_ledger_that_takes_nothing_stops_the_pass(sweeping: Sweeping) -> None:
    till = sweeping.till
    await sweeping.sell(await till.enrol("1"), "D1", 10_00)
    await sweeping.later(days=31)
    await follow_to_the_end(sweeping.service)

    async def refuses(requests: Sequence[AdvanceAccountRequest]) -> list[Outcome]:
        return ["NOT_SERVING"] * len(requests)

    with pytest.raises(PassStopped, match="NOT_SERVING"):
        await Sweeper(DueAccounts(sweeping.service), refuses).sweep(till.clock.now())
    assert (await sweeping.sweep()).accounts == 1

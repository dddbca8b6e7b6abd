"""Histories in memory in which every kind of fact happens: a chapter for each part of a ledger."""

from collections.abc import Awaitable, Callable
from typing import Final

from loyalty.v1.audit_service_pb2 import ClosePeriodRequest
from loyalty.v1.ledger_service_pb2 import RejectAdjustmentRequest
from loyalty.v1.programme_service_pb2 import RecordSimulationRequest
from loyalty.v1.types_pb2 import RECALL_SPENT_ARREARS, MemberRef, Origin
from tests.simulation.database import MemoryDatabase
from tests.store.erasing import erase, known_member
from tests.store.in_memory import memory_till
from tests.store.merging import merge, unmerge
from tests.store.moving import ACCEPTED, AT_ONCE, Mover
from tests.store.openings import LADDER, lot, nights, row, tier
from tests.store.pooling import CONTRIBUTE, SPEND, VIEW, Pooler
from tests.store.recalling import Recaller
from tests.store.referring import close, friends, pending
from tests.store.stories import CLAIMS, claim, move, with_code
from tests.store.test_adjusting import CALLED, adjusting
from tests.store.test_extending import extending
from tests.store.test_late_burns import with_an_expired_lot
from tests.store.test_moving_identities import link, unlink
from tests.store.test_publishing import approval, drafted, later, publication, withdrawal
from tests.store.test_tamper_room import COUNTED
from tests.store.till import POLICY, Till

TWO_CURRENCIES: Final = ACCEPTED.replace(
    "currencies:\n", "currencies:\n  - {id: q, role: spendable}\n"
) + ("conversions: [{id: swap, currency: p, into: q, rate: 4/5, issuer: b, fee_points: 2}]\n")


async def spending(till: Till) -> None:
    """Earned, pending, spent, held, given back, taken back, owed and repaid."""
    await till.publish()
    member = await till.enrol("1")
    await till.post(till.document(None, "G1", 1, 10_00))
    await till.post(till.document(member, "D1", 1, 100_00))
    burn = await till.post(till.burn(member, 40))
    back = await till.post(till.reverse(burn.entry_id, 20))
    await till.post(till.reverse(back.entry_id))
    await till.post(till.hold(member, "H", 30))
    await till.post(till.capture("H", 10))
    await till.post(till.release("H"))
    await till.post(pending(till.document(member, "D2", 1, 50_00)))
    await till.post(pending(till.document(member, "D2", 2, 30_00)))
    await till.post(till.document(member, "D2", 3, 30_00))
    await till.post(till.burn(member, 80))
    await till.post(till.document(member, "D1", 2))
    await till.post(till.document(member, "D3", 1, 200_00))


async def losing(till: Till) -> None:
    """What was spent and returned is borne by a unit."""
    await till.publish(POLICY + "refunds: {when_spent: write_off}\n")
    member = await till.enrol("1")
    await till.post(till.document(member, "D1", 1, 100_00))
    await till.post(till.burn(member, 100))
    await till.post(till.document(member, "D1", 2))


async def late(till: Till) -> None:
    """A month is closed, and a burn comes in that happened before points expired."""
    member = await with_an_expired_lot(till)
    await till.post(till.burn(member, 60, occurred="2025-03-30T18:00"))
    await till.write(ClosePeriodRequest(request_id=till.rid(), period="2025-03", operator="anna"))


async def counting(till: Till) -> None:
    """Caps, a budget, a counter, and a tier that is reached and lost."""
    await till.publish(COUNTED)
    member = await till.enrol("1")
    for number in range(1, 5):
        await till.post(till.document(member, f"D{number}", 1, 90_00))
    await till.post(till.document(member, "D1", 2))


async def claiming(till: Till) -> None:
    """What was nobody's is claimed, and moved on."""
    await till.publish(CLAIMS)
    first, second = await till.enrol("1"), await till.enrol("2")
    await till.post(with_code(till.document(None, "D1", 1, 60_00), "77"))
    await till.post(claim(till, first, "D1", "77"))
    await till.post(move(till, second, "D1"))


async def moving(till: Till) -> None:
    """Points that arrive, that come back, and that become others."""
    mover = Mover(till)
    await till.publish(TWO_CURRENCIES)
    m1, m2 = await mover.s24()
    arrived = await mover.sends(m1, m2, 30)
    await mover.accepts(m2, arrived.entry_id)
    await mover.brought_on(arrived.entry_id)
    back = await mover.sends(m1, m2, 20)
    await mover.declines(m2, back.entry_id)
    await till.post(mover.convert(m2, 40))


async def pooling(till: Till) -> None:
    """A pool that is opened, filled, spent from, left and closed."""
    pooler = Pooler(till)
    await till.publish(AT_ONCE.replace("currency: p, fee", "currency: p, relation: household, fee"))
    m1, m2 = await pooler.s24()
    pool = await pooler.opens(m1)
    await pooler.adds(pool, m2, VIEW, by=m1)
    await pooler.permits(pool, m2, VIEW, CONTRIBUTE, SPEND, by=m1)
    await pooler.moves(m1, pool, 50)
    await till.post(pooler.burn(pool, m2, 20))
    await pooler.removes(pool, m2, by=m1)
    await pooler.closes(pool, by=m1)


async def merging(till: Till) -> None:
    """Points, pending ones, a hold and a debt that go with a member, and come back."""
    await till.publish()
    s, t = await till.enrol("s"), await till.enrol("t")
    await till.post(till.document(s, "D1", 1, 100_00))
    await till.post(till.hold(s, "H", 40))
    await till.post(till.hold(s, "BACK", 60))
    await till.post(till.document(s, "D1", 2, 80_00))
    await till.post(till.release("BACK"))
    await till.post(pending(till.document(s, "D2", 1, 30_00)))
    await till.post(till.document(t, "D3", 1, 50_00))
    source = await merge(till, s, t)
    await unmerge(till, source)


async def by_hand(till: Till) -> None:
    """Points given alone, proposed and turned down; a lot that lives longer."""
    await till.publish(CALLED)
    member = await till.enrol("1")
    given = await till.post(adjusting(till, member, 100))
    await till.post(extending(till, member, f"{given.entry_id}.1", "2027-03-01T00:00"))
    proposed = await till.post(adjusting(till, member, 2000, propose=True))
    reject = RejectAdjustmentRequest(request_id=till.rid(), adjustment_id=proposed.entry_id)
    reject.origin.CopyFrom(Origin(business_unit="a", operator="u2"))
    await till.post(reject)


async def recalling(till: Till) -> None:
    """Points and pending ones that are set aside, given back, and taken."""
    await till.publish()
    member = await till.enrol("1")
    await till.post(till.document(member, "D1", 1, 40_00))
    await till.post(till.document(member, "D2", 1, 60_00))
    await till.post(pending(till.document(member, "D3", 1, 30_00)))
    recaller = Recaller(till, member)
    bad, good, waits = await recaller.lots()
    await till.post(till.burn(member, 10))
    await recaller.quarantines(bad, good, waits)
    await recaller.lifts(good, waits)
    await recaller.claws_back(bad, spent=RECALL_SPENT_ARREARS)


async def opening(till: Till) -> None:
    """Rows of an older programme."""
    await till.publish(LADDER)
    await till.post(row(till, 1, lot(100), lot(50)))
    await till.post(row(till, 2, lot(10), metrics=[nights(3)], tier=tier("silver")))


async def knowing(till: Till) -> None:
    """A member of whom much is known, whose identities change, and who is erased."""
    member = MemberRef(member_id=await known_member(till))
    await till.write(link(till, member, "lost"))
    await till.write(unlink(till, member, "lost"))
    await erase(till, member)


async def bringing(till: Till) -> None:
    """Who brought a member is rewarded, and leaves."""
    told = await friends(till)
    await told.buys("D1", 50_00)
    await told.buys("D1")
    await close(till, told.old)


async def publishing(till: Till) -> None:
    """A policy from draft to force, and one that is withdrawn."""
    await till.publish()
    digest = await drafted(till, later(2))
    await till.write(
        RecordSimulationRequest(request_id=till.rid(), digest=digest, report_digest="5" * 64)
    )
    chief = Till(till.ledger, till.clock, "chief")
    await chief.write(approval(chief, digest))
    await till.write(publication(till, digest))
    await till.write(withdrawal(till, await drafted(till, later(3, "2025-03-01T14:00"))))


CHAPTERS: Final[tuple[Callable[[Till], Awaitable[None]], ...]] = (
    spending,
    losing,
    late,
    counting,
    claiming,
    moving,
    pooling,
    merging,
    by_hand,
    recalling,
    opening,
    knowing,
    bringing,
    publishing,
)


async def told(chapter: Callable[[Till], Awaitable[None]]) -> MemoryDatabase:
    """What stands after a chapter."""
    async with memory_till() as (till, database):
        await chapter(till)
    return database

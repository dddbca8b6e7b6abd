"""More steps of a story: members who become one or share points, and points that are recalled."""

from loyalty.v1.ledger_service_pb2 import Posting
from loyalty.v1.types_pb2 import (
    RECALL_ACTION_CLAW_BACK,
    RECALL_ACTION_QUARANTINE,
    RECALL_ACTION_RELEASE,
    RECALL_SPENT_ARREARS,
    RECALL_SPENT_UNSPECIFIED,
)
from tests.store import merging
from tests.store.pooling import CONTRIBUTE, SPEND, VIEW, Pooler
from tests.store.recalling import recalling
from tests.words.steps import Found, Teller, step

RECALLS = {
    "set aside": RECALL_ACTION_QUARANTINE,
    "given back": RECALL_ACTION_RELEASE,
    "taken": RECALL_ACTION_CLAW_BACK,
}


@step(r"(?P<who>\w+) (?P<how>begins to become|becomes) part of (?P<other>\w+)")
async def merges(teller: Teller, told: Found) -> None:
    source, into = await teller.member(told["who"]), await teller.member(told["other"])
    begun = await merging.told(teller.till, merging.merging(teller.till, source, into))
    teller.entries[told["who"]] = begun.member_id
    if told["how"] == "becomes":
        await merging.finish(teller.till, begun.member_id)


@step(r"the merge of (?P<who>\w+) is brought to its end")
async def merges_on(teller: Teller, told: Found) -> None:
    await merging.finish(teller.till, teller.entries[told["who"]])


@step(r"the merge of (?P<who>\w+) is undone")
async def unmerges(teller: Teller, told: Found) -> None:
    await merging.unmerge(teller.till, teller.entries[told["who"]])


@step(r"(?P<who>\w+) opens pool (?P<pool>\w+)")
async def opens(teller: Teller, told: Found) -> None:
    founder = await teller.member(told["who"])
    teller.members[told["pool"]] = await Pooler(teller.till).opens(founder)


@step(r"(?P<who>\w+) lets (?P<other>\w+) into (?P<pool>\w+)")
async def lets_in(teller: Teller, told: Found) -> None:
    administrator, joining = await teller.member(told["who"]), await teller.member(told["other"])
    pool = teller.members[told["pool"]]
    await Pooler(teller.till).adds(pool, joining, VIEW, CONTRIBUTE, SPEND, by=administrator)


@step(r"(?P<who>\w+) puts (?P<points>\d+) into (?P<pool>\w+)")
async def puts_in(teller: Teller, told: Found) -> Posting:
    member, pool = await teller.member(told["who"]), teller.members[told["pool"]]
    pooler = Pooler(teller.till)
    posting = await pooler.sends(member, pool, int(told["points"]))
    await pooler.brought_on(posting.entry_id)
    return posting


@step(r"(?P<who>\w+) burns (?P<points>\d+) of (?P<pool>\w+) AT")
async def burns_of(teller: Teller, told: Found) -> Posting:
    spender, pool = await teller.member(told["who"]), teller.members[told["pool"]]
    request = teller.till.burn(spender, int(told["points"]), told["unit"] or "a")
    request.pool_id = pool.pool_id
    return await teller.till.post(request)


@step(r"(?P<who>\w+) (?P<how>leaves|closes) (?P<pool>\w+)")
async def leaves(teller: Teller, told: Found) -> None:
    member, pool = await teller.member(told["who"]), teller.members[told["pool"]]
    pooler = Pooler(teller.till)
    if told["how"] == "leaves":
        await pooler.removes(pool, member, by=member)
    else:
        await pooler.closes(pool, by=member)


@step(
    r"(?P<lot>\w+) of (?P<who>\w+) is (?P<how>set aside|given back|taken)"
    r"(?P<owed>, and what was spent is owed)?"
)
async def recalls(teller: Teller, told: Found) -> Posting:
    member = await teller.member(told["who"])
    lots = [lot_id for lot_id, name in teller.lots.items() if name == told["lot"]]
    spent = RECALL_SPENT_ARREARS if told["owed"] else RECALL_SPENT_UNSPECIFIED
    return await teller.till.post(
        recalling(teller.till, member, RECALLS[told["how"]], *lots, spent=spent)
    )

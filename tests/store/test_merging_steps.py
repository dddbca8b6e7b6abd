"""A merge of many parts that stops after each of them, and that others bring to its end."""

from typing import NamedTuple

import pytest

from ledger.core import merging as merging_steps
from ledger.core.refusals import Merging
from ledger.core.state import Account
from loyalty.v1.types_pb2 import DOCUMENT_STATUS_PENDING, MemberRef
from tests.store.merging import finish, merging, step, told, unmerging, verified
from tests.store.openings import lot, row
from tests.store.till import POLICY, Till, open_till

FULL = POLICY.replace("business_units:", "  - {id: qp, role: tier_qualifying}\nbusiness_units:")
FULL = FULL.replace(
    'rate: {points: 1, per: "1.00 EUR"}}',
    'rate: {points: 1, per: "1.00 EUR"}, caps: [{window: local_day, points: 500}]}\n'
    "  - {kind: bonus, id: first, currency: p, points: 5, when: {first_purchase: true}}\n"
    '  - {kind: base, id: status, currency: qp, rate: {points: 1, per: "1.00 EUR"}}',
)
FULL += "tiers: {ladder: [{id: basic}, {id: gold, reach_any: [[{currency: qp, at_least: 100}]]}]}\n"


class Pair(NamedTuple):
    """Two members who lived as those of every other pair, under ids of their own."""

    name: str
    source: str
    target: str

    async def has(self, till: Till) -> list[str]:
        """What both accounts have, in the same words for every pair."""
        return [self._words(await named(till, each)) for each in (self.source, self.target)]

    def _words(self, account: Account) -> str:
        has = (
            account.balances,
            [each._replace(lot_id="") for each in account.lots],
            [(each.hold_id, each.points, len(each.draws), each.owner) for each in account.holds],
            [
                (each.points, each.business_unit, each.document, each.owner)
                for each in account.debts
            ],
            account.qualifying,
            account.usage,
            account.numbers,
            [(owner, part._replace(tiers=())) for owner, part in account.parts.items()],
            account.tier,
            account.merging,
        )
        words = repr(has).replace(self.source, "source").replace(self.target, "target")
        return words.replace(f"{self.name}-", "")


async def named(till: Till, member_id: str) -> Account:
    """The very account of a member, merged or not."""
    found = await till.ledger.reads.found(MemberRef(member_id=member_id), as_named=True)
    return found.account


async def lived(till: Till, name: str, lots: int) -> Pair:
    """A source with lots of every kind, holds, debts and what is counted; a target with some."""

    async def buys(
        member: MemberRef, document: str, euros: int, day: int, version: int = 1
    ) -> None:
        net = [euros * 100] if euros else []
        occurred = f"2025-02-{day:02}T10:00"
        await till.post(
            till.document(member, f"{name}-{document}", version, *net, occurred=occurred)
        )

    source, target = await till.enrol(f"{name}-s"), await till.enrol(f"{name}-t")
    for number in (1, 2):
        await buys(source, f"spent{number}", 20, number)
    await till.post(till.burn(source, 45, occurred="2025-02-03T10:00"))
    for number in (1, 2):
        await buys(source, f"spent{number}", 0, number, version=2)
    await buys(target, "T", 70, 4)
    # What is brought in repays nothing.
    brought = [lot(1 + number % 7, unit="ab"[number % 2]) for number in range(lots)]
    for begin in range(0, lots, 400):
        some = brought[begin : begin + 400]
        request = row(till, begin, *some, card=f"{name}-s", source=name, enrol=False)
        await till.write(request)
    for number in range(3):
        await till.post(till.hold(source, f"{name}-H{number}", 4))
    waits = till.document(source, f"{name}-waits", 1, 90_00, occurred="2025-02-05T10:00")
    waits.document.status = DOCUMENT_STATUS_PENDING
    await till.post(waits)
    ids = [(await till.ledger.reads.member(each)).member_id for each in (source, target)]
    return Pair(name, *ids)


async def stepped(database: str, pair: Pair, what: str) -> int:
    """Each step by a process that dies after it, as a call or as the sweeper takes it."""
    number = 0
    while True:
        number += 1
        async with open_till(database) as till:
            till.client = f"{what}-{number}"
            source = MemberRef(member_id=pair.source)
            if number % 2:
                await told(till, step(till, pair.source, number))
            else:
                await till.post(till.advance(source))
            if (await named(till, pair.source)).merging is None:
                return number
            with pytest.raises(Merging):
                await till.post(till.burn(source, 1))
            if (what, number) == ("merge", 2):
                assert not (await verified(till)).divergences


@pytest.mark.parametrize(
    ("lots", "lots_a_step", "counts_a_step", "least"), [(1_100, 500, 2_000, 3), (5, 3, 2, 6)]
)
async def test_whoever_takes_the_steps_and_wherever_they_stop_the_end_is_the_same(
    database: str,
    monkeypatch: pytest.MonkeyPatch,
    lots: int,
    lots_a_step: int,
    counts_a_step: int,
    least: int,
) -> None:
    monkeypatch.setattr(merging_steps, "LOTS_A_STEP", lots_a_step)
    monkeypatch.setattr(merging_steps, "COUNTS_A_STEP", counts_a_step)
    async with open_till(database) as till:
        await till.publish(FULL)
        one, two = await lived(till, "one", lots), await lived(till, "two", lots)
        before = await one.has(till)
        assert await two.has(till) == before
        for what in ("merge", "undo"):
            for pair in (one, two):
                source, target = (MemberRef(member_id=each) for each in pair[1:])
                begins = (
                    merging(till, source, target) if what == "merge" else unmerging(till, source)
                )
                await told(till, begins)
            at_once = await finish(till, one.source)
            assert await stepped(database, two, what) == at_once >= least
            assert await two.has(till) == await one.has(till)
        assert await one.has(till) == before
        assert not (await verified(till)).divergences

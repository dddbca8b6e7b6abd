"""A ledger that has lived: members who buy, return, spend, hold, reverse, and let points expire."""

from pathlib import Path
from random import Random
from typing import Any

from ledger.core.instant import SECOND
from ledger.core.refusals import Refusal
from loyalty.v1.ledger_service_pb2 import PostDocumentRequest, Posting
from loyalty.v1.types_pb2 import (
    DOCUMENT_STATUS_CANCELLED,
    DOCUMENT_STATUS_FINAL,
    DOCUMENT_STATUS_PENDING,
    MemberRef,
)
from tests.store.till import Till

HARBOUR = Path(__file__).resolve().parents[1] / "policies" / "harbour.yaml"
DAY = 86_400 * SECOND
SHOPS = [("market", "USD", "grocery"), ("market", "USD", "household"), ("hotel", "EUR", "room")]


class Life:
    """Random but repeatable acts of some members, a round of them at a time."""

    def __init__(self, till: Till, seed: int = 1) -> None:
        self.till = till
        self.random = Random(seed)
        self.members: list[MemberRef] = []
        self._documents: list[PostDocumentRequest] = []
        self._spent: list[str] = []
        self._held: list[str] = []
        self._count = 0

    async def begin(self, members: int) -> None:
        """Publish the policy, enrol the members."""
        await self.till.publish(HARBOUR.read_text())
        self.members = [await self.till.enrol(f"card-{i}", "market") for i in range(members)]

    async def round(self, acts: int) -> None:
        """Some acts at once, then half a month passes."""
        requests = [self._act() for _ in range(acts)]
        for answer in await self.till.ledger.write_batch(requests, client="life"):
            if isinstance(answer, Refusal):
                continue
            posting = answer.message
            assert isinstance(posting, Posting)
            kinds = {movement.kind for movement in posting.movements}
            if kinds & {"points_burned", "hold_captured", "burn_reversed"}:
                self._spent.append(posting.entry_id)
        self.till.clock.set(self.till.clock.now() + 15 * DAY)

    def _act(self) -> Any:
        self._count += 1
        choice = self.random.random()
        member = self.random.choice(self.members)
        if choice < 0.55 or not self._documents:
            return self._sale(member)
        if choice < 0.68:
            return self._changed()
        if choice < 0.82:
            burn = self.till.burn(member, self.random.randint(100, 400), "market")
            burn.points.currency = "point"
            return burn
        if choice < 0.90:
            return self._hold(member)
        if choice < 0.95 and self._held:
            return self._end_of_hold()
        if self._spent:
            entry_id = self.random.choice(self._spent)
            return self.till.reverse(entry_id, self.random.choice([0, 50]), "market")
        return self._sale(member)

    def _sale(self, member: MemberRef) -> PostDocumentRequest:
        unit, currency, category = self.random.choice(SHOPS)
        amounts = [self.random.randint(100, 30_000) for _ in range(self.random.randint(1, 3))]
        buyer = member if self.random.random() < 0.95 else None
        sale = self.till.document(buyer, f"D{self._count}", 1, *amounts, unit=unit)
        sale.document.currency_code = currency
        for line in sale.document.lines:
            line.category = category
        if self.random.random() < 0.1:
            sale.document.status = DOCUMENT_STATUS_PENDING
        self._documents.append(sale)
        return sale

    def _changed(self) -> PostDocumentRequest:
        """A later version: less, or nothing any more, and now and then another's from now on."""
        before = self.random.choice(self._documents[-200:])
        if self.random.random() < 0.2:
            before.member.CopyFrom(self.random.choice(self.members))
        member = before.member if before.HasField("member") else None
        changed = self.till.document(member, before.document.document_id, 0, 1)
        changed.move = member is not None
        changed.origin.CopyFrom(before.origin)
        changed.document.CopyFrom(before.document)
        before.document.version += 1
        changed.document.version = before.document.version
        changed.document.status = DOCUMENT_STATUS_FINAL
        if self.random.random() < 0.3:
            changed.document.status = DOCUMENT_STATUS_CANCELLED
        del changed.document.lines[1:]
        changed.document.lines[0].net_minor_units = self.random.randint(0, 20_000)
        return changed

    def _hold(self, member: MemberRef) -> Any:
        hold = self.till.hold(member, f"H{self._count}", self.random.randint(100, 300))
        hold.origin.business_unit = "market"
        hold.points.currency = "point"
        self._held.append(hold.hold_id)
        return hold

    def _end_of_hold(self) -> Any:
        hold_id = self._held[-1] if self.random.random() < 0.7 else self.random.choice(self._held)
        end: Any = self.till.release(hold_id)
        if self.random.random() < 0.7:
            end = self.till.capture(hold_id, 100, final=self.random.random() < 0.5)
        end.origin.business_unit = "market"
        return end


async def live(till: Till, *, members: int = 5, rounds: int = 24, acts: int = 12) -> Life:
    """A year of a few members, some hundred events."""
    life = Life(till)
    await life.begin(members)
    for _ in range(rounds):
        await life.round(acts)
    return life

"""Words for points in motion at a till, and a policy under which they move."""

from typing import Any

from ledger.core.refusals import Refusal
from loyalty.v1.ledger_service_pb2 import (
    AcceptTransferRequest,
    CancelTransferRequest,
    ContinueTransferRequest,
    ConvertPointsRequest,
    DeclineTransferRequest,
    Posting,
    Transfer,
    TransferPointsRequest,
    TransferState,
)
from loyalty.v1.types_pb2 import MemberRef, Origin, Points
from server.transferring import bring_on, step_request
from tests.store.till import POLICY, Till

FEE = 'fee_share: "10%", fee_unit: b'
MOVING = (
    POLICY.replace("categories: [food,", "categories: [food, tea,").replace(
        '{kind: base, id: base, currency: p, rate: {points: 1, per: "1.00 EUR"}}',
        '{kind: base, id: june, currency: p, rate: {points: 1, per: "1.00 EUR"}, expiry: june,'
        " when: {category: [food]}}\n"
        '  - {kind: base, id: tea, currency: p, rate: {points: 1, per: "1.00 EUR"},'
        " when: {category: [tea]}}",
    )
    + "expiries: [{id: june, kind: calendar_date, month_day: 06-30}]\n"
)
ACCEPTED = MOVING + f"transfers: [{{id: gift, currency: p, {FEE}, acceptance: required}}]\n"
AT_ONCE = MOVING + f"transfers: [{{id: gift, currency: p, {FEE}}}]\n"


class Mover:
    """Moves points at a till."""

    def __init__(self, till: Till) -> None:
        self.till = till

    async def earns(
        self, member: MemberRef, name: str, points: int, *, unit: str = "a", on: str, tea: bool
    ) -> None:
        """A sale of food, whose points expire on 1 July, or of tea, whose points stay."""
        request = self.till.document(
            member, name, 1, points * 100, unit=unit, occurred=f"{on}T10:00"
        )
        request.document.lines[0].category = "tea" if tea else "food"
        await self.till.post(request)

    def transfer(
        self, sender: MemberRef, receiver: MemberRef, points: int, rid: str = ""
    ) -> TransferPointsRequest:
        return TransferPointsRequest(
            request_id=rid or self.till.rid(),
            origin=Origin(business_unit="a"),
            member=sender,
            receiver=receiver,
            points=Points(currency="p", amount=points),
        )

    async def sends(self, sender: MemberRef, receiver: MemberRef, points: int) -> Posting:
        """Let points leave, and do nothing more: as if the process died after that commit."""
        return await self.till.post(self.transfer(sender, receiver, points))

    async def moves(self, sender: MemberRef, receiver: MemberRef, points: int) -> Transfer:
        """As the service does it: send, then bring it to its end."""
        posting = await self.sends(sender, receiver, points)
        return await self.brought_on(posting.entry_id)

    async def brought_on(self, transfer: str) -> Transfer:
        """Take what steps there are."""
        await bring_on(self.till.ledger, transfer)
        return await self.till.ledger.reads.transfer(transfer)

    async def steps(self, transfer: str, number: int) -> Posting | str:
        """Take one step, or tell why not."""
        try:
            return await self.till.post(self.step(transfer, number))
        except Refusal as refusal:
            return refusal.reason

    def step(self, transfer: str, number: int) -> ContinueTransferRequest:
        return step_request(transfer, number)

    def about(self, kind: type[Any], member: MemberRef, transfer: str) -> Any:
        return kind(
            request_id=self.till.rid(),
            origin=Origin(business_unit="a"),
            member=member,
            transfer_id=transfer,
        )

    async def accepts(self, member: MemberRef, transfer: str) -> Posting:
        return await self.till.post(self.about(AcceptTransferRequest, member, transfer))

    async def declines(self, member: MemberRef, transfer: str) -> Posting:
        return await self.till.post(self.about(DeclineTransferRequest, member, transfer))

    async def cancels(self, member: MemberRef, transfer: str) -> Posting:
        return await self.till.post(self.about(CancelTransferRequest, member, transfer))

    def convert(self, member: MemberRef, points: int, conversion: str = "swap") -> Any:
        return ConvertPointsRequest(
            request_id=self.till.rid(),
            origin=Origin(business_unit="a"),
            member=member,
            conversion=conversion,
            points=points,
        )

    async def state(self, transfer: str) -> TransferState.ValueType:
        return (await self.till.ledger.reads.transfer(transfer)).state

    async def balance(self, member: MemberRef) -> tuple[int, int]:
        """(available, in transit)."""
        account, _ = await self.till.ledger.reads.account(member)
        return account.balance("p").available, account.balance("p").in_transit

    async def s24(self) -> tuple[MemberRef, MemberRef]:
        """M1 with 100 of a that expire on 1 July and 50 of b; M2 with 60 of b to 1 July."""
        m1, m2 = await self.till.enrol("1"), await self.till.enrol("2")
        await self.earns(m1, "LA", 100, on="2025-01-01", tea=False)
        await self.earns(m1, "LB", 50, unit="b", on="2025-01-01", tea=True)
        await self.earns(m2, "LC", 60, unit="b", on="2025-02-01", tea=False)
        return m1, m2


async def divergences(till: Till) -> dict[str, list[str]]:
    """What a verification finds, by reason."""
    found: dict[str, list[str]] = {}
    async for word in till.ledger.verify(skip_awards=False):
        if word.done:
            for each in word.divergences:
                found.setdefault(each.reason, []).append(each.detail)
    return found

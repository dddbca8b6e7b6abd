"""A programme in which points move and are converted, and the desk at which members ask for it."""

from typing import Any, NamedTuple

from ledger.answers.postings import parse_position
from ledger.clock import SettableClock
from loyalty.v1 import ledger_service_pb2 as pb
from loyalty.v1.account_service_pb2 import GetAccountRequest
from loyalty.v1.audit_service_pb2 import GetSettlementRequest, SettlementFlow
from loyalty.v1.member_service_pb2 import CloseMemberRequest
from loyalty.v1.types_pb2 import Origin, Points
from projections.dated_draws import NAME as DRAWS
from projections.reading import reached
from server.database import connect
from tests.server import requests
from tests.server.served import Caller, Served

POLICY = """
schema: loyalty.policy/v1
programme: small
version: 1
effective_from: 2020-01-01T00:00:00Z
zone: UTC
currencies:
  - {id: point, role: spendable}
  - {id: mile, role: spendable}
business_units:
  - {id: market, zone: UTC, currency: USD}
  - {id: hotel, zone: UTC, currency: USD}
categories: [grocery]
earn:
  - {kind: base, id: base, currency: point, rate: {points: 1, per: "1.00"}}
  - {kind: base, id: miles, currency: mile, rate: {points: 1, per: "1.00"}}
transfers:
  - {id: gift, currency: point, fee_points: 5, fee_unit: market}
  - {id: asked, currency: mile, fee_share: "10%", fee_unit: market, acceptance: required,
     accept_days: 3}
conversions:
  - {id: swap, currency: point, into: mile, rate: 4/5, issuer: hotel, min_points: 10}
settlement: {prices: [{currency: point, price: "0.01 USD"}], residual: rounding}
"""
ORIGIN = Origin(business_unit="market")


class Desk(NamedTuple):
    """The server of the file, a client that may do everything, and the clock of the ledger."""

    served: Served
    call: Caller
    clock: SettableClock
    token: str

    async def joins(self, card: str, points: int = 100) -> str:
        """A member with so many points, and as many miles."""
        await self.call.members.EnrolMember(requests.enrolment(f"e-{card}", card))
        if points:
            sale = requests.sale(f"s-{card}", document_id=card, card=card, cents=points * 100)
            await self.call.ledger.PostDocument(sale)
        return card

    async def has(self, card: str, currency: str) -> tuple[int, int]:
        """(available, in transit)."""
        answer = await self.call.accounts.GetAccount(
            GetAccountRequest(member=requests.member(card))
        )
        for balance in answer.account.balances:
            if balance.currency == currency:
                return balance.available, balance.in_transit
        return 0, 0

    async def sends(self, sender: str, receiver: str, points: int, currency: str) -> Any:
        """The answer to a transfer."""
        return await self.call.ledger.TransferPoints(transfer(sender, receiver, points, currency))

    async def asks(self, sender: str, receiver: str, points: int) -> str:
        """Miles that wait to be accepted, and which the read side has seen: the transfer."""
        sent = await self.sends(sender, receiver, points, "mile")
        assert sent.transfer.state == pb.TRANSFER_STATE_AWAITING_ACCEPTANCE
        listed = await self.call.ledger.ListTransfers(
            pb.ListTransfersRequest(
                member=requests.member(sender),
                only_open=True,
                min_position=sent.posting.position,
            )
        )
        assert sent.transfer.transfer_id in {each.transfer_id for each in listed.transfers}
        return str(sent.transfer.transfer_id)

    async def now(self, transfer_id: str) -> pb.Transfer:
        """Where a transfer stands."""
        question = pb.GetTransferRequest(transfer_id=transfer_id)
        answer = await self.call.ledger.GetTransfer(question)
        assert isinstance(answer.transfer, pb.Transfer)
        return answer.transfer

    async def leaves(self, card: str) -> None:
        """A member closes the account and forfeits what is there."""
        await self.call.members.CloseMember(
            CloseMemberRequest(
                request_id=f"x-{card}",
                origin=Origin(business_unit="market", operator="anna"),
                member=requests.member(card),
                reason="moved away",
                forfeit=True,
            )
        )

    async def flows(self, period: str, position: str = "") -> list[SettlementFlow]:
        """What units owe each other for a month, from after a position of the ledger."""
        if position:
            lane, pos = parse_position(position)
            connection = await connect(self.served.dsn)
            try:
                await reached(connection, DRAWS, {lane: pos}, seconds=10)
            finally:
                await connection.close()
        answer = await self.call.audit.GetSettlement(GetSettlementRequest(period=period))
        return [flow for flow in answer.flows if flow.issuer != flow.business_unit]


def transfer(sender: str, receiver: str, points: int, currency: str) -> pb.TransferPointsRequest:
    return pb.TransferPointsRequest(
        request_id=f"t-{sender}-{receiver}-{points}-{currency}",
        origin=ORIGIN,
        member=requests.member(sender),
        receiver=requests.member(receiver),
        points=Points(currency=currency, amount=points),
    )


def about(kind: type[Any], card: str, transfer_id: str) -> Any:
    return kind(
        request_id=f"{kind.__name__[:3]}-{card}-{transfer_id}",
        origin=ORIGIN,
        member=requests.member(card),
        transfer_id=transfer_id,
    )


def conversion(card: str, points: int, name: str = "swap") -> pb.ConvertPointsRequest:
    return pb.ConvertPointsRequest(
        request_id=f"c-{card}-{points}-{name}",
        origin=ORIGIN,
        member=requests.member(card),
        conversion=name,
        points=points,
    )


def movements(posting: pb.Posting) -> list[tuple[str, str, int]]:
    return [(each.kind, each.currency, each.points) for each in posting.movements]

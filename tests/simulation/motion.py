"""What members do with points that move: they send, accept, decline, cancel and convert."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final, NamedTuple

from loyalty.v1.ledger_service_pb2 import (
    AcceptTransferRequest,
    CancelTransferRequest,
    ContinueTransferRequest,
    ConvertPointsRequest,
    DeclineTransferRequest,
    TransferPointsRequest,
)
from loyalty.v1.types_pb2 import MemberRef, Origin, Points

BROUGHT_ON: Final = (
    TransferPointsRequest,
    AcceptTransferRequest,
    DeclineTransferRequest,
    CancelTransferRequest,
)
"""After these the service takes the steps that follow."""
RECENT: Final = 12
"""Members decide about the newest transfers: the others are over."""


class Sent(NamedTuple):
    """A transfer, and between whom."""

    transfer: str
    sender: MemberRef
    receiver: MemberRef


@dataclass
class Motion:
    """Draws requests, and remembers which transfers there are."""

    random: Random
    member: Callable[[], MemberRef]
    """Draws a member."""
    id: Callable[[str], str]
    """A request id that was not given before."""
    unit: Callable[[], str]
    transfers: list[Sent] = field(default_factory=list)

    def learn(self, request: TransferPointsRequest, transfer_id: str) -> None:
        """Remember what was sent."""
        self.transfers.append(Sent(transfer_id, request.member, request.receiver))

    def send(self) -> TransferPointsRequest:
        """Points for somebody else, now and then for oneself."""
        return TransferPointsRequest(
            request_id=self.id("send"),
            origin=Origin(business_unit=self.unit()),
            member=self.member(),
            receiver=self.member(),
            points=Points(
                currency=self.random.choice(("p", "q")), amount=self.random.randint(1, 150)
            ),
        )

    def decide(self) -> Any:
        """A word about a transfer, mostly of somebody who has a say."""
        if not self.transfers:
            return self.send()
        sent = self.random.choice(self.transfers[-RECENT:])
        kind, who = self.random.choice(
            (
                (AcceptTransferRequest, sent.receiver),
                (AcceptTransferRequest, sent.receiver),
                (DeclineTransferRequest, sent.receiver),
                (CancelTransferRequest, sent.sender),
                (AcceptTransferRequest, self.member()),
                (ContinueTransferRequest, None),
            )
        )
        request: Any = kind(
            request_id=self.id("decide"),
            origin=Origin(business_unit=self.unit()),
            transfer_id=sent.transfer,
        )
        if who is not None:
            request.member.CopyFrom(who)
        return request

    def convert(self) -> ConvertPointsRequest:
        """Points for points of the other currency."""
        return ConvertPointsRequest(
            request_id=self.id("swap"),
            origin=Origin(business_unit=self.unit()),
            member=self.member(),
            conversion=self.random.choice(("up", "up", "down")),
            points=self.random.randint(1, 120),
        )

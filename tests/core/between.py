"""Two members between whom points move, step by step, as the shell lets them."""

from dataclasses import dataclass, field

from ledger.core.commands import (
    CompleteTransfer,
    ConvertPoints,
    PeriodLimit,
    ReceivePoints,
    ReturnPoints,
    SendPoints,
    TransferTerms,
)
from ledger.core.decide import Decision
from ledger.core.instant import Instant
from ledger.core.state import Account
from loyalty.v1.events_pb2 import (
    RETURN_CAUSE_DECLINED,
    TRANSFER_KIND_GIFT,
    PointsBurned,
    PointsSent,
    ReturnCause,
    TransferKind,
)
from tests.core.spec import Story, utc

FEE_UNIT = "F"


def member(name: str) -> Story:
    """The story of another member."""
    return Story(Account(name))


@dataclass
class Between:
    """A sender and a receiver; the fee is a tenth, rounded down, unless it is given."""

    sender: Story = field(default_factory=lambda: member("m-1"))
    receiver: Story = field(default_factory=lambda: member("m-2"))
    kind: TransferKind.ValueType = TRANSFER_KIND_GIFT
    sent: PointsSent = field(default_factory=PointsSent)
    """The last transfer."""
    transfers: int = 0

    def at(self, text: str) -> "Between":
        """Let it be this instant for both."""
        return self.at_instant(utc(text))

    def at_instant(self, now: Instant) -> "Between":
        """As `at`."""
        self.sender.now = self.receiver.now = now
        return self

    def sends(
        self,
        points: int,
        *,
        fee: int | None = None,
        accept_until: str | None = None,
        limits: tuple[PeriodLimit, ...] = (),
        draw_first: tuple[str, ...] = (),
    ) -> Decision:
        """Let points leave."""
        terms = TransferTerms(
            fee=points // 10 if fee is None else fee,
            fee_unit=FEE_UNIT,
            limits=limits,
            policy_digest="policy-1",
            terms="gift",
            accept_until=None if accept_until is None else utc(accept_until),
            draw_first=draw_first,
        )
        decision = self.sender.does(
            SendPoints(
                f"t{self.transfers + 1}",
                self.receiver.account.account_id,
                "A",
                "P",
                points,
                self.sender.now,
                terms,
                self.kind,
            )
        )
        self.transfers += 1
        [self.sent] = [fact.event for fact in decision.facts if isinstance(fact.event, PointsSent)]
        return decision

    def arrives(self, *limits: PeriodLimit) -> Decision:
        """Let them come in."""
        return self.receiver.does(
            ReceivePoints(self.sent, self.sender.account.account_id, "A", self.receiver.now, limits)
        )

    def completes(self) -> Decision:
        """Let the sender let go."""
        return self.sender.does(CompleteTransfer(self.sent, self.sender.now))

    def returns(self, cause: ReturnCause.ValueType = RETURN_CAUSE_DECLINED) -> Decision:
        """Let them come back, with the fee."""
        fee = next(
            (
                fact.event
                for fact in self.sender.facts
                if isinstance(fact.event, PointsBurned)
                and fact.event.entry_id == self.sent.entry_id
            ),
            None,
        )
        return self.sender.does(ReturnPoints(self.sent, fee, cause, "A", self.sender.now))

    def moves(self, points: int, *, fee: int | None = None) -> None:
        """All of it at once."""
        self.sends(points, fee=fee)
        self.arrives()
        self.completes()


def converts(
    story: Story,
    points: int,
    received: int,
    *,
    fee: int = 0,
    expires: str | None = None,
) -> Decision:
    """Give P up for so many Q that B issues."""
    return story.does(
        ConvertPoints(
            entry_id="c1",
            business_unit="A",
            conversion="p_to_q",
            currency="P",
            points=points,
            fee=fee,
            fee_unit=FEE_UNIT,
            into="Q",
            received=received,
            issuer="B",
            expires_at=None if expires is None else utc(expires),
            life=None,
            policy_digest="policy-1",
            occurred_at=story.now,
        )
    )

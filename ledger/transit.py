"""Where a transfer stands: read from its facts, for who takes its next step and for who asks."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from ledger.core.events import AnyFact
from ledger.core.instant import Instant, from_timestamp, optional_timestamp, to_datetime
from ledger.core.refusals import TransferResolved, TransferWaits
from ledger.lanes import account_of
from loyalty.v1.events_pb2 import (
    RETURN_CAUSE_CANCELLED,
    RETURN_CAUSE_DECLINED,
    RETURN_CAUSE_REFUSED,
    RETURN_CAUSE_TIMED_OUT,
    PointsReceived,
    PointsReturned,
    PointsSent,
    ReturnCause,
    TransferCompleted,
)
from loyalty.v1.ledger_service_pb2 import (
    TRANSFER_STATE_AWAITING_ACCEPTANCE,
    TRANSFER_STATE_COMPLETED,
    TRANSFER_STATE_IN_TRANSIT,
    TRANSFER_STATE_RECEIVED,
    TRANSFER_STATE_RETURNED,
    Transfer,
    TransferState,
)
from loyalty.v1.types_pb2 import Points

OUTCOMES: Final[dict[ReturnCause.ValueType, str]] = {
    RETURN_CAUSE_REFUSED: "REFUSED",
    RETURN_CAUSE_DECLINED: "DECLINED",
    RETURN_CAUSE_CANCELLED: "CANCELLED",
    RETURN_CAUSE_TIMED_OUT: "TIMED_OUT",
}


class Transit(NamedTuple):
    """A transfer by its facts."""

    sender_id: str
    sent: PointsSent
    outcome: PointsReceived | PointsReturned | None = None
    completed: bool = False

    @property
    def accept_until(self) -> Instant | None:
        """Until when the receiver has to accept; None: nobody is asked."""
        sent = self.sent
        return from_timestamp(sent.accept_until_time) if sent.needs_acceptance else None

    def timed_out(self, now: Instant) -> bool:
        """Whether the time to accept is over."""
        until = self.accept_until
        return self.outcome is None and until is not None and until <= now

    @property
    def state(self) -> TransferState.ValueType:
        """How far it has come."""
        if isinstance(self.outcome, PointsReturned):
            return TRANSFER_STATE_RETURNED
        if self.outcome is not None:
            return TRANSFER_STATE_COMPLETED if self.completed else TRANSFER_STATE_RECEIVED
        if self.sent.needs_acceptance:
            return TRANSFER_STATE_AWAITING_ACCEPTANCE
        return TRANSFER_STATE_IN_TRANSIT

    def require_open(self, now: Instant) -> None:
        """Refuse to decide about points that have arrived or come back. Raises TransferResolved."""
        first = ""
        if isinstance(self.outcome, PointsReturned):
            first = OUTCOMES[self.outcome.cause]
        elif self.outcome is not None:
            first = "COMPLETED" if self.completed else "RECEIVED"
        elif self.timed_out(now):
            first = OUTCOMES[RETURN_CAUSE_TIMED_OUT]
        if first:
            raise TransferResolved(transfer_id=self.sent.entry_id, first_outcome=first)

    def require_due(self, now: Instant) -> None:
        """Refuse a next step that is not to be taken. Raises TransferResolved, TransferWaits."""
        if self.completed or isinstance(self.outcome, PointsReturned):
            self.require_open(now)
        until = self.accept_until
        if self.outcome is None and until is not None and not self.timed_out(now):
            shown = to_datetime(until).isoformat().replace("+00:00", "Z")
            raise TransferWaits(transfer_id=self.sent.entry_id, accept_until=shown)


def transit_of(acts: Iterable[tuple[str, AnyFact]]) -> Transit | None:
    """The transfer in facts with their streams; None when there are none."""
    transit = None
    for stream, fact in acts:
        match fact:
            case PointsSent():
                transit = Transit(account_of(stream), fact)
            case PointsReceived() | PointsReturned() if transit is not None:
                transit = transit._replace(outcome=fact)
            case TransferCompleted() if transit is not None:
                transit = transit._replace(completed=True)
            case _:
                pass
    return transit


def transfer_message(
    transit: Transit, *, sent_at: Instant | None = None, ended_at: Instant | None = None
) -> Transfer:
    """A transfer as callers see it."""
    sent, outcome = transit.sent, transit.outcome
    message = Transfer(
        transfer_id=sent.entry_id,
        kind=sent.kind,
        sender_id=transit.sender_id,
        receiver_id=sent.receiver_id,
        points=Points(currency=sent.currency, amount=sent.points),
        fee=sent.fee,
        state=transit.state,
        accept_until_time=optional_timestamp(transit.accept_until),
        sent_time=optional_timestamp(sent_at),
        ended_time=optional_timestamp(ended_at),
        business_unit=sent.business_unit,
    )
    if isinstance(outcome, PointsReturned):
        message.cause = outcome.cause
        message.reason = outcome.reason
    return message

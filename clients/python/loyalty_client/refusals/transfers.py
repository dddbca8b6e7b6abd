"""Some of the refusals. Written by `python -m server.status`."""

from loyalty_client.errors import Refusal


class UnknownTransfer(Refusal):
    """There is no such transfer, or it is not from or to this member."""

    reason = "UNKNOWN_TRANSFER"
    transfer_id: str


class TransferResolved(Refusal):
    """The transfer is over: it arrived, or came back, or its time to be accepted has passed."""

    reason = "TRANSFER_RESOLVED"
    transfer_id: str
    first_outcome: str


class TransferWaits(Refusal):
    """The receiver has to accept the transfer, and has time until then."""

    reason = "TRANSFER_WAITS"
    transfer_id: str
    accept_until: str


class NoRelation(Refusal):
    """Points of this currency go only to members of one household, and these are not."""

    reason = "NO_RELATION"
    currency: str
    known: str


class AccountTooYoung(Refusal):
    """The sender or the receiver has not been a member for long enough."""

    reason = "ACCOUNT_TOO_YOUNG"
    whose: str
    days: int
    minimum: int

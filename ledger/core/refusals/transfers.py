"""Refusals of transfers: of what was sent, and of who may send and receive."""

from dataclasses import dataclass

from ledger.core.refusals.base import Refusal


@dataclass(eq=False, kw_only=True)
class UnknownTransfer(Refusal):
    """There is no such transfer, or it is not from or to this member."""

    advice = "Check transfer_id and member; ListTransfers tells a member's transfers."
    sentence = "there is no transfer {transfer_id!r} of this member"
    transfer_id: str


@dataclass(eq=False, kw_only=True)
class TransferResolved(Refusal):
    """The transfer is over: it arrived, or came back, or its time to be accepted has passed."""

    advice = "Nothing is to be done; send the points anew if that was wrong."
    sentence = "transfer {transfer_id!r} is over: {first_outcome}"
    transfer_id: str
    first_outcome: str
    """RECEIVED, COMPLETED, REFUSED, DECLINED, CANCELLED or TIMED_OUT."""


@dataclass(eq=False, kw_only=True)
class TransferWaits(Refusal):
    """The receiver has to accept the transfer, and has time until then."""

    advice = "Let the receiver accept or decline it, or the sender cancel it."
    sentence = "transfer {transfer_id!r} waits to be accepted until {accept_until}"
    transfer_id: str
    accept_until: str
    """RFC 3339."""


@dataclass(eq=False, kw_only=True)
class NoRelation(Refusal):
    """Points of this currency go only to members of one household, and these are not."""

    advice = "Put both into one pool, or one household, if they are of one."
    sentence = "{currency} goes only to members of one {known}"
    currency: str
    known: str


@dataclass(eq=False, kw_only=True)
class AccountTooYoung(Refusal):
    """The sender or the receiver has not been a member for long enough."""

    advice = "Wait until both have been members for so many days."
    sentence = "the {whose} has been a member for {days} days, {minimum} are asked for"
    whose: str
    """sender or receiver."""
    days: int
    minimum: int

"""What is kept of a ticket, and the settings of a connection."""

from typing import Literal

from adapters.frame.fields import Amount, Flag, Id, Sent, Word
from adapters.frame.mapping import Row


class Settings(Row):
    """Settings of a connection to tills."""

    grand: Literal["with_tax", "without_tax"] = "with_tax"
    """Whether TransactionGrandAmount contains the tax."""
    day_of: Literal["clock", "business"] = "clock"
    """A ticket after midnight counts for the day of the clock, or the last moment of its business
    day."""


class Sold(Sent):
    """A line that was sold or came back. Amounts are as written: with or without tax."""

    number: Id
    codes: tuple[str, ...]
    sku: Word = ""
    amount: Amount
    off: Amount = "0"
    """What discounts, which its amount may not know of, take off it."""
    tax: Amount = "0"
    quantity: Amount = "1"


class Tender(Sent):
    """How it was paid."""

    kind: Word
    amount: Amount


class Key(Sent):
    """What numbers a transaction. The sequence begins again and again, so the day belongs to it."""

    store: Id
    day: Id
    till: Id
    sequence: Id

    def __str__(self) -> str:
        """Return it as one text."""
        return f"{self.store}/{self.day}/{self.till}/{self.sequence}"


class Ticket(Sent):
    """A sale at a till."""

    key: Key
    ended: Word
    """By the till's clock; without an offset it is local time of the store."""
    operator: Word = ""
    currency: Word = ""
    receipt: Word = ""
    void: Flag = False
    lines: tuple[Sold, ...] = ()
    taken: tuple[Sold, ...] = ()
    """Lines below nothing: corrections, and returns of which nobody knows the sale."""
    linked: tuple[Sold, ...] = ()
    """Lines that came back from other tickets: they are in the totals, and count there."""
    discounts: Amount = "0"
    """On the whole ticket."""
    grand: Amount | None = None
    tax: Amount = "0"
    tenders: tuple[Tender, ...] = ()
    loyalty: Word = ""
    membership: Word = ""
    customer: Word = ""


class Return(Sent):
    """What a later ticket took back of this one."""

    ended: Word
    lines: tuple[Sold, ...] = ()

"""Settings of a connection to Apaleo, and the fields of its objects that are used."""

from typing import Annotated, Any, Literal

from pydantic import Field, StrictInt

from adapters.frame.fields import Amount, Id, Sent, Time, Word
from adapters.frame.mapping import Row


class Settings(Row):
    """Settings of a connection to Apaleo."""

    account: Annotated[str, Field(min_length=1, max_length=40)]
    """Code of the account: events of another one are dropped."""
    login: Literal["path", "basic"] = "path"
    """How webhooks show where they come from: a secret path, or HTTP Basic."""
    api: Annotated[str, Field(pattern=r"^https?://")] = "https://api.apaleo.com"
    identity: Annotated[str, Field(pattern=r"^https?://")] = "https://identity.apaleo.com"
    amounts: Literal["net", "gross"] = "net"
    """Lines without tax, or with it as a part that the policy decides on."""
    company_folios: Literal["leave", "earn"] = "leave"
    """Folios that a company pays: leave them out, or let the guest earn on them."""


class Entity(Sent):
    """What an event is about."""

    entityId: Id


class Event(Sent):
    """An event: what happened to what. Its time is in milliseconds, of old in seconds."""

    topic: Word
    type: Word
    id: Id
    accountId: Word = ""
    timestamp: StrictInt
    clientId: Word = ""
    data: Entity | None = None


class Property(Sent):
    """A hotel."""

    id: Id


class Guest(Sent):
    """The guest a reservation is for."""

    email: Word = ""
    phone: Word = ""


class Reservation(Sent):
    """A reservation. What it says it costs is expected, not charged."""

    id: Id
    status: Word
    property: Property
    arrival: Time
    departure: Time
    modified: Time
    checkOutTime: Time | None = None
    primaryGuest: Guest | None = None
    externalCode: Word = ""


class Money(Sent):
    """An amount with and without tax, in the currency's unit."""

    grossAmount: Amount
    netAmount: Amount
    currency: Word


class Charge(Sent):
    """Something a guest is charged with, or an allowance that takes some of it back."""

    id: Word = ""
    type: Word = ""
    serviceType: Word = ""
    isPosted: bool = True
    amount: Money
    movedTo: Any = None
    routedTo: Any = None

    @property
    def stays(self) -> bool:
        """Whether it is posted here, neither moved by hand nor routed to another folio."""
        return self.isPosted and self.movedTo is None and self.routedTo is None


class Debitor(Sent):
    """Who pays a folio."""

    type: Word = ""


class Folio(Sent):
    """A folio: what one party pays of a reservation."""

    id: Id
    type: Word = "Guest"
    status: Word
    updated: Time
    company: Any = None
    debitor: Debitor | None = None
    charges: tuple[Charge, ...] = ()
    allowances: tuple[Charge, ...] = ()

    @property
    def is_companys(self) -> bool:
        """Whether a company pays it."""
        return self.company is not None or (
            self.debitor is not None and self.debitor.type == "Company"
        )

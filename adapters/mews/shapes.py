"""Settings of a connection to Mews, and the fields of its objects that are used."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from adapters.frame.fields import Amount, Sent, Time, Word
from adapters.frame.fields import Id as Key
from adapters.frame.mapping import Code, Row


class Settings(Row):
    """Settings of a connection to Mews."""

    enterprises: Annotated[tuple[Code, ...], Field(min_length=1)]
    """Ids of the properties that are ours: events of others are dropped. The first stands for a
    reservation that has no order item to tell."""
    api: Annotated[str, Field(pattern=r"^https?://")] = "https://api.mews.com"
    client: Annotated[str, Field(min_length=1, max_length=100)] = "Loyalty Ledger 1.0.0"
    """Name and version of the client application, as it was registered."""
    amounts: Literal["net", "gross"] = "net"
    """Lines without tax, or with it as a part that the policy decides on."""
    company_items: Literal["leave", "earn"] = "leave"
    """What a company pays for: leave it out, or let the guest earn on it."""
    outlets: bool = True
    """Bills of restaurants and bars become documents of nobody's, claimed by their number."""


def _maybe(value: Any) -> Any:
    return None if value == "" else value


MaybeTime = Annotated[Time | None, BeforeValidator(_maybe)]


class Money(Sent):
    """An amount with and without tax, in the currency's unit."""

    Currency: Word
    NetValue: Amount
    GrossValue: Amount


class Reservation(Sent):
    """A reservation (version 2023-06-06)."""

    Id: Key
    ServiceId: Word = ""
    AccountId: Word = ""
    AccountType: Word = "Customer"
    Number: Word = ""
    State: Word
    UpdatedUtc: Time
    ScheduledStartUtc: MaybeTime = None
    ActualStartUtc: MaybeTime = None
    ScheduledEndUtc: MaybeTime = None
    ActualEndUtc: MaybeTime = None
    StartUtc: MaybeTime = None
    EndUtc: MaybeTime = None

    @property
    def start(self) -> str | None:
        """When the guest came, or is to come."""
        return self.ActualStartUtc or self.ScheduledStartUtc or self.StartUtc

    @property
    def end(self) -> str | None:
        """When the guest left, or is to leave."""
        return self.ActualEndUtc or self.ScheduledEndUtc or self.EndUtc


class OrderItem(Sent):
    """Something that was ordered with a reservation: a night, a product, a tax."""

    Id: Key
    EnterpriseId: Word = ""
    AccountType: Word = "Customer"
    ServiceOrderId: Word = ""
    AccountingCategoryId: Word = ""
    Amount: Money
    RevenueType: Word = ""
    Type: Word
    UpdatedUtc: Time
    CanceledUtc: MaybeTime = None
    AccountingState: Word


class OutletItem(Sent):
    """A line of a bill of an outlet, or what paid it."""

    Id: Key
    EnterpriseId: Word = ""
    BillId: Key
    AccountingCategoryId: Word = ""
    Type: Word
    UnitCount: Amount
    UnitAmount: Money
    ConsumedUtc: Time
    UpdatedUtc: Time


class OutletBill(Sent):
    """A bill of an outlet."""

    Id: Key
    OutletId: Word = ""
    Number: Word = ""
    ClosedUtc: MaybeTime = None
    UpdatedUtc: Time


class Profile(Sent):
    """Who made or changed a record."""

    Id: Word = ""


class Membership(Sent):
    """A membership of an account. Its points are a copy of ours, and never read."""

    Id: Key
    AccountId: Key
    LoyaltyProgramId: Word = ""
    State: Word = ""
    ActivityState: Word = "Active"
    IsPrimary: bool = False
    ProviderMembershipId: Word = ""
    MembershipNumber: Word = ""
    Code: Word = ""
    UpdaterProfile: Profile | None = None

    @property
    def is_live(self) -> bool:
        """Whether it counts: neither cancelled, declined nor deleted."""
        return self.State not in ("Canceled", "Declined") and self.ActivityState == "Active"


class Customer(Sent):
    """A guest, by what names the person."""

    Id: Key
    Email: Word = ""
    Phone: Word = ""
    LoyaltyCode: Word = ""


class Event(Sent):
    """What a webhook says: something changed. What more it says is a matter of its kind."""

    Discriminator: Word
    Value: Any = None


class Changed(Sent):
    """What changed."""

    Id: Key

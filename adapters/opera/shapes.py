"""Settings of a connection to OPERA Cloud, and the fields of its objects that are used."""

from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import AliasChoices, BeforeValidator, Field, model_validator

from adapters.frame.fields import Amount, Id, Sent, Word
from adapters.frame.mapping import Code, Row, Text


class Redemption(Row):
    """A complimentary redemption code of OPERA, and what it takes."""

    code: Annotated[str, Field(min_length=1, max_length=20)]
    currency: Annotated[str, Field(min_length=1, max_length=32)]
    """Point currency of the policy."""
    amounts: Literal["money", "points"] = "money"
    """What OPERA's amounts are: money, at the policy's point value of the hotel, or points."""
    description: Annotated[str, Field(max_length=2000)] = ""


class Level(Row):
    """How OPERA names a tier of the programme."""

    tier: Text
    level: Annotated[str, Field(min_length=1, max_length=20)]


class Settings(Row):
    """Settings of a connection to OPERA Cloud."""

    gateway: Annotated[str, Field(pattern=r"^https?://[^/]+$")]
    """Address of the OPERA Cloud gateway, without a path."""
    external_system: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
    """Code of the external system of which events are dequeued."""
    hotels: Annotated[tuple[Code, ...], Field(min_length=1)]
    """Hotels whose events are dequeued; each needs a place hotel/<code>."""
    login_scope: str = ""
    """Scope of the login, where the environment wants one."""
    enterprise: str = ""
    """Enterprise id of the environment, where the login needs one."""
    windows: tuple[int, ...] = ()
    """Folio windows that count for the guest; empty: all of them."""
    reconcile_days: Annotated[int, Field(ge=1, le=30)] = 3
    """Departures of so many days back are looked at every night."""
    vendor_login: Literal["oauth", "token", "basic"] = "oauth"
    """How OPERA shows who it is when it calls: see docs/adapters/opera.md."""
    vendor_seconds: Annotated[int, Field(ge=1, le=30)] = 5
    """After how long a call of OPERA's is told that nobody answers."""
    awards: str = ""
    """Point currency of awards; empty: awards are not redeemed here."""
    redemptions: tuple[Redemption, ...] = ()
    levels: tuple[Level, ...] = ()

    @model_validator(mode="after")
    def _codes_are_unique(self) -> "Settings":
        codes = [row.code for row in self.redemptions]
        twice = next((code for code in codes if codes.count(code) > 1), None)
        if twice is not None:
            raise ValueError(f"redemptions: {twice!r} stands there twice")
        return self

    def redemption(self, code: str) -> Redemption | None:
        """Return the row of a redemption code; None: OPERA was told a code that is not ours."""
        return next((row for row in self.redemptions if row.code == code), None)

    def level(self, tier: str) -> str:
        """Return how OPERA names a tier; one without a row by its own name."""
        return next((row.level for row in self.levels if row.tier == tier), tier)


class TypedId(Sent):
    """An id with its type."""

    id: Word = ""
    type: Word = ""


Typed = tuple[TypedId, ...]


def id_of(ids: Typed, kind: str) -> str:
    """Return the id of a type, whatever its case; empty when there is none."""
    return next((each.id for each in ids if each.type.casefold() == kind.casefold()), "")


class Header(Sent):
    """What every business event says. The module is a name in some releases, a number in others."""

    actionType: Annotated[str, Field(min_length=1, max_length=80)]
    primaryKey: Id
    hotelId: Word = ""
    publisherId: Word = ""
    createdDateTime: Word = ""


RESERVATION_ELEMENTS: Final = (
    "RESV NAME ID",
    "RESERVATION NAME ID",
    "RESERVATION ID",
    "RESERVATIONID",
)
"""Names of the data element with the number of a reservation, module by module."""


class BusinessEvent(Sent):
    """An event. What changed is asked for anew, and not read here."""

    header: Header
    details: Any = None

    @property
    def reservation(self) -> str:
        """Number of the reservation that data elements name; empty: none does."""
        for each in self.details if isinstance(self.details, list) else ():
            if not isinstance(each, dict):
                continue
            name = str(each.get("dataElement", "")).upper().replace("_", " ")
            value = each.get("newValue") or each.get("oldValue")
            if name in RESERVATION_ELEMENTS and isinstance(value, str | int):
                return str(value).strip()
        return ""


class EventId(Sent):
    """Number of an event, unique in a chain."""

    id: Id


class EventData(Sent):
    """An event with its number."""

    businessEvent: BusinessEvent
    businessEventId: EventId


class Membership(Sent):
    """A membership of a guest."""

    membershipId: Word = ""
    membershipType: Word = ""
    inactive: bool = False


class Memberships(Sent):
    """Memberships of a profile."""

    profileMembership: tuple[Membership, ...] = ()


class ReservationMemberships(Sent):
    """Memberships that a reservation names."""

    reservationMembership: tuple[Membership, ...] = ()


class GuestProfile(Sent):
    """What of a guest's profile a reservation tells."""

    profileMemberships: Memberships | None = None


class ProfileInfo(Sent):
    """A guest's profile and its ids."""

    profileIdList: Typed = ()
    profile: GuestProfile | None = None


class Guest(Sent):
    """A guest of a reservation."""

    profileInfo: ProfileInfo | None = None
    primary: bool = False


class RoomStay(Sent):
    """When a guest comes and goes: days of the hotel."""

    arrivalDate: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d")]
    departureDate: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d")]


class Reservation(Sent):
    """A reservation."""

    reservationIdList: Typed
    hotelId: Id
    reservationStatus: Word
    roomStay: RoomStay
    reservationGuests: tuple[Guest, ...] = ()
    reservationMemberships: ReservationMemberships | None = None

    @property
    def number(self) -> str:
        """OPERA's own number of it."""
        return id_of(self.reservationIdList, "Reservation")


class Money(Sent):
    """An amount. OPERA leaves out what is nothing."""

    amount: Amount = "0"
    currencyCode: Word = ""


NOTHING = Money()


def _money(value: Any) -> Any:
    return {"amount": value} if isinstance(value, str | int | Decimal) else value


MaybeMoney = Annotated[Money | None, BeforeValidator(_money)]
"""An amount, which may be a bare number."""


class Posting(Sent):
    """A line of a folio."""

    transactionNo: Word = ""
    transactionCode: Word = ""
    transactionType: Word = ""
    postedAmount: MaybeMoney = None
    debit: MaybeMoney = Field(None, validation_alias=AliasChoices("debit", "debitAmount"))
    credit: MaybeMoney = Field(None, validation_alias=AliasChoices("credit", "creditAmount"))


class Folio(Sent):
    """A part of a folio window."""

    postings: tuple[Posting, ...] = ()


class Window(Sent):
    """A folio window: the guest's, a company's, and so on."""

    folioWindowNo: Annotated[int, Field(ge=1)] = 1
    balance: Money = NOTHING
    folios: tuple[Folio, ...] = ()
    hasMore: bool = False
    emptyWindow: bool | None = None

    @property
    def postings(self) -> tuple[Posting, ...]:
        """All that is told of what was posted here."""
        return tuple(posting for folio in self.folios for posting in folio.postings)

    @property
    def is_cut(self) -> bool:
        """Whether more was posted than is told: OPERA leaves windows out when others are full."""
        return self.hasMore or (self.emptyWindow is False and not self.postings)


class Bill(Sent):
    """All folio windows of a reservation."""

    folioWindows: tuple[Window, ...] = ()


class Email(Sent):
    """An address."""

    emailAddress: Word = ""


class EmailInfo(Sent):
    """An address among others."""

    email: Email | None = None


class Emails(Sent):
    """Addresses of a profile."""

    emailInfo: tuple[EmailInfo, ...] = ()


class Telephone(Sent):
    """A number."""

    phoneNumber: Word = ""


class TelephoneInfo(Sent):
    """A number among others."""

    telephone: Telephone | None = None


class Telephones(Sent):
    """Numbers of a profile."""

    telephoneInfo: tuple[TelephoneInfo, ...] = ()


class Profile(Sent):
    """A profile: only by what names its person."""

    emails: Emails | None = None
    telephones: Telephones | None = None
    profileMemberships: Memberships | None = None

"""The adapter itself: what events say, what is asked for then, and what a stay amounts to."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from adapters.frame import moments
from adapters.frame.adapter import Adapter, Api, Connection, Pulled, Shown, each, read_as
from adapters.frame.fields import joined_id
from adapters.frame.mapping import MappingFile, PlaceRow
from adapters.frame.netting import stated
from adapters.frame.reading import object_of
from adapters.frame.words import (
    Acquaintance,
    Canonical,
    Delivery,
    Dropped,
    Item,
    Nothing,
    Parked,
    Part,
    Parts,
    Statement,
    Unreadable,
    Verdict,
    short,
)
from adapters.opera.access import RESERVATIONS_MAX, Opera, has_more, reservations_of
from adapters.opera.bill import currency_of, is_settled, lines_of
from adapters.opera.serving import routes_of
from adapters.opera.shapes import Bill, EventData, Profile, Reservation, Settings, id_of
from adapters.opera.showing import show
from loyalty.v1.types_pb2 import (
    DOCUMENT_KIND_STAY,
    DOCUMENT_STATUS_CANCELLED,
    DOCUMENT_STATUS_FINAL,
    Document,
    Identity,
    Stay,
)

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from adapters.frame.posting import Ledger

LEFT: Final = ("checkedout", "checked out")
NEVER_CAME: Final = ("cancelled", "canceled", "noshow", "no show")
OF_A_STAY: Final = ("RESERVATION", "CHECK", "CANCEL", "NO SHOW", "FOLIO", "POSTING", "ROUTING")
"""Words in the names of events after which a stay may be another one than before."""
OF_A_BILL: Final = ("FOLIO", "POSTING", "ROUTING")
PROFILE: Final = "PROFILE"
NIGHTS_MAX: Final = 999
_PULLED: Final = {"content-type": "application/json"}


class OperaCloud(Adapter):
    """Business events, reservations, folios and profiles of OPERA Cloud."""

    name = "opera"
    version = 1
    settings = Settings
    api_secrets = ("client_id", "client_secret", "app_key")
    pull_seconds = 60
    profile_kind = "profile"

    def verify(self, delivery: Delivery, connection: Connection) -> Verdict:
        """OPERA sends no webhooks: its events are fetched, so whatever comes here is not its."""
        del delivery, connection
        return Verdict.FORGED

    def event_id(self, delivery: Delivery) -> str:
        """None: what is fetched is told apart by its content."""
        del delivery
        return ""

    def routes(self, connection: Connection, ledger: "Ledger") -> Sequence["BaseRoute"]:
        """What OPERA calls: memberships, enrolment, awards and complimentary redemptions."""
        return routes_of(connection, ledger)

    def split(self, delivery: Delivery, connection: Connection) -> Iterable[Item]:
        """Dequeued events, or a list of reservations."""
        told = object_of(delivery)
        if "businessEventData" in told:
            raw = told["businessEventData"] or ()
            if not isinstance(raw, list | tuple):
                raise Unreadable("businessEventData is no list")
            return each(raw, lambda event: _event(event, connection.mapping))
        if "reservations" in told:
            version = delivery.received_at
            return each(reservations_of(told), lambda found: _listed(found, version))
        raise Unreadable("neither businessEventData nor reservations")

    async def resolve(
        self, parts: Parts, hints: Sequence[Part], connection: Connection, api: Api
    ) -> list[Part]:
        """The reservation and its folio, or the profile, as they are at this moment."""
        opera = Opera(connection, api)
        kind, _, rest = parts.subject.partition("/")
        # What is fetched is the state of now, whatever event was the reason.
        now = max([moments.now(), *(hint.version for hint in hints)])
        if kind == "profile":
            settings: Settings = connection.mapping.settings
            profile = await opera.profile(rest, settings.hotels[0])
            content: Mapping[str, Any] = {} if profile is None else profile.model_dump()
            return [Part(parts.subject, "profile", now, content)]
        hotel, _, number = rest.rpartition("/")
        reservation = await opera.reservation(hotel, number)
        found = [Part(parts.subject, "reservation", now, reservation.model_dump())]
        if reservation.reservationStatus.casefold() in LEFT:
            bill = await opera.bill(hotel, number)
            found.append(Part(parts.subject, "bill", now, bill.model_dump()))
        return found

    async def show(self, shown: Shown, connection: Connection, api: Api) -> None:
        """The memberships of the member's profiles get points and level."""
        settings: Settings = connection.mapping.settings
        await show(shown, Opera(connection, api), settings.hotels[0])

    def canonicalise(self, parts: Parts, mapping: MappingFile) -> Canonical:
        """A stay after check-out with a settled folio; a person who has several identities."""
        if parts.subject.startswith("profile/"):
            return _acquaintance(parts, mapping)
        reservation = read_as(Reservation, parts.contents["reservation"])
        status = reservation.reservationStatus.casefold()
        if status in NEVER_CAME:
            return _statement(reservation, Bill(), parts, mapping)
        if status not in LEFT:
            return Nothing("not_checked_out")
        bill = read_as(Bill, parts.contents.get("bill", {}))
        if not is_settled(bill, mapping.settings):
            return Nothing("folio_open")
        return _statement(reservation, bill, parts, mapping)

    async def pull(self, cursor: str, connection: Connection, api: Api) -> Pulled:
        """Events of one hotel after another; once a day its departures of late too.

        Whatever a dequeue returns is kept whole, as it came. Should it be lost between OPERA's
        answer and the inbox all the same, the departures bring it.
        """
        settings: Settings = connection.mapping.settings
        told = json.loads(cursor) if cursor else {}
        at = told.get("hotel", 0) % len(settings.hotels)
        hotel = settings.hotels[at]
        opera = Opera(connection, api)
        zone = connection.mapping.place(f"hotel/{hotel}").zone
        today = moments.local_day(moments.now(), zone)
        looked: dict[str, str] = told.get("looked", {})
        offset = told.get("offset", 0)
        if looked.get(hotel) != today.isoformat():
            return await self._departures(opera, hotel, today, settings, told | {"offset": offset})
        answer = await opera.events(hotel)
        events = (answer or {}).get("businessEventData") or []
        deliveries = [_kept(answer)] if events else []
        if events:
            return Pulled(deliveries, json.dumps(told), more=True)
        after = at + 1
        rest = {"hotel": after % len(settings.hotels), "looked": looked}
        return Pulled(deliveries, json.dumps(rest), more=after < len(settings.hotels))

    async def _departures(
        self, opera: Opera, hotel: str, today: date, settings: Settings, told: dict[str, Any]
    ) -> Pulled:
        first = today - timedelta(days=settings.reconcile_days)
        offset = told.pop("offset")
        answer = await opera.departures(hotel, first.isoformat(), today.isoformat(), offset)
        found = reservations_of(answer or {})
        deliveries = [_kept(answer)] if found else []
        if found and (len(found) >= RESERVATIONS_MAX or has_more(answer)):
            rest = told | {"offset": offset + len(found)}
        else:
            rest = told | {"looked": told.get("looked", {}) | {hotel: today.isoformat()}}
        return Pulled(deliveries, json.dumps(rest), more=True)


def _kept(answer: Any) -> Delivery:
    return Delivery(json.dumps(answer, default=str).encode(), _PULLED)


def _event(raw: Any, mapping: MappingFile) -> Item:
    event = read_as(EventData, raw)
    header = event.businessEvent.header
    action = header.actionType.upper()
    if mapping.is_ours(header.publisherId or None):
        return Dropped("own_echo", header.primaryKey)
    number = int(event.businessEventId.id) if event.businessEventId.id.isdecimal() else 0
    if PROFILE in action:
        subject = f"profile/{header.primaryKey}"
        return Part(subject, "profile", _version(header, mapping), None, number)
    if any(word in action for word in OF_A_STAY):
        key = header.primaryKey
        if any(word in action for word in OF_A_BILL):
            # What cashiering tells has its own keys, and the reservation among its data.
            key = event.businessEvent.reservation or key
        subject = f"stay/{header.hotelId}/{key}"
        return Part(subject, "reservation", _version(header, mapping), None, number)
    return Dropped("not_ours")


def _version(header: Any, mapping: MappingFile) -> int:
    """When an event was made: OPERA writes the hotel's local time, without a zone."""
    if not header.createdDateTime:
        return 0
    try:
        zone = mapping.place(f"hotel/{header.hotelId}", "chain").zone
    except Parked:
        # The stay itself is parked for that; an event only says that there is something to fetch.
        return 0
    return moments.instant(header.createdDateTime, "createdDateTime", zone=zone)


def _listed(raw: Any, version: int) -> Item:
    """A reservation in a list, which tells neither folio nor memberships: those are fetched."""
    found = read_as(Reservation, raw)
    if not found.number:
        raise Unreadable("reservationIdList has no id of type Reservation")
    subject = f"stay/{found.hotelId}/{found.number}"
    over = found.reservationStatus.casefold() in (*LEFT, *NEVER_CAME)
    return Part(subject, "reservation", version, None if over else found.model_dump())


def _statement(
    reservation: Reservation, bill: Bill, parts: Parts, mapping: MappingFile
) -> Statement:
    place = mapping.place(f"hotel/{reservation.hotelId}")
    currency = currency_of(bill) or place.currencies[0]
    left = reservation.reservationStatus.casefold() in LEFT
    document = Document(
        source=mapping.source_name,
        document_id=joined_id(f"{reservation.hotelId}/{reservation.number}"),
        kind=DOCUMENT_KIND_STAY,
        status=DOCUMENT_STATUS_FINAL if left else DOCUMENT_STATUS_CANCELLED,
        currency_code=mapping.currency(place, currency),
        lines=stated(lines_of(bill, mapping, currency), mapping, gross=False),
        stay=Stay(nights=_nights(reservation), stays=1) if left else None,
        receipt_code=short(id_of(reservation.reservationIdList, "Confirmation")),
    )
    return Statement(
        origin=mapping.origin(place),
        document=document,
        members=_members(reservation, mapping),
        occurred_at=_departure(reservation, place),
        changed_at=max(parts.versions.values(), default=0) or _departure(reservation, place),
    )


def _nights(reservation: Reservation) -> int:
    stay = reservation.roomStay
    nights = (moments.day(stay.departureDate) - moments.day(stay.arrivalDate)).days
    if not 0 <= nights <= NIGHTS_MAX:
        raise Unreadable(f"a stay from {stay.arrivalDate} to {stay.departureDate}")
    return nights


def _departure(reservation: Reservation, place: PlaceRow) -> int:
    """Beginning of the day of departure in the hotel: a check-out in the morning lies behind it."""
    day = moments.day(reservation.roomStay.departureDate)
    local = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(place.zone))
    return moments.within(moments.micros(local), "departureDate")


def _members(reservation: Reservation, mapping: MappingFile) -> tuple[Identity, ...]:
    """Identities of the primary guest: memberships of the reservation first, then the profile's."""
    known: dict[str, str] = {}
    if reservation.reservationMemberships is not None:
        _know(known, reservation.reservationMemberships.reservationMembership)
    guests = reservation.reservationGuests
    primary = next((guest for guest in guests if guest.primary), guests[0] if guests else None)
    if primary is not None and primary.profileInfo is not None:
        info = primary.profileInfo
        if info.profile is not None and info.profile.profileMemberships is not None:
            _know(known, info.profile.profileMemberships.profileMembership)
        known.setdefault("profile", id_of(info.profileIdList, "Profile"))
    return mapping.members(known)


def _know(known: dict[str, str], memberships: Iterable[Any]) -> None:
    for membership in memberships:
        if membership.membershipId and not membership.inactive:
            known.setdefault(f"membership/{membership.membershipType}", membership.membershipId)
            known.setdefault("membership", membership.membershipId)


def _acquaintance(parts: Parts, mapping: MappingFile) -> Canonical:
    profile = read_as(Profile, parts.contents["profile"])
    known = {"profile": parts.subject.removeprefix("profile/")}
    if profile.profileMemberships is not None:
        _know(known, profile.profileMemberships.profileMembership)
    emails = profile.emails.emailInfo if profile.emails is not None else ()
    phones = profile.telephones.telephoneInfo if profile.telephones is not None else ()
    known["email"] = next((each.email.emailAddress for each in emails if each.email), "")
    known["phone"] = next((each.telephone.phoneNumber for each in phones if each.telephone), "")
    identities = mapping.members(known)
    if len(identities) < 2:
        return Nothing("nothing_to_link")
    return Acquaintance(mapping.origin(mapping.place("chain")), identities)


ADAPTER: Final = OperaCloud()

"""The adapter itself: who sends, what is in it, what it means."""

from collections.abc import Iterable
from contextlib import suppress
from decimal import Decimal
from hashlib import sha256
from typing import Final
from xml.etree.ElementTree import Element
from xml.sax.saxutils import quoteattr

from adapters.frame import moments, signatures
from adapters.frame.adapter import NO_DELIVERY, STATUS_OF, Adapter, Connection, each, read_as
from adapters.frame.cards import without_cards
from adapters.frame.elements import descendants, local
from adapters.frame.fields import ID_LENGTH
from adapters.frame.mapping import MappingFile, PlaceRow
from adapters.frame.money import minor_units
from adapters.frame.netting import NetLine, spread, stated, unique_ids
from adapters.frame.reading import xml_of
from adapters.frame.words import (
    Canonical,
    Delivery,
    Dropped,
    Faulty,
    Item,
    Nothing,
    Outcome,
    Parked,
    Part,
    Parts,
    Reply,
    Statement,
    Unreadable,
    Verdict,
    short,
)
from adapters.ota.messages import (
    BOOKINGS,
    NO_FOLIO,
    STAYS,
    Message,
    about,
    booking_of,
    stay_infos,
    stays_of,
    unwrapped,
)
from adapters.ota.shapes import Settings, Stay
from loyalty.v1 import types_pb2
from loyalty.v1.types_pb2 import (
    DOCUMENT_KIND_STAY,
    DOCUMENT_STATUS_CANCELLED,
    DOCUMENT_STATUS_FINAL,
    DOCUMENT_STATUS_PENDING,
    Document,
)

NAMESPACE: Final = "http://www.opentravel.org/OTA/2003/05"
SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
TAKEN: Final = (Outcome.ACCEPTED, Outcome.DUPLICATE, Outcome.ID_REUSED)
CANCELLED: Final = ("cancel", "cancelled", "canceled", "no-show", "noshow", "no show")
NOT_LEFT: Final = ("in-house", "inhouse", "in house", "reserved", "requested", "waitlisted")
"""States of a reservation whose guest is there, or is still to come."""
TAX: Final = "tax"


class Ota(Adapter):
    """Stays and bookings in OpenTravel's words, bare or in SOAP."""

    name = "ota"
    version = 1
    settings = Settings
    secrets = ("basic",)
    body_max = 4 * 1024 * 1024
    cut_at = "StayInfo"

    def verify(self, delivery: Delivery, connection: Connection) -> Verdict:
        """HTTP Basic: the secret is user:password."""
        login = signatures.basic_login(delivery.header("authorization"))
        if not signatures.same(connection.keys("basic"), login):
            return Verdict.FORGED
        return Verdict.GENUINE

    def event_id(self, delivery: Delivery) -> str:
        """None: who sends again writes a new time. A message that is cut is refused."""
        unwrapped(xml_of(delivery.body))
        return ""

    def redacted(self, delivery: Delivery) -> Delivery:
        """Without numbers of cards, which bookings carry."""
        body = without_cards(delivery.body)
        return Delivery(body, delivery.headers, received_at=delivery.received_at)

    def reply(self, outcome: Outcome, delivery: Delivery = NO_DELIVERY) -> Reply:
        """The RS that belongs to the RQ, with its EchoToken, in SOAP where it came in SOAP."""
        status = STATUS_OF[outcome]
        if outcome not in (*TAKEN, Outcome.UNREADABLE, Outcome.BUSY):
            return Reply(status)
        name, echo, soap = STAYS, "", False
        with suppress(Unreadable):
            root = xml_of(delivery.body)
            soap = local(root.tag) == "Envelope"
            message = about(unwrapped(root))
            name, echo = message.name, message.echo
        body = _answer(name, echo, outcome, delivery.received_at)
        if soap:
            body = (
                f'<soap:Envelope xmlns:soap="{SOAP}"><soap:Body>{body}</soap:Body></soap:Envelope>'
            )
        return Reply(status, f'<?xml version="1.0" encoding="UTF-8"?>{body}'.encode(), "text/xml")

    def split(self, delivery: Delivery, connection: Connection) -> Iterable[Item]:
        """A part for each folio of each stay, and for each booking."""
        message = unwrapped(xml_of(delivery.body))
        said = about(message)
        settings: Settings = connection.mapping.settings
        if said.target.casefold() == "test":
            return [Dropped("test")]
        if not said.sent:
            # Without a time of its own, what came later is the newer state.
            said = said.model_copy(update={"sent": moments.utc(delivery.received_at).isoformat()})
        if said.name == STAYS:
            return each(
                stay_infos(message), lambda pair: _stay_items(*pair, said=said, settings=settings)
            )
        if said.name in BOOKINGS:
            if settings.bookings == "ignore":
                return [Dropped("booking")]
            return each(
                descendants(message, "HotelReservation"),
                lambda found: _booking(message, found, said, settings),
            )
        return [Dropped("not_ours")]

    def canonicalise(self, parts: Parts, mapping: MappingFile) -> Canonical:
        """One folio of a stay as one document, or a booking as a pending one."""
        if parts.subject.startswith("booking/"):
            return _booked(parts, mapping)
        stay = read_as(Stay, parts.contents["stay"])
        settings: Settings = mapping.settings
        if stay.status.lower() in NOT_LEFT:
            return Nothing("not_checked_out")
        if stay.mismatch and settings.total_mismatch == "park":
            raise Parked("total_mismatch", stay.mismatch)
        place = _place(stay, mapping)
        document = _document(stay, place, mapping)
        if stay.status.lower() in CANCELLED:
            document.status = DOCUMENT_STATUS_CANCELLED
        else:
            document.status = DOCUMENT_STATUS_FINAL
            document.lines.extend(stated(_net_lines(stay, mapping, document), mapping, gross=False))
        return _statement(stay, document, place, mapping)


def _answer(name: str, echo: str, outcome: Outcome, received_at: int) -> str:
    token = f" EchoToken={quoteattr(echo)}" if echo else ""
    time = f' TimeStamp="{moments.utc(received_at).isoformat()}"' if received_at else ""
    said = "<Success/>"
    if outcome is Outcome.UNREADABLE:
        # Code 450 of OpenTravel's table ERR: unable to process; type 12: processing exception.
        said = '<Errors><Error Type="12" Code="450">it cannot be read</Error></Errors>'
    elif outcome is Outcome.BUSY:
        # Code 188: transaction error, please send again.
        said = '<Errors><Error Type="12" Code="188">send it again</Error></Errors>'
    answer = f"{name.removesuffix('RQ')}RS"
    return f'<{answer} xmlns="{NAMESPACE}" Version="1.003"{token}{time}>{said}</{answer}>'


def _version(message: Message) -> int:
    """Microseconds of the message's time; a local one counts as UTC, for the order alone."""
    return moments.instant(message.sent, "TimeStamp", zone="UTC")


def _stay_items(
    group: Element, info: Element, *, said: Message, settings: Settings
) -> Iterable[Item]:
    stays = stays_of(group, info, said.sent, settings)
    version = _version(said)
    for stay in stays:
        subject = f"stay/{_number(stay)}/{stay.folio}"
        yield Part(subject, "stay", version, stay.model_dump(), said.number)
    first = stays[0]
    if first.mismatch and settings.total_mismatch == "report":
        yield Faulty(first.mismatch, f"total/{_number(first)}")
    if settings.bookings == "pending" and first.status.lower() not in NOT_LEFT:
        yield Part(f"booking/{_number(first)}", "stay", version, first.model_dump(), said.number)


def _booking(message: Element, found: Element, said: Message, settings: Settings) -> Item:
    booking = booking_of(message, found, said.sent, settings)
    if booking.reservation == NO_FOLIO:
        # Nothing could ever be said about it again.
        return Dropped("booking_without_number")
    subject = f"booking/{_number(booking)}"
    return Part(subject, "booking", _version(said), booking.model_dump(), said.number)


def _number(stay: Stay) -> str:
    return f"{stay.chain or '-'}/{stay.hotel}/{stay.reservation}"


def _place(stay: Stay, mapping: MappingFile) -> PlaceRow:
    return mapping.place(f"hotel/{stay.chain}/{stay.hotel}", f"hotel/{stay.hotel}")


def _document(stay: Stay, place: PlaceRow, mapping: MappingFile) -> Document:
    number = _number(stay) if not stay.folio else f"{_number(stay)}/{stay.folio}"
    currencies = {line.currency for line in stay.lines if line.currency}
    if len(currencies) > 1:
        raise Unreadable(f"one folio in {' and '.join(sorted(currencies))}, expected one currency")
    if not currencies and len(place.currencies) > 1 and stay.lines:
        raise Parked("unmapped_currency", f"none is told, and {place.code!r} has several")
    currency = next(iter(currencies), place.currencies[0])
    return Document(
        source=mapping.source_name,
        document_id=_short(number),
        kind=DOCUMENT_KIND_STAY,
        currency_code=mapping.currency(place, currency),
        stay=types_pb2.Stay(nights=stay.nights, stays=stay.stays),
    )


def _short(number: str) -> str:
    """A document's id: the number itself, or its beginning and a digest."""
    if len(number) <= ID_LENGTH:
        return number
    return f"{number[:47]}#{sha256(number.encode()).hexdigest()[:16]}"


def _net_lines(stay: Stay, mapping: MappingFile, document: Document) -> list[NetLine]:
    """Lines less corrections: those below nothing are taken off lines of their own category."""
    settings: Settings = mapping.settings
    lines: list[NetLine] = []
    below: list[tuple[str, int]] = []
    ids = unique_ids([short(f"{line.category}/{line.pms}/{line.day}") for line in stay.lines])
    for line, line_id in zip(stay.lines, ids, strict=True):
        widest = f"category/{line.category}"
        codes = (f"pms/{line.pms}", widest) if line.pms else (widest,)
        category = TAX if line.category in settings.taxes else mapping.category(*codes)
        amount = minor_units(line.amount, document.currency_code, f"revenue {line_id}")
        if category == TAX:
            continue
        if amount < 0:
            below.append((category, -amount))
        else:
            lines.append(NetLine(line_id, codes, amount, 0, Decimal(1)))
    for category, amount in below:
        own = [line for line in lines if mapping.category(*line.codes) == category]
        left = amount - min(amount, sum(line.amount for line in own))
        spread(own, amount)
        # What its category never had is a credit for the rest of the folio.
        spread(lines, left)
    return [line for line in lines if line.amount]


def _statement(stay: Stay, document: Document, place: PlaceRow, mapping: MappingFile) -> Statement:
    settings: Settings = mapping.settings
    sent = moments.instant(stay.sent, "TimeStamp", zone=place.zone)
    days = [line.day for line in stay.lines if line.day]
    day = stay.departure or max(days, default="")
    # The day of departure begins: whatever hour the message came, the stay ended on it.
    occurred = moments.instant(f"{day}T00:00:00", "the departure", zone=place.zone) if day else sent
    return Statement(
        origin=mapping.origin(place),
        document=document,
        members=mapping.members(stay.guest.known(settings.programs)),
        occurred_at=occurred,
        changed_at=sent,
    )


def _booked(parts: Parts, mapping: MappingFile) -> Canonical:
    """A booking as a pending stay, until its folios or a cancellation replace it."""
    if "booking" not in parts.contents:
        return Nothing("stayed")
    booking = read_as(Stay, parts.contents["booking"])
    place = _place(booking, mapping)
    document = _document(booking, place, mapping)
    over = "stay" in parts.contents or booking.status.lower() in CANCELLED
    document.status = DOCUMENT_STATUS_CANCELLED if over else DOCUMENT_STATUS_PENDING
    said = _statement(booking, document, place, mapping)
    # It happens when it is booked; the day of departure is still to come.
    created = booking.created or booking.sent
    occurred = moments.instant(created, "CreateDateTime", zone=place.zone)
    return Statement(said.origin, document, said.members, occurred, said.changed_at)


ADAPTER: Final = Ota()
"""What an adapter says of stays."""

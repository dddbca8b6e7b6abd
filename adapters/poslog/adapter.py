"""The adapter itself: who sends, what is in it, what it means."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Final

from adapters.frame import moments, signatures
from adapters.frame.adapter import Adapter, Connection, each, read_as
from adapters.frame.cards import without_cards
from adapters.frame.elements import descendants
from adapters.frame.fields import joined_id
from adapters.frame.mapping import MappingFile, PlaceRow
from adapters.frame.money import minor_units
from adapters.frame.netting import pay_with_points, stated
from adapters.frame.reading import xml_of
from adapters.frame.words import (
    Canonical,
    Delivery,
    Item,
    Nothing,
    Parked,
    Parts,
    Statement,
    Verdict,
    short,
)
from adapters.poslog.netting import net_lines
from adapters.poslog.shapes import Return, Settings, Ticket
from adapters.poslog.transactions import items_of
from loyalty.v1.types_pb2 import (
    DOCUMENT_KIND_SALE,
    DOCUMENT_STATUS_CANCELLED,
    DOCUMENT_STATUS_FINAL,
    Document,
    Payment,
)

GAPS_MAX: Final = 50


class PosLog(Adapter):
    """Tickets of tills."""

    name = "poslog"
    version = 1
    settings = Settings
    secrets = ("basic",)
    body_max = 4 * 1024 * 1024
    cut_at = "Transaction"

    def verify(self, delivery: Delivery, connection: Connection) -> Verdict:
        """HTTP Basic, for logs that trickle in; files need no secret."""
        login = signatures.basic_login(delivery.header("authorization"))
        genuine = signatures.same(connection.keys("basic"), login)
        return Verdict.GENUINE if genuine else Verdict.FORGED

    def event_id(self, delivery: Delivery) -> str:
        """None: the same log is the same body. A log that is cut is refused."""
        xml_of(delivery.body)
        return ""

    def redacted(self, delivery: Delivery) -> Delivery:
        """Without numbers of cards, which tenders carry."""
        body = without_cards(delivery.body)
        return Delivery(body, delivery.headers, received_at=delivery.received_at)

    def split(self, delivery: Delivery, connection: Connection) -> Iterable[Item]:
        """Each transaction: a ticket, and what it took back of earlier ones."""
        del connection
        return each(descendants(xml_of(delivery.body), "Transaction"), items_of)

    def gaps(self, subjects: Iterable[str]) -> list[str]:
        """Numbers that a till left out within a business day, whatever they were for."""
        numbers: dict[tuple[str, ...], set[int]] = defaultdict(set)
        for subject in subjects:
            kind, *key = subject.split("/")
            if kind in ("ticket", "control") and len(key) == 4 and key[3].isdecimal():
                numbers[tuple(key[:3])].add(int(key[3]))
        found = [
            f"store {store}, {day}, workstation {till}: {missing}"
            for (store, day, till), seen in sorted(numbers.items())
            for missing in _missing(sorted(seen))
        ]
        return found[:GAPS_MAX]

    def canonicalise(self, parts: Parts, mapping: MappingFile) -> Canonical:
        """A ticket less what came back, or void."""
        if "ticket" not in parts.contents:
            raise Parked("sale_missing", "a later ticket takes back of it, or makes it void")
        ticket = read_as(Ticket, parts.contents["ticket"])
        void = ticket.void or bool(parts.of("void/"))
        if not void and not ticket.lines:
            unlinked = bool(ticket.taken) and not ticket.linked
            return Nothing("unlinked_return" if unlinked else "no_sale")
        return _statement(ticket, parts, mapping, void=void)


def _missing(seen: list[int]) -> Iterator[str]:
    """Runs of numbers that are not there; a wide one is the sequence that began again."""
    for before, after in pairwise(seen):
        count = after - before - 1
        if 0 < count <= len(seen) + 100:
            first, last = before + 1, after - 1
            yield f"{first} is missing" if count == 1 else f"{first} to {last} are missing"


def _statement(ticket: Ticket, parts: Parts, mapping: MappingFile, *, void: bool) -> Statement:
    settings: Settings = mapping.settings
    place = mapping.place(f"store/{ticket.key.store}")
    currency = mapping.currency(place, _currency(ticket, place))
    document = Document(
        source=mapping.source_name,
        document_id=joined_id(str(ticket.key)),
        kind=DOCUMENT_KIND_SALE,
        status=DOCUMENT_STATUS_CANCELLED if void else DOCUMENT_STATUS_FINAL,
        currency_code=currency,
        receipt_code=short(ticket.receipt),
    )
    returns = [read_as(Return, content) for content in parts.of("return/")]
    if not void:
        lines = net_lines(ticket, returns, currency, settings)
        document.lines.extend(stated(lines, mapping, gross=False))
        _pay(document, ticket, mapping)
    ends = [ticket.ended, *(content["ended"] for content in parts.of("return/"))]
    ends += [content["ended"] for content in parts.of("void/")]
    known = {
        "loyalty": ticket.loyalty,
        "membership": ticket.membership,
        "customer": ticket.customer,
    }
    return Statement(
        origin=mapping.origin(place, till=ticket.key.till, operator=ticket.operator),
        document=document,
        members=mapping.members(known),
        occurred_at=_occurred(ticket, place, settings),
        changed_at=max(moments.instant(end, "EndDateTime", zone=place.zone) for end in ends),
    )


def _currency(ticket: Ticket, place: PlaceRow) -> str:
    if ticket.currency:
        return ticket.currency
    if len(place.currencies) > 1:
        raise Parked("unmapped_currency", f"none is told, and {place.code!r} has several")
    return place.currencies[0]


def _occurred(ticket: Ticket, place: PlaceRow, settings: Settings) -> int:
    """When it was sold: by the clock, or within its business day."""
    ended = moments.instant(ticket.ended, "EndDateTime", zone=place.zone)
    if settings.day_of == "clock":
        return ended
    last = moments.instant(f"{ticket.key.day}T23:59:59", "BusinessDayDate", zone=place.zone)
    return min(ended, last)


def _pay(document: Document, ticket: Ticket, mapping: MappingFile) -> None:
    """Tell how it was paid, where the mapping has words for it. Raises Parked."""
    if not mapping.payments:
        return
    points = 0
    for tender in ticket.tenders:
        row = mapping.payment(tender.kind)
        amount = minor_units(tender.amount, document.currency_code, "a tender")
        document.payments.append(Payment(kind=row.kind, minor_units=amount))
        points += amount if row.points else 0
    pay_with_points(document.lines, points)


ADAPTER: Final = PosLog()

"""The adapter itself: what webhooks say, what is fetched then, and what a stay amounts to."""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from adapters.apaleo.shapes import Charge, Event, Folio, Reservation, Settings
from adapters.frame import moments, signatures
from adapters.frame.adapter import Adapter, Api, Connection, Pulled, each, read_as
from adapters.frame.calls import expect_same, segment
from adapters.frame.mapping import MappingFile
from adapters.frame.money import minor_units
from adapters.frame.netting import NetLine, spread, stated
from adapters.frame.oauth import Logins
from adapters.frame.reading import object_of
from adapters.frame.words import (
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
from loyalty.v1.types_pb2 import (
    DOCUMENT_KIND_STAY,
    DOCUMENT_STATUS_CANCELLED,
    DOCUMENT_STATUS_FINAL,
    Document,
    Stay,
)

LEFT: Final = "CheckedOut"
NEVER_CAME: Final = ("Canceled", "NoShow")
NO_REVENUE: Final = frozenset(
    {"CityTax", "SecondCityTax", "GuestLevy", "LocalTax", "ConsumptionTax", "Tax"}
)
"""Types of charges and of services that the hotel only passes on."""
SECONDS_BELOW: Final = 10**11
"""A time of an event below it is in seconds, as events were once told."""
NIGHTS_MAX: Final = 999
PAGE: Final = 100
OVERLAP: Final = timedelta(hours=1)
FIRST_PULL: Final = timedelta(days=2)
_FOLIO: Final = re.compile(r"^([A-Z0-9]+-\d+)-\d+$")
"""A guest's folio is numbered after its reservation; a house's or an external one is not."""
_PULLED: Final = {"content-type": "application/json"}
_LOGINS: Final = Logins()


class Apaleo(Adapter):
    """Reservations and folios of Apaleo."""

    name = "apaleo"
    version = 1
    settings = Settings
    secrets = ("webhook_secret",)
    api_secrets = ("client_id", "client_secret")
    pull_seconds = 900

    def verify(self, delivery: Delivery, connection: Connection) -> Verdict:
        """A secret behind the connection's name, or HTTP Basic; a health check is a greeting."""
        settings: Settings = connection.mapping.settings
        given = delivery.path if settings.login == "path" else _basic(delivery)
        if not signatures.same(connection.keys("webhook_secret"), given):
            return Verdict.FORGED
        told = object_of(delivery)
        return Verdict.GREETING if _is_check(told) else Verdict.GENUINE

    def event_id(self, delivery: Delivery) -> str:
        """`id`, which stays when Apaleo sends again."""
        return str(object_of(delivery).get("id") or "")

    def split(self, delivery: Delivery, connection: Connection) -> Iterable[Item]:
        """An event, or reservations as the API tells them."""
        told = object_of(delivery)
        if "topic" in told:
            if _is_check(told):
                return [Dropped("greeting")]
            return [_event(read_as(Event, told), connection.mapping)]
        version = delivery.received_at
        if "reservations" in told:
            raw = told["reservations"]
            if not isinstance(raw, list):
                raise Unreadable("reservations is no list")
            return each(raw, lambda found: _reservation(read_as(Reservation, found), version))
        return [_reservation(read_as(Reservation, told), version)]

    async def resolve(
        self, parts: Parts, hints: Sequence[Part], connection: Connection, api: Api
    ) -> list[Part]:
        """The reservation as it is now, with its folios once the guest has left."""
        now = max([moments.now(), *(hint.version for hint in hints)])
        number = parts.subject.removeprefix("stay/")
        told = await _get(connection, api, f"/booking/v1/reservations/{segment(number)}", {})
        if told is None:
            raise Unreadable(f"Apaleo knows no reservation {number}")
        reservation = read_as(Reservation, told)
        expect_same("reservation", number, reservation.id)
        made = [Part(parts.subject, "reservation", now, reservation.model_dump())]
        if reservation.status == LEFT:
            made.append(Part(parts.subject, "folios", now, await _folios(number, connection, api)))
        return made

    def canonicalise(self, parts: Parts, mapping: MappingFile) -> Canonical:
        """A stay after check-out, with every folio of the guest's closed."""
        reservation = read_as(Reservation, parts.contents["reservation"])
        if reservation.status in NEVER_CAME:
            return _statement(reservation, (), mapping)
        if reservation.status != LEFT:
            return Nothing("not_checked_out")
        raw = parts.contents.get("folios", {}).get("folios", ())
        folios = [read_as(Folio, each) for each in raw]
        mine = [folio for folio in folios if _counts(folio, mapping.settings)]
        if not mine or any(folio.status == "Open" for folio in mine):
            return Nothing("folio_open")
        return _statement(reservation, mine, mapping)

    async def pull(self, cursor: str, connection: Connection, api: Api) -> Pulled:
        """Reservations that changed lately, page by page."""
        told = json.loads(cursor) if cursor else {}
        now = moments.utc(moments.now()).replace(microsecond=0)
        begin = told.get("begin") or _stamp(now - FIRST_PULL)
        end, page = told.get("end") or _stamp(now), told.get("page", 1)
        query = {
            "dateFilter": "Modification",
            "from": begin,
            "to": end,
            "pageNumber": str(page),
            "pageSize": str(PAGE),
        }
        answer = await _get(connection, api, "/booking/v1/reservations", query)
        found = (answer or {}).get("reservations") or []
        body = json.dumps({"reservations": found}, default=str).encode()
        deliveries = [Delivery(body, _PULLED)] if found else []
        if len(found) >= PAGE:
            rest = {"begin": begin, "end": end, "page": page + 1}
            return Pulled(deliveries, json.dumps(rest), more=True)
        # The next pull begins a little before this one did: clocks differ.
        after = moments.utc(moments.instant(end, "cursor")) - OVERLAP
        return Pulled(deliveries, json.dumps({"begin": _stamp(after)}))


def _stamp(moment: Any) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _basic(delivery: Delivery) -> str:
    kind, _, value = delivery.header("authorization").partition(" ")
    if kind.casefold() != "basic":
        return ""
    try:
        return base64.b64decode(value.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return ""


def _is_check(told: Mapping[str, Any]) -> bool:
    topic, kind = str(told.get("topic")), str(told.get("type"))
    return (topic.casefold(), kind.casefold()) == ("system", "healthcheck")


def _event(event: Event, mapping: MappingFile) -> Item:
    settings: Settings = mapping.settings
    if event.accountId != settings.account:
        return Dropped("not_ours")
    if mapping.is_ours(event.clientId or None):
        return Dropped("own_echo")
    if event.data is None:
        return Dropped("not_ours")
    unit = 1000 if event.timestamp >= SECONDS_BELOW else 10**6
    version = moments.epoch(event.timestamp, "timestamp", unit=unit)
    match event.topic.casefold():
        case "reservation":
            return Part(f"stay/{event.data.entityId}", "reservation", version, None)
        case "folio":
            found = _FOLIO.match(event.data.entityId)
            if found is None:
                return Dropped("not_a_stay", f"folio/{event.data.entityId}")
            return Part(f"stay/{found[1]}", "reservation", version, None)
        case _:
            return Dropped("not_ours")


def _reservation(found: Reservation, version: int) -> Item:
    content = None if found.status == LEFT else found.model_dump()
    return Part(f"stay/{found.id}", "reservation", version, content)


async def _get(connection: Connection, api: Api, path: str, query: Mapping[str, str]) -> Any:
    settings: Settings = connection.mapping.settings
    token = await _LOGINS.bearer(
        api,
        f"{settings.identity}/connect/token",
        connection.secret("client_id"),
        connection.secret("client_secret"),
    )
    headers = {"Authorization": f"Bearer {token}"}
    return await api.json("GET", settings.api + path, params=dict(query), headers=headers)


async def _folios(number: str, connection: Connection, api: Api) -> dict[str, Any]:
    """All folios of a reservation, each whole: charges and allowances stand in it as it is."""
    query = {"reservationIds": number, "pageSize": str(PAGE)}
    listed = await _get(connection, api, "/finance/v1/folios", query)
    found = []
    for row in (listed or {}).get("folios") or []:
        path = f"/finance/v1/folios/{segment(str(row.get('id', '')))}"
        whole = await _get(connection, api, path, {})
        found += [read_as(Folio, whole).model_dump()] if whole is not None else []
    return {"folios": found}


def _counts(folio: Folio, settings: Settings) -> bool:
    if folio.type != "Guest":
        return False
    return not folio.is_companys or settings.company_folios == "earn"


def _statement(
    reservation: Reservation, folios: Sequence[Folio], mapping: MappingFile
) -> Statement:
    settings: Settings = mapping.settings
    place = mapping.place(f"property/{reservation.property.id}")
    left = reservation.status == LEFT
    currency = _currency(folios) or place.currencies[0]
    document = Document(
        source=mapping.source_name,
        document_id=reservation.id,
        kind=DOCUMENT_KIND_STAY,
        status=DOCUMENT_STATUS_FINAL if left else DOCUMENT_STATUS_CANCELLED,
        currency_code=mapping.currency(place, currency),
        lines=stated(_lines(folios, currency), mapping, gross=settings.amounts == "gross"),
        stay=Stay(nights=_nights(reservation), stays=1) if left else None,
        receipt_code=reservation.id,
    )
    guest = reservation.primaryGuest
    known = {"external": reservation.externalCode}
    if guest is not None:
        known |= {"email": guest.email, "phone": guest.phone}
    times = [reservation.modified, *(folio.updated for folio in folios)]
    return Statement(
        origin=mapping.origin(place),
        document=document,
        members=mapping.members(known),
        occurred_at=_left_at(reservation),
        changed_at=max(moments.instant(time, "modified") for time in times),
    )


def _left_at(reservation: Reservation) -> int:
    """When the guest left; where only the plan is known, not after the last change."""
    if reservation.checkOutTime is not None:
        return moments.instant(reservation.checkOutTime, "checkOutTime")
    planned = moments.instant(reservation.departure, "departure")
    return min(planned, moments.instant(reservation.modified, "modified"))


def _nights(reservation: Reservation) -> int:
    """Days between arrival and departure, both told in the hotel's own time."""
    first, last = map(moments.written_day, (reservation.arrival, reservation.departure))
    nights = (last - first).days
    if not 0 <= nights <= NIGHTS_MAX:
        raise Unreadable(f"a stay from {reservation.arrival} to {reservation.departure}")
    return nights


def _charged(folios: Sequence[Folio]) -> list[tuple[Charge, int]]:
    """What was charged, and what allowances took back, each with its sign."""
    return [
        (charge, sign)
        for folio in folios
        for sign, charges in ((1, folio.charges), (-1, folio.allowances))
        for charge in charges
        if charge.stays and NO_REVENUE.isdisjoint((charge.serviceType, charge.type))
    ]


def _currency(folios: Sequence[Folio]) -> str:
    found = {charge.amount.currency for charge, _ in _charged(folios)}
    if len(found) > 1:
        raise Parked("unmapped_currency", f"folios in {' and '.join(sorted(found))}")
    return next(iter(found), "")


def _lines(folios: Sequence[Folio], currency: str) -> list[NetLine]:
    """One line for each type of service; what was taken off beyond it comes off all others."""
    sums: dict[str, NetLine] = {}
    for charge, sign in _charged(folios):
        kind = charge.serviceType or "Other"
        codes = (f"service/{kind}", "charge")
        line = sums.setdefault(kind, NetLine(short(kind), codes, 0, 0, Decimal(0)))
        net = minor_units(charge.amount.netAmount, currency, "netAmount")
        gross = minor_units(charge.amount.grossAmount, currency, "grossAmount")
        line.amount += sign * net
        line.tax += sign * (gross - net)
        line.quantity += 1 if sign > 0 else 0
    kept = [sums[kind] for kind in sorted(sums) if sums[kind].amount > 0]
    spread(kept, -sum(line.gross for line in sums.values() if line.gross < 0))
    return kept


ADAPTER: Final = Apaleo()

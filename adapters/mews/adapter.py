"""The adapter itself: what webhooks say, what is fetched then, and what a stay amounts to."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final

from adapters.frame import moments, signatures
from adapters.frame.adapter import Adapter, Api, Connection, Pulled, Shown, each, read_as
from adapters.frame.calls import expect_same
from adapters.frame.mapping import MappingFile
from adapters.frame.reading import object_of
from adapters.frame.words import (
    Canonical,
    Content,
    Delivery,
    Dropped,
    Item,
    Nothing,
    Part,
    Parts,
    Unreadable,
    Verdict,
)
from adapters.mews.access import PAGE, RESERVATIONS, Mews
from adapters.mews.shapes import (
    Changed,
    Customer,
    Event,
    Membership,
    OrderItem,
    OutletBill,
    OutletItem,
    Reservation,
    Settings,
)
from adapters.mews.showing import show
from adapters.mews.stating import acquaintance_of, outlet_of, stay_of

OVERLAP: Final = timedelta(hours=1)
FIRST_PULL: Final = timedelta(days=2)
WINDOW: Final = timedelta(days=80)
"""Mews takes windows of at most three months."""
WINDOWS: Final[Sequence[tuple[str, str]]] = (
    (RESERVATIONS, "Reservations"),
    ("orderItems/getAll", "OrderItems"),
    ("outletItems/getAll", "OutletItems"),
    ("loyaltyMemberships/getAll", "LoyaltyMemberships"),
)
DONE: Final = ("Processed", "Canceled")
_TOKEN: Final = re.compile(rb'("AccessToken"\s*:\s*)"[^"]*"')
_PULLED: Final = {"content-type": "application/json"}


class MewsAdapter(Adapter):
    """Reservations, order items, bills of outlets, customers and memberships of Mews."""

    name = "mews"
    version = 1
    settings = Settings
    secrets = ("webhook_token",)
    api_secrets = ("client_token", "access_token")
    pull_seconds = 900
    profile_kind = "customer"

    def verify(self, delivery: Delivery, connection: Connection) -> Verdict:
        """A token in the address is all there is: behind the connection's name, or `?token=`."""
        given = delivery.path or delivery.query.get("token", "")
        if not signatures.same(connection.keys("webhook_token"), given):
            return Verdict.FORGED
        return Verdict.GENUINE

    def event_id(self, delivery: Delivery) -> str:
        """None; and the same ids change again and again, so the time of receipt tells them apart.

        An event that comes twice is fetched twice, and says nothing new the second time.
        """
        return f"{delivery.received_at}/{sha256(delivery.body).hexdigest()[:16]}"

    def redacted(self, delivery: Delivery) -> Delivery:
        """Without tokens: a new integration is told its own."""
        body = _TOKEN.sub(rb'\1"redacted"', delivery.body)
        return replace(delivery, body=body)

    def split(self, delivery: Delivery, connection: Connection) -> Iterable[Item]:
        """Ids of what changed, or a page of the API."""
        told = object_of(delivery)
        version, mapping = delivery.received_at, connection.mapping
        settings: Settings = mapping.settings
        if "Events" in told:
            if told.get("EnterpriseId") not in settings.enterprises:
                return [Dropped("not_ours")]
            return each(_list(told, "Events"), lambda raw: _event(read_as(Event, raw), version))
        if "Action" in told and "Data" in told:
            # That an integration was made, enabled or deleted: the older webhook.
            return [Dropped("not_ours")]
        if "OutletItems" in told or "OutletBills" in told:
            return _outlets(told, settings)
        for name, read in (
            ("Reservations", lambda raw: _reservation(read_as(Reservation, raw), version)),
            ("OrderItems", lambda raw: _order_item(read_as(OrderItem, raw), version)),
            ("LoyaltyMemberships", lambda raw: _membership(raw, version, mapping)),
            ("Customers", lambda raw: _customer(read_as(Customer, raw), version)),
        ):
            if name in told:
                return each(_list(told, name), read)
        raise Unreadable("neither Events nor a list of the API")

    async def resolve(
        self, parts: Parts, hints: Sequence[Part], connection: Connection, api: Api
    ) -> list[Part]:
        """A reservation with its items and its guest's memberships, or a customer, as of now."""
        mews = Mews(connection, api)
        now = max([moments.now(), *(hint.version for hint in hints)])
        kind, _, number = parts.subject.partition("/")
        if kind == "customer":
            return await _customer_parts(parts.subject, number, now, mews)
        asked = {"ReservationIds": [number]}
        found = await mews.all(RESERVATIONS, "Reservations", asked)
        if not found:
            # Orders of products without a stay are service orders too.
            return [Part(parts.subject, "reservation", now, {})]
        reservation = read_as(Reservation, found[0])
        expect_same("reservation", number, reservation.Id)
        made = [Part(parts.subject, "reservation", now, reservation.model_dump())]
        if reservation.State != "Processed":
            return made
        items = await mews.all("orderItems/getAll", "OrderItems", {"ServiceOrderIds": [number]})
        content = {"items": [read_as(OrderItem, item).model_dump() for item in items]}
        made.append(Part(parts.subject, "items", now, content))
        if reservation.AccountId and reservation.AccountType == "Customer":
            account = await _customer_parts(parts.subject, reservation.AccountId, now, mews)
            made += account
        return made

    def canonicalise(self, parts: Parts, mapping: MappingFile) -> Canonical:
        """A stay after check-out with all its items closed, a bill of an outlet, or a person."""
        if parts.subject.startswith("customer/"):
            return acquaintance_of(parts, mapping)
        if parts.subject.startswith("outlet/"):
            return outlet_of(parts, mapping)
        content = parts.contents.get("reservation")
        if not content:
            return Nothing("not_a_reservation")
        reservation = read_as(Reservation, content)
        if reservation.State not in DONE:
            return Nothing("not_checked_out")
        return stay_of(reservation, parts, mapping)

    async def pull(self, cursor: str, connection: Connection, api: Api) -> Pulled:
        """What changed in a window of time: one list after another, page by page."""
        told = json.loads(cursor) if cursor else {}
        now = moments.utc(moments.now()).replace(microsecond=0)
        begin = told.get("begin") or _stamp(now - FIRST_PULL)
        latest = moments.utc(moments.instant(begin, "cursor")) + WINDOW
        end = told.get("end") or _stamp(min(now, latest))
        at, page = told.get("list", 0), told.get("page", "")
        operation, name = WINDOWS[at]
        request = {"UpdatedUtc": {"StartUtc": begin, "EndUtc": end}}
        answer = await Mews(connection, api).page(operation, request, page)
        found = answer.get(name) or []
        deliveries = [Delivery(json.dumps(answer, default=str).encode(), _PULLED)] if found else []
        page = (answer.get("Cursor") or "") if len(found) >= PAGE else ""
        if not page:
            at += 1
        if at == len(WINDOWS):
            # The next window begins a little before this one ended: clocks differ.
            after = moments.utc(moments.instant(end, "cursor")) - OVERLAP
            rest = {"begin": _stamp(after)}
            return Pulled(deliveries, json.dumps(rest), more=end < _stamp(now))
        rest = {"begin": begin, "end": end, "list": at, "page": page}
        return Pulled(deliveries, json.dumps(rest), more=True)

    async def show(self, shown: Shown, connection: Connection, api: Api) -> None:
        """The loyalty memberships of the member's accounts get points and tier."""
        await show(shown, Mews(connection, api))


def _stamp(moment: Any) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _list(told: Mapping[str, Any], name: str) -> list[Any]:
    found = told.get(name)
    if found is None:
        return []
    if not isinstance(found, list):
        raise Unreadable(f"{name} is no list")
    return found


def _event(event: Event, version: int) -> Item:
    match event.Discriminator:
        case "ServiceOrderUpdated":
            return Part(f"stay/{_changed(event)}", "reservation", version, None)
        case "CustomerAdded" | "CustomerUpdated":
            return Part(f"customer/{_changed(event)}", "customer", version, None)
        case "PaymentUpdated":
            # What closes with a payment are order items, which the windows of time bring.
            return Dropped("tender", f"payment/{_changed(event)}")
        case _:
            return Dropped("not_ours")


def _changed(event: Event) -> str:
    """Id of what changed, which events of other kinds may not tell."""
    return read_as(Changed, event.Value).Id


def _reservation(found: Reservation, version: int) -> Item:
    content: Content | None = None if found.State == "Processed" else found.model_dump()
    return Part(f"stay/{found.Id}", "reservation", version, content)


def _order_item(item: OrderItem, version: int) -> Item:
    if not item.ServiceOrderId:
        return Dropped("not_a_stay", f"item/{item.Id}")
    return Part(f"stay/{item.ServiceOrderId}", "reservation", version, None)


def _membership(raw: Any, version: int, mapping: MappingFile) -> Item:
    found = read_as(Membership, raw)
    subject = f"customer/{found.AccountId}"
    if found.UpdaterProfile is not None and mapping.is_ours(found.UpdaterProfile.Id):
        return Dropped("own_echo", subject)
    return Part(subject, f"membership/{found.Id}", version, found.model_dump())


def _customer(found: Customer, version: int) -> Item:
    return Part(f"customer/{found.Id}", "customer", version, found.model_dump())


def _outlets(told: Mapping[str, Any], settings: Settings) -> Iterable[Item]:
    if not settings.outlets:
        return [Dropped("not_ours")]
    return [
        *each(_list(told, "OutletBills"), lambda raw: _bill(read_as(OutletBill, raw))),
        *each(_list(told, "OutletItems"), lambda raw: _outlet_item(read_as(OutletItem, raw))),
    ]


def _bill(bill: OutletBill) -> Item:
    version = moments.instant(bill.UpdatedUtc, "UpdatedUtc")
    return Part(f"outlet/{bill.Id}", "bill", version, bill.model_dump())


def _outlet_item(item: OutletItem) -> Item:
    version = moments.instant(item.UpdatedUtc, "UpdatedUtc")
    return Part(f"outlet/{item.BillId}", f"item/{item.Id}", version, item.model_dump())


async def _customer_parts(subject: str, number: str, now: int, mews: Mews) -> list[Part]:
    """What names the owner of an account, and the account's memberships."""
    asked = {"CustomerIds": [number], "Extent": {"Customers": True, "Addresses": False}}
    found = await mews.all("customers/getAll", "Customers", asked)
    parts = [
        Part(subject, "customer", now, read_as(Customer, customer).model_dump())
        for customer in found[:1]
    ]
    asked = {"AccountIds": [number]}
    for raw in await mews.all("loyaltyMemberships/getAll", "LoyaltyMemberships", asked):
        membership = read_as(Membership, raw)
        content = membership.model_dump()
        parts.append(Part(subject, f"membership/{membership.Id}", now, content))
    return parts or [Part(subject, "customer", now, {})]


ADAPTER: Final = MewsAdapter()

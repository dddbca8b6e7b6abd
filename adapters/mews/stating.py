"""What a stay, a bill of an outlet and a person of Mews amount to."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from adapters.frame import moments
from adapters.frame.adapter import read_as
from adapters.frame.fields import joined_id
from adapters.frame.mapping import MappingFile, PlaceRow
from adapters.frame.money import minor_units, times
from adapters.frame.netting import NetLine, spread, stated
from adapters.frame.words import (
    Acquaintance,
    Canonical,
    Nothing,
    Parked,
    Parts,
    Statement,
    Unreadable,
    short,
)
from adapters.mews.shapes import (
    Customer,
    Membership,
    Money,
    OrderItem,
    OutletBill,
    OutletItem,
    Reservation,
    Settings,
)
from loyalty.v1.types_pb2 import (
    DOCUMENT_KIND_FOLIO,
    DOCUMENT_KIND_STAY,
    DOCUMENT_STATUS_CANCELLED,
    DOCUMENT_STATUS_FINAL,
    Document,
    Identity,
    Stay,
)

NO_REVENUE: Final = ("CityTax", "CityTaxDiscount")
"""What the hotel only passes on."""
VOID: Final = ("Canceled", "Inactive")
NIGHTS_MAX: Final = 999


def stay_of(reservation: Reservation, parts: Parts, mapping: MappingFile) -> Canonical:
    """Return a stay whose guest has left, or who never came.

    Raises:
        Parked, Unreadable: as `Adapter.canonicalise`.
    """
    settings: Settings = mapping.settings
    raw = parts.contents.get("items", {}).get("items", ())
    items = [item for item in (read_as(OrderItem, each) for each in raw) if _counts(item)]
    left = reservation.State == "Processed"
    mine = [item for item in items if _earns(item, settings)] if left else []
    if any(item.AccountingState != "Closed" for item in mine):
        return Nothing("bill_open")
    place = _place(reservation, items, mapping)
    currency = _currency([item.Amount for item in mine]) or place.currencies[0]
    document = Document(
        source=mapping.source_name,
        document_id=reservation.Id,
        kind=DOCUMENT_KIND_STAY,
        status=DOCUMENT_STATUS_FINAL if left else DOCUMENT_STATUS_CANCELLED,
        currency_code=mapping.currency(place, currency),
        lines=stated(_lines(mine, currency), mapping, gross=settings.amounts == "gross"),
        stay=Stay(nights=_nights(reservation, place), stays=1) if left else None,
        receipt_code=short(reservation.Number),
    )
    is_guest = reservation.AccountType == "Customer"
    changed = [reservation.UpdatedUtc, *(item.UpdatedUtc for item in items)]
    return Statement(
        origin=mapping.origin(place),
        document=document,
        members=_members(parts, reservation.AccountId, mapping) if is_guest else (),
        occurred_at=_left_at(reservation),
        changed_at=max(moments.instant(time, "UpdatedUtc") for time in changed),
    )


def _counts(item: OrderItem) -> bool:
    return item.AccountingState not in VOID and not item.CanceledUtc


def _earns(item: OrderItem, settings: Settings) -> bool:
    """Whether an item is the guest's own, or the hotel lets guests earn on what companies pay."""
    if item.Type in NO_REVENUE:
        return False
    return item.AccountType == "Customer" or settings.company_items == "earn"


def _place(reservation: Reservation, items: Sequence[OrderItem], mapping: MappingFile) -> PlaceRow:
    settings: Settings = mapping.settings
    enterprise = next((item.EnterpriseId for item in items if item.EnterpriseId), "")
    return mapping.place(
        f"service/{reservation.ServiceId}",
        f"enterprise/{enterprise or settings.enterprises[0]}",
    )


def _currency(amounts: Sequence[Money]) -> str:
    found = {amount.Currency for amount in amounts}
    if len(found) > 1:
        raise Parked("unmapped_currency", f"one bill in {' and '.join(sorted(found))}")
    return next(iter(found), "")


def _lines(items: Sequence[OrderItem], currency: str) -> list[NetLine]:
    """One line for each kind of item; rebates come off their own kind, then off all others."""
    sums: dict[tuple[str, str, str], NetLine] = {}
    for item in items:
        kind = (item.AccountingCategoryId, item.Type, item.RevenueType)
        codes = (f"accounting/{kind[0]}", f"type/{kind[1]}", f"revenue/{kind[2]}")
        if item.Type == "Deposit":
            codes = ("deposit",) * 3
        name = (short(kind[0]) or short(f"{kind[1]}/{kind[2]}"))[:50]
        line = sums.setdefault(kind, NetLine(name, codes, 0, 0, Decimal(0)))
        net = minor_units(item.Amount.NetValue, currency, "NetValue")
        gross = minor_units(item.Amount.GrossValue, currency, "GrossValue")
        line.amount += net
        line.tax += gross - net
        line.quantity += 1
    return _positive([sums[kind] for kind in sorted(sums)])


def _positive(lines: Sequence[NetLine]) -> list[NetLine]:
    seen: dict[str, int] = {}
    for line in lines:
        count = seen[line.line_id] = seen.get(line.line_id, 0) + 1
        line.line_id = line.line_id if count == 1 else f"{line.line_id}/{count}"
    kept = [line for line in lines if line.amount > 0]
    for line in kept:
        line.tax = max(line.tax, 0)
    spread(kept, -sum(line.gross for line in lines if line.gross < 0))
    return kept


def _nights(reservation: Reservation, place: PlaceRow) -> int:
    """Calendar days between coming and going, in the hotel's zone."""
    if reservation.start is None or reservation.end is None:
        raise Unreadable("the reservation tells no start or no end")
    first = moments.local_day(moments.instant(reservation.start, "start"), place.zone)
    last = moments.local_day(moments.instant(reservation.end, "end"), place.zone)
    nights = (last - first).days
    if not 0 <= nights <= NIGHTS_MAX:
        raise Unreadable(f"a stay from {reservation.start} to {reservation.end}")
    return nights


def _left_at(reservation: Reservation) -> int:
    """When the guest left; where only the plan is known, not after the last change."""
    updated = moments.instant(reservation.UpdatedUtc, "UpdatedUtc")
    if reservation.ActualEndUtc:
        return moments.instant(reservation.ActualEndUtc, "ActualEndUtc")
    planned = moments.instant(reservation.end, "end") if reservation.end else updated
    return min(planned, updated)


def _members(parts: Parts, account: str, mapping: MappingFile) -> tuple[Identity, ...]:
    live = [
        membership
        for membership in (read_as(Membership, raw) for raw in parts.of("membership/"))
        if membership.is_live
    ]
    known: dict[str, str] = {"customer": account}
    # The primary one first; of the others, the order of their ids.
    for membership in sorted(live, key=lambda found: not found.IsPrimary):
        number = membership.MembershipNumber or membership.Code
        known.setdefault("provider", membership.ProviderMembershipId)
        known.setdefault("membership", number)
    raw = parts.contents.get("customer")
    if raw:
        customer = read_as(Customer, raw)
        known |= {"email": customer.Email, "phone": customer.Phone}
        known.setdefault("membership", customer.LoyaltyCode)
    return mapping.members(known)


def acquaintance_of(parts: Parts, mapping: MappingFile) -> Canonical:
    """Return the identities of a person. Raises Parked."""
    settings: Settings = mapping.settings
    identities = _members(parts, parts.subject.removeprefix("customer/"), mapping)
    if len(identities) < 2:
        return Nothing("nothing_to_link")
    place = mapping.place(f"enterprise/{settings.enterprises[0]}")
    return Acquaintance(mapping.origin(place), identities)


def outlet_of(parts: Parts, mapping: MappingFile) -> Canonical:
    """Return a bill of an outlet, nobody's: who has the receipt claims it. Raises Parked."""
    settings: Settings = mapping.settings
    items = [read_as(OutletItem, raw) for raw in parts.of("item/")]
    revenue = [item for item in items if item.Type == "Revenue"]
    if not revenue:
        return Nothing("tender")
    raw = parts.contents.get("bill")
    bill = read_as(OutletBill, raw) if raw else None
    if bill is not None and not bill.ClosedUtc:
        return Nothing("bill_open")
    place = mapping.place(
        f"outlet/{bill.OutletId if bill else ''}",
        f"enterprise/{revenue[0].EnterpriseId or settings.enterprises[0]}",
    )
    currency = mapping.currency(place, _currency([item.UnitAmount for item in revenue]))
    document = Document(
        source=mapping.source_name,
        document_id=joined_id(f"outlet/{revenue[0].BillId}"),
        kind=DOCUMENT_KIND_FOLIO,
        status=DOCUMENT_STATUS_FINAL,
        currency_code=currency,
        lines=stated(
            _positive([_outlet_line(item, currency) for item in revenue]),
            mapping,
            gross=settings.amounts == "gross",
        ),
        receipt_code=short(bill.Number) if bill is not None else "",
    )
    consumed = [moments.instant(item.ConsumedUtc, "ConsumedUtc") for item in revenue]
    changed = [moments.instant(item.UpdatedUtc, "UpdatedUtc") for item in items]
    return Statement(
        origin=mapping.origin(place),
        document=document,
        members=(),
        occurred_at=min(consumed),
        changed_at=max(changed),
    )


def _outlet_line(item: OutletItem, currency: str) -> NetLine:
    count = Decimal(item.UnitCount)
    net = minor_units(times(Decimal(item.UnitAmount.NetValue), count), currency, "NetValue")
    gross = minor_units(times(Decimal(item.UnitAmount.GrossValue), count), currency, "GrossValue")
    codes = (f"accounting/{item.AccountingCategoryId}", "outlet")
    return NetLine(item.Id, codes, net, gross - net, count)

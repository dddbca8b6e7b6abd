"""From a Transaction of a log to what is kept of it: by local names, so that dialects are alike."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final
from xml.etree.ElementTree import Element

from adapters.frame import moments
from adapters.frame.adapter import read_as
from adapters.frame.elements import attribute, child, children, descendants, is_true, local, text
from adapters.frame.money import added, decimal, times
from adapters.frame.words import Dropped, Item, Part, Unreadable
from adapters.poslog.shapes import Key, Return, Ticket

VOID: Final = ("voided", "postvoided", "cancelled", "canceled")
NOT_GOODS: Final = {
    "giftcard": "gift_card",
    "giftcertificate": "gift_card",
    "storedvalue": "gift_card",
    "deposit": "deposit",
}
"""ItemTypes that every policy knows."""


def items_of(transaction: Element) -> Iterator[Item]:
    """Return what a transaction says: of itself, and of earlier ones. Raises Unreadable."""
    key = _key(transaction)
    sale = child(transaction, "RetailTransaction")
    if sale is None:
        # Sign-ons, drawer counts and the like: kept by number, so that gaps can be seen.
        yield Dropped("control", f"control/{key}")
        return
    subject = f"ticket/{key}"
    if _flag(transaction, sale, "TrainingModeFlag"):
        yield Dropped("test", subject)
        return
    status = attribute(sale, "TransactionStatus").lower()
    if _flag(transaction, sale, "SuspendFlag") or status == "suspended":
        yield Dropped("suspended", subject)
        return
    void = status in VOID or any(
        _flag(transaction, sale, name) for name in ("CancelFlag", "VoidedFlag", "VoidFlag")
    )
    read = _Reading(key, void=void)
    read.sale(transaction, sale)
    version = moments.instant(read.ended, "EndDateTime", zone="UTC")
    # Of two with one time, the one that says that it is void is the later.
    yield Part(subject, "ticket", version, read.ticket().model_dump(), 1 if void else 0)
    if void:
        return
    for name, lines in read.returns.items():
        back = read_as(Return, {"ended": read.ended, "lines": lines})
        yield Part(f"ticket/{name}", f"return/{key}", version, back.model_dump())
    for name in read.voids:
        yield Part(f"ticket/{name}", f"void/{key}", version, {"ended": read.ended})


def _key(transaction: Element) -> Key:
    store = text(transaction, "RetailStoreID") or text(transaction, "BusinessUnit", "UnitID")
    raw = {
        "store": store,
        "day": text(transaction, "BusinessDayDate")[:10],
        "till": text(transaction, "WorkstationID"),
        "sequence": text(transaction, "SequenceNumber"),
    }
    return read_as(Key, raw)


def _flag(transaction: Element, sale: Element, name: str) -> bool:
    return is_true(attribute(transaction, name)) or is_true(attribute(sale, name))


@dataclass
class _Reading:
    """A retail transaction while it is read."""

    key: Key
    void: bool
    ended: str = ""
    raw: dict[str, Any] = field(default_factory=dict)
    lines: list[dict[str, Any]] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)
    linked: list[dict[str, Any]] = field(default_factory=list)
    returns: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """What came back, by the key of its sale."""
    voids: list[str] = field(default_factory=list)
    """Keys of transactions that this one makes void."""
    tenders: list[dict[str, str]] = field(default_factory=list)
    rewards: dict[str, Decimal] = field(default_factory=dict)
    """Discounts of a line, by the number that the till gave it."""
    numbers: dict[str, int] = field(default_factory=dict)
    discounts: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)

    def ticket(self) -> Ticket:
        """Return what was read."""
        for number, off in self.rewards.items():
            if number in self.numbers:
                line = self.lines[self.numbers[number]]
                line["off"] = format(added((Decimal(line["off"]), off)), "f")
        told = {
            "lines": self.lines,
            "taken": self.taken,
            "linked": self.linked,
            "discounts": format(self.discounts, "f"),
            "tenders": self.tenders,
        }
        return read_as(Ticket, self.raw | told)

    def sale(self, transaction: Element, sale: Element) -> None:
        """Read the whole transaction."""
        self.ended = next(
            filter(
                None,
                (
                    text(transaction, "EndDateTime"),
                    text(sale, "ReceiptDateTime"),
                    text(transaction, "BeginDateTime"),
                ),
            ),
            "",
        )
        for link in [*children(sale, "TransactionLink"), *children(transaction, "TransactionLink")]:
            if "void" in _reason(link).lower():
                self.voids.append(str(self._linked_key(link)))
        for item in children(sale, "LineItem"):
            self._line_item(item)
        totals = {attribute(each, "TotalType"): _text(each) for each in children(sale, "Total")}
        currency = text(transaction, "CurrencyCode") or text(sale, "CurrencyCode")
        self.raw = {
            "key": self.key.model_dump(),
            "ended": self.ended,
            "void": self.void,
            "operator": text(transaction, "OperatorID"),
            "currency": currency or _currency_of(sale),
            "receipt": text(sale, "ReceiptNumber"),
            "grand": totals.get("TransactionGrandAmount"),
            "tax": totals.get("TransactionTaxAmount") or format(self.tax, "f"),
            "loyalty": _named(sale, "LoyaltyID"),
            "membership": _named(sale, "MembershipID"),
            "customer": _named(child(sale, "Customer"), "CustomerID"),
        }

    def _line_item(self, item: Element) -> None:
        void = is_true(attribute(item, "VoidFlag"))
        number = text(item, "SequenceNumber")
        for part in item:
            match local(part.tag):
                case "Sale":
                    self._sold(part, number, void=void)
                case "Return" if not void:
                    self._returned(part, number)
                case "Tender" if not void:
                    self._tender(part)
                case "Tax" if not void:
                    self.tax = added((self.tax, _number(part, "Amount")))
                case "Discount" if not void:
                    self.discounts = added((self.discounts, _number(part, "Amount").copy_abs()))
                case "LoyaltyReward" if not void:
                    self._reward(part)

    def _sold(self, sale: Element, number: str, *, void: bool) -> None:
        line = _line(sale, number)
        below = line["amount"].startswith("-")
        if void and not below:
            # The line itself is void; where a line below nothing takes it back, it is not.
            return
        if below:
            self.taken.append(_positive(line))
            return
        if line["quantity"].startswith("-"):
            told = f"quantity of line {number} is {line['quantity']}, its amount {line['amount']}"
            raise Unreadable(f"{told}, expected both of one sign")
        named = text(sale, "OperatorSequence")
        if named:
            self.numbers[named] = len(self.lines)
        self.lines.append(line)

    def _returned(self, part: Element, number: str) -> None:
        line = _positive(_line(part, number))
        link = child(part, "TransactionLink")
        if link is None or not text(link, "SequenceNumber"):
            self.taken.append(line)
            return
        of = str(self._linked_key(link))
        back = line | {"number": text(link, "LineItemSequenceNumber") or "-"}
        self.returns.setdefault(of, []).append(back)
        self.linked.append(line)

    def _linked_key(self, link: Element) -> Key:
        raw = {
            "store": text(link, "RetailStoreID")
            or text(link, "BusinessUnit", "UnitID")
            or self.key.store,
            "day": text(link, "BusinessDayDate")[:10] or self.key.day,
            "till": text(link, "WorkstationID") or self.key.till,
            "sequence": text(link, "SequenceNumber"),
        }
        return read_as(Key, raw)

    def _tender(self, tender: Element) -> None:
        amount = _number(tender, "Amount")
        if amount > 0 and attribute(tender, "TypeCode").lower() in ("", "sale"):
            told = {"kind": attribute(tender, "TenderType"), "amount": format(amount, "f")}
            self.tenders.append(told)

    def _reward(self, reward: Element) -> None:
        """A discount by a promotion: told once for its line, and once more in sum, without one."""
        number = text(reward, "OperatorSequenceReference")
        amount = _number(reward, "ExtendedRewardAmount")
        money = text(reward, "RewardCategory").lower() in ("", "monetary")
        if money and amount < 0 and number not in ("", "0"):
            before = self.rewards.get(number, Decimal(0))
            self.rewards[number] = added((before, amount.copy_negate()))


def _line(part: Element, number: str) -> dict[str, Any]:
    quantity = format(decimal(text(part, "Quantity") or "1", "Quantity"), "f")
    told = text(part, "ExtendedAmount")
    if not told:
        price = text(part, "ActualSalesUnitPrice") or text(part, "UnitListPrice")
        price = price or text(part, "RegularSalesUnitPrice")
        told = format(times(decimal(price, "the price"), decimal(quantity, "Quantity")), "f")
    told = format(decimal(told, "ExtendedAmount"), "f")
    off = _number(part, "ExtendedDiscountAmount").copy_abs()
    if not off:
        modifiers = children(part, "RetailPriceModifier")
        off = added(_number(each, "Amount").copy_abs() for each in modifiers)
    taxes = (_number(each, "Amount") for each in children(part, "Tax"))
    return {
        "number": number,
        "codes": _codes(part),
        "sku": text(part, "ItemID"),
        "amount": told,
        "off": format(off, "f"),
        "tax": format(added(taxes).copy_abs(), "f"),
        "quantity": quantity,
    }


def _positive(line: dict[str, Any]) -> dict[str, Any]:
    amount = decimal(line["amount"], "amount").copy_abs()
    quantity = decimal(line["quantity"], "Quantity").copy_abs()
    return line | {"amount": format(amount, "f"), "quantity": format(quantity, "f")}


def _codes(part: Element) -> tuple[str, ...]:
    """By what a line may be mapped, from the closest to the widest."""
    kind = attribute(part, "ItemType").lower()
    if kind in NOT_GOODS:
        return (NOT_GOODS[kind],)
    item = text(part, "ItemID") or text(part, "POSIdentity", "POSItemID")
    levels = [
        f"{attribute(each, 'Level').lower() or 'department'}/{_text(each)}"
        for each in children(part, "MerchandiseHierarchy")
        if _text(each)
    ]
    return (*([f"item/{item}"] if item else []), *levels, "line")


def _text(element: Element) -> str:
    return (element.text or "").strip()


def _number(element: Element, name: str) -> Decimal:
    """A number that may be missing. Raises Unreadable."""
    told = text(element, name)
    return decimal(told, name) if told else Decimal(0)


def _reason(link: Element) -> str:
    return attribute(link, "ReasonCode") or text(link, "ReasonCode")


def _named(element: Element | None, name: str) -> str:
    """The first value that is more than zeros, which stand for nobody."""
    found = (_text(each) for each in descendants(element, name))
    return next((value for value in found if value.strip("0")), "")


def _currency_of(sale: Element) -> str:
    """The currency of an amount, where none is told for the whole."""
    total = child(sale, "Total")
    return attribute(total, "Currency") or attribute(total, "CurrencyCode")

"""From a Transaction of a log to what is kept of it: by local names, so that dialects are alike."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final
from xml.etree.ElementTree import Element

from adapters.frame import moments
from adapters.frame.adapter import read_as
from adapters.frame.elements import attribute, child, children, descendants, is_true, local, text
from adapters.frame.money import added, decimal
from adapters.frame.words import Dropped, Item, Part, Unreadable
from adapters.poslog.lines import is_void, line_of, number_of, positive
from adapters.poslog.shapes import Key, Return, Ticket

VOID: Final = ("voided", "postvoided", "cancelled", "canceled")


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
    raw = {
        "store": _store(transaction),
        "day": _day(transaction),
        "till": text(transaction, "WorkstationID"),
        "sequence": text(transaction, "SequenceNumber"),
    }
    return read_as(Key, raw)


def _store(element: Element) -> str:
    unit = text(element, "BusinessUnit", "UnitID") or text(element, "BusinessUnit")
    return text(element, "RetailStoreID") or unit


def _day(element: Element) -> str:
    day = text(element, "BusinessDayDate") or text(element, "BusinessDayDate", "Date")
    return day[:10]


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
    numbers: dict[str, dict[str, Any]] = field(default_factory=dict)
    unsure: str = ""
    """A line that came back by its quantity, and was sold by its amount."""
    discounts: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)

    def ticket(self) -> Ticket:
        """Return what was read."""
        for number, off in self.rewards.items():
            line = self.numbers.get(number)
            if line is not None:
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
        totals = {attribute(each, "TotalType"): text(each) for each in children(sale, "Total")}
        tax = totals.get("TransactionTaxAmount") or format(self.tax, "f")
        if self.unsure and not self._came_back(totals.get("TransactionGrandAmount"), tax):
            raise Unreadable(f"{self.unsure}, and no total tells which is right")
        currency = text(transaction, "CurrencyCode") or text(sale, "CurrencyCode")
        self.raw = {
            "key": self.key.model_dump(),
            "ended": self.ended,
            "void": self.void,
            "operator": text(transaction, "OperatorID"),
            "currency": currency or _currency_of(sale),
            "receipt": text(sale, "ReceiptNumber"),
            "grand": totals.get("TransactionGrandAmount"),
            "tax": tax,
            "loyalty": _loyalty(sale),
            "membership": _named(sale, "MembershipID"),
            "customer": _named(child(sale, "Customer"), "CustomerID"),
        }

    def _came_back(self, grand: str | None, tax: str) -> bool:
        """Whether the total is what lines less what came back amount to, or below it."""
        if not grand:
            return False
        above = added(decimal(line["amount"], "amount") for line in self.lines)
        below = added(decimal(line["amount"], "amount") for line in (*self.taken, *self.linked))
        most = added((above, below.copy_negate(), decimal(tax, "tax").copy_abs()))
        return decimal(grand, "TransactionGrandAmount") <= most

    def _line_item(self, item: Element) -> None:
        void = is_void(item)
        number = text(item, "SequenceNumber")
        for part in item:
            match local(part.tag):
                case "Sale" | "SaleForDelivery" | "SaleForPickup":
                    self._sold(part, number, void=void, link=text(item, "ItemLink"))
                case "Return" if not void:
                    self._returned(part, line_of(part, number))
                case "Tender" if not void:
                    self._tender(part)
                case "Tax" if not void:
                    self.tax = added((self.tax, number_of(part, "Amount")))
                case "Discount" if not void:
                    off = number_of(part, "Amount").copy_abs()
                    self.discounts = added((self.discounts, off))
                case "LoyaltyReward" if not void:
                    self._reward(part)

    def _sold(self, sale: Element, number: str, *, void: bool, link: str) -> None:
        line = line_of(sale, number)
        if line["amount"].startswith("-"):
            # A line below nothing takes another one back, also where it is called void.
            told = text(sale, "ExtendedAmount")
            if told and not told.startswith("-"):
                self.unsure = f"quantity of line {number} is {line['quantity']}, its amount {told}"
            self._returned(sale, line)
        elif void:
            self._voided(line, link)
        else:
            named = text(sale, "OperatorSequence")
            if named:
                self.numbers[named] = line
            self.lines.append(line)

    def _voided(self, line: dict[str, Any], link: str) -> None:
        """Leave out the earlier line that a void one names and repeats; else it is void itself."""
        told = "number", "sku", "amount"
        repeated = (link, line["sku"], line["amount"])
        for earlier in self.lines if link else ():
            if tuple(earlier[name] for name in told) == repeated:
                self.lines.remove(earlier)
                return

    def _returned(self, part: Element, told: dict[str, Any]) -> None:
        line = positive(told)
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
            "store": _store(link) or self.key.store,
            "day": _day(link) or self.key.day,
            "till": text(link, "WorkstationID") or self.key.till,
            "sequence": text(link, "SequenceNumber"),
        }
        return read_as(Key, raw)

    def _tender(self, tender: Element) -> None:
        amount = number_of(tender, "Amount")
        if amount > 0 and attribute(tender, "TypeCode").lower() in ("", "sale"):
            told = {"kind": attribute(tender, "TenderType"), "amount": format(amount, "f")}
            self.tenders.append(told)

    def _reward(self, reward: Element) -> None:
        """A discount by a promotion: told once for its line, and once more in sum, without one."""
        number = text(reward, "OperatorSequenceReference")
        amount = number_of(reward, "ExtendedRewardAmount")
        money = text(reward, "RewardCategory").lower() in ("", "monetary")
        if money and amount < 0 and number not in ("", "0"):
            before = self.rewards.get(number, Decimal(0))
            self.rewards[number] = added((before, amount.copy_negate()))


def _reason(link: Element) -> str:
    return attribute(link, "ReasonCode") or text(link, "ReasonCode")


def _loyalty(sale: Element) -> str:
    """The member's number, by whichever name the version of the standard has for it."""
    cards = (
        _named(card, "PrimaryAccountNumber")
        for account in descendants(sale, "LoyaltyAccount")
        for card in children(account, "LoyaltyCard")
    )
    account = _named(sale, "LoyaltyID") or _named(sale, "LoyaltyAccountID")
    return account or next(filter(None, cards), "")


def _named(element: Element | None, name: str) -> str:
    """The first value that is more than zeros, which stand for nobody."""
    found = (text(each) for each in descendants(element, name))
    return next((value for value in found if value.strip("0")), "")


def _currency_of(sale: Element) -> str:
    """The currency of an amount, where none is told for the whole."""
    total = child(sale, "Total")
    return attribute(total, "Currency") or attribute(total, "CurrencyCode")

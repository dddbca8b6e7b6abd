"""A line that was sold or came back, as the log tells it."""

from decimal import Decimal
from typing import Any, Final
from xml.etree.ElementTree import Element

from adapters.frame.elements import attribute, child, children, is_true, text
from adapters.frame.money import added, decimal, times

NOT_GOODS: Final = {
    "giftcard": "gift_card",
    "giftcertificate": "gift_card",
    "storedvalue": "gift_card",
    "deposit": "deposit",
}
"""ItemTypes that every policy knows."""


def line_of(part: Element, number: str) -> dict[str, Any]:
    """Return a line as it is kept; its amount is below nothing where it came back.

    Raises:
        Unreadable: a number is none.
    """
    quantity = format(decimal(text(part, "Quantity") or "1", "Quantity"), "f")
    told = text(part, "ExtendedAmount")
    if not told:
        price = text(part, "ActualSalesUnitPrice") or text(part, "UnitListPrice")
        price = price or text(part, "RegularSalesUnitPrice")
        told = format(times(decimal(price, "the price"), decimal(quantity, "Quantity")), "f")
    amount = decimal(told, "ExtendedAmount")
    if quantity.startswith("-"):
        # Some tills write what came back as a sale of minus one, and the sign only there.
        amount = amount.copy_abs().copy_negate()
    off = number_of(part, "ExtendedDiscountAmount").copy_abs()
    if not off:
        off = added(_off(each) for each in children(part, "RetailPriceModifier"))
    taxes = (number_of(each, "Amount") for each in children(part, "Tax") if not is_void(each))
    return {
        "number": number,
        "codes": _codes(part),
        "sku": text(part, "ItemID"),
        "amount": format(amount, "f"),
        "off": format(off, "f"),
        "tax": format(added(taxes).copy_abs(), "f"),
        "quantity": quantity,
    }


def _off(modifier: Element) -> Decimal:
    """What a modifier takes off: a price that replaces another, or goes up, takes nothing off."""
    action = attribute(child(modifier, "Amount"), "Action").lower()
    if is_void(modifier) or action in ("replace", "add"):
        return Decimal(0)
    return number_of(modifier, "Amount").copy_abs()


def is_void(element: Element) -> bool:
    """Whether an element says that it does not count."""
    return is_true(attribute(element, "VoidFlag"))


def positive(line: dict[str, Any]) -> dict[str, Any]:
    """Return a line that came back, without its signs."""
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
        f"{attribute(each, 'Level').lower() or 'department'}/{text(each)}"
        for each in children(part, "MerchandiseHierarchy")
        if text(each)
    ]
    return (*([f"item/{item}"] if item else []), *levels, "line")


def number_of(element: Element, name: str) -> Decimal:
    """A number that may be missing. Raises Unreadable."""
    told = text(element, name)
    return decimal(told, name) if told else Decimal(0)

"""The fields of Shopify's objects that are used, and the adapter's own settings."""

from typing import Annotated, Literal

from pydantic import Field

from adapters.frame.fields import Amount, Aside, Count, Flag, Id, Sent, Time, Word
from adapters.frame.mapping import Row


class Settings(Row):
    """Section `settings` of a mapping file."""

    shop: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*\.myshopify\.com$")]
    """The shop's own domain, as in X-Shopify-Shop-Domain."""
    amounts: Literal["net", "gross"] = "net"
    """Whether lines count without tax, or with it as a part that the policy decides on."""
    unpaid: Literal["wait", "pending"] = "wait"
    """Whether an order that is not paid yet waits here, or shows as pending points."""
    member_attribute: str = ""
    """Name of the cart attribute in which members type their card: kind "attribute"."""
    api_version: Annotated[str, Field(pattern=r"^20\d\d-\d\d$")] = "2026-07"
    api_url: str = ""
    """Where the Admin API is, if not at the shop's domain: for tests."""

    @property
    def api(self) -> str:
        """Address of the Admin API."""
        return f"{self.api_url or f'https://{self.shop}'}/admin/api/{self.api_version}"


class Priced(Sent):
    """A tax line or an allocation of a discount."""

    price: Amount = "0"
    amount: Amount = "0"


class Line(Sent):
    """A line of an order."""

    id: Id
    price: Amount
    quantity: Count
    total_discount: Amount = "0"
    discount_allocations: tuple[Priced, ...] | None = None
    tax_lines: tuple[Priced, ...] = ()
    gift_card: Flag = False
    sku: Word = ""
    vendor: Word = ""
    product_id: Id | None = None
    tip_payment_gateway: Word = ""


class Shipping(Sent):
    """A way of shipping, with its price."""

    id: Id | None = None
    price: Amount
    discount_allocations: tuple[Priced, ...] = ()


class Customer(Sent):
    """A customer; nothing but what may be an identity."""

    id: Id | None = None
    email: Word = ""
    phone: Word = ""


class Attribute(Sent):
    """A cart attribute."""

    name: Aside = ""
    value: Aside = ""


class Code(Sent):
    """A discount code that was used."""

    code: Word = ""


class Order(Sent):
    """An order as it is now, without its refunds."""

    id: Id
    confirmation_number: Word = ""
    test: Flag = False
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    financial_status: Word = ""
    created_at: Time
    processed_at: Time | None = None
    updated_at: Time
    cancelled_at: Time | None = None
    source_name: Word = ""
    app_id: Id | None = None
    location_id: Id | None = None
    customer: Customer | None = None
    email: Word = ""
    phone: Word = ""
    taxes_included: Flag = False
    subtotal_price: Amount
    total_price: Amount = "0"
    total_tip_received: Amount = "0"
    line_items: Annotated[tuple[Line, ...], Field(max_length=2_000)]
    shipping_lines: tuple[Shipping, ...] = ()
    discount_codes: tuple[Code, ...] = ()
    note_attributes: tuple[Attribute, ...] = ()
    payment_gateway_names: tuple[str, ...] = ()


class RefundLine(Sent):
    """What of a line was refunded."""

    line_item_id: Id
    quantity: Count
    subtotal: Amount | None = None
    total_tax: Amount = "0"


class Transaction(Sent):
    """Money that moved."""

    kind: Word = ""
    status: Word = ""
    gateway: Word = ""
    amount: Amount
    currency: Word = ""


class Adjustment(Sent):
    """What a refund says beside its lines: shipping, a discrepancy."""

    kind: Word = ""
    amount: Amount = "0"
    tax_amount: Amount = "0"


class Amounted(Sent):
    """An amount in one currency."""

    amount: Amount = "0"


class AmountSet(Sent):
    """An amount in the shop's currency and in the customer's."""

    shop_money: Amounted = Amounted()


class RefundShipping(Sent):
    """What of the shipping was refunded."""

    subtotal_amount_set: AmountSet = AmountSet()
    tax_amount_set: AmountSet = AmountSet()


class Refund(Sent):
    """A refund of an order. Its lines never change; its transactions and adjustments may."""

    id: Id
    order_id: Id
    created_at: Time
    refund_line_items: tuple[RefundLine, ...] = ()
    transactions: tuple[Transaction, ...] = ()
    order_adjustments: tuple[Adjustment, ...] = ()
    refund_shipping_lines: tuple[RefundShipping, ...] = ()
    total_duties_set: AmountSet = AmountSet()
    total_additional_fees_set: AmountSet = AmountSet()


class Transactions(Sent):
    """All transactions of an order, fetched."""

    transactions: tuple[Transaction, ...] = ()

"""The fields of WooCommerce's objects that are used, and the adapter's own settings."""

from typing import Annotated, Any, Literal

from pydantic import Field

from adapters.frame.fields import Amount, Aside, Id, Sent, Word
from adapters.frame.mapping import Row


class Settings(Row):
    """Section `settings` of a mapping file."""

    site: Annotated[str, Field(pattern=r"^https?://[^\s?#]+[^/\s?#]$")]
    """Address of the shop, as in X-WC-Webhook-Source, without the slash at its end."""
    amounts: Literal["net", "gross"] = "net"
    """Whether lines count without tax, or with it as a part that the policy decides on."""
    paid: tuple[str, ...] = ("processing", "completed")
    """Statuses of an order that is paid; plugins add more."""
    unpaid: Literal["wait", "pending"] = "wait"
    """Whether an order that is not paid yet waits here, or shows as pending points."""
    deleted: Literal["cancel", "keep"] = "cancel"
    """Whether an order that is deleted, or put in the trash, gives its points back."""
    member_meta: str = ""
    """Key of the order's meta datum that holds the member's card: kind "meta"."""


class Meta(Sent):
    """A meta datum."""

    key: Aside = ""
    value: Any = None


class Line(Sent):
    """A line: goods, shipping or a fee. `total` is after discounts and without tax."""

    id: Id
    name: Word = ""
    total: Amount
    total_tax: Amount = "0"
    quantity: Amount = "1"
    product_id: Word = ""
    variation_id: Word = ""
    sku: Word = ""
    meta_data: tuple[Meta, ...] = ()


class Coupon(Sent):
    """A coupon that was used."""

    code: Word = ""


class Billing(Sent):
    """What of the bill's address may be an identity."""

    email: Word = ""
    phone: Word = ""


class RefundSum(Sent):
    """A refund as its order tells it: the sum alone, below zero."""

    id: Id
    total: Amount


class Order(Sent):
    """An order as it is now. Times end in _gmt and carry no offset."""

    id: Id
    order_key: Word = ""
    status: str
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    date_created_gmt: str
    date_modified_gmt: str
    date_paid_gmt: str | None = None
    created_via: Word = ""
    total: Amount
    customer_id: Id
    billing: Billing = Billing()
    payment_method: Word = ""
    line_items: Annotated[tuple[Line, ...], Field(max_length=2_000)]
    shipping_lines: tuple[Line, ...] = ()
    fee_lines: tuple[Line, ...] = ()
    coupon_lines: tuple[Coupon, ...] = ()
    refunds: tuple[RefundSum, ...] = ()
    meta_data: tuple[Meta, ...] = ()


class Refund(Sent):
    """A refund as it is fetched. `amount` is above zero; what its lines say is below."""

    id: Id
    date_created_gmt: str
    amount: Amount
    line_items: tuple[Line, ...] = ()
    shipping_lines: tuple[Line, ...] = ()
    fee_lines: tuple[Line, ...] = ()


class Deleted(Sent):
    """All that is told of an order that is gone."""

    id: Id


class Link(Sent):
    """An address in the REST API."""

    href: str


class Links(Sent):
    """Where things belong."""

    up: Annotated[tuple[Link, ...], Field(min_length=1, max_length=1)]


class Linked(Sent):
    """A refund by itself: whose it is stands in its links alone, or in its parent."""

    parent_id: Id | None = None
    links: Links | None = Field(default=None, alias="_links")

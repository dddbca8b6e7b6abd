"""The fields of Toast's objects that are used, and the adapter's own settings."""

from pydantic import Field

from adapters.frame.fields import Amount, Flag, Id, Sent, Time, Word
from adapters.frame.mapping import Row


class Settings(Row):
    """Settings of a connection to Toast."""

    restaurants_only: tuple[str, ...] = ()
    """GUIDs of restaurants that are ours; empty: all that the subscription sends."""


class Reference(Sent):
    """Something of Toast's, by its GUID."""

    guid: Word = ""


class Refund(Sent):
    """What of a selection or payment was paid back."""

    refund_amount: Amount = Field(default="0", alias="refundAmount")
    tax_refund_amount: Amount = Field(default="0", alias="taxRefundAmount")


class Selection(Sent):
    """A line of a check: its price is for the whole quantity, with modifiers, after discounts."""

    guid: Id
    price: Amount = "0"
    tax: Amount = "0"
    quantity: Amount = "1"
    voided: Flag = False
    deferred: Flag = False
    selection_type: Word = Field(default="", alias="selectionType")
    item: Reference | None = None
    item_group: Reference | None = Field(default=None, alias="itemGroup")
    sales_category: Reference | None = Field(default=None, alias="salesCategory")
    refund_details: Refund | None = Field(default=None, alias="refundDetails")


class Charge(Sent):
    """A service charge: nothing to earn on."""

    charge_amount: Amount = Field(default="0", alias="chargeAmount")
    refund_details: Refund | None = Field(default=None, alias="refundDetails")


class Discount(Sent):
    """A discount on the whole check."""

    discount_amount: Amount = Field(default="0", alias="discountAmount")


class Payment(Sent):
    """A payment of a check. Its amount is without the tip."""

    type: Word = ""
    amount: Amount = "0"
    payment_status: Word = Field(default="", alias="paymentStatus")
    refund: Refund | None = None


class LoyaltyInfo(Sent):
    """Whose points the till was told."""

    identifier: Word = Field(default="", alias="loyaltyIdentifier")


class Customer(Sent):
    """A guest. Webhooks leave out all but the GUID."""

    guid: Word = ""
    phone: Word = ""
    email: Word = ""


class Check(Sent):
    """A check of an order."""

    guid: Id
    display_number: Word = Field(default="", alias="displayNumber")
    payment_status: Word = Field(default="", alias="paymentStatus")
    paid: Time | None = Field(default=None, alias="paidDate")
    voided: Flag = False
    deleted: Flag = False
    amount: Amount | None = None
    """After discounts, with service charges, without tax and tip."""
    selections: tuple[Selection, ...] = ()
    charges: tuple[Charge, ...] = Field(default=(), alias="appliedServiceCharges")
    discounts: tuple[Discount, ...] = Field(default=(), alias="appliedDiscounts")
    payments: tuple[Payment, ...] = ()
    loyalty: LoyaltyInfo | None = Field(default=None, alias="appliedLoyaltyInfo")
    customer: Customer | None = None


class Order(Sent):
    """What the checks of one order have in common."""

    guid: Id
    modified: Time = Field(alias="modifiedDate")
    opened: Time | None = Field(default=None, alias="openedDate")
    closed: Time | None = Field(default=None, alias="closedDate")
    business_date: int | None = Field(default=None, alias="businessDate")
    in_test_mode: Flag = Field(default=False, alias="createdInTestMode")
    excess_food: Flag = Field(default=False, alias="excessFood")
    voided: Flag = False
    deleted: Flag = False

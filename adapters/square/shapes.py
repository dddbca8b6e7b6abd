"""The fields of Square's objects that are used. Amounts are whole minor units."""

from typing import Annotated, Literal

from pydantic import Field, StrictInt

from adapters.frame.fields import Amount, Id, Sent, Time, Word
from adapters.frame.mapping import Row
from adapters.frame.money import MINOR_MAX


class Settings(Row):
    """Settings of a connection to Square."""

    merchant: Annotated[str, Field(min_length=1, max_length=64)]
    """Id of the merchant: events of another one are not ours."""
    notification_url: Annotated[str, Field(pattern=r"^https?://")]
    """Address of the webhook subscription, letter by letter as it stands in the console."""
    api: str = "https://connect.squareup.com"
    """Where the API is; a sandbox has one of its own."""
    amounts: Literal["net", "gross"] = "net"
    """Lines without tax, or with it as a part that the policy decides on."""
    without_order: Literal["wait", "amount"] = "wait"
    """A payment whose order cannot be had: wait for it, or earn on the payment's amount."""


class Money(Sent):
    """An amount."""

    amount: Annotated[StrictInt, Field(ge=-MINOR_MAX, le=MINOR_MAX)]
    currency: Word = ""


NOTHING = Money(amount=0)


class Application(Sent):
    """Which software took a payment."""

    application_id: Word = ""


class Payment(Sent):
    """A payment."""

    id: Id
    status: Word
    location_id: Id
    created_at: Time
    updated_at: Time
    amount_money: Money
    """Without the tip."""
    order_id: Word = ""
    customer_id: Word = ""
    buyer_email_address: Word = ""
    receipt_number: Word = ""
    source_type: Word = ""
    team_member_id: Word = ""
    application_details: Application | None = None


class Refund(Sent):
    """A refund of a payment. Its order is one of its own, which lists what came back."""

    id: Annotated[str, Field(min_length=1, max_length=255)]
    status: Word
    created_at: Time
    updated_at: Time
    amount_money: Money
    payment_id: Annotated[str, Field(max_length=192)] = ""
    order_id: Word = ""

    @property
    def number(self) -> str:
        """What of the id tells it from other refunds of the payment: the id begins with that."""
        return self.id.removeprefix(f"{self.payment_id}_")


class Line(Sent):
    """A line of an order."""

    uid: Id
    quantity: Amount = "1"
    item_type: Word = ""
    catalog_object_id: Word = ""
    total_money: Money
    total_tax_money: Money = NOTHING
    total_service_charge_money: Money = NOTHING


class ReturnLine(Sent):
    """A line that came back."""

    source_line_item_uid: Word = ""
    quantity: Amount = "1"
    total_money: Money = NOTHING
    total_tax_money: Money = NOTHING
    total_service_charge_money: Money = NOTHING


class Amounts(Sent):
    """Of what came back, what no line is earned on."""

    tip_money: Money = NOTHING
    service_charge_money: Money = NOTHING


class Return(Sent):
    """What a refund's order says came back."""

    return_line_items: tuple[ReturnLine, ...] = ()
    return_amounts: Amounts = Amounts()


class Tender(Sent):
    """A part of an order that was paid."""

    payment_id: Word = ""
    id: Word = ""


class Order(Sent):
    """What was bought."""

    id: Id
    location_id: Id
    version: StrictInt = 0
    state: Word = ""
    customer_id: Word = ""
    line_items: tuple[Line, ...] = ()
    returns: tuple[Return, ...] = ()
    tenders: tuple[Tender, ...] = ()
    total_money: Money = NOTHING
    total_tip_money: Money = NOTHING


class PhoneMapping(Sent):
    """By which phone Square's own programme knows a customer."""

    phone_number: Word = ""


class LoyaltyAccount(Sent):
    """A customer in Square's own programme: whose phone it is, and no points."""

    id: Id
    customer_id: Word = ""
    updated_at: Word = ""
    created_at: Word = ""
    mapping: PhoneMapping = PhoneMapping()

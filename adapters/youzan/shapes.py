"""The fields of Youzan's objects that are used, and the adapter's own settings."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from adapters.frame.fields import Amount, Count, Id, Sent, Word
from adapters.frame.mapping import Row


class Settings(Row):
    """Settings of a connection to Youzan."""

    settled_at: Literal["success", "paid"] = "success"
    """When a trade is final: received by its buyer, or paid."""


def _said_so(value: Any) -> bool:
    """Flags come as true and as "true"."""
    if value in (True, "true", 1, "1"):
        return True
    if value in (False, "false", 0, "0", ""):
        return False
    raise ValueError("expected true or false")


Said = Annotated[bool, BeforeValidator(_said_so)]


class Extra(Sent):
    """Of an order's extras, what is used."""

    is_points_order: Said = False
    cashier_id: Word = ""


class OrderInfo(Sent):
    """A trade's head. `status_str` is for people and may say something else than `status`."""

    tid: Id
    status: Word
    created: Word = ""
    pay_time: Word = ""
    update_time: Word = ""
    order_extra: Extra = Extra()


class Line(Sent):
    """A line of a trade; `payment` is for the whole number."""

    oid: Id
    num: Count = 1
    payment: Amount = "0"
    item_id: Word = ""
    outer_item_id: Word = ""
    outer_sku_id: Word = ""


class PayInfo(Sent):
    """What was paid, in yuan, shipping included."""

    payment: Amount = "0"
    post_fee: Amount = "0"


class Buyer(Sent):
    """Who bought. The phone is encrypted for each shop, and of no use here."""

    buyer_id: Word = ""
    outer_user_id: Word = ""
    yz_open_id: Word = ""


class Trade(Sent):
    """A trade."""

    order_info: OrderInfo
    orders: tuple[Line, ...] = ()
    pay_info: PayInfo = PayInfo()
    buyer_info: Buyer = Buyer()


class Refund(Sent):
    """A refund that was paid out, in yuan."""

    tid: Id
    refund_id: Id
    refunded_fee: Amount
    oids: tuple[Id, ...] = ()
    update_time: Word = ""


class Envelope(Sent):
    """What stands around a message."""

    test: Said = False

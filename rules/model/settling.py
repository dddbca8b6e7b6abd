"""What business units pay each other for points that one issued and another took."""

from typing import Annotated, Literal

from pydantic import Field

from rules.model.part import CurrencyId, Part, Points, UnitIds
from rules.values import Id, Money


class PointPrice(Part):
    """What the units named, or all, pay for a point of theirs that is taken elsewhere."""

    currency: CurrencyId
    """The point currency."""
    business_unit: UnitIds = ()
    """Units that pay it for what they issued; without them, all that have none of their own."""
    price: Money
    """The price, with its currency."""
    per_points: Points = 1
    """For how many smallest units `price` is: `1.00 EUR` for 80 of them."""


class Settlement(Part):
    """The prices at which business units settle; without any, they settle in points alone.

    A price is that of the policy in force when the lot was earned, or when it was taken (`priced`).
    What is left of whole minor units goes to the account `residual`.
    """

    priced: Literal["issue", "burn"] = "issue"
    """Whether the price counts of when a lot was earned, or of when it was taken."""
    prices: Annotated[tuple[PointPrice, ...], Field(max_length=500)] = ()
    """Prices by currency and issuer."""
    residual: Id = "residual"
    """The account that takes what is left of whole minor units."""

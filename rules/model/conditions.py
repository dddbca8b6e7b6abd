"""Conditions: all keys of a `when` must hold, and a list means any of its values."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from rules.model.part import (
    ActivityIds,
    AttributeId,
    CounterId,
    DocumentKind,
    Part,
    PaymentIds,
    SegmentIds,
    TierIds,
    UnitIds,
)
from rules.values import (
    CategoryPattern,
    Clock,
    Flag,
    LocalMoment,
    Money,
    Quantity,
    Scalar,
    Whole,
    Word,
)

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Words = tuple[Word, ...]


class AttributeTest(Part):
    """A test of a declared attribute of the member; `in` and `contains` take lists or one value.

    A member without the attribute fails every test but `ne`.
    """

    attr: AttributeId
    """The attribute that is asked."""
    op: Literal["eq", "ne", "in", "gte", "lte", "contains"] = "eq"
    """How it is compared: equal, not equal, one of, at least, at most; a list contains any of."""
    value: Scalar | tuple[Scalar, ...]
    """What it is compared with, of the attribute's type; a list for `in` and `contains`."""


class CounterTest(Part):
    """A test of the number that a document has in a counter: exactly one of the three keys."""

    counter: CounterId
    """The counter that is asked."""
    exactly: Annotated[Whole, Field(ge=1, le=10**6)] | None = None
    """The number is this one: the fifth visit."""
    every: Annotated[Whole, Field(ge=1, le=10**6)] | None = None
    """The number is a multiple of this one: each tenth visit."""
    at_least: Annotated[Whole, Field(ge=1, le=10**6)] | None = None
    """The number is this one or a higher one."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(given is not None for given in (self.exactly, self.every, self.at_least)) != 1:
            raise ValueError("say exactly one of 'exactly', 'every', 'at_least'")
        return self


class Birthday(Part):
    """The days around the member's birthday, or its whole month.

    29 February is the 28th in common years.
    """

    days_before: Annotated[Whole, Field(ge=0, le=31)] = 0
    """From so many days before the birthday on."""
    days_after: Annotated[Whole, Field(ge=0, le=31)] = 0
    """Until so many days after the birthday, that day included."""
    month: Flag = False
    """The whole calendar month of the birthday; then no days are said."""


class TimeWindow(Part):
    """Local wall time: `from` on, up to but not `until`; on these weekdays; between two clocks.

    `zone: store` is the business unit's zone. `local_time` ["22:00", "02:00"] passes midnight, and
    then its weekdays are those on which it begins.
    """

    from_: Annotated[LocalMoment | None, Field(alias="from")] = None
    """The first moment; without it there is no beginning."""
    until: LocalMoment | None = None
    """The first moment that is no longer in it; without it there is no end."""
    weekdays: tuple[Weekday, ...] = ()
    """The days of the week; without them, every day."""
    local_time: tuple[Clock, Clock] | None = None
    """From the first time of day up to but not the second."""
    zone: Literal["store", "programme"] = "store"
    """Whose wall clock: the business unit's, or the programme's."""


class When(Part):
    """Conditions, all of which must hold; a list means any of its values, an empty one anything.

    The conditions from `category` to `quantity_min` are asked of each line, the others of the
    whole document.
    """

    business_unit: UnitIds = ()
    """It was posted by one of these business units."""
    channel: Words = ()
    """It came through one of these channels, in any case of letters."""
    store: Words = ()
    """It comes from one of these stores."""
    kind: tuple[DocumentKind, ...] = ()
    """It is a sale, an order, a stay or a folio."""
    activity: ActivityIds = ()
    """It is one of these activities. A rule that does not ask looks at purchases only."""
    payment: PaymentIds = ()
    """Some of it was paid in one of these ways."""
    coupon: Words = ()
    """One of these coupons was used."""
    tier: TierIds = ()
    """The member has one of these tiers."""
    segment_any: SegmentIds = ()
    """The member is in one of these segments."""
    segment_none: SegmentIds = ()
    """The member is in none of these segments."""
    member: tuple[AttributeTest, ...] = ()
    """Tests of the member's attributes, all of which must hold."""
    birthday: Birthday | None = None
    """It is near the member's birthday."""
    first_purchase: Flag = False
    """It is the member's first purchase with something eligible."""
    counter: tuple[CounterTest, ...] = ()
    """Tests of the document's numbers in counters, all of which must hold."""
    window: TimeWindow | None = None
    """It occurred in this window of local time."""
    nights_min: Annotated[Whole, Field(ge=1, le=999)] | None = None
    """The stay has at least so many nights."""
    basket_min: Money | None = None
    """The eligible amount of all lines is at least this; `"0"`: nothing has to be bought."""
    category: tuple[CategoryPattern, ...] = ()
    """The line's category is one of these."""
    category_not: tuple[CategoryPattern, ...] = ()
    """The line's category is none of these."""
    brand: Words = ()
    """The line's brand is one of these."""
    brand_not: Words = ()
    """The line's brand is none of these."""
    sku: Words = ()
    """The line's article is one of these."""
    sku_not: Words = ()
    """The line's article is none of these."""
    line_min: Money | None = None
    """The line's eligible amount is at least this."""
    quantity_min: Quantity | None = None
    """The line's quantity is at least this."""
    all: Annotated[tuple["When", ...], Field(max_length=50)] = ()
    """Every one of these holds too."""
    any: Annotated[tuple["When", ...], Field(max_length=50)] = ()
    """At least one of these holds too."""
    none: Annotated[tuple["When", ...], Field(max_length=50)] = ()
    """None of these holds."""
    expr: Annotated[str, Field(max_length=1000)] | None = None
    """An expression that holds, for what the other keys cannot say."""

"""Conditions: all keys of a `when` must hold, and a list means any of its values."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from rules.model.part import DocumentKind, Ids, Part
from rules.values import (
    CategoryPattern,
    Clock,
    Flag,
    Id,
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

    attr: Id
    op: Literal["eq", "ne", "in", "gte", "lte", "contains"] = "eq"
    value: Scalar | tuple[Scalar, ...]


class CounterTest(Part):
    """A test of the number that a document has in a counter: exactly one of the three keys."""

    counter: Id
    exactly: Annotated[Whole, Field(ge=1, le=10**6)] | None = None
    every: Annotated[Whole, Field(ge=1, le=10**6)] | None = None
    at_least: Annotated[Whole, Field(ge=1, le=10**6)] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(given is not None for given in (self.exactly, self.every, self.at_least)) != 1:
            raise ValueError("say exactly one of 'exactly', 'every', 'at_least'")
        return self


class Birthday(Part):
    """The days around the member's birthday, or its whole month; 29 February counts as the 28th."""

    days_before: Annotated[Whole, Field(ge=0, le=31)] = 0
    days_after: Annotated[Whole, Field(ge=0, le=31)] = 0
    month: Flag = False


class TimeWindow(Part):
    """Local wall time: `from` on, up to but not `until`; on these weekdays; between two clocks.

    `zone: store` is the business unit's zone. `local_time` ["22:00", "02:00"] passes midnight, and
    then its weekdays are those on which it begins.
    """

    from_: Annotated[LocalMoment | None, Field(alias="from")] = None
    until: LocalMoment | None = None
    weekdays: tuple[Weekday, ...] = ()
    local_time: tuple[Clock, Clock] | None = None
    zone: Literal["store", "programme"] = "store"


class When(Part):
    """Conditions, all of which must hold; a list means any of its values, an empty one anything.

    The conditions from `category` to `quantity_min` are asked of each line, the others of the
    whole document.
    """

    business_unit: Ids = ()
    channel: Words = ()
    store: Words = ()
    kind: tuple[DocumentKind, ...] = ()
    activity: Ids = ()
    payment: Ids = ()
    coupon: Words = ()
    tier: Ids = ()
    segment_any: Ids = ()
    segment_none: Ids = ()
    member: tuple[AttributeTest, ...] = ()
    birthday: Birthday | None = None
    first_purchase: Flag = False
    counter: tuple[CounterTest, ...] = ()
    window: TimeWindow | None = None
    nights_min: Annotated[Whole, Field(ge=1, le=999)] | None = None
    basket_min: Money | None = None
    category: tuple[CategoryPattern, ...] = ()
    category_not: tuple[CategoryPattern, ...] = ()
    brand: Words = ()
    brand_not: Words = ()
    sku: Words = ()
    sku_not: Words = ()
    line_min: Money | None = None
    quantity_min: Quantity | None = None
    all: Annotated[tuple["When", ...], Field(max_length=50)] = ()
    any: Annotated[tuple["When", ...], Field(max_length=50)] = ()
    none: Annotated[tuple["When", ...], Field(max_length=50)] = ()
    expr: Annotated[str, Field(max_length=1000)] | None = None

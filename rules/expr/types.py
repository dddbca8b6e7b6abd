"""Types, and the environment: what names an expression may use."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Type(StrEnum):
    """What a value can be; the text is how a message calls it."""

    INT = "int"
    BOOL = "bool"
    STRING = "string"
    INTS = "list of int"
    BOOLS = "list of bool"
    STRINGS = "list of string"
    LINES = "lines"


ELEMENT: Final = {Type.INTS: Type.INT, Type.BOOLS: Type.BOOL, Type.STRINGS: Type.STRING}
"""What a list is made of."""
LIST_OF: Final = {element: of for of, element in ELEMENT.items()}

ATTRIBUTE_TYPES: Final[Mapping[str, Type]] = {
    "int": Type.INT,
    "string": Type.STRING,
    "bool": Type.BOOL,
    # A day is the int yyyymmdd: days compare like numbers, and no zone comes into it.
    "date": Type.INT,
    "string_list": Type.STRINGS,
}

_TX: Final[Mapping[str, Type]] = {
    **dict.fromkeys(
        ("unit", "channel", "store", "kind", "activity", "currency"),
        Type.STRING,
    ),
    **dict.fromkeys(
        (
            "basket",
            "lines",
            "nights",
            "stays",
            "local_year",
            "local_month",
            "local_day",
            "local_hour",
            "local_minute",
            "local_weekday",
        ),
        Type.INT,
    ),
}
_LINE: Final[Mapping[str, Type]] = {
    "category": Type.STRING,
    "brand": Type.STRING,
    "sku": Type.STRING,
    "quantity_milli": Type.INT,
    "net": Type.INT,
    "eligible": Type.BOOL,
}


@dataclass(frozen=True, slots=True)
class Environment:
    """Names with their types: of the roots by field, and of a line."""

    roots: Mapping[str, Mapping[str, Type]]
    line: Mapping[str, Type]


def environment(attributes: Mapping[str, str], counters: Iterable[str]) -> Environment:
    """Build the standard environment.

    `attributes` gives the type of each declared attribute of a member: int, string, bool, date
    (the int yyyymmdd) or string_list. Amounts are in minor units, `quantity_milli` in
    thousandths, `local_weekday` counts from 1, Monday.
    """
    for name, kind in attributes.items():
        if kind not in ATTRIBUTE_TYPES:
            raise ValueError(f"{name}: {kind!r} is none of {', '.join(ATTRIBUTE_TYPES)}")
    member = {name: ATTRIBUTE_TYPES[kind] for name, kind in attributes.items()}
    return Environment(
        roots={
            "tx": _TX,
            "member": {"tier": Type.STRING, **member},
            "counter": dict.fromkeys(counters, Type.INT),
        },
        line=_LINE,
    )

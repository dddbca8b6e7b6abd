"""The value forms of the policy language: whole numbers, ratios, money, instants, ids.

A policy file gives every scalar as text, a JSON document may give integers; a float is refused
wherever it stands, because it has already lost what was written.
"""

import re
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, PlainSerializer

from rules.money import MINOR_DIGITS, Amount, parse_amount

_WHOLE = re.compile(r"-?\d{1,18}")
_RATIO = re.compile(r"\d{1,9}(\.\d{1,6})?%?|\d{1,9}/[1-9]\d{0,8}")
_ID = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
_CATEGORY = re.compile(r"[a-z][a-z0-9_.-]*(/[a-z0-9_.-]+)*")
_PATTERN = re.compile(r"[a-z][a-z0-9_.-]*(/[a-z0-9_.-]+)*(/\*)?")
_NO_ZONES = frozenset({"localtime", "posixrules", "Factory"})
"""Entries of the zone database that stand for no zone of their own."""
_QUANTITY = re.compile(r"\d{1,9}(\.\d{1,6})?")
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _refuse_float(value: object) -> None:
    if isinstance(value, float):
        raise ValueError('floats are not exact: write a whole number, or "1.5" or "3/2" in quotes')


def _whole(value: object) -> int:
    _refuse_float(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**18:
        return value
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    raise ValueError(f"expected a whole number, not {value!r}")


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return value == "true"
    raise ValueError(f"write true or false, not {value!r}")


def _ratio(value: object) -> Fraction:
    _refuse_float(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9:
        return Fraction(value)
    if isinstance(value, str) and _RATIO.fullmatch(value):
        return Fraction(value[:-1]) / 100 if value.endswith("%") else Fraction(value)
    raise ValueError(f'a ratio is written 2, "1.5", "150%" or "3/2", not {value!r}')


def _text(value: object, form: re.Pattern[str], what: str) -> str:
    if isinstance(value, str) and len(value) <= 64 and form.fullmatch(value):
        return value
    raise ValueError(f"{value!r} is not {what}")


def _id(value: object) -> str:
    return _text(value, _ID, "an id: a small letter, then small letters, digits, _ . or -")


def _category(value: object) -> str:
    return _text(value, _CATEGORY, "a category like 'room' or 'room/suite'")


def _category_pattern(value: object) -> str:
    return _text(value, _PATTERN, "a category or a prefix like 'room/*'")


def _amount(value: object) -> Amount:
    if isinstance(value, Amount):
        return value
    if not isinstance(value, str):
        raise ValueError(f'money is written like "10.00 EUR" or "10.00" in quotes, not {value!r}')
    return parse_amount(value)


def _currency_code(value: object) -> str:
    if isinstance(value, str) and value in MINOR_DIGITS:
        return value
    raise ValueError(f"{value!r} is not an ISO 4217 currency of three capital letters")


def _zone(value: object) -> str:
    if isinstance(value, str) and value in _NO_ZONES:
        # Two processes, or a replay elsewhere, would reckon with different days.
        raise ValueError(
            f"{value!r} is no place: what it means depends on the machine; "
            "write an IANA name like 'Europe/Berlin'"
        )
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*", value):
        try:
            return ZoneInfo(value).key
        except (ZoneInfoNotFoundError, ValueError, OSError):
            pass  # The refusal below says it better than the zone database does.
    raise ValueError(f"unknown zone {value!r}; write an IANA name like 'Europe/Berlin'")


def _instant(value: object) -> datetime:
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            moment = None
        if moment is not None and moment.tzinfo is not None and 1900 < moment.year < 9000:
            return moment.astimezone(UTC)
    raise ValueError(f"{value!r} is not a time with its offset, like 2026-06-01T00:00:00+02:00")


def _factor(value: Fraction) -> Fraction:
    if not 1 <= value <= 1000:
        raise ValueError(f"a factor is at least 1 and at most 1000, not {value}")
    return value


def _title(value: object) -> "str | dict[str, str]":
    if isinstance(value, str) and len(value) <= 200:
        return value
    if (
        isinstance(value, dict)
        and value
        and set(value) <= {"en", "zh"}
        and all(isinstance(text, str) and len(text) <= 200 for text in value.values())
    ):
        return value
    raise ValueError(
        f"a title is text of at most 200 characters, or {{en: …, zh: …}}, not {value!r}"
    )


def _word(value: object) -> str:
    if isinstance(value, str) and 0 < len(value) <= 64 and value.isprintable():
        return value
    raise ValueError(f"{value!r} is not a word of 1 to 64 printable characters")


def _scalar(value: object) -> "str | int | bool":
    """Keep what was written: the type of the attribute says later how it is read."""
    _refuse_float(value)
    if isinstance(value, bool | int) or (isinstance(value, str) and len(value) <= 64):
        return value
    raise ValueError(f"expected a word, a whole number, a date or true or false, not {value!r}")


def _quantity(value: object) -> Fraction:
    _refuse_float(value)
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if isinstance(text, str) and _QUANTITY.fullmatch(text) and Fraction(text) > 0:
        return Fraction(text)
    raise ValueError(f'a quantity is above zero and written 2 or "0.5", not {value!r}')


def _quantity_text(value: Fraction) -> str:
    """Write a decimal quantity as it is read."""
    whole, rest = divmod(value, 1)
    return f"{whole}.{int(rest * 10**6):06}".rstrip("0") if rest else str(whole)


def _local_moment(value: object) -> datetime:
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            moment = None
        if moment is not None and moment.tzinfo is None and 1900 < moment.year < 9000:
            return moment
    raise ValueError(
        f"{value!r} is not a local time without offset, like 2026-06-01 or 2026-06-01T18:00"
    )


def _clock(value: object) -> str:
    if isinstance(value, str) and _CLOCK.fullmatch(value):
        return value
    raise ValueError(f"{value!r} is not a time of day like 09:30, 22:00 or 24:00")


def _month_day(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"\d\d-\d\d", value):
        try:
            datetime.fromisoformat(f"2024-{value}")
        except ValueError:
            pass
        else:
            return value
    raise ValueError(f"{value!r} is not a day of the year like 09-30")


def micros(moment: datetime) -> int:
    """Turn an aware datetime into microseconds since the Unix epoch, exactly."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


_as_text = PlainSerializer(str, return_type=str)

Whole = Annotated[int, BeforeValidator(_whole)]
Flag = Annotated[bool, BeforeValidator(_flag)]
Ratio = Annotated[Fraction, BeforeValidator(_ratio), _as_text]
Factor = Annotated[Ratio, AfterValidator(_factor)]
Money = Annotated[Amount, BeforeValidator(_amount), _as_text]
Id = Annotated[str, BeforeValidator(_id)]
Category = Annotated[str, BeforeValidator(_category)]
CategoryPattern = Annotated[str, BeforeValidator(_category_pattern)]
CurrencyCode = Annotated[str, BeforeValidator(_currency_code)]
Zone = Annotated[str, BeforeValidator(_zone)]
Moment = Annotated[
    datetime, BeforeValidator(_instant), PlainSerializer(datetime.isoformat, return_type=str)
]
LocalMoment = Annotated[
    datetime, BeforeValidator(_local_moment), PlainSerializer(datetime.isoformat, return_type=str)
]
"""Wall time without zone."""
Clock = Annotated[str, BeforeValidator(_clock)]
MonthDay = Annotated[str, BeforeValidator(_month_day)]
"""MM-DD; 02-29 means the last day of February."""
Quantity = Annotated[
    Fraction, BeforeValidator(_quantity), PlainSerializer(_quantity_text, return_type=str)
]
Title = Annotated[str | dict[str, str], BeforeValidator(_title)]
"""Text, or texts by language: `en`, `zh`."""
Word = Annotated[str, BeforeValidator(_word)]
"""A word of the callers: a store, a brand, a coupon."""
Scalar = Annotated[str | int | bool, BeforeValidator(_scalar)]

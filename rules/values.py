"""The value forms of the policy language: whole numbers, ratios, money, instants, ids.

A policy file gives every scalar as text, a JSON document may give integers; a float is refused
wherever it stands, because it has already lost what was written.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, PlainSerializer

from rules.money import AMOUNT_FORM, MINOR_DIGITS, Amount, parse_amount

# Digits are 0 to 9 here, and not those of every script that Python would read.
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_RATIO = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?%?|[0-9]{1,9}/[1-9][0-9]{0,8}")
_ID = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
_CATEGORY = re.compile(r"[a-z][a-z0-9_.-]*(/[a-z0-9_.-]+)*")
_PATTERN = re.compile(r"[a-z][a-z0-9_.-]*(/[a-z0-9_.-]+)*(/\*)?")
_NO_ZONES = frozenset({"localtime", "posixrules", "Factory"})
"""Entries of the zone database that stand for no zone of their own."""
_COPIES = ("posix/", "right/")
"""Second copies of the zone database, which some machines have; `right` counts leap seconds."""
_QUANTITY = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00")
_DATE = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_TIME = "([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\\.[0-9]{1,6})?)?"
_INSTANT = re.compile(f"{_DATE}T{_TIME}(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])")
_LOCAL_MOMENT = re.compile(f"{_DATE}(T{_TIME})?")
_MONTH_DAY = re.compile("(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")
_ZONE = re.compile("[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """How a value is written: in words for people, as a JSON Schema for their editors."""

    says: str
    schema: Mapping[str, object]


def _text_form(says: str, *patterns: re.Pattern[str], length: int = 0) -> Form:
    joined = "|".join(pattern.pattern for pattern in patterns)
    limit = {"maxLength": length} if length else {}
    return Form(says, {"type": "string", "pattern": f"^(?:{joined})$", **limit})


def _number_form(says: str, pattern: re.Pattern[str], least: int | None = None) -> Form:
    """Whole numbers may be JSON integers too; anything else numeric is text."""
    floor = {} if least is None else {"minimum": least}
    schema = {"type": ["integer", "string"], "pattern": f"^(?:{pattern.pattern})$", **floor}
    return Form(says, schema)


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
    if isinstance(value, str) and (value in _NO_ZONES or value.startswith(_COPIES)):
        # Two processes, or a replay elsewhere, would reckon with different days.
        raise ValueError(
            f"{value!r} is no place: what it means depends on the machine; "
            "write an IANA name like 'Europe/Berlin'"
        )
    if isinstance(value, str) and _ZONE.fullmatch(value):
        try:
            return ZoneInfo(value).key
        except (ZoneInfoNotFoundError, ValueError, OSError):
            pass  # The refusal below says it better than the zone database does.
    raise ValueError(f"unknown zone {value!r}; write an IANA name like 'Europe/Berlin'")


def _instant(value: object) -> datetime:
    # fromisoformat alone reads 20260601T00Z and week dates too, which no reader expects.
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        try:
            moment = datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError):
            moment = None
        # Of UTC, in which it is written down and has to be read again.
        if moment is not None and 1900 < moment.year < 9000:
            return moment
    raise ValueError(f"{value!r} is not a time with its offset, like 2026-06-01T00:00:00+02:00")


def _factor(value: Fraction) -> Fraction:
    if not 1 <= value <= 1000:
        raise ValueError(f"a factor is at least 1 and at most 1000, not {value}")
    return value


def _is_line(text: str) -> bool:
    return len(text) <= 200 and text.isprintable()


def _title(value: object) -> "str | dict[str, str]":
    if isinstance(value, str) and _is_line(value):
        return value
    if (
        isinstance(value, dict)
        and value
        and set(value) <= {"en", "zh"}
        and all(isinstance(text, str) and _is_line(text) for text in value.values())
    ):
        return value
    raise ValueError(
        f"a title is a line of at most 200 characters, or {{en: …, zh: …}}, not {value!r}"
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
    if isinstance(value, str) and _LOCAL_MOMENT.fullmatch(value):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            moment = None
        if moment is not None and 1900 < moment.year < 9000:
            return moment
    raise ValueError(
        f"{value!r} is not a local time without offset, like 2026-06-01 or 2026-06-01T18:00"
    )


def _clock(value: object) -> str:
    if isinstance(value, str) and _CLOCK.fullmatch(value):
        return value
    raise ValueError(f"{value!r} is not a time of day like 09:30, 22:00 or 24:00")


def _month_day(value: object) -> str:
    if isinstance(value, str) and _MONTH_DAY.fullmatch(value):
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

Whole = Annotated[int, BeforeValidator(_whole), _number_form("whole number, `50`", _WHOLE)]
Flag = Annotated[
    bool,
    BeforeValidator(_flag),
    Form("`true` or `false`", {"enum": [True, False, "true", "false"]}),
]
Ratio = Annotated[
    Fraction,
    BeforeValidator(_ratio),
    _as_text,
    _number_form('ratio, `2`, `"1.5"`, `"150%"` or `"3/2"`', _RATIO, 0),
]
Factor = Annotated[Ratio, AfterValidator(_factor)]
Money = Annotated[
    Amount,
    BeforeValidator(_amount),
    _as_text,
    _text_form('money, `"10.00 EUR"` or `"10.00"`', AMOUNT_FORM),
]
Id = Annotated[str, BeforeValidator(_id), _text_form("id, `big_basket`", _ID)]
Category = Annotated[
    str, BeforeValidator(_category), _text_form("category, `room/suite`", _CATEGORY, length=64)
]
CategoryPattern = Annotated[
    str,
    BeforeValidator(_category_pattern),
    _text_form("category, or `room/*` for all below it", _PATTERN, length=64),
]
CurrencyCode = Annotated[
    str,
    BeforeValidator(_currency_code),
    Form("ISO 4217 code, `EUR`", {"type": "string", "pattern": "^[A-Z]{3}$"}),
]
Zone = Annotated[str, BeforeValidator(_zone), _text_form("IANA zone, `Europe/Berlin`", _ZONE)]
Moment = Annotated[
    datetime,
    BeforeValidator(_instant),
    PlainSerializer(datetime.isoformat, return_type=str),
    _text_form("time with its offset, `2026-01-01T00:00:00+01:00`", _INSTANT),
]
LocalMoment = Annotated[
    datetime,
    BeforeValidator(_local_moment),
    PlainSerializer(datetime.isoformat, return_type=str),
    _text_form("local day or time, `2026-06-01` or `2026-06-01T18:00`", _LOCAL_MOMENT),
]
"""Wall time without zone."""
Clock = Annotated[str, BeforeValidator(_clock), _text_form("time of day, `22:00`", _CLOCK)]
MonthDay = Annotated[
    str, BeforeValidator(_month_day), _text_form("day of the year, `09-30`", _MONTH_DAY)
]
"""MM-DD; 02-29 means the last day of February."""
Quantity = Annotated[
    Fraction,
    BeforeValidator(_quantity),
    PlainSerializer(_quantity_text, return_type=str),
    _number_form('quantity, `2` or `"0.5"`', _QUANTITY, 1),
]
Title = Annotated[
    str | dict[str, str],
    BeforeValidator(_title),
    Form(
        "text, or texts by language: `{en: …, zh: …}`",
        {
            "anyOf": [
                {"type": "string", "maxLength": 200},
                {
                    "type": "object",
                    "properties": {
                        "en": {"type": "string", "maxLength": 200},
                        "zh": {"type": "string", "maxLength": 200},
                    },
                    "additionalProperties": False,
                    "minProperties": 1,
                },
            ]
        },
    ),
]
"""Text, or texts by language: `en`, `zh`."""
Word = Annotated[
    str,
    BeforeValidator(_word),
    Form("word of the callers", {"type": "string", "minLength": 1, "maxLength": 64}),
]
"""A word of the callers: a store, a brand, a coupon."""
Scalar = Annotated[
    str | int | bool,
    BeforeValidator(_scalar),
    Form(
        "word, whole number, date, `true` or `false`",
        {"type": ["string", "integer", "boolean"], "maxLength": 64},
    ),
]

"""Checks of the parts that requests share. Each raises Malformed with the path of the field.

A till's sale passes through here in a few microseconds, so the checks that hold cost one comparison
and the words for those that do not are put together only then.
"""

import re
from datetime import date
from typing import Final, Never

from google.protobuf.timestamp_pb2 import Timestamp

from ledger.answers.paging import Paged
from ledger.core.refusals import Malformed
from ledger.identities import expected_form
from loyalty.v1.types_pb2 import Identity, MemberRef, Money, Origin, Points

AMOUNT_MAX: Final = 10**15
"""Largest amount of points or minor units: sums of many stay within 64 bits."""
ID_LENGTH: Final = 64
NAME_LENGTH: Final = 32
IDENTITY_LENGTH: Final = 128
REASON_LENGTH: Final = 200
OPAQUE_LENGTH: Final = 2048
PAGE_MAX: Final = 1000
# 1970-01-01 to 9999-12-31, as far as every calendar in use here goes.
SECONDS_END: Final = 253_402_300_800
NANOS_END: Final = 1_000_000_000
SHOWN_LENGTH: Final = 80
HIDDEN: Final = "(hidden)"
_SCHEME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DECIMAL: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?")


def refuse(field: str, value: str | int, expected: str) -> Never:
    """Raise Malformed; a long value is shown by its beginning."""
    shown = value if isinstance(value, int) or len(value) <= SHOWN_LENGTH else value[:77] + "..."
    raise Malformed(field=field, value=shown, expected=expected)


def text(field: str, value: str, length: int = ID_LENGTH) -> None:
    """Check that a text is there, printable, and not too long."""
    if not (value and len(value) <= length and value.isprintable()):
        refuse(field, value, f"1 to {length} printable characters")


def optional_text(field: str, value: str, length: int = ID_LENGTH) -> None:
    """As `text`, but empty is right too."""
    if value and not (len(value) <= length and value.isprintable()):
        refuse(field, value, f"at most {length} printable characters")


def amount(field: str, value: int, *, least: int = 1) -> None:
    """Check an amount of points or of money."""
    if not least <= value <= AMOUNT_MAX:
        refuse(field, value, f"a whole number from {least} to {AMOUNT_MAX}")


def page(request: Paged, most: int = PAGE_MAX) -> None:
    """Check which page of a list is asked for, and how large a one."""
    if not 0 <= request.page_size <= most:
        refuse("page_size", request.page_size, f"1 to {most}; 0 for the usual size")
    optional_text("page_token", request.page_token, OPAQUE_LENGTH)


def currency_code(field: str, value: str) -> None:
    """Check the shape of an ISO 4217 code; whether it is known, the policy says."""
    if not _CURRENCY.fullmatch(value):
        refuse(field, value, "an ISO 4217 code: three capital letters")


def quantity(field: str, value: str) -> None:
    """Check a decimal string; empty is right."""
    if value and not _DECIMAL.fullmatch(value):
        refuse(field, value, 'a decimal number such as "2" or "0.350", not negative')


def language(value: str) -> None:
    """Check the language of a text for people; empty is right."""
    if value not in ("", "en", "zh"):
        refuse("language", value, '"en" or "zh"')


def moment(field: str, value: Timestamp) -> None:
    """Check that a time lies where it can be reckoned with."""
    if not (0 <= value.seconds < SECONDS_END and 0 <= value.nanos < NANOS_END):
        refuse(field, f"{value.seconds}s {value.nanos}ns", "a time in the years 1970 to 9999, UTC")


def day(field: str, value: str) -> None:
    """Check a calendar day."""
    try:
        if not _DATE.fullmatch(value):
            raise ValueError(value)
        date.fromisoformat(value)
    except ValueError:
        refuse(field, value, "a day of the calendar as YYYY-MM-DD")


def origin(value: Origin) -> None:
    """Check where a write comes from."""
    text("origin.business_unit", value.business_unit)
    optional_text("origin.channel", value.channel, NAME_LENGTH)
    optional_text("origin.store", value.store)
    optional_text("origin.till", value.till)
    optional_text("origin.operator", value.operator)
    optional_text("origin.client_software", value.client_software)
    if value.HasField("occurred_time"):
        moment("origin.occurred_time", value.occurred_time)
    if value.business_date:
        day("origin.business_date", value.business_date)


def identity(field: str, value: Identity) -> None:
    """Check an identity; its value is a person's, so it is never shown."""
    if not _SCHEME.fullmatch(value.scheme):
        refuse(f"{field}.scheme", value.scheme, "1 to 32 of a-z, 0-9 and '-'")
    found = value.value
    if not (found and len(found) <= IDENTITY_LENGTH and found.isprintable()):
        shown = HIDDEN if found else ""
        refuse(f"{field}.value", shown, f"1 to {IDENTITY_LENGTH} printable characters")
    expected = expected_form(value.scheme, found)
    if expected:
        refuse(f"{field}.value", HIDDEN, expected)


def member(value: MemberRef, field: str = "member") -> None:
    """Check that a member is named, in exactly one way."""
    match value.WhichOneof("ref"):
        case "member_id":
            text(f"{field}.member_id", value.member_id)
        case "identity":
            identity(f"{field}.identity", value.identity)
        case _:
            refuse(field, "", "member_id or identity")


def party(field: str, value: MemberRef) -> None:
    """Check that a member or a pool is named, in exactly one way."""
    match value.WhichOneof("ref"):
        case "member_id":
            text(f"{field}.member_id", value.member_id)
        case "pool_id":
            text(f"{field}.pool_id", value.pool_id)
        case "identity":
            identity(f"{field}.identity", value.identity)
        case _:
            refuse(field, "", "member_id, identity or pool_id")


def burn_amount(points: Points, money: Money, which: str | None) -> None:
    """Check the amount of a burn or a hold: points or money, exactly one."""
    if which == "points":
        text("points.currency", points.currency, NAME_LENGTH)
        amount("points.amount", points.amount)
    elif which == "money":
        price(money, field="money")
    else:
        refuse("amount", "", "points or money")


def price(money: Money, *, field: str) -> None:
    """Check an amount of money that is more than nothing."""
    currency_code(f"{field}.currency_code", money.currency_code)
    amount(f"{field}.minor_units", money.minor_units)

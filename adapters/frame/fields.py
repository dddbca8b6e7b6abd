"""Field types for models of what senders send: exact, strict where senders are sloppy.

A model of a sender's object names the few fields that are used and ignores the rest.
"""

import re
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    model_validator,
)

from adapters.frame import moments
from adapters.frame.money import decimal
from adapters.frame.words import Unreadable

ID_LENGTH: Final = 64
_NO_TEXT: Final = re.compile(r"[\0\ud800-\udfff]")
"""What JSON can write and no text contains: NUL, and half of a surrogate pair."""


class Sent(BaseModel):
    """An object of a sender: what is not named here is not ours to read, and null is not told."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _told(cls, data: Any) -> Any:
        """Senders write null, or leave a field out, from one version to the next."""
        if not isinstance(data, dict):
            return data
        return {name: value for name, value in data.items() if value is not None}


def _amount(value: Any) -> str:
    try:
        return format(decimal(value, "it"), "f")
    except Unreadable as error:
        raise ValueError(str(error)) from None


def _id(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ValueError("expected an id")
    if isinstance(value, Decimal):
        # 1.0e9 has lost its last digits on the way.
        raise ValueError("expected a whole number or text as id")
    text = str(value).strip()
    if not _can_be_id(text):
        raise ValueError(f"expected an id of 1 to {ID_LENGTH} printable characters")
    return text


def _can_be_id(text: str) -> bool:
    return 0 < len(text) <= ID_LENGTH and text.isprintable()


def joined_id(number: str) -> str:
    """Return an id that is put together of several: cut short, it would be another's.

    Raises:
        Unreadable: the ledger cannot hold it.
    """
    if not _can_be_id(number):
        raise Unreadable(f"the number {number!r} is not up to {ID_LENGTH} printable characters")
    return number


def _time(value: Any) -> str:
    try:
        moments.instant(value, "it")
    except Unreadable as error:
        raise ValueError(str(error)) from None
    return str(value)


def _word(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        # Nobody is called "{'id': 7}" or "True".
        raise ValueError("expected a text")
    text = str(value)
    if _NO_TEXT.search(text):
        raise ValueError("expected a text without NUL and without half of a surrogate pair")
    return text


def _aside(value: Any) -> str:
    try:
        return _word(value)
    except ValueError:
        return ""


Amount = Annotated[str, BeforeValidator(_amount)]
"""A decimal number, sent as text or as a JSON number; kept as text."""
Id = Annotated[str, BeforeValidator(_id)]
"""An id, sent as text or as a whole number of any size; kept as text."""
Time = Annotated[str, BeforeValidator(_time)]
"""An ISO 8601 time with offset; kept as it was sent."""
Word = Annotated[str, BeforeValidator(_word)]
"""A text; a whole number is taken for its digits."""
Aside = Annotated[str, BeforeValidator(_aside)]
"""A text among many of which perhaps none is ours, and in which anybody writes what he likes: what
is no text is empty."""
Flag = StrictBool
"""True or false, not "FALSE"."""
Count = Annotated[StrictInt, Field(ge=0, le=1_000_000)]
"""A whole number that is not negative."""

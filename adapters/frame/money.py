"""Money as senders write it, to whole minor units and back in shares. No float ever."""

import re
from collections.abc import Iterable, Sequence
from decimal import Context, Decimal, DecimalException
from typing import Any, Final

from adapters.frame.words import Parked, Unreadable

_TWO_DIGITS: Final = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD"
    " CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD"
    " GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD"
    " MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP"
    " PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS"
    " TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG"
)
_NO_DIGITS: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THREE_DIGITS: Final = "BHD IQD JOD KWD LYD OMR TND"
_EXPONENTS: Final[dict[str, int]] = {
    code: digits
    for digits, codes in ((0, _NO_DIGITS), (2, _TWO_DIGITS), (3, _THREE_DIGITS))
    for code in codes.split()
}
"""Digits after the point of each currency in use, by ISO 4217."""
MINOR_MAX: Final = 10**15
"""Largest amount the ledger takes."""
DIGITS_MAX: Final = 20
_WRITTEN: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_EXACT: Final = Context(prec=100)
"""Room for every digit: with the 28 of an ordinary one, long numbers would be rounded."""


def exponent(currency: str) -> int:
    """Return how many digits after the point a currency has. Raises Parked: nobody knows it."""
    try:
        return _EXPONENTS[currency]
    except KeyError:
        raise Parked("unmapped_currency", f"{currency!r} is no currency of ISO 4217") from None


def decimal(value: Any, what: str) -> Decimal:
    """Read a number that was sent as text or as a JSON number. Raises Unreadable."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise Unreadable(f"{what} is {value!r}, expected a decimal number")
    if isinstance(value, str) and not _WRITTEN.fullmatch(value.strip()):
        # Python would read 1_000 too, and digits of every script.
        raise Unreadable(f"{what} is {value[:40]!r}, expected a decimal number")
    try:
        number = Decimal(value)
    except DecimalException:
        raise Unreadable(f"{what} is {str(value)[:40]!r}, expected a decimal number") from None
    if not number.is_finite() or abs(number) > MINOR_MAX:
        raise Unreadable(f"{what} is {str(value)[:40]!r}, expected a number below 10^15")
    _, _, power = number.as_tuple()
    if isinstance(power, int) and power < -DIGITS_MAX:
        # Written out, 1e-999999 would be a million digits.
        raise Unreadable(f"{what} is {str(value)[:40]!r}, expected at most {DIGITS_MAX} decimals")
    return number


def minor_units(value: Any, currency: str, what: str) -> int:
    """Read an amount in the currency's unit, "12.50", as minor units, 1250.

    Raises:
        Unreadable: it is no number, or has more digits than the currency; zeros do not count.
        Parked: the currency is not known.
    """
    number = scaled(decimal(value, what), exponent(currency))
    if number != number.to_integral_value():
        raise Unreadable(
            f"{what} is {value}, which has more digits than {currency} ({exponent(currency)})"
        )
    if abs(number) > MINOR_MAX:
        raise Unreadable(f"{what} is {value}, expected at most 10^15 minor units of {currency}")
    return int(number)


def amount_of(value: Any, currency: str, what: str) -> int:
    """As `minor_units`, of what cannot be below nothing."""
    amount = minor_units(value, currency, what)
    if amount < 0:
        raise Unreadable(f"{what} is {value}, expected 0 or more")
    return amount


def scaled(number: Decimal, digits: int) -> Decimal:
    """Move the point to the right by so many digits, exactly."""
    return number.scaleb(digits, _EXACT)


def times(first: Decimal, second: Decimal) -> Decimal:
    """Multiply, exactly."""
    return _EXACT.multiply(first, second)


def added(numbers: Iterable[Decimal]) -> Decimal:
    """Add up, exactly."""
    total = Decimal(0)
    for number in numbers:
        total = _EXACT.add(total, number)
    return total


def whole(value: Any, what: str) -> int:
    """Read an amount that is in minor units already. Raises Unreadable."""
    number = decimal(value, what)
    if number != number.to_integral_value():
        raise Unreadable(f"{what} is {value}, expected a whole number")
    return int(number)


def shares(amount: int, weights: Sequence[int]) -> list[int]:
    """Divide an amount in proportion to weights, exactly: the parts add up to it.

    The units that are left over go to the largest remainders, of equal ones to the first.
    """
    total = sum(weights)
    if total <= 0:
        return [0] * len(weights)
    parts = [amount * weight // total for weight in weights]
    remainders = [amount * weight % total for weight in weights]
    order = sorted(range(len(weights)), key=lambda at: (-remainders[at], at))
    for at in order[: amount - sum(parts)]:
        parts[at] += 1
    return parts


def capped_shares(amount: int, limits: Sequence[int]) -> list[int]:
    """As `shares`, each at most its limit; what no limit leaves room for is not given."""
    return shares(min(amount, sum(limits)), limits)

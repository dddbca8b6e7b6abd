"""Money as a policy writes it, read exactly: "10.00 EUR", or "10.00" in the unit's own currency."""

import re
from dataclasses import dataclass
from fractions import Fraction

AMOUNT_FORM = re.compile(r"([0-9]{1,15})(?:\.([0-9]{1,9}))?(?: ([A-Z]{3}))?")

# ISO 4217, active codes of money one can pay with, by the number of digits of the minor unit.
_DIGITS: dict[int, str] = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF",
    2: (
        "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN "
        "BZD CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS "
        "GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR "
        "LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD "
        "PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN "
        "SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD YER ZAR ZMW"
    ),
    3: "BHD IQD JOD KWD LYD OMR TND",
}
MINOR_DIGITS = {code: digits for digits, codes in _DIGITS.items() for code in codes.split()}
"""ISO 4217 code to the number of digits of its minor unit."""

_SCALE = (1, 10, 100, 1000)


@dataclass(frozen=True, slots=True)
class Amount:
    """A non-negative decimal amount; `currency_code` None means the business unit's currency."""

    decimal: Fraction
    text: str
    currency_code: str | None

    def __str__(self) -> str:
        return f"{self.text} {self.currency_code}" if self.currency_code else self.text

    def minor(self, currency_code: str) -> Fraction:
        """Give the amount in minor units of `currency_code`; not always a whole number."""
        return self.decimal * _SCALE[MINOR_DIGITS[currency_code]]


def parse_amount(text: str) -> Amount:
    """Read `"10.00 EUR"` or `"10.00"`; ValueError says how money is written."""
    match = AMOUNT_FORM.fullmatch(text)
    if not match:
        raise ValueError(f'money is written like "10.00 EUR" or "10.00", not {text!r}')
    units, digits, code = match[1], match[2], match[3]
    if code is not None and code not in MINOR_DIGITS:
        raise ValueError(f"{code} is not an ISO 4217 currency")
    decimal = f"{units}.{digits}" if digits else units
    return Amount(Fraction(decimal), decimal, code)

"""What a guest's folio is worth: one line for each transaction code, less what was taken off."""

from decimal import Decimal
from typing import Final

from adapters.frame.mapping import MappingFile
from adapters.frame.money import minor_units
from adapters.frame.netting import NetLine, spread
from adapters.frame.words import Parked
from adapters.opera.shapes import Bill, Posting, Settings

TENDER: Final = ("payment", "fc", "pymt")
"""Types of postings that pay; a code in the section `payments` pays too."""


def is_settled(bill: Bill, settings: Settings) -> bool:
    """Whether nothing is owed in any window that counts for the guest."""
    return all(
        Decimal(window.balance.amount) == 0
        for window in bill.folioWindows
        if counts(window.folioWindowNo, settings)
    )


def counts(window: int, settings: Settings) -> bool:
    """Whether a folio window is the guest's."""
    return not settings.windows or window in settings.windows


def currency_of(bill: Bill) -> str:
    """Return the currency of a folio; empty: nothing was posted. Raises Parked: there are two."""
    found = {
        amount.currencyCode
        for window in bill.folioWindows
        for folio in window.folios
        for posting in folio.postings
        for amount in (posting.postedAmount, posting.debit, posting.credit)
        if amount is not None and amount.currencyCode
    }
    if len(found) > 1:
        raise Parked("unmapped_currency", f"a folio in {' and '.join(sorted(found))}")
    return next(iter(found), "")


def lines_of(bill: Bill, mapping: MappingFile, currency: str) -> list[NetLine]:
    """Return what the guest's windows were charged with, by transaction code.

    Corrections carry the code of what they correct, with the other sign. What was taken off a code
    beyond what it was charged with comes off all others, in proportion.
    """
    settings: Settings = mapping.settings
    tender = {row.code for row in mapping.payments}
    sums: dict[str, int] = {}
    for window in bill.folioWindows:
        if not counts(window.folioWindowNo, settings):
            continue
        for posting in (each for folio in window.folios for each in folio.postings):
            code = posting.transactionCode
            if code in tender or posting.transactionType.casefold() in TENDER:
                continue
            sums[code] = sums.get(code, 0) + _amount(posting, currency)
    lines = [
        NetLine(code or "none", (f"transaction/{code}", "transaction"), amount, 0, Decimal(1))
        for code, amount in sorted(sums.items())
        if amount > 0
    ]
    spread(lines, -sum(amount for amount in sums.values() if amount < 0))
    return lines


def _amount(posting: Posting, currency: str) -> int:
    what = f"the amount of posting {posting.transactionNo or posting.transactionCode}"
    if posting.postedAmount is not None:
        return minor_units(posting.postedAmount.amount, currency, what)
    debit = posting.debit.amount if posting.debit is not None else "0"
    credit = posting.credit.amount if posting.credit is not None else "0"
    return minor_units(debit, currency, what) - minor_units(credit, currency, what)

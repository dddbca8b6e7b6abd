"""A till that writes POSLog, by hand from the standard: plain, and in the words of NCR's ACS."""

import base64
from pathlib import Path
from typing import Final

SECRETS: Final = {"basic": "till:s3cret"}
PLAIN: Final = 'xmlns="http://www.nrf-arts.org/IXRetail/namespace/"'
ACS: Final = f'{PLAIN} xmlns:acs="http://www.ncr.com/rsd/acs/tlog/markup/poslog/2.1"'


def mapping(more: str = "", payments: str = "") -> str:
    """The mapping of the store."""
    return f"""
schema: loyalty.adapter/v1
system: poslog
connection: tills
version: 1
places:
  - {{code: store/9, business_unit: market, zone: America/New_York, currencies: [USD]}}
  - {{code: store/10, business_unit: market, zone: America/New_York, currencies: [USD, CAD]}}
categories:
  - {{code: department/50, category: household}}
  - {{code: line, category: grocery}}
identities:
  - {{kind: loyalty, scheme: card}}
  - {{kind: customer, scheme: customer}}
{payments}
settings:
  grand: with_tax
{more}"""


def sold(
    number: int,
    amount: str,
    *,
    item: str = "A1",
    kind: str = "Sale",
    flag: str = "",
    more: str = "",
) -> str:
    """A line of a ticket."""
    quantity = "-1" if amount.startswith("-") and kind == "Sale" else "1"
    mark = ' VoidFlag="true"' if flag == "void" else ""
    item_type = flag if flag != "void" else "Stock"
    return (
        f"<LineItem{mark}><SequenceNumber>{number}</SequenceNumber>"
        f'<{kind} ItemType="{item_type or "Stock"}"><ItemID>{item}</ItemID>'
        f"<ExtendedAmount>{amount}</ExtendedAmount>{more}<Quantity>{quantity}</Quantity></{kind}>"
        "</LineItem>"
    )


def back(number: int, amount: str, of: int, *, line: int = 0, item: str = "A1") -> str:
    """A line that came back, with the ticket it was sold on."""
    named = f"<LineItemSequenceNumber>{line}</LineItemSequenceNumber>" if line else ""
    link = (
        '<TransactionLink ReasonCode="Return"><RetailStoreID>9</RetailStoreID><WorkstationID>1'
        "</WorkstationID><BusinessDayDate>2026-03-01</BusinessDayDate>"
        f"<SequenceNumber>{of}</SequenceNumber>{named}</TransactionLink>"
    )
    return sold(number, amount, item=item, kind="Return", more=link)


def member(number: str = "M1") -> str:
    """The line with the member."""
    return (
        "<LineItem><SequenceNumber>90</SequenceNumber><LoyaltyMembership>"
        f"<LoyaltyID>{number}</LoyaltyID></LoyaltyMembership></LineItem>"
    )


def totals(grand: str, tax: str = "0.00") -> str:
    """What the till says it comes to."""
    return (
        f'<Total TotalType="TransactionGrandAmount">{grand}</Total>'
        f'<Total TotalType="TransactionTaxAmount">{tax}</Total>'
    )


def ticket(
    *inside: str,
    number: int = 1,
    ended: str = "2026-03-01T12:00:00",
    flags: str = "",
    sale: str = "",
    store: str = "9",
    head: str = "",
    currency: str = "USD",
) -> str:
    """A transaction in which something was sold."""
    money = f"<CurrencyCode>{currency}</CurrencyCode>" if currency else ""
    return (
        f"<Transaction {flags}><RetailStoreID>{store}</RetailStoreID><WorkstationID>1"
        f"</WorkstationID><SequenceNumber>{number}</SequenceNumber>"
        f"<BusinessDayDate>2026-03-01</BusinessDayDate><EndDateTime>{ended}</EndDateTime>"
        f"<OperatorID>7</OperatorID>{money}{head}"
        f"<RetailTransaction {sale}>{''.join(inside)}</RetailTransaction></Transaction>"
    )


def control(number: int) -> str:
    """A transaction in which nothing was sold."""
    return (
        "<Transaction><RetailStoreID>9</RetailStoreID><WorkstationID>1</WorkstationID>"
        f"<SequenceNumber>{number}</SequenceNumber><BusinessDayDate>2026-03-01</BusinessDayDate>"
        "<ControlTransaction><ReasonCode>SignOn</ReasonCode></ControlTransaction></Transaction>"
    )


def log(*transactions: str, namespace: str = PLAIN) -> bytes:
    """The file of a day."""
    return f"<POSLog {namespace}>{''.join(transactions)}</POSLog>".encode()


def write_day(file: Path, tickets: int, members: int) -> None:
    """Write a day's file: every ticket has two lines, and belongs to one of `members`."""
    with file.open("w", encoding="utf-8") as out:
        out.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<POSLog {PLAIN}>\n')
        for number in range(1, tickets + 1):
            lines = sold(1, "2.00"), sold(2, "3.00", item="B2"), member(f"M{number % members}")
            out.write(ticket(*lines, totals("5.00"), number=number) + "\n")
        out.write("</POSLog>\n")


def signed(login: str = "till:s3cret") -> dict[str, str]:
    """The headers of a log that is posted."""
    given = base64.b64encode(login.encode()).decode()
    return {"content-type": "application/xml", "authorization": f"Basic {given}"}

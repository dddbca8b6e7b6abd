"""POSLog: tickets of tills, posted with a password."""

from adapters.frame.words import Delivery
from tests.adapters import till_log
from tests.adapters.rig import lines_of
from tests.adapters.spoilt import case, texts
from tests.adapters.spoilt.case import Case, System
from tests.adapters.till_log import back, log, member, sold, ticket

MAPPING = till_log.mapping()


def sign(body: bytes, login: str = "till:s3cret") -> Delivery:
    return Delivery(body, till_log.signed(login))


def sent(*transactions: str) -> Case:
    return Case([sign(log(*transactions))])


def good() -> Case:
    return sent(ticket(sold(1, "10.00"), member()))


def body(text: str) -> bytes:
    receipt = f"<ReceiptNumber>{text}</ReceiptNumber>" if text else ""
    return log(ticket(receipt, sold(1, "10.00"), member()))


def beyond() -> Case:
    number = 2**63 + 1
    made = sent(ticket(sold(1, "10.00"), member(), number=number))
    return Case(
        made.sent, holds=lambda said: said.document.document_id == f"9/2026-03-01/1/{number}"
    )


def twins() -> Case:
    made = sent(ticket(sold(1, "5.00"), sold(1, "5.00"), member()))
    return Case(made.sent, holds=lambda said: lines_of(said) == [("grocery", 5_00)] * 2)


def negative() -> Case:
    line = sold(1, "10.00").replace("<Quantity>1<", "<Quantity>-1<")
    return sent(ticket(line))


def below() -> Case:
    """A correction: it comes off what was sold of the article."""
    made = sent(ticket(sold(1, "14.00"), sold(2, "-4.00"), member()))
    return Case(made.sent, holds=lambda said: lines_of(said) == [("grocery", 10_00)])


def early() -> Case:
    return sent(ticket(back(1, "5.00", 77), number=2))


SYSTEM = System(
    "poslog",
    MAPPING,
    till_log.SECRETS,
    good,
    {
        **texts.xml_rows(body, sign),
        case.WRONG: lambda: Case([sign(body(""), "till:other")]),
        case.MISSING: lambda: Case([Delivery(body(""))]),
        case.LARGE: lambda: Case([sign(b" " * 20_000_000)]),
        case.REUSED: lambda: Case([*good().sent, *sent(ticket(sold(1, "20.00"), member())).sent]),
        case.DIGITS: lambda: sent(ticket(sold(1, "10.005"))),
        case.HUGE: lambda: sent(ticket(sold(1, str(10**20)))),
        case.NO_NUMBER: lambda: sent(ticket(sold(1, "NaN"))),
        case.NEGATIVE: negative,
        case.BELOW: below,
        case.BEYOND: beyond,
        case.TWINS: twins,
        case.NO_ZONE: good,
        case.SHORT_FORM: lambda: sent(ticket(sold(1, "10.00"), member(), ended="20260301T120000")),
        case.YEAR_1: lambda: sent(ticket(sold(1, "10.00"), ended="0001-01-01T00:00:00")),
        case.YEAR_9999: lambda: sent(ticket(sold(1, "10.00"), ended="9999-12-31T23:59:59")),
        case.UNKNOWN: lambda: sent(till_log.control(1)),
        case.PLACE: lambda: sent(ticket(sold(1, "10.00"), store="77")),
        case.CATEGORY: lambda: Case(
            good().sent, MAPPING.replace("{code: line,", "{code: item/other,")
        ),
        case.CURRENCY: lambda: sent(ticket(sold(1, "10.00"), currency="SEK")),
        case.NOBODY: lambda: sent(ticket(sold(1, "10.00"))),
        case.EARLY: early,
        case.TEST: lambda: sent(ticket(sold(1, "10.00"), flags='TrainingModeFlag="true"')),
        case.AMONG: lambda: sent(
            ticket(sold(1, "10.00"), member()), ticket(sold(1, "ten"), number=2)
        ),
    },
)

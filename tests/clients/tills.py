"""What a till says, and a clock that is set by hand."""

from datetime import UTC, datetime, timedelta
from typing import Final

from loyalty.v1.account_service_pb2 import VIEW_FULL, GetAccountRequest
from loyalty.v1.ledger_service_pb2 import HoldPointsRequest, PostDocumentRequest
from loyalty_client import Client, identity, line, money, points, sale

CARD: Final = identity("card", "8800")
DEAD: Final = "127.0.0.1:9"
"""Nobody listens there: the line is down."""
SHORT: Final = 0.3
"""Seconds to try for, where nobody answers anyway."""


def post_sale(number: int, dollars: int = 10, request_id: str = "") -> PostDocumentRequest:
    """A basket of groceries, under the number of its receipt."""
    document = sale(f"T-{number}", 1, [line("grocery", money(dollars, "USD"))])
    return PostDocumentRequest(request_id=request_id, member=CARD, document=document)


def hold_of(amount: int, hold_id: str = "H-1") -> HoldPointsRequest:
    """Points to be set aside."""
    return HoldPointsRequest(hold_id=hold_id, member=CARD, points=points(amount))


def account(client: Client) -> dict[str, int]:
    """What the member has of points."""
    read = client.get_account(GetAccountRequest(member=CARD, view=VIEW_FULL)).account
    [row] = [row for row in read.balances if row.currency == "point"]
    return {"available": row.available, "held": row.held}


class HandClock:
    """A till's clock, set by hand."""

    def __init__(self) -> None:
        """It goes right."""
        self.fast = timedelta()

    def __call__(self) -> datetime:
        """The time at the till."""
        return datetime.now(UTC) + self.fast

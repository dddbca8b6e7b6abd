"""A hotel's system: a booking, a stay that is paid with points in part, one that is cancelled.

    LOYALTY_SERVER=127.0.0.1:7070 LOYALTY_TOKEN=… python pms.py

It needs a ledger with the policy of the sample programme, and a token with the verbs enrol, earn,
burn and read for the unit `hotel`.
"""

from uuid import uuid4

from loyalty.v1.account_service_pb2 import GetAccountRequest
from loyalty.v1.ledger_service_pb2 import (
    CaptureHoldRequest,
    HoldPointsRequest,
    PostDocumentRequest,
)
from loyalty.v1.member_service_pb2 import EnrolMemberRequest, LinkIdentityRequest
from loyalty.v1.types_pb2 import (
    DOCUMENT_STATUS_CANCELLED,
    DOCUMENT_STATUS_FINAL,
    DOCUMENT_STATUS_PENDING,
    DocumentStatus,
    MemberRef,
)
from loyalty_client import Client, Connection, identity, line, money, origin, points, stay

HOTEL = origin("hotel", channel="front-desk", store="grand-hotel")


def main() -> None:
    """One guest, two bookings."""
    with Client(Connection.from_environment(origin=HOTEL)) as client:
        guest = enrol(client)
        booked, cancelled = uuid4().hex, uuid4().hex
        for booking in (booked, cancelled):
            client.post_document(reservation(guest, booking, 1, DOCUMENT_STATUS_PENDING))
        tell(client, guest, "booked twice")

        client.post_document(reservation(guest, cancelled, 2, DOCUMENT_STATUS_CANCELLED))
        tell(client, guest, "one booking cancelled")

        client.post_document(reservation(guest, booked, 2, DOCUMENT_STATUS_FINAL))
        tell(client, guest, "checked out")

        # The next stay: points are set aside at check-in, and what the spa cost is taken of them.
        hold = HoldPointsRequest(member=guest, hold_id=uuid4().hex, points=points(1_000))
        client.hold_points(hold)
        tell(client, guest, "1,000 points set aside")
        client.capture_hold(CaptureHoldRequest(hold_id=hold.hold_id, points=400, final=True))
        tell(client, guest, "400 of them spent, the rest given back")


def enrol(client: Client) -> MemberRef:
    """A member by card, whom the hotel knows by a profile from now on."""
    card, profile = identity("card", uuid4().hex), identity("pms-profile", uuid4().hex)
    client.enrol_member(EnrolMemberRequest(identities=[card.identity]))
    client.link_identity(LinkIdentityRequest(member=card, identity=profile.identity))
    return profile


def reservation(
    guest: MemberRef, booking: str, version: int, status: DocumentStatus.ValueType
) -> PostDocumentRequest:
    """Two nights; a cancelled booking has no line any more."""
    rooms = [line("room", money("240.00", "EUR"), quantity="2")]
    document = stay(
        booking,
        version,
        [] if status == DOCUMENT_STATUS_CANCELLED else rooms,
        nights=2,
        status=status,
        currency_code="EUR",
    )
    return PostDocumentRequest(member=guest, document=document)


def tell(client: Client, guest: MemberRef, what: str) -> None:
    """Print what the guest has now."""
    account = client.get_account(GetAccountRequest(member=guest)).account
    balance = next((row for row in account.balances if row.currency == "point"), None)
    available, pending, held = (
        (balance.available, balance.pending, balance.held) if balance else (0, 0, 0)
    )
    print(f"{what}: {available} available, {pending} pending, {held} held")


if __name__ == "__main__":
    main()

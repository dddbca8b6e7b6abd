"""A till: sells, loses its line, goes on selling and taking points, and catches up.

    LOYALTY_SERVER=127.0.0.1:7070 LOYALTY_TOKEN=… python pos.py

It needs a ledger with the policy of the sample programme, and a token with the verbs enrol, earn,
burn and read for the unit `market`.
"""

import tempfile
from pathlib import Path
from uuid import uuid4

from loyalty.v1.account_service_pb2 import GetAccountRequest
from loyalty.v1.ledger_service_pb2 import HoldPointsRequest, PostDocumentRequest
from loyalty.v1.member_service_pb2 import EnrolMemberRequest
from loyalty.v1.types_pb2 import MemberRef
from loyalty_client import Client, Connection, identity, line, money, origin, points, sale
from loyalty_client.offline import BeyondAllowance, OfflineQueue

MARKET = origin("market", channel="pos", store="12", till="3")


def main() -> None:
    """A morning at a till."""
    # A real till keeps its file for good, on a disk of its own.
    with (
        tempfile.TemporaryDirectory() as folder,
        Client(Connection.from_environment(origin=MARKET)) as client,
        OfflineQueue(Path(folder, "till.queue"), origin=MARKET) as queue,
    ):
        card = identity("card", uuid4().hex)
        client.enrol_member(EnrolMemberRequest(identities=[card.identity]))

        sold = queue.post(client, basket(card, "300.00"), seconds=10)
        earned = sum(one.points for one in sold.answer.posting.movements if one.currency == "point")
        print(f"sold for 300.00, {earned} points earned")

        hold = HoldPointsRequest(member=card, points=points(250))
        allowance = queue.take_allowance(client, hold)
        print(f"may give {allowance.left} points without a line")

        sell_without_line(queue, card, allowance.hold_id)

        queue.end_allowance(allowance.hold_id)
        progress = queue.upload(client)
        print(f"the line is back: {progress.posted} posted, {progress.refused} refused")
        for upload in queue.refused():
            print(f"  {upload.request_id}: {upload.refusal}")

        balances = client.get_account(GetAccountRequest(member=card)).account.balances
        [balance] = [row for row in balances if row.currency == "point"]
        print(f"the member has {balance.available} points, {balance.held} of them held")


def sell_without_line(queue: OfflineQueue, card: MemberRef, hold_id: str) -> None:
    """Nothing here reaches the ledger, and nothing is lost."""
    queue.put(basket(card, "40.00"))
    receipt = uuid4().hex
    queue.spend(hold_id, 200, request_id=receipt)
    # The till does not know whether it got so far before it crashed, and does it again.
    queue.spend(hold_id, 200, request_id=receipt)
    print(f"200 points taken, {queue.allowance(hold_id).left} left, {len(queue.waiting())} waiting")
    try:
        queue.spend(hold_id, 100, request_id=uuid4().hex)
    except BeyondAllowance as refusal:
        print(f"no: {refusal}")


def basket(card: MemberRef, amount: str) -> PostDocumentRequest:
    """A sale of groceries; the receipt's number is its id."""
    document = sale(uuid4().hex, 1, [line("grocery", money(amount, "USD"))])
    return PostDocumentRequest(member=card, document=document)


if __name__ == "__main__":
    main()

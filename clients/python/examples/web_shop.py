"""A web shop's back end: quotes a basket, lets points pay a part of it, takes goods back.

    LOYALTY_SERVER=127.0.0.1:7070 LOYALTY_TOKEN=… python web_shop.py

It needs a ledger with the policy of the sample programme, and a token with the verbs enrol, earn,
burn and read for the unit `web`.
"""

import asyncio
from uuid import uuid4

from loyalty.v1.account_service_pb2 import GetAccountRequest
from loyalty.v1.ledger_service_pb2 import (
    BurnPointsRequest,
    Outcome,
    PostDocumentRequest,
    QuoteDocumentRequest,
)
from loyalty.v1.member_service_pb2 import EnrolMemberRequest
from loyalty.v1.types_pb2 import MemberRef
from loyalty_client import AsyncClient, Connection, identity, line, money, order, origin, points
from loyalty_client.refusals import InsufficientPoints

WEB = origin("web", channel="web")


async def main() -> None:
    """Two orders of one customer."""
    async with AsyncClient(Connection.from_environment(origin=WEB)) as client:
        customer = identity("shop-customer", uuid4().hex)
        await client.enrol_member(EnrolMemberRequest(identities=[customer.identity]))
        order_id = uuid4().hex

        lines = [
            line("goods", money("180.00", "GBP"), sku="A-1"),
            line("goods", money("60", "GBP")),
        ]
        quote = await client.quote_document(
            QuoteDocumentRequest(member=customer, document=order(order_id, 1, lines))
        )
        promised = sum(grant.granted for grant in quote.posting.grants if grant.currency == "point")
        posted = await client.post_document(
            PostDocumentRequest(member=customer, document=order(order_id, 1, lines), language="en")
        )
        print(f"{promised} points promised, {await available(client, customer)} given")
        for text in posted.posting.messages:
            print(f"  {text}")

        await pay_with_points(client, customer)

        # The second line comes back: the document is stated again as what is left of it.
        left = PostDocumentRequest(member=customer, document=order(order_id, 2, lines[:1]))
        await client.post_document(left)
        again = await client.post_document(left)
        print(f"returned once and told twice: {Outcome.Name(again.posting.outcome)}")
        print(f"the customer has {await available(client, customer)} points")


async def pay_with_points(client: AsyncClient, customer: MemberRef) -> None:
    """100 points pay 1.00 of another order; more than there are is refused."""
    try:
        await client.burn_points(BurnPointsRequest(member=customer, points=points(10_000)))
    except InsufficientPoints as refusal:
        print(f"{refusal.spoken['en']} ({refusal.available} of {refusal.requested})")
    await client.burn_points(BurnPointsRequest(member=customer, points=points(100)))
    paid = line("goods", money("20.00", "GBP"), paid_with_points=money("1.00", "GBP"))
    await client.post_document(
        PostDocumentRequest(member=customer, document=order(uuid4().hex, 1, [paid]))
    )


async def available(client: AsyncClient, customer: MemberRef) -> int:
    """Points that the customer can spend."""
    account = (await client.get_account(GetAccountRequest(member=customer))).account
    return next((row.available for row in account.balances if row.currency == "point"), 0)


if __name__ == "__main__":
    asyncio.run(main())

"""Whose a document is: known, known by another name, or unknown until they join."""

from loyalty.v1.ledger_service_pb2 import ClaimDocumentRequest
from loyalty.v1.types_pb2 import Identity, MemberRef, Origin
from tests.adapters import shop
from tests.adapters.rig import Rig
from tests.adapters.sending import MEMBER, send

NEW = {"id": 5, "email": "new@example.com"}


async def test_a_stranger_is_credited_on_joining_with_the_first_identity(web: Rig) -> None:
    await send(web, shop.order(shop.line(1, "10.00"), customer=NEW), "d-1")
    await web.work()
    row = await web.subject()
    assert (row["state"], row["reason"], row["member_scheme"]) == ("done", "unclaimed", "")
    await web.enrol("shopify-customer", "5")
    assert await web.points("shopify-customer", "5") == 10
    grown = shop.order(shop.line(1, "10.00"), shop.line(2, "5.00"), customer=NEW)
    await send(web, {**grown, "updated_at": shop.days_ago(1)}, "d-2")
    await web.work()
    row = await web.subject()
    assert (row["state"], row["reason"], row["member_scheme"]) == ("done", "", "shopify-customer")
    assert await web.points("shopify-customer", "5") == 15


async def test_a_stranger_is_credited_after_joining_with_another_identity(web: Rig) -> None:
    await send(web, shop.order(shop.line(1, "10.00"), customer=NEW), "d-1")
    await web.work()
    assert (await web.subject())["due_at"] is not None
    await web.enrol("email", "new@example.com")
    assert await web.points("email", "new@example.com") == 0
    await web.pool.execute("UPDATE adapters.subject SET due_at = now()")
    await web.work()
    row = await web.subject()
    assert (row["state"], row["reason"], row["member_scheme"]) == ("done", "", "email")
    assert await web.points("email", "new@example.com") == 10


async def test_who_is_known_by_one_identity_alone_is_not_asked_for_again(web: Rig) -> None:
    await send(web, shop.order(shop.line(1, "10.00"), customer={"id": 9}, email=""), "d-1")
    await web.work()
    row = await web.subject()
    assert (row["reason"], row["due_at"]) == ("unclaimed", None)
    await web.enrol("shopify-customer", "9")
    assert await web.points("shopify-customer", "9") == 10


async def test_a_document_that_was_claimed_by_its_receipt_stays_claimed(web: Rig) -> None:
    sold = shop.order(
        shop.line(1, "10.00"), customer={"id": 9}, email="", confirmation_number="R50KELTJP"
    )
    await send(web, sold, "d-1")
    await web.work()
    claim = ClaimDocumentRequest(
        request_id="claim-1",
        origin=Origin(business_unit="web"),
        member=MemberRef(identity=Identity(scheme=MEMBER[0], value=MEMBER[1])),
        document=(await web.subject())["document"],
        receipt_code="r50keltjp",
    )
    await web.caller.ledger.ClaimDocument(claim)
    assert await web.points(*MEMBER) == 10
    await web.enrol("shopify-customer", "9")
    grown = shop.order(shop.line(1, "10.00"), shop.line(2, "5.00"), customer={"id": 9}, email="")
    await send(web, {**grown, "updated_at": shop.days_ago(1)}, "d-2")
    await web.work()
    assert (await web.subject())["state"] == "done"
    assert await web.points(*MEMBER) == 15
    assert await web.points("shopify-customer", "9") == 0


async def test_the_second_identity_is_tried_when_nobody_has_the_first(web: Rig) -> None:
    await web.enrol("email", "guest@example.com")
    bought = shop.order(shop.line(1, "10.00"), customer={"id": 6, "email": "Guest@example.com"})
    await send(web, bought, "d-1")
    await web.work()
    assert (await web.subject())["member_scheme"] == "email"
    assert await web.points("email", "guest@example.com") == 10

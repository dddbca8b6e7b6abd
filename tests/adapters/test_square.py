"""Square: what its payloads mean, the recorded ones and those written by hand."""

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.frame.translating import Result
from adapters.frame.words import (
    Acquaintance,
    Delivery,
    Nothing,
    Parked,
    Parts,
    Unreadable,
    Verdict,
)
from loyalty.v1.types_pb2 import DOCUMENT_STATUS_CANCELLED, DOCUMENT_STATUS_FINAL
from tests.adapters import squares
from tests.adapters.rig import (
    api_of,
    connection,
    lines_of,
    only,
    rig,
    statement,
    translate,
    vendor,
)
from tests.server.served import Caller, Served


def meaning(*told: Any, mapping: str = squares.MAPPING) -> dict[str, Result]:
    return translate(mapping, *map(squares.body, told))


def paid(*lines: dict[str, Any], **changes: Any) -> list[Any]:
    """An order, and the payment for all of it."""
    order = squares.order(*lines)
    amount = order["total_money"]["amount"]
    return [{"order": order}, {"payment": squares.payment(amount, **changes)}]


# --- recorded payloads, as their index says ----------------------------------------------------


def recorded(payloads: Path, name: str) -> Any:
    return json.loads((payloads / "square" / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("name", "reason", "merchant"),
    [
        ("PaymentCreatedEvent", "not_paid", "6SSW7HV8K2ST5"),
        ("OrderCreatedEvent", "told_by_payment", "5S9MXCS9Y99KK"),
        ("OrderFulfillmentUpdatedEvent", "told_by_payment", ""),
        ("AccumulateLoyaltyPointsResponse", "own_programme", ""),
    ],
)
def test_what_is_not_paid_or_not_a_payment_is_nothing(
    payloads: Path, name: str, reason: str, merchant: str
) -> None:
    told = recorded(payloads, name)
    mapping = squares.MAPPING.replace("merchant: M1", f"merchant: {told.get('merchant_id', 'M1')}")
    result = only(meaning(told, mapping=mapping))
    assert result == Nothing(reason)
    if merchant:
        assert only(meaning(told)) == Nothing("not_ours")


def test_a_recorded_refund_waits_for_its_payment_whatever_order_it_names(payloads: Path) -> None:
    told = recorded(payloads, "GetPaymentRefundResponse")
    results = meaning(told)
    assert list(results) == [f"payment/{told['refund']['payment_id']}"]
    assert isinstance(only(results), Parked)


def test_a_recorded_pending_refund_waits_and_once_there_is_its_payment_takes_nothing_back(
    payloads: Path,
) -> None:
    told = recorded(payloads, "RefundCreatedEvent")
    refund = told["data"]["object"]["refund"]
    assert (refund["status"], refund["amount_money"]["amount"]) == ("PENDING", 10_00)
    mapping = squares.MAPPING.replace("merchant: M1", f"merchant: {told['merchant_id']}")
    results = meaning(told, mapping=mapping)
    assert list(results) == [f"payment/{refund['payment_id']}"]
    assert refund["payment_id"].startswith("KkAkhd")
    waits = only(results)
    assert isinstance(waits, Parked)
    assert waits.reason == "sale_missing"
    order = squares.order(squares.line("a", 30_00))
    order |= {"tenders": [{"payment_id": refund["payment_id"]}]}
    paid = {"payment": squares.payment(30_00, id=refund["payment_id"])}
    for pending in ("PENDING", "REJECTED", "FAILED"):
        refund["status"] = pending
        stated = statement(meaning({"order": order}, paid, told, mapping=mapping))
        assert lines_of(stated) == [("grocery", 30_00)]
    refund["status"] = "COMPLETED"
    stated = statement(meaning({"order": order}, paid, told, mapping=mapping))
    assert lines_of(stated) == [("grocery", 20_00)]
    assert only(meaning(told)) == Nothing("not_ours"), "another merchant's"


def test_the_recorded_refund_takes_the_recorded_payment_back_whole(payloads: Path) -> None:
    mapping = squares.mapping(more="  without_order: amount\n")
    sale, back = (
        recorded(payloads, "GetPaymentResponse"),
        recorded(payloads, "GetPaymentRefundResponse"),
    )
    stated = statement(meaning(sale, mapping=mapping))
    assert lines_of(stated) == [("grocery", 5_55)]
    assert stated.members == ()
    assert lines_of(statement(meaning(sale, back, mapping=mapping))) == [("grocery", 0)]
    assert isinstance(only(meaning(sale)), Parked), "by default its order is waited for"


def test_the_recorded_order_is_worth_its_total_less_tax_once_it_is_paid(payloads: Path) -> None:
    told = recorded(payloads, "CreateOrderResponse")["order"]
    assert only(meaning({"order": told})) == Nothing("not_paid")
    told |= {"tenders": [{"id": "P1"}]}
    sale = squares.payment(61_76, order_id=told["id"], customer_id=None)
    stated = statement(meaning({"order": told}, {"payment": sale}))
    assert lines_of(stated) == [("grocery", 15_12), ("grocery", 41_54)]
    assert sum(amount for _, amount in lines_of(stated)) == 56_66
    assert stated.members == ()


def test_a_recorded_loyalty_account_is_a_customer_and_no_points(payloads: Path) -> None:
    told = recorded(payloads, "LoyaltyAccountCreatedEvent")
    mapping = squares.MAPPING.replace("merchant: M1", f"merchant: {told['merchant_id']}")
    result = only(meaning(told, mapping=mapping))
    assert isinstance(result, Acquaintance)
    assert [each.scheme for each in result.identities] == ["square-customer", "phone"]
    assert result.identities[1].value == "+14155551234"


def test_the_vendors_own_signature_is_genuine_and_any_changed_byte_is_not(payloads: Path) -> None:
    vector = recorded(payloads, "signature_vector")
    text = squares.MAPPING.replace(squares.URL, vector["url"])
    told = vector["body"].encode()

    def verdict(body: bytes, key: str = vector["key"], mapping: str = text) -> Verdict:
        made = connection(mapping, {"signature_key": key})
        headers = {vector["header"]: vector["signature"]}
        return made.adapter.verify(Delivery(body, headers), made)

    assert verdict(told) is Verdict.GENUINE
    assert verdict(told.replace(b"2022", b"2023")) is Verdict.FORGED
    assert verdict(told, key=vector["key"] + "x") is Verdict.FORGED
    assert verdict(told, mapping=text.replace("webhook.site", "webhook.sita")) is Verdict.FORGED
    assert only(meaning(json.loads(told))) == Nothing("test")


# --- payments ----------------------------------------------------------------------------------


def test_a_payment_earns_on_its_orders_lines_without_tax_tip_and_service() -> None:
    lines = [
        squares.line("a", 11_00, 1_00, catalog_object_id="CAT"),
        squares.line("b", 5_50, 50, total_service_charge_money=squares.usd(1_00)),
        squares.line("card", 25_00, item_type="GIFT_CARD"),
    ]
    stated = statement(meaning(*paid(*lines)))
    assert lines_of(stated) == [("grocery", 10_00), ("grocery", 4_00), ("gift_card", 25_00)]
    assert stated.document.status == DOCUMENT_STATUS_FINAL
    assert stated.document.document_id == "P1"


def test_each_of_two_payments_earns_on_its_share_of_the_order() -> None:
    order = squares.order(squares.line("a", 11_00, 1_00), squares.line("b", 22_00, 2_00))
    order["tenders"] = [{"payment_id": "P1"}, {"payment_id": "P2"}]
    payments = [
        squares.payment(11_00),
        squares.payment(22_00, id="P2", tip_money=squares.usd(5_00)),
    ]
    results = meaning({"order": order}, *({"payment": each} for each in payments))
    stated = [statement({name: result}) for name, result in results.items()]
    assert [sum(amount for _, amount in lines_of(each)) for each in stated] == [10_00, 20_00]


def test_tax_may_be_told_as_a_part() -> None:
    mapping = squares.mapping(more="  amounts: gross\n")
    stated = statement(meaning(*paid(squares.line("a", 11_00, 1_00)), mapping=mapping))
    assert lines_of(stated) == [("grocery", 11_00)]
    assert stated.document.lines[0].parts[0].minor_units == 1_00


@pytest.mark.parametrize("status", ["CANCELED", "FAILED"])
def test_a_payment_that_was_never_taken_is_cancelled(status: str) -> None:
    stated = statement(meaning({"payment": squares.payment(5_00, status=status)}))
    assert stated.document.status == DOCUMENT_STATUS_CANCELLED


def test_what_we_took_ourselves_is_our_own_echo() -> None:
    told = squares.payment(5_00, application_details={"application_id": "sq0ids-us"})
    assert only(meaning({"payment": told})) == Nothing("own_echo")


def test_points_as_means_of_payment_earn_nothing() -> None:
    more = "payments:\n  - {code: CARD, kind: card}\n  - {code: EXTERNAL, kind: p, points: true}\n"
    sale = paid(squares.line("a", 10_00), source_type="EXTERNAL")
    (line,) = statement(meaning(*sale, mapping=squares.mapping(more=more))).document.lines
    assert line.paid_with_points_minor_units == 10_00


# --- refunds -----------------------------------------------------------------------------------


def test_a_refund_with_lines_takes_back_those_lines() -> None:
    order = squares.order(squares.line("a", 11_00, 1_00), squares.line("b", 5_00))
    back = {
        "source_line_item_uid": "a",
        "total_money": squares.usd(11_00),
        "total_tax_money": squares.usd(1_00),
    }
    contents = {
        "payment": squares.payment(16_00),
        "order/O1": order,
        "refund/R1": squares.refund(11_00),
        "returns/RO1": squares.order(id="RO1", returns=[{"return_line_items": [back]}]),
    }
    made = connection(squares.MAPPING)
    result = made.adapter.canonicalise(Parts("payment/P1", contents), made.mapping)
    assert sum(amount for _, amount in lines_of(statement({"payment/P1": result}))) == 5_00


def test_a_refund_with_tip_and_service_charge_takes_only_its_lines_back() -> None:
    charged = squares.line("coffee", 6_60, 60, total_service_charge_money=squares.usd(1_00))
    told = squares.order(charged, squares.line("beans", 20_00))
    tip = {"tip_money": squares.usd(2_00), "service_charge_money": squares.usd(1_00)}
    back = {
        "return_line_items": [
            {
                "source_line_item_uid": "coffee",
                "quantity": "1",
                "total_money": squares.usd(6_60),
                "total_tax_money": squares.usd(60),
                "total_service_charge_money": squares.usd(1_00),
            }
        ],
        "return_amounts": tip,
    }
    contents = {
        "payment": squares.payment(26_60),
        "order/O1": told,
        "refund/R1": squares.refund(8_60),
        "returns/RO1": squares.order(id="RO1", returns=[back]),
    }
    made = connection(squares.MAPPING)
    stated = made.adapter.canonicalise(Parts("payment/P1", contents), made.mapping)
    assert lines_of(statement({"payment/P1": stated})) == [("grocery", 20_00)]


def test_a_pending_refund_takes_back_nothing_yet() -> None:
    waits = {"refund": squares.refund(5_00, status="PENDING")}
    assert lines_of(statement(meaning(*paid(squares.line("a", 5_00)), waits))) == [
        ("grocery", 5_00)
    ]


def test_a_refund_of_an_amount_is_spread_and_never_takes_more_than_there_is() -> None:
    sale = paid(squares.line("a", 30_00), squares.line("b", 10_00))
    results = meaning(*sale, {"refund": squares.refund(8_00)})
    assert lines_of(statement(results)) == [("grocery", 24_00), ("grocery", 8_00)]
    results = meaning(*sale, {"refund": squares.refund(99_00)})
    assert sum(amount for _, amount in lines_of(statement(results))) == 0


def test_a_refund_of_no_payment_is_dropped() -> None:
    told = squares.refund(5_00, payment_id="")
    assert only(meaning({"refund": told})) == Nothing("unlinked_refund")


@pytest.mark.parametrize("changes", [{"id": None}, {"amount_money": {"amount": 1.5}}])
def test_what_cannot_be_read_is_a_dead_letter(changes: dict[str, Any]) -> None:
    assert isinstance(only(meaning({"payment": squares.payment(5_00, **changes)})), Unreadable)


def test_an_unmapped_location_or_currency_parks() -> None:
    elsewhere = paid(squares.line("a", 5_00), location_id="L9")
    result = only(meaning(*elsewhere))
    assert isinstance(result, Parked)
    assert result.reason == "unmapped_place"


# --- end to end --------------------------------------------------------------------------------


@pytest.mark.database
async def test_a_sale_and_its_returned_line_end_in_what_is_left(
    served: Served, caller: Caller, tmp_path: Path
) -> None:
    api = squares.SquareApi()
    api.orders["O1"] = squares.order(squares.line("a", 300_00), squares.line("b", 100_00))
    came_back = {"source_line_item_uid": "a", "quantity": "1", "total_money": squares.usd(300_00)}
    api.orders["RO1"] = squares.order(id="RO1", returns=[{"return_line_items": [came_back]}])
    async with vendor(api.app) as address:
        mapping = squares.mapping(address)
        async with rig(served, caller, tmp_path, mapping, squares.SECRETS) as at:
            await at.enrol("square-customer", "C1", unit="market")
            events = [
                squares.event("refund.updated", squares.refund(300_00), number=2),
                squares.event("payment.updated", squares.payment(400_00)),
            ]
            for told in map(squares.body, events):
                assert (await at.post(told, squares.signed(told))).status_code == 200
                await at.work()
            document = await at.documents()
            after_both = await at.points("square-customer", "C1")
            told = squares.body(events[1])
            assert (await at.post(told, squares.signed(told))).status_code == 200
            await at.work()
            assert await at.documents() == document, "what comes again changes nothing"
            assert await at.points("square-customer", "C1") == after_both > 0
            forged = await at.post(told, squares.signed(told, key="another"))
            assert forged.status_code == 401


async def test_a_pull_brings_payments_then_refunds_page_by_page() -> None:
    api = squares.SquareApi()
    for number in range(3):
        changed = {"id": f"P{number}", "updated_at": f"2999-01-0{number + 1}T00:00:00Z"}
        api.payments.append(squares.payment(5_00, **changed))
    api.refunds = [squares.refund(5_00, updated_at="2999-01-01T00:00:00Z")]
    made = connection(squares.MAPPING, squares.SECRETS)
    async with api_of(api.app) as calls:
        cursor, kinds, more = "", [], True
        while more:
            pulled = await made.adapter.pull(cursor, made, calls)
            kinds += [next(iter(json.loads(each.body))) for each in pulled.deliveries]
            cursor, more = pulled.cursor, pulled.more
    assert kinds == ["payment", "payment", "payment", "refund"]
    assert json.loads(cursor)["begin"]

"""Shopify: what its payloads mean, the recorded ones and those written from its documentation."""

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.frame.adapter import Connection
from adapters.frame.translating import Result
from adapters.frame.words import Delivery, Nothing, Parked, Unreadable, Verdict
from loyalty.v1.types_pb2 import (
    DOCUMENT_KIND_ORDER,
    DOCUMENT_KIND_SALE,
    DOCUMENT_STATUS_CANCELLED,
    DOCUMENT_STATUS_FINAL,
    DOCUMENT_STATUS_PENDING,
)
from tests.adapters import shop
from tests.adapters.rig import connection, lines_of, only, statement, translate

DOLLARS = shop.MAPPING.replace("currencies: [GBP]", "currencies: [GBP, USD, JPY, KWD]")
POINTS = (
    DOLLARS
    + """payments:
  - {code: shopify_payments, kind: card}
  - {code: harbour_points, kind: points, points: true}
"""
)


def meaning(*told: Any, mapping: str = DOLLARS) -> dict[str, Result]:
    return translate(mapping, *map(shop.body, told))


def recorded(payloads: Path, name: str) -> Any:
    return json.loads((payloads / "shopify" / f"{name}.json").read_text(encoding="utf-8"))


# --- recorded payloads, as their index says ----------------------------------------------------


def test_an_order_that_is_only_authorized_earns_nothing_yet(payloads: Path) -> None:
    told = recorded(payloads, "order_fixture")
    assert only(meaning(told)) == Nothing("not_paid")
    waiting = statement(meaning(told, mapping=DOLLARS + "  unpaid: pending\n"))
    assert waiting.document.status == DOCUMENT_STATUS_PENDING


def test_lines_that_add_up_to_more_than_the_subtotal_share_it(payloads: Path) -> None:
    told = recorded(payloads, "order_fixture")
    told["order"]["financial_status"] = "paid"
    stated = statement(meaning(told))
    assert sum(amount for _, amount in lines_of(stated)) == 398_00
    assert sorted(amount for _, amount in lines_of(stated)) == [132_66, 132_67, 132_67]
    assert [(each.scheme, each.value) for each in stated.members] == [
        ("shopify-customer", "207119551"),
        ("email", "guest@example.com"),
    ]
    assert stated.document.document_id == "450789469"


def test_a_refund_of_less_than_its_lines_takes_back_what_was_paid(payloads: Path) -> None:
    order, refund = recorded(payloads, "order_fixture"), recorded(payloads, "refund_fixture")
    order["order"]["financial_status"] = "partially_refunded"
    stated = statement(meaning(order, refund))
    assert sum(amount for _, amount in lines_of(stated)) == 398_00 - 209_00
    untouched = [line for line in stated.document.lines if line.line_id == "518995019"]
    assert [(line.quantity, line.net_minor_units) for line in untouched] == [("1", 132_67)]
    assert statement(meaning(refund, order)) == stated


def test_a_refund_alone_waits(payloads: Path) -> None:
    result = only(meaning(recorded(payloads, "refund_fixture")))
    assert isinstance(result, Parked)
    assert result.reason == "sale_missing"


@pytest.mark.parametrize(
    "name", ["orders_create_fixture", "shape_orders_2024-01_3", "shape_refunds_2025-04_2"]
)
def test_poison_and_scrubbed_shapes_are_dead_letters(payloads: Path, name: str) -> None:
    assert isinstance(only(meaning(recorded(payloads, name))), Unreadable)


# --- status, place, member, payments -----------------------------------------------------------


def test_the_newest_state_counts_in_whatever_order_they_come() -> None:
    first = shop.order(shop.line(1, "10.00"))
    later = {
        **shop.order(shop.line(1, "10.00"), shop.line(2, "5.00")),
        "updated_at": shop.days_ago(3),
    }
    assert lines_of(statement(meaning(first, later))) == lines_of(statement(meaning(later, first)))
    assert len(statement(meaning(later, first)).document.lines) == 2


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"financial_status": "paid"}, DOCUMENT_STATUS_FINAL),
        ({"financial_status": "refunded"}, DOCUMENT_STATUS_FINAL),
        ({"financial_status": "voided"}, DOCUMENT_STATUS_CANCELLED),
        ({"cancelled_at": "2026-01-01T00:00:00Z"}, DOCUMENT_STATUS_CANCELLED),
    ],
)
def test_what_a_status_means(changes: dict[str, Any], status: int) -> None:
    assert statement(meaning(shop.order(shop.line(1, "1.00"), **changes))).document.status == status


def test_a_sale_at_a_till_belongs_to_its_location() -> None:
    told = shop.order(
        shop.line(1, "1.00"), source_name="pos", location_id=905684977, currency="USD"
    )
    stated = statement(meaning(told))
    assert stated.document.kind == DOCUMENT_KIND_SALE
    assert (stated.origin.business_unit, stated.origin.store) == ("market", "soho")
    online = statement(meaning(shop.order(shop.line(1, "1.00"))))
    assert online.document.kind == DOCUMENT_KIND_ORDER
    assert (online.origin.business_unit, online.origin.channel) == ("web", "web")


def test_an_order_of_the_office_names_a_location_and_may_belong_to_it() -> None:
    draft = {"source_name": "shopify_draft_order", "location_id": 103709376812}
    stated = statement(meaning(shop.order(shop.line(1, "1.00"), **draft)))
    assert stated.origin.business_unit == "web"
    draft |= {"location_id": 905684977, "currency": "USD"}
    stated = statement(meaning(shop.order(shop.line(1, "1.00"), **draft)))
    assert stated.origin.business_unit == "market"
    assert stated.document.kind == DOCUMENT_KIND_ORDER


def test_an_edit_says_what_changed_and_not_the_order() -> None:
    told = {"order_edit": {"id": 1, "order_id": 2, "line_items": {"additions": [], "removals": []}}}
    sent = shop.body(told)
    headers = {"x_shopify_topic": "orders/edited"}
    assert only(translate(DOLLARS, sent, **headers)) == Nothing("told_by_order")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"source_name": "pos", "location_id": 1}, "unmapped_place"),
        ({"source_name": "pos"}, "unmapped_place"),
        ({"currency": "SEK"}, "unmapped_currency"),
        ({"currency": "ZZZ"}, "unmapped_currency"),
    ],
)
def test_what_has_no_row_is_parked(changes: dict[str, Any], reason: str) -> None:
    result = only(meaning(shop.order(shop.line(1, "1.00"), **changes)))
    assert isinstance(result, Parked)
    assert result.reason == reason


def test_an_unmapped_line_parks_and_a_closer_row_wins() -> None:
    told = shop.order(shop.line(1, "1.00", sku="WINE-77"), shop.line(2, "1.00"))
    assert [category for category, _ in lines_of(statement(meaning(told)))] == ["drink", "goods"]
    without = DOLLARS.replace("  - {code: line, category: goods}\n", "")
    result = only(meaning(told, mapping=without))
    assert isinstance(result, Parked)
    assert result.reason == "unmapped_category"


def test_a_card_in_the_cart_comes_before_the_customer() -> None:
    mapping = (
        DOLLARS.replace("identities:\n", "identities:\n  - {kind: attribute, scheme: card}\n")
        + "  member_attribute: loyalty card\n"
    )
    attributes = [{"name": "loyalty card", "value": " 8800 "}, {"name": "gift", "value": None}]
    told = shop.order(shop.line(1, "1.00"), note_attributes=attributes)
    stated = statement(meaning(told, mapping=mapping))
    assert [(each.scheme, each.value) for each in stated.members][:2] == [
        ("card", "8800"),
        ("shopify-customer", "207119551"),
    ]
    assert stated.members[2].value == "guest@example.com"


def test_a_guest_without_an_address_is_nobody() -> None:
    told = shop.order(shop.line(1, "1.00"), customer=None, email=None)
    assert statement(meaning(told)).members == ()


def test_points_pay_for_lines_in_proportion() -> None:
    told = shop.order(
        shop.line(1, "10.00"), shop.line(2, "30.00"), payment_gateway_names=["harbour_points"]
    )
    stated = statement(meaning(told, mapping=POINTS))
    assert [line.paid_with_points_minor_units for line in stated.document.lines] == [10_00, 30_00]
    assert [(each.kind, each.minor_units) for each in stated.document.payments] == [
        ("points", 40_00)
    ]


def test_test_orders_and_our_own_are_dropped() -> None:
    assert only(meaning(shop.order(test=True))) == Nothing("test")
    assert only(meaning(shop.order(app_id=424242))) == Nothing("own_echo")


def test_ids_beyond_what_a_float_holds_stay_exact() -> None:
    told = shop.order(shop.line(1, "1.00"), id=2**63 + 1)
    stated = statement(meaning(told))
    assert stated.document.document_id == str(2**63 + 1)
    assert stated.document.lines[0].line_id == "14000000000000000001"
    assert isinstance(
        only(translate(DOLLARS, shop.body(told).replace(b"922337203", b"9.22e", 1))), Unreadable
    )


@pytest.mark.parametrize(
    "change",
    [
        {"updated_at": "2026-03-01T10:00:00"},
        {"updated_at": "soon"},
        {"created_at": None},
        {"updated_at": "1969-01-01T00:00:00Z"},
    ],
)
def test_a_clock_without_zone_or_sense_is_a_dead_letter(change: dict[str, Any]) -> None:
    assert isinstance(only(meaning(shop.order(**change))), Unreadable)


# --- who sends -------------------------------------------------------------------------------


def verdict(sent: bytes, made: Connection, **changes: str) -> Verdict:
    headers = {**shop.headers(sent, "orders/paid", "d-1"), **changes}
    return made.adapter.verify(Delivery(sent, headers), made)


def test_any_changed_byte_of_body_or_signature_is_forged() -> None:
    made = connection(shop.MAPPING, {"webhook_secret": shop.SECRET})
    sent = shop.body(shop.order(shop.line(1, "1.00")))
    assert verdict(sent, made) is Verdict.GENUINE
    signed = shop.signature(sent)
    for at in range(0, len(sent), 37):
        changed = sent[:at] + bytes([sent[at] ^ 1]) + sent[at + 1 :]
        assert verdict(changed, made, **{"x-shopify-hmac-sha256": signed}) is Verdict.FORGED
    assert verdict(sent[:-1], made, **{"x-shopify-hmac-sha256": signed}) is Verdict.FORGED
    for wrong in ("", "!", signed[:-4], shop.signature(sent, "another"), signed.lower()):
        assert verdict(sent, made, **{"x-shopify-hmac-sha256": wrong}) is Verdict.FORGED


def test_another_shop_with_our_secret_is_forged() -> None:
    made = connection(shop.MAPPING, {"webhook_secret": shop.SECRET})
    sent = shop.body(shop.order())
    other = {"x-shopify-shop-domain": "elsewhere.myshopify.com"}
    assert verdict(sent, made, **other) is Verdict.FORGED


def test_nothing_is_genuine_without_a_secret_and_either_of_two_is_right() -> None:
    sent = shop.body(shop.order())
    assert verdict(sent, connection(shop.MAPPING)) is Verdict.FORGED
    made = connection(shop.MAPPING)
    both = Connection(
        made.name, made.adapter, made.mapping, {"webhook_secret": ("new", shop.SECRET)}
    )
    assert verdict(sent, both) is Verdict.GENUINE

"""WooCommerce: what its payloads mean, the recorded ones and those written by hand."""

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.frame.adapter import Connection
from adapters.frame.translating import Result, translated
from adapters.frame.words import Delivery, Nothing, Parked, Statement, Unreadable, Verdict
from loyalty.v1.types_pb2 import (
    DOCUMENT_STATUS_CANCELLED,
    DOCUMENT_STATUS_FINAL,
    DOCUMENT_STATUS_PENDING,
)
from tests.adapters import woo
from tests.adapters.rig import connection, lines_of, only, statement, translate


def meaning(*told: Any, mapping: str = woo.MAPPING, **headers: str) -> dict[str, Result]:
    return translate(mapping, *map(woo.body, told), **headers)


def recorded(payloads: Path, name: str) -> Any:
    return json.loads((payloads / "woocommerce" / f"{name}.json").read_text(encoding="utf-8"))


# --- recorded payloads, as their index says ----------------------------------------------------


def test_the_recorded_order_is_a_guests_with_eighteen_to_earn_on(payloads: Path) -> None:
    stated = statement(meaning(recorded(payloads, "order_processing")))
    assert lines_of(stated) == [("goods", 6_00), ("goods", 12_00), ("shipping", 10_00)]
    assert stated.document.status == DOCUMENT_STATUS_FINAL
    assert [(each.scheme, each.value) for each in stated.members] == [
        ("email", "john.doe@example.com")
    ]
    # 19:28:08 GMT: the field without _gmt is the site's own time.
    assert stated.occurred_at == 1_490_210_888 * 1_000_000


def test_the_recorded_refund_belongs_to_the_order_in_its_links(payloads: Path) -> None:
    told = recorded(payloads, "order_refund")
    results = meaning(told)
    assert list(results) == ["order/723"]
    assert isinstance(only(results), Parked)
    sale = {**woo.order(woo.line(1, "30.00"), woo.line(2, "10.00")), "id": 723}
    sale["date_modified_gmt"] = "2017-03-21T20:00:00"
    stated = statement(meaning(sale, told))
    assert lines_of(stated) == [("goods", 22_50), ("goods", 7_50)]


# --- lines -------------------------------------------------------------------------------------


def test_tax_is_left_out_or_told_as_a_part() -> None:
    told = woo.order(woo.line(1, "10.00", total_tax="2.00"))
    assert lines_of(statement(meaning(told))) == [("goods", 10_00)]
    (line,) = statement(meaning(told, mapping=woo.MAPPING + "  amounts: gross\n")).document.lines
    assert (line.net_minor_units, line.parts[0].minor_units) == (12_00, 2_00)


def test_fees_are_mapped_by_name_and_one_below_nothing_is_a_discount() -> None:
    told = woo.order(
        woo.line(1, "30.00"),
        woo.line(2, "10.00"),
        fee_lines=[
            woo.line(3, "2.00", name="Tip"),
            woo.line(4, "-4.20", name="Loyal customer"),
        ],
    )
    assert lines_of(statement(meaning(told))) == [("goods", 27_00), ("goods", 9_00), ("tip", 1_80)]
    strange = woo.order(woo.line(1, "1.00"), fee_lines=[woo.line(3, "2.00", name="Surcharge")])
    result = only(meaning(strange))
    assert isinstance(result, Parked)
    assert (result.reason, "fee/Surcharge" in result.detail) == ("unmapped_category", True)


@pytest.mark.parametrize(
    "change",
    [
        {"total": "-1.00"},
        {"quantity": -1},
        {"total": "1.001"},
        {"total": "free"},
        {"total": None},
        {"id": None},
    ],
)
def test_a_line_that_cannot_be_is_a_dead_letter(change: dict[str, Any]) -> None:
    told = {**woo.order(woo.line(1, "5.00")), "line_items": [{**woo.line(1, "5.00"), **change}]}
    assert isinstance(only(meaning(told)), Unreadable)


def test_half_a_thing_can_be_sold() -> None:
    told = woo.order(woo.line(1, "5.00", quantity=0.5))  # type: ignore[arg-type]
    assert statement(meaning(told)).document.lines[0].quantity == "0.5"


def test_lines_that_look_alike_are_all_real() -> None:
    twin = woo.line(1, "5.00")
    assert lines_of(statement(meaning(woo.order(twin, twin)))) == [("goods", 5_00)] * 2


# --- refunds -----------------------------------------------------------------------------------


def test_a_refund_takes_back_the_lines_that_it_names() -> None:
    jar, lamp = woo.line(1, "10.00", 2), woo.line(2, "30.00")
    back = woo.refund(5, "10.00", woo.returned(jar, "5.00"), woo.returned(lamp, "5.00", 0))
    told = woo.refunded(woo.order(jar, lamp), back)
    stated = statement(meaning(told, {**back, "parent_id": 727}))
    assert [(line.quantity, line.net_minor_units) for line in stated.document.lines] == [
        ("1", 5_00),
        ("1", 25_00),
    ]


def test_a_refund_whose_lines_are_not_known_is_spread() -> None:
    told = woo.refunded(woo.order(woo.line(1, "100.00", total_tax="20.00")), woo.refund(5, "60.00"))
    assert lines_of(statement(meaning(told))) == [("goods", 50_00)]


def test_a_refund_beyond_the_goods_takes_the_shipping_too() -> None:
    told = woo.order(woo.line(1, "10.00"), shipping_lines=[woo.line(9, "4.00")])
    assert lines_of(statement(meaning(woo.refunded(told, woo.refund(5, "12.00"))))) == [
        ("goods", 0),
        ("shipping", 2_00),
    ]
    assert [line.net_minor_units for line in _all(woo.refunded(told, woo.refund(5, "99.00")))] == [
        0,
        0,
    ]


def _all(told: Any) -> Any:
    return statement(meaning(told)).document.lines


def test_refunded_shipping_leaves_the_goods() -> None:
    shipping = woo.line(9, "4.00")
    back = woo.refund(5, "4.00", shipping_lines=[woo.returned(shipping, "4.00")])
    told = woo.refunded(woo.order(woo.line(1, "10.00"), shipping_lines=[shipping]), back)
    assert lines_of(statement(meaning(told, {**back, "parent_id": 727}))) == [("goods", 10_00)]


def test_a_refund_whose_lines_have_no_number_means_the_only_one_it_can_be_about() -> None:
    def bare(of: dict[str, Any], total: str) -> dict[str, Any]:
        product = {name: of[name] for name in ("product_id", "variation_id")}
        return {**woo.returned(of, total), **product, "meta_data": []}

    jar, lamp, post = woo.line(1, "10.00"), woo.line(2, "10.00"), {"id": 9, "total": "4.00"}
    back = woo.refund(5, "9.00", bare(lamp, "5.00"), shipping_lines=[{"id": 8, "total": "-4.00"}])
    told = woo.refunded(woo.order(jar, lamp, shipping_lines=[post]), back)
    assert lines_of(statement(meaning(told, {**back, "parent_id": 727}))) == [
        ("goods", 10_00),
        ("goods", 5_00),
    ]
    twice = woo.order(jar, {**jar, "id": 3})
    back = woo.refund(5, "6.00", bare(jar, "6.00"))
    spread = statement(meaning(woo.refunded(twice, back), {**back, "parent_id": 727}))
    assert lines_of(spread) == [("goods", 7_00)] * 2


def test_a_refund_that_was_deleted_counts_no_more() -> None:
    jar = woo.line(1, "10.00")
    back = {**woo.refund(5, "10.00", woo.returned(jar, "10.00")), "parent_id": 727}
    without = {**woo.order(jar), "date_modified_gmt": woo.days_ago(4)}
    assert lines_of(statement(meaning(back, without))) == [("goods", 10_00)]
    newer = {**woo.order(jar), "date_modified_gmt": woo.days_ago(6)}
    assert lines_of(statement(meaning(back, newer))) == []


# --- status, members, dropping -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"status": "completed"}, DOCUMENT_STATUS_FINAL),
        ({"status": "processing", "date_paid_gmt": None}, None),
        ({"status": "pending", "date_paid_gmt": None}, None),
        ({"status": "on-hold"}, None),
        ({"status": "shipped"}, None),
        ({"status": "cancelled"}, DOCUMENT_STATUS_CANCELLED),
        ({"status": "failed"}, DOCUMENT_STATUS_CANCELLED),
        ({"status": "trash"}, DOCUMENT_STATUS_CANCELLED),
        ({"status": "refunded"}, DOCUMENT_STATUS_CANCELLED),
    ],
)
def test_what_a_status_means(changes: dict[str, Any], expected: int | None) -> None:
    told = woo.order(woo.line(1, "10.00"), **changes)
    if expected is None:
        assert only(meaning(told)) == Nothing("not_paid")
        waiting = statement(meaning(told, mapping=woo.MAPPING + "  unpaid: pending\n"))
        assert waiting.document.status == DOCUMENT_STATUS_PENDING
    else:
        assert statement(meaning(told)).document.status == expected


def test_a_status_of_a_plugin_can_mean_paid() -> None:
    mapping = woo.MAPPING + "  paid: [processing, completed, shipped]\n"
    told = woo.order(woo.line(1, "1.00"), status="shipped")
    assert statement(meaning(told, mapping=mapping)).document.status == DOCUMENT_STATUS_FINAL


def deletion(mapping: str, received_at: int) -> Result:
    topic = {"x-wc-webhook-topic": "order.updated"}
    told = woo.order(woo.line(1, "10.00"), date_modified_gmt="2026-01-01T00:00:00")
    gone = Delivery(
        b'{"id": 727}', {"x-wc-webhook-topic": "order.deleted"}, received_at=received_at
    )
    return only(translated([Delivery(woo.body(told), topic), gone], connection(mapping)))


def test_a_deleted_order_gives_back_unless_it_was_restored_or_is_to_be_kept() -> None:
    after, before = 1_800_000_000 * 1_000_000, 1_600_000_000 * 1_000_000
    keep = woo.MAPPING + "  deleted: keep\n"
    for mapping, received_at, status in (
        (woo.MAPPING, after, DOCUMENT_STATUS_CANCELLED),
        (woo.MAPPING, before, DOCUMENT_STATUS_FINAL),
        (keep, after, DOCUMENT_STATUS_FINAL),
    ):
        stated = deletion(mapping, received_at)
        assert isinstance(stated, Statement)
        assert stated.document.status == status
    assert only(meaning({"id": 5}, x_wc_webhook_topic="order.deleted")) == Nothing(
        "deleted_before_it_came"
    )


def test_a_guest_is_known_by_address_alone_and_a_card_may_stand_in_the_meta_data() -> None:
    told = woo.order(woo.line(1, "1.00"), customer_id=0)
    assert [each.scheme for each in statement(meaning(told)).members] == ["email"]
    mapping = (
        woo.MAPPING.replace("identities:\n", "identities:\n  - {kind: meta, scheme: card}\n")
        + "  member_meta: _loyalty_card\n"
    )
    members = statement(meaning(told, mapping=mapping)).members
    assert [(each.scheme, each.value) for each in members] == [
        ("card", "8800"),
        ("email", "guest@example.com"),
    ]


def test_what_is_kept_of_an_order_is_what_is_used() -> None:
    made = connection(woo.MAPPING)
    (part,) = made.adapter.split(Delivery(woo.body(woo.order(woo.line(1, "1.00")))), made)
    kept = str(part)
    assert "London" not in kept
    assert "_loyalty_card" not in kept
    assert "rgb" not in kept


def test_a_copy_of_the_shop_and_our_own_orders_are_dropped() -> None:
    told = woo.order(woo.line(1, "1.00"))
    staging = meaning(told, x_wc_webhook_source="https://staging.harbour.example/")
    assert only(staging) == Nothing("test")
    assert only(meaning({**told, "created_via": "loyalty"})) == Nothing("own_echo")
    assert only(meaning(told, x_wc_webhook_topic="product.updated")) == Nothing("not_ours")


@pytest.mark.parametrize(
    "change",
    [
        {"date_modified_gmt": "yesterday"},
        {"date_modified_gmt": None},
        {"currency": "pounds"},
        {"refunds": [{"id": 1, "total": "some"}]},
        {"customer_id": None},
        {"line_items": None},
    ],
)
def test_what_cannot_be_read_is_a_dead_letter(change: dict[str, Any]) -> None:
    assert isinstance(only(meaning({**woo.order(woo.line(1, "1.00")), **change})), Unreadable)


def test_a_refund_that_says_no_order_is_a_dead_letter() -> None:
    assert isinstance(only(meaning(woo.refund(5, "1.00"))), Unreadable)


def test_payments_are_told_where_they_are_mapped() -> None:
    told = woo.order(woo.line(1, "10.00"), payment_method="points")
    rows = "payments:\n  - {code: points, kind: points, points: true}\n"
    stated = statement(meaning(told, mapping=woo.MAPPING.replace("settings:", rows + "settings:")))
    assert stated.document.payments[0].kind == "points"
    assert stated.document.lines[0].paid_with_points_minor_units == 10_00


# --- who sends ---------------------------------------------------------------------------------


def verdict(sent: bytes, headers: dict[str, str], made: Connection) -> Verdict:
    return made.adapter.verify(Delivery(sent, headers), made)


def test_the_ping_is_greeted_and_everything_else_has_to_be_signed() -> None:
    made = connection(woo.MAPPING, woo.SECRETS)
    sent = woo.body(woo.order())
    right = woo.headers(sent, "order.updated")
    assert verdict(sent, right, made) is Verdict.GENUINE
    assert verdict(sent + b" ", right, made) is Verdict.FORGED
    assert verdict(sent, {**right, "x-wc-webhook-signature": ""}, made) is Verdict.FORGED
    assert verdict(b"webhook_id=7", {}, made) is Verdict.GREETING
    assert verdict(b"webhook_id=7", right, made) is Verdict.FORGED
    assert verdict(sent, right, connection(woo.MAPPING)) is Verdict.FORGED


def test_two_events_of_one_second_are_two_though_their_delivery_id_is_one() -> None:
    adapter = connection(woo.MAPPING).adapter
    first, second = (woo.body({"id": number}) for number in (1, 2))
    ids = {
        adapter.event_id(Delivery(sent, woo.headers(sent, "order.updated")))
        for sent in (first, second, first)
    }
    assert len(ids) == 2

"""Shopify: amounts of lines, discounts, taxes and refunds."""

from typing import Any

import pytest

from adapters.frame.translating import Result
from adapters.frame.words import Parked, Unreadable
from tests.adapters import shop
from tests.adapters.rig import lines_of, only, statement, translate

DOLLARS = shop.MAPPING.replace("currencies: [GBP]", "currencies: [GBP, USD, JPY, KWD]")
GROSS = DOLLARS + "  amounts: gross\n"


def meaning(*told: Any, mapping: str = DOLLARS) -> dict[str, Result]:
    return translate(mapping, *map(shop.body, told))


def test_discounts_are_taken_off_the_lines_that_they_are_allocated_to() -> None:
    jar = shop.line(1, "12.50", 2, discount_allocations=[{"amount": "5.00"}, {"amount": "0.01"}])
    stated = statement(meaning(shop.order(jar, subtotal_price="19.99")))
    assert lines_of(stated) == [("goods", 19_99)]


def test_tax_is_left_out_whether_it_is_in_the_price_or_on_top() -> None:
    taxed = shop.line(1, "12.00", tax_lines=[{"price": "2.00"}])
    on_top = shop.order(taxed, total_price="14.00")
    included = shop.order(taxed, taxes_included=True)
    assert lines_of(statement(meaning(on_top))) == [("goods", 12_00)]
    assert lines_of(statement(meaning(included))) == [("goods", 10_00)]


def test_tax_can_be_told_as_a_part_instead() -> None:
    taxed = shop.line(1, "12.00", tax_lines=[{"price": "2.00"}])
    for told, gross in (
        (shop.order(taxed), 14_00),
        (shop.order(taxed, taxes_included=True), 12_00),
    ):
        (line,) = statement(meaning(told, mapping=GROSS)).document.lines
        assert (line.net_minor_units, [part.minor_units for part in line.parts]) == (gross, [2_00])


def test_shipping_tips_and_gift_cards_are_categories_of_their_own() -> None:
    told = shop.order(
        shop.line(1, "12.00"),
        shop.line(2, "50.00", gift_card=True),
        shipping_lines=[{"id": 1, "price": "4.95", "discount_allocations": [{"amount": "0.95"}]}],
        total_tip_received="3.00",
    )
    assert lines_of(statement(meaning(told))) == [
        ("goods", 12_00),
        ("gift_card", 50_00),
        ("shipping", 4_00),
        ("tip", 3_00),
    ]


@pytest.mark.parametrize(
    ("currency", "price", "minor"),
    [("JPY", "1200", 1200), ("JPY", "1200.00", 1200), ("KWD", "1.234", 1234), ("USD", "0.1", 10)],
)
def test_amounts_have_the_digits_of_their_currency(currency: str, price: str, minor: int) -> None:
    told = shop.order(shop.line(1, price), currency=currency, subtotal_price=price)
    assert lines_of(statement(meaning(told))) == [("goods", minor)]


@pytest.mark.parametrize(
    ("currency", "price"), [("JPY", "1200.50"), ("KWD", "1.2345"), ("GBP", "9.999"), ("GBP", "1e9")]
)
def test_an_amount_with_other_digits_is_never_rounded(currency: str, price: str) -> None:
    told = shop.order(shop.line(1, price), currency=currency, subtotal_price=price)
    result = only(meaning(told))
    if price == "1e9":
        assert lines_of(statement(meaning(told))) == [("goods", 10**11)]
    else:
        assert isinstance(result, Unreadable)
        assert currency in str(result)


def test_two_lines_that_look_alike_are_both_real() -> None:
    twin = shop.line(1, "5.00")
    stated = statement(meaning(shop.order(twin, {**twin, "id": 99}, twin)))
    assert [line.net_minor_units for line in stated.document.lines] == [5_00, 5_00, 5_00]
    assert len({line.line_id for line in stated.document.lines}) == 3


@pytest.mark.parametrize(
    "change",
    [{"quantity": -1}, {"price": "-5.00"}, {"quantity": "2"}, {"quantity": 1.5}, {"price": None}],
)
def test_a_line_that_cannot_be_is_a_dead_letter(change: dict[str, Any]) -> None:
    line = {**shop.line(1, "5.00"), **change}
    told = {**shop.order(shop.line(1, "5.00")), "line_items": [line]}
    assert isinstance(only(meaning(told)), Unreadable)


def test_three_returns_of_a_third_leave_what_one_of_all_leaves() -> None:
    jar = shop.line(1, "10.00", 3, discount_allocations=[{"amount": "0.01"}])
    bought = shop.order(jar, subtotal_price="29.99")
    thirds = [
        shop.refund(
            bought,
            shop.returned(jar, amount),
            id=number,
            transactions=[shop.paid_back(amount)],
        )
        for number, amount in enumerate(("10.00", "10.00", "9.99"), start=1)
    ]
    whole = shop.refund(
        bought, shop.returned(jar, "29.99", 3), transactions=[shop.paid_back("29.99")]
    )
    assert list(statement(meaning(bought, *thirds)).document.lines) == []
    assert list(statement(meaning(bought, whole)).document.lines) == []


def test_an_order_carries_its_refunds_itself() -> None:
    jar, lamp = shop.line(1, "12.00"), shop.line(2, "30.00")
    bought = shop.order(jar, lamp)
    back = shop.refund(bought, shop.returned(lamp, "30.00"))
    within = {key: value for key, value in back.items() if key != "order_id"}
    alone = meaning(bought, back)
    together = meaning(
        {**bought, "refunds": [within], "financial_status": "partially_refunded"}, back
    )
    assert lines_of(statement(alone)) == lines_of(statement(together)) == [("goods", 12_00)]


def test_money_without_lines_is_spread_over_what_is_left() -> None:
    jar, lamp = shop.line(1, "10.00"), shop.line(2, "30.00")
    bought = shop.order(jar, lamp)
    back = shop.refund(bought, transactions=[shop.paid_back("8.00")])
    assert lines_of(statement(meaning(bought, back))) == [("goods", 8_00), ("goods", 24_00)]


def test_money_without_lines_takes_back_tax_and_price_in_proportion() -> None:
    jar = shop.line(1, "100.00", tax_lines=[{"price": "20.00"}])
    bought = shop.order(jar)
    back = shop.refund(bought, transactions=[shop.paid_back("60.00")])
    assert lines_of(statement(meaning(bought, back))) == [("goods", 50_00)]


def test_refunded_shipping_is_not_taken_from_the_goods() -> None:
    jar = shop.line(1, "10.00")
    bought = shop.order(jar, shipping_lines=[{"id": 1, "price": "5.00"}])
    back = shop.refund(
        bought,
        order_adjustments=[{"kind": "shipping_refund", "amount": "-5.00", "tax_amount": "0.00"}],
        transactions=[shop.paid_back("5.00")],
    )
    assert lines_of(statement(meaning(bought, back))) == [("goods", 10_00)]


def test_more_than_was_paid_leaves_nothing_and_never_less() -> None:
    jar = shop.line(1, "10.00")
    bought = shop.order(jar)
    back = shop.refund(bought, shop.returned(jar, "10.00"), transactions=[shop.paid_back("99.00")])
    again = {**back, "id": 2}
    assert lines_of(statement(meaning(bought, back, again))) == []


def test_a_failed_transaction_gave_nothing_back() -> None:
    jar = shop.line(1, "10.00")
    bought = shop.order(jar)
    back = shop.refund(
        bought,
        shop.returned(jar, "10.00"),
        transactions=[shop.paid_back("10.00", status="failure")],
    )
    assert lines_of(statement(meaning(bought, back))) == [("goods", 10_00)]


def test_an_unknown_line_in_a_refund_waits_for_the_order_that_has_it() -> None:
    bought = shop.order(shop.line(1, "10.00"))
    back = shop.refund(bought, shop.returned(shop.line(9, "1.00"), "1.00"))
    result = only(meaning(bought, back))
    assert isinstance(result, Parked)
    assert result.reason == "line_missing"


def test_refunded_duties_and_fees_are_not_taken_from_the_goods() -> None:
    first, second = shop.line(1, "30.00"), shop.line(2, "20.00")
    told = shop.order(first, second)
    back = shop.refund(
        told,
        shop.returned(second, "20.00"),
        transactions=[shop.paid_back("27.00")],
        total_duties_set={"shop_money": {"amount": "4.50", "currency_code": "GBP"}},
        total_additional_fees_set={"shop_money": {"amount": "2.50", "currency_code": "GBP"}},
    )
    assert lines_of(statement(meaning(told, back))) == [("goods", 30_00)]


def test_money_paid_back_in_the_customers_currency_goes_by_lines_and_adjustments() -> None:
    first, second = shop.line(1, "30.00"), shop.line(2, "20.00")
    told = shop.order(first, second)
    dollars = [shop.paid_back("25.40", currency="USD")]
    named = shop.refund(told, shop.returned(second, "20.00"), transactions=dollars)
    assert lines_of(statement(meaning(told, named))) == [("goods", 30_00)]
    # While it is not paid out, what the lines are worth stands as a difference.
    open_yet = {"kind": "refund_discrepancy", "amount": "20.00", "tax_amount": "0.00"}
    waiting = shop.refund(
        told, shop.returned(second, "20.00"), transactions=dollars, order_adjustments=[open_yet]
    )
    assert lines_of(statement(meaning(told, waiting))) == [("goods", 30_00)]
    beyond = {"kind": "refund_discrepancy", "amount": "-9.00", "tax_amount": "-1.00"}
    amount = shop.refund(told, transactions=dollars, order_adjustments=[beyond])
    assert lines_of(statement(meaning(told, amount))) == [("goods", 24_00), ("goods", 16_00)]


def test_a_transaction_that_fails_later_gave_nothing_back() -> None:
    jar = shop.line(1, "30.00")
    told = shop.order(jar)
    pending = shop.refund(told, transactions=[shop.paid_back("10.00", status="pending")])
    failed = shop.refund(told, transactions=[shop.paid_back("10.00", status="failure")])
    after = shop.order(jar, refunds=[failed], updated_at=shop.days_ago(4))
    for order in ((told, pending, after), (told, after, pending)):
        assert lines_of(statement(meaning(*order))) == [("goods", 30_00)]


def test_what_is_null_is_not_told() -> None:
    names = ("gift_card", "tax_lines", "discount_allocations", "sku", "vendor")
    nothing: dict[str, Any] = dict.fromkeys(names)
    told = shop.order(shop.line(1, "12.50", **nothing), test=None, note_attributes=None)
    assert lines_of(statement(meaning(told | {"shipping_lines": None}))) == [("goods", 12_50)]

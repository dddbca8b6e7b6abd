"""POSLog as other tills write it: what vendors do differently within the same standard."""

from typing import Any

import pytest

from adapters.frame.words import Delivery, Nothing, Unreadable
from adapters.poslog import ADAPTER
from tests.adapters.rig import lines_of, only, statement
from tests.adapters.test_poslog import meaning, worth
from tests.adapters.till_log import log, sold, ticket, totals


def of(results: dict[str, Any], number: int) -> Any:
    return results[f"ticket/9/2026-03-01/1/{number}"]


def test_a_void_line_that_names_and_repeats_an_earlier_one_takes_it_out() -> None:
    def void(number: int, amount: str, link: int) -> str:
        line = sold(number, amount, item="B2", flag="void")
        return line.replace("<Sale", f"<ItemLink>{link}</ItemLink><Sale")

    kept, gone = sold(1, "10.00", item="B2"), sold(2, "21.00", item="B2")
    assert worth(kept, gone, void(3, "21.00", 2), totals("10.00")) == [("grocery", 10_00)]
    both = [("grocery", 10_00), ("grocery", 21_00)]
    # Not the same amount: it is a line of its own, which is void.
    assert worth(kept, gone, void(3, "5.00", 2), totals("31.00")) == both
    assert only(meaning(log(ticket(gone, void(3, "21.00", 2), totals("0.00"))))) == Nothing(
        "no_sale"
    )


@pytest.mark.parametrize("amount", ["-26.990", "26.990"])
def test_a_sale_of_minus_one_comes_back_whether_or_not_its_amount_has_the_sign(amount: str) -> None:
    link = (
        "<TransactionLink><BusinessUnit>9</BusinessUnit><WorkstationID>1</WorkstationID>"
        "<BusinessDayDate><Date>2026-03-01</Date></BusinessDayDate>"
        "<SequenceNumber>1</SequenceNumber>"
        "<LineItemSequenceNumber>2</LineItemSequenceNumber></TransactionLink>"
    )
    bought = ticket(sold(1, "10.000"), sold(2, "26.990", item="B2"), totals("36.990"))
    line = sold(1, "1.00", item="B2", more=link).replace(">1.00<", f">{amount}<")
    line = line.replace("<Quantity>1<", "<Quantity>-1.0000<")
    results = meaning(log(bought, ticket(line, totals("-26.990"), number=2)))
    assert lines_of(statement({"": of(results, 1)})) == [("grocery", 10_00)]
    assert of(results, 2) == Nothing("no_sale")
    alone = line.replace(link, "")
    assert worth(sold(3, "30.00"), alone, totals("3.01")) == [("grocery", 3_01)]
    assert only(meaning(log(ticket(alone, totals("-26.99"))))) == Nothing("unlinked_return")


def test_a_quantity_below_nothing_against_its_amount_and_the_total_is_dead() -> None:
    line = sold(1, "5.00").replace("<Quantity>1<", "<Quantity>-1<")
    assert isinstance(only(meaning(log(ticket(line, totals("5.00"))))), Unreadable)
    assert isinstance(only(meaning(log(ticket(line)))), Unreadable)


def test_taxes_of_lines_may_be_finer_than_the_currency() -> None:
    def taxed(number: int, amount: str, tax: str) -> str:
        return sold(number, amount, more=f"<Tax><Amount>{tax}</Amount></Tax>")

    lines = taxed(1, "29.00", "5.2339"), taxed(2, "2.59", "0.4675")
    assert worth(*lines, totals("31.59", "5.70")) == [("grocery", 23_77), ("grocery", 2_12)]
    # Nor need the total be told apart: it is the sum of the ticket's taxes.
    sums = "<LineItem><Tax><Amount>5.7014</Amount></Tax></LineItem>"
    grand = '<Total TotalType="TransactionGrandAmount">31.59</Total>'
    assert worth(*lines, sums, grand) == [("grocery", 23_77), ("grocery", 2_12)]


@pytest.mark.parametrize(
    "modifier",
    [
        '<RetailPriceModifier><Amount Action="Replace">5.00</Amount></RetailPriceModifier>',
        '<RetailPriceModifier><Amount Action="Add">5.00</Amount></RetailPriceModifier>',
        '<RetailPriceModifier VoidFlag="true"><Amount>5.00</Amount></RetailPriceModifier>',
    ],
)
def test_a_modifier_that_takes_nothing_off_is_no_discount_of_its_line(modifier: str) -> None:
    lines = sold(1, "10.00", more=modifier), sold(2, "10.00", item="B2")
    assert worth(*lines, totals("15.00")) == [("grocery", 7_50)] * 2
    subtract = '<RetailPriceModifier><Amount Action="Subtract">5.00</Amount></RetailPriceModifier>'
    lines = sold(1, "10.00", more=subtract), sold(2, "10.00", item="B2")
    assert worth(*lines, totals("15.00")) == [("grocery", 5_00), ("grocery", 10_00)]


@pytest.mark.parametrize("kind", ["SaleForDelivery", "SaleForPickup"])
def test_what_is_sold_and_handed_over_later_is_sold(kind: str) -> None:
    assert worth(sold(1, "10.00", kind=kind), totals("10.00")) == [("grocery", 10_00)]


@pytest.mark.parametrize(
    "account",
    [
        "<CustomerAccount><LoyaltyAccount><LoyaltyAccountID>T22</LoyaltyAccountID></LoyaltyAccount>"
        "</CustomerAccount>",
        "<LoyaltyAccount><LoyaltyCard><PrimaryAccountNumber>T22</PrimaryAccountNumber>"
        "</LoyaltyCard></LoyaltyAccount>",
    ],
)
def test_a_member_is_known_by_account_or_card_and_its_number_is_not_taken_out(account: str) -> None:
    paid = (
        "<LineItem><Tender><PrimaryAccountNumber>4111111111111111</PrimaryAccountNumber></Tender>"
        "</LineItem>"
    )
    kept = ADAPTER.redacted(Delivery(log(ticket(sold(1, "5.00"), account, paid)))).body
    assert b"4111" not in kept
    assert [each.value for each in statement(meaning(kept)).members] == ["T22"]

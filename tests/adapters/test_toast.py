"""Toast: what its payloads mean, the recorded one and those written by hand."""

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.frame import moments
from adapters.frame.translating import Result
from adapters.frame.words import Delivery, Nothing, Parked, Unreadable, Verdict
from adapters.toast import ADAPTER
from loyalty.v1.types_pb2 import DOCUMENT_STATUS_CANCELLED, DOCUMENT_STATUS_FINAL
from tests.adapters.rig import connection, lines_of, only, rig, statement, translate
from tests.adapters.toasts import SECRETS, check, event, mapping, selection, signature, signed
from tests.server.served import Caller, Served


def meaning(*told: bytes, more: str = "") -> dict[str, Result]:
    return translate(mapping(more), *told)


def test_the_recorded_order_has_two_open_checks_and_earns_nothing(payloads: Path) -> None:
    told = (payloads / "toast" / "order_updated_open.json").read_bytes()
    results = meaning(told)
    assert list(results.values()) == [Nothing("not_paid")] * 2
    paid = json.loads(told)
    first = paid["details"]["order"]["checks"][0]
    first |= {"paymentStatus": "CLOSED", "selections": [selection("S1", 12.5)], "amount": 12.5}
    stated = statement(
        {
            name: each
            for name, each in meaning(json.dumps(paid).encode()).items()
            if name.endswith(first["guid"])
        }
    )
    assert lines_of(stated) == [("food", 12_50)]


def test_a_check_earns_on_selections_without_tax_tip_and_service_charge() -> None:
    lines = [
        selection("S1", 20.00, tax=1.6),
        selection("S2", 10, salesCategory={"guid": "WINE"}),
        selection("S3", 99, voided=True),
        selection("S4", 25, selectionType="TOAST_CARD_SELL", deferred=True),
    ]
    told = check(*lines, amount=58, appliedServiceCharges=[{"chargeAmount": 3}], tipAmount=9)
    stated = statement(meaning(event(told)))
    assert lines_of(stated) == [("food", 20_00), ("drink", 10_00), ("gift_card", 25_00)]
    assert stated.document.status == DOCUMENT_STATUS_FINAL
    assert [(each.scheme, each.value) for each in stated.members] == [("card", "M1")]


def test_a_discount_on_the_check_is_shared_by_its_selections() -> None:
    lines = [selection("S1", 30, tax=3), selection("S2", 10)]
    stated = statement(meaning(event(check(*lines, amount=32))))
    assert lines_of(stated) == [("food", 24_00), ("food", 8_00)]
    told = check(*lines, appliedDiscounts=[{"discountAmount": 8}])
    assert lines_of(statement(meaning(event(told)))) == [("food", 24_00), ("food", 8_00)]
    inside = statement(meaning(event(check(*lines, amount=40))))
    assert lines_of(inside) == [("food", 30_00), ("food", 10_00)], "discounts on lines are in them"


def test_two_identical_selections_are_both_real() -> None:
    lines = [selection("S1", 5), selection("S1", 5)]
    assert lines_of(statement(meaning(event(check(*lines))))) == [("food", 5_00)] * 2


def test_a_refund_is_taken_off_its_selection_and_the_rest_off_all() -> None:
    back = {"refundAmount": 10, "taxRefundAmount": 1}
    lines = [selection("S1", 10, tax=1, refundDetails=back), selection("S2", 20)]
    paid = [{"type": "CREDIT", "amount": 31, "refund": {"refundAmount": 11}}]
    assert lines_of(statement(meaning(event(check(*lines, payments=paid))))) == [
        ("food", 0),
        ("food", 20_00),
    ]
    more = [{"type": "CREDIT", "amount": 31, "refund": {"refundAmount": 99}}]
    told = statement(meaning(event(check(*lines, payments=more))))
    assert sum(amount for _, amount in lines_of(told)) == 0
    unnamed = [{"type": "CREDIT", "amount": 30, "refund": {"refundAmount": 6}}]
    lines = [selection("S1", 10), selection("S2", 20)]
    told = statement(meaning(event(check(*lines, payments=unnamed))))
    assert lines_of(told) == [("food", 8_00), ("food", 16_00)]
    charge = {"chargeAmount": 5, "refundDetails": {"refundAmount": 5, "taxRefundAmount": 0.5}}
    with_charge = check(*lines, payments=unnamed, appliedServiceCharges=[charge])
    told = statement(meaning(event(with_charge)))
    assert sum(amount for _, amount in lines_of(told)) == 29_50, "5.50 of the 6.00 are the charge"


def test_a_check_that_is_paid_in_part_earns_when_it_is_paid_whole() -> None:
    told = check(selection("S1", 5), paymentStatus="OPEN")
    assert only(meaning(event(told))) == Nothing("not_paid")
    for status in ("PAID", "CLOSED"):
        told = check(selection("S1", 5), paymentStatus=status)
        assert lines_of(statement(meaning(event(told)))) == [("food", 5_00)]


def test_food_that_would_be_thrown_away_earns_nothing() -> None:
    told = event(check(selection("S1", 5)), excessFood=True)
    assert only(meaning(told)) == Nothing("excess_food")


@pytest.mark.parametrize("changes", [{"voided": True}, {"deleted": True}])
def test_what_is_voided_is_cancelled(changes: dict[str, bool]) -> None:
    stated = statement(meaning(event(check(selection("S1", 5), **changes))))
    assert stated.document.status == DOCUMENT_STATUS_CANCELLED
    stated = statement(meaning(event(check(selection("S1", 5)), **changes)))
    assert stated.document.status == DOCUMENT_STATUS_CANCELLED


def test_each_check_of_an_order_is_a_document_of_its_own() -> None:
    other = check(selection("S2", 7), guid="C2", appliedLoyaltyInfo=None, paidDate=None)
    results = meaning(event(check(selection("S1", 5)), other | {"paymentStatus": "OPEN"}))
    assert results["check/C2"] == Nothing("not_paid")
    assert lines_of(statement({"": results["check/C1"]})) == [("food", 5_00)]


def test_test_mode_and_other_events_are_dropped() -> None:
    assert only(meaning(event(check(), createdInTestMode=True))) == Nothing("test")
    assert only(meaning(b'{"details": {"menu": {}}}')) == Nothing("not_ours")
    more = "settings:\n  restaurants_only: [R2]\n"
    assert only(meaning(event(check()), more=more)) == Nothing("not_ours")


def test_an_older_state_never_replaces_a_newer_one() -> None:
    new = event(check(selection("S1", 5)), modifiedDate="2026-03-02T00:00:00.000+0000")
    old = event(check(selection("S1", 9)))
    assert lines_of(statement(meaning(new, old))) == [("food", 5_00)]


def test_without_any_time_the_business_day_counts_and_it_has_to_be_one() -> None:
    told = check(selection("S1", 5), paidDate=None)
    assert statement(meaning(event(told))).occurred_at == moments.instant(
        "2026-03-01T00:00:00-05:00", ""
    )
    for day in (20261301, 2026113, None):
        assert isinstance(only(meaning(event(told, businessDate=day))), Unreadable)


@pytest.mark.parametrize(
    "line",
    [
        selection("S1", 1.005),
        selection("S1", -1),
        selection("S1", 1, quantity=-1),
        selection("S1", "much"),
        selection("", 1),
        selection("S1", 1, voided="FALSE"),
    ],
)
def test_what_cannot_be_read_is_a_dead_letter_of_its_check_alone(line: dict[str, Any]) -> None:
    results = meaning(event(check(line), check(selection("S9", 5), guid="C2")))
    assert sum(isinstance(each, Unreadable) for each in results.values()) == 1
    assert lines_of(statement({"": results["check/C2"]})) == [("food", 5_00)]


def test_a_time_without_zone_is_refused_and_a_restaurant_without_row_parks() -> None:
    told = event(check(selection("S1", 5)), modifiedDate="2026-03-01T20:00:01")
    assert isinstance(only(meaning(told)), Unreadable)
    result = only(meaning(event(check(selection("S1", 5))).replace(b'"R1"', b'"R9"')))
    assert isinstance(result, Parked)
    assert result.reason == "unmapped_place"


def test_points_as_means_of_payment_earn_nothing() -> None:
    more = "payments:\n  - {code: LOYALTY, kind: points, points: true}\n"
    told = check(selection("S1", 10), payments=[{"type": "LOYALTY", "amount": 4}])
    (line,) = statement(meaning(event(told), more=more)).document.lines
    assert line.paid_with_points_minor_units == 4_00
    told = check(selection("S1", 10), payments=[{"type": "CASH", "amount": 4}])
    assert isinstance(only(meaning(event(told), more=more)), Parked)


def test_a_signature_holds_for_its_body_time_and_key_in_base64() -> None:
    made = connection(mapping(), SECRETS)
    told = event(check(selection("S1", 5)))

    def verdict(body: bytes, given: str, received: int | None = None) -> Verdict:
        now = moments.now() if received is None else received
        return ADAPTER.verify(Delivery(body, {"toast-signature": given}, received_at=now), made)

    good = signed(told)["toast-signature"]
    assert verdict(told, good) is Verdict.GENUINE
    assert verdict(told, signature(told).hex()) is Verdict.FORGED
    assert verdict(told, signed(told, "other")["toast-signature"]) is Verdict.FORGED
    assert verdict(told.replace(b"S1", b"S2"), good) is Verdict.FORGED
    assert verdict(told, "") is Verdict.FORGED
    assert verdict(told[:-9], good) is Verdict.FORGED
    assert verdict(told, good, moments.now() + 3 * moments.DAY) is Verdict.STALE


@pytest.mark.database
async def test_a_check_and_its_refund_end_in_what_is_left(
    served: Served, caller: Caller, tmp_path: Path
) -> None:
    async with rig(served, caller, tmp_path, mapping(), SECRETS) as at:
        await at.enrol("card", "M1", unit="dining")
        sale = event(check(selection("S1", 30), amount=30))
        for _ in range(2):
            assert (await at.post(sale, signed(sale))).status_code == 200
            await at.work()
        assert await at.points("card", "M1") == 60
        assert await at.documents() == 1
        paid = [{"type": "CREDIT", "amount": 30, "refund": {"refundAmount": 10}}]
        told = check(selection("S1", 30), amount=30, payments=paid)
        back = event(told, modifiedDate="2026-03-02T20:00:01.000+0000")
        await at.post(back, signed(back))
        await at.work()
        assert await at.points("card", "M1") == 40
        assert (await at.post(sale, signed(sale, "no"))).status_code == 401

"""Youzan: what its pushes mean, the recorded one and those written by hand."""

import hashlib
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from adapters.frame import moments
from adapters.frame.translating import Result
from adapters.frame.words import Delivery, Nothing, Outcome, Parked, Unreadable, Verdict
from adapters.youzan import ADAPTER
from loyalty.v1.types_pb2 import (
    DOCUMENT_STATUS_CANCELLED,
    DOCUMENT_STATUS_FINAL,
    DOCUMENT_STATUS_PENDING,
)
from tests.adapters.rig import connection, lines_of, only, rig, statement, translate
from tests.adapters.youzans import SECRETS, line, mapping, push, refund, signed, trade
from tests.server.served import Caller, Served


def meaning(*told: bytes, more: str = "") -> dict[str, Result]:
    return translate(mapping(more), *told)


SUCCESS = push("trade_TradeSuccess", trade("TRADE_SUCCESS"), version=3)


def test_the_recorded_trade_waits_for_its_buyer_whatever_its_text_says(payloads: Path) -> None:
    told = json.loads((payloads / "youzan" / "trade_msg_decoded.json").read_bytes())
    assert only(meaning(json.dumps(told).encode())) == Nothing("not_paid")
    told["full_order_info"]["order_info"]["status"] = "TRADE_SUCCESS"
    stated = statement(meaning(json.dumps(told).encode()))
    assert lines_of(stated) == [("goods", 100_99)]
    assert [each.value for each in stated.members] == ["123", "63889"]
    assert stated.occurred_at == moments.instant("2018-01-01T00:00:00+08:00", "")
    told["full_order_info"]["order_info"]["order_extra"]["is_points_order"] = "true"
    assert only(meaning(json.dumps(told).encode())) == Nothing("points_order")


def test_a_trade_is_pending_when_paid_final_when_received_and_gone_when_closed() -> None:
    paid = push("trade_TradePaid", trade("WAIT_SELLER_SEND_GOODS"))
    assert statement(meaning(paid)).document.status == DOCUMENT_STATUS_PENDING
    at_once = statement(meaning(paid, more="settings:\n  settled_at: paid\n"))
    assert at_once.document.status == DOCUMENT_STATUS_FINAL
    done = push("trade_TradeSuccess", {"tid": "E1", "update_time": "2026-03-05 00:00:00"})
    for told in ([paid, done], [done, paid]):
        stated = statement(meaning(*told))
        assert stated.document.status == DOCUMENT_STATUS_FINAL
        assert stated.changed_at == moments.instant("2026-03-05T00:00:00+08:00", "")
    closed = push("trade_TradeClose", {"tid": "E1", "update_time": "2026-03-06 00:00:00"})
    assert statement(meaning(closed, paid)).document.status == DOCUMENT_STATUS_CANCELLED


def test_a_state_alone_waits_for_its_trade() -> None:
    result = only(meaning(push("trade_TradeSuccess", {"tid": "E1"})))
    assert isinstance(result, Parked)
    assert result.reason == "sale_missing"


def test_shipping_is_left_out_and_lines_say_only_in_which_proportion() -> None:
    told = trade("TRADE_SUCCESS", line(1, "60.00"), line(2, "30.00", outer_sku_id="WINE1"))
    told["full_order_info"]["pay_info"] = {"payment": "85.00", "post_fee": "10.00"}
    stated = statement(meaning(push("trade_TradeSuccess", told)))
    assert lines_of(stated) == [("goods", 50_00), ("drink", 25_00)]


def test_of_one_kind_the_higher_version_counts_whatever_comes_first() -> None:
    old = push("trade_TradePaid", trade("TRADE_PAID", paid="90.00"), version=1)
    new = push("trade_TradePaid", trade("TRADE_PAID", paid="80.00"), version=2)
    assert lines_of(statement(meaning(new, old))) == [("goods", 80_00)]
    assert lines_of(statement(meaning(old, new))) == [("goods", 80_00)]


@pytest.mark.parametrize(
    "msg",
    [
        trade("TRADE_SUCCESS"),
        quote_plus(json.dumps(trade("TRADE_SUCCESS"))),
        quote(quote(json.dumps(trade("TRADE_SUCCESS")))),
        json.dumps(trade("TRADE_SUCCESS")),
    ],
)
def test_the_message_may_be_encoded_in_any_way(msg: Any) -> None:
    told = json.loads(push("trade_TradeSuccess", "")) | {"msg": msg}
    assert lines_of(statement(meaning(json.dumps(told).encode()))) == [("goods", 100_00)]


def test_refunds_are_taken_off_their_lines_or_all_once_each_and_never_beyond() -> None:
    told = trade("TRADE_SUCCESS", line(1, "60.00"), line(2, "40.00"))
    sale = push("trade_TradeSuccess", told)
    named = push("youzan_trade_RefundSuccess", refund("30.00", oids=["2"]))
    assert lines_of(statement(meaning(named, sale, named))) == [("goods", 60_00), ("goods", 10_00)]
    listed = push("trade_refund_RefundSuccess", refund("30.00", oids="[2]"))
    assert lines_of(statement(meaning(sale, listed))) == [("goods", 60_00), ("goods", 10_00)]
    whole = push("youzan_trade_RefundSuccess", refund("10.00", "F2"), version=2)
    assert lines_of(statement(meaning(sale, whole))) == [("goods", 54_00), ("goods", 36_00)]
    beyond = push("youzan_trade_RefundSuccess", refund("999.00", "F3"))
    assert sum(amount for _, amount in lines_of(statement(meaning(sale, beyond)))) == 0
    alone = only(meaning(whole))
    assert isinstance(alone, Parked)
    assert alone.reason == "sale_missing"


@pytest.mark.parametrize(
    "kind",
    [
        "trade_refund_RefundSellerAgree",
        "trade_refund_RefundSellerCreated",
        "trade_refund_SysRefund",
        "youzan_trade_RefundSuccess",
    ],
)
def test_every_message_that_ends_a_refund_takes_it_back_once(kind: str) -> None:
    sale = push("trade_TradeSuccess", trade("TRADE_SUCCESS"))
    told = push(kind, refund("30.00"))
    again = push("trade_refund_RefundSuccess", refund("30.00"), version=2)
    for order in ((sale, told), (told, sale, again), (again, told, sale)):
        assert lines_of(statement(meaning(*order))) == [("goods", 70_00)]


@pytest.mark.parametrize("kind", ["trade_refund_BuyerCreated", "youzan_trade_RefundSellerAgree"])
def test_a_refund_that_is_only_asked_for_takes_nothing(kind: str) -> None:
    assert only(meaning(push(kind, refund("30.00")))) == Nothing("not_ours")


def test_a_buyer_who_never_logged_in_is_nobody() -> None:
    told = trade("TRADE_SUCCESS")
    told["full_order_info"]["buyer_info"] = {"buyer_id": 0, "outer_user_id": None}
    assert statement(meaning(push("trade_TradeSuccess", told))).members == ()


def test_tests_echoes_and_other_pushes_are_dropped() -> None:
    told = trade("TRADE_SUCCESS")
    for test in (True, "true"):
        assert only(meaning(push("trade_TradeSuccess", told, test=test))) == Nothing("test")
    own = hashlib.md5(b"app").hexdigest()
    made = connection(mapping(), SECRETS)
    for name in ("us", own):
        (item,) = ADAPTER.split(Delivery(push("POINTS", {}, client_hash=name)), made)
        assert getattr(item, "reason", "") == "own_echo"
    assert only(meaning(push("item_ItemUpdate", {"x": 1}))) == Nothing("not_ours")


def test_two_identical_lines_are_both_real() -> None:
    told = trade("TRADE_SUCCESS", line(1, "50.00"), line(1, "50.00"))
    assert len(lines_of(statement(meaning(push("trade_TradeSuccess", told))))) == 2


@pytest.mark.parametrize(
    "told",
    [
        trade("TRADE_SUCCESS", paid="1.005"),
        trade("TRADE_SUCCESS", line(1, "-1.00")),
        trade("TRADE_SUCCESS", line(1, "1.00", num=-1)),
        trade("SOMETHING_NEW"),
        trade("TRADE_SUCCESS", update_time="2026-03-01T12:00:00 noon"),
        trade("TRADE_SUCCESS", tid=None),
    ],
)
def test_what_cannot_be_read_is_a_dead_letter(told: Any) -> None:
    assert isinstance(only(meaning(push("trade_TradeSuccess", told))), Unreadable)


@pytest.mark.parametrize("msg", ["%7Bnot", "[1]", "", "%255B%255D"])
def test_a_message_that_is_no_object_is_a_dead_letter(msg: str) -> None:
    assert isinstance(only(meaning(push("trade_TradeSuccess", msg))), Unreadable)


@pytest.mark.parametrize("version", ["9" * 5000, "two", -1, 2**63, 1.5, True])
def test_a_version_that_orders_nothing_is_a_dead_letter(version: Any) -> None:
    told = push("trade_TradeSuccess", trade("TRADE_SUCCESS"), version=version)
    assert isinstance(only(meaning(told)), Unreadable)


@pytest.mark.parametrize("flag", [True, "true", 1])
def test_a_test_is_one_however_it_says_so(flag: Any) -> None:
    told = push("trade_TradeSuccess", trade("TRADE_SUCCESS"), test=flag)
    assert only(meaning(told)) == Nothing("test")
    unclear = push("trade_TradeSuccess", trade("TRADE_SUCCESS"), test="perhaps")
    assert isinstance(only(meaning(unclear)), Unreadable)


def test_a_shop_without_row_parks() -> None:
    text = mapping().replace("  - {code: shop, ", "  - {code: shop/1, ")
    told = push("trade_TradeSuccess", trade("TRADE_SUCCESS"), kdt_id=9)
    result = only(translate(text, told))
    assert isinstance(result, Parked)
    assert result.reason == "unmapped_place"


def test_a_signature_is_of_the_body_or_as_older_pushes_of_the_message() -> None:
    made = connection(mapping(), SECRETS)
    assert ADAPTER.verify(Delivery(SUCCESS, signed(SUCCESS)), made) is Verdict.GENUINE
    assert ADAPTER.verify(Delivery(SUCCESS + b" ", signed(SUCCESS)), made) is Verdict.FORGED
    assert ADAPTER.verify(Delivery(SUCCESS, signed(SUCCESS, "no")), made) is Verdict.FORGED
    assert ADAPTER.verify(Delivery(SUCCESS), made) is Verdict.FORGED
    told = json.loads(SUCCESS)
    told["sign"] = hashlib.md5(f"app{told['msg']}geheim".encode()).hexdigest()
    assert ADAPTER.verify(Delivery(json.dumps(told).encode()), made) is Verdict.GENUINE
    told["msg"] += "x"
    assert ADAPTER.verify(Delivery(json.dumps(told).encode()), made) is Verdict.FORGED
    bare = connection(mapping())
    assert ADAPTER.verify(Delivery(SUCCESS, signed(SUCCESS)), bare) is Verdict.FORGED


def test_only_what_is_kept_is_a_success() -> None:
    assert json.loads(ADAPTER.reply(Outcome.ACCEPTED).body) == {"code": 0, "msg": "success"}
    for outcome in (Outcome.FORGED, Outcome.BUSY, Outcome.UNREADABLE, Outcome.TOO_LARGE):
        assert b"success" not in ADAPTER.reply(outcome).body


@pytest.mark.database
async def test_a_refund_before_its_trade_waits_and_both_end_in_what_is_left(
    served: Served, caller: Caller, tmp_path: Path
) -> None:
    async with rig(served, caller, tmp_path, mapping(), SECRETS) as at:
        back = push("youzan_trade_RefundSuccess", refund("40.00"))
        for told in (back, SUCCESS, SUCCESS, back):
            answer = await at.post(told, signed(told))
            assert answer.json() == {"code": 0, "msg": "success"}
            await at.work()
        assert [each["state"] for each in await at.deliveries()] == ["taken", "taken"]
        subject = await at.subject()
        assert (subject["state"], subject["reason"]) == ("parked", "ledger_foreign_currency")
        forged = await at.post(SUCCESS, signed(SUCCESS, "no"))
        assert b"success" not in forged.content

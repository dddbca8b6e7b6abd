"""Requests are checked for their shape before anything else looks at them."""

from collections.abc import Callable
from time import perf_counter
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from ledger.core.refusals import Malformed
from loyalty.v1.account_service_pb2 import GetAccountRequest, ListEntriesRequest
from loyalty.v1.audit_service_pb2 import LanePosition, StreamEventsRequest
from loyalty.v1.ledger_service_pb2 import BatchItem, BatchPostRequest, PostDocumentRequest
from loyalty.v1.member_service_pb2 import EnrolMemberRequest, LinkIdentityRequest
from loyalty.v1.programme_service_pb2 import GetPolicyRequest, PublishPolicyRequest
from loyalty.v1.types_pb2 import DocumentLine, Identity, MemberRef, Money, Origin, Points, Stay
from server.checking import policies, validation
from server.parsing import parse
from tests.server import requests

Change = Callable[[Any], object]


def refused(check: Callable[[Any], None], request: Any) -> Malformed:
    with pytest.raises(Malformed) as error:
        check(request)
    return error.value


def on(path: str, value: Any) -> Change:
    """Set a field by its path; a message is copied."""

    def change(request: Any) -> None:
        *parents, name = path.split(".")
        for parent in parents:
            request = request[int(parent)] if parent.isdecimal() else getattr(request, parent)
        if hasattr(value, "DESCRIPTOR"):
            getattr(request, name).CopyFrom(value)
        else:
            setattr(request, name, value)

    return change


DOCUMENT_FAULTS: list[tuple[Change, str]] = [
    (on("request_id", ""), "request_id"),
    (on("request_id", "x" * 65), "request_id"),
    (on("request_id", "a\nb"), "request_id"),
    (on("request_id", "a\x00"), "request_id"),
    (lambda request: request.ClearField("origin"), "origin.business_unit"),
    (on("origin.channel", "x" * 33), "origin.channel"),
    (on("origin.store", "x" * 65), "origin.store"),
    (on("origin.till", "\t"), "origin.till"),
    (on("origin.operator", "\x7f"), "origin.operator"),
    (on("origin.client_software", "x" * 65), "origin.client_software"),
    (on("origin.occurred_time", Timestamp(seconds=-1)), "origin.occurred_time"),
    (on("origin.occurred_time", Timestamp(seconds=253_402_300_800)), "origin.occurred_time"),
    (on("origin.occurred_time", Timestamp(nanos=1_000_000_000)), "origin.occurred_time"),
    (on("origin.business_date", "2025-02-29"), "origin.business_date"),
    (on("origin.business_date", "20250228"), "origin.business_date"),
    (on("member", MemberRef()), "member"),
    (on("member", MemberRef(member_id="")), "member.member_id"),
    (on("member.identity.scheme", "Card"), "member.identity.scheme"),
    (on("member.identity.scheme", "x" * 33), "member.identity.scheme"),
    (on("member.identity.value", ""), "member.identity.value"),
    (on("member.identity.value", "x" * 129), "member.identity.value"),
    (lambda request: request.ClearField("document"), "document.source"),
    (on("document.source", "a/b"), "document.source"),
    (on("document.source", "earn"), "document.source"),
    (on("document.document_id", ""), "document.document_id"),
    (on("document.version", 0), "document.version"),
    (on("document.version", 10**10), "document.version"),
    (on("document.kind", 0), "document.kind"),
    (on("document.kind", 99), "document.kind"),
    (on("document.status", 0), "document.status"),
    (on("document.status", 99), "document.status"),
    (on("document.currency_code", "usd"), "document.currency_code"),
    (on("document.currency_code", "US"), "document.currency_code"),
    (on("document.receipt_code", "x" * 65), "document.receipt_code"),
    (on("document.stay", Stay(nights=-1)), "document.stay.nights"),
    (on("document.stay", Stay(stays=1000)), "document.stay.stays"),
    (on("document.lines.0.line_id", ""), "document.lines[0].line_id"),
    (on("document.lines.0.category", ""), "document.lines[0].category"),
    (on("document.lines.0.quantity", "1,5"), "document.lines[0].quantity"),
    (on("document.lines.0.quantity", "-1"), "document.lines[0].quantity"),
    (on("document.lines.0.quantity", "1e3"), "document.lines[0].quantity"),
    (on("document.lines.0.quantity", "\u0661"), "document.lines[0].quantity"),
    (on("document.lines.0.net_minor_units", -1), "document.lines[0].net_minor_units"),
    (on("document.lines.0.net_minor_units", 10**15 + 1), "document.lines[0].net_minor_units"),
    (
        on("document.lines.0.paid_with_points_minor_units", -1),
        "document.lines[0].paid_with_points_minor_units",
    ),
    (
        on("document.lines.0.paid_with_points_minor_units", 12_51),
        "document.lines[0].paid_with_points_minor_units",
    ),
]


@pytest.mark.parametrize(("change", "field"), DOCUMENT_FAULTS)
def test_a_document_with_one_fault_is_refused_at_its_path(change: Change, field: str) -> None:
    request = requests.sale()
    change(request)
    refusal = refused(validation.post_document, request)
    assert refusal.field == field
    assert refusal.expected


def test_a_full_document_is_accepted() -> None:
    request = requests.sale()
    request.origin.MergeFrom(
        Origin(
            channel="pos",
            store="北京路店",
            till="3",
            operator="17",
            client_software="till 1.0",
            occurred_time=Timestamp(seconds=1_700_000_000, nanos=999_999_999),
            business_date="2024-02-29",
        )
    )
    request.document.stay.nights = 2
    request.document.lines[0].quantity = "0.350"
    request.document.lines[0].paid_with_points_minor_units = 12_50
    validation.post_document(request)


def test_a_document_may_have_no_member_and_no_lines() -> None:
    request = requests.sale()
    request.ClearField("member")
    del request.document.lines[:]
    validation.post_document(request)


def test_the_lines_of_a_document_are_bounded_together() -> None:
    request = requests.sale("r-1")
    request.document.lines[0].net_minor_units = 10**15
    validation.post_document(request)
    request.document.lines.add(line_id="one more", category="grocery", net_minor_units=1)
    refusal = refused(validation.post_document, request)
    assert (refusal.field, refusal.value) == ("document.lines", f"{10**15 + 1} together")


def test_a_document_has_at_most_five_hundred_lines() -> None:
    request = requests.sale()
    del request.document.lines[:]
    request.document.lines.extend(
        DocumentLine(line_id=str(number), category="grocery") for number in range(500)
    )
    validation.post_document(request)
    request.document.lines.add(line_id="one more", category="grocery")
    refusal = refused(validation.post_document, request)
    assert (refusal.field, refusal.value) == ("document.lines", "501 lines")


def test_a_line_id_stands_once_in_a_document() -> None:
    request = requests.sale()
    request.document.lines.add(line_id="1", category="grocery")
    refusal = refused(validation.post_document, request)
    assert (refusal.field, refusal.value) == ("document.lines[1].line_id", "1")


def test_the_value_of_an_identity_is_never_shown() -> None:
    request = requests.sale()
    request.member.identity.value = "+86 138 0013 8000\n"
    refusal = refused(validation.post_document, request)
    assert refusal.value == "(hidden)"
    assert "138" not in str(refusal)


@pytest.mark.parametrize("points", [0, -1, -(2**63), 10**15 + 1, 2**63 - 1])
def test_points_are_a_sensible_amount(points: int) -> None:
    assert refused(validation.burn_points, requests.burn(points=points)).field == "points.amount"
    assert refused(validation.hold_points, requests.hold(points=points)).field == "points.amount"
    assert refused(validation.capture_hold, requests.capture(points=points)).field == "points"


def test_a_burn_needs_points_or_money() -> None:
    request = requests.burn()
    request.ClearField("points")
    assert refused(validation.burn_points, request).field == "amount"
    request.money.CopyFrom(Money(currency_code="USD", minor_units=0))
    assert refused(validation.burn_points, request).field == "money.minor_units"
    request.points.CopyFrom(Points(amount=1))
    assert refused(validation.burn_points, request).field == "points.currency"


def test_a_reward_and_a_basket_have_a_form_too() -> None:
    request = requests.burn()
    request.reward = "drink"
    validation.burn_points(request)
    request.reward = ""
    assert refused(validation.burn_points, request).field == "reward"
    request.reward = "drink"
    request.basket.currency_code = "euro"
    assert refused(validation.burn_points, request).field == "basket.currency_code"
    hold = requests.hold()
    hold.basket.currency_code = "EUR"
    assert refused(validation.hold_points, hold).field == "basket.minor_units"


def test_an_earn_needs_an_amount_of_money_and_a_member() -> None:
    assert refused(validation.earn_points, requests.earn(cents=0)).field == "amount.minor_units"
    request = requests.earn()
    request.ClearField("member")
    assert refused(validation.earn_points, request).field == "member"


def test_a_reversal_takes_nothing_negative() -> None:
    request = requests.reversal("entry")
    validation.reverse_entry(request)
    request.points = -1
    assert refused(validation.reverse_entry, request).field == "points"


def test_a_batch_has_one_to_a_thousand_items_and_an_atomic_one_half_of_it() -> None:
    assert refused(lambda items: validation.batch(items, atomic=False), []).field == "items"
    validation.batch([BatchItem()] * 1000, atomic=False)
    refusal = refused(lambda items: validation.batch(items, atomic=False), [BatchItem()] * 1001)
    assert refusal.value == "1001 items"
    validation.batch([BatchItem()] * 512, atomic=True)
    refused(lambda items: validation.batch(items, atomic=True), [BatchItem()] * 513)


def test_every_write_of_a_batch_is_checked_as_when_it_comes_alone() -> None:
    assert set(validation.ITEMS) == {field.name for field in BatchItem.DESCRIPTOR.fields}
    assert all(check in validation.WRITES.values() for check in validation.ITEMS.values())


def test_an_enrolment_has_one_to_sixteen_identities_each_once() -> None:
    request = requests.enrolment()
    validation.enrol_member(request)
    request.identities.add(scheme="card", value=requests.CARD)
    assert refused(validation.enrol_member, request).field == "identities[1]"
    many = EnrolMemberRequest(
        request_id="e",
        origin=request.origin,
        identities=[Identity(scheme="card", value=str(number)) for number in range(17)],
    )
    assert refused(validation.enrol_member, many).value == "17 identities"
    del many.identities[:]
    assert refused(validation.enrol_member, many).field == "identities"


FAULTS: list[tuple[Callable[[Any], None], Any, str]] = [
    (validation.get_account, GetAccountRequest(), "member"),
    (
        validation.get_account,
        parse(
            GetAccountRequest,
            b"\x10\x09" + GetAccountRequest(member=requests.member()).SerializeToString(),
        ),
        "view",
    ),
    (validation.list_entries, ListEntriesRequest(member=requests.member(), page_size=1001), "page"),
    (validation.list_entries, ListEntriesRequest(member=requests.member(), page_size=-1), "page"),
    (validation.link_identity, LinkIdentityRequest(request_id="l"), "origin.business_unit"),
    (policies.publish_policy, PublishPolicyRequest(request_id="p"), "document"),
    (
        policies.publish_policy,
        PublishPolicyRequest(request_id="p", document="积" * 400_000),
        "document",
    ),
    (policies.get_policy, GetPolicyRequest(version=-1), "version"),
    (
        validation.stream_events,
        StreamEventsRequest(positions=[LanePosition(lane=-1)]),
        "positions[0].lane",
    ),
    (
        validation.stream_events,
        StreamEventsRequest(positions=[LanePosition(lane=1), LanePosition(lane=1)]),
        "positions[1].lane",
    ),
    (
        validation.stream_events,
        StreamEventsRequest(positions=[LanePosition(next_pos=-1)]),
        "positions[0].next_pos",
    ),
]


@pytest.mark.parametrize(("check", "request_", "field"), FAULTS)
def test_a_question_with_one_fault_is_refused_at_its_path(
    check: Callable[[Any], None], request_: Any, field: str
) -> None:
    assert refused(check, request_).field.startswith(field)


def test_bytes_that_are_no_message_are_malformed() -> None:
    with pytest.raises(Malformed, match=r"expected a loyalty\.v1\.PostDocumentRequest"):
        parse(PostDocumentRequest, b"\xff\xff\xff")


def test_a_text_that_is_no_utf8_is_malformed() -> None:
    with pytest.raises(Malformed):
        parse(PostDocumentRequest, b"\x0a\x02\xc3\x28")


def test_an_unknown_field_is_refused_wherever_it_hides() -> None:
    unknown = b"\xa0\x06\x01"  # Field 100, a number.
    with pytest.raises(Malformed) as error:
        parse(PostDocumentRequest, requests.sale().SerializeToString() + unknown)
    assert error.value.field == "#100"
    deep = BatchPostRequest(items=requests.sales(2))
    line = deep.items[1].post_document.document.lines[0]
    line.MergeFromString(unknown)
    with pytest.raises(Malformed) as error:
        parse(BatchPostRequest, deep.SerializeToString())
    assert error.value.field == "items[1].post_document.document.lines[0].#100"


def test_a_known_message_in_an_unusual_spelling_is_accepted() -> None:
    first = PostDocumentRequest(request_id="first").SerializeToString()
    rest = requests.sale("last").SerializeToString()
    assert parse(PostDocumentRequest, first + rest) == requests.sale("last")


def test_to_check_a_sale_costs_little_beside_reading_it() -> None:
    request = requests.sale()
    sent = request.SerializeToString()
    checked, read = [], []
    for _ in range(20):
        began = perf_counter()
        for _ in range(100):
            validation.post_document(request)
        between = perf_counter()
        for _ in range(100):
            type(request).FromString(sent)
        checked.append(between - began)
        read.append(perf_counter() - between)
    # A few microseconds beside one or two: the ratio holds on a machine that others keep busy.
    assert min(checked) < 25 * min(read)

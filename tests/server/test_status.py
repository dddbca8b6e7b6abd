"""One table maps every refusal to what a caller receives."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, LocalizedMessage, RetryInfo
from google.rpc.status_pb2 import Status

from ledger.core.refusals import (
    ALL_REFUSALS,
    InsufficientPoints,
    Malformed,
    QueueFull,
    Refusal,
    RequestConflict,
)
from server import status
from server.refusal_texts import SPOKEN

ROOT = Path(__file__).resolve().parent.parent.parent
HEADERS_MAX = 8 * 1024


def details(found: Status, kind: type[Any]) -> list[Any]:
    parts = []
    for detail in found.details:
        part = kind()
        if detail.Unpack(part):
            parts.append(part)
    return parts


def filled(refusal: type[Refusal], text: str = "x") -> Refusal:
    values = {item.name: 7 if item.type is int else text for item in fields(refusal)}
    return refusal(**values)


def test_the_table_covers_every_refusal_and_nothing_else() -> None:
    reasons = {refusal.reason for refusal in ALL_REFUSALS}
    assert set(status.CODES) == reasons
    assert set(SPOKEN) == reasons
    assert set(status.RETRY_MILLISECONDS) <= reasons
    assert grpc.StatusCode.OK not in status.CODES.values()


def test_the_page_of_refusals_is_current() -> None:
    page = (ROOT / "docs" / "refusals.md").read_text(encoding="utf-8")
    assert page == status.page(), "run: python -m server.status"


@pytest.mark.parametrize("refusal", ALL_REFUSALS, ids=lambda refusal: refusal.reason)
def test_every_refusal_tells_its_reason_fields_and_a_sentence_in_two_languages(
    refusal: type[Refusal],
) -> None:
    given = filled(refusal)
    found = status.status_of(given)
    [info] = details(found, ErrorInfo)
    assert (info.reason, info.domain) == (refusal.reason, "loyalty")
    assert dict(info.metadata) == {name: str(value) for name, value in given.fields.items()}
    assert [text.locale for text in details(found, LocalizedMessage)] == ["en", "zh-CN"]
    assert found.message == str(given)
    assert status.code_of(found.code) is status.CODES[refusal.reason]


@pytest.mark.parametrize("refusal", ALL_REFUSALS, ids=lambda refusal: refusal.reason)
def test_no_refusal_is_too_large_for_the_headers_it_travels_in(refusal: type[Refusal]) -> None:
    found = status.status_of(filled(refusal, "积" * 100_000))
    in_base64 = len(found.SerializeToString()) * 4 / 3
    percent_encoded = len(found.message.encode()) * 3
    assert in_base64 + percent_encoded < HEADERS_MAX


def test_a_wait_is_told_in_the_words_of_grpc_too() -> None:
    told = dict(status.trailers_of(status.status_of(QueueFull(limit=9))))
    assert told[status.PUSHBACK_KEY] == "200"
    final = dict(status.trailers_of(status.status_of(filled(InsufficientPoints))))
    assert final.keys() == {status.DETAILS_KEY}


def test_a_malformed_field_comes_with_its_path_and_what_would_be_right() -> None:
    refusal = Malformed(field="document.lines[3].category", value="", expected="a category")
    found = status.status_of(refusal)
    [request] = details(found, BadRequest)
    [violation] = request.field_violations
    assert violation.field == "document.lines[3].category"
    assert "expected a category" in violation.description
    assert violation.reason == "MALFORMED"


def test_what_the_ledger_refuses_is_no_bad_request() -> None:
    refusal = InsufficientPoints(available=3, requested=5, currency="point")
    assert details(status.status_of(refusal), BadRequest) == []
    conflict = RequestConflict(field="origin.till", first="1", now="2")
    assert details(status.status_of(conflict), BadRequest) == []


def test_waiting_is_advised_where_it_helps() -> None:
    [retry] = details(status.status_of(QueueFull(limit=4096)), RetryInfo)
    assert retry.retry_delay.ToMilliseconds() == 200
    refusal = InsufficientPoints(available=3, requested=5, currency="point")
    assert details(status.status_of(refusal), RetryInfo) == []


def test_a_fault_of_ours_tells_nothing_about_itself() -> None:
    found = status.internal_status()
    [info] = details(found, ErrorInfo)
    assert info.reason == "INTERNAL"
    assert dict(info.metadata) == {}


def test_nothing_is_refused_by_a_bare_code() -> None:
    # Every abort goes through the one place that attaches the reason.
    aborts = [
        path.name
        for path in sorted((ROOT / "server").glob("*.py"))
        for _ in re.findall(r"\.abort\w*\(", path.read_text(encoding="utf-8"))
    ]
    assert aborts == ["rpc.py"]

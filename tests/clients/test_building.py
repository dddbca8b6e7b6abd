"""What is said shortly is what is sent, and what cannot be sent is refused at once."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from loyalty.v1.ledger_service_pb2 import BatchItem, BurnPointsRequest, QuoteDocumentRequest
from loyalty.v1.types_pb2 import DOCUMENT_KIND_STAY, DOCUMENT_STATUS_PENDING
from loyalty_client import (
    Connection,
    folio,
    identity,
    item,
    line,
    member,
    money,
    order,
    origin,
    points,
    sale,
    stay,
    timestamp,
)
from rules.money import MINOR_DIGITS


@pytest.mark.parametrize("code", sorted(MINOR_DIGITS))
def test_money_has_the_decimals_that_the_ledger_counts_with(code: str) -> None:
    assert money(1, code).minor_units == 10 ** MINOR_DIGITS[code]


@pytest.mark.parametrize(
    ("amount", "code", "minor"),
    [
        ("12.50", "USD", 1250),
        ("-0.01", "EUR", -1),
        (Decimal("3"), "JPY", 3),
        ("1.005", "KWD", 1005),
    ],
)
def test_money_is_exact(amount: str | Decimal, code: str, minor: int) -> None:
    made = money(amount, code)
    assert (made.currency_code, made.minor_units) == (code, minor)


@pytest.mark.parametrize(
    ("amount", "code", "told"),
    [
        (12.5, "USD", "a float is not exact"),
        (True, "USD", "expected text"),
        ("12.505", "USD", "USD has 2 decimals"),
        ("1.5", "JPY", "JPY has 0 decimals"),
        ("twelve", "USD", "expected a number"),
        ("NaN", "USD", "USD has 2 decimals"),
        ("1", "usd", "ISO 4217"),
    ],
)
def test_money_that_is_none_says_what_would_be_right(amount: str, code: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        money(amount, code)


def test_a_document_numbers_its_lines_and_has_one_currency() -> None:
    made = sale("T-1", 2, [line("grocery", money("1", "USD")), line("food", money("2", "USD"))])
    assert [(each.line_id, each.net_minor_units) for each in made.lines] == [("1", 100), ("2", 200)]
    assert (made.source, made.version, made.currency_code) == ("till", 2, "USD")
    with pytest.raises(ValueError, match="one currency"):
        sale("T-1", 1, [line("grocery", money("1", "USD")), line("grocery", money("1", "EUR"))])
    with pytest.raises(ValueError, match="none"):
        order("O-1", 2, [])
    assert order("O-1", 2, [], currency_code="GBP").currency_code == "GBP"


def test_a_line_keeps_its_own_id_and_says_what_points_paid() -> None:
    paid = line("goods", money("30", "GBP"), line_id="a", paid_with_points=money("5", "GBP"))
    [made] = order("O-1", 1, [paid]).lines
    assert (made.line_id, made.paid_with_points_minor_units) == ("a", 500)
    with pytest.raises(ValueError, match="paid_with_points is EUR"):
        line("goods", money("30", "GBP"), paid_with_points=money("5", "EUR"))


def test_a_stay_has_nights() -> None:
    made = stay(
        "F-1", 1, [], nights=3, currency_code="EUR", status=DOCUMENT_STATUS_PENDING, source="opera"
    )
    assert (made.kind, made.stay.nights, made.stay.stays) == (DOCUMENT_KIND_STAY, 3, 1)
    assert (made.source, made.status) == ("opera", DOCUMENT_STATUS_PENDING)
    assert not folio("F-2", 1, [line("spa", money("9", "EUR"))]).HasField("stay")


def test_members_points_and_times_are_said_shortly() -> None:
    assert identity("card", "8800").identity.scheme == "card"
    assert member("m-1").member_id == "m-1"
    assert points(5).currency == "point"
    noon = datetime(2026, 5, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    assert timestamp(noon).ToDatetime(UTC) == noon
    assert origin("market", occurred_at=noon).occurred_time == timestamp(noon)
    with pytest.raises(ValueError, match="no time zone"):
        timestamp(datetime(2026, 5, 1))  # noqa: DTZ001 - that is what is refused.


def test_an_item_is_found_by_its_kind() -> None:
    assert item(BurnPointsRequest(request_id="b")).burn_points.request_id == "b"
    made = BatchItem(burn_points=BurnPointsRequest())
    assert item(made) is made
    with pytest.raises(ValueError, match="QuoteDocumentRequest"):
        item(QuoteDocumentRequest())


def test_a_connection_is_read_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("LOYALTY_SERVER", "LOYALTY_TOKEN", "LOYALTY_CA"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ValueError, match="LOYALTY_TOKEN is not set"):
        Connection.from_environment()
    monkeypatch.setenv("LOYALTY_TOKEN", "loy_x")
    assert Connection.from_environment().target == "127.0.0.1:7070"
    monkeypatch.setenv("LOYALTY_SERVER", "ledger:443")
    monkeypatch.setenv("LOYALTY_CA", str(tmp_path / "ca.pem"))
    assert Connection.from_environment().ca == tmp_path / "ca.pem"


def test_a_connection_shows_its_token_to_nobody() -> None:
    assert "loy_secret" not in repr(Connection("ledger:443", "loy_secret"))


def test_only_this_machine_is_called_without_tls_unasked() -> None:
    assert Connection("127.0.0.1:7070", "t").credentials() is None
    assert Connection("localhost:7070", "t").credentials() is None
    assert Connection("unix:/run/ledger.sock", "t").credentials() is None
    assert Connection("ledger:443", "t").credentials() is not None
    assert Connection("127.0.0.1.example.com:443", "t").credentials() is not None
    assert Connection("ledger:7070", "t", plaintext=True).credentials() is None
    assert Connection("127.0.0.1:7070", "t", plaintext=False).credentials() is not None
    with pytest.raises(ValueError, match="TLS or not"):
        Connection("ledger:443", "t", ca=Path("ca.pem"), plaintext=True).credentials()

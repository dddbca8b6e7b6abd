"""Hostile and broken input: read exactly, or refused with what is wrong."""

from decimal import Decimal

import httpx
import pytest
from pydantic import ValidationError

from adapters.frame import moments
from adapters.frame.calls import patience, segment
from adapters.frame.fields import Sent, Word
from adapters.frame.money import added, capped_shares, minor_units, scaled, shares, times
from adapters.frame.reading import dumped, json_of, object_of, text_of, xml_of
from adapters.frame.signatures import fresh, hmac_hex, same
from adapters.frame.words import Delivery, Parked, Unreadable, short


def delivery(body: bytes, content_type: str = "application/json") -> Delivery:
    return Delivery(body, {"content-type": content_type})


def test_numbers_stay_exact() -> None:
    tree = json_of('{"id": 9007199254740993, "price": 0.1}')
    assert tree["id"] == 2**53 + 1
    assert dumped(tree) == '{"id":9007199254740993,"price":"0.1"}'


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1',
        '{"a": NaN}',
        '{"a": Infinity}',
        '{"a": 1, "a": 2}',
        "[" * 40 + "]" * 40,
        "[" * 100_000,
        "",
        "1" * 5000,
        '{"a": 0.' + "1" * 50 + "}",
        '{"a": 1e999999}',
        '{"a": 0e-999999}',
    ],
)
def test_what_is_no_sound_json_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        json_of(text)


def test_nesting_within_reason_is_read() -> None:
    assert json_of("[" * 30 + "1" + "]" * 30)


def test_charsets_are_honoured() -> None:
    assert text_of(delivery("é".encode("latin-1"), "text/plain; charset=ISO-8859-1")) == "é"
    assert text_of(delivery("\ufeffé".encode(), 'text/plain; charset="utf-8"')) == "é"
    assert text_of(delivery("有赞".encode("gb18030"), "text/plain;charset=gb18030")) == "有赞"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("é".encode("latin-1"), "application/json"),
        (b"{}", "application/json; charset=klingon"),
        (b"{}", "application/json; charset=hex"),
        (b"{}", "application/json; charset=utf-7"),
        (b"{}", "application/json; charset=unicode_escape"),
        (b"a" * 200_000 + b"-" + b"99999a" * 5_000, "application/json; charset=punycode"),
        (b"\xff\xfe{", "application/json; charset=utf-16"),
        (b"[]", "application/json"),
    ],
)
def test_a_body_that_is_not_of_its_charset_is_refused(body: bytes, content_type: str) -> None:
    with pytest.raises(Unreadable):
        object_of(delivery(body, content_type))


BOMB = '<!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><l>&b;</l>'
OUTSIDE = '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/passwd">]><l>&x;</l>'


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        OUTSIDE,
        '<!DOCTYPE l SYSTEM "http://example.com/l.dtd"><l/>',
        "<a>" * 40 + "</a>" * 40,
        "<a><b></a>",
        "<a>",
        "",
        '<?xml version="1.0" encoding="klingon"?><a/>',
    ],
)
def test_xml_with_more_than_a_message_needs_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        xml_of(text.encode())


def test_xml_is_read_in_its_own_charset() -> None:
    text = '<?xml version="1.0" encoding="ISO-8859-1"?><a b="é">ü</a>'
    root = xml_of(text.encode("latin-1"))
    assert (root.get("b"), root.text) == ("é", "ü")


def test_shares_add_up_and_keep_to_their_limits() -> None:
    assert shares(100, [1, 1, 1]) == [34, 33, 33]
    assert shares(5, [0, 0]) == [0, 0]
    assert capped_shares(500, [100, 50]) == [100, 50]
    assert sum(capped_shares(209_00, [199_00, 199_00])) == 209_00


def test_a_currency_nobody_knows_is_parked() -> None:
    with pytest.raises(Parked) as parked:
        minor_units("1.00", "ABC", "it")
    assert parked.value.reason == "unmapped_currency"


@pytest.mark.parametrize(
    "value",
    [True, None, "1,50", "", "NaN", "Infinity", 1.5, "1e99", "0e-999999", "1_000", "٣"],
)
def test_what_is_no_amount_is_refused(value: object) -> None:
    with pytest.raises(Unreadable):
        minor_units(value, "EUR", "it")


@pytest.mark.parametrize(
    "value", ["1000000000.00000000000000000001", "1.001", "10000000000000.01", "-10000000000000.01"]
)
def test_an_amount_is_not_rounded_however_many_digits_it_has_and_is_one_the_ledger_takes(
    value: str,
) -> None:
    with pytest.raises(Unreadable):
        minor_units(value, "EUR", "it")
    assert minor_units("10000000000000.00", "EUR", "it") == 10**15


def test_arithmetic_keeps_every_digit() -> None:
    long, third = Decimal("123456789012345.00000000000000000001"), Decimal("0.3333333333333333")
    assert added([long, third, long.copy_negate()]) == third
    assert times(long, Decimal(3)) == Decimal("370370367037035.00000000000000000003")
    assert scaled(long, 20) == 12345678901234500000000000000000001


class Named(Sent):
    name: Word = ""


@pytest.mark.parametrize("value", [True, {"a": 1}, ["a"], Decimal("1.5"), "a\0", "a\ud83d"])
def test_what_is_no_text_names_nobody(value: object) -> None:
    with pytest.raises(ValidationError, match="expected a text"):
        Named.model_validate({"name": value})


def test_a_text_may_be_missing_or_a_whole_number() -> None:
    assert [Named.model_validate({"name": each}).name for each in (None, 7, "å\n")] == [
        "",
        "7",
        "å\n",
    ]
    assert short("å\n" + "x" * 80) == "å" + "x" * 63


@pytest.mark.parametrize("number", ["", ".", ".."])
def test_an_id_that_leads_elsewhere_is_not_asked_for(number: str) -> None:
    with pytest.raises(Unreadable):
        segment(number)
    assert segment("a/../b?c#d é") == "a%2F..%2Fb%3Fc%23d%20%C3%A9"


def test_patience_is_read_where_it_is_a_number() -> None:
    def asked(value: str) -> int:
        return patience(httpx.Response(429, headers=[(b"retry-after", value.encode("latin-1"))]))

    assert [asked(each) for each in ("7", "7.5", "²", "", "9" * 5000)] == [7, 7, 0, 0, 0]


def test_times_need_a_zone_and_an_hour_that_occurs_twice_is_its_first() -> None:
    with pytest.raises(Unreadable):
        moments.instant("2024-10-27T01:30:00", "it")
    local = moments.instant("2024-10-27T01:30:00", "it", zone="Europe/London")
    assert local == moments.instant("2024-10-27T00:30:00Z", "it")
    assert moments.epoch(1730000000000, "it", unit=1000) == 1730000000 * 1_000_000
    with pytest.raises(Unreadable):
        moments.epoch("1730000000000", "it", unit=1000)


def test_tokens_and_signed_times() -> None:
    assert same(["old", "new"], "new")
    assert not same([], "")
    assert not same([""], "")
    assert not hmac_hex(["key"], b"body", "zz")
    assert fresh(0, 299 * moments.SECOND)
    assert not fresh(0, 301 * moments.SECOND)
    assert not fresh(301 * moments.SECOND, 0)

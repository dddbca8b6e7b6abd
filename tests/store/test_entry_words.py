"""Ends in the words of an entry: the last day in the programme's zone, or else the instant."""
# ruff: noqa: RUF001 - Chinese lines have a Chinese comma.

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from ledger.answers.entry_words import expiry_line, fact_lines
from ledger.answers.receipts import Language
from ledger.answers.telling import Telling
from loyalty.v1.events_pb2 import (
    TIER_CAUSE_REACHED,
    LotExtended,
    PointsBurned,
    PointsEarned,
    TierChanged,
)
from loyalty.v1.types_pb2 import Draw
from rules.zones import local_zone


def at(text: str) -> Timestamp:
    stamp = Timestamp()
    stamp.FromJsonString(text)
    return stamp


def telling(zone: str, language: Language = "en") -> Telling:
    return Telling(language, "{1} {0}".format, local_zone(zone) if zone else None)


@pytest.mark.parametrize(
    ("zone", "ends", "told"),
    [
        ("Europe/Berlin", "2027-02-28T23:00:00Z", "2027-02-28"),
        ("Europe/London", "2027-08-02T23:00:00Z", "2027-08-02"),
        ("Europe/London", "2027-02-01T00:00:00Z", "2027-01-31"),
        ("Europe/London", "2027-02-01T12:30:00Z", "2027-02-01"),
        ("", "2027-02-28T23:00:00Z", "2027-02-28 23:00 UTC"),
    ],
)
def test_an_end_is_told_as_the_last_day(zone: str, ends: str, told: str) -> None:
    how = telling(zone)
    tier = TierChanged(to_tier="gold", valid_until_time=at(ends), cause=TIER_CAUSE_REACHED)
    assert list(fact_lines([tier], how)) == [f"tier gold until {told}: by what is counted"]
    lot = PointsEarned(expire_time=at(ends))
    assert expiry_line(lot, how) == f"Their time had passed: {told}"
    longer = LotExtended(lot_id="l", reason="r", expire_time_before=at(ends), expire_time=at(ends))
    assert list(fact_lines([longer], how)) == [
        f"the points of lot l expire {told} instead of {told}: r"
    ]


def test_a_lot_was_earned_on_a_day_of_the_zone() -> None:
    drawn = Draw(points=5, issuer="market", funder="market", earned_time=at("2026-06-30T22:30:00Z"))
    burned = PointsBurned(currency="point", points=5, business_unit="market", draws=[drawn])
    for zone, told in (("Europe/Berlin", "2026-07-01"), ("Europe/London", "2026-06-30")):
        *_, line = fact_lines([burned], telling(zone))
        assert line.startswith(f"  5 point of what market gave on {told}, never to expire")


def test_an_end_is_told_in_chinese() -> None:
    tier = TierChanged(
        to_tier="gold", valid_until_time=at("2027-02-28T23:00:00Z"), cause=TIER_CAUSE_REACHED
    )
    assert list(fact_lines([tier], telling("Europe/Berlin", "zh"))) == [
        "会员等级 gold，有效期至 2027-02-28：按累计结果"
    ]

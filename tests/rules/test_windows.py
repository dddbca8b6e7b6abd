"""Local time windows, and the periods in which something is counted."""

from datetime import date
from typing import Any

import pytest

from rules.model import TimeWindow
from rules.windows import period_of, wall_window
from rules.zones import day_number, local_zone
from tests.rules.documents import instant


def holds(wall: str, **keys: Any) -> bool:
    """Whether a window holds at a wall time."""
    window = TimeWindow.model_validate({key.rstrip("_"): given for key, given in keys.items()})
    return wall_window(window).holds(instant(wall + "Z"))


@pytest.mark.parametrize(
    ("window", "day", "period"),
    [
        ("local_day", "2026-05-01", "2026-05-01"),
        ("local_week", "2026-05-01", "2026-W18"),
        ("local_week", "2027-01-03", "2026-W53"),
        ("local_month", "2026-05-01", "2026-05"),
        ("local_year", "2026-05-01", "2026"),
        ("lifetime", "2026-05-01", ""),
    ],
)
def test_a_day_lies_in_a_period_with_a_name(window: str, day: str, period: str) -> None:
    assert period_of(window, day_number(date.fromisoformat(day))) == period


def test_a_window_begins_with_its_first_instant_and_ends_before_its_last() -> None:
    days = {"from_": "2026-06-01", "until": "2026-06-03T18:00"}
    assert not holds("2026-05-31T23:59:59", **days)
    assert holds("2026-06-01T00:00:00", **days)
    assert holds("2026-06-03T17:59:59", **days)
    assert not holds("2026-06-03T18:00:00", **days)


def test_a_window_without_keys_is_always() -> None:
    assert holds("2026-06-01T12:00:00")


def test_clocks_and_weekdays_hold_together() -> None:
    friday = {"weekdays": ["fri"], "local_time": ["18:00", "24:00"]}
    assert holds("2026-05-01T18:00:00", **friday)
    assert holds("2026-05-01T23:59:59", **friday)
    assert not holds("2026-05-01T17:59:59", **friday)
    assert not holds("2026-05-02T18:00:00", **friday)


def test_a_night_belongs_to_the_weekday_on_which_it_begins() -> None:
    night = {"weekdays": ["fri"], "local_time": ["22:00", "02:00"]}
    assert holds("2026-05-01T22:00:00", **night)
    assert holds("2026-05-02T01:59:59", **night)
    assert not holds("2026-05-02T02:00:00", **night)
    assert not holds("2026-05-02T22:00:00", **night)
    assert not holds("2026-05-01T01:00:00", **night)


@pytest.mark.parametrize(
    ("at", "inside"),
    [
        ("2025-03-30T00:59:59Z", False),
        ("2025-03-30T01:00:00Z", False),
        ("2025-10-26T00:30:00Z", True),
        ("2025-10-26T01:30:00Z", True),
    ],
)
def test_s23_both_occurrences_of_a_repeated_hour_are_within(at: str, inside: bool) -> None:
    window = wall_window(TimeWindow(local_time=("02:00", "03:00")))
    assert window.holds(local_zone("Europe/Berlin").wall(instant(at))) is inside

"""Local time, against the zone database itself."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.zones import DAY, HOUR, SECOND, local_zone, wall_text
from tests.rules.documents import instant

KEYS = (
    "Europe/Berlin", "America/Sao_Paulo", "Africa/Cairo", "Asia/Kathmandu", "Australia/Lord_Howe",
    "America/Havana", "Pacific/Apia", "Africa/Monrovia",
)  # fmt: skip
WALL_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - wall time has no zone


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(KEYS), st.integers(0, 2**31 * SECOND))
def test_wall_time_is_that_of_the_zone_database(key: str, at: int) -> None:
    zone = local_zone(key)
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)
    expected = moment.astimezone(ZoneInfo(key))
    assert wall_text(zone, zone.wall(at), zone.offset(at)) == expected.isoformat()


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(KEYS), st.integers(0, 2**31 // 86400 - 1), st.integers(0, 24 * 60 - 1))
def test_an_instant_of_wall_time_shows_it_or_the_jump_over_it(
    key: str, day: int, minute: int
) -> None:
    zone, wall = local_zone(key), day * DAY + minute * 60 * SECOND
    at = zone.instant(wall)
    assert zone.wall(at) >= wall
    assert zone.wall(at) == wall or zone.wall(at - SECOND) < wall
    assert zone.wall(at - 2 * HOUR) != wall or zone.wall(at) == wall


@pytest.mark.parametrize(
    ("key", "wall", "expected"),
    [
        ("Europe/Berlin", "2025-03-30T02:30:00", "2025-03-30T01:00:00Z"),  # Does not exist.
        ("Europe/Berlin", "2025-10-26T02:30:00", "2025-10-26T00:30:00Z"),  # Twice: the first.
        ("America/Sao_Paulo", "2018-11-04T00:00:00", "2018-11-04T03:00:00Z"),  # No midnight.
        ("America/Havana", "2024-11-03T00:00:00", "2024-11-03T04:00:00Z"),  # Two midnights.
        ("Pacific/Apia", "2011-12-30T12:00:00", "2011-12-30T10:00:00Z"),  # A day that never was.
    ],
)
def test_wall_times_that_occur_twice_or_never(key: str, wall: str, expected: str) -> None:
    micros = (datetime.fromisoformat(wall) - WALL_EPOCH) // timedelta(microseconds=1)
    assert local_zone(key).instant(micros) == instant(expected)

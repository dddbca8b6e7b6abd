"""Times as senders write them, to microseconds since the Unix epoch."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from adapters.frame.words import Unreadable

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
SECOND: Final = 1_000_000
DAY: Final = 86_400 * SECOND
LAST: Final = 4_102_444_800 * SECOND
"""The year 2100: a time behind it is a mistake of the sender."""


def instant(value: Any, what: str, *, zone: str = "") -> int:
    """Read an ISO 8601 time.

    Args:
        value: "2024-05-01T10:00:00+02:00", with Z or an offset.
        what: names it in what is raised.
        zone: IANA zone of a sender that writes local times without offset. Without one such a
            time is refused, not guessed. An hour that occurs twice means its first occurrence.

    Raises:
        Unreadable: it is no time, has no zone, or lies outside 1970 to 2100.
    """
    if not isinstance(value, str):
        raise Unreadable(f"{what} is {value!r}, expected a time")
    try:
        moment = datetime.fromisoformat(value.strip())
    except ValueError:
        raise Unreadable(f"{what} is {value[:40]!r}, expected an ISO 8601 time") from None
    if moment.tzinfo is None:
        if not zone:
            raise Unreadable(f"{what} is {value!r}, which has no zone")
        moment = moment.replace(tzinfo=ZoneInfo(zone))
    return within(micros(moment), what)


def epoch(value: Any, what: str, *, unit: int) -> int:
    """Read a number of `unit` microseconds each since the epoch: 1000 for milliseconds.

    Raises:
        Unreadable: it is no whole number, or lies outside 1970 to 2100.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise Unreadable(f"{what} is {value!r}, expected a whole number")
    return within(value * unit, what)


def within(moment: int, what: str) -> int:
    """Return a time that lies between 1970 and 2100. Raises Unreadable."""
    if not 0 <= moment < LAST:
        raise Unreadable(f"{what} lies outside the years 1970 to 2100")
    return moment


def micros(moment: datetime) -> int:
    """Return a zone-aware time as microseconds, exactly."""
    return (moment - _EPOCH) // _MICROSECOND


def utc(moment: int) -> datetime:
    """Return microseconds as a time."""
    return _EPOCH + timedelta(microseconds=moment)


def local_day(moment: int, zone: str) -> date:
    """Return the calendar day of a time in a zone."""
    return utc(moment).astimezone(ZoneInfo(zone)).date()


def day(text: str) -> date:
    """Read the day with which a text begins: "2024-05-01", or a time of that day.

    Raises:
        Unreadable: it begins with no day, or with one outside 1970 to 2100.
    """
    try:
        found = date.fromisoformat(text[:10])
    except ValueError:
        raise Unreadable(f"{text[:40]!r} is no day, expected YYYY-MM-DD") from None
    within(micros(datetime.combine(found, time(), UTC)), str(found))
    return found


def written_day(text: str) -> date:
    """Return the calendar day that a time is written with, whatever the day is in UTC."""
    return datetime.fromisoformat(text.strip()).date()


def now() -> int:
    """Return the time of this machine."""
    return micros(datetime.now(UTC))

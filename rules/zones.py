"""Local time of an IANA zone on int microseconds, fast because the answers are remembered.

Wall time is held as microseconds since 1970-01-01T00:00 on the wall. A wall time that occurs
twice means its first occurrence; one that does not exist is taken at the jump.
"""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from rules.facts import Instant
from rules.refusal import RulesRefusal

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
# Hours and days: close to four years of hours, so that an import of old sales stays fast.
_REMEMBERED_MAX = 32768
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - wall time has no zone
_EPOCH_ORDINAL = _EPOCH.toordinal()
# 1900 to 9000: room for a century of expiry before Python's calendar ends.
INSTANT_MIN, INSTANT_MAX = -70 * 365 * DAY, 7030 * 365 * DAY


def day_number(day: date) -> int:
    """Count days since 1970-01-01."""
    return day.toordinal() - _EPOCH_ORDINAL


def date_of(day: int) -> date:
    """Give the date `day` days after 1970-01-01."""
    return date.fromordinal(day + _EPOCH_ORDINAL)


class LocalZone:
    """A zone with its remembered offsets; equal questions always get equal answers."""

    def __init__(self, key: str) -> None:
        self.key = key
        self._zone = ZoneInfo(key)
        self._offsets: dict[int, int] = {}
        self._day_texts: dict[int, str] = {}

    def offset(self, at: Instant) -> int:
        """Give wall time minus UTC at an instant, in microseconds."""
        hour = at // HOUR
        known = self._offsets.get(hour)
        if known is not None:
            return known
        first, last = self._offset(hour * HOUR), self._offset((hour + 1) * HOUR - SECOND)
        if first != last:
            # The zone changes within this hour, so the hour has no one answer to remember.
            return self._offset(at)
        if len(self._offsets) >= _REMEMBERED_MAX:
            self._offsets.clear()
        self._offsets[hour] = first
        return first

    def wall(self, at: Instant) -> int:
        """Give the wall time of an instant."""
        return at + self.offset(at)

    def _offset(self, at: Instant) -> int:
        if not INSTANT_MIN <= at <= INSTANT_MAX:
            raise RulesRefusal("TIME_OUT_OF_RANGE", path="occurred_at", value=str(at))
        moment = datetime.fromtimestamp(at // SECOND, UTC)
        return _micros(self._zone.utcoffset(moment.astimezone(self._zone)))

    def instant(self, wall: int) -> Instant:
        """Give the instant of a wall time: the first of two, or the jump where there is none."""
        local = _EPOCH + timedelta(microseconds=wall)
        first = _micros(self._zone.utcoffset(local))
        second = _micros(self._zone.utcoffset(local.replace(fold=1)))
        if first >= second:
            return wall - first
        return self._jump(wall - second, wall - first)

    def _jump(self, before: Instant, after: Instant) -> Instant:
        """Find to the second where the offset changes between two instants."""
        low, high = before // SECOND, -(-after // SECOND)
        old = self._offset(low * SECOND)
        while low + 1 < high:
            middle = (low + high) // 2
            low, high = (middle, high) if self._offset(middle * SECOND) == old else (low, middle)
        return high * SECOND

    def end_of_day(self, at: Instant, days: int) -> Instant:
        """Give the end of the local day that is so many days after the one of an instant."""
        return self.instant((self.wall(at) // DAY + days + 1) * DAY)

    def day_text(self, day: int) -> str:
        """Write a day number as YYYY-MM-DD."""
        text = self._day_texts.get(day)
        if text is None:
            if len(self._day_texts) >= _REMEMBERED_MAX:
                self._day_texts.clear()
            text = self._day_texts[day] = date_of(day).isoformat()
        return text


def _micros(offset: timedelta | None) -> int:
    return 0 if offset is None else offset // timedelta(microseconds=1)


@lru_cache(maxsize=1024)
def local_zone(key: str) -> LocalZone:
    """Give the one `LocalZone` of an IANA name."""
    return LocalZone(key)


@lru_cache(maxsize=256)
def offset_text(offset: int) -> str:
    """Write an offset in microseconds as ISO 8601 does: +02:00, or +00:53:28."""
    seconds = abs(offset) // SECOND
    text = f"{'-' if offset < 0 else '+'}{seconds // 3600:02}:{seconds // 60 % 60:02}"
    return f"{text}:{seconds % 60:02}" if seconds % 60 else text


def wall_text(zone: LocalZone, wall: int, offset: int) -> str:
    """Write wall time as ISO 8601 with its offset; a fraction only where there is one."""
    day, rest = divmod(wall, DAY)
    seconds, fraction = divmod(rest, SECOND)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    clock = f"{zone.day_text(day)}T{hour:02}:{minute:02}:{second:02}"
    if fraction:
        clock += f".{fraction:06}"
    return clock + offset_text(offset)

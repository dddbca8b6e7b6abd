"""Local time windows, and the periods in which something is counted."""

from datetime import date, datetime
from functools import lru_cache

from rules.model import TimeWindow
from rules.zones import DAY, HOUR, date_of

_MINUTE = HOUR // 60
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_EPOCH_ORDINAL = date_of(0).toordinal()
_PREFIX = {"local_day": 10, "local_month": 7, "local_year": 4, "lifetime": 0}


@lru_cache(maxsize=8192)
def period_of(window: str, day: int) -> str:
    """Name the period that a local day lies in: "2026-05-01", "2026-W18", "2026-05", "2026", ""."""
    local = date_of(day)
    if window == "local_week":
        year, week, _ = local.isocalendar()
        return f"{year:04}-W{week:02}"
    return local.isoformat()[: _PREFIX[window]]


class WallWindow:
    """A time window, compiled; it is asked with the wall time of the zone it is meant in.

    It lies between the wall times `first` and `end`, where it has these.
    """

    def __init__(self, window: TimeWindow) -> None:
        self.by_store = window.zone == "store"
        self.first = None if window.from_ is None else _wall(window.from_)
        self.end = None if window.until is None else _wall(window.until)
        self._days = frozenset(_WEEKDAYS.index(name) for name in window.weekdays)
        clocks = window.local_time
        self._clocks = None if clocks is None else (_clock(clocks[0]), _clock(clocks[1]))

    def holds(self, wall: int) -> bool:
        """Say whether a wall time lies within.

        Both occurrences of an hour that the clocks repeat do, and a window that passes midnight
        belongs to the weekday on which it begins.
        """
        if self.first is not None and wall < self.first:
            return False
        if self.end is not None and wall >= self.end:
            return False
        day, clock = divmod(wall, DAY)
        if self._clocks is not None:
            first, end = self._clocks
            if first <= end:
                if not first <= clock < end:
                    return False
            elif clock < end:
                day -= 1
            elif clock < first:
                return False
        # 1970-01-01 was a Thursday.
        return not self._days or (day + 3) % 7 in self._days


@lru_cache(maxsize=1024)
def wall_window(window: TimeWindow) -> WallWindow:
    """Compile a window once."""
    return WallWindow(window)


def _wall(moment: datetime) -> int:
    day = date(moment.year, moment.month, moment.day).toordinal() - _EPOCH_ORDINAL
    seconds = (moment.hour * 60 + moment.minute) * 60 + moment.second
    return day * DAY + seconds * 1_000_000 + moment.microsecond


def _clock(text: str) -> int:
    return int(text[:2]) * HOUR + int(text[3:]) * _MINUTE

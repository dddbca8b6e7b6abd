"""What documents count for, on its way between accounts that are merged, or become two again.

Two accounts add up what theirs use and count for. Numbers are the exception: both may have had a
first purchase. So counting goes on above both together, and while they are merged a number that is
given back is offered to nobody.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from ledger.core.counters import STREAK_KEPT, Day, Numbers
from ledger.core.counting import BENEFITS_KEPT, Counting
from ledger.core.instant import from_timestamp, to_timestamp
from ledger.core.state import Benefit, Part
from loyalty.v1.types_pb2 import (
    CounterDay,
    CounterState,
    FreedNumber,
    KeptBenefit,
    LastActivity,
    MovedCounts,
    QualifyingPoints,
    StreakPeriod,
    Usage,
)

Entry = tuple[str, Any]
"""A field of MovedCounts, and one of its values."""
_FIELDS: Final = (
    "usages",
    "counters",
    "streaks",
    "qualifying",
    "benefits",
    "activities",
)


def family(parts: Mapping[str, Part], source: str) -> frozenset[str]:
    """The accounts that come and go with one: itself, and those that had been merged into it."""
    found = {source}
    while more := {owner for owner, part in parts.items() if part.via in found} - found:
        found |= more
    return frozenset(found)


def entries(part: Part) -> Iterator[Entry]:
    """What a part counts for, one by one, in an order that does not change."""
    for (name, scope, period), total in sorted(part.usage.items()):
        yield "usages", Usage(name=name, scope=scope, period=period, total=total)
    for (counter, period), numbers in sorted(part.numbers.items()):
        yield "counters", _counter_state(counter, period, numbers)
    for counter, streak in sorted(part.streaks.items()):
        for period, documents in streak:
            yield "streaks", StreakPeriod(counter=counter, period=period, documents=documents)
    for (currency, window), points in sorted(part.qualifying.items()):
        yield (
            "qualifying",
            QualifyingPoints(currency=currency, tier_window=window, points=points),
        )
    for benefit in part.benefits:
        yield "benefits", _kept_benefit(benefit)
    for kind, at in sorted(part.last_activity.items()):
        yield "activities", LastActivity(kind=kind, activity_time=to_timestamp(at))


def count_of(moved: MovedCounts) -> int:
    """How many entries stand in a message."""
    return sum(len(getattr(moved, name)) for name in _FIELDS)


def slices(parts: Mapping[str, Part], begin: int, most: int) -> tuple[list[MovedCounts], bool]:
    """The entries of all parts from one on, at most so many; and whether there are no more.

    A part without entries is told as well, with the first entry behind it.
    """
    moved: list[MovedCounts] = []
    place = 0
    for owner in sorted(parts):
        of_owner: MovedCounts | None = None
        if begin <= place or not begin:
            of_owner = MovedCounts(owner_id=owner, via_id=parts[owner].via)
            moved.append(of_owner)
        for field, value in entries(parts[owner]):
            if place >= begin + most:
                return moved, False
            if place >= begin:
                if of_owner is None:
                    of_owner = MovedCounts(owner_id=owner, via_id=parts[owner].via)
                    moved.append(of_owner)
                getattr(of_owner, field).append(value)
            place += 1
    return moved, True


def add(counting: Counting, moved: MovedCounts) -> None:
    """Add what came to what is counted."""
    if moved.usages:
        counting.use([((use.name, use.scope, use.period), use.total) for use in moved.usages])
    for state in moved.counters:
        _add_numbers(counting, state)
    for period in moved.streaks:
        _add_streak(counting, period)
    for points in moved.qualifying:
        counting.qualify(points.currency, points.tier_window, points.points)
    if moved.benefits:
        _add_benefits(counting, moved.benefits)
    for last in moved.activities:
        counting.active(last.kind, from_timestamp(last.activity_time))


def combined(parts: Iterable[Part]) -> Counting:
    """What several parts count for together; of one alone, just that."""
    total: Counting | None = None
    for part in parts:
        if total is None:
            total = Counting(part)
            continue
        whole = MovedCounts()
        for field, value in entries(part):
            getattr(whole, field).append(value)
        add(total, whole)
    assert total is not None, "an account has a part of its own"
    return total


def _add_numbers(counting: Counting, state: CounterState) -> None:
    key = (state.counter, state.period)
    came = _numbers(state)
    here = counting.numbers_of(key)
    numbers = came if here is None else _above(here, came)
    counting.set_numbers(key, numbers)


def _above(here: Numbers, came: Numbers) -> Numbers:
    """Numbers of both: those that came count on above those that are here, and none is free."""
    known = {day.day for day in here.days}
    days = [
        day._replace(number=day.number + here.highest if day.number else 0)
        for day in came.days
        if day.day not in known
    ]
    return Numbers(here.highest + came.highest, (), tuple(sorted((*here.days, *days))))


def _add_streak(counting: Counting, period: StreakPeriod) -> None:
    counts = dict(counting.streak_of(period.counter))
    counts[period.period] = counts.get(period.period, 0) + period.documents
    kept = tuple(sorted(counts.items()))[-STREAK_KEPT:]
    counting.set_streak(period.counter, kept)


def _add_benefits(counting: Counting, came: Iterable[KeptBenefit]) -> None:
    benefits = [*counting.benefits, *(_benefit(each) for each in came)]
    benefits.sort(key=lambda benefit: (benefit.expires_at, benefit))
    counting.benefits = tuple(benefits[-BENEFITS_KEPT:])


def _counter_state(counter: str, period: str, numbers: Numbers) -> CounterState:
    return CounterState(
        counter=counter,
        period=period,
        highest=numbers.highest,
        freed=[FreedNumber(number=number, document=document) for number, document in numbers.freed],
        days=[
            CounterDay(day=day.day, number=day.number, documents=day.documents)
            for day in numbers.days
        ],
    )


def _numbers(state: CounterState) -> Numbers:
    return Numbers(
        state.highest,
        tuple((freed.number, freed.document) for freed in state.freed),
        tuple(Day(day.day, day.number, day.documents) for day in state.days),
    )


def _kept_benefit(benefit: Benefit) -> KeptBenefit:
    return KeptBenefit(
        document=benefit.document,
        rule=benefit.rule,
        benefit=benefit.benefit,
        quantity=benefit.quantity,
        expire_time=to_timestamp(benefit.expires_at),
        campaign=benefit.campaign,
    )


def _benefit(kept: KeptBenefit) -> Benefit:
    return Benefit(
        kept.document,
        kept.rule,
        kept.benefit,
        kept.quantity,
        from_timestamp(kept.expire_time),
        kept.campaign,
    )

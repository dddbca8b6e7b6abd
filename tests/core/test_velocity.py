"""Limits of velocity in the core: never passed in any window, and free again when it is said."""

from collections.abc import Sequence
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.commands import Speed
from ledger.core.instant import DAY, SECOND, Instant, from_datetime
from ledger.core.refusals import VelocityExceeded
from ledger.core.usage import UsageKey
from ledger.core.velocity import use_speeds
from rules import Policy, SpeedLimit, speed_limits
from tests.rules.documents import policy
from tests.rules.test_velocity import TEXT

HOUR = DAY // 24
START: Instant = 1_772_000_000 * SECOND
ROLLING: Policy = policy(
    TEXT.split("velocity:")[0]
    + "velocity: [{id: r, verbs: [burn], per: member, hours: 6, count: 3, points: 50, currency: p}]"
)


def limit_at(at: Instant) -> SpeedLimit:
    [limit] = speed_limits(ROLLING, "burn", business_unit="a", currency="p", at=at)
    return limit


def attempts(
    doings: Sequence[tuple[int, int]],
) -> tuple[list[tuple[Instant, int]], list[tuple[Instant, int, VelocityExceeded]]]:
    """What of (wait, points) was done and what was refused, each with its time."""
    used: dict[UsageKey, int] = {}
    done: list[tuple[Instant, int]] = []
    turned_away: list[tuple[Instant, int, VelocityExceeded]] = []
    at = START
    for wait, points in doings:
        at += wait * 60 * SECOND
        try:
            usages = use_speeds(used, [Speed(limit_at(at), "", {})], points)
        except VelocityExceeded as refusal:
            turned_away.append((at, points, refusal))
            continue
        done.append((at, points))
        for usage in usages:
            key = usage.name, usage.scope, usage.period
            used[key] = used.get(key, 0) + usage.change
    return done, turned_away


def turned_away_by(used: dict[UsageKey, int], at: Instant, points: int) -> set[str]:
    """What is exceeded when so many points are used at an instant; nothing where there is room."""
    try:
        use_speeds(used, [Speed(limit_at(at), "", {})], points)
    except VelocityExceeded as refusal:
        return {refusal.what}
    return set()


DOINGS = st.lists(st.tuples(st.integers(0, 240), st.integers(1, 60)), max_size=30)


@given(DOINGS)
def test_no_window_has_more_than_the_limit(doings: Sequence[tuple[int, int]]) -> None:
    done, _ = attempts(doings)
    for at, _ in done:
        within = [points for other, points in done if at - 6 * HOUR < other <= at]
        assert len(within) <= 3
        assert sum(within) <= 50


@given(DOINGS)
def test_who_waits_until_it_is_free_is_not_refused_for_the_same_reason(
    doings: Sequence[tuple[int, int]],
) -> None:
    done, turned_away = attempts(doings)
    for at, points, refusal in turned_away:
        if not refusal.free_at:
            assert points > 50
            continue
        free_at = from_datetime(datetime.fromisoformat(refusal.free_at))
        assert at < free_at <= at + 6 * HOUR + 30 * 60 * SECOND
        used: dict[UsageKey, int] = {}
        for other, amount in done:
            if other <= at:
                for usage in use_speeds({}, [Speed(limit_at(other), "", {})], amount):
                    key = usage.name, usage.scope, usage.period
                    used[key] = used.get(key, 0) + usage.change
        assert refusal.what not in turned_away_by(used, free_at, points)


def test_a_limit_names_what_is_used_and_how_much_more_was_asked_for() -> None:
    with pytest.raises(VelocityExceeded) as exceeded:
        use_speeds({}, [Speed(limit_at(START), "", {})], 51)
    assert exceeded.value.fields == {
        "limit": "r",
        "per": "member",
        "what": "points",
        "most": 50,
        "used": 0,
        "requested": 51,
        "window": "6 hours",
    }

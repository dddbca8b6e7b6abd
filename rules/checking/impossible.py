"""Conditions that can be met each by itself, and never together."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from rules.model import AttributeTest, TimeWindow, When

_DAY = timedelta(days=1)


def contradictions(whens: Iterable[When]) -> str:
    """Say why conditions that must all hold never do; "" when they may."""
    together = [inner for when in whens for inner in _together(when)]
    return (
        _windows([when.window for when in together if when.window is not None])
        or _segments(together)
        or _attributes([test for when in together for test in when.member])
        or _choices(together)
    )


def _together(when: When) -> Iterator[When]:
    yield when
    for inner in when.all:
        yield from _together(inner)


def _windows(windows: list[TimeWindow]) -> str:
    begins = [window.from_ for window in windows if window.from_ is not None]
    ends = [window.until for window in windows if window.until is not None]
    # Windows of two zones lie up to a day apart.
    slack = timedelta() if len({window.zone for window in windows}) <= 1 else _DAY
    if begins and ends and min(ends) + slack <= max(begins):
        end, begin = min(ends).isoformat(), max(begins).isoformat()
        return f"one window ends at {end}, another begins at {begin}"
    return ""


def _segments(together: list[When]) -> str:
    refused = {name for when in together for name in when.segment_none}
    for when in together:
        if when.segment_any and refused.issuperset(when.segment_any):
            return f"segment {when.segment_any[0]!r} is both wanted and refused"
    return ""


def _attributes(tests: list[AttributeTest]) -> str:
    by_name: dict[str, list[AttributeTest]] = {}
    for test in tests:
        by_name.setdefault(test.attr, []).append(test)
    return next((why for name, found in by_name.items() if (why := _one(name, found))), "")


def _one(name: str, tests: list[AttributeTest]) -> str:
    """Hold the tests of one attribute against each other, which compare as they are written."""
    equal = {_order(test.value) for test in tests if test.op == "eq"}
    if len(equal) > 1:
        return f"{name!r} cannot be two values at once"
    least = [_order(test.value) for test in tests if test.op == "gte"]
    most = [_order(test.value) for test in tests if test.op == "lte"]
    if least and most and max(least) > min(most):
        return f"{name!r} cannot be at least {max(least)[1]} and at most {min(most)[1]}"
    for value in equal:
        if (least and value < max(least)) or (most and value > min(most)):
            return f"{name!r} is to be {value[1]}, which another test refuses"
        if any(test.op == "ne" and _order(test.value) == value for test in tests):
            return f"{name!r} is to be {value[1]}, which another test refuses"
    return ""


def _order(value: object) -> tuple[int, str]:
    """Order whole numbers by size, days and words by their text."""
    text = str(value)
    try:
        return int(text), text
    except ValueError:
        return 0, text


def _choices(together: list[When]) -> str:
    for when in together:
        if when.any and all(contradictions([choice]) for choice in when.any):
            return f"none of its 'any' can hold: {contradictions(when.any[:1])}"
    unwanted = [refused for when in together for refused in when.none]
    if any(refused in together or refused == When() for refused in unwanted):
        return "'none' refuses what the other conditions ask"
    return ""

"""Checks of single conditions: each asks something that can be answered, and can be met."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta

from rules.checking.subject import Findings, Subject
from rules.expr import ExprError, Node, parse
from rules.expr.nodes import Name, children
from rules.model import AttributeTest, Birthday, Counter, CounterTest, TimeWindow, When
from rules.reading import Place
from rules.shapes import walk

Value = str | int | bool

_OPERATORS = {
    "int": ("eq", "ne", "in", "gte", "lte"),
    "string": ("eq", "ne", "in"),
    "bool": ("eq", "ne"),
    "date": ("eq", "ne", "in", "gte", "lte"),
    "string_list": ("contains",),
}
_SAMPLES = {
    "int": "a whole number like 3",
    "string": "a word",
    "bool": "true or false",
    "date": "a day like 2026-06-01",
    "string_list": "a word",
}


def condition_findings(subject: Subject) -> Findings:
    """Find conditions that make no sense by themselves."""
    types = {entry.id: entry.type for entry in subject.model.member_attributes}
    for place, part in subject.parts:
        if isinstance(part, TimeWindow):
            yield from _window(subject, place, part)
        elif isinstance(part, Birthday):
            if part.month and (part.days_before or part.days_after):
                yield subject.error(place, "say either 'month' or days around the birthday")
        elif isinstance(part, AttributeTest):
            yield from _attribute(subject, place, part, types.get(part.attr, ""))
        elif isinstance(part, When):
            for key, number in _empty_choices(part):
                message = "asks nothing, so it always holds"
                yield subject.warning((*place, key, number), message)


def _empty_choices(when: When) -> Iterator[tuple[str, int]]:
    """Find conditions in `any` and `none` that ask nothing: they decide for all the others."""
    for key, choices in (("any", when.any), ("none", when.none)):
        for number, choice in enumerate(choices):
            if choice == When():
                yield key, number


def _window(subject: Subject, place: Place, window: TimeWindow) -> Findings:
    first, until = window.from_, window.until
    if first is not None and until is not None and until <= first:
        message = f"{until.isoformat()} is not after 'from' {first.isoformat()}: it is never in it"
        yield subject.error((*place, "until"), message)
    elif until is not None:
        # A day's grace, because the window is in local time and the policy's beginning is not.
        begins = subject.model.effective_from.replace(tzinfo=None) - timedelta(days=1)
        if until <= begins:
            message = f"{until.isoformat()} is over before the policy takes effect"
            yield subject.warning((*place, "until"), message)
    if window.local_time is not None and window.local_time[0] == window.local_time[1]:
        message = f"begins and ends at {window.local_time[0]}: for the whole day, leave it out"
        yield subject.error((*place, "local_time"), message)
    elif window.local_time is not None and window.local_time[0] == "24:00":
        message = "begins at 24:00: write 00:00"
        yield subject.error((*place, "local_time"), message)


def _attribute(subject: Subject, place: Place, test: AttributeTest, kind: str) -> Findings:
    if not kind:
        return
    allowed = _OPERATORS[kind]
    if test.op not in allowed:
        message = f"{test.attr!r} is of type {kind}, which has {', '.join(allowed)}"
        yield subject.error((*place, "op"), f"{test.op!r} does not fit: {message}")
        return
    several = isinstance(test.value, tuple)
    if several and test.op not in ("in", "contains"):
        yield subject.error((*place, "value"), f"{test.op!r} compares with one value, not a list")
        return
    values = test.value if isinstance(test.value, tuple) else (test.value,)
    if not values:
        yield subject.error((*place, "value"), "an empty list is met by nobody")
    for number, value in enumerate(values):
        if not _READS[kind](value):
            at: Place = (*place, "value", number) if several else (*place, "value")
            message = f"{test.attr!r} is of type {kind}: write {_SAMPLES[kind]}, not {value!r}"
            yield subject.error(at, message)


def _is_whole(value: Value) -> bool:
    if isinstance(value, bool):
        return False
    digits = str(value).removeprefix("-")
    return digits.isascii() and digits.isdigit() and len(digits) <= 18


def _is_date(value: Value) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


_READS: dict[str, Callable[[Value], bool]] = {
    "int": _is_whole,
    "string": lambda value: isinstance(value, str) and value != "",
    "bool": lambda value: value in (True, False, "true", "false") and not _is_whole(value),
    "date": _is_date,
    "string_list": lambda value: isinstance(value, str) and value != "",
}


def counter_findings(subject: Subject) -> Findings:
    """Find counters that count by themselves, and keys of a counter that have no effect."""
    asks = {counter.id: _asked_counters(counter) for counter in subject.model.counters}
    for number, counter in enumerate(subject.model.counters):
        place: Place = ("counters", number)
        if counter.id in _reached(asks, counter.id):
            message = "its number depends on itself: 'when' asks for it, or for one that does"
            yield subject.error((*place, "when"), message)
        if counter.kind == "streak" and counter.period == "lifetime":
            yield subject.error((*place, "period"), "a streak needs a period that comes again")
        if counter.kind == "count" and counter.missed_allowed:
            message = "has no effect: only a streak can miss a period"
            yield subject.warning((*place, "missed_allowed"), message)


def _asked_counters(counter: Counter) -> frozenset[str]:
    asked: set[str] = set()
    for _, part in walk(counter.when):
        if isinstance(part, CounterTest):
            asked.add(part.counter)
        elif isinstance(part, When) and part.expr is not None:
            try:
                asked |= _counters_in(parse(part.expr))
            except ExprError:
                continue
    return frozenset(asked)


def _counters_in(node: Node) -> set[str]:
    found = {node.field} if isinstance(node, Name) and node.root == "counter" else set()
    return found.union(*map(_counters_in, children(node)))


def _reached(asks: dict[str, frozenset[str]], start: str) -> set[str]:
    """Find every counter that the one at `start` depends on."""
    reached: set[str] = set()
    waiting = list(asks.get(start, ()))
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += asks.get(name, ())
    return reached

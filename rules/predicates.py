"""Derived facts about members: what conditions ask of them, as texts that can be pinned.

Attributes, segments and birthdays never enter the history; of a document's member it keeps which of
these predicates held. Under pins the texts decide, and nobody looks at the member again.
"""

import json
from calendar import isleap
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from fractions import Fraction
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

from rules.atoms import Predicate
from rules.expressions import Expressions
from rules.facts import AttributeValue, MemberFacts
from rules.model import AttributeTest, Birthday
from rules.zones import date_of, day_number

BEFORE_ENROLMENT = "before_enrolment"
_MILLION = 10**6
_Holds = Callable[[AttributeValue], bool]


class _Attribute(NamedTuple):
    text: str
    holds: _Holds
    of_the_absent: bool


class _HoldOut(NamedTuple):
    text: str
    campaign: str
    below: int


class Predicates:
    """The predicates of a policy: collected while its conditions are read, then asked of members.

    `types` are those of the declared attributes, `counters` the declared ones; without them
    conditions are read for their shape alone. With `before_enrolment`, it is a predicate that the
    document occurred before the member enrolled.
    """

    def __init__(
        self,
        types: Mapping[str, str] | None = None,
        counters: Iterable[str] = (),
        *,
        before_enrolment: bool = False,
    ) -> None:
        self._types = types or {}
        self.expressions = Expressions(types, counters)
        self._before_enrolment = before_enrolment
        self._segments: dict[str, str] = {}
        self._attributes: dict[str, dict[str, _Attribute]] = {}
        self._birthdays: dict[str, Birthday] = {}
        self._hold_outs: dict[str, _HoldOut] = {}

    def segment(self, name: str) -> Predicate:
        """The member is in a segment."""
        return Predicate(self._segments.setdefault(name, f"segment:{name}"))

    def attribute(self, test: AttributeTest) -> Predicate:
        """A test of an attribute holds."""
        kind = self._types.get(test.attr, "string")
        several = isinstance(test.value, tuple)
        given = test.value if isinstance(test.value, tuple) else (test.value,)
        values = tuple(_typed(one, kind) for one in given)
        shown = json.dumps(values if several else values[0], ensure_ascii=False)
        text = f"attr:{test.attr} {test.op} {shown}"
        holds = _TESTS[test.op](values)
        form = _FORMS[kind]
        self._attributes.setdefault(test.attr, {})[text] = _Attribute(
            text,
            # A value of another type than the declared one is no value.
            lambda value: holds(value) if type(value) is form else test.op == "ne",
            test.op == "ne",
        )
        return Predicate(text)

    def birthday(self, birthday: Birthday) -> Predicate:
        """The document's local day is near the member's birthday."""
        text = (
            "birthday:month"
            if birthday.month
            else f"birthday:-{birthday.days_before}+{birthday.days_after}"
        )
        self._birthdays[text] = birthday
        return Predicate(text)

    def hold_out(self, campaign: str, share: Fraction) -> Predicate:
        """The member gets nothing from a campaign, so that what it does can be measured."""
        text = f"holdout:{campaign}"
        self._hold_outs[text] = _HoldOut(text, campaign, _millionths(share))
        return Predicate(text)

    def held(
        self, member: MemberFacts, tier: str | None, *, occurred_at: int, local_day: int
    ) -> tuple[str, ...]:
        """Give the texts of what holds for a member of a tier at an instant, sorted."""
        found = self.expressions.held(member, tier)
        if self._segments:
            found += [text for name, text in self._segments.items() if name in member.segments]
        if self._attributes:
            found += self._of_attributes(member)
        if member.birthday is not None and self._birthdays:
            today = date_of(local_day)
            for text, birthday in self._birthdays.items():
                if _near(birthday, member.birthday, today):
                    found.append(text)
        if self._hold_outs and member.member_id:
            for out in self._hold_outs.values():
                if _place(out.campaign, member.member_id) < out.below:
                    found.append(out.text)
        since = member.enrolled_at
        if self._before_enrolment and since is not None and occurred_at < since:
            found.append(BEFORE_ENROLMENT)
        return tuple(sorted(found))

    def _of_attributes(self, member: MemberFacts) -> Iterator[str]:
        for name, tests in self._attributes.items():
            value = member.attributes.get(name)
            for text, test in tests.items():
                if test.of_the_absent if value is None else test.holds(value):
                    yield text


def is_held_out(campaign: str, member_id: str, share: Fraction) -> bool:
    """Say whether a member gets nothing from a campaign: `share` of all do, by their id alone."""
    return _place(campaign, member_id) < _millionths(share)


@lru_cache(maxsize=8192)
def _place(campaign: str, member_id: str) -> int:
    """Give a member's place in a campaign, one of a million that are equally likely."""
    first = sha256(f"{campaign}/{member_id}".encode()).digest()[:8]
    return int.from_bytes(first) % _MILLION


def _millionths(share: Fraction) -> int:
    """Give the first place that is not within a share."""
    return -(-share.numerator * _MILLION // share.denominator)


def _typed(value: str | int | bool, kind: str) -> str | int | bool:
    """Read a test's value, which a file gives as text, as the attribute's type has it."""
    if kind == "int":
        return int(value)
    if kind == "bool":
        return value if isinstance(value, bool) else value == "true"
    return str(value)


_FORMS: Mapping[str, type] = {
    "int": int,
    "string": str,
    "bool": bool,
    "date": str,
    "string_list": tuple,
}
_Values = tuple[str | int | bool, ...]


def _among(values: _Values) -> _Holds:
    known = frozenset(values)
    return lambda value: not known.isdisjoint(value) if isinstance(value, tuple) else value in known


def _contains(values: _Values) -> _Holds:
    def holds(value: AttributeValue) -> bool:
        if isinstance(value, tuple):
            return any(one in value for one in values)
        return isinstance(value, str) and any(str(one) in value for one in values)

    return holds


def _not_among(values: _Values) -> _Holds:
    among = _among(values)
    return lambda value: not among(value)


def _ordered(values: _Values, *, from_below: bool) -> _Holds:
    bound = values[0] if values else ""

    def holds(value: AttributeValue) -> bool:
        if isinstance(value, str) and isinstance(bound, str):
            return value >= bound if from_below else value <= bound
        if isinstance(value, int) and isinstance(bound, int):
            return value >= bound if from_below else value <= bound
        return False

    return holds


_TESTS: Mapping[str, Callable[[_Values], _Holds]] = {
    "eq": _among,
    "in": _among,
    "ne": _not_among,
    "contains": _contains,
    "gte": lambda values: _ordered(values, from_below=True),
    "lte": lambda values: _ordered(values, from_below=False),
}


def _near(terms: Birthday, birthday: tuple[int, int], today: date) -> bool:
    if terms.month:
        return today.month == birthday[0]
    day = day_number(today)
    for year in (today.year - 1, today.year, today.year + 1):
        one = day_number(_in_year(birthday, year))
        if one - terms.days_before <= day <= one + terms.days_after:
            return True
    return False


def _in_year(birthday: tuple[int, int], year: int) -> date:
    """Give the day of a birthday; that of 29 February is the 28th in common years."""
    month, day = birthday
    if (month, day) == (2, 29) and not isleap(year):
        day = 28
    return date(year, month, day)

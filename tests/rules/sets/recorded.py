"""A plain ledger around the row engine: what the set engine has to agree with."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any, NamedTuple

import polars as pl

from rules import (
    Award,
    CapKey,
    CounterKey,
    DocumentFacts,
    MemberFacts,
    Policy,
    RulesRefusal,
    evaluate,
    pin,
)
from rules.sets import DOCUMENTS, row_of


class Posted(NamedTuple):
    """A document with whom it belongs to."""

    document: DocumentFacts
    member: MemberFacts
    household: str = ""


class PlainRoom:
    """Room as a ledger has it that only ever posts new documents."""

    def __init__(self) -> None:
        self.caps: Counter[tuple[str, str, str]] = Counter()
        self.numbers: Counter[tuple[str, str, str]] = Counter()
        self.days: dict[tuple[str, str, str], dict[str, int]] = {}
        self.streaks: dict[tuple[str, str], set[int]] = {}
        self.member = self.household = ""

    def used(self, cap: CapKey) -> int:
        return self.caps[self._key(cap)]

    def had(self, cap: CapKey) -> int:
        return 0

    def number(self, counter: CounterKey) -> int:
        if counter.kind == "streak":
            known = self.streaks.get((self.member, counter.counter), set())
            last, length = _ordinal(counter.period), 1
            for one in sorted((one for one in known if one < last), reverse=True):
                if last - one - 1 > counter.missed_allowed:
                    break
                last, length = one, length + 1
            return length
        key = (self.member, counter.counter, counter.period)
        if counter.by_day:
            days = self.days.get(key, {})
            return days.get(counter.day, len(days) + 1)
        return self.numbers[key] + 1

    def take(self, award: Award, *, final: bool) -> None:
        for cap, _, points in award.uses:
            self.caps[self._key(cap)] += points
        for counter, number in award.numbers if final else ():
            key = (self.member, counter.counter, counter.period)
            if counter.kind == "streak":
                known = self.streaks.setdefault((self.member, counter.counter), set())
                known.add(_ordinal(counter.period))
            elif counter.by_day:
                self.days.setdefault(key, {})[counter.day] = number
            else:
                self.numbers[key] += 1

    def _key(self, cap: CapKey) -> tuple[str, str, str]:
        whose = self.member if cap.per == "member" else ""
        if cap.per == "household":
            whose = f"household/{self.household}" if self.household else self.member
        return cap.name, whose, cap.period


def _ordinal(period: str) -> int:
    if "W" in period:
        year, _, week = period.partition("-W")
        return date.fromisocalendar(int(year), int(week), 1).toordinal() // 7
    if len(period) == len("2026-05-01"):
        return date.fromisoformat(period).toordinal()
    year, _, month = period.partition("-")
    return int(year) * 12 + int(month) if month else int(year)


def one_by_one(policy: Policy, history: Iterable[Posted]) -> Iterator[tuple[str, list[Any]]]:
    """Give each document's refusal, or else its grants, from the row engine."""
    room = PlainRoom()
    for document, member, household in history:
        room.member, room.household = member.member_id, household
        try:
            award = evaluate(policy, document, member, room=room)
        except RulesRefusal as refused:
            yield refused.reason, []
            continue
        room.take(award, final=document.status == "FINAL")
        yield (
            "",
            [
                (
                    grant.rule,
                    grant.currency,
                    grant.funder,
                    grant.campaign,
                    grant.qualifying,
                    grant.wanted,
                    grant.granted,
                    grant.cut_by,
                )
                for grant in award.grants
            ],
        )


def frame_of(policy: Policy, history: Iterable[Posted]) -> pl.DataFrame:
    """Write a history as the set engine reads it."""
    rows = []
    for document, member, household in history:
        try:
            predicates = pin(policy, document, member).predicates
        except RulesRefusal:
            predicates = ()
        rows.append(
            row_of(
                document,
                member=member.member_id,
                tier=member.tier,
                predicates=predicates,
                household=household,
            )
        )
    return pl.DataFrame(rows, schema=DOCUMENTS, orient="row")

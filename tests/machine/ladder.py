"""The clerk's model of tiers: what counts for them, who has which, until when.

Points for status count for the year of their document, once that is final. 100 of a year are silver
and 250 gold, at once; each lasts a month, and then what the year has by then decides: it takes 40
and 120 to keep them. Instead of points nights may do it, which come in from an older programme.
"""

from calendar import monthrange
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from tests.machine.books import DAY
from tests.machine.standing import Standing

FIRST_DAY = date(2025, 12, 25)
"""A Thursday."""
REACH = {"silver": (100, 5), "gold": (250, 12)}
KEEP = {"silver": (40, 2), "gold": (120, 6)}
"""Points for status, or nights, of a year."""
RANKS = {"basic": 0, "silver": 1, "gold": 2}
FOR_EVER = 2**62

Span = dict[str, Any]
"""A tier from an instant on: until when, the year that gave it, whether it was kept then,
or given by somebody."""


def date_of(now: int) -> date:
    return FIRST_DAY + timedelta(days=now // DAY)


class Ladder(Standing):
    """A member's tiers, the newest last; whoever is merged into another keeps theirs for later."""

    def __init__(self) -> None:
        super().__init__()
        self.tiers: dict[str, list[Span]] = {}
        self.brought: dict[str, dict[str, list[Span]]] = {}
        """By account to which others came, what it and each of them had: the tier in force last."""

    def owner(self, document: str) -> str | None:
        """Whose a document is now; None while it is nobody's, or nothing was posted."""
        known = self.documents.get(document)
        return known["versions"][max(known["versions"])]["member"] if known else None

    def spans(self, member: str) -> list[Span]:
        """All tiers of the account that a member is part of."""
        return self.tiers.setdefault(self.place(member), [])

    def tier(self, member: str, now: int) -> tuple[str, int | None]:
        """The tier in force, and its end."""
        self.tick(member, now)
        newest = self.spans(member)[-1:]
        return (newest[0]["tier"], newest[0]["until"]) if newest else ("", None)

    def tier_at(self, member: str, at: int) -> str:
        """The tier that was valid at an instant, as far as is known."""
        valid = [
            span["tier"] for span in self.spans(member) if span["since"] <= at and _valid(span, at)
        ]
        return valid[-1] if valid else ""

    def status(self, member: str, what: str, year: int | None = None) -> int:
        """Points for status that a member's documents gave, or that came in, and count or wait."""
        family = self.family(member)
        found = [
            (known["status"]["year"], known["status"][what])
            for document, known in self.documents.items()
            if self.owner(document) in family
        ]
        if what == "counts":
            found += [opened for each in family for opened in self.members[each]["opened"]]
        return sum(points for of, points in found if year in (None, of))

    def settle_status(self, document: str, points: int, year: int, status: str) -> bool:
        """A document gives so many for status; whether some of those that counted are taken."""
        had = self.documents[document]["status"]
        if had["year"] != year:
            had.update(year=year, waits=0)
        less = max(0, had["counts"] + had["waits"] - points)
        more = max(0, points - had["counts"] - had["waits"])
        taken = max(0, less - had["waits"])
        had["waits"] -= less - taken
        had["counts"] -= taken
        had["waits"] += more
        if status == "final":
            had["counts"] += had["waits"]
            had["waits"] = 0
        return bool(taken)

    # The questions

    def ask(self, member: str, at: int, *, refunded: bool = False) -> None:
        """Something was counted, or taken back."""
        *beneath, found = self._answer(member, at, refunded=refunded)
        newest = self.spans(member)[-1:]
        if beneath or not newest or _what(newest[0]) != _what(found):
            self.spans(member).extend([*beneath, found])

    def tick(self, member: str, now: int) -> None:
        """The end of a tier asks what follows."""
        super().tick(member, now)
        spans = self.spans(member)
        while spans and spans[-1]["until"] is not None and spans[-1]["until"] <= now:
            spans.append(self._follows(member, spans[-1]["until"], spans[-1]))

    def _answer(self, member: str, at: int, *, refunded: bool) -> list[Span]:
        """The tier from now on; before it what it has beneath it now, if it was given."""
        spans = self.spans(member)
        if not spans or not spans[-1]["tier"]:
            return [self._best(member, at, at) or _basic(at)]
        newest = spans[-1]
        if newest["until"] is not None and newest["until"] <= at:
            return [self._follows(member, at, newest)]
        if refunded and not self._stands(member, at, newest):
            left = self._without(member, at, spans)
            kept = self._or_given(member, at, left)
            return [left, kept] if kept["given"] else [kept]
        covered = self._covered(spans) if refunded and newest["given"] else []
        if covered and _valid(covered[-1], at) and not self._stands(member, at, covered[-1]):
            return [self._without(member, at, covered), anew(newest, at)]
        return [self._risen(member, at, newest)]

    def _risen(self, member: str, at: int, newest: Span) -> Span:
        """A higher tier as soon as it is reached, else the one there is."""
        year = date_of(at).year
        for tier in reversed(REACH):
            higher = RANKS[tier] > RANKS[newest["tier"]]
            if higher and self._has(member, year, REACH[tier]):
                return _lasting(tier, at, at, year)
        return newest

    def _follows(self, member: str, at: int, newest: Span) -> Span:
        """What a tier's end leaves: what is reached or kept; no year gives a tier twice.

        What was given covered what there was before it, and what was reached meanwhile.
        """
        if newest["given"]:
            beneath = self._beneath(member, at)
            found = self._best(member, at, at - 1, held=beneath["tier"])
            better = found and RANKS[found["tier"]] > RANKS[beneath["tier"]]
            return self._or_given(member, at, found if found and better else beneath)
        found = self._best(member, at, at - 1, held=newest["tier"], after=newest["year"])
        return self._or_given(member, at, found or _basic(at))

    def _or_given(self, member: str, at: int, found: Span) -> Span:
        """What somebody gave, to whoever is part of the account, outlives what came over it."""
        parts = self.brought.get(self.place(member), {}).values()
        given = given_of([*self.spans(member), *(span for part in parts for span in part)], at)
        best = max([found, *given], key=worth)
        return anew(best, at) if best["given"] else best

    def _beneath(self, member: str, at: int) -> Span:
        """The tier before the newest that nobody gave, if it is still valid."""
        return _still(self._covered(self.spans(member)), at)

    def _covered(self, spans: Sequence[Span]) -> list[Span]:
        """All tiers up to the last before the newest that nobody gave, and that it can cover."""
        *earlier, newest = spans
        highest = RANKS.get(newest["tier"], 0) if newest["given"] else len(RANKS)
        while earlier and (earlier[-1]["given"] or RANKS.get(earlier[-1]["tier"], 0) > highest):
            earlier.pop()
        return earlier

    def _stands(self, member: str, at: int, span: Span) -> bool:
        """Whether a tier would be there without what was taken back."""
        if span["given"]:
            return True
        year, tier = date_of(at).year, span["tier"]
        if tier in ("", "basic") or self._has(member, year, REACH[tier]):
            return True
        if span["year"] not in (year, year - 1):
            return True
        carried = span["carried"] or span["year"] != year
        return self._has(member, span["year"], (KEEP if carried else REACH)[tier])

    def _without(self, member: str, at: int, spans: Sequence[Span]) -> Span:
        """The tier before the newest of these if there is still enough for that, or a better one
        that there is.
        """
        newest = spans[-1]
        lower = RANKS[newest["tier"]]
        found = self._best(member, at, at, held=newest["tier"], below=lower, keep=False)
        left, covered = found or _basic(at), self._covered(spans)
        while covered and not self._stands(member, at, covered[-1]):
            covered = self._covered(covered)
        beneath = _still(covered, at)
        return beneath if RANKS[left["tier"]] <= RANKS[beneath["tier"]] < lower else left

    def _best(
        self, member: str, at: int, looked: int, *, held: str = "", after: int = 0,
        below: int = 99, keep: bool = True,
    ) -> Span | None:  # fmt: skip
        """The highest tier that this year or the one before it gives."""
        year = date_of(looked).year
        for tier in reversed(REACH):
            kept = RANKS.get(held, -1) >= RANKS[tier]
            for of in (year, year - 1):
                if RANKS[tier] >= below or (of != year and of <= after):
                    continue
                enough = KEEP[tier] if kept and (keep or of != year) else REACH[tier]
                found = {**_lasting(tier, at, looked, of), "carried": kept and keep}
                if self._has(member, of, enough) and _valid(found, at):
                    return found
        return None

    def _has(self, member: str, year: int, need: tuple[int, int]) -> bool:
        points, nights = need
        told = (each for one in self.family(member) for each in self.members[one]["nights"])
        stayed = sum(number for of, number in told if of == year)
        return self.status(member, "counts", year) >= points or stayed >= nights


def _still(spans: Sequence[Span], at: int) -> Span:
    """The newest of these tiers, if it is not over."""
    newest = spans[-1] if spans else _basic(at)
    return anew(newest, at) if newest["tier"] and _valid(newest, at) else _basic(at)


def _basic(since: int) -> Span:
    return {
        "tier": "basic",
        "since": since,
        "until": None,
        "year": 0,
        "carried": False,
        "given": False,
    }


def _lasting(tier: str, since: int, reached: int, year: int) -> Span:
    """A tier to the end of that day a month after it was reached, or of the month's last."""
    day = date_of(reached)
    first = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    last = first.replace(day=min(day.day, monthrange(first.year, first.month)[1]))
    until = ((last - FIRST_DAY).days + 1) * DAY
    return {
        "tier": tier,
        "since": since,
        "until": until,
        "year": year,
        "carried": False,
        "given": False,
    }


def anew(span: Span, since: int) -> Span:
    """The same tier, as if it had just been reached."""
    return {**span, "since": since, "carried": False}


def given_of(spans: Sequence[Span], at: int) -> list[Span]:
    """What somebody gave and is not over."""
    return [span for span in spans if span["given"] and _valid(span, at)]


def worth(span: Span) -> tuple[int, int]:
    """The higher tier, and of two alike the one that lasts longer."""
    return RANKS.get(span["tier"], 0), until_of(span)


def until_of(span: Span) -> int:
    return FOR_EVER if span["until"] is None else int(span["until"])


def _what(span: Span) -> tuple[str, bool]:
    return span["tier"], span["given"]


def _valid(span: Span, at: int) -> bool:
    return span["until"] is None or bool(span["until"] > at)

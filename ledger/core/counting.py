"""What a document counts for besides points, while facts are applied to an account."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final

from ledger.core.changing import Changing
from ledger.core.counters import (
    NO_NUMBERS,
    CounterPeriods,
    Numbers,
    Streak,
    given_back,
    is_forgotten,
    set_period,
    streak_changed,
    taken,
)
from ledger.core.instant import Instant, from_datetime, from_timestamp
from ledger.core.standing import fold_old_windows
from ledger.core.state import Account, Benefit, Part
from ledger.core.usage import Usage, UsageKey, Uses, own_changes
from loyalty.v1.events_pb2 import DocumentMovedOut, DocumentPosted
from loyalty.v1.types_pb2 import DOCUMENT_KIND_ACTIVITY, DOCUMENT_STATUS_FINAL, CounterNumber

BENEFITS_KEPT: Final = 200
"""Of more benefits those that end last are remembered; the history has them all."""
EARN: Final = "earn"
BURN: Final = "burn"
TRANSFER: Final = "transfer"
_NEVER: Final = -(2**63)


class Counting:
    """Usage, numbers, benefits and activity of an account. What was read of it stays as it was."""

    __slots__ = (
        "_last_activity",
        "_numbers",
        "_qualifying",
        "_streaks",
        "_usage",
        "benefits",
        "of_several",
    )

    def __init__(self, kept: Account | Part) -> None:
        self.of_several = isinstance(kept, Account) and bool(kept.parts)
        """It is what the documents of several merged accounts count for together."""
        self.benefits = kept.benefits
        self._usage = Uses(kept.usage)
        self._numbers = Changing(kept.numbers)
        self._streaks = Changing(kept.streaks)
        self._last_activity = Changing(kept.last_activity)
        self._qualifying = Changing(kept.qualifying)

    @property
    def usage(self) -> Usage:
        """What documents use, and count for towards tiers."""
        return self._usage.shown

    @property
    def numbers(self) -> CounterPeriods:
        """Numbers in counters."""
        return self._numbers.shown

    @property
    def streaks(self) -> Mapping[str, Streak]:
        """By counter."""
        return self._streaks.shown

    @property
    def last_activity(self) -> Mapping[str, Instant]:
        """By what was done, when it last was."""
        return self._last_activity.shown

    @property
    def qualifying(self) -> Mapping[tuple[str, str], int]:
        """Tier-qualifying points by (currency, window)."""
        return self._qualifying.shown

    def post(self, posted: DocumentPosted) -> None:
        """Count a document's version."""
        if posted.usages:
            self.use(own_changes(posted.usages))
        if posted.numbers or posted.benefits or self.benefits:
            document = posted.document
            key = document_key(posted.business_unit, document.source, document.document_id)
            for number in posted.numbers:
                if number.change:
                    self._number(number, key)
            if posted.benefits or self.benefits:
                self._benefit(posted, key)
        if posted.document.kind == DOCUMENT_KIND_ACTIVITY:
            self._act(posted)

    def leave(self, left: DocumentMovedOut) -> None:
        """Count a document no more, which is another account's from now on."""
        self.use(own_changes(left.usages))
        for number in left.numbers:
            self._number(number, left.document)
        self.benefits = tuple(had for had in self.benefits if had.document != left.document)

    def use(self, changes: Collection[tuple[UsageKey, int]]) -> None:
        """Use more or less in periods."""
        if changes:
            self._usage.change(changes)

    def qualify(self, currency: str, window: str, points: int) -> None:
        """Count points for tiers."""
        qualifying = self._qualifying.own()
        counted = qualifying.get((currency, window))
        if counted is None and points < 0:
            # A window too old to be kept by itself.
            window, counted = "", qualifying.get((currency, ""))
        qualifying[currency, window] = (counted or 0) + points
        if counted is None:
            fold_old_windows(qualifying, (currency,), window)

    def active(self, kind: str, at: Instant) -> None:
        """Remember when something was last done."""
        if at > self._last_activity.now.get(kind, _NEVER):
            self._last_activity.own()[kind] = at

    def numbers_of(self, key: tuple[str, str]) -> Numbers | None:
        """The numbers of a counter in a period; None: it has none yet."""
        return self._numbers.now.get(key)

    def streak_of(self, counter: str) -> Streak:
        """The streak of a counter."""
        return self._streaks.now.get(counter, ())

    def set_numbers(self, key: tuple[str, str], numbers: Numbers) -> None:
        """Set the numbers of a counter in a period."""
        set_period(self._numbers.own(), key, numbers)

    def set_streak(self, counter: str, streak: Streak) -> None:
        """Set the streak of a counter."""
        self._streaks.own()[counter] = streak

    def _act(self, posted: DocumentPosted) -> None:
        document, local_time = posted.document, posted.pins.local_time
        if document.status == DOCUMENT_STATUS_FINAL and local_time:
            # An activity is pinned to its own instant: the wall time has its offset.
            self.active(document.activity, from_datetime(datetime.fromisoformat(local_time)))

    def _number(self, number: CounterNumber, document: str) -> None:
        counter, period = number.counter, number.period
        if number.streak:
            streak = streak_changed(self.streak_of(counter), period, number.change)
            self.set_streak(counter, streak)
            return
        if is_forgotten(self._numbers.now, counter, period):
            return
        numbers = self.numbers_of((counter, period)) or NO_NUMBERS
        day = number.day if number.by_day else ""
        if number.change > 0:
            numbers = taken(numbers, number.number, day)
        elif self.of_several:
            # Another account's document may have that number too: nobody gets it again.
            return
        else:
            numbers = given_back(numbers, number.number, day, document)
        self.set_numbers((counter, period), numbers)

    def _benefit(self, posted: DocumentPosted, document: str) -> None:
        others = [benefit for benefit in self.benefits if benefit.document != document]
        own = (
            Benefit(
                document,
                given.rule,
                given.benefit,
                given.quantity,
                from_timestamp(given.expire_time),
                given.campaign,
            )
            for given in posted.benefits
        )
        ordered = sorted((*others, *own), key=lambda benefit: (benefit.expires_at, benefit))
        self.benefits = tuple(ordered[-BENEFITS_KEPT:])


def document_key(business_unit: str, source: str, document_id: str) -> str:
    """Key of a document over all its versions, as lots, debts and freed numbers name it."""
    return f"{business_unit}/{source}/{document_id}"

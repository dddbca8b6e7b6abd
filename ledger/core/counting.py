"""What a document counts for besides points, while facts are applied to an account."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from ledger.core.counters import (
    NO_NUMBERS,
    CounterPeriods,
    Streak,
    given_back,
    is_forgotten,
    streak_changed,
    taken,
    with_period,
)
from ledger.core.instant import Instant, from_datetime, from_timestamp
from ledger.core.standing import fold_old_windows
from ledger.core.state import Account, Benefit, Part, frozen_mapping
from ledger.core.usage import Usage, UsageKey, changed, changed_by, is_shared, key_of
from loyalty.v1.events_pb2 import DocumentMovedOut, DocumentPosted
from loyalty.v1.types_pb2 import DOCUMENT_KIND_ACTIVITY, DOCUMENT_STATUS_FINAL, CounterNumber
from loyalty.v1.types_pb2 import Usage as UsageMessage

BENEFITS_KEPT: Final = 200
"""Of more benefits those that end last are remembered; the history has them all."""
EARN: Final = "earn"
BURN: Final = "burn"
TRANSFER: Final = "transfer"
_NEVER: Final = -(2**63)


class Counting:
    """Usage, numbers, benefits and activity of an account; each is replaced, never changed."""

    __slots__ = (
        "benefits",
        "last_activity",
        "numbers",
        "of_several",
        "qualifying",
        "streaks",
        "usage",
    )

    def __init__(self, kept: Account | Part) -> None:
        self.of_several = isinstance(kept, Account) and bool(kept.parts)
        """It is what the documents of several merged accounts count for together."""
        self.usage: Usage = kept.usage
        self.numbers: CounterPeriods = kept.numbers
        self.streaks: Mapping[str, Streak] = kept.streaks
        self.benefits = kept.benefits
        self.last_activity: Mapping[str, Instant] = kept.last_activity
        self.qualifying: Mapping[tuple[str, str], int] = kept.qualifying

    def post(self, posted: DocumentPosted) -> None:
        """Count a document's version."""
        if posted.usages:
            self._use_own(posted.usages)
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
        self._use_own(left.usages)
        for number in left.numbers:
            self._number(number, left.document)
        self.benefits = tuple(had for had in self.benefits if had.document != left.document)

    def _use_own(self, usages: Iterable[UsageMessage]) -> None:
        changes = [
            (key_of(used), used.change)
            for used in usages
            if used.change and not is_shared(used.name, used.scope)
        ]
        if changes:
            self.usage = frozen_mapping(changed_by(self.usage, changes))

    def use(self, key: UsageKey, change: int) -> None:
        """Use more or less in a period."""
        self.usage = frozen_mapping(changed(self.usage, key, change))

    def qualify(self, currency: str, window: str, points: int) -> None:
        """Count points for tiers."""
        counted = self.qualifying.get((currency, window))
        if counted is None and points < 0:
            # A window too old to be kept by itself.
            window, counted = "", self.qualifying.get((currency, ""))
        qualifying = {**self.qualifying, (currency, window): (counted or 0) + points}
        if counted is None:
            fold_old_windows(qualifying, (currency,), window)
        self.qualifying = frozen_mapping(qualifying)

    def active(self, kind: str, at: Instant) -> None:
        """Remember when something was last done."""
        if at > self.last_activity.get(kind, _NEVER):
            self.last_activity = frozen_mapping({**self.last_activity, kind: at})

    def _act(self, posted: DocumentPosted) -> None:
        document, local_time = posted.document, posted.pins.local_time
        if document.status == DOCUMENT_STATUS_FINAL and local_time:
            # An activity is pinned to its own instant: the wall time has its offset.
            self.active(document.activity, from_datetime(datetime.fromisoformat(local_time)))

    def _number(self, number: CounterNumber, document: str) -> None:
        counter, period = number.counter, number.period
        if number.streak:
            streak = streak_changed(self.streaks.get(counter, ()), period, number.change)
            self.streaks = frozen_mapping({**self.streaks, counter: streak})
            return
        if is_forgotten(self.numbers, counter, period):
            return
        numbers = self.numbers.get((counter, period), NO_NUMBERS)
        day = number.day if number.by_day else ""
        if number.change > 0:
            numbers = taken(numbers, number.number, day)
        elif self.of_several:
            # Another account's document may have that number too: nobody gets it again.
            return
        else:
            numbers = given_back(numbers, number.number, day, document)
        self.numbers = frozen_mapping(with_period(self.numbers, (counter, period), numbers))

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

"""What the rules ask of a ledger about other documents: caps that are used, numbers that are taken.

Room is never pinned: every version of a document is evaluated with the room of its own time, which
is stored with it, so that it can be evaluated again.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple, Protocol


class CapKey(NamedTuple):
    """One purse in one period.

    `name` is "cap/<id>" for caps, where a rule's own n-th cap has the id "<rule>.<n>" counted from
    1, and "budget/<campaign>/<currency>" for budgets. `per` is member, household or campaign; a
    campaign's purse is everybody's. `period` is in the programme's zone: "2026-05-01",
    "2026-W18", "2026-05", "2026", or "" for ever.
    """

    name: str
    per: str
    period: str


class CounterKey(NamedTuple):
    """One counter of the policy in the period of a document.

    `kind` is count or streak. For a count `period` is where the numbers begin anew; for a streak
    it is the local day or ISO week ("2026-05-01", "2026-W18") of the document. `day` is the local
    day. With `by_day` two documents of one local day have one number.
    """

    counter: str
    kind: str
    period: str
    day: str
    by_day: bool
    missed_allowed: int


class Room(Protocol):
    """What other documents have left, without what earlier versions of this one took.

    Others may have more than there is: two members became one, or a budget was raised, used up and
    is asked under the old policy. A document keeps what it had then.
    """

    def used(self, cap: CapKey) -> int:
        """Give the points that other documents have of a cap or budget."""
        ...

    def had(self, cap: CapKey) -> int:
        """Give the points that the version before this one has of a cap or budget."""
        ...

    def number(self, counter: CounterKey) -> int:
        """Give the number this document has or would take in a counter; 0: it is offered none."""
        ...


class FreeRoom:
    """The room of a member of whom nothing is known: nothing used, every number the first."""

    def used(self, cap: CapKey) -> int:
        """Nothing."""
        return 0

    def had(self, cap: CapKey) -> int:
        """Nothing: it is new."""
        return 0

    def number(self, counter: CounterKey) -> int:
        """The first."""
        return 1


FREE = FreeRoom()


NOTHING_HAD: Final[Mapping[CapKey, int]] = MappingProxyType({})


class RecordedRoom:
    """The room that an award saw, as it was stored with it."""

    def __init__(
        self,
        used: Mapping[CapKey, int],
        numbers: Mapping[tuple[str, str], int],
        had: Mapping[CapKey, int] = NOTHING_HAD,
    ) -> None:
        """`numbers` is by (counter, period)."""
        self._used = used
        self._had = had
        self._numbers = numbers

    def used(self, cap: CapKey) -> int:
        """What was stored; a cap that was not asked then had given nothing."""
        return self._used.get(cap, 0)

    def had(self, cap: CapKey) -> int:
        """What was stored of the version before."""
        return self._had.get(cap, 0)

    def number(self, counter: CounterKey) -> int:
        """What was stored; 0 for a counter the document had no number in."""
        return self._numbers.get((counter.counter, counter.period), 0)

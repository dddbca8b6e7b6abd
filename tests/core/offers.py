"""Offers with caps, counters and budgets, as rules would evaluate them with the ledger's room."""

from dataclasses import dataclass, field

import rules
from ledger.core.commands import ARREARS, Counts, Numbered, RefundTerms, Use
from ledger.core.decision import Decision
from ledger.purses import changes
from ledger.room import LedgerRoom
from loyalty.v1.types_pb2 import DocumentStatus
from tests.core.spec import CANCELLED, FINAL, Grant, Story

DAY = "2025-03-01"
FIRST = rules.CounterKey("first_purchase", "count", "", DAY, by_day=False, missed_allowed=0)


@dataclass
class Offer:
    """A base rule of 1 P per 1.00 with what limits it, for members who share its purses."""

    cap: int | None = None
    """Of the base rule, per member and day."""
    budget: int | None = None
    """Of a bonus of 1 P per 1.00, for all members together."""
    welcome: int = 0
    """For the first purchase."""
    counter: rules.CounterKey | None = None
    """A counter besides, which gives nothing."""
    period: str = DAY
    refunds: RefundTerms = ARREARS
    purses: dict[str, int] = field(default_factory=dict)
    """Points used, by stream."""

    def room(self, story: Story, document: str) -> LedgerRoom:
        """What the other documents have left."""
        return LedgerRoom(
            story.account,
            f"A/till/{document}",
            story.heads.get(document),
            household="",
            purse_used=lambda stream: self.purses.get(stream, 0),
            limit=lambda name: self.cap or 0,
        )

    def counts(self, story: Story, document: str, wanted: int) -> tuple[list[Grant], Counts]:
        """Evaluate a document that is not cancelled."""
        room = self.room(story, document)
        grants, uses, numbers = [], list[Use](), list[Numbered]()
        base = wanted
        if self.cap is not None:
            cap = rules.CapKey("cap/base.1", "member", self.period)
            base, use = _cut(room, cap, wanted, self.cap)
            uses.append(Use(cap.name, "", cap.period, *use))
        grants.append(Grant(base))
        if self.budget is not None:
            cap = rules.CapKey("budget/k/P", "campaign", "")
            bonus, use = _cut(room, cap, wanted, self.budget)
            uses.append(Use(cap.name, "all", cap.period, *use))
            grants.append(Grant(bonus, rule="k"))
        for counter in (FIRST if self.welcome else None, self.counter):
            if counter is not None and (number := room.number(counter)):
                numbers.append(_numbered(counter, number))
                if counter is FIRST and number == 1:
                    grants.append(Grant(self.welcome, rule="welcome"))
        return [grant for grant in grants if grant.granted], Counts(uses, numbers)

    def posts(
        self,
        story: Story,
        document: str,
        version: int,
        wanted: int = 0,
        *,
        status: DocumentStatus.ValueType | None = None,
    ) -> Decision:
        """Post a version that is worth so much; nothing is a cancelled one."""
        status = status or (FINAL if wanted else CANCELLED)
        grants, counts = self.counts(story, document, wanted) if wanted else ([], Counts())
        decision = story.posts(
            document, version, *grants, status=status, counts=counts, refunds=self.refunds
        )
        if decision.facts:
            for stream, used in changes(story.heads[document], f"A/till/{document}"):
                self.purses[stream] = self.purses.get(stream, 0) + used.change
        return decision

    def used_of(self, story: Story) -> int:
        """Points under the cap that the account has used."""
        return story.account.usage.get(("cap/base.1", "", self.period), 0)


def _cut(room: LedgerRoom, cap: rules.CapKey, wanted: int, limit: int) -> tuple[int, list[int]]:
    others = room.used(cap)
    granted = max(0, min(wanted, limit - others))
    return granted, [others, granted]


def _numbered(counter: rules.CounterKey, number: int) -> Numbered:
    return Numbered(
        counter.counter,
        counter.period,
        counter.day,
        number,
        counter.kind == "streak",
        counter.by_day,
    )


def number_of(story: Story, document: str, counter: rules.CounterKey) -> int:
    """The number that a document has after its newest version; 0 for none."""
    for number in story.heads[document].numbers:
        if (number.counter, number.period) == (counter.counter, counter.period):
            return number.number if number.change >= 0 else 0
    return 0

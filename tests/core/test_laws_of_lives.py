"""Points with lives of their own under random histories: the laws hold, and time has one answer.

Whether time is looked at every day or only when something happens, the same points expire at the
same instants: what a sweeper would have done is what an advance does later.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.core.commands import Occasion, TierVerdict
from ledger.core.instant import SECOND, Instant, to_datetime
from ledger.core.refusals import Refusal
from ledger.core.snapshot import decode, encode
from ledger.core.state import Account
from loyalty.v1.events_pb2 import PointsExpired, TierChanged
from tests.core.spec import PENDING, Grant, entry_of, utc
from tests.core.test_lives import Living, expiry

DAY: Final = 86_400 * SECOND
BEGIN: Final = utc("2025-01-01")
EXPIRIES: Final = (
    "kind: inactivity, months: 2, hard_months: 5",
    "kind: inactivity, months: 1, extended_by: [burn], round_to: day_start",
    "kind: inactivity, months: 1, hard_months: 4, unless_tier: [gold]",
    "kind: inactivity, months: 1, hard_months: 2, unless_tier: [gold], lapse: restart",
    "kind: fixed, days: 40, unless_tier: [gold]",
    "kind: fixed, days: 40, unless_tier: [gold], lapse: restart",
    "kind: month_end, unless_tier: [gold], lapse: restart",
    "kind: fixed, days: 30, since: released, unless_tier: [gold]",
)
POLICIES: Final = {keys: expiry(keys) for keys in EXPIRIES}
Step = tuple[str, int, int]
"""(what, days since the step before, points)"""
STEPS: Final = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *("buy", "buy late", "book", "check out", "gild", "gild later"),
                *("burn", "hold", "hold for long", "reverse", "wait"),
            ]
        ),
        st.integers(0, 45),
        st.integers(1, 60),
    ),
    max_size=14,
)


@dataclass
class Ladder:
    """Gold for fifty days after the last qualifying point, from the day it was counted."""

    def __call__(
        self, account: Account, at: Instant, /, occasion: Occasion = "counted"
    ) -> TierVerdict | None:
        counted = max((int(window) for _, window in account.qualifying if window), default=None)
        if counted is None or at >= counted + 50 * DAY:
            return TierVerdict("green", None, "", 0, "policy-1")
        return TierVerdict("gold", counted + 50 * DAY, str(counted), 1, "policy-1")


def text(at: Instant) -> str:
    """An instant as stories say it."""
    return to_datetime(at).replace(tzinfo=None).isoformat()


@dataclass
class Random(Living):
    """A history told by steps; the laws are checked after every fact that is recorded."""

    burned: str = ""

    def lives(self, steps: list[Step], *, swept: bool) -> list[tuple[str, Instant, str, int]]:
        """Go through the steps, looking at time every day or only at each step; what time did."""
        for number, (what, days, points) in enumerate(steps):
            self.waits(days, swept=swept)
            with suppress(Refusal):
                self.step(what, f"D{number}", points)
        self.waits(400, swept=swept)
        self.passes_time()
        return [
            (fact.event.DESCRIPTOR.name, fact.occurred_at, *_told(fact.event))
            for fact in self.facts
            if isinstance(fact.event, PointsExpired | TierChanged)
        ]

    def waits(self, days: int, *, swept: bool) -> None:
        """Let days pass."""
        for _ in range(days):
            self.now += DAY
            if swept:
                self.passes_time()

    def step(self, what: str, name: str, points: int) -> None:
        """Do one thing."""
        match what:
            case "buy":
                self.posts(name, 1, self.gives(points, text(self.now)))
            case "buy late":
                occurred = text(self.now - 20 * DAY)
                self.posts(name, 1, self.gives(points, occurred), occurred=occurred)
            case "book":
                grant = self.gives(points, text(self.now), waits=True)
                self.posts("booked", len(self.facts), grant, status=PENDING)
            case "check out":
                self.posts("booked", len(self.facts), self.gives(points, text(self.now)))
            case "gild":
                self.posts(name, 1, Grant(1, "qp", "QP", window=str(self.now)))
            case "gild later":
                later = self.now + 15 * DAY
                window = str(self.now)
                grant = Grant(1, "qp", "QP", pending_until=later, window=window)
                self.posts(name, 1, grant)
            case "burn":
                self.burned = entry_of(self.burns(points))
            case "hold" | "hold for long":
                expire = what != "hold"
                self.holds(
                    name, points, until=self.now + (60 if expire else 10) * DAY, expire=expire
                )
            case "reverse" if self.burned:
                self.reverses(self.burned)


def _told(event: PointsExpired | TierChanged) -> tuple[str, int]:
    if isinstance(event, PointsExpired):
        return event.lot_id, event.points
    return event.to_tier, 0


@pytest.mark.parametrize("keys", EXPIRIES)
@settings(max_examples=15, deadline=None)
@given(steps=STEPS)
def test_time_decides_the_same_whether_or_not_anybody_looks(keys: str, steps: list[Step]) -> None:
    swept = Random(policy=POLICIES[keys], ladder=Ladder(), now=BEGIN)
    story = Random(policy=POLICIES[keys], ladder=Ladder(), now=BEGIN)
    assert swept.lives(steps, swept=True) == story.lives(steps, swept=False)
    assert swept.account.balances == story.account.balances
    for lot in story.account.lots:
        end = story.ends.end(lot, story.account)
        assert not lot.available or end is None or end > story.now
    assert decode(encode(story.account)) == story.account

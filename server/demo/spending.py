"""What members do with their points, by the demo's own seeded rule: spend, hold, change their mind.

Who spends, where and how much depends on hashes and on what the answers say a member has. Two runs
over the same data differ only by what campaigns make of them: who is held out goes by member ids,
which every run makes anew, and who gets the last of a budget by what arrives first.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Final

from ledger.core.instant import Instant
from loyalty.v1 import ledger_service_pb2 as ledger_pb
from server.demo import wire
from server.demo.sources import seeded

UNITS: Final = ("market", "dining", "hotel", "web")
LEAST: Final = 300
"""Points from which a member thinks of spending."""

REWARD: Final = "free_pizza"
STAMPS_OF_REWARD: Final = 10
"""What the reward costs by the sample policy."""

_MINUTE: Final = 60_000_000
SPENDS_ONE_IN: Final = 6
HOLDS_ONE_IN: Final = 10
REVERSES_ONE_IN: Final = 20


@dataclass(frozen=True, slots=True)
class Intended:
    """A write and what it is meant to do, so that its answer can be understood."""

    item: ledger_pb.BatchItem
    act: str
    owner: int | None
    unit: str
    hold_id: str = ""
    points: int = 0


@dataclass(frozen=True, slots=True)
class Held:
    """A hold that a hotel has placed and not resolved."""

    hold_id: str
    owner: int
    points: int


@dataclass(frozen=True, slots=True)
class Burnt:
    """A burn that will be taken back."""

    entry_id: str
    owner: int
    unit: str


class Spending:
    """The members' purses as the answers tell them, and what they decide."""

    def __init__(self) -> None:
        """Begin with nobody having anything."""
        self.acts: Counter[str] = Counter()
        self._available: dict[int, int] = {}
        self._stamps: dict[int, int] = {}
        self._held: list[Held] = []
        self._regretted: list[Burnt] = []

    def learn(self, owner: int, posting: ledger_pb.Posting) -> None:
        """Remember what a member has after a write."""
        for balance in posting.balances:
            if balance.currency == wire.CURRENCY:
                self._available[owner] = balance.available
            elif balance.currency == wire.STAMP:
                self._stamps[owner] = balance.available

    def settle(self, intended: Intended, posting: ledger_pb.Posting) -> None:
        """Remember what has to be resolved or taken back later."""
        self.acts[intended.act] += 1
        owner = intended.owner
        if owner is None:
            return
        if intended.act == "hold":
            self._held.append(Held(intended.hold_id, owner, intended.points))
        elif (
            intended.act == "burn"
            and seeded("regret", intended.item.burn_points.request_id) % REVERSES_ONE_IN == 0
        ):
            self._regretted.append(Burnt(posting.entry_id, owner, intended.unit))

    def resolutions(self, at: Instant) -> list[Intended]:
        """What comes of the last wishes: captures, releases, burns taken back.

        The policy lets a hotel's hold live for 72 hours, so these come within that, and holds of
        which nothing comes time out.
        """
        wanted = []
        for held in sorted(self._held, key=lambda held: held.hold_id):
            chance = seeded("resolve", held.hold_id) % 10
            if chance < 6:
                points = max(1, held.points * (5 + chance) // 10)
                item = wire.capture_item("hotel", held.hold_id, points, at)
                wanted.append(Intended(item, "capture", held.owner, "hotel", held.hold_id, points))
            elif chance < 8:
                item = wire.release_item("hotel", held.hold_id, at)
                wanted.append(Intended(item, "release", held.owner, "hotel", held.hold_id))
        for burnt in sorted(self._regretted, key=lambda burnt: burnt.owner):
            item = wire.reverse_item(burnt.unit, burnt.entry_id, at)
            wanted.append(Intended(item, "reverse", burnt.owner, burnt.unit))
        self._held.clear()
        self._regretted.clear()
        return wanted

    def rewards(self, at: Instant) -> list[Intended]:
        """Whoever has stamps enough takes the pizza."""
        return [
            Intended(wire.redeem_item(owner, "dining", REWARD, at), "reward", owner, "dining")
            for owner, stamps in sorted(self._stamps.items())
            if stamps >= STAMPS_OF_REWARD
        ]

    def wishes(self, week: int, at: Instant) -> list[Intended]:
        """Whoever feels like it this week and has enough spends some, anywhere in the group."""
        wanted = []
        for owner, available in sorted(self._available.items()):
            chance = seeded("spend", week, owner)
            if available < LEAST or chance % SPENDS_ONE_IN:
                continue
            hundreds = available // 100
            points = 100 * (1 + chance // 100 % hundreds)
            happened_at = at - owner % 120 * _MINUTE
            if chance // 7 % HOLDS_ONE_IN == 0:
                hold_id = f"H{week:02d}-{owner}"
                item = wire.hold_item(owner, "hotel", hold_id, points, happened_at)
                wanted.append(Intended(item, "hold", owner, "hotel", hold_id, points))
            else:
                unit = UNITS[chance // 10_000 % len(UNITS)]
                item = wire.burn_item(owner, unit, points, happened_at)
                wanted.append(Intended(item, "burn", owner, unit, points=points))
        return wanted

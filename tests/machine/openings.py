"""The clerk's model of opening balances: what an older programme's file says of a member, once."""

from typing import Any

from tests.machine.books import No
from tests.machine.ladder import RANKS, Ladder


class Openings(Ladder):
    """Rows of one file: points, points and nights that count for tiers, and a tier."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[str, dict[str, Any]] = {}

    def take_over(self, row: str, told: dict[str, Any], now: int) -> str:
        """A row stands for ever: again it changes nothing, and another under its name is none."""
        if row in self.rows:
            if self.rows[row] != told:
                raise No("OPENING_CONFLICT")
            return "REPLAYED"
        self.require_not_closed(told["member"])
        self.rows[row] = told
        member = self.place(told["member"])
        self.tick(member, now)
        for currency, points, earned, ends in told["lots"]:
            self.new_lot(member, told["unit"], points, currency=currency, ends=ends, earned=earned)
        if told["status"]:
            self.members[member]["opened"].append(told["status"])
        if told["nights"]:
            self.members[member]["nights"].append(told["nights"])
        if told["status"] or told["nights"]:
            self.ask(member, now)
        if told["until"] is not None:
            self._give(member, told["tier"], told["until"], now)
        self.tick(member, now)
        return "POSTED"

    def _give(self, member: str, tier: str, until: int, now: int) -> None:
        """A tier until then, for whoever has less and while it lasts."""
        newest = self.spans(member)[-1:]
        has = newest[0]["tier"] if newest else ""
        if until > now and RANKS.get(has, -1) < RANKS[tier]:
            given = {"tier": tier, "since": now, "until": until, "year": 0}
            given |= {"carried": False, "given": True}
            self.spans(member).append(given)
            parts = self.brought.get(member)
            if parts:
                # It is theirs, whoever is part of them now.
                parts[member] = [*parts[member], given]

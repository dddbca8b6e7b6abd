"""The clerk's model of a member's life: suspended, closed, open again, erased.

Who is erased is no more known by card or household, with all who are part of them. Their points
expire now and whenever some come back, or time alone ends them.
"""

from tests.machine.books import No
from tests.machine.joins import Joins
from tests.machine.sharing import Going, Sharing

Left = list[tuple[str, Going]]
"""(pool, what goes home) of each pool that closed behind who left."""


class Lives(Sharing, Joins):
    """Whatever makes a member take part less, or again."""

    def suspend(self, member: str) -> None:
        """Points are earned and not spent."""
        self.require_not_closed(member)
        self.standing[self.place(member)] = "suspended"

    def reopen(self, member: str) -> None:
        """Nothing that expired comes back."""
        self.require_somebody(member)
        self.standing.pop(self.place(member), None)

    def close_member(self, member: str, now: int, *, forfeit: bool) -> Left:
        """Nothing but corrections is taken; points that anybody was promised forbid it."""
        self.require_somebody(member)
        self.tick(member, now)
        if not self.is_closed(member):
            self._require_empty(member, forfeit=forfeit)
        left = self._leave_all_pools(member, now)
        self.standing[self.place(member)] = "closed"
        self.tick(member, now)
        return left

    def erase(self, member: str, now: int, *, forfeit: bool) -> Left:
        """An account is nobody's for ever."""
        self.require_somebody(member)
        self.tick(member, now)
        if forfeit:
            self._require_empty(member, forfeit=True)
        left = self._leave_all_pools(member, now)
        self.erased.add(self.place(member))
        for each in self.family(member):
            self.nameless.add(each)
            self.members[each]["household"] = ""
        if forfeit:
            self.standing[self.place(member)] = "closed"
        self.tick(member, now)
        return left

    def _require_empty(self, member: str, *, forfeit: bool) -> None:
        lots = self.lots_of(member)
        promised = any(self.is_promised(lot) for lot in lots)
        if promised or (not forfeit and any(lot["free"] or lot["waiting"] for lot in lots)):
            raise No("ACCOUNT_NOT_EMPTY")

    def _leave_all_pools(self, member: str, now: int) -> Left:
        """What was put in stays with the others; where nobody is left, what is theirs goes home."""
        place, left = self.place(member), Left()
        others = [each for each in self.members if each not in self.family(member)]
        for pool in list(self.members[place]["pools"]):
            if not self.go_out(pool, place):
                left += [(pool, going) for going in self.theirs(pool, others, now)]
        return left

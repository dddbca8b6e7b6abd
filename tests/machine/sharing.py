"""The clerk's model of pools: who is in one, what they may do, and whose points go home."""

from tests.machine.books import No
from tests.machine.standing import Standing

MAY = ("view", "contribute", "spend", "administer")
Going = tuple[str, str, int]
"""(who put them in, currency, points) of what goes home."""


class Sharing(Standing):
    """Pools: accounts that several put points into."""

    def open_pool(self, pool: str, founder: str) -> None:
        """Who opens a pool may do everything in it."""
        self.require_spending(founder)
        self.enrol(pool)
        self.members[pool]["pool"] = {"members": {}, "closed": False}
        self._let_in(pool, self.place(founder), MAY)

    def is_pool(self, account: str) -> bool:
        return self.members[account]["pool"] is not None

    def add_to_pool(self, pool: str, by: str, joining: str, may: tuple[str, ...]) -> None:
        joining = self.place(joining)
        for who in (by, joining):
            self.require_somebody(who)
        if self.is_closed(joining):
            raise No("ACCOUNT_CLOSED")
        self.require_spending(by)
        self.require_permission(pool, self.place(by), "administer")
        if joining in self._insiders(pool):
            raise No("ALREADY_IN_POOL")
        self._let_in(pool, joining, may)

    def permit(self, pool: str, by: str, subject: str, may: tuple[str, ...]) -> None:
        """Say what a member may do; somebody has to administer the pool."""
        self.require_spending(by)
        self.require_permission(pool, self.place(by), "administer")
        insiders, subject = self._insiders(pool), self.place(subject)
        if subject not in insiders:
            raise No("NOT_IN_POOL")
        others = [other for member, other in insiders.items() if member != subject]
        if "administer" not in may and not any("administer" in other for other in others):
            raise No("LAST_ADMINISTRATOR")
        insiders[subject] = may

    def leave_pool(self, pool: str, by: str, leaving: str, now: int) -> list[Going]:
        """Who leaves takes home what is left of theirs; with the last one everything goes."""
        by, leaving = self.place(by), self.place(leaving)
        if by != leaving:
            self.require_spending(by)
        self.require_open(pool)
        if by != leaving:
            self.require_permission(pool, by, "administer")
        if leaving not in self._insiders(pool):
            raise No("NOT_IN_POOL")
        stays = self.go_out(pool, leaving)
        return self.theirs(pool, self.family(leaving) if stays else list(self.members), now)

    def go_out(self, pool: str, leaving: str) -> bool:
        """Let somebody out, and somebody administer it; whether anybody stays."""
        insiders = self._insiders(pool)
        self._let_out(pool, leaving)
        if insiders and not any("administer" in may for may in insiders.values()):
            heir = next(iter(insiders))
            insiders[heir] = (*insiders[heir], "administer")
        self.members[pool]["pool"]["closed"] = not insiders
        return bool(insiders)

    def close_pool(self, pool: str, by: str, now: int) -> list[Going]:
        """Everybody is out, and what is left goes home to whoever had put it in."""
        self.require_spending(by)
        self.require_permission(pool, self.place(by), "administer")
        for member in list(self._insiders(pool)):
            self._let_out(pool, member)
        self.members[pool]["pool"]["closed"] = True
        return self.theirs(pool, list(self.members), now)

    def require_permission(self, pool: str, member: str, what: str) -> None:
        """Refuse what a member may not do in a pool."""
        self.require_open(pool)
        if what not in self._insiders(pool).get(member, ()):
            raise No("NOT_PERMITTED_IN_POOL")

    def who_put_in(self, pool: str, member: str, currency: str, points: int) -> list[str]:
        """Whose so many points of a pool are: of a member, or of who became part of that member."""
        place = self.place(member)
        family = sorted(self.family(member), key=lambda each: each != place)
        return [
            each for each in family
            if sum(
                lot["free"] for lot in self.lots_of(pool)
                if (lot["currency"], lot["contributor"]) == (currency, each)
            ) >= points
        ]  # fmt: skip

    def require_open(self, pool: str) -> None:
        if self.members[pool]["pool"]["closed"]:
            raise No("POOL_NOT_OPEN")

    def _insiders(self, pool: str) -> dict[str, tuple[str, ...]]:
        """What everybody in a pool may do, in the order in which they came."""
        insiders: dict[str, tuple[str, ...]] = self.members[pool]["pool"]["members"]
        return insiders

    def _let_in(self, pool: str, member: str, may: tuple[str, ...]) -> None:
        self._insiders(pool)[member] = may
        self.members[member]["pools"].append(pool)

    def _let_out(self, pool: str, member: str) -> None:
        del self._insiders(pool)[member]
        self.members[member]["pools"].remove(pool)

    def theirs(self, pool: str, whose: list[str], now: int) -> list[Going]:
        """What can go home to some members."""
        self.tick(pool, now)
        found: dict[tuple[str, str], int] = {}
        for lot in self.lots_of(pool):
            if lot["free"] and lot["contributor"] in whose:
                key = lot["contributor"], lot["currency"]
                found[key] = found.get(key, 0) + lot["free"]
        return [(*key, points) for key, points in found.items()]

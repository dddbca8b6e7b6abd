"""The clerk's model of spending: burns, holds, and what is taken back of them."""

from typing import Any

from tests.machine.books import HOUR, No, holder
from tests.machine.sharing import Sharing


class Spending(Sharing):
    """Burns, holds and reversals."""

    def burn(
        self, entry: str, member: str, unit: str, points: int, now: int, currency: str, pool: str
    ) -> None:
        """Points are spent; those of a pool by who may."""
        member = self._with_points(member, pool)
        self.tick(member, now)
        drawn = self.draw(member, currency, points, "burned")
        self._burned(entry, member, unit, drawn, currency)
        self.tick(member, now)

    def _burned(
        self, entry: str, member: str, unit: str, drawn: list[list[Any]], currency: str
    ) -> None:
        self.burns[entry] = {
            "member": self.place(member), "unit": unit, "out": drawn, "currency": currency,
        }  # fmt: skip

    def _with_points(self, member: str, pool: str) -> str:
        self.require_spending(member)
        if pool:
            self.require_permission(pool, self.place(member), "spend")
        return pool or member

    def hold(self, hold: str, member: str, unit: str, points: int, now: int, pool: str) -> None:
        if hold in self.holds:
            raise No("HOLD_EXISTS")
        member = self._with_points(member, pool)
        self.tick(member, now)
        drawn = self.draw(member, "p", points, "held")
        lapses = unit == "b"
        self.holds[hold] = {
            "number": len(self.holds), "unit": unit, "left": drawn, "lapses": lapses,
            "ends": now + (720 if lapses else 72) * HOUR,
        }  # fmt: skip

    def capture(self, entry: str, hold: str, points: int, final: bool, now: int) -> None:
        held = self._open_hold(hold, now)
        if points > sum(part[1] for part in held["left"]):
            raise No("MORE_THAN_HELD")
        out = []
        for part in held["left"]:
            took = min(points, part[1])
            points -= took
            part[1] -= took
            part[0]["held"] -= took
            part[0]["burned"] += took
            if took:
                out.append([part[0], took])
        member = holder(held, self)
        held["left"] = [part for part in held["left"] if part[1]]
        self._burned(entry, member, held["unit"], out, "p")
        if final:
            self.end_hold(held)
        self.tick(member, now)

    def release(self, hold: str, now: int) -> None:
        held = self._open_hold(hold, now)
        member = holder(held, self)
        self.end_hold(held)
        self.tick(member, now)

    def _open_hold(self, hold: str, now: int) -> dict[str, Any]:
        held = self.holds.get(hold)
        if held is None:
            raise No("UNKNOWN_HOLD")
        if held["left"]:
            self.tick(holder(held, self), now)
        if not held["left"]:
            raise No("HOLD_RESOLVED")
        return held

    # Reversals

    def reverse(self, entry: str, target: str, points: int, now: int) -> None:
        """Take back a burn, or such a reversal; 0 points: all that is left of it."""
        if target in self.fees:
            raise No("FEE_NOT_REVERSIBLE")
        if target in self.burns:
            self._unburn(entry, target, points, now)
        elif target in self.reversals:
            self._reburn(entry, target, points, now)
        else:
            raise No("UNKNOWN_ENTRY")

    def _unburn(self, entry: str, target: str, points: int, now: int) -> None:
        burn = self.burns[target]
        self.tick(burn["member"], now)
        left = sum(part[1] for part in burn["out"])
        if not left or points > left:
            raise No("MORE_THAN_LEFT")
        points = points or left
        owners = {part[0]["owner"] for part in burn["out"]}
        self.reversals[entry] = {"burn": target, "left": points}
        while points:
            lot, out = burn["out"][-1]
            back = min(points, out)
            points -= back
            lot["burned"] -= back
            lot["free"] += back
            burn["out"][-1][1] -= back
            if not burn["out"][-1][1]:
                burn["out"].pop()
        # Every lot is its owner's, wherever that is now, and so is what comes back to it.
        for owner in owners:
            self.tick(owner, now)

    def _reburn(self, entry: str, target: str, points: int, now: int) -> None:
        reversal = self.reversals[target]
        burn = self.burns[reversal["burn"]]
        self.tick(burn["member"], now)
        self.require_spending(burn["member"])
        if self.is_pool(burn["member"]):
            self.require_open(burn["member"])
        if not reversal["left"] or points > reversal["left"]:
            raise No("MORE_THAN_LEFT")
        points = points or reversal["left"]
        burn["out"] += self.draw_again(burn["member"], burn["currency"], points)
        reversal["left"] -= points
        self.tick(burn["member"], now)

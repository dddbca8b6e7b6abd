"""A clerk's model of the ledger: plain dictionaries and lists, written from the words of the docs.

It knows nothing of events, lanes or policies, and shares no code with the ledger. Times are whole
seconds since an arbitrary midnight in UTC. It plays the programme of `tests/machine/programme.py`:

* 1 point for each whole 1.00 of food, at once; a bonus of 50 from 100.00 of food on, which waits
  for 14 days. Points live 30 days, to the end of that day. Gift cards earn nothing.
* Burns of 1 point or more, holds time out after 72 hours, reversals grant no grace.
* What was spent and has to be taken back is owed, and repaid by later awards.
"""

from typing import Any

HOUR = 3_600
DAY = 24 * HOUR
NEVER = 10**15

Lot = dict[str, Any]


class No(Exception):
    """The clerk refuses; the word is the ledger's reason."""


class Clerk:
    """All accounts."""

    def __init__(self) -> None:
        self.members: dict[str, dict[str, Any]] = {}
        self.documents: dict[str, dict[str, Any]] = {}
        self.holds: dict[str, dict[str, Any]] = {}
        self.burns: dict[str, dict[str, Any]] = {}
        self.reversals: dict[str, dict[str, Any]] = {}
        self.recorded = 0

    # What a teller sees

    def enrol(self, member: str) -> None:
        self.members[member] = {"lots": [], "debts": [], "holds": []}

    def balance(self, member: str, now: int) -> dict[str, int]:
        """Points by state, once time has had its way."""
        self.tick(member, now)
        account = self.members[member]
        return {
            "available": sum(lot["free"] for lot in account["lots"]),
            "pending": sum(lot["waiting"] for lot in account["lots"]),
            "held": sum(lot["held"] for lot in account["lots"]),
            "arrears": sum(debt["points"] for debt in account["debts"]),
        }

    def lots(self, member: str) -> list[tuple[str, int, int, int, int]]:
        """(issuer, end, free, waiting, held) of what is left, in the order it is spent."""
        return [
            (lot["issuer"], lot["ends"], lot["free"], lot["waiting"], lot["held"])
            for lot in self._in_order(member)
        ]

    # What time does

    def tick(self, member: str, now: int) -> None:
        """Release, expire and time out, in order of the due instant."""
        while due := self._due(member, now):
            at, what, _, thing = min(due, key=lambda each: each[:3])
            if what == 0:
                self._release(member, thing)
            elif what == 1:
                thing["expired"] += thing["free"]
                thing["free"] = 0
            else:
                self._end_hold(thing, "TIMED_OUT", at)

    def _due(self, member: str, now: int) -> list[tuple[int, int, int, Any]]:
        account = self.members[member]
        due: list[tuple[int, int, int, Any]] = []
        for lot in account["lots"]:
            if lot["waiting"] and lot["from"] is not None and lot["from"] <= now:
                due.append((lot["from"], 0, lot["number"], lot))
            if lot["free"] and lot["ends"] <= now:
                due.append((lot["ends"], 1, lot["number"], lot))
        for hold in account["holds"]:
            if hold["open"] and hold["ends"] <= now:
                due.append((hold["ends"], 2, hold["number"], hold))
        return due

    def _release(self, member: str, lot: Lot) -> None:
        lot["free"] += lot["waiting"]
        lot["waiting"] = 0
        self._repay(member, lot)

    def _repay(self, member: str, lot: Lot) -> None:
        """An award pays what is owed, the oldest debt first."""
        for debt in self.members[member]["debts"]:
            paid = min(debt["points"], lot["free"])
            debt["points"] -= paid
            debt["repaid"] += paid
            lot["free"] -= paid
            lot["repaid"] += paid

    # Documents

    def post(self, document: str, version: int, content: dict[str, Any], now: int) -> str:
        """State a document; POSTED, REPLAYED or SUPERSEDED."""
        known = self.documents.setdefault(
            document, {"versions": {}, "gave": {}, "final": None, "at": now}
        )
        if version in known["versions"]:
            if known["versions"][version] != content:
                raise No("DOCUMENT_CONFLICT")
            return "REPLAYED"
        member = content["member"]
        self.tick(member, now)
        if known["versions"] and version < max(known["versions"]):
            return "SUPERSEDED"
        known["versions"][version] = content
        known["at"] = now
        status = content["status"]
        if status == "final" and known["final"] is None:
            known["final"] = now
        self._settle(member, document, known, content, now)
        self.tick(member, now)
        return "POSTED"

    def owner(self, document: str) -> str | None:
        """Whose a document is now; None while nothing was posted."""
        known = self.documents.get(document)
        return known["versions"][max(known["versions"])]["member"] if known else None

    def move(self, document: str, member: str, now: int) -> None:
        """A document that is final becomes another member's: nothing there, all of it here."""
        known = self.documents[document]
        newest = max(known["versions"])
        content = known["versions"][newest]
        before = content["member"]
        if before == member:
            raise No("ALREADY_THEIRS")
        self.tick(before, now)
        self.tick(member, now)
        gave = sum(known["gave"].values())
        if gave:
            self._take_back(before, document, content["unit"], gave)
        self.tick(before, now)
        known["versions"][newest] = {**content, "member": member}
        known["gave"] = {}
        self._settle(member, document, known, known["versions"][newest], now, earned=known["at"])
        self.tick(member, now)

    def adjust(self, member: str, unit: str, points: int, now: int) -> None:
        """Points are given by hand, and pay no debt; or taken, and what is missing is owed."""
        self.tick(member, now)
        if points > 0:
            ends = (now // DAY + 31) * DAY
            self._give(member, "", unit, points, (now, ends, now), now, award=False)
        else:
            self._take_back(member, "by hand", unit, -points)
        self.tick(member, now)

    def _settle(
        self, member: str, document: str, known: dict[str, Any], content: dict[str, Any], now: int,
        earned: int | None = None,
    ) -> None:  # fmt: skip
        """Post the difference between what the document gives and what it gave."""
        status, unit = content["status"], content["unit"]
        gives = {} if status == "cancelled" else _gives(content["food"])
        pinned = known["final"] if known["final"] is not None else now
        ends = (pinned // DAY + 31) * DAY
        mine = [lot for lot in self.members[member]["lots"] if lot["document"] == document]
        waiting = [lot for lot in mine if lot["waiting"] and lot["from"] is None]
        undated = sum(lot["waiting"] for lot in waiting) if status == "final" else 0
        less, more = _difference(
            known["gave"], gives, _starts(status, pinned, now), undated=undated, now=now
        )
        known["gave"] = gives
        if less:
            self._take_back(member, document, unit, less)
        if status == "final":
            for lot in sorted(waiting, key=self._order):
                if lot["waiting"]:
                    self._release(member, lot)
        for starts, points in more.items():
            times = (starts, ends, now if earned is None else earned)
            self._give(member, document, unit, points, times, now)

    def _give(
        self, member: str, document: str, unit: str, points: int,
        times: tuple[int | None, int, int], now: int, *, award: bool = True,
    ) -> None:  # fmt: skip
        """A new lot; `times` are when it can be spent, when it ends, when it was earned."""
        starts, ends, earned = times
        self.recorded += 1
        lot = {
            "number": self.recorded, "issuer": unit, "document": document, "earned": earned,
            "ends": ends, "from": starts, "issued": points, "free": 0, "waiting": 0, "held": 0,
            "burned": 0, "expired": 0, "taken": 0, "repaid": 0,
        }  # fmt: skip
        self.members[member]["lots"].append(lot)
        if starts == now:
            lot["free"] = points
            if award:
                self._repay(member, lot)
        else:
            lot["waiting"] = points

    def _take_back(self, member: str, document: str, unit: str, points: int) -> None:
        """First what waits of the document, then its own lots, then any other; the rest is owed."""
        lots = self._in_order(member)
        own = [lot for lot in lots if lot["document"] == document]
        others = [lot for lot in lots if lot["document"] != document]
        for lot in own:
            points -= _move(lot, "waiting", "taken", points)
        for lot in (*own, *others):
            points -= _move(lot, "free", "taken", points)
        if points:
            debt = {"unit": unit, "points": points, "incurred": points, "repaid": 0}
            self.members[member]["debts"].append(debt)

    # Spending

    def burn(self, entry: str, member: str, unit: str, points: int, now: int) -> None:
        self.tick(member, now)
        drawn = self._draw(member, points, "burned")
        self.burns[entry] = {"member": member, "unit": unit, "out": drawn}
        self.tick(member, now)

    def _draw(self, member: str, points: int, to: str) -> list[list[Any]]:
        """[lot, points] taken, in the order of spending; all or nothing."""
        lots = self._in_order(member)
        if sum(lot["free"] for lot in lots) < points:
            raise No("INSUFFICIENT_POINTS")
        drawn = []
        for lot in lots:
            took = _move(lot, "free", to, points)
            points -= took
            if took:
                drawn.append([lot, took])
        return drawn

    def hold(self, hold: str, member: str, unit: str, points: int, now: int) -> None:
        if hold in self.holds:
            raise No("HOLD_EXISTS")
        self.tick(member, now)
        drawn = self._draw(member, points, "held")
        made = {
            "number": len(self.holds), "member": member, "unit": unit, "left": drawn,
            "ends": now + 72 * HOUR, "open": True, "how": "",
        }  # fmt: skip
        self.holds[hold] = made
        self.members[member]["holds"].append(made)

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
        held["left"] = [part for part in held["left"] if part[1]]
        self.burns[entry] = {"member": held["member"], "unit": held["unit"], "out": out}
        if final or not held["left"]:
            self._end_hold(held, "CAPTURED", now)
        self.tick(held["member"], now)

    def release(self, hold: str, now: int) -> None:
        held = self._open_hold(hold, now)
        self._end_hold(held, "RELEASED", now)
        self.tick(held["member"], now)

    def _open_hold(self, hold: str, now: int) -> dict[str, Any]:
        held = self.holds.get(hold)
        if held is None:
            raise No("UNKNOWN_HOLD")
        self.tick(held["member"], now)
        if not held["open"]:
            raise No("HOLD_RESOLVED")
        return held

    def _end_hold(self, held: dict[str, Any], how: str, at: int) -> None:
        for lot, points in held["left"]:
            lot["held"] -= points
            lot["free"] += points
        held.update(left=[], open=False, how=how, at=at)

    # Reversals

    def reverse(self, entry: str, target: str, points: int, now: int) -> None:
        """Take back a burn, or such a reversal; 0 points: all that is left of it."""
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
        self.tick(burn["member"], now)

    def _reburn(self, entry: str, target: str, points: int, now: int) -> None:
        reversal = self.reversals[target]
        burn = self.burns[reversal["burn"]]
        self.tick(burn["member"], now)
        if not reversal["left"] or points > reversal["left"]:
            raise No("MORE_THAN_LEFT")
        points = points or reversal["left"]
        burn["out"] += self._draw(burn["member"], points, "burned")
        reversal["left"] -= points
        self.tick(burn["member"], now)

    # The order of spending, and the books

    def _in_order(self, member: str) -> list[Lot]:
        lots = [lot for lot in self.members[member]["lots"] if _left(lot)]
        return sorted(lots, key=self._order)

    def _order(self, lot: Lot) -> tuple[int, int, int]:
        return lot["ends"], lot["earned"], lot["number"]

    def check(self) -> None:
        """Every lot and every debt adds up, and nothing is below nothing."""
        for account in self.members.values():
            for lot in account["lots"]:
                states = ("free", "waiting", "held", "burned", "expired", "taken", "repaid")
                assert lot["issued"] == sum(lot[state] for state in states)
                assert min(lot[state] for state in states) >= 0
            for debt in account["debts"]:
                assert debt["incurred"] == debt["points"] + debt["repaid"]


def _gives(food: int) -> dict[str, int]:
    """Points by rule for so many cents of food."""
    return {"base": food // 100, "bonus": 50 if food >= 10_000 else 0}


def _starts(status: str, pinned: int, now: int) -> dict[str, int | None]:
    """When points of each rule can be spent; None: when their document is final."""
    if status == "pending":
        return {"base": None, "bonus": None}
    return {"base": now, "bonus": max(now, pinned + 14 * DAY)}


def _difference(
    gave: dict[str, int],
    gives: dict[str, int],
    starts: dict[str, int | None],
    *,
    undated: int,
    now: int,
) -> tuple[int, dict[int | None, int]]:
    """Points to take back, and points to give by when they can be spent.

    `undated` points waited for the final version; of those that now have to wait longer all are
    taken and given anew.
    """
    less, more = 0, dict[int | None, int]()
    for rule, at in starts.items():
        had, has = gave.get(rule, 0), gives.get(rule, 0)
        longer = 0
        if at is not None and at > now:
            longer = min(had, has, undated)
            undated -= longer
        less += max(0, had - has) + longer
        given = max(0, has - had) + longer
        if given:
            more[at] = more.get(at, 0) + given
    return less, more


def _left(lot: Lot) -> int:
    return int(lot["free"] + lot["waiting"] + lot["held"])


def _move(lot: Lot, state: str, to: str, most: int) -> int:
    """Move up to so many points of a lot from one state to another; how many were moved."""
    moved = min(lot[state], most)
    lot[state] -= moved
    lot[to] += moved
    return int(moved)

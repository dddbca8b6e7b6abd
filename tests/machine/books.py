"""The clerk's books: who has which lots, what time does to them, and that all of it adds up."""

from collections import Counter
from typing import Any

HOUR = 3_600
DAY = 24 * HOUR
LIVES = {"p": 30, "q": 7}
"""Days that points live, to the end of the last one."""

Lot = dict[str, Any]
Part = list[Any]
"""[lot, points]"""

RECALLS = ("R1", "R2")
ASIDE = tuple(f"{recall} {state}" for recall in RECALLS for state in ("free", "waiting"))
"""Points that a recall has set aside, by what they were."""
LEFT = ("free", "waiting", "held", "transit", *ASIDE)
GONE = ("burned", "expired", "taken", "repaid", "converted", "moved")


class No(Exception):
    """The clerk refuses; the word is the ledger's reason."""


class Books:
    """All accounts."""

    def __init__(self) -> None:
        self.members: dict[str, dict[str, Any]] = {}
        self.documents: dict[str, dict[str, Any]] = {}
        self.holds: dict[str, dict[str, Any]] = {}
        self.burns: dict[str, dict[str, Any]] = {}
        self.reversals: dict[str, dict[str, Any]] = {}
        self.fees: dict[str, str] = {}
        self.transfers: dict[str, dict[str, Any]] = {}
        self.owed: list[dict[str, Any]] = []
        self.issued: Counter[str] = Counter()
        self.recorded = 0

    # What a teller sees

    def enrol(self, member: str, household: str = "") -> None:
        self.members[member] = {
            "lots": [], "household": household, "into": None, "pools": [], "pool": None,
            "sent": Counter(), "received": Counter(), "opened": [], "nights": [],
        }  # fmt: skip

    # Whose things are where: everything has one owner for ever, and accounts lead to accounts

    def place(self, member: str) -> str:
        """The account that a member is part of now."""
        while self.members[member]["into"] is not None:
            member = self.members[member]["into"]
        return member

    def family(self, member: str) -> list[str]:
        """All who are part of one account."""
        place = self.place(member)
        return [each for each in self.members if self.place(each) == place]

    def household(self, member: str) -> str:
        """The household of an account, which who was merged brings along."""
        told = (self.members[each]["household"] for each in self.family(member))
        return self.members[self.place(member)]["household"] or next(filter(None, told), "")

    def lots_of(self, member: str) -> list[Lot]:
        """All lots of the account that a member is part of."""
        return [lot for each in self.family(member) for lot in self.members[each]["lots"]]

    def debts_of(self, member: str) -> list[dict[str, Any]]:
        """All that the account owes, the oldest first."""
        place = self.place(member)
        return [debt for debt in self.owed if self.place(debt["owner"]) == place]

    def holds_of(self, member: str) -> list[dict[str, Any]]:
        """Open holds of the account: a hold is where its points are."""
        place = self.place(member)
        return [
            hold for hold in self.holds.values() if hold["left"] and holder(hold, self) == place
        ]

    def balance(self, member: str, currency: str, now: int) -> dict[str, int]:
        """Points by state, once time has had its way."""
        self.tick(member, now)
        lots = [lot for lot in self.lots_of(member) if lot["currency"] == currency]
        debts = self.debts_of(member) if currency == "p" else []
        return {
            "available": sum(lot["free"] for lot in lots),
            "pending": sum(lot["waiting"] for lot in lots),
            "held": sum(held(lot) for lot in lots),
            "in_transit": sum(lot["transit"] for lot in lots),
            "arrears": sum(debt["points"] for debt in debts),
        }

    def lots(self, member: str) -> list[tuple[Any, ...]]:
        """What is left, what ends first first: see `SHOWN`, whose it is, and points by state."""
        return [shown(lot, self.place(member)) for lot in self.in_order(member)]

    def debts(self, member: str) -> list[tuple[str, int, str]]:
        """(unit, points, whose) of what is owed, in the order it is repaid."""
        place, owed = self.place(member), [debt for debt in self.debts_of(member) if debt["points"]]
        return [(debt["unit"], debt["points"], whose(debt, place)) for debt in owed]

    def put_in_recorded_order(self, member: str, recorded: list[tuple[Any, ...]]) -> None:
        """Lots that end and were earned alike come as they were recorded, in whichever account.

        What was recorded where at which place is nothing that a clerk can know: it is told.
        """
        place = self.place(member)
        alike: dict[tuple[int, int], list[Lot]] = {}
        for lot in self.in_order(member):
            alike.setdefault((lot["ends"], lot["earned"]), []).append(lot)
        for lots in alike.values():
            if len({lot["book"] for lot in lots}) > 1:
                _arrange(lots, recorded, place)

    # What time does

    def tick(self, member: str, now: int) -> None:
        """Release, expire and time out, in order of the due instant."""
        while due := self._due(member, now):
            _, what, _, thing = min(due, key=lambda each: each[:3])
            if what == 0:
                self.release_lot(member, thing)
            elif what == 1:
                self._lapse(member, thing)
                thing["expired"] += thing["free"]
                thing["free"] = 0
            else:
                self.end_hold(thing)

    def _due(self, member: str, now: int) -> list[tuple[int, int, Any, Any]]:
        due: list[tuple[int, int, Any, Any]] = []
        for lot in self.lots_of(member):
            if lot["waiting"] and lot["from"] is not None and lot["from"] <= now:
                due.append((lot["from"], 0, lot["number"], lot))
            if lot["free"] and lot["ends"] <= now:
                due.append((lot["ends"], 1, lot["number"], lot))
        for hold in self.holds_of(member):
            if hold["ends"] <= now:
                due.append((hold["ends"], 2, (hold["number"], ""), hold))
            for lot, _ in hold["left"] if hold["lapses"] else ():
                if lot["ends"] <= now:
                    due.append((lot["ends"], 1, lot["number"], lot))
        return due

    def _lapse(self, member: str, lot: Lot) -> None:
        """Holds that do not keep their points give back what they have of a lot that is over."""
        for hold in self.holds_of(member):
            for part in hold["left"] if hold["lapses"] else ():
                if part[0] is lot:
                    lot["held"] -= part[1]
                    lot["free"] += part[1]
                    part[1] = 0
            hold["left"] = [part for part in hold["left"] if part[1]]

    def release_lot(self, member: str, lot: Lot) -> None:
        lot["free"] += lot["waiting"]
        lot["waiting"] = 0
        self._repay(member, lot)

    def end_hold(self, held: dict[str, Any]) -> None:
        for lot, points in held["left"]:
            lot["held"] -= points
            lot["free"] += points
        held["left"] = []

    def _repay(self, member: str, lot: Lot) -> None:
        """An award pays what is owed, the oldest debt first."""
        for debt in self.debts_of(member):
            paid = min(debt["points"], lot["free"])
            debt["points"] -= paid
            debt["repaid"] += paid
            lot["free"] -= paid
            lot["repaid"] += paid

    # Lots

    def new_lot(
        self, member: str, unit: str, points: int, *, currency: str = "p", ends: int, earned: int,
        document: str = "",
    ) -> Lot:  # fmt: skip
        """A lot whose points can be spent."""
        lot: Lot = {
            "currency": currency, "issuer": unit, "ends": ends, "earned": earned,
            "document": document, "parent": None, "from": earned, "contributor": "",
        }  # fmt: skip
        self.put(member, lot, points)
        self.issued[currency] += points
        return lot

    def put(self, member: str, lot: Lot, points: int, place: str = "") -> None:
        """Put a new lot into an account; `place` is its place among those that came with it."""
        self.recorded += 1
        lot |= dict.fromkeys((*LEFT, *GONE), 0)
        lot |= {"number": (self.recorded, place), "issued": points, "free": points}
        lot |= {"owner": member, "book": self.place(member)}
        self.members[member]["lots"].append(lot)

    def award(
        self, member: str, document: str, unit: str, points: int, *, starts: int | None,
        ends: int, earned: int, now: int,
    ) -> Lot:  # fmt: skip
        """Points for a document, which pay what is owed as soon as they can be spent."""
        lot = self.new_lot(member, unit, points, ends=ends, earned=earned, document=document)
        lot["from"] = starts
        if starts == now:
            self._repay(member, lot)
        else:
            lot.update(free=0, waiting=points)
        return lot

    def draw(self, member: str, currency: str, points: int, to: str) -> list[Part]:
        """[lot, points] taken, as members spend; all or nothing."""
        lots = [lot for lot in self.in_order(member) if lot["currency"] == currency]
        return take(sorted(lots, key=comes_later), points, to)

    def draw_again(self, member: str, currency: str, points: int) -> list[Part]:
        """[lot, points] burned when what gave them back is taken back: whatever ends first."""
        lots = [lot for lot in self.in_order(member) if lot["currency"] == currency]
        return take(lots, points, "burned")

    def take_back(self, member: str, document: str, unit: str, points: int) -> None:
        """First what waits of the document, then its own lots, then any other; the rest is owed."""
        lots = [lot for lot in self.in_order(member) if lot["currency"] == "p"]
        own = [lot for lot in lots if lot["document"] == document]
        others = [lot for lot in lots if lot["document"] != document]
        for lot in own:
            points -= shift(lot, "waiting", "taken", points)
        for lot in (*own, *others):
            points -= shift(lot, "free", "taken", points)
        if points:
            debt = {
                "owner": member, "unit": unit, "points": points, "incurred": points, "repaid": 0,
            }  # fmt: skip
            self.owed.append(debt)

    # The order of ends, and the books

    def is_promised(self, lot: Lot) -> bool:
        """Whether points of a lot are somebody's to end: held, set aside, or on their way."""
        return bool(held(lot) or lot["transit"])

    def in_order(self, member: str) -> list[Lot]:
        """Lots with something left."""
        lots = [lot for lot in self.lots_of(member) if any(lot[state] for state in LEFT)]
        return sorted(lots, key=order)

    def check(self) -> None:
        """Every lot and every debt adds up, nothing is below nothing, and nothing got lost."""
        for account in self.members.values():
            for lot in account["lots"]:
                assert bool(lot["contributor"]) is (account["pool"] is not None)
                assert lot["issued"] == sum(lot[state] for state in (*LEFT, *GONE))
                assert min(lot[state] for state in (*LEFT, *GONE)) >= 0
        for debt in self.owed:
            assert debt["incurred"] == debt["points"] + debt["repaid"]
        self._check_all_together()

    def _check_all_together(self) -> None:
        """What was issued is somewhere; what moved out of one account has moved into another."""
        lots = [lot for account in self.members.values() for lot in account["lots"]]
        # Until the sender has let go, points that arrived stand in both accounts.
        twice: Counter[str] = Counter()
        for transfer in self.transfers.values():
            if transfer["state"] == "RECEIVED":
                twice[transfer["currency"]] += transfer["points"]
        for currency, issued in self.issued.items():
            mine = [lot for lot in lots if lot["currency"] == currency]
            states = [state for state in (*LEFT, *GONE) if state != "moved"]
            there = sum(lot[state] for lot in mine for state in states)
            assert issued == there - twice[currency]
            moved_in = sum(lot["issued"] for lot in mine if lot["parent"] is not None)
            assert moved_in == sum(lot["moved"] for lot in mine) + twice[currency]
        for lot in lots:
            if lot["parent"] is not None:
                assert all(lot[kept] == lot["parent"][kept] for kept in KEPT)


KEPT = ("currency", "issuer", "ends", "earned")
"""What a lot keeps wherever its points go."""


SHOWN = ("currency", "issuer", "ends", "earned", "document", "contributor")


def shown(lot: Lot, place: str) -> tuple[Any, ...]:
    """A lot as an account shows it."""
    points = (lot["free"], lot["waiting"], held(lot), lot["transit"])
    return (*(lot[what] for what in SHOWN), whose(lot, place), *points)


def _arrange(lots: list[Lot], recorded: list[tuple[Any, ...]], place: str) -> None:
    """Let lots come as they are recorded; of those that look alike, as they came before."""
    alike: dict[tuple[Any, ...], list[Lot]] = {}
    for lot in lots:
        alike.setdefault(shown(lot, place), []).append(lot)
    arranged = [alike[each].pop(0) for each in recorded if alike.get(each)]
    if len(arranged) == len(lots):
        numbers = [lot["number"] for lot in lots]
        for number, lot in zip(numbers, arranged, strict=True):
            lot["number"] = number


def held(lot: Lot) -> int:
    """Points of a lot that are set aside, by whatever."""
    return int(lot["held"] + sum(lot[state] for state in ASIDE))


def whose(thing: dict[str, Any], place: str) -> str:
    """The owner of a thing as an account tells it: empty where it is its own."""
    return "" if thing["owner"] == place else str(thing["owner"])


def holder(hold: dict[str, Any], books: Books) -> str:
    """The account where a hold is: where the points are that it set aside."""
    return books.place(hold["left"][0][0]["owner"])


def order(lot: Lot) -> tuple[int, int, tuple[int, str]]:
    """Place among lots, what ends first first."""
    return lot["ends"], lot["earned"], lot["number"]


def comes_later(lot: Lot) -> bool:
    """Whether members spend a lot after others: of p, what unit b pays for comes first."""
    return bool(lot["currency"] == "p" and lot["issuer"] != "b")


def take(lots: list[Lot], points: int, to: str) -> list[Part]:
    """[lot, points] taken from lots, one after the other; all or nothing."""
    if sum(lot["free"] for lot in lots) < points:
        raise No("INSUFFICIENT_POINTS")
    drawn = []
    for lot in lots:
        took = shift(lot, "free", to, points)
        points -= took
        if took:
            drawn.append([lot, took])
    return drawn


def shift(lot: Lot, state: str, to: str, most: int) -> int:
    """Move up to so many points of a lot from one state to another; how many were moved."""
    moved = min(lot[state], most)
    lot[state] -= moved
    lot[to] += moved
    return int(moved)


def end_of_life(currency: str, since: int) -> int:
    """When points end that are earned at an instant."""
    return (since // DAY + LIVES[currency] + 1) * DAY

"""The clerk's model of points that go elsewhere: to another member, or into another currency."""

from fractions import Fraction
from math import floor
from typing import Any

from tests.machine.books import DAY, KEPT, No, end_of_life, take
from tests.machine.sharing import Sharing

TERMS: dict[str, dict[str, Any]] = {
    "family": {"currency": "p", "kin": True, "fee": 1, "share": Fraction(0), "unit": None,
               "least": 1, "step": 1, "most": None, "asks": None, "sent": 120, "received": 90},
    "gift": {"currency": "p", "kin": False, "fee": 0, "share": Fraction(1, 10), "unit": "b",
             "least": 10, "step": 5, "most": None, "asks": 2, "sent": 80, "received": 60},
    "kin": {"currency": "q", "kin": True, "fee": 0, "share": Fraction(0), "unit": None,
            "least": 1, "step": 1, "most": 40, "asks": None, "sent": None, "received": None},
}  # fmt: skip
"""How points move between members; for a currency the first whose relation the two have."""
CONVERSIONS: dict[str, dict[str, Any]] = {
    "swap": {"from": "p", "into": "q", "rate": Fraction(4, 5), "round": floor, "issuer": "b",
             "fee": 3, "unit": "a"},
    "back": {"from": "q", "into": "p", "rate": Fraction(3, 2), "round": round, "issuer": "a",
             "fee": 0, "unit": "a"},
}  # fmt: skip


class Journeys(Sharing):
    """Transfers and conversions."""

    # Transfers

    def send(
        self, entry: str, sender: str, receiver: str, currency: str, points: int, unit: str,
        now: int,
    ) -> None:  # fmt: skip
        """Points leave, and the fee is spent; they are on their way."""
        sender, receiver = self.place(sender), self.place(receiver)
        if sender == receiver:
            raise No("MALFORMED")
        self.require_spending(sender)
        self.tick(sender, now)
        if self.is_pool(sender):
            whose = self.who_put_in(sender, receiver, currency, points)
            self.send_home(entry, sender, (*whose, receiver)[0], currency, points, now)
            return
        if self.is_pool(receiver):
            self.require_permission(receiver, sender, "contribute")
        name = self._terms_for(sender, receiver, currency)
        terms = TERMS[name]
        _check_amount(points, terms)
        self._check_limit(sender, "sent", name, points, now)
        # What the receiver may get is asked now, and counted when it arrives.
        self._check_limit(receiver, "received", name, points, now)
        fee = terms["fee"] + floor(points * terms["share"])
        if self._free(sender, currency) < points + fee:
            raise No("INSUFFICIENT_POINTS")
        self.members[sender]["sent"][name, now // DAY] += points
        drawn = self.draw(sender, currency, points, "transit")
        self.transfers[entry] = {
            "sender": sender, "receiver": receiver, "currency": currency, "points": points,
            "terms": name, "sent": now, "drawn": drawn, "state": "ON_ITS_WAY",
            "fee": self.draw(sender, currency, fee, "burned"),
            "until": None if terms["asks"] is None else (now // DAY + terms["asks"] + 1) * DAY,
        }  # fmt: skip
        if fee:
            self.fees[entry] = terms["unit"] or unit
        self.tick(sender, now)

    def send_home(
        self, entry: str, pool: str, receiver: str, currency: str, points: int, now: int
    ) -> None:
        """Points that somebody put into a pool leave it for them, at no cost."""
        theirs = [
            lot for lot in self.in_order(pool)
            if lot["currency"] == currency and lot["contributor"] == receiver
        ]  # fmt: skip
        self.transfers[entry] = {
            "sender": pool, "receiver": receiver, "currency": currency, "points": points,
            "terms": None, "sent": now, "drawn": take(theirs, points, "transit"),
            "state": "ON_ITS_WAY", "fee": [], "until": None,
        }  # fmt: skip
        self.tick(pool, now)

    def accept(self, transfer: str, member: str, now: int) -> None:
        """The receiver takes what was sent."""
        self.require_spending(member)
        known = self._open_transfer(transfer, member, "receiver", now)
        self._receive(known, now)

    def decline(self, transfer: str, member: str, now: int) -> None:
        self._give_back(self._open_transfer(transfer, member, "receiver", now), now)

    def cancel(self, transfer: str, member: str, now: int) -> None:
        self._give_back(self._open_transfer(transfer, member, "sender", now), now)

    def carry_on(self, transfer: str, now: int) -> None:
        """The next step that nobody has to be asked about."""
        known = self.transfers[transfer]
        until, state = known["until"], known["state"]
        if state in ("BACK", "OVER"):
            raise No("TRANSFER_RESOLVED")
        if state == "RECEIVED":
            self._let_go(known, now)
        elif until is not None and now < until:
            raise No("TRANSFER_WAITS")
        elif until is not None:
            self._give_back(known, now)
        else:
            try:
                self._receive(known, now)
            except No:
                self._give_back(known, now)

    def _open_transfer(self, transfer: str, member: str, side: str, now: int) -> dict[str, Any]:
        known = self.transfers[transfer]
        if self.place(known[side]) != self.place(member):
            raise No("UNKNOWN_TRANSFER")
        timed_out = known["until"] is not None and known["until"] <= now
        if known["state"] != "ON_ITS_WAY" or timed_out:
            raise No("TRANSFER_RESOLVED")
        return known

    def _terms_for(self, sender: str, receiver: str, currency: str) -> str:
        for name, terms in TERMS.items():
            if terms["currency"] == currency and (not terms["kin"] or self.kin(sender, receiver)):
                return name
        raise No("NO_RELATION")

    def kin(self, one: str, other: str) -> bool:
        """Whether two are of one household, which who was merged brings along, or of one pool."""
        pools = self.members[one]["pools"]
        if self.is_pool(other) or any(pool in pools for pool in self.members[other]["pools"]):
            return True
        household = self.household(one)
        return bool(household) and household == self.household(other)

    def _free(self, member: str, currency: str) -> int:
        return sum(lot["free"] for lot in self.lots_of(member) if lot["currency"] == currency)

    def _check_limit(
        self, member: str, side: str, terms: str | None, points: int, now: int
    ) -> None:
        """A day has its limit, for who sends and for who receives."""
        if terms is None:
            return
        most = TERMS[terms][side]
        used = sum(self.members[each][side][terms, now // DAY] for each in self.family(member))
        if most is not None and used + points > most:
            raise No("LIMIT_REACHED")

    def _receive(self, transfer: dict[str, Any], now: int) -> None:
        """Points arrive in lots of their own, with the issuer and the end of those they left."""
        member = self.place(transfer["receiver"])
        self.require_spending(member)
        self.tick(member, now)
        gift = not self.is_pool(member) and not self.is_pool(transfer["sender"])
        if self.is_pool(member):
            self.require_permission(member, transfer["sender"], "contribute")
        self._check_limit(member, "received", transfer["terms"], transfer["points"], now)
        self.members[member]["received"][transfer["terms"], now // DAY] += transfer["points"]
        for place, (lot, points) in enumerate(transfer["drawn"], 1):
            child = {kept: lot[kept] for kept in KEPT}
            # What somebody bought is nobody else's to know, outside a household.
            child |= {"document": "" if gift else lot["document"], "from": lot["earned"]}
            child["contributor"] = transfer["sender"] if self.is_pool(member) else ""
            child["parent"] = lot
            self.put(member, child, points, str(place))
        transfer["state"] = "RECEIVED"
        self.tick(member, now)

    def _let_go(self, transfer: dict[str, Any], now: int) -> None:
        for lot, points in transfer["drawn"]:
            lot["transit"] -= points
            lot["moved"] += points
        transfer["state"] = "OVER"
        self.tick(transfer["sender"], now)

    def _give_back(self, transfer: dict[str, Any], now: int) -> None:
        """Points go back to where they were, with the fee, and with the room under the limit."""
        sender = transfer["sender"]
        self.tick(sender, now)
        owners = {lot["owner"] for lot, _ in (*transfer["drawn"], *transfer["fee"])}
        for lot, points in transfer["drawn"]:
            lot["transit"] -= points
            lot["free"] += points
        for lot, points in transfer["fee"]:
            lot["burned"] -= points
            lot["free"] += points
        day = (transfer["terms"], transfer["sent"] // DAY)
        self.members[sender]["sent"][day] -= transfer["points"]
        transfer["state"] = "BACK"
        for owner in owners:
            self.tick(owner, now)

    # Conversions

    def convert(self, entry: str, member: str, conversion: str, points: int, now: int) -> None:
        """Points are given up, with a fee on top, for a new lot of another currency."""
        terms = CONVERSIONS[conversion]
        self.require_spending(member)
        member = self.place(member)
        self.tick(member, now)
        received = terms["round"](points * terms["rate"])
        if not received:
            raise No("BELOW_MINIMUM")
        if self._free(member, terms["from"]) < points + terms["fee"]:
            raise No("INSUFFICIENT_POINTS")
        self.draw(member, terms["from"], points, "converted")
        if terms["fee"]:
            self.draw(member, terms["from"], terms["fee"], "burned")
            self.fees[entry] = terms["unit"]
        ends = end_of_life(terms["into"], now)
        self.new_lot(
            member, terms["issuer"], received, currency=terms["into"], ends=ends, earned=now
        )
        self.tick(member, now)


def _check_amount(points: int, terms: dict[str, Any]) -> None:
    if points < terms["least"]:
        raise No("BELOW_MINIMUM")
    if points % terms["step"]:
        raise No("NOT_A_STEP")
    if terms["most"] is not None and points > terms["most"]:
        raise No("ABOVE_MAXIMUM")

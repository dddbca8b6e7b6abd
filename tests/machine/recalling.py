"""The clerk's model of recalls: points of exactly some lots are set aside, given back, taken."""

from tests.machine.books import ASIDE, Lot, shift
from tests.machine.standing import Standing


class Recalling(Standing):
    """Bad points; what was spent of them stays spent."""

    def set_aside(self, recall: str, lots: list[Lot]) -> None:
        """What nobody holds can be neither spent nor expire, until its recall says more."""
        for lot in lots:
            for state in ("free", "waiting"):
                shift(lot, state, f"{recall} {state}", lot[state])

    def give_back(self, recall: str, member: str, lots: list[Lot] | None, now: int) -> None:
        """Points are what they were, and what time or their document decided happens at once."""
        for lot in self._of_recall(recall, member, lots):
            shift(lot, f"{recall} free", "free", lot[f"{recall} free"])
            shift(lot, f"{recall} waiting", "waiting", lot[f"{recall} waiting"])
            if lot["waiting"] and lot["from"] is None and self._is_final(lot["document"]):
                self.release_lot(member, lot)
        self.tick(member, now)

    def take_for_good(self, recall: str, member: str, lots: list[Lot] | None, now: int) -> None:
        """All of the lots that nobody holds, or sends, or has set aside in another recall."""
        for lot in self._of_recall(recall, member, lots) if lots is None else lots:
            for state in (f"{recall} free", f"{recall} waiting", "waiting", "free"):
                shift(lot, state, "taken", lot[state])
        self.tick(member, now)

    def has_set_aside(self, member: str) -> bool:
        """Whether a recall has something of an account."""
        return any(lot[state] for lot in self.lots_of(member) for state in ASIDE)

    def _of_recall(self, recall: str, member: str, lots: list[Lot] | None) -> list[Lot]:
        named = self.in_order(member) if lots is None else lots
        return [lot for lot in named if lot[f"{recall} free"] or lot[f"{recall} waiting"]]

    def _is_final(self, document: str) -> bool:
        known = self.documents.get(document)
        return known is not None and known["versions"][max(known["versions"])]["status"] == "final"

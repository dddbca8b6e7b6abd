"""The open lots of an account while facts are applied to them, in draw order."""

from bisect import insort
from collections.abc import Iterable

from ledger.core.instant import Instant, from_timestamp
from ledger.core.state import Drawn, Lot
from loyalty.v1.types_pb2 import Draw


class CorruptHistory(Exception):
    """A fact names a lot, hold or debt that its account does not have: the history is not whole."""


def drawn_of(draw: Draw) -> Drawn:
    """The draw of a fact as the state keeps it."""
    return Drawn(
        draw.lot_id,
        draw.points,
        draw.issuer,
        draw.funder,
        from_timestamp(draw.earned_time),
        from_timestamp(draw.expire_time) if draw.HasField("expire_time") else None,
    )


class OpenLots:
    """Lots in draw order; a lot with nothing left leaves."""

    __slots__ = ("items",)

    def __init__(self, lots: Iterable[Lot]) -> None:
        self.items = list(lots)

    def insert(self, lot: Lot) -> None:
        """Put a lot in its place."""
        items = self.items
        if not items or items[-1].order < lot.order:
            items.append(lot)
        else:
            insort(items, lot, key=_order)

    def join(self, lot_id: str, points: int) -> bool:
        """Add points to an open lot; False when there is none with this id."""
        for index in range(len(self.items) - 1, -1, -1):
            if self.items[index].lot_id == lot_id:
                self.change(index, available=points)
                return True
        return False

    def find(self, lot_id: str, state: str, points: int) -> int:
        """Index of the lot with this id that has so many points in a state, the first to expire."""
        for index, lot in enumerate(self.items):
            if lot.lot_id == lot_id and getattr(lot, state) >= points:
                return index
        raise CorruptHistory(f"lot {lot_id} has no {points} {state} points")

    def find_exact(self, drawn: Drawn) -> int | None:
        """Index of the lot of a draw.

        One id may stand twice, once with its own expiry and once with that of a grace.
        """
        for index, lot in enumerate(self.items):
            if lot.lot_id == drawn.lot_id and lot.expires_at == drawn.expires_at:
                return index
        return None

    def change(self, index: int, available: int = 0, pending: int = 0, held: int = 0) -> None:
        """Add to what a lot has in each state."""
        lot = self.items[index]
        available += lot.available
        pending += lot.pending
        held += lot.held
        if not (available or pending or held):
            del self.items[index]
        else:
            self.items[index] = Lot(*lot[:-3], available, pending, held)

    def draw(self, draws: Iterable[Draw]) -> None:
        """Take available points."""
        for draw in draws:
            points = draw.points
            self.change(self.find(draw.lot_id, "available", points), available=-points)

    def draw_pending(self, draws: Iterable[Draw]) -> None:
        """Take pending points."""
        for draw in draws:
            points = draw.points
            self.change(self.find(draw.lot_id, "pending", points), pending=-points)

    def release(self, lot_id: str, points: int) -> None:
        """Make pending points available."""
        self.change(self.find(lot_id, "pending", points), available=points, pending=-points)

    def expire(self, lot_id: str, points: int) -> None:
        """Take available points that passed their time."""
        self.change(self.find(lot_id, "available", points), available=-points)

    def hold(self, draws: Iterable[Drawn]) -> None:
        """Set available points aside."""
        for draw in draws:
            index = self.find(draw.lot_id, "available", draw.points)
            self.change(index, available=-draw.points, held=draw.points)

    def end_hold(self, draws: Iterable[Drawn], *, comes_back: bool) -> None:
        """Take held points, to make them available again or to spend them."""
        for draw in draws:
            index = self.find_exact(draw)
            if index is None:
                raise CorruptHistory(f"lot {draw.lot_id} has no held points")
            self.change(index, available=draw.points if comes_back else 0, held=-draw.points)

    def give_back(self, drawn: Drawn, *, currency: str, seq: int) -> None:
        """Give burned points back to their lot, which opens again if it had closed."""
        index = self.find_exact(drawn)
        if index is not None:
            self.change(index, available=drawn.points)
            return
        self.insert(
            Lot(
                drawn.lot_id,
                currency,
                drawn.issuer,
                drawn.funder,
                "",
                "",
                drawn.earned_at,
                None,
                drawn.expires_at,
                seq,
                drawn.points,
            )
        )


def _order(lot: Lot) -> tuple[int, Instant, int, str]:
    return lot.order

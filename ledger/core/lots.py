"""The open lots of an account while facts are applied to them, in draw order."""

from bisect import insort
from collections.abc import Iterable, Sequence
from typing import Final

from ledger.core.draws import life_of
from ledger.core.instant import Instant, from_timestamp
from ledger.core.state import Drawn, Lot
from loyalty.v1.types_pb2 import Draw

MANY: Final = 8
"""For more draws than this, lots are looked up in an index; for few, making one costs more."""


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
        from_timestamp(draw.expire_time) if "expire_time" in draw else None,
        draw.grace,
        life_of(draw.life) if "life" in draw else None,
        draw.document,
        draw.lot_version,
        draw.contributor_id,
        draw.owner_id,
    )


class OpenLots:
    """Lots in draw order; a lot with nothing left leaves."""

    __slots__ = ("items",)

    def __init__(self, lots: Iterable[Lot]) -> None:
        self.items = list(lots)

    def insert(self, lot: Lot) -> None:
        """Put a lot in its place."""
        items = self.items
        if not items or items[-1].order() < lot.order():
            items.append(lot)
        else:
            insort(items, lot, key=Lot.order)

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

    def owner(self, lot_id: str) -> str:
        """Whose the pending points of a lot are."""
        return next(lot.owner for lot in self.items if lot.lot_id == lot_id and lot.pending)

    def find_exact(self, drawn: Drawn) -> int | None:
        """Index of the lot of a draw.

        One id may stand twice, once with its own expiry and once with that of a grace.
        """
        for index, lot in enumerate(self.items):
            if lot.lot_id == drawn.lot_id and lot.expires_at == drawn.expires_at:
                return index
        return None

    def change(
        self, index: int, available: int = 0, pending: int = 0, held: int = 0, in_transit: int = 0
    ) -> None:
        """Add to what a lot has in each state."""
        lot = self.items[index]
        available += lot.available
        pending += lot.pending
        held += lot.held
        in_transit += lot.in_transit
        if not (available or pending or held or in_transit):
            del self.items[index]
        else:
            self.items[index] = _with_points(lot, available, pending, held, in_transit)

    def draw(self, draws: Sequence[Draw]) -> None:
        """Take available points."""
        if len(draws) > MANY:
            self._change_many(draws, "available", available=-1)
            return
        for draw in draws:
            points = draw.points
            self.change(self.find(draw.lot_id, "available", points), available=-points)

    def draw_pending(self, draws: Sequence[Draw]) -> None:
        """Take pending points."""
        if len(draws) > MANY:
            self._change_many(draws, "pending", pending=-1)
            return
        for draw in draws:
            points = draw.points
            self.change(self.find(draw.lot_id, "pending", points), pending=-points)

    def release(self, lot_id: str, points: int, expires_at: Instant | None = None) -> None:
        """Make pending points available; `expires_at` where their life counts from now."""
        index = self.find(lot_id, "pending", points)
        self.change(index, available=points, pending=-points)
        if expires_at is not None:
            lot = self.items.pop(index)
            life = lot.life if lot.life is not None and lot.life.is_derived else None
            self.insert(lot._replace(expires_at=expires_at, life=life))

    def expire(self, lot_id: str, points: int) -> None:
        """Take available points that passed their time.

        Of a lot that stands twice, on grace and with a life of its own, the latter ends first.
        """
        index = self.find(lot_id, "available", points)
        if self.items[index].grace:
            for later in range(index + 1, len(self.items)):
                lot = self.items[later]
                if lot.lot_id == lot_id and lot.life is not None and lot.available >= points:
                    index = later
        self.change(index, available=-points)

    def extend(self, lot_id: str, before: Instant, end: Instant) -> None:
        """Move the end of a lot; what came back of it with that very end joins it."""
        for index, lot in enumerate(self.items):
            if lot.lot_id == lot_id and lot.expires_at == before and not lot.grace:
                del self.items[index]
                break
        else:
            raise CorruptHistory(f"there is no open lot {lot_id} that ends then")
        for index, twin in enumerate(self.items):
            if twin.lot_id == lot_id and twin.expires_at == end:
                self.change(index, lot.available, lot.pending, lot.held)
                return
        self.insert(lot._replace(expires_at=end))

    def shift(self, draws: Sequence[Drawn], *, out_of: str, into: str) -> None:
        """Move points of exactly these lots from one state to another; "" takes them out."""
        for draw in draws:
            index = self.find_exact(draw)
            if index is None or getattr(self.items[index], out_of) < draw.points:
                raise CorruptHistory(f"lot {draw.lot_id} has no {draw.points} {out_of} points")
            change = {out_of: -draw.points}
            if into:
                change[into] = draw.points
            self.change(index, **change)

    def hold(self, draws: Sequence[Drawn]) -> None:
        """Set available points aside."""
        if len(draws) > MANY:
            self._change_many(draws, "available", available=-1, held=1)
            return
        for draw in draws:
            index = self.find(draw.lot_id, "available", draw.points)
            self.change(index, available=-draw.points, held=draw.points)

    def send(self, draws: Sequence[Drawn]) -> None:
        """Put available points in transit."""
        if len(draws) > MANY:
            self._change_many(draws, "available", available=-1, in_transit=1)
            return
        for draw in draws:
            index = self.find(draw.lot_id, "available", draw.points)
            self.change(index, available=-draw.points, in_transit=draw.points)

    def end_hold(self, draws: Sequence[Drawn], *, comes_back: bool) -> None:
        """Take held points, to make them available again or to spend them."""
        if len(draws) > MANY:
            self._end_many(draws, "held", comes_back=comes_back)
            return
        for draw in draws:
            back = draw.points if comes_back else 0
            self.change(self._index(draw, "held"), available=back, held=-draw.points)

    def end_transit(self, draws: Sequence[Drawn], *, comes_back: bool) -> None:
        """Take points that were in transit: they have come back, or have arrived elsewhere."""
        if len(draws) > MANY:
            self._end_many(draws, "in_transit", comes_back=comes_back)
            return
        for draw in draws:
            back = draw.points if comes_back else 0
            self.change(self._index(draw, "in_transit"), available=back, in_transit=-draw.points)

    def _index(self, draw: Drawn, state: str) -> int:
        index = self.find_exact(draw)
        if index is None:
            raise CorruptHistory(f"lot {draw.lot_id} has no points {state.replace('_', ' ')}")
        return index

    def give_back(self, draws: Sequence[Drawn], *, currency: str) -> None:
        """Give burned points back to their lots, which open again if they had closed."""
        if len(draws) > MANY:
            self._give_many_back(draws, currency=currency)
            return
        for drawn in draws:
            index = self.find_exact(drawn)
            if index is None:
                self.insert(_opened_again(drawn, currency=currency))
            else:
                self.change(index, available=drawn.points)

    # --- between accounts: lots keep their id, and their place in the order ---------------------

    def move_out(self, draws: Sequence[Drawn], state: str) -> None:
        """Take points in a state; they go to another account."""
        items, places = self.items, self._exact_places()
        for drawn in draws:
            index = places.get((drawn.lot_id, drawn.expires_at))
            if index is None or getattr(items[index], state) < drawn.points:
                raise CorruptHistory(f"lot {drawn.lot_id} has no {drawn.points} {state} points")
            left = getattr(items[index], state) - drawn.points
            items[index] = items[index]._replace(**{state: left})
        self.items = [lot for lot in items if lot.left]

    def move_in(self, lots: Sequence[Lot]) -> None:
        """Add points of lots, to those that are here already where there are such."""
        items, places = self.items, self._exact_places()
        for lot in lots:
            index = places.setdefault((lot.lot_id, lot.expires_at), len(items))
            if index == len(items):
                items.append(lot)
                continue
            here = items[index]
            items[index] = _with_points(
                here,
                here.available + lot.available,
                here.pending + lot.pending,
                here.held + lot.held,
                here.in_transit,
            )
        items.sort(key=Lot.order)

    # --- many draws at once: every lot keeps its place until the last one is done ---------------

    def _change_many(
        self,
        draws: Sequence[Draw | Drawn],
        state: str,
        *,
        available: int = 0,
        pending: int = 0,
        held: int = 0,
        in_transit: int = 0,
    ) -> None:
        """Change the lots that `find` would; the numbers are signs of the points of a draw."""
        items = self.items
        places: dict[str, list[int]] = {}
        for index, lot in enumerate(items):
            places.setdefault(lot.lot_id, []).append(index)
        for draw in draws:
            points = draw.points
            for index in places.get(draw.lot_id, ()):
                lot = items[index]
                if getattr(lot, state) >= points:
                    break
            else:
                raise CorruptHistory(f"lot {draw.lot_id} has no {points} {state} points")
            items[index] = _with_points(
                lot,
                lot.available + available * points,
                lot.pending + pending * points,
                lot.held + held * points,
                lot.in_transit + in_transit * points,
            )
        self.items = [lot for lot in items if lot.left]

    def _end_many(self, draws: Sequence[Drawn], state: str, *, comes_back: bool) -> None:
        items = self.items
        places = self._exact_places()
        held, sent = int(state == "held"), int(state == "in_transit")
        for draw in draws:
            index = places.get((draw.lot_id, draw.expires_at))
            if index is None:
                raise CorruptHistory(f"lot {draw.lot_id} has no points {state.replace('_', ' ')}")
            lot, points = items[index], draw.points
            items[index] = _with_points(
                lot,
                lot.available + (points if comes_back else 0),
                lot.pending,
                lot.held - held * points,
                lot.in_transit - sent * points,
            )
        self.items = [lot for lot in items if lot.left]

    def _give_many_back(self, draws: Sequence[Drawn], *, currency: str) -> None:
        items = self.items
        places = self._exact_places()
        for drawn in draws:
            index = places.setdefault((drawn.lot_id, drawn.expires_at), len(items))
            if index == len(items):
                items.append(_opened_again(drawn, currency=currency))
            else:
                self.change(index, available=drawn.points)
        items.sort(key=Lot.order)

    def _exact_places(self) -> dict[tuple[str, Instant | None], int]:
        """Indexes that `find_exact` would give."""
        places: dict[tuple[str, Instant | None], int] = {}
        for index, lot in enumerate(self.items):
            places.setdefault((lot.lot_id, lot.expires_at), index)
        return places


def _with_points(lot: Lot, available: int, pending: int, held: int, in_transit: int) -> Lot:
    before = lot[:10]
    return Lot(*before, available, pending, held, lot.grace, lot.life, in_transit, *lot[16:])


def _opened_again(drawn: Drawn, *, currency: str) -> Lot:
    """The lot of a draw that came back, with the draw's points."""
    return Lot(
        drawn.lot_id,
        currency,
        drawn.issuer,
        drawn.funder,
        drawn.document,
        "",
        drawn.earned_at,
        None,
        drawn.expires_at,
        drawn.seq,
        drawn.points,
        grace=drawn.grace,
        life=drawn.life,
        contributor=drawn.contributor,
        owner=drawn.owner,
    )

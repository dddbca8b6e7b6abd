"""Transfers under way in a MemoryDatabase, found by reading every transfer: surely right."""

from typing import Any, cast

import asyncpg

from ledger.core.events import AnyFact, decode
from ledger.core.instant import Instant
from ledger.keys import thing_of
from ledger.transit import Transit, transit_of
from loyalty.v1.events_pb2 import PointsReturned
from projections.transfers import DueTransfer, Waiting
from server.passes import Send
from server.transferring import PAGE, Continuing
from tests.simulation.database import MemoryDatabase


class MemoryTransfers:
    """Every transfer of a world; those that are over are not read again."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database
        self._over: set[str] = set()

    def under_way(self) -> list[Transit]:
        """Those that have neither come back nor let go of their points, by id."""
        things = {thing_of(key): None for key in self._database.keys_between("t/", "t0")}
        found = [self._transit(thing) for thing in things if thing not in self._over]
        return [transit for transit in found if transit is not None]

    def _transit(self, thing: str) -> Transit | None:
        acts: list[tuple[str, AnyFact]] = [
            (event.stream, decode(event.payload))
            for key in self._database.acts(thing)
            for event in self._database.event_at(self._database.keys[key])
        ]
        transit = transit_of(acts)
        assert transit is not None, f"{thing} was never sent"
        if transit.completed or isinstance(transit.outcome, PointsReturned):
            self._over.add(thing)
            return None
        return transit


class MemoryContinuing(Continuing):
    """As `Continuing`, over a world's transfers instead of the projection."""

    def __init__(self, transfers: MemoryTransfers, send: Send[Any]) -> None:
        super().__init__(cast(asyncpg.Pool, None), send)
        self._transfers = transfers

    async def left(self, now: Instant) -> Waiting:
        """How many are still due; since when does not matter here."""
        return Waiting(len(self._due(now)), now)

    async def _page(self, now: Instant, after: str) -> list[DueTransfer]:
        return [due for due in self._due(now) if due.transfer > after][:PAGE]

    def _due(self, now: Instant) -> list[DueTransfer]:
        return [
            DueTransfer(transit.sent.entry_id, received=transit.outcome is not None)
            for transit in self._transfers.under_way()
            if transit.outcome is not None or transit.accept_until is None or transit.timed_out(now)
        ]

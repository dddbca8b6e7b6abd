"""TraceLots: where bad points are, and what came of them.

Finding the lots means walking from the origin to all that came of it, so a walk keeps the places of
the next thousands of lots and the pages that follow read them there. Only they are kept, not what
the lots hold: every page tells that as it is when it is asked for.
"""

import base64
import binascii
import secrets
from collections import OrderedDict
from hashlib import sha256
from typing import Final, NamedTuple

from ledger.core import refusals
from ledger.service import Ledger
from loyalty.v1 import audit_service_pb2 as pb
from projections.lots import NAME
from projections.projection import Connection, Positions
from projections.reading import missing
from projections.traces import Found, Origin, TracedLot, look, walk
from server.services.catching_up import catch_up, positions_in

PAGE_DEFAULT: Final = 200
WAIT_SECONDS: Final = 5.0
WINDOW_LOTS: Final = 20_000
"""Lots whose places a walk keeps."""
WINDOWS_KEPT: Final = 4
"""Traces that are read at once; of the others each page costs a walk."""
_BOUND: Final = 8
_Place = tuple[str, str]
_FIRST: Final[_Place] = ("", "")


class _Start(NamedTuple):
    """Where a page begins, and by which trace it is one."""

    trace: bytes
    """Begins with its question: what was kept for one is never read by another."""
    after: _Place


class _Window(NamedTuple):
    """What a walk found behind a place."""

    after: _Place
    positions: Positions
    """Of the read side when it walked."""
    found: tuple[Found, ...]
    is_last: bool
    """Nothing comes behind it."""

    def page(self, after: _Place, size: int) -> tuple[tuple[Found, ...], bool] | None:
        """The lots behind a place, and whether more follow; None if they are not all here."""
        begin = 0 if after == self.after else self._behind(after)
        if begin is None or not (self.is_last or begin + size < len(self.found)):
            return None
        return self.found[begin : begin + size], begin + size < len(self.found)

    def _behind(self, after: _Place) -> int | None:
        places = enumerate(self.found, 1)
        return next((behind for behind, each in places if each[:2] == after), None)


class LotTraces:
    """Answers from the projection `lots`."""

    def __init__(self, ledger: Ledger) -> None:
        """Read beside `ledger`."""
        self._ledger = ledger
        self._windows: OrderedDict[bytes, _Window] = OrderedDict()
        """By trace, the one that was read last at the end."""

    async def page(self, request: pb.TraceLotsRequest) -> pb.TraceLotsResponse:
        """Return a page. Raises Malformed for a foreign token, NotServing when it is behind."""
        kind = request.WhichOneof("of")
        assert kind is not None, "the question was checked"
        origin = Origin(kind, getattr(request, kind))
        bound = sha256("\n".join(("lots", *origin)).encode()).digest()[:_BOUND]
        start = _page_start(request.page_token, bound)
        size = request.page_size or PAGE_DEFAULT
        wanted = positions_in(request.min_positions)
        async with self._ledger.reading.pool.acquire() as connection:
            await catch_up(connection, NAME, wanted, seconds=WAIT_SECONDS)
            found, more = await self._found(connection, origin, start, wanted=wanted, size=size)
            rows = (await look(connection, found)).value
        token = _page_token(_Start(start.trace, found[-1][:2])) if more else ""
        return pb.TraceLotsResponse(lots=[_message(row) for row in rows], next_page_token=token)

    async def _found(
        self,
        connection: Connection,
        origin: Origin,
        start: _Start,
        *,
        wanted: Positions,
        size: int,
    ) -> tuple[tuple[Found, ...], bool]:
        """The lots of a page and whether more follow: from what was kept, else by a walk."""
        known = self._windows.get(start.trace)
        if known is not None and not missing(known.positions, wanted=wanted):
            page = known.page(start.after, size)
            if page is not None:
                self._windows.move_to_end(start.trace)
                return page
        walked = await walk(connection, origin, after=start.after, most=WINDOW_LOTS + 1)
        window = _Window(
            start.after,
            walked.positions,
            walked.value[:WINDOW_LOTS],
            len(walked.value) <= WINDOW_LOTS,
        )
        page = window.page(start.after, size)
        assert page is not None, "a window is larger than a page"
        if page[1]:
            self._windows[start.trace] = window
            self._windows.move_to_end(start.trace)
            if len(self._windows) > WINDOWS_KEPT:
                self._windows.popitem(last=False)
        return page


def _message(row: TracedLot) -> pb.TracedLot:
    return pb.TracedLot(
        account_id=row.account,
        lot_id=row.lot,
        currency=row.currency,
        issuer=row.issuer,
        campaign=row.campaign,
        document=row.document,
        points=row.points,
        left=row.left,
        quarantined=row.set_aside,
        held=row.held,
        in_transit=row.in_transit,
        passed_on=row.arrived,
        spent=row.spent,
        charged=row.charged,
        clawed_back=row.taken,
        expired=row.expired,
        converted=row.converted,
    )


def _page_token(start: _Start) -> str:
    return base64.urlsafe_b64encode(start.trace + "\n".join(start.after).encode()).decode()


def _page_start(token: str, bound: bytes) -> _Start:
    """Place behind which a page begins. Raises Malformed for a token of another question."""
    if not token:
        return _Start(bound + secrets.token_bytes(_BOUND), _FIRST)
    try:
        raw = base64.urlsafe_b64decode(token)
        account, _, lot = raw[2 * _BOUND :].decode().partition("\n")
    except (binascii.Error, ValueError):
        raw, account, lot = b"", "", ""
    if raw[:_BOUND] != bound or not lot:
        raise refusals.Malformed(
            field="page_token",
            value=token,
            expected="next_page_token of the page before, with the same question",
        )
    return _Start(raw[: 2 * _BOUND], (account, lot))

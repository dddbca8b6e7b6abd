"""TraceLots: where bad points are, and what came of them."""

import base64
import binascii
from hashlib import sha256
from typing import Final

from ledger.answers import parse_position
from ledger.core import refusals
from ledger.service import Ledger
from loyalty.v1 import audit_service_pb2 as pb
from projections.lots import NAME, Origin, TracedLot, trace
from projections.reading import Behind, reached

PAGE_DEFAULT: Final = 200
WAIT_SECONDS: Final = 5.0
_BOUND: Final = 8
_Place = tuple[str, str]


class LotTraces:
    """Answers from the projection `lots`."""

    def __init__(self, ledger: Ledger) -> None:
        """Read beside `ledger`."""
        self._ledger = ledger

    async def page(self, request: pb.TraceLotsRequest) -> pb.TraceLotsResponse:
        """Return a page. Raises Malformed for a foreign token, NotServing when it is behind."""
        origin = Origin(request.lot_id, request.campaign, request.document)
        bound = sha256("\n".join(("lots", *origin)).encode()).digest()[:_BOUND]
        after = _page_start(request.page_token, bound)
        size = request.page_size or PAGE_DEFAULT
        wanted: dict[int, int] = {}
        for position in request.min_positions:
            lane, pos = parse_position(position)
            wanted[lane] = max(pos, wanted.get(lane, 0))
        async with self._ledger.reading.pool.acquire() as connection:
            if wanted:
                try:
                    await reached(connection, NAME, wanted, seconds=WAIT_SECONDS)
                except Behind as behind:
                    raise refusals.NotServing(cause=str(behind)) from None
            found = await trace(connection, origin, after=after, most=size + 1)
        rows = found.value[:size]
        more = len(found.value) > size
        token = _page_token((rows[-1].account, rows[-1].lot), bound) if more else ""
        return pb.TraceLotsResponse(lots=[_message(row) for row in rows], next_page_token=token)


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


def _page_token(place: _Place, bound: bytes) -> str:
    return base64.urlsafe_b64encode(bound + "\n".join(place).encode()).decode()


def _page_start(token: str, bound: bytes) -> _Place:
    """Place behind which a page begins. Raises Malformed for a token of another question."""
    if not token:
        return "", ""
    try:
        raw = base64.urlsafe_b64decode(token)
        account, _, lot = raw[_BOUND:].decode().partition("\n")
    except (binascii.Error, ValueError):
        raw, account, lot = b"", "", ""
    if raw[:_BOUND] != bound or not lot:
        raise refusals.Malformed(
            field="page_token",
            value=token,
            expected="next_page_token of the page before, with the same question",
        )
    return account, lot

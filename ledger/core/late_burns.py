"""Burns that are recorded late: what was live when they happened comes back for them."""

from collections.abc import Iterable

from ledger.core.commands import BurnPoints
from ledger.core.decision import Draft
from ledger.core.draws import draw_of
from ledger.core.state import Drawn
from loyalty.v1.events_pb2 import LotReinstated
from loyalty.v1.types_pb2 import Draw


def draw_expired(expired: Iterable[Drawn], points: int) -> list[Draw]:
    """Draw first what was live when a burn happened: it would have been drawn first then."""
    draws: list[Draw] = []
    for drawn in expired:
        taken = min(points, drawn.points)
        if taken:
            draws.append(draw_of(drawn, taken))
        points -= taken
    return draws


def reinstate(draft: Draft, command: BurnPoints, draw: Draw) -> None:
    """Let points come back that have expired, for a burn that takes them."""
    back = LotReinstated(
        lot_id=draw.lot_id,
        currency=command.currency,
        points=draw.points,
        business_unit=draw.issuer,
        funder=draw.funder,
        earned_time=draw.earned_time,
        grace=draw.grace,
        available_after=draft.available(command.currency) + draw.points,
        entry_id=command.entry_id,
        document=draw.document,
        lot_version=draw.lot_version,
        owner_id=draw.owner_id,
    )
    if "expire_time" in draw:
        back.expire_time.CopyFrom(draw.expire_time)
    if "life" in draw:
        back.life.CopyFrom(draw.life)
    draft.record(back)

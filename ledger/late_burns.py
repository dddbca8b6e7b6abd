"""What a burn that is recorded late may spend: points that were live when it happened."""

from dataclasses import replace
from typing import Final

from ledger.core.draws import life_of
from ledger.core.events import Fact
from ledger.core.instant import DAY, Instant, from_timestamp
from ledger.core.state import FAR_FUTURE, Drawn
from ledger.pricing import Price
from ledger.work import Work
from loyalty.v1.events_pb2 import LotReinstated, PointsExpired

_SINCE: Final = 1_000_000
"""A burn that happened less than a second ago is not late."""


def live_then(work: Work, stream: str, price: Price, at: Instant) -> tuple[Drawn, ...]:
    """Lots of the price's currency that were live at an instant and have expired since.

    In the order in which they would have been drawn. None for a burn that is not late, or later
    than the policy allows.
    """
    late_by = work.now(stream) - at
    if late_by < _SINCE or late_by > price.lateness_days * DAY:
        return ()
    return expired_since(work.expiries(stream), price.currency, at)


def expired_since(facts: list[Fact], currency: str, at: Instant) -> tuple[Drawn, ...]:
    """As `live_then`, from what expired and what came back of it, in order."""
    ends: dict[tuple[str, Instant | None], Instant] = {}
    left: dict[tuple[str, Instant | None], Drawn] = {}
    for fact, ended_at in facts:
        if not isinstance(fact, PointsExpired | LotReinstated) or fact.currency != currency:
            continue
        drawn = _drawn(fact)
        key = drawn.lot_id, drawn.expires_at
        before = left.get(key)
        sign = 1 if isinstance(fact, PointsExpired) else -1
        points = sign * drawn.points + (before.points if before else 0)
        left[key] = replace(drawn, points=points)
        if sign > 0:
            ends[key] = ended_at
    live = [
        (ends[key], drawn.earned_at, number, drawn)
        for number, (key, drawn) in enumerate(left.items())
        if drawn.points > 0 and _was_live(drawn, ends[key], at)
    ]
    return tuple(drawn for *_, drawn in sorted(live, key=lambda each: each[:3]))


def _was_live(drawn: Drawn, ended_at: Instant, at: Instant) -> bool:
    """Whether points had been earned and not expired; what came back expired did so before."""
    end = min(ended_at, FAR_FUTURE if drawn.expires_at is None else drawn.expires_at)
    return drawn.earned_at <= at < end


def _drawn(fact: PointsExpired | LotReinstated) -> Drawn:
    return Drawn(
        fact.lot_id,
        fact.points,
        fact.business_unit,
        fact.funder,
        from_timestamp(fact.earned_time),
        from_timestamp(fact.expire_time) if fact.HasField("expire_time") else None,
        fact.grace,
        life_of(fact.life) if fact.HasField("life") else None,
        fact.document,
        fact.lot_version,
    )

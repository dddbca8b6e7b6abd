"""What a burn that is recorded late may spend: points that were live when it happened."""

from collections.abc import Iterator
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
    live = [
        (ended_at, drawn.earned_at, number, drawn)
        for number, (drawn, ended_at) in enumerate(expired_net(facts, currency))
        if _was_live(drawn, ended_at, at)
    ]
    return tuple(drawn for *_, drawn in sorted(live, key=lambda each: each[:3]))


def expired_net(facts: list[Fact], currency: str) -> Iterator[tuple[Drawn, Instant]]:
    """What has expired and not come back, by lot and date, with when it last expired."""
    ends: dict[str, dict[Instant | None, Instant]] = {}
    left: dict[str, dict[Instant | None, Drawn]] = {}
    for fact, ended_at in facts:
        if not isinstance(fact, PointsExpired | LotReinstated) or fact.currency != currency:
            continue
        drawn = _drawn(fact)
        of_lot = left.setdefault(drawn.lot_id, {})
        if isinstance(fact, PointsExpired):
            before = of_lot.get(drawn.expires_at)
            points = drawn.points + (before.points if before else 0)
            of_lot[drawn.expires_at] = drawn._replace(points=points)
            ends.setdefault(drawn.lot_id, {})[drawn.expires_at] = ended_at
        else:
            _come_back(of_lot, drawn)
    for lot_id, of_lot in left.items():
        for expires_at, drawn in of_lot.items():
            if drawn.points:
                yield drawn, ends[lot_id][expires_at]


def _come_back(of_lot: dict[Instant | None, Drawn], back: Drawn) -> None:
    """Take what came back from what had expired: of its own date first, then of any.

    By hand points come back with a new date, so that they are nobody's own.
    """
    points = back.points
    for expires_at in sorted(of_lot, key=lambda end: end != back.expires_at):
        drawn = of_lot[expires_at]
        taken = min(points, drawn.points)
        of_lot[expires_at] = drawn._replace(points=drawn.points - taken)
        points -= taken


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
        owner=fact.owner_id,
    )

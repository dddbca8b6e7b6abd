"""ClosePeriod: a month's settlement is fixed by where every lane stands."""

import rules
from ledger.act import Act, Answer
from ledger.answers.periods import closed_message
from ledger.core import refusals
from ledger.core.events import Fact
from ledger.core.instant import Instant, to_datetime, to_timestamp
from ledger.core.people import actor
from ledger.handlers import context
from ledger.lanes import PERIOD
from ledger.periods import closed_of
from ledger.work import Work
from loyalty.v1.audit_service_pb2 import ClosePeriodRequest
from loyalty.v1.events_pb2 import PeriodClosed


def close_period(act: Act, work: Work) -> Answer:
    """Close a month that is over; one that is closed stays as it is, and is answered again."""
    request = act.request
    assert isinstance(request, ClosePeriodRequest)
    now = work.clock_now()
    policy = work.policies.at(now)
    stream = PERIOD + policy.programme
    closed = work.closed_periods()
    for each in closed:
        if each.name == request.period:
            where = work.append(stream, closed[-1].version, ())
            again = context.register(act, work, where, closed_message(each))
            return again._replace(replayed=True)
    month = _month(work, policy.zone, request.period, now)
    fact = PeriodClosed(
        programme=policy.programme,
        period=month.name,
        zone=policy.zone,
        start_time=to_timestamp(month.start),
        end_time=to_timestamp(month.end),
        author=actor(act.client, request.operator),
    )
    for lane, next_pos in work.everywhere().items():
        fact.cut.add(lane=lane, next_pos=next_pos)
    version = closed[-1].version if closed else 0
    where = work.append(stream, version, (Fact(fact, now),))
    done = closed_of(fact, version + 1, work.batch.events[-1].recorded_at)
    work.period_facts.append(done)
    return context.register(act, work, where, closed_message(done))


def _month(work: Work, zone: str, name: str, now: Instant) -> rules.Month:
    """The month that is to be closed. Raises Malformed, PeriodNotOver, PeriodOutOfOrder."""
    month = rules.month_named(zone, name)
    if month is None:
        raise refusals.Malformed(field="period", value=name, expected='a month, "2025-01"')
    closed = work.closed_periods()
    if closed and month.start != closed[-1].end:
        following = rules.month_at(zone, closed[-1].end).name
        raise refusals.PeriodOutOfOrder(period=name, next_period=following)
    if now < month.end:
        ends = to_datetime(month.end).isoformat()
        raise refusals.PeriodNotOver(period=name, end_time=ends)
    return month

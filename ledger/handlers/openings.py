"""RecordOpening: a row of an older programme's file, once, and from one file for each source."""

from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Final

import uuid_utils

import rules
from ledger.act import Act, Answer
from ledger.core import refusals
from ledger.core.commands import RecordOpening
from ledger.core.instant import CLOCKS_DIFFER_BY, Instant, from_timestamp, to_datetime
from ledger.core.usage import METRIC, VISITS
from ledger.handlers import context
from ledger.handlers.carrying_out import carry_out, posting
from ledger.handlers.members import open_account, require_unit
from ledger.keys import source_thing
from ledger.lanes import OPENING, account_stream
from ledger.work import Work
from loyalty.v1.events_pb2 import OpeningSourceDeclared
from loyalty.v1.ledger_service_pb2 import RecordOpeningRequest
from loyalty.v1.types_pb2 import OpeningLot, OpeningMetric, OpeningTier, Usage

_YEAR: Final = 4
_DAY: Final = 10


def record_opening(act: Act, work: Work) -> Answer:
    """Take a row over; a row that stands already is answered again, whoever sends it."""
    again = _recorded_before(act, work)
    if again is not None:
        return again
    request = act.request
    assert isinstance(request, RecordOpeningRequest)
    at = context.occurred_at(act, work)
    unit = request.origin.business_unit
    require_unit(work, unit, at)
    policy = work.policies.at(at)
    _check_times(request, work.clock_now())
    below = _tiers_below(policy, request.tier) if request.HasField("tier") else frozenset[str]()
    _check_lots(policy, request.lots)
    usages = tuple(_usages(policy, request.metrics))
    _bind_source(request, work, at)
    stream = _member(act, work, request, at)
    _, due = work.advance(stream)
    since = request.HasField("member_since_time")
    command = RecordOpening(
        entry_id=str(uuid_utils.uuid7()),
        business_unit=unit,
        source=request.source,
        source_digest=request.source_digest,
        row=request.row,
        lots=tuple(request.lots),
        usages=usages,
        tier=request.tier if request.HasField("tier") else None,
        below=below,
        member_since=from_timestamp(request.member_since_time) if since else None,
        policy_digest=policy.digest,
        occurred_at=at,
    )
    done = carry_out(work, stream, command)
    message = posting(work, command.entry_id, due, done)
    answer = Answer(type(message), message.SerializeToString(), replayed=False)
    return context.register_row(act, work, done.where, answer)


def _recorded_before(act: Act, work: Work) -> Answer | None:
    """The first answer to this row, for ever. Raises OpeningConflict."""
    row = work.known.rows.get(act.version_key)
    if row is None:
        return None
    if row.fingerprint != act.fingerprint:
        conflict = context.difference(work, row, act, ignore_member=False)
        raise refusals.OpeningConflict(**conflict)
    return context.answer_of(work, row, act)


def _bind_source(request: RecordOpeningRequest, work: Work, at: Instant) -> None:
    """Let the first row of a source say which file it is. Raises OpeningSourceChanged."""
    acts = work.acts(source_thing(request.source))
    for _, fact in acts:
        assert isinstance(fact, OpeningSourceDeclared), "a source has no other acts"
        if fact.source_digest != request.source_digest:
            raise refusals.OpeningSourceChanged(
                source=request.source, first=fact.source_digest, now=request.source_digest
            )
    if not acts:
        declared = OpeningSourceDeclared(
            source=request.source,
            source_digest=request.source_digest,
            business_unit=request.origin.business_unit,
        )
        work.begin(OPENING + request.source, declared, occurred_at=at)


def _member(act: Act, work: Work, request: RecordOpeningRequest, at: Instant) -> str:
    """Stream of the member, who joins with the row if the request says so."""
    if act.identity is None or work.holder(act.identity) or not request.enrol:
        return context.member_stream(act, work)
    stated = request.HasField("member_since_time")
    since = from_timestamp(request.member_since_time) if stated else at
    stream = account_stream(str(uuid_utils.uuid7()))
    open_account(work, stream, (act.identity,), origin=request.origin, since=since)
    return stream


def _check_times(request: RecordOpeningRequest, now: Instant) -> None:
    """Refuse what is said to have been earned, or joined, later than now. Raises Malformed."""
    told = [(f"lots[{at}].earned_time", lot.earned_time) for at, lot in enumerate(request.lots)]
    if request.HasField("member_since_time"):
        told.append(("member_since_time", request.member_since_time))
    for field, time in told:
        if from_timestamp(time) > now + CLOCKS_DIFFER_BY:
            value = to_datetime(from_timestamp(time)).isoformat()
            raise refusals.Malformed(field=field, value=value, expected="a time that has come")


def _tiers_below(policy: rules.Policy, tier: OpeningTier) -> frozenset[str]:
    """Tiers that the stated one is better than, no tier among them. Raises UnknownTier."""
    ranks = rules.tier_ranks(policy)
    if tier.tier not in ranks:
        known = ", ".join(ranks)
        raise refusals.UnknownTier(field="tier.tier", value=tier.tier, known=known)
    rank = ranks[tier.tier]
    # The lowest is everyone's: it is better than none of them, and is not given.
    return frozenset(name for name, other in {"": 0, **ranks}.items() if other < rank)


def _check_lots(policy: rules.Policy, lots: Iterable[OpeningLot]) -> None:
    """Raise UnknownCurrency, UnknownBusinessUnit, Malformed."""
    for index, lot in enumerate(lots):
        field = f"lots[{index}]"
        terms = policy.currencies.get(lot.currency)
        if terms is None:
            known = ", ".join(sorted(policy.currencies))
            raise refusals.UnknownCurrency(
                field=f"{field}.currency", value=lot.currency, known=known
            )
        _check_unit(policy.units, f"{field}.business_unit", lot.business_unit)
        if lot.funder:
            _check_unit(_funders(policy), f"{field}.funder", lot.funder)
        if not terms.qualifying and lot.tier_window:
            raise refusals.Malformed(
                field=f"{field}.tier_window",
                value=lot.tier_window,
                expected="nothing: these points do not count for a tier",
            )
        if terms.qualifying:
            by_day = policy.terms.counts_by_day
            _check_window(f"{field}.tier_window", lot.tier_window, by_day=by_day)


@lru_cache(maxsize=64)
def _funders(policy: rules.Policy) -> frozenset[str]:
    return frozenset((*policy.units, *(campaign.id for campaign in policy.model.campaigns)))


def _usages(policy: rules.Policy, metrics: Iterable[OpeningMetric]) -> Iterable[Usage]:
    """Metrics as documents count them. Raises UnknownMetric, UnknownBusinessUnit, Malformed."""
    asked = policy.plans.metrics
    for index, metric in enumerate(metrics):
        field, name = f"metrics[{index}]", metric.metric
        if name not in asked.names:
            known = ", ".join(asked.names) or "none: no tier asks for any"
            raise refusals.UnknownMetric(field=f"{field}.metric", value=name, known=known)
        _check_unit(policy.units, f"{field}.business_unit", metric.business_unit)
        by_day = asked.by_day or METRIC + name == VISITS
        _check_window(f"{field}.window", metric.window, by_day=by_day)
        scope = metric.business_unit
        if name == "spend":
            if metric.currency_code not in asked.money:
                raise refusals.ForeignCurrency(
                    field=f"{field}.currency_code",
                    value=metric.currency_code,
                    expected=" or ".join(sorted(filter(None, asked.money))),
                )
            scope = f"{scope}/{metric.currency_code}"
        yield Usage(
            name=METRIC + name,
            scope=scope,
            period=metric.window,
            total=metric.amount,
            change=metric.amount,
        )


def _check_unit(known: Collection[str], field: str, value: str) -> None:
    if value not in known:
        words = ", ".join(sorted(known))
        raise refusals.UnknownBusinessUnit(field=field, value=value, known=words)


def _check_window(field: str, value: str, *, by_day: bool) -> None:
    """Refuse a window that the ladder does not count by; its form was checked before."""
    if len(value) != (_DAY if by_day else _YEAR):
        expected = "a day as YYYY-MM-DD" if by_day else "a year as YYYY"
        raise refusals.Malformed(field=field, value=value, expected=expected)

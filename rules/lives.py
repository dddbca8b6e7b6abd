"""The end of points whose life more than a date decides, derived from what the member did since."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from rules.award import Life
from rules.facts import Instant
from rules.lot_terms import ExpiryRule
from rules.policy import Policy

_NOTHING: Mapping[str, Instant] = MappingProxyType({})


class Living(NamedTuple):
    """What of a member keeps points alive, as it is known now.

    `last_activity` is the newest instant of each kind of activity. `tiers` are (tier, since) in the
    order they were recorded: of those that had begun, the last one counts. Before the first the
    member had the lowest tier. `segments` are those of now, and have been since `segments_since`.
    """

    last_activity: Mapping[str, Instant] = _NOTHING
    tiers: Sequence[tuple[str, Instant]] = ()
    segments: frozenset[str] = frozenset()
    segments_since: Instant | None = None


class _Span(NamedTuple):
    """A tier from an instant, or from the beginning, to an instant, or until now."""

    tier: str
    since: Instant | None
    until: Instant | None


def life_ends(
    policy: Policy,
    life: Life,
    *,
    earned_at: Instant,
    expires_at: Instant | None,
    living: Living,
) -> Instant | None:
    """Give the first instant at which the points are gone; None while nothing ends them.

    `policy` is the one they were earned under. `expires_at` is their date, where they have one.
    While a tier or segment protects them they have no end. When the protection ends after their
    time has passed, that is their end, or the beginning of a new life.
    """
    rule = policy.terms.expiries[life.expiry]
    if life.inactive_months:
        expires_at = _idle_end(rule, life, life.begun_at or earned_at, life.hard_expires_at, living)
    spans = _spans(policy, living) if life.unless_tiers and expires_at is not None else ()
    while expires_at is not None:
        of_segment = rule.segment_end(max(earned_at, living.last_activity.get("earn", earned_at)))
        free_at = _unprotected_from(life, living, spans, expires_at, of_segment)
        if free_at is None or free_at == expires_at or not life.restarts:
            return free_at
        if life.inactive_months:
            expires_at = _idle_end(rule, life, free_at, rule.hard_end(free_at), living)
        else:
            expires_at = rule.expires_at(free_at)
    return None


def fixed_end(
    policy: Policy,
    life: Life,
    *,
    earned_at: Instant,
    expires_at: Instant | None,
    living: Living,
    at: Instant,
) -> Instant | None:
    """Give the date with which points leave their member at an instant; None for no date.

    It is fixed: what protects points here, a tier say, does not go with them. Protected points
    whose time is over end at `at`, or begin the new life that the end of protection would give.
    """
    end = life_ends(policy, life, earned_at=earned_at, expires_at=expires_at, living=living)
    if end is not None:
        return end
    rule = policy.terms.expiries[life.expiry]
    own = expires_at
    if life.inactive_months:
        own = _idle_end(rule, life, life.begun_at or earned_at, life.hard_expires_at, living)
    if own is None or own > at:
        return own
    if not life.restarts:
        return at
    if life.inactive_months:
        return _idle_end(rule, life, at, rule.hard_end(at), living)
    return rule.expires_at(at)


def released_end(policy: Policy, life: Life, released_at: Instant) -> Instant | None:
    """Give the date of points whose life counts from their release."""
    begun_at = released_at if life.begun_at is None else max(released_at, life.begun_at)
    return policy.terms.expiries[life.expiry].expires_at(begun_at)


def _idle_end(
    rule: ExpiryRule, life: Life, begun_at: Instant, hard: Instant | None, living: Living
) -> Instant | None:
    seen = living.last_activity
    active_at = max([begun_at, *(seen[kind] for kind in life.extended_by if kind in seen)])
    end = rule.idle_end(active_at)
    return end if hard is None or end is None else min(end, hard)


def _spans(policy: Policy, living: Living) -> list[_Span]:
    """The tiers over time, oldest first; one that was recorded late replaces what it overlaps."""
    spans: list[_Span] = []
    until: Instant | None = None
    for tier, since in reversed(living.tiers):
        if until is None or since < until:
            spans.append(_Span(tier, since, until))
            until = since
    if policy.terms.lowest_tier is not None:
        spans.append(_Span(policy.terms.lowest_tier, None, until))
    return spans[::-1]


def _unprotected_from(
    life: Life, living: Living, spans: Sequence[_Span], at: Instant, of_segment: Instant | None
) -> Instant | None:
    """Give the first instant from `at` on at which nothing protects; None while something does.

    `of_segment` is when segments cease to protect in any case, None for never.
    Of segments only today's are known; but what time had decided was recorded before they changed,
    so points that have no end yet were protected until then.
    """
    if life.unless_segments:
        if not living.segments.intersection(life.unless_segments):
            of_segment = living.segments_since or at
        if of_segment is None:
            return None
        at = max(at, of_segment)
    for span in spans:
        begun = span.since is None or span.since <= at
        if span.tier in life.unless_tiers and begun and (span.until is None or at < span.until):
            if span.until is None:
                return None
            at = span.until
    return at

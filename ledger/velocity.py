"""The limits of velocity of the policy in force, with what is used of them.

They count when a thing is recorded, by the policy of that moment: whoever could choose the time at
which a thing is said to have happened could choose its limits.
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import rules
from ledger.act import Act
from ledger.core.commands import Speed, Use
from ledger.core.usage import POINTS, TIMES, VELOCITY, UsageKey
from ledger.core.velocity import exceeded, measures, others_used
from ledger.identities import NOBODY, STAFF_SCHEME, Operator
from ledger.lanes import account_of, purse_stream
from ledger.work import Work
from loyalty.v1.events_pb2 import DocumentPosted
from loyalty.v1.types_pb2 import Usage


class Doer(NamedTuple):
    """Who does something, and at which unit."""

    client: str
    operator: Operator
    business_unit: str


NO_DOER: Final = Doer("", NOBODY, "")


def doer_of(act: Act) -> Doer:
    """Who acts."""
    return Doer(act.client, act.operator, act.origin.business_unit)


def speeds_of(
    work: Work, stream: str, verb: rules.VelocityVerb, doer: Doer, *, currency: str
) -> tuple[Speed, ...]:
    """The limits under which a deed on an account counts."""
    return tuple(
        _speed(work, limit, _scope(limit.per, doer))
        for limit in _limits(work, stream, verb, doer, currency=currency)
    )


def _limits(
    work: Work, stream: str, verb: rules.VelocityVerb, doer: Doer, *, currency: str
) -> tuple[rules.SpeedLimit, ...]:
    now = work.now(stream)
    found = work.policies.find(now)
    if found is None:
        return ()
    return rules.speed_limits(
        found.compiled, verb, business_unit=doer.business_unit, currency=currency, at=now
    )


def _scope(per: str, doer: Doer) -> str:
    """Whose doings are added up. Who names no operator counts as the client's only one."""
    if per == "client":
        return f"client/{doer.client}"
    if per == "operator":
        return f"operator/{doer.operator.pseudonym or doer.client}"
    return f"unit/{doer.business_unit}" if per == "business_unit" else ""


def _speed(work: Work, limit: rules.SpeedLimit, scope: str) -> Speed:
    if not scope:
        return Speed(limit, "", {})
    ends = [end for end, most in ((TIMES, limit.times), (POINTS, limit.points)) if most is not None]
    keys = [
        (f"{VELOCITY}{limit.id}{end}", scope, step.period) for end in ends for step in limit.steps
    ]
    return Speed(limit, scope, {key: work.purse(purse_stream(*key)).used for key in keys})


class Version(NamedTuple):
    """A document's version, as far as limits look at it."""

    stream: str
    head: DocumentPosted | None
    is_cancelled: bool
    granted: Mapping[str, int]
    """Points by currency that it gives now."""
    used: Mapping[UsageKey, int]
    """What the account uses."""
    arrives: bool
    """It comes from another stream, where it was counted."""


def document_uses(work: Work, doer: Doer, version: Version) -> list[Use]:
    """What a document uses of limits on what staff earn. Raises VelocityExceeded.

    A document is counted when it is first posted; later versions stay counted as it was then.
    """
    if version.head is not None:
        return [
            _later_use(work, version, usage)
            for usage in version.head.usages
            if usage.name.startswith(VELOCITY)
        ]
    nobody = not doer.operator.pseudonym or not account_of(version.stream)
    if version.arrives or version.is_cancelled or nobody:
        return []
    uses: list[Use] = []
    for limit in _limits(work, version.stream, "earn_by_staff", doer, currency=""):
        scope = _staff_scope(work, limit, doer, version.stream)
        if scope is not None:
            uses += _new_uses(_speed(work, limit, scope), version)
    return uses


def _staff_scope(work: Work, limit: rules.SpeedLimit, doer: Doer, stream: str) -> str | None:
    """Whose documents are added up: an operator's for one member, or a member's own; None: none."""
    account = account_of(stream)
    if limit.per == "operator":
        return f"operator/{doer.operator.pseudonym}/{account}"
    serves_self = work.member_known_by((STAFF_SCHEME, doer.operator.staff_hash)) == account
    return "" if serves_self else None


def _new_uses(speed: Speed, version: Version) -> Iterator[Use]:
    points = version.granted.get(speed.limit.currency, 0)
    known = speed.shared if speed.scope else version.used
    for measure in measures(speed, points):
        by_step = others_used(speed, measure, known)
        if sum(by_step) + measure.change > measure.most:
            raise exceeded(speed, measure, by_step, measure.change)
        period = speed.limit.period
        yield Use(measure.name, speed.scope, period, sum(by_step), measure.change)


def _later_use(work: Work, version: Version, had: Usage) -> Use:
    """What a later version uses of a limit, in the step in which the first one was counted."""
    name, _, end = had.name.removeprefix(VELOCITY).rpartition("/")
    now = work.now(version.stream)
    found = work.policies.find(now)
    limit = None if found is None else rules.speed_limit_named(found.compiled, name, now)
    if limit is None:
        total = 0 if version.is_cancelled else had.total
        return Use(had.name, had.scope, had.period, had.others, total)
    speed = _speed(work, limit, had.scope)
    total = 0 if version.is_cancelled else 1
    if f"/{end}" == POINTS:
        total = version.granted.get(limit.currency, 0)
    if limit.kept:
        total = max(total, had.total)
    measure = next((m for m in measures(speed, total) if m.name == had.name), None)
    if measure is None or total <= had.total:
        return Use(had.name, had.scope, had.period, had.others, total)
    by_step = others_used(speed, measure, speed.shared if had.scope else version.used)
    if sum(by_step) + total - had.total > measure.most:
        raise exceeded(speed, measure, by_step, total - had.total)
    return Use(had.name, had.scope, had.period, had.others, total)

"""What a version of a document counts for, in total and against the version before."""

from collections.abc import Sequence

from ledger.core.commands import BenefitGrant, Counts, Numbered, Use
from ledger.core.instant import write_timestamp
from ledger.core.usage import METRIC, UsageKey, key_of
from loyalty.v1.events_pb2 import DocumentMovedOut, DocumentPosted
from loyalty.v1.types_pb2 import (
    DOCUMENT_STATUS_CANCELLED,
    DOCUMENT_STATUS_PENDING,
    CounterNumber,
    Usage,
)


def write_counts(version: DocumentPosted, counts: Counts, head: DocumentPosted | None) -> None:
    """Write into a version what it counts for, and give back what only its head counted for."""
    if counts.uses or (head is not None and head.usages):
        _write_uses(version, counts.uses, head)
    if counts.numbers or (head is not None and head.numbers):
        _write_numbers(version, counts.numbers, head)
    if counts.benefits:
        _write_benefits(version, counts.benefits)


def write_departure(left: DocumentMovedOut, head: DocumentPosted) -> None:
    """Write what a document counted for, into the fact that it has left the account."""
    for (name, scope, period), had in used_by(head).items():
        _write_use(left.usages.add(), Use(name, scope, period, 0, 0), -had)
    for number in head.numbers:
        if holds_number(head, number):
            back = left.numbers.add()
            back.CopyFrom(number)
            back.change = -1


def used_by(head: DocumentPosted | None) -> dict[UsageKey, int]:
    """What a posted version uses, by key."""
    if head is None:
        return {}
    return {key_of(usage): usage.total for usage in head.usages if usage.total}


def holds_number(head: DocumentPosted, number: CounterNumber) -> bool:
    """Whether a posted version has a number, and did not only see it or give it back."""
    return head.pinned and number.number > 0 and number.change >= 0


def _write_uses(version: DocumentPosted, uses: Sequence[Use], head: DocumentPosted | None) -> None:
    before = used_by(head)
    booked = version.document.status == DOCUMENT_STATUS_PENDING
    for name, scope, period, others, total in uses:
        if booked and name.startswith(METRIC):
            # A booking is not a stay: it counts for tiers once it is final.
            continue
        had = before.pop((name, scope, period), 0)
        if total or had or others:
            _write_use(version.usages.add(), Use(name, scope, period, others, total), total - had)
    for (name, scope, period), had in before.items():
        _write_use(version.usages.add(), Use(name, scope, period, 0, 0), -had)


def _write_use(recorded: Usage, use: Use, change: int) -> None:
    recorded.name, recorded.scope, recorded.period = use.name, use.scope, use.period
    recorded.others, recorded.total, recorded.change = use.others, use.total, change


def _write_numbers(
    version: DocumentPosted, numbers: Sequence[Numbered], head: DocumentPosted | None
) -> None:
    takes = version.pinned and version.document.status != DOCUMENT_STATUS_CANCELLED
    before = (
        {(had.counter, had.period): had for had in head.numbers}
        if head is not None and head.pinned
        else {}
    )
    for offered in numbers:
        had = before.pop((offered.counter, offered.period), None)
        recorded = version.numbers.add()
        recorded.counter, recorded.period = offered.counter, offered.period
        recorded.number, recorded.day = offered.number, offered.day
        recorded.streak, recorded.by_day = offered.streak, offered.by_day
        keeps = had is not None and head is not None and holds_number(head, had)
        recorded.change = 1 if takes and not keeps else 0
    for had in before.values():
        recorded = version.numbers.add()
        recorded.CopyFrom(had)
        held = head is not None and holds_number(head, had)
        # Once given back it stays known that there was one: it is not offered like a new one.
        recorded.change = -1 if held else 0
        recorded.number = had.number if held else 0


def _write_benefits(version: DocumentPosted, benefits: Sequence[BenefitGrant]) -> None:
    for granted in benefits:
        recorded = version.benefits.add()
        recorded.rule, recorded.benefit = granted.rule, granted.benefit
        recorded.quantity, recorded.campaign = granted.quantity, granted.campaign
        write_timestamp(recorded.expire_time, granted.expires_at)

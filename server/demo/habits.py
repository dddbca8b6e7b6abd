"""What the files do not say of members: how they pay, what they show, what they do besides buying.

All of it is made up by the demo's own seeded rule, so that the sample policy has something to say.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from ledger.core.instant import SECOND, Instant
from server.demo.owners import Members
from server.demo.sources import DAY, YEAR_BEGINS_AT, Kind, SourceDocument, Status, seeded

CARD_PERCENT: Final = 15
CHECK_IN_PERCENT: Final = 20
REVIEW_PERCENT: Final = 12
TASTING_PERCENT: Final = 2
COUPON: Final = "TABLE-TO-ROOM"
COUPON_LIVES: Final = 60 * DAY
DINNER_FROM: Final = 60_00
"""What a dinner comes to that gives a coupon, as the sample policy says."""
BORN_IN_DAYS: Final = 340

_HOUR: Final = DAY // 24
_TILLS: Final = frozenset({"market", "dining"})

ORIGIN: Final = "made up by hash: payments, coupons shown at stays, check-ins, reviews, birthdays"


def with_habits(
    documents: Sequence[SourceDocument], members: Members
) -> tuple[list[SourceDocument], list[SourceDocument]]:
    """The documents with how they were paid and what was shown, and the members' activities."""
    dinners = _dinners(documents)
    shown = [_with_coupon(_paid(document), dinners) for document in documents]
    return shown, [*_of_purchases(documents), *map(_birthday, members.numbers)]


def _paid(document: SourceDocument) -> SourceDocument:
    if document.business_unit not in _TILLS or document.net <= 0:
        return document
    owner = document.owner
    if owner is not None and seeded("card", owner) % 100 < CARD_PERCENT:
        return replace(document, payment="harbour_card")
    other = seeded("paid", document.business_unit, document.document_id) % 2
    return replace(document, payment="cash" if other else "card")


def _dinners(documents: Iterable[SourceDocument]) -> dict[int, list[Instant]]:
    """When each member had a dinner that gave a coupon, in order."""
    found: dict[int, list[Instant]] = defaultdict(list)
    for document in documents:
        if document.owner is None or document.business_unit != "dining":
            continue
        if document.version == 1 and document.net >= DINNER_FROM:
            found[document.owner].append(document.occurred_at)
    return {owner: sorted(times) for owner, times in found.items()}


def _with_coupon(document: SourceDocument, dinners: dict[int, list[Instant]]) -> SourceDocument:
    """Show the coupon at the end of a stay, while one is valid."""
    if document.kind is not Kind.STAY or document.status is not Status.FINAL:
        return document
    times = dinners.get(document.owner or 0, [])
    first = bisect_left(times, document.occurred_at - COUPON_LIVES)
    if first == bisect_right(times, document.occurred_at):
        return document
    return replace(document, coupon=COUPON)


def _of_purchases(documents: Iterable[SourceDocument]) -> Iterator[SourceDocument]:
    for document in documents:
        if document.owner is None or document.status is not Status.FINAL or document.net <= 0:
            continue
        if document.kind is not Kind.STAY and document.version > 1:
            continue
        chance = seeded("habit", document.business_unit, document.document_id)
        if document.business_unit == "dining":
            if chance % 100 < CHECK_IN_PERCENT:
                yield _activity(document, "check_in", document.occurred_at - _HOUR // 2)
            if chance // 100 % 100 < TASTING_PERCENT:
                yield _activity(document, "tasting", document.occurred_at + _HOUR)
        if document.business_unit != "market" and chance // 10_000 % 100 < REVIEW_PERCENT:
            yield _activity(document, "review", document.occurred_at + DAY)


def _activity(document: SourceDocument, activity: str, at: Instant) -> SourceDocument:
    return SourceDocument(
        business_unit=document.business_unit,
        document_id=f"{activity}-{document.document_id}",
        kind=Kind.ACTIVITY,
        currency_code=document.currency_code,
        occurred_at=at,
        owner=document.owner,
        lines=(),
        channel="app",
        activity=activity,
    )


def told_birthday(owner: int) -> tuple[int, int] | None:
    """Month and day of a member who lets the ledger know: every other one."""
    if seeded("told", owner) % 2:
        return None
    day = datetime.fromtimestamp(_birthday_at(owner) // SECOND, UTC)
    return day.month, day.day


def _birthday_at(owner: int) -> Instant:
    return YEAR_BEGINS_AT + seeded("born", owner) % BORN_IN_DAYS * DAY


def _birthday(owner: int) -> SourceDocument:
    """The supermarket tells of the day; for this the ledger need not know who was born when."""
    return SourceDocument(
        business_unit="market",
        document_id=f"birthday-{owner}",
        kind=Kind.ACTIVITY,
        currency_code="USD",
        occurred_at=_birthday_at(owner) + 12 * _HOUR,
        owner=owner,
        lines=(),
        channel="app",
        activity="birthday",
    )

"""The parts of accounts that time ends, while facts are applied to them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp

from ledger.core.counting import BURN, EARN, TRANSFER
from ledger.core.events import AnyFact
from ledger.core.instant import DAY, Instant, from_datetime, from_timestamp
from loyalty.v1.events_pb2 import (
    MERGE_STAGE_MERGED,
    MERGE_STAGE_MOVED,
    MERGE_STAGE_MOVED_BACK,
    MERGE_STAGE_UNMERGED,
    ArrearsRepaid,
    BurnReversed,
    ConvertedPointsIssued,
    DocumentPosted,
    HoldCaptured,
    HoldMovedIn,
    HoldMovedOut,
    HoldReleased,
    LotExtended,
    LotReinstated,
    LotsMovedIn,
    LotsMovedOut,
    MergeStepped,
    OpeningLotRecorded,
    PendingClawedBack,
    PendingMovedIn,
    PendingMovedOut,
    PendingQuarantined,
    PendingQuarantineLifted,
    PointsAdjusted,
    PointsBurned,
    PointsClawedBack,
    PointsConverted,
    PointsEarned,
    PointsExpired,
    PointsHeld,
    PointsPended,
    PointsQuarantined,
    PointsReceived,
    PointsReleased,
    PointsReturned,
    PointsSent,
    QuarantineLifted,
    ReversalReversed,
    TierChanged,
)
from loyalty.v1.types_pb2 import (
    DOCUMENT_KIND_ACTIVITY,
    DOCUMENT_STATUS_FINAL,
    Draw,
    LotLife,
)
from projections.due_names import MERGE, TIER, hold_part, lot_part
from rules.lot_terms import add_months
from rules.zones import date_of, day_number

_ZONE_DAYS: Final = 5
"""A month later in a zone of the policy may be so many days before a month later in UTC."""

_Made = PointsEarned | PointsPended | OpeningLotRecorded | PointsAdjusted | ConvertedPointsIssued
Key = tuple[str, str]
"""(account, part)"""


@dataclass(frozen=True, slots=True)
class Part:
    """A lot, a hold (`available` is what it holds) or a tier (1) that time ends.

    A tier that rests, since its account is merged into another, is pending and never released.
    """

    available: int = 0
    pending: int = 0
    available_at: Instant | None = None
    ends_at: Instant | None = None
    early: bool = False
    """`ends_at` is only the earliest possible end."""
    life: bytes | None = None
    """The `LotLife` of points that activity keeps alive."""

    @property
    def due_at(self) -> Instant | None:
        """When time next decides something; None: never."""
        waits = [
            at
            for at, points in ((self.available_at, self.pending), (self.ends_at, self.available))
            if points and at is not None
        ]
        return min(waits, default=None)

    @property
    def is_kept(self) -> bool:
        """Whether time can end it, as it is or once it is released."""
        timed = self.available_at is not None or self.ends_at is not None or self.early
        return timed and (self.available > 0 or self.pending > 0)


class Parts:
    """Applies facts in order. A fact about a part that is not kept changes nothing."""

    def __init__(self, known: dict[Key, Part]) -> None:
        """Begin with the parts that the facts can change."""
        self._known = known
        self._parts = dict(known)
        self._living: dict[str, set[str]] = {}
        for (account, name), part in known.items():
            if part.life is not None:
                self._living.setdefault(account, set()).add(name)

    def gone(self) -> list[Key]:
        """Parts that were known and are kept no more."""
        return [key for key in self._known if key not in self._parts]

    def changed(self) -> Iterator[tuple[Key, Part]]:
        """Parts that are new or other than they were known."""
        for key, part in self._parts.items():
            if self._known.get(key) != part:
                yield key, part

    def apply(self, account: str, fact: AnyFact) -> None:  # noqa: C901 - one arm per shape of fact
        """Let a fact have its effect on the parts of its account."""
        match fact:
            case (
                PointsEarned()
                | PointsPended()
                | OpeningLotRecorded()
                | PointsAdjusted()
                | ConvertedPointsIssued()
            ):
                self._earn(account, fact)
            case PointsReceived():
                self._receive(account, fact)
            case PointsReleased():
                self._release(account, fact)
            case PointsExpired():
                self._take(account, lot_part(fact.lot_id), fact.points)
            case LotReinstated():
                self._reinstate(account, fact)
            case LotExtended():
                self._extend(account, fact)
            case PointsHeld():
                self._draw(account, fact.draws)
                name = hold_part(fact.business_unit, fact.hold_id)
                self._put(account, name, Part(fact.points, ends_at=_at(fact, "expire_time")))
            case HoldCaptured() | HoldReleased():
                name = hold_part(fact.business_unit, fact.hold_id)
                self._take(account, name, fact.points)
                if isinstance(fact, HoldReleased):
                    self._give_back(account, fact.draws)
                else:
                    self._burn(account, fact)
            case (
                PointsBurned()
                | ReversalReversed()
                | PointsClawedBack()
                | ArrearsRepaid()
                | PointsSent()
                | PointsConverted()
                | PointsQuarantined()
                | LotsMovedOut()
            ):
                self._draw(account, fact.draws)
                if isinstance(fact, PointsBurned):
                    self._burn(account, fact)
            case PendingClawedBack() | PendingQuarantined() | PendingMovedOut():
                self._draw(account, fact.draws, pending=True)
            case PendingQuarantineLifted():
                self._give_back(account, fact.draws, pending=True)
            case LotsMovedIn() | PendingMovedIn():
                self._move_in(account, fact)
            case HoldMovedIn():
                name = hold_part(fact.business_unit, fact.hold_id)
                self._put(account, name, Part(fact.points, ends_at=_at(fact, "expire_time")))
            case HoldMovedOut():
                self._take(account, hold_part(fact.business_unit, fact.hold_id), fact.points)
            case MergeStepped():
                self._step(account, fact)
            case BurnReversed() | PointsReturned() | QuarantineLifted():
                self._give_back(account, fact.draws)
            case TierChanged():
                self._change_tier(account, fact)
            case DocumentPosted():
                self._act(account, fact)
            case _:
                pass

    # --- lots ---------------------------------------------------------------------------------

    def _earn(self, account: str, fact: _Made) -> None:
        earned_at = from_timestamp(fact.earned_time)
        waits = isinstance(fact, PointsPended)
        part = Part(
            0 if waits else fact.points,
            fact.points if waits else 0,
            _at(fact, "available_time") if waits else None,
            _at(fact, "expire_time"),
        )
        if not isinstance(fact, OpeningLotRecorded) and fact.HasField("life"):
            part = _living(part, fact.life, earned_at)
        if isinstance(fact, PointsEarned | PointsPended):
            self._active(account, EARN, earned_at)
        self._put(account, lot_part(fact.lot_id), part)

    def _receive(self, account: str, fact: PointsReceived) -> None:
        self._active(account, TRANSFER, from_timestamp(fact.receive_time))
        for lot in fact.lots:
            part = Part(lot.points, ends_at=_at(lot, "expire_time"))
            self._put(account, lot_part(lot.lot_id), part)

    def _move_in(self, account: str, fact: LotsMovedIn | PendingMovedIn) -> None:
        for lot in fact.lots:
            ends_at = _at(lot, "expire_time")
            part = Part(lot.points, ends_at=ends_at)
            if isinstance(fact, PendingMovedIn):
                part = Part(0, lot.points, _at(lot, "available_time"), ends_at)
            if lot.HasField("life"):
                part = _living(part, lot.life, from_timestamp(lot.earned_time))
            self._put(account, lot_part(lot.lot_id), part)

    def _release(self, account: str, fact: PointsReleased) -> None:
        key = account, lot_part(fact.lot_id)
        part = self._parts.get(key)
        ends_at = _at(fact, "expire_time")
        if part is None:
            # Time could do nothing to these points until their release dated them.
            self._set(key, Part(fact.points, ends_at=ends_at))
            return
        self._set(
            key,
            replace(
                part,
                available=part.available + fact.points,
                pending=max(0, part.pending - fact.points),
                ends_at=part.ends_at if ends_at is None else ends_at,
            ),
        )

    def _draw(self, account: str, draws: Iterable[Draw], *, pending: bool = False) -> None:
        for draw in draws:
            self._take(account, lot_part(draw.lot_id), draw.points, pending=pending)

    def _give_back(self, account: str, draws: Iterable[Draw], *, pending: bool = False) -> None:
        for draw in draws:
            part = Part(
                0 if pending else draw.points,
                draw.points if pending else 0,
                _at(draw, "available_time"),
                _at(draw, "expire_time"),
            )
            if draw.HasField("life"):
                part = _living(part, draw.life, from_timestamp(draw.earned_time))
            self._put(account, lot_part(draw.lot_id), part)

    def _reinstate(self, account: str, fact: LotReinstated) -> None:
        part = Part(fact.points, ends_at=_at(fact, "expire_time"))
        if fact.HasField("life"):
            part = _living(part, fact.life, from_timestamp(fact.earned_time))
        self._put(account, lot_part(fact.lot_id), part)

    def _extend(self, account: str, fact: LotExtended) -> None:
        """Move a part's end; where points of the lot end at two instants, the earlier one stays."""
        key = account, lot_part(fact.lot_id)
        part = self._parts.get(key)
        if part is not None and part.ends_at == _at(fact, "expire_time_before"):
            self._set(key, replace(part, ends_at=_at(fact, "expire_time")))

    def _put(self, account: str, name: str, more: Part) -> None:
        """Add points to a part. Points of one lot that end at two instants make it early.

        That is a lot on grace beside itself: activity does not prolong the grace.
        """
        key = account, name
        part = self._parts.get(key)
        if part is None:
            self._set(key, more)
            return
        ends = {at for at in (part.ends_at, more.ends_at) if at is not None}
        self._set(
            key,
            Part(
                part.available + more.available,
                part.pending + more.pending,
                part.available_at if part.available_at is not None else more.available_at,
                min(ends, default=None),
                part.early or more.early or len(ends) > 1,
                part.life if part.life == more.life else None,
            ),
        )

    def _take(self, account: str, name: str, points: int, *, pending: bool = False) -> None:
        key = account, name
        part = self._parts.get(key)
        if part is None:
            return
        if pending:
            self._set(key, replace(part, pending=max(0, part.pending - points)))
        else:
            self._set(key, replace(part, available=max(0, part.available - points)))

    def _set(self, key: Key, part: Part) -> None:
        living = self._living.setdefault(key[0], set())
        living.discard(key[1])
        if not part.is_kept:
            self._parts.pop(key, None)
            return
        self._parts[key] = part
        if part.life is not None:
            living.add(key[1])

    # --- activity and tiers ---------------------------------------------------------------------

    def _burn(self, account: str, fact: PointsBurned | HoldCaptured) -> None:
        if fact.HasField("burn_time"):
            self._active(account, BURN, from_timestamp(fact.burn_time))

    def _act(self, account: str, fact: DocumentPosted) -> None:
        document, local_time = fact.document, fact.pins.local_time
        if document.kind != DOCUMENT_KIND_ACTIVITY or document.status != DOCUMENT_STATUS_FINAL:
            return
        if local_time:
            at = from_datetime(datetime.fromisoformat(local_time))
            self._active(account, document.activity, at)

    def _active(self, account: str, kind: str, at: Instant) -> None:
        """Let points live on that this activity keeps alive."""
        for name in self._living.get(account, ()):
            part = self._parts[account, name]
            assert part.life is not None, "only parts with a life are listed"
            life = _life(part.life)
            if kind in life.extended_by:
                self._parts[account, name] = _later(part, life, at)

    def _change_tier(self, account: str, fact: TierChanged) -> None:
        ends = [at for at in (_at(fact, "valid_until_time"), _at(fact, "review_time")) if at]
        self._set((account, TIER), Part(1, ends_at=min(ends, default=None)))

    # --- merges ---------------------------------------------------------------------------------

    def _step(self, account: str, step: MergeStepped) -> None:
        of_source, stage = account == step.source_id, step.stage
        ended = stage in (MERGE_STAGE_MERGED, MERGE_STAGE_UNMERGED)
        forth = stage in (MERGE_STAGE_MOVED, MERGE_STAGE_MERGED)
        back = stage in (MERGE_STAGE_MOVED_BACK, MERGE_STAGE_UNMERGED)
        if back if of_source else forth:
            for last in (last for moved in step.counts for last in moved.activities):
                self._active(account, last.kind, from_timestamp(last.activity_time))
        if not of_source:
            return
        self._set((account, MERGE), Part(int(not ended), ends_at=_at(step, "step_time")))
        tier = self._parts.get((account, TIER))
        if tier is not None and ended:
            rests = stage == MERGE_STAGE_MERGED
            self._set((account, TIER), replace(tier, available=int(not rests), pending=int(rests)))


_life: Final = lru_cache(maxsize=1_024)(LotLife.FromString)
"""One policy gives few different lives, and many points have each. Only to be read."""


@lru_cache(maxsize=8_192)
def _earliest_end(day: int, months: int) -> Instant:
    """The earliest instant that a policy's zone may put so many months after a day in UTC."""
    return (day_number(add_months(date_of(day), months)) - _ZONE_DAYS) * DAY


def _living(part: Part, life: LotLife, earned_at: Instant) -> Part:
    """The part of points whose end is derived: early, by what is known without the policy."""
    if not life.inactive_months:
        return replace(part, early=bool(life.unless_tiers or life.unless_segments) or part.early)
    kept = replace(
        part,
        ends_at=None,
        early=True,
        life=life.SerializeToString(deterministic=True),
    )
    return _later(kept, life, earned_at)


def _later(part: Part, life: LotLife, active_at: Instant) -> Part:
    """The part once something was done: it ends later, but never after its hard limit."""
    ends_at = _earliest_end(active_at // DAY, life.inactive_months)
    if part.ends_at is not None:
        ends_at = max(ends_at, part.ends_at)
    if life.HasField("hard_expire_time"):
        ends_at = min(ends_at, from_timestamp(life.hard_expire_time))
    return part if ends_at == part.ends_at else replace(part, ends_at=ends_at)


def _at(message: object, field: str) -> Instant | None:
    stamp: Timestamp = getattr(message, field)
    return from_timestamp(stamp) if message.HasField(field) else None  # type: ignore[attr-defined]

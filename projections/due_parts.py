"""The parts of accounts that time ends, while facts are applied to them."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from ledger.core.counting import BURN, EARN, TRANSFER
from ledger.core.events import AnyFact
from ledger.core.instant import Instant, from_datetime, from_timestamp
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
    MovedLot,
)
from projections.due_ends import Part, instant_of, later, life_in, part_drawn, with_life
from projections.due_names import HELD, MERGE, TIER, held_part, held_parts, hold_part, lot_part

_Made = PointsEarned | PointsPended | OpeningLotRecorded | PointsAdjusted | ConvertedPointsIssued
Key = tuple[str, str]
"""(account, part)"""


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
                self._hold(account, fact)
            case HoldCaptured() | HoldReleased():
                self._end_hold(account, fact)
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
                self._hold(account, fact)
            case HoldMovedOut():
                self._end_hold(account, fact)
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
            instant_of(fact, "available_time") if waits else None,
            instant_of(fact, "expire_time"),
        )
        if not isinstance(fact, OpeningLotRecorded) and fact.HasField("life"):
            part = with_life(part, fact.life, earned_at)
        if isinstance(fact, PointsEarned | PointsPended):
            self._active(account, EARN, earned_at)
        self._put(account, lot_part(fact.lot_id), part)

    def _receive(self, account: str, fact: PointsReceived) -> None:
        self._active(account, TRANSFER, from_timestamp(fact.receive_time))
        for lot in fact.lots:
            part = Part(lot.points, ends_at=instant_of(lot, "expire_time"))
            self._put(account, lot_part(lot.lot_id), part)

    def _move_in(self, account: str, fact: LotsMovedIn | PendingMovedIn) -> None:
        for lot in fact.lots:
            ends_at = instant_of(lot, "expire_time")
            part = Part(lot.points, ends_at=ends_at)
            if isinstance(fact, PendingMovedIn):
                part = Part(0, lot.points, instant_of(lot, "available_time"), ends_at)
            if lot.HasField("life"):
                part = with_life(part, lot.life, from_timestamp(lot.earned_time))
            self._put(account, lot_part(lot.lot_id), part)

    def _release(self, account: str, fact: PointsReleased) -> None:
        key = account, lot_part(fact.lot_id)
        part = self._parts.get(key)
        ends_at = instant_of(fact, "expire_time")
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
            self._put(account, lot_part(draw.lot_id), part_drawn(draw, pending=pending))

    # --- holds --------------------------------------------------------------------------------

    def _hold(self, account: str, fact: PointsHeld | HoldMovedIn) -> None:
        """Keep when a hold times out, and what of it the time of its lots ends before."""
        name = hold_part(fact.business_unit, fact.hold_id)
        self._put(account, name, Part(fact.points, ends_at=instant_of(fact, "expire_time")))
        if fact.points_expire:
            parts: Iterable[Draw | MovedLot]
            parts = fact.lots if isinstance(fact, HoldMovedIn) else fact.draws
            for part in parts:
                name = held_part(fact.business_unit, fact.hold_id, part.lot_id)
                self._put(account, name, part_drawn(part))

    def _end_hold(self, account: str, fact: HoldCaptured | HoldReleased | HoldMovedOut) -> None:
        self._take(account, hold_part(fact.business_unit, fact.hold_id), fact.points)
        for name, draw in zip(held_parts(fact), fact.draws, strict=True):
            self._take(account, name, draw.points)

    def _reinstate(self, account: str, fact: LotReinstated) -> None:
        part = Part(fact.points, ends_at=instant_of(fact, "expire_time"))
        if fact.HasField("life"):
            part = with_life(part, fact.life, from_timestamp(fact.earned_time))
        self._put(account, lot_part(fact.lot_id), part)

    def _extend(self, account: str, fact: LotExtended) -> None:
        """Move a part's end; where points of the lot end at two instants, the earlier one stays."""
        names = [lot_part(fact.lot_id), *self._held_of(account, fact.lot_id)]
        for key in ((account, name) for name in names):
            part = self._parts.get(key)
            if part is not None and part.ends_at == instant_of(fact, "expire_time_before"):
                self._set(key, replace(part, ends_at=instant_of(fact, "expire_time")))

    def _held_of(self, account: str, lot_id: str) -> list[str]:
        """Names of the parts of what holds have of a lot."""
        return [
            name
            for whose, name in self._parts
            if whose == account and name.startswith(HELD) and name.endswith(f"/{lot_id}")
        ]

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
            life = life_in(part.life)
            if kind in life.extended_by:
                self._parts[account, name] = later(part, life, at)

    def _change_tier(self, account: str, fact: TierChanged) -> None:
        instants = (instant_of(fact, field) for field in ("valid_until_time", "review_time"))
        ends = [at for at in instants if at]
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
        self._set((account, MERGE), Part(int(not ended), ends_at=instant_of(step, "step_time")))
        tier = self._parts.get((account, TIER))
        if tier is not None and ended:
            rests = stage == MERGE_STAGE_MERGED
            self._set((account, TIER), replace(tier, available=int(not rests), pending=int(rests)))

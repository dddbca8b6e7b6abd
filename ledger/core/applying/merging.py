"""Facts of merges: what leaves one account comes into another, as a part of it.

An account that others were merged into keeps apart what each one's documents count for, so that it
can give it back. What it counts for as a whole stands where it stands in every account.
"""

from typing import Final

from ledger.core.applying.holds import limits_of
from ledger.core.applying.lots import moved_lot
from ledger.core.counted import add, combined, count_of, family
from ledger.core.counting import Counting
from ledger.core.instant import from_timestamp
from ledger.core.lots import CorruptHistory, drawn_of
from ledger.core.membership import Membership, UnderWay
from ledger.core.standing import BASIS_NAME, GRANTED
from ledger.core.state import OWN, Debt, Drawn, Hold, Lot, Part, TierSpan
from ledger.core.tally import Tally
from loyalty.v1.events_pb2 import (
    MERGE_STAGE_MERGED,
    MERGE_STAGE_MOVED,
    MERGE_STAGE_MOVED_BACK,
    MERGE_STAGE_STARTED,
    MERGE_STAGE_UNMERGE_STARTED,
    MERGE_STAGE_UNMERGED,
    DebtsMovedIn,
    DebtsMovedOut,
    HoldMovedIn,
    HoldMovedOut,
    LotsMovedIn,
    LotsMovedOut,
    MergeStage,
    MergeStepped,
    PendingMovedIn,
    PendingMovedOut,
)
from loyalty.v1.types_pb2 import (
    MEMBERSHIP_STATE_MERGED,
    MEMBERSHIP_STATE_MERGING,
    MEMBERSHIP_STATE_OPEN,
    MEMBERSHIP_STATE_UNMERGING,
    MembershipState,
)

_BEGINS: Final = (MERGE_STAGE_STARTED, MERGE_STAGE_UNMERGE_STARTED)
_ENDS: Final = (MERGE_STAGE_MERGED, MERGE_STAGE_UNMERGED)
_STATES: Final[dict[MergeStage.ValueType, MembershipState.ValueType]] = {
    MERGE_STAGE_STARTED: MEMBERSHIP_STATE_MERGING,
    MERGE_STAGE_MERGED: MEMBERSHIP_STATE_MERGED,
    MERGE_STAGE_UNMERGE_STARTED: MEMBERSHIP_STATE_UNMERGING,
    MERGE_STAGE_UNMERGED: MEMBERSHIP_STATE_OPEN,
}
"""Of the source, where a stage changes it."""


def step(tally: Tally, event: MergeStepped) -> None:
    """Begin, go on with or end a merge, or its undoing."""
    of_source = tally.account_id == event.source_id
    back = event.stage in (
        MERGE_STAGE_UNMERGE_STARTED,
        MERGE_STAGE_MOVED_BACK,
        MERGE_STAGE_UNMERGED,
    )
    if of_source == back:
        _count_in(tally, event)
    if of_source and event.stage in _STATES:
        state, at = _STATES[event.stage], from_timestamp(event.step_time)
        tally.membership = Membership(state, at, event.target_id)
    if event.stage == MERGE_STAGE_MERGED and of_source:
        had = {owner: part for owner, (part, _) in tally.parts.items()} or {OWN: Part("")}
        _set_parts(tally, {owner: _emptied(part) for owner, part in had.items()})
    elif event.stage == MERGE_STAGE_MERGED:
        part, counting = tally.parts[event.source_id]
        tally.parts[event.source_id] = (part._replace(tiers=source_tiers(event)), counting)
    elif event.stage == MERGE_STAGE_UNMERGED and not of_source:
        gone = family({owner: part for owner, (part, _) in tally.parts.items()}, event.source_id)
        staying = {owner: part for owner, part in tally.parts.items() if owner not in gone}
        # Tiers that all had together, or that those brought who leave, are nobody's own.
        tally.tiers = staying[OWN][0].tiers
        _set_parts(tally, staying)
    _go_on(tally, event)


def _emptied(part: Part) -> tuple[Part, Counting]:
    """What stays of a part while another account has it: which tiers it comes back to."""
    left = Part(part.via, part.tiers)
    return left, Counting(left)


def source_tiers(event: MergeStepped) -> tuple[TierSpan, ...]:
    """The tier that the source had, for as long as it had it, last; what it covers before it."""
    if not event.source_tier:
        return ()
    at = from_timestamp(event.step_time)
    covered = (
        TierSpan(
            grant.tier,
            at,
            from_timestamp(grant.until_time) if "until_time" in grant else None,
            basis=GRANTED,
        )
        for grant in event.source_grants
    )
    ends = "source_tier_until_time" in event
    span = TierSpan(
        event.source_tier,
        at,
        from_timestamp(event.source_tier_until_time) if ends else None,
        None,
        BASIS_NAME[event.source_tier_basis],
        event.source_tier_window,
    )
    return (*covered, span)


def _go_on(tally: Tally, event: MergeStepped) -> None:
    if event.stage in _ENDS:
        tally.merging = None
        return
    counted = 0
    if event.stage not in _BEGINS:
        if tally.merging is None:
            raise CorruptHistory(f"merge {event.merge_id} is not under way")
        counted = tally.merging.counted + sum(count_of(moved) for moved in event.counts)
    tally.merging = UnderWay(
        event.merge_id,
        event.source_id,
        event.target_id,
        event.stage not in (MERGE_STAGE_STARTED, MERGE_STAGE_MOVED),
        event.step,
        counted,
        event.business_unit,
    )


def _count_in(tally: Tally, event: MergeStepped) -> None:
    """Count what came in: for the account as a whole, and for the part whose it is."""
    for moved in event.counts:
        owner = OWN if moved.owner_id == tally.account_id else moved.owner_id
        if owner != OWN and not tally.parts:
            own = Part(
                "",
                tally.tiers,
                tally.counting.usage,
                tally.counting.numbers,
                tally.counting.streaks,
                tally.counting.benefits,
                tally.counting.last_activity,
                tally.counting.qualifying,
            )
            tally.parts[OWN] = (own, Counting(own))
            tally.counting.of_several = True
        if owner != OWN and owner not in tally.parts:
            via = "" if moved.via_id == tally.account_id else moved.via_id
            part = Part(via)
            tally.parts[owner] = (part, Counting(part))
        for counting in tally.counted_for(owner):
            add(counting, moved)


def _set_parts(tally: Tally, parts: dict[str, tuple[Part, Counting]]) -> None:
    """Keep these parts alone, and count for the account what they count for."""
    tally.parts = parts
    tally.counting = combined(tally.frozen_part(owner) for owner in sorted(parts))
    tally.counting.of_several = len(parts) > 1
    if len(parts) == 1:
        tally.parts = {}


def lots_out(tally: Tally, event: LotsMovedOut) -> None:
    """Take points that can be spent out of their lots."""
    tally.lots.move_out(_drawn(event), "available")


def pending_out(tally: Tally, event: PendingMovedOut) -> None:
    """Take points that cannot be spent yet out of their lots."""
    tally.lots.move_out(_drawn(event), "pending")


def lots_in(tally: Tally, event: LotsMovedIn | PendingMovedIn) -> None:
    """Make the lots that came in, or add to those that are here."""
    tally.lots.move_in([moved_lot(moved, currency=event.currency) for moved in event.lots])


def hold_out(tally: Tally, event: HoldMovedOut) -> None:
    """Let a hold go, with the points that it set aside."""
    tally.lots.move_out(_drawn(event), "held")
    for index, held in enumerate(tally.holds):
        if held.hold_id == event.hold_id and held.business_unit == event.business_unit:
            del tally.holds[index]
            return
    raise CorruptHistory(f"there is no open hold {event.hold_id}")


def hold_in(tally: Tally, event: HoldMovedIn) -> None:
    """Take a hold, with the points that it set aside."""
    lots = [moved_lot(moved, currency=event.currency) for moved in event.lots]
    held = [lot._replace(held=lot.available, available=0) for lot in lots]
    tally.lots.move_in(held)
    tally.holds.append(
        Hold(
            event.hold_id,
            event.business_unit,
            event.currency,
            tuple(_drawn_from(lot) for lot in lots),
            from_timestamp(event.expire_time) if "expire_time" in event else None,
            event.entry_id,
            event.act,
            limits_of(event.usages),
            event.owner_id,
            points_expire=event.points_expire,
            captured=event.captured,
        )
    )


def debts_out(tally: Tally, event: DebtsMovedOut) -> None:
    """Let debts go."""
    gone = {debt.debt_id for debt in event.debts}
    left = [debt for debt in tally.debts if debt.debt_id not in gone]
    if len(left) + len(gone) != len(tally.debts):
        raise CorruptHistory(f"there are no open debts {', '.join(sorted(gone))}")
    tally.debts = left


def debts_in(tally: Tally, event: DebtsMovedIn) -> None:
    """Take debts, which stand by age among those that are here: their ids rise with time."""
    taken = (
        Debt(
            moved.debt_id,
            moved.business_unit,
            event.currency,
            moved.points,
            moved.document,
            moved.owner_id,
        )
        for moved in event.debts
    )
    tally.debts = sorted((*tally.debts, *taken), key=lambda debt: debt.debt_id)


def _drawn(event: LotsMovedOut | PendingMovedOut | HoldMovedOut) -> list[Drawn]:
    return [drawn_of(draw) for draw in event.draws]


def _drawn_from(lot: Lot) -> Drawn:
    return Drawn(
        lot.lot_id,
        lot.available,
        lot.issuer,
        lot.funder,
        lot.earned_at,
        lot.expires_at,
        lot.grace,
        lot.life,
        lot.document,
        lot.seq,
        lot.contributor,
        lot.owner,
    )

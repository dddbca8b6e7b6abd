"""Merges: two accounts become one, part by part, and two again.

Each step is a decision about both accounts, recorded in one commit. What moves keeps everything it
has: a lot its id, issuer, funder, expiry and place in the order; a hold its id; a debt its unit. It
also remembers whose it was. So an undone merge gives back what is left of everything that belongs
to the account that leaves, and what was posted for its documents meanwhile.
"""

from typing import Final, NamedTuple

from ledger.core.advance import settle
from ledger.core.applying.merging import source_tiers
from ledger.core.commands import BeginMerge, ContinueMerge, TierLadder
from ledger.core.counted import family, slices
from ledger.core.decision import LOTS_MAX, TOTAL_MAX, Draft
from ledger.core.instant import Instant, optional_timestamp, to_timestamp
from ledger.core.membership import UnderWay, require_spending
from ledger.core.merged_tiers import keep_better, restore
from ledger.core.moving import Way, is_stray, move_debts, move_holds, move_lots, parts_of
from ledger.core.refusals import (
    AlreadyMerged,
    HoldOfBoth,
    InPools,
    MergeIntoItself,
    Merging,
    NotMerged,
    PointsInTransit,
    PointsOverflow,
    PointsRecalled,
    TooManyLots,
    UnmergeFirst,
)
from ledger.core.standing import grants_of
from ledger.core.state import OWN, Account
from ledger.core.tiers import BASES, reach
from loyalty.v1.events_pb2 import (
    MERGE_STAGE_MERGED,
    MERGE_STAGE_MOVED,
    MERGE_STAGE_MOVED_BACK,
    MERGE_STAGE_STARTED,
    MERGE_STAGE_UNMERGE_STARTED,
    MERGE_STAGE_UNMERGED,
    MergeStage,
    MergeStepped,
)

LOTS_A_STEP: Final = 500
"""Lots, draws of holds and debts that move in one step."""
COUNTS_A_STEP: Final = 2000
"""Entries of what is counted that move in one step."""


class Pair(NamedTuple):
    """Both accounts of a merge, each with the draft of its decision."""

    source: Draft
    target: Draft


def begin(pair: Pair, command: BeginMerge) -> None:
    """Freeze the source.

    Raises Merging, MergeIntoItself, AlreadyMerged, AccountClosed, AccountSuspended,
    PointsInTransit, PointsRecalled, InPools, TooManyLots, PointsOverflow.
    """
    source, target = pair.source.tally.account(), pair.target.tally.account()
    _require_still(source, target)
    if source.account_id == target.account_id:
        raise MergeIntoItself(member_id=source.account_id)
    for account in (source, target):
        if account.membership.is_merged:
            raise AlreadyMerged(member_id=account.account_id, into_id=account.membership.into)
        require_spending(account.account_id, account.membership)
    _require_none_in_transit(source, frozenset({OWN, *source.parts}))
    _require_none_recalled(source, target)
    if source.pooling.joined:
        raise InPools(member_id=source.account_id, pool_id=source.pooling.joined[0])
    if len(source.lots) + len(target.lots) > LOTS_MAX:
        raise TooManyLots(limit=LOTS_MAX)
    for currency, balance in source.balances.items():
        if sum(balance) + sum(target.balance(currency)) > TOTAL_MAX:
            raise PointsOverflow(currency=currency, limit=TOTAL_MAX)
    _record_both(pair, _begun(pair, command, MERGE_STAGE_STARTED))


def begin_undoing(pair: Pair, command: BeginMerge) -> None:
    """Freeze both.

    Raises Merging, NotMerged, UnmergeFirst, PointsInTransit, PointsRecalled, HoldOfBoth.
    """
    source, target = pair.source.tally.account(), pair.target.tally.account()
    _require_still(source, target)
    if not source.membership.is_merged:
        raise NotMerged(member_id=source.account_id)
    if target.membership.is_merged:
        raise UnmergeFirst(
            member_id=source.account_id,
            merged_id=target.account_id,
            into_id=target.membership.into,
        )
    leaving = family(target.parts, source.account_id)
    _require_none_in_transit(target, leaving)
    _require_none_recalled(target)
    for hold in target.holds:
        whose = {draw.owner in leaving for draw in hold.draws}
        if len(whose) > 1:
            raise HoldOfBoth(hold_id=hold.hold_id, business_unit=hold.business_unit)
    _record_both(pair, _begun(pair, command, MERGE_STAGE_UNMERGE_STARTED))


def _require_still(*accounts: Account) -> None:
    for account in accounts:
        if account.merging is not None:
            raise Merging(member_id=account.account_id)


def _require_none_in_transit(account: Account, owners: frozenset[str]) -> None:
    """Refuse to move points that are on their way to somebody else already."""
    for lot in account.lots:
        if lot.in_transit and lot.owner in owners:
            raise PointsInTransit(member_id=account.account_id, currency=lot.currency)


def _require_none_recalled(*accounts: Account) -> None:
    """Refuse to move what a recall goes through account by account."""
    for account in accounts:
        for hold in account.holds:
            if hold.recalled:
                raise PointsRecalled(member_id=account.account_id, recall_id=hold.hold_id)


def _begun(pair: Pair, command: BeginMerge, stage: MergeStage.ValueType) -> MergeStepped:
    return MergeStepped(
        merge_id=command.merge_id,
        stage=stage,
        source_id=pair.source.tally.account_id,
        target_id=pair.target.tally.account_id,
        business_unit=command.business_unit,
        reason=command.reason,
        actor=command.actor,
        step_time=to_timestamp(command.occurred_at),
    )


def go_on(pair: Pair, command: ContinueMerge, ladder: TierLadder, *, now: Instant) -> bool:
    """Move the next part; whether all is done with that."""
    merging = pair.source.tally.merging
    assert merging is not None, "only a merge that is under way goes on"
    done = _go_on(pair, merging, command, ladder)
    for draft in pair:
        settle(draft, since=command.occurred_at, now=now, ladder=ladder)
    if done and merging.undoing:
        # Whoever leaves has what their documents gave meanwhile, and the tier that this reaches.
        pair.source.at = command.occurred_at
        reach(pair.source, ladder, entry_id=merging.merge_id)
    return done


def _go_on(pair: Pair, merging: UnderWay, command: ContinueMerge, ladder: TierLadder) -> bool:
    way = _way(pair, merging)
    room = LOTS_A_STEP - move_lots(way, LOTS_A_STEP)
    room -= move_holds(way, room)
    room -= move_debts(way, room)
    step = MergeStepped(
        merge_id=merging.merge_id,
        stage=MERGE_STAGE_MOVED_BACK if merging.undoing else MERGE_STAGE_MOVED,
        step=merging.step + 1,
        source_id=merging.source,
        target_id=merging.target,
        business_unit=merging.business_unit,
        step_time=to_timestamp(command.occurred_at),
    )
    done = False
    if room > 0:
        counts, done = slices(parts_of(way), merging.counted, COUNTS_A_STEP)
        step.counts.extend(counts)
    if not done:
        _record_both(pair, step)
        return False
    _end(pair, step, command, ladder, undoing=merging.undoing)
    return True


def _way(pair: Pair, merging: UnderWay) -> Way:
    source, target = pair
    if not merging.undoing:
        return Way(source, target, merging.merge_id, merging.business_unit, None)
    leaving = family(target.tally.account().parts, merging.source)
    return Way(target, source, merging.merge_id, merging.business_unit, leaving)


def _end(
    pair: Pair, step: MergeStepped, command: ContinueMerge, ladder: TierLadder, *, undoing: bool
) -> None:
    """Let the two be one, or two; the tiers follow."""
    if undoing:
        step.stage = MERGE_STAGE_UNMERGED
        parts = pair.target.tally.account().parts
        staying = parts.keys() - family(parts, step.source_id)
        tiers_left = {owner: parts[owner].tiers for owner in staying}
        had = pair.target.tally.tiers[-1] if pair.target.tally.tiers else None
        _record_both(pair, step)
        restore(pair.target, tiers_left, had, command, ladder, entry_id=step.merge_id)
        return
    step.stage = MERGE_STAGE_MERGED
    tiers = pair.source.tally.tiers
    if tiers and tiers[-1].tier:
        span = tiers[-1]
        step.source_tier, step.source_tier_window = span.tier, span.window
        step.source_tier_basis = BASES[span.basis]
        if span.valid_until is not None:
            step.source_tier_until_time.CopyFrom(to_timestamp(span.valid_until))
        for grant in grants_of(pair.source.tally.account(), pair.source.at):
            if span != grant._replace(from_at=span.from_at):
                until = optional_timestamp(grant.valid_until)
                step.source_grants.add(tier=grant.tier, until_time=until)
    _record_both(pair, step)
    keep_better(pair.target, source_tiers(step), command, ladder, entry_id=step.merge_id)


def _record_both(pair: Pair, step: MergeStepped) -> None:
    for draft in pair:
        draft.record(step)


def strays(account: Account) -> set[str]:
    """Whose lots an account has that go home."""
    return {lot.owner for lot in account.lots if lot.available and is_stray(lot, account.parts)}


def carry(way: Way, ladder: TierLadder, *, at: Instant, now: Instant) -> None:
    """Let lots go to the account to which their owner belongs; in a closed one they expire."""
    move_lots(way, LOTS_MAX)
    settle(way.taker, since=at, now=now, ladder=ladder)

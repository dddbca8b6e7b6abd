"""An account while facts are applied to it: the one mutable thing of the core, never handed out."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final, assert_never, get_args

from ledger.core.counting import BURN, EARN, Counting
from ledger.core.draws import life_of
from ledger.core.events import EFFECTS, AccountFact, MovingFact, kind_of
from ledger.core.instant import from_timestamp
from ledger.core.lots import CorruptHistory, OpenLots, drawn_of
from ledger.core.standing import BASIS_NAME, fold_old_windows, kept_spans
from ledger.core.state import Account, Balance, Debt, Drawn, Hold, Lot, TierSpan, frozen_mapping
from ledger.core.usage import key_of
from loyalty.v1.events_pb2 import (
    ArrearsIncurred,
    ArrearsRepaid,
    BurnReversed,
    ClawbackWrittenOff,
    DocumentPosted,
    HoldCaptured,
    HoldReleased,
    IdentityLinked,
    MemberEnrolled,
    MemberProfileChanged,
    OpeningLotRecorded,
    PendingClawedBack,
    PointsBurned,
    PointsClawedBack,
    PointsEarned,
    PointsExpired,
    PointsHeld,
    PointsPended,
    PointsReleased,
    ReversalReversed,
    TierChanged,
)
from loyalty.v1.types_pb2 import Usage

SEGMENTS: Final = "segments"
"""How `MemberProfileChanged` names that the segments changed."""
_MOVES: Final[dict[type, tuple[tuple[int, int], ...]]] = {
    kind: tuple((column, sign) for column, sign in enumerate(EFFECTS[kind_of(kind())]) if sign)
    for kind in get_args(MovingFact)
}
"""EFFECTS as (column of a balance row, sign), without the zeros."""


class Tally:
    """Applies facts one after the other, then freezes. Order of facts is the caller's duty."""

    __slots__ = (
        "_frozen",
        "balances",
        "business_unit",
        "counting",
        "debts",
        "enrolled_at",
        "holds",
        "identity_schemes",
        "lots",
        "qualifying",
        "segments_since",
        "tiers",
        "version",
    )

    def __init__(self, account: Account) -> None:
        self._frozen = account
        self.version = account.version
        self.business_unit = account.business_unit
        self.enrolled_at = account.enrolled_at
        self.identity_schemes = account.identity_schemes
        self.lots = OpenLots(account.lots)
        self.holds = list(account.holds)
        self.debts = list(account.debts)
        self.balances: dict[str, list[int]] = {
            currency: [held.available, held.pending, held.held, held.arrears]
            for currency, held in account.balances.items()
        }
        self.qualifying: Mapping[tuple[str, str], int] = account.qualifying
        self.tiers = account.tiers
        self.counting = Counting(account)
        self.segments_since = account.segments_since

    def account(self) -> Account:
        """The account after the facts so far."""
        if self._frozen.version != self.version:
            counting = self.counting
            self._frozen = Account(
                self._frozen.account_id,
                self.version,
                self.business_unit,
                self.enrolled_at,
                self.identity_schemes,
                tuple(self.lots.items),
                tuple(self.holds),
                tuple(self.debts),
                frozen_mapping({name: Balance(*row) for name, row in self.balances.items()}),
                self.qualifying,
                self.tiers,
                counting.usage,
                counting.numbers,
                counting.streaks,
                counting.benefits,
                counting.last_activity,
                self.segments_since,
            )
        return self._frozen

    def apply(self, event: AccountFact) -> None:  # noqa: C901 - one arm per shape of fact
        """Let a fact have its effect."""
        self.version += 1
        match event:
            case PointsEarned() | PointsPended():
                self._add_earned(event)
            case DocumentPosted():
                self.counting.post(event)
                return
            case MemberProfileChanged():
                if SEGMENTS in event.changed:
                    self.segments_since = from_timestamp(event.change_time)
                return
            case ClawbackWrittenOff():
                return
            case PointsBurned() | ReversalReversed():
                self.lots.draw(event.draws)
                self._burn(event)
                self._count(event.usages)
            case PointsReleased():
                dated = event.HasField("expire_time")
                expires_at = from_timestamp(event.expire_time) if dated else None
                self.lots.release(event.lot_id, event.points, expires_at)
                if event.tier_window:
                    self._qualify(event.currency, event.tier_window, event.points)
            case PointsExpired():
                self.lots.expire(event.lot_id, event.points)
            case PointsHeld():
                self._hold(event)
            case HoldCaptured() | HoldReleased():
                self._end_hold(event)
            case PointsClawedBack() | PendingClawedBack():
                self._claw_back(event)
            case ArrearsIncurred():
                self._owe(event)
            case ArrearsRepaid():
                self.lots.draw(event.draws)
                self._repay(event)
            case BurnReversed():
                self._give_back(event)
            case OpeningLotRecorded():
                self._add_opening(event)
            case MemberEnrolled() | IdentityLinked() | TierChanged():
                self._note(event)
                return
            case _:
                assert_never(event)
        self._change_balance(event)

    def _note(self, event: MemberEnrolled | IdentityLinked | TierChanged) -> None:
        if isinstance(event, MemberEnrolled):
            self.business_unit = event.business_unit
            self.enrolled_at = from_timestamp(event.enrol_time)
        elif isinstance(event, IdentityLinked):
            if event.scheme not in self.identity_schemes:
                self.identity_schemes = (*self.identity_schemes, event.scheme)
        else:
            from_at = from_timestamp(event.effective_time)
            ends = event.HasField("valid_until_time")
            valid_until = from_timestamp(event.valid_until_time) if ends else None
            review = event.HasField("review_time")
            span = TierSpan(
                event.to_tier,
                from_at,
                valid_until,
                from_timestamp(event.review_time) if review else None,
                BASIS_NAME[event.basis],
                event.tier_window,
            )
            self.tiers = kept_spans((*self.tiers, span))

    def _change_balance(self, event: MovingFact) -> None:
        row = self.balances.get(event.currency)
        if row is None:
            row = self.balances[event.currency] = [0, 0, 0, 0]
        points = event.points
        for column, sign in _MOVES[type(event)]:
            row[column] += sign * points

    def _count(self, usages: Iterable[Usage]) -> None:
        """Count a burn under the limits of its redemption, or give back what it used."""
        for used in usages:
            if used.change:
                self.counting.use(key_of(used), used.change)

    def _burn(self, event: PointsBurned | ReversalReversed | HoldCaptured) -> None:
        if not isinstance(event, ReversalReversed) and event.HasField("burn_time"):
            self.counting.active(BURN, from_timestamp(event.burn_time))

    # --- lots -------------------------------------------------------------------------------

    def _add_earned(self, event: PointsEarned | PointsPended) -> None:
        points = event.points
        window = event.tier_window
        earned_at = from_timestamp(event.earned_time)
        self.counting.active(EARN, earned_at)
        available_at = None
        available = points
        if isinstance(event, PointsPended):
            available = 0
            if event.HasField("available_time"):
                available_at = from_timestamp(event.available_time)
        if window and available and self.lots.join(event.lot_id, points):
            self._qualify(event.currency, window, points)
            return
        self.lots.insert(
            Lot(
                event.lot_id,
                event.currency,
                event.business_unit,
                event.funder,
                event.document,
                window,
                earned_at,
                available_at,
                from_timestamp(event.expire_time) if event.HasField("expire_time") else None,
                self.version,
                available,
                points - available,
                0,
                False,
                life_of(event.life) if event.HasField("life") else None,
            )
        )
        if window and available:
            # Points count for tiers once they are the member's: a booking is not a stay.
            self._qualify(event.currency, window, points)

    def _add_opening(self, event: OpeningLotRecorded) -> None:
        self.lots.insert(
            Lot(
                event.lot_id,
                event.currency,
                event.business_unit,
                event.funder,
                "",
                "",
                from_timestamp(event.earned_time),
                None,
                from_timestamp(event.expire_time) if event.HasField("expire_time") else None,
                self.version,
                event.points,
            )
        )

    def _give_back(self, event: BurnReversed) -> None:
        draws = [drawn_of(draw) for draw in event.draws]
        self.lots.give_back(draws, currency=event.currency, seq=self.version)
        self._count(event.usages)

    def _claw_back(self, event: PointsClawedBack | PendingClawedBack) -> None:
        if isinstance(event, PointsClawedBack):
            self.lots.draw(event.draws)
            if event.tier_window:
                self._qualify(event.currency, event.tier_window, -event.points)
        else:
            self.lots.draw_pending(event.draws)

    # --- holds, debts, counters ---------------------------------------------------------------

    def _hold(self, event: PointsHeld) -> None:
        draws = tuple(drawn_of(draw) for draw in event.draws)
        self.lots.hold(draws)
        expires_at = from_timestamp(event.expire_time) if event.HasField("expire_time") else None
        self.holds.append(
            Hold(
                event.hold_id,
                event.business_unit,
                event.currency,
                draws,
                expires_at,
                event.entry_id,
                0,
                tuple((used.name, used.period) for used in event.usages),
            )
        )
        self._count(event.usages)

    def _end_hold(self, event: HoldCaptured | HoldReleased) -> None:
        comes_back = isinstance(event, HoldReleased)
        if isinstance(event, HoldCaptured):
            self._burn(event)
        draws = [drawn_of(draw) for draw in event.draws]
        self.lots.end_hold(draws, comes_back=comes_back)
        self._count(event.usages)
        index = self._open_hold(event)
        hold = self.holds[index]
        left = () if comes_back else _after(hold.draws, event.points)
        if left:
            self.holds[index] = Hold(
                hold.hold_id,
                hold.business_unit,
                hold.currency,
                left,
                hold.expires_at,
                hold.entry_id,
                event.act,
                hold.limits,
            )
        else:
            del self.holds[index]

    def _open_hold(self, event: HoldCaptured | HoldReleased) -> int:
        for index, hold in enumerate(self.holds):
            if hold.hold_id == event.hold_id and hold.business_unit == event.business_unit:
                return index
        raise CorruptHistory(f"there is no open hold {event.hold_id}")

    def _owe(self, event: ArrearsIncurred) -> None:
        self.debts.append(
            Debt(
                event.debt_id,
                event.business_unit,
                event.currency,
                event.points,
                event.document,
            )
        )

    def _repay(self, event: ArrearsRepaid) -> None:
        for index, debt in enumerate(self.debts):
            if debt.debt_id == event.debt_id:
                left = debt.points - event.points
                if left:
                    self.debts[index] = Debt(
                        debt.debt_id, debt.business_unit, debt.currency, left, debt.document
                    )
                else:
                    del self.debts[index]
                return
        raise CorruptHistory(f"there is no open debt {event.debt_id}")

    def _qualify(self, currency: str, window: str, points: int) -> None:
        counted = self.qualifying.get((currency, window))
        if counted is None and points < 0:
            # A window too old to be kept by itself.
            window, counted = "", self.qualifying.get((currency, ""))
        qualifying = {**self.qualifying, (currency, window): (counted or 0) + points}
        if counted is None:
            fold_old_windows(qualifying, (currency,), window)
        self.qualifying = frozen_mapping(qualifying)


def _after(draws: tuple[Drawn, ...], points: int) -> tuple[Drawn, ...]:
    """Draws that are left once points were taken from the first ones."""
    for index, draw in enumerate(draws):
        if points < draw.points:
            left = replace(draw, points=draw.points - points)
            return (left, *draws[index + 1 :])
        points -= draw.points
    return ()

"""Recalls: exactly the points of some lots are set aside, given back, or taken for good.

What other accounts have of them is theirs to decide: a recall goes through the accounts one by one,
under one id. Held points stay until their hold is resolved; a later act of the recall finds them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ledger.core.arrears import release_lot
from ledger.core.commands import RecallPoints
from ledger.core.decision import Draft
from ledger.core.draws import draw_of
from ledger.core.instant import write_timestamp
from ledger.core.state import Drawn, Hold, Lot
from loyalty.v1.events_pb2 import (
    ArrearsIncurred,
    ClawbackWrittenOff,
    PendingClawedBack,
    PendingQuarantined,
    PendingQuarantineLifted,
    PointsClawedBack,
    PointsQuarantined,
    QuarantineClawedBack,
    QuarantineLifted,
    RecalledLot,
    RecallMade,
)
from loyalty.v1.types_pb2 import (
    RECALL_ACTION_CLAW_BACK,
    RECALL_ACTION_QUARANTINE,
    RECALL_SPENT_UNSPECIFIED,
    RECALL_SPENT_WRITE_OFF,
    Draw,
)

_Group = tuple[str, str]
"""(currency, issuer)"""


@dataclass(slots=True)
class _Plan:
    """What an act will do, before it does anything."""

    lots: dict[str, RecalledLot] = field(default_factory=dict)
    available: dict[_Group, list[Draw]] = field(default_factory=dict)
    pending: dict[_Group, list[Draw]] = field(default_factory=dict)
    quarantined: dict[_Group, list[Draw]] = field(default_factory=dict)
    """What this recall has set aside."""
    charged: dict[tuple[str, str, str], int] = field(default_factory=dict)
    """By currency, issuer and owner of the lots."""

    def of(self, lot_id: str, currency: str, issuer: str) -> RecalledLot:
        """What is told of a lot."""
        if lot_id not in self.lots:
            self.lots[lot_id] = RecalledLot(lot_id=lot_id, currency=currency, issuer=issuer)
        return self.lots[lot_id]


def recall(draft: Draft, command: RecallPoints) -> None:
    """Do what a recall asks of this account; nothing when it has nothing of the lots.

    Tier-qualifying points are not recalled: their document has to be stated anew. Raises
    PointsOverflow.
    """
    if command.action == RECALL_ACTION_QUARANTINE:
        plan = _to_quarantine(draft, command)
        _announce(draft, command, plan)
        _quarantine(draft, command, plan)
    elif command.action == RECALL_ACTION_CLAW_BACK:
        plan = _to_claw_back(draft, command)
        _announce(draft, command, plan)
        _claw_back(draft, command, plan)
        _charge(draft, command, plan)
    else:
        _release(draft, command)


def _announce(draft: Draft, command: RecallPoints, plan: _Plan) -> None:
    """Record what was decided, if there is anything."""
    if plan.lots:
        draft.record(
            RecallMade(
                entry_id=command.entry_id,
                recall_id=command.recall_id,
                business_unit=command.business_unit,
                action=command.action,
                spent=command.spent,
                lots=plan.lots.values(),
                reason=command.reason,
                actor=command.actor,
            )
        )


# --- setting aside ----------------------------------------------------------------------------


def _to_quarantine(draft: Draft, command: RecallPoints) -> _Plan:
    plan = _Plan()
    own = _own_by_lot(draft, command)
    for lot in _named(draft, command.lots):
        held = lot.held - own.get((lot.lot_id, lot.expires_at), 0)
        if not (lot.available or lot.pending or held):
            continue
        told = plan.of(lot.lot_id, lot.currency, lot.issuer)
        told.quarantined += lot.available + lot.pending
        told.held += held
        group = (lot.currency, "")
        if lot.available:
            plan.available.setdefault(group, []).append(draw_of(lot, lot.available))
        if lot.pending:
            plan.pending.setdefault(group, []).append(_pending_draw(lot))
    return plan


def _quarantine(draft: Draft, command: RecallPoints, plan: _Plan) -> None:
    for (currency, _), draws in plan.available.items():
        points = _sum(draws)
        draft.record(
            PointsQuarantined(
                entry_id=command.entry_id,
                recall_id=command.recall_id,
                currency=currency,
                points=points,
                business_unit=command.business_unit,
                draws=draws,
                available_after=draft.available(currency) - points,
            )
        )
    for (currency, _), draws in plan.pending.items():
        draft.record(
            PendingQuarantined(
                entry_id=command.entry_id,
                recall_id=command.recall_id,
                currency=currency,
                points=_sum(draws),
                business_unit=command.business_unit,
                draws=draws,
            )
        )


# --- giving back ------------------------------------------------------------------------------


def _release(draft: Draft, command: RecallPoints) -> None:
    parts = [
        (held, draws)
        for held in _own(draft, command)
        if (draws := [draw for draw in held.draws if _meant(draw.lot_id, command)])
    ]
    plan = _Plan()
    for held, draws in parts:
        for draw in draws:
            plan.of(draw.lot_id, held.currency, draw.issuer).quarantined += draw.points
    _announce(draft, command, plan)
    for held, draws in parts:
        if held.pending:
            _lift_pending(draft, command, held, draws)
        else:
            _lift(draft, command, held, draws)


def _lift(draft: Draft, command: RecallPoints, held: Hold, draws: list[Drawn]) -> None:
    points = sum(draw.points for draw in draws)
    draft.record(
        QuarantineLifted(
            entry_id=command.entry_id,
            recall_id=command.recall_id,
            currency=held.currency,
            points=points,
            business_unit=held.business_unit,
            draws=[draw_of(draw, draw.points) for draw in draws],
            available_after=draft.available(held.currency) + points,
        )
    )


def _lift_pending(draft: Draft, command: RecallPoints, held: Hold, draws: list[Drawn]) -> None:
    """Give back what was pending; where its document has become final it is released at once."""
    lots = {(lot.lot_id, lot.expires_at): lot for lot in draft.tally.lots.items}
    draft.record(
        PendingQuarantineLifted(
            entry_id=command.entry_id,
            recall_id=command.recall_id,
            currency=held.currency,
            points=sum(draw.points for draw in draws),
            business_unit=held.business_unit,
            draws=[
                _pending_draw(lots[draw.lot_id, draw.expires_at], draw.points) for draw in draws
            ],
        )
    )
    lifted = {draw.lot_id for draw in draws}
    for lot in list(draft.tally.lots.items):
        waits = lot.lot_id in lifted and lot.pending and lot.available_at is None
        if waits and lot.document in command.final_documents:
            release_lot(draft, lot, entry_id=command.entry_id)


# --- taking for good --------------------------------------------------------------------------


def _to_claw_back(draft: Draft, command: RecallPoints) -> _Plan:
    plan = _Plan()
    own = _own_by_lot(draft, command)
    named = command.lots or frozenset(lot_id for lot_id, _ in own)
    paid = {
        lot_id: max(0, known.charged - max(0, known.spent))
        for lot_id, known in command.history.items()
    }
    for lot in _named(draft, named):
        quarantined = own.get((lot.lot_id, lot.expires_at), 0)
        told = plan.of(lot.lot_id, lot.currency, lot.issuer)
        told.held += lot.held - quarantined
        # What the member was charged for and got back by a reversal is not bad any more.
        most = lot.available + lot.pending + quarantined - paid.get(lot.lot_id, 0)
        paid[lot.lot_id] = max(0, -most)
        _plan_take(plan, told, lot, quarantined, max(0, most))
    if command.spent != RECALL_SPENT_UNSPECIFIED:
        _plan_charges(command, plan, named)
    plan.lots = {
        lot_id: told
        for lot_id, told in plan.lots.items()
        if told.taken or told.held or told.charged
    }
    return plan


def _plan_take(plan: _Plan, told: RecalledLot, lot: Lot, quarantined: int, most: int) -> None:
    """Take up to so many points: what is set aside first, then what cannot be spent yet."""
    group = (lot.currency, lot.issuer)
    for points, draws, waits in (
        (quarantined, plan.quarantined, False),
        (lot.pending, plan.pending, True),
        (lot.available, plan.available, False),
    ):
        taken = min(points, most)
        if taken:
            draw = _pending_draw(lot, taken) if waits else draw_of(lot, taken)
            draws.setdefault(group, []).append(draw)
            told.taken += taken
            most -= taken


def _plan_charges(command: RecallPoints, plan: _Plan, named: Iterable[str]) -> None:
    for lot_id in sorted(named):
        known = command.history.get(lot_id)
        if known is None:
            continue
        charged = max(0, known.spent - known.charged)
        told = plan.of(lot_id, known.currency, known.issuer)
        told.spent, told.charged = known.spent, charged
        if charged:
            group = (known.currency, known.issuer, known.owner)
            plan.charged[group] = plan.charged.get(group, 0) + charged


def _claw_back(draft: Draft, command: RecallPoints, plan: _Plan) -> None:
    """Take points from whoever issued them: nobody is paid for points that should not have been."""
    for (currency, issuer), draws in plan.quarantined.items():
        draft.record(
            QuarantineClawedBack(
                entry_id=command.entry_id,
                recall_id=command.recall_id,
                currency=currency,
                points=_sum(draws),
                business_unit=issuer,
                draws=draws,
            )
        )
    for (currency, issuer), draws in plan.pending.items():
        draft.record(
            PendingClawedBack(
                entry_id=command.entry_id,
                currency=currency,
                points=_sum(draws),
                business_unit=issuer,
                draws=draws,
            )
        )
    for (currency, issuer), draws in plan.available.items():
        points = _sum(draws)
        draft.record(
            PointsClawedBack(
                entry_id=command.entry_id,
                currency=currency,
                points=points,
                business_unit=issuer,
                draws=draws,
                available_after=draft.available(currency) - points,
            )
        )


def _charge(draft: Draft, command: RecallPoints, plan: _Plan) -> None:
    for number, ((currency, issuer, owner), points) in enumerate(plan.charged.items(), 1):
        if command.spent == RECALL_SPENT_WRITE_OFF:
            draft.record(
                ClawbackWrittenOff(
                    entry_id=command.entry_id,
                    currency=currency,
                    points=points,
                    business_unit=command.write_off_to or issuer,
                )
            )
            continue
        draft.check_room(currency, points)
        draft.record(
            ArrearsIncurred(
                debt_id=f"{command.entry_id}.d{number}",
                currency=currency,
                points=points,
                business_unit=issuer,
                entry_id=command.entry_id,
                owner_id=owner,
            )
        )


# --- what is there ----------------------------------------------------------------------------


def _named(draft: Draft, lots: Iterable[str]) -> list[Lot]:
    named = frozenset(lots)
    return [lot for lot in draft.tally.lots.items if lot.lot_id in named and not lot.tier_window]


def _own(draft: Draft, command: RecallPoints) -> Iterator[Hold]:
    """What this recall has set aside."""
    for held in draft.tally.holds:
        if held.recalled and held.hold_id == command.recall_id:
            yield held


def _own_by_lot(draft: Draft, command: RecallPoints) -> dict[tuple[str, int | None], int]:
    points: dict[tuple[str, int | None], int] = {}
    for held in _own(draft, command):
        for draw in held.draws:
            key = draw.lot_id, draw.expires_at
            points[key] = points.get(key, 0) + draw.points
    return points


def _meant(lot_id: str, command: RecallPoints) -> bool:
    return not command.lots or lot_id in command.lots


def _pending_draw(lot: Lot, points: int = 0) -> Draw:
    """A draw of what is pending in a lot, with when it would have been released."""
    draw = draw_of(lot, points or lot.pending)
    if lot.available_at is not None:
        write_timestamp(draw.available_time, lot.available_at)
    return draw


def _sum(draws: Iterable[Draw]) -> int:
    return sum(draw.points for draw in draws)

"""Draws: points taken from lots, complete with what settlement and a later reversal need."""

from collections.abc import Iterable
from typing import Protocol, TypeVar

from ledger.core.commands.award import Life
from ledger.core.instant import (
    from_timestamp,
    optional_timestamp,
    to_timestamp,
    write_timestamp,
)
from ledger.core.state import Drawn, Lot, LotLife
from loyalty.v1 import types_pb2
from loyalty.v1.types_pb2 import Draw


def draw_of(lot: Lot | Drawn, points: int) -> Draw:
    """Points taken from one lot."""
    return Draw(
        lot_id=lot.lot_id,
        points=points,
        issuer=lot.issuer,
        funder=lot.funder,
        earned_time=to_timestamp(lot.earned_at),
        expire_time=optional_timestamp(lot.expires_at),
        grace=lot.grace,
        life=None if lot.life is None else life_message(lot.life),
        document=lot.document,
        lot_version=lot.seq,
        contributor_id=lot.contributor,
        owner_id=lot.owner,
    )


def life_message(life: LotLife) -> types_pb2.LotLife:
    """A life as facts keep it."""
    return types_pb2.LotLife(
        expiry=life.expiry,
        inactive_months=life.inactive_months,
        extended_by=life.extended_by,
        hard_expire_time=optional_timestamp(life.hard_expires_at),
        unless_tiers=life.unless_tiers,
        unless_segments=life.unless_segments,
        restarts=life.restarts,
        from_release=life.from_release,
        policy_digest=life.policy_digest,
        begin_time=optional_timestamp(life.begun_at),
    )


def write_life(recorded: types_pb2.LotLife, life: Life) -> None:
    """Write the life that the rules gave into a fact; whose policy it is, the caller says."""
    recorded.from_release = life.from_release
    recorded.expiry = life.expiry
    recorded.inactive_months = life.inactive_months
    recorded.extended_by.extend(life.extended_by)
    if life.hard_expires_at is not None:
        write_timestamp(recorded.hard_expire_time, life.hard_expires_at)
    recorded.unless_tiers.extend(life.unless_tiers)
    recorded.unless_segments.extend(life.unless_segments)
    recorded.restarts = life.restarts
    if life.begun_at is not None:
        write_timestamp(recorded.begin_time, life.begun_at)


def life_of(message: types_pb2.LotLife) -> LotLife:
    """The life of a fact as the state keeps it."""
    has_limit = "hard_expire_time" in message
    return LotLife(
        message.expiry,
        message.inactive_months,
        tuple(message.extended_by),
        from_timestamp(message.hard_expire_time) if has_limit else None,
        tuple(message.unless_tiers),
        tuple(message.unless_segments),
        message.restarts,
        message.from_release,
        message.policy_digest,
        from_timestamp(message.begin_time) if "begin_time" in message else None,
    )


class _Funded(Protocol):
    """A lot, or what was drawn from one."""

    @property
    def funder(self) -> str: ...


Funded = TypeVar("Funded", bound=_Funded)


def in_spending_order(lots: Iterable[Funded], first: tuple[str, ...]) -> Iterable[Funded]:
    """Lots as a member's spending draws them: what some funders pay for first, if any."""
    return sorted(lots, key=lambda lot: spending_rank(lot.funder, first)) if first else lots


def spending_rank(funder: str, first: tuple[str, ...]) -> int:
    """Place of what a funder pays for in spending: in the order of `first`, then all others."""
    return first.index(funder) if funder in first else len(first)


def draw_available(lots: Iterable[Lot], points: int) -> tuple[list[Draw], int]:
    """Take available points from lots in their order; also what is missing in the end."""
    draws: list[Draw] = []
    for lot in lots:
        if not points:
            break
        if lot.available:
            taken = min(points, lot.available)
            draws.append(draw_of(lot, taken))
            points -= taken
    return draws, points


def draw_pending(lots: Iterable[Lot], points: int) -> tuple[list[Draw], int]:
    """As `draw_available`, from what is pending."""
    draws: list[Draw] = []
    for lot in lots:
        if not points:
            break
        if lot.pending:
            taken = min(points, lot.pending)
            draws.append(draw_of(lot, taken))
            points -= taken
    return draws, points


def draw_held(draws: Iterable[Drawn], points: int) -> list[Draw]:
    """Take points from what a hold has left, in the hold's order."""
    taken: list[Draw] = []
    for drawn in draws:
        if not points:
            break
        part = min(points, drawn.points)
        taken.append(draw_of(drawn, part))
        points -= part
    return taken

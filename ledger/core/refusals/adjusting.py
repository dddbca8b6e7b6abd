"""Refusals of points by hand: which proposal, and who has to agree."""

from dataclasses import dataclass

from ledger.core.refusals.base import Refusal


@dataclass(eq=False, kw_only=True)
class UnknownAdjustment(Refusal):
    """This business unit has no such proposal."""

    advice = "Check adjustment_id and business unit; `loyalty adjustment list` shows proposals."
    sentence = "there is no proposal {adjustment_id!r}"
    adjustment_id: str


@dataclass(eq=False, kw_only=True)
class AdjustmentResolved(Refusal):
    """The proposal is over: its points moved, it was turned down, or nobody agreed in time."""

    advice = "Propose the adjustment again if it is still needed."
    sentence = "proposal {adjustment_id!r} is over: {first_outcome}"
    adjustment_id: str
    first_outcome: str
    """POSTED, REJECTED or EXPIRED."""
    resolved_by: str = ""
    """Entry that ended it; empty for time, which has `resolved_at` (RFC 3339) instead."""
    resolved_at: str = ""


@dataclass(eq=False, kw_only=True)
class ApproverMissing(Refusal):
    """So many points need the agreement of a second person."""

    advice = (
        "Name who agreed as `approver` (`--approver` on the command line) if the policy lets that"
        " count, else set `propose` (`--propose`) and let another client's operator approve it."
    )
    sentence = "{points} points need a second person: one alone may move {points_alone}"
    points: int
    points_alone: int
    named: str
    """Whether the policy lets a named person count: yes or no."""


@dataclass(eq=False, kw_only=True)
class ApproverIsActor(Refusal):
    """The one who agrees could be the very person who adjusts."""

    advice = (
        "Let somebody else agree: another operator, and another client where it is a call of its"
        " own."
    )
    sentence = "who agrees has to be another person than who adjusts"


@dataclass(eq=False, kw_only=True)
class UnknownLot(Refusal):
    """The account has no such lot with points left."""

    advice = "Check lot_id; GetAccount with view FULL lists the open lots."
    sentence = "there is no open lot {lot_id!r}"
    lot_id: str


@dataclass(eq=False, kw_only=True)
class MoreThanExpired(Refusal):
    """More points of the lot were to come back than have expired."""

    advice = "Ask for at most what has expired of the lot and has not come back yet."
    sentence = "{expired} points of lot {lot_id!r} have expired, {requested} were to come back"
    lot_id: str
    expired: int
    requested: int


@dataclass(eq=False, kw_only=True)
class LotWithoutDate(Refusal):
    """The lot has no date that could be moved: it never expires, or activity decides."""

    advice = "Nothing is to be done, or record the activity that keeps the points alive."
    sentence = "lot {lot_id!r} has no date of its own"
    lot_id: str


@dataclass(eq=False, kw_only=True)
class EndNotLater(Refusal):
    """A lot's end moves forward only."""

    advice = "Name a time after the lot's end."
    sentence = "lot {lot_id!r} ends at {expire_time}, and {requested} is not later"
    lot_id: str
    expire_time: str
    requested: str

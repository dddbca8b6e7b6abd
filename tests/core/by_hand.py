"""Points by hand, as steps of a member's story."""

from dataclasses import replace
from typing import Any

from ledger.core.commands import (
    AdjustmentTerms,
    AdjustPoints,
    ApproveAdjustment,
    ExtendLot,
    ProposalFact,
    RejectAdjustment,
)
from ledger.core.decision import Decision
from ledger.core.instant import DAY
from ledger.core.people import actor
from ledger.core.state import Drawn
from ledger.late_burns import expired_net
from loyalty.v1.events_pb2 import (
    AdjustmentMade,
    AdjustmentProposed,
    AdjustmentRejected,
    LotReinstated,
    PointsExpired,
)
from tests.core.spec import Story, entry_of, utc


def adjusts(story: Story, points: int, **said: Any) -> Decision:
    """Give or take points by hand: by u1 for goodwill, unless something else is said."""
    by, approver = said.pop("by", "u1"), said.pop("approver", "")
    unit = said.pop("unit", "A")
    alone, named = said.pop("alone", 1000), said.pop("named", True)
    expires = said.pop("expires", None)
    until = story.now + 30 * DAY
    command = AdjustPoints(
        entry_id=story.new_entry(),
        business_unit=unit,
        currency="P",
        points=points,
        reason="goodwill",
        note="",
        actor=actor("desk", by),
        occurred_at=story.now,
        terms=AdjustmentTerms(unit, alone, named, until, None, None, "policy-1"),
        approver=actor("desk", approver) if approver else "",
        expires_at=utc(expires) if expires else None,
    )
    return story.does(replace(command, **said))


def extends(story: Story, lot_id: str, until: str, *, unit: str = "A") -> Decision:
    """Move a lot's end."""
    command = ExtendLot(story.new_entry(), lot_id, unit, utc(until), "new", "desk/u1", story.now)
    return story.does(command)


def expired(story: Story, lot_id: str) -> tuple[Drawn, ...]:
    """What of a lot has expired and not come back."""
    facts = [fact for fact in story.facts if isinstance(fact.event, PointsExpired | LotReinstated)]
    return tuple(drawn for drawn, _ in expired_net(facts, "P") if drawn.lot_id == lot_id)


def approves(story: Story, proposal: Decision, *, by: str, unit: str = "A") -> Decision:
    """Agree to a proposal; `by` is a client with its operator."""
    history = proposal_history(story, entry_of(proposal))
    proposed = history[0]
    assert isinstance(proposed, AdjustmentProposed)
    terms = AdjustmentTerms(unit, 0, True, story.now, None, None, "policy-1")
    adjustment = AdjustPoints(
        entry_id=story.new_entry(),
        business_unit=unit,
        currency=proposed.currency,
        points=proposed.amount,
        reason=proposed.reason,
        note=proposed.note,
        actor=proposed.actor,
        occurred_at=story.now,
        terms=terms,
        approver=by,
        lot_id=proposed.lot_id,
    )
    return story.does(ApproveAdjustment(adjustment, proposed.entry_id, history))


def rejects(story: Story, proposal: Decision, *, by: str, unit: str = "A") -> Decision:
    """Turn a proposal down."""
    proposal_id = entry_of(proposal)
    history = proposal_history(story, proposal_id)
    return story.does(
        RejectAdjustment(story.new_entry(), proposal_id, unit, by, "", story.now, history)
    )


def proposal_history(story: Story, proposal_id: str) -> tuple[ProposalFact, ...]:
    """All facts of a proposal."""
    return tuple(
        fact.event
        for fact in story.facts
        if isinstance(fact.event, AdjustmentProposed | AdjustmentMade | AdjustmentRejected)
        and proposal_id in (fact.event.entry_id, getattr(fact.event, "proposal_id", ""))
    )

"""Recalls, as steps of a member's story."""

from ledger.core.commands import RecallPoints
from ledger.core.decision import Decision
from ledger.core.lot_history import spent_of
from loyalty.v1.types_pb2 import (
    RECALL_ACTION_CLAW_BACK,
    RECALL_ACTION_QUARANTINE,
    RECALL_ACTION_RELEASE,
    RECALL_SPENT_UNSPECIFIED,
    RecallAction,
    RecallSpent,
)
from tests.core.spec import Story, account_facts


def recalls(
    story: Story,
    action: RecallAction.ValueType,
    *lots: str,
    recall: str = "R",
    spent: RecallSpent.ValueType = RECALL_SPENT_UNSPECIFIED,
    write_off_to: str = "",
    final: frozenset[str] = frozenset(),
) -> Decision:
    """Recall lots."""
    return story.does(
        RecallPoints(
            entry_id=story.new_entry(),
            recall_id=recall,
            business_unit="HQ",
            action=action,
            lots=frozenset(lots),
            reason="paid twice",
            actor="desk/u1",
            occurred_at=story.now,
            spent=spent,
            write_off_to=write_off_to,
            history=spent_of(
                [(story.account.account_id, account_facts(story.facts))],
                frozenset(lots),
                [story.account.account_id],
            ),
            final_documents=final,
        )
    )


def quarantines(story: Story, *lots: str, recall: str = "R") -> Decision:
    """Set lots aside."""
    return recalls(story, RECALL_ACTION_QUARANTINE, *lots, recall=recall)


def lifts(
    story: Story, *lots: str, recall: str = "R", final: frozenset[str] = frozenset()
) -> Decision:
    """Give back what was set aside."""
    return recalls(story, RECALL_ACTION_RELEASE, *lots, recall=recall, final=final)


def claws_back(
    story: Story,
    *lots: str,
    recall: str = "R",
    spent: RecallSpent.ValueType = RECALL_SPENT_UNSPECIFIED,
    write_off_to: str = "",
) -> Decision:
    """Take lots for good."""
    return recalls(
        story,
        RECALL_ACTION_CLAW_BACK,
        *lots,
        recall=recall,
        spent=spent,
        write_off_to=write_off_to,
    )

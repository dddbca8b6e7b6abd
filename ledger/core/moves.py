"""Moves: a document leaves its account for another, as if it had been cancelled here."""

from collections import Counter

from ledger.core.clawbacks import Loss, claw_back
from ledger.core.commands import LeaveDocument
from ledger.core.counts import write_departure
from ledger.core.decision import Draft
from ledger.core.documents import write_before
from loyalty.v1.events_pb2 import DocumentMovedOut


def leave(draft: Draft, command: LeaveDocument) -> None:
    """Let a document go, and take back what it gave. Raises PointsOverflow, ClawbackRefused."""
    head = command.head
    left = DocumentMovedOut(
        entry_id=command.entry_id,
        business_unit=command.business_unit,
        document=command.document,
        version=head.document.version,
        to_member_id=command.to_account,
        reason=command.reason,
        owner_id=command.owner,
    )
    if command.head_account:
        write_before(left.before, head, command.head_account)
    write_departure(left, head)
    draft.record(left)
    given: Counter[tuple[str, str]] = Counter()
    for grant in head.grants:
        given[grant.currency, grant.tier_window] += grant.granted
    for (currency, window), points in given.items():
        if points:
            loss = Loss(command.document, currency, window, points, owner=command.owner)
            claw_back(draft, command, loss)

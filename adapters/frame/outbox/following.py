"""The follower: reads the ledger's history from its checkpoint and marks whose account changed.

Marks and checkpoint are one commit: a process that is killed reads again what it had not marked,
and a mark that is made twice is one.
"""

from collections.abc import Iterable
from contextlib import aclosing
from typing import Final

import asyncpg

from adapters.frame.outbox import store
from adapters.frame.outbox.store import Progress
from adapters.frame.outbox.subscription import Subscription
from adapters.frame.posting import Ledger
from loyalty.v1.audit_service_pb2 import RecordedEvent
from loyalty.v1.events_pb2 import MERGE_STAGE_MERGED, Event

EVENTS_MAX: Final = 20_000
"""After so many the checkpoint moves, so that a rebuild goes on where it was interrupted."""
_ACCOUNT: Final = "account/"
_NUMBERS: Final = {field.name: field.number for field in Event.DESCRIPTOR.fields}
_ERASED: Final = _NUMBERS["member_erased"]
_MERGE: Final = _NUMBERS["merge_stepped"]
STILL: Final = frozenset(
    _NUMBERS[name]
    for name in (
        "identity_linked",
        "identity_unlinked",
        "member_profile_changed",
        "consent_changed",
    )
)
"""Facts of an account that move neither points nor tier, nor ever will. All others mark, those that
a newer ledger has too: a mark too many costs one look."""


class Follower:
    """Follows the history for one subscription."""

    def __init__(self, pool: asyncpg.Pool, subscription: Subscription, ledger: Ledger) -> None:
        """Read through `ledger`, whose token has the verb audit in every business unit."""
        self._pool = pool
        self._told = subscription.file
        self._ledger = ledger

    async def step(self) -> bool:
        """Read on and mark; False when nothing changed, or another process follows.

        Raises RetryLater: the ledger does not answer, or refuses its history.
        """
        async with self._pool.acquire() as session, session.transaction():
            found = await store.checkpoint(session, self._told.subscription)
            if found is None:
                return False
            before, caught_up = found
            progress = await self._read_on(before)
            quiet = self._told.begin_with == "changes" and not caught_up
            marked = await store.follow(session, self._told, progress, quiet=quiet)
        return bool(marked) or progress.positions != before

    async def _read_on(self, before: dict[int, int]) -> Progress:
        progress = Progress(dict(before), caught_up=True)
        seen = 0
        async with aclosing(self._ledger.history(before)) as history:
            async for message in history:
                take(progress, message.events)
                progress.positions = {row.lane: row.next_pos for row in message.positions}
                seen += len(message.events)
                if seen >= EVENTS_MAX:
                    progress.caught_up = False
                    break
        return progress


def take(progress: Progress, events: Iterable[RecordedEvent]) -> None:
    """Note what facts mean for those who are told."""
    for event in events:
        if not event.stream.startswith(_ACCOUNT):
            continue
        member_id = event.stream.removeprefix(_ACCOUNT)
        if event.kind == _ERASED:
            progress.erased.append(member_id)
        elif event.kind == _MERGE:
            step = Event.FromString(event.payload).merge_stepped
            if step.stage == MERGE_STAGE_MERGED:
                progress.merged.append((step.source_id, step.target_id))
        elif event.kind in STILL:
            continue
        progress.versions[member_id] = event.version

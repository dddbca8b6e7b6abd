"""A database in memory that keeps what the real one keeps: heads, events, keys, identities.

It does in one step what `APPEND` does in one statement, with the same fence and the same unique
keys, so that what a simulation finds is the ledger's fault and not that of a kinder store.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable
from dataclasses import dataclass, field

from ledger.awaited import AwaitedRow
from ledger.core.instant import Instant
from ledger.envelope import StoredEvent
from ledger.keys import ACT, AFTER_ACTS
from ledger.profile import ProfileRow
from ledger.rows import AppendBatch, Head, Holder, IdentityKey, KeyRow, Moved
from ledger.store import NEVER, KeyTaken


@dataclass
class MemoryDatabase:
    """All tables of a ledger. What was appended stays; nothing here is ever changed."""

    lanes: int
    heads: dict[int, Head] = field(default_factory=dict)
    events: dict[int, list[StoredEvent]] = field(default_factory=dict)
    """By lane, in position order."""
    streams: dict[str, list[StoredEvent]] = field(default_factory=dict)
    keys: dict[str, KeyRow] = field(default_factory=dict)
    sorted_keys: list[str] = field(default_factory=list)
    identities: dict[IdentityKey, Holder] = field(default_factory=dict)
    awaited: dict[str, AwaitedRow] = field(default_factory=dict)
    """By document."""
    profiles: dict[str, ProfileRow] = field(default_factory=dict)
    snapshots: dict[str, tuple[int, int, bytes]] = field(default_factory=dict)
    """(state version, version, state) by stream."""

    def __post_init__(self) -> None:
        self.heads = {lane: Head(0, NEVER) for lane in range(self.lanes)}
        self.events = {lane: [] for lane in range(self.lanes)}

    def append(self, batch: AppendBatch) -> Moved | None:
        """Write the whole batch, or nothing. Raises KeyTaken."""
        if any(self.heads[lane].next_pos != pos for lane, pos in batch.expected.items()):
            return Moved({lane: self.heads[lane] for lane in batch.expected})
        self._check_keys(batch)
        for event in batch.events:
            in_lane = self.events[event.lane]
            assert event.pos == len(in_lane), "positions have no gaps"
            in_lane.append(event)
            self.streams.setdefault(event.stream, []).append(event)
        for lane in {event.lane for event in batch.events}:
            self.heads[lane] = Head(len(self.events[lane]), batch.recorded_at[lane])
        for row in batch.keys:
            self.keys[row.key] = row
            insort(self.sorted_keys, row.key)
        for identity in (*batch.identities, *batch.moved_identities):
            holder = Holder(identity.account, identity.identity_id)
            self.identities[identity.scheme, identity.keyed_hash] = holder
        for gone in batch.unlinked_identities:
            self.identities.pop(gone, None)
        self.profiles |= {row.account: row for row in batch.profiles}
        self.awaited |= {row.document: row for row in batch.awaited}
        for (document,) in batch.awaited_no_more:
            self.awaited.pop(document, None)
        for (account,) in batch.erased_profiles:
            self.profiles.pop(account, None)
        return None

    def _check_keys(self, batch: AppendBatch) -> None:
        keys = [row.key for row in batch.keys]
        if len(set(keys)) < len(keys):
            raise KeyTaken("a batch has one key twice")
        for key in keys:
            if key in self.keys:
                raise KeyTaken(f"key {key} is taken")
        for row in batch.identities:
            if (row.scheme, row.keyed_hash) in self.identities:
                raise KeyTaken(f"an identity of scheme {row.scheme} is taken")

    def acts(self, thing: str) -> list[str]:
        """Keys of the acts on a thing, in order."""
        return self.keys_between(thing + ACT, thing + AFTER_ACTS)

    def keys_between(self, first: str, end: str) -> list[str]:
        """Keys from `first` on, before `end`, in order."""
        begin = bisect_left(self.sorted_keys, first)
        return self.sorted_keys[begin : bisect_left(self.sorted_keys, end)]

    def event_at(self, row: KeyRow) -> Iterable[StoredEvent]:
        """Events that a key points at."""
        if row.first_version is None or row.last_version is None:
            return ()
        return self.streams[row.stream][row.first_version - 1 : row.last_version]

    def all_events(self) -> list[StoredEvent]:
        """Every event, lane by lane."""
        return [event for lane in range(self.lanes) for event in self.events[lane]]

    def last_recorded_at(self) -> Instant:
        """The newest instant that was recorded anywhere."""
        return max(head.last_recorded_at for head in self.heads.values())

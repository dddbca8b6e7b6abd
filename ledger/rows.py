"""What the store takes and gives: its rows, and all that one commit writes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ledger.awaited import AwaitedRow
from ledger.core.instant import Instant
from ledger.envelope import StoredEvent
from ledger.profile import ProfileRow


class Head(NamedTuple):
    """Where a lane stands."""

    next_pos: int
    last_recorded_at: Instant


class KeyRow(NamedTuple):
    """A row of the key home. `first_version` is None when the write recorded nothing."""

    key: str
    command: bytes | None
    fingerprint: bytes
    answer: bytes | None
    refers_to: str | None
    lane: int
    stream: str
    first_version: int | None
    last_version: int | None


class IdentityRow(NamedTuple):
    """A row of the identity register."""

    scheme: str
    keyed_hash: bytes
    account: str
    identity_id: str
    lane: int


class Holder(NamedTuple):
    """Whose an identity is, by which link."""

    account: str
    identity_id: str


class PolicyRow(NamedTuple):
    """An event of a policy stream."""

    stream: str
    version: int
    recorded_at: Instant
    payload: bytes


class ActRow(NamedTuple):
    """An act on a thing: its key and the event that the key points at."""

    thing: str
    key: str
    stream: str
    payload: bytes
    recorded_at: Instant


class StreamEvent(NamedTuple):
    """An event as a statement or a past state needs it."""

    version: int
    kind: int
    occurred_at: Instant
    recorded_at: Instant
    payload: bytes


IdentityKey = tuple[str, bytes]
"""(scheme, keyed hash) of an identity."""


class LoadedStream(NamedTuple):
    """A stream as the store has it: a snapshot, if one was usable, and the facts after it."""

    snapshot: bytes | None
    payloads: list[bytes]


@dataclass(slots=True)
class AppendBatch:
    """What one commit writes."""

    expected: dict[int, int] = field(default_factory=dict)
    """Next position that each touched lane must stand at."""
    recorded_at: dict[int, Instant] = field(default_factory=dict)
    """Last recorded_at of each touched lane after the batch."""
    events: list[StoredEvent] = field(default_factory=list)
    keys: list[KeyRow] = field(default_factory=list)
    identities: list[IdentityRow] = field(default_factory=list)
    moved_identities: list[IdentityRow] = field(default_factory=list)
    """Rows that are there and have another member now."""
    unlinked_identities: list[IdentityKey] = field(default_factory=list)
    awaited: list[AwaitedRow] = field(default_factory=list)
    awaited_no_more: list[tuple[str]] = field(default_factory=list)
    """Documents that wait for nobody any more."""
    profiles: Sequence[ProfileRow] = ()
    erased_profiles: Sequence[tuple[str]] = ()
    """Accounts of whose members the register forgets all."""

    def __bool__(self) -> bool:
        return bool(self.events or self.keys or self.identities)


class Moved(NamedTuple):
    """The batch was not written: these lanes stand elsewhere."""

    heads: dict[int, Head]

"""Where documents stand, and how they moved: what leaves one stream arrives in one other.

Both sides lie in lanes that are read one after the other, so what each says is kept until the end:
one line for each document in each stream, and one for each side of a move, which is seldom.
"""

from collections.abc import Iterator
from typing import NamedTuple

from ledger.core.instant import Instant, from_timestamp
from ledger.core.state import OWN
from ledger.envelope import StoredEvent
from ledger.evaluation import claim_of
from ledger.lanes import account_of
from ledger.verifying.findings import Finding, Reason
from ledger.verifying.purse_books import DocumentPlaces
from ledger.verifying.trial import Trial
from loyalty.v1.events_pb2 import DocumentClaimed, DocumentMovedOut, DocumentPosted
from loyalty.v1.types_pb2 import Pins


class Place(NamedTuple):
    """A position in a lane."""

    lane: int
    pos: int


class _Side(NamedTuple):
    """One side of a move: what both have to say alike."""

    document: str
    to_account: str
    from_account: str
    version: int
    fixed: int
    """Hash of the pins that do not change when a document moves; 0: it was not pinned."""
    claimed_at: Instant | None
    """When it was claimed, now or, as its pins tell, before."""


class _Stand(NamedTuple):
    """A document in a stream."""

    version: int
    fixed: int
    claimed_at: Instant | None
    owner: str
    """Whose it is, where that account was merged into the one it stands in."""


class MoveBook:
    """All lanes' documents, and their moves."""

    def __init__(self) -> None:
        """Begin with no document."""
        self._places = DocumentPlaces()
        self._left: dict[str, tuple[_Side, Place]] = {}
        self._arrived: dict[str, tuple[_Side, Place]] = {}

    def first(self, key: str, place: Place) -> None:
        """Enter the first version of a document in a stream, which came from no other."""
        self._places.add(key, place.lane, place.pos)

    def leave(self, entry_id: str, side: _Side, place: Place) -> Iterator[Finding]:
        """Enter that a document leaves."""
        yield from _enter(self._left, entry_id, side, place)

    def arrive(self, entry_id: str, side: _Side, place: Place) -> Iterator[Finding]:
        """Enter that a document arrives."""
        yield from _enter(self._arrived, entry_id, side, place)

    def close(self) -> Iterator[tuple[int, Finding]]:
        """Hold both sides against each other; yield lanes and findings."""
        yield from self._places.forked()
        for entry_id, (left, place) in self._left.items():
            other = self._arrived.pop(entry_id, None)
            wrong = _difference(left, None if other is None else other[0])
            if wrong:
                yield place.lane, Finding(place.pos, Reason.DOCUMENT_FORKED, wrong)
        for side, place in self._arrived.values():
            detail = f"document {side.document} came from where it never left"
            yield place.lane, Finding(place.pos, Reason.DOCUMENT_FORKED, detail)


class LaneMoves:
    """The documents of one lane, stream by stream."""

    def __init__(self, lane: int, book: MoveBook) -> None:
        """Tell `book` what concerns other lanes."""
        self._lane = lane
        self._book = book
        self._standing: dict[tuple[str, str], _Stand] = {}

    def post(
        self, posted: DocumentPosted, key: str, event: StoredEvent, trial: Trial | None
    ) -> Iterator[Finding]:
        """Enter a version, and what is known of its account, if it has one.

        With an owner who left because a merge was undone, what stood there left as well.
        """
        stream, pos = event.stream, event.pos
        place, version = Place(self._lane, pos), posted.document.version
        had = self._standing.get((stream, key))
        fixed, claimed_at = _kept(posted)
        if posted.HasField("arrival"):
            if had is not None and (trial is None or trial.is_part(had.owner)):
                detail = f"document {key} arrives in {stream}, where it stands already"
                yield Finding(pos, Reason.DOCUMENT_FORKED, detail)
            origin = posted.arrival.from_member_id
            same = version if posted.arrival.same_version else 0
            is_claimed = posted.arrival.HasField("claim_time")
            claim = from_timestamp(posted.arrival.claim_time) if is_claimed else claimed_at
            side = _Side(key, account_of(stream), origin, same, fixed, claim)
            yield from self._book.arrive(posted.entry_id, side, place)
        elif had is None and not posted.HasField("before"):
            self._book.first(key, place)
        elif had is not None and version <= had.version:
            detail = f"version {version} of document {key} follows version {had.version}"
            yield Finding(pos, Reason.DOCUMENT_FORKED, detail)
        if posted.HasField("before"):
            # What it goes on from stands in another account: the book of merges looks there.
            if posted.before.posted.pinned:
                fixed, claimed_at = _kept(posted.before.posted)
        elif had is not None and had.fixed and not posted.HasField("arrival"):
            fixed, claimed_at = had.fixed, had.claimed_at
        self._standing[stream, key] = _Stand(version, fixed, claimed_at, posted.owner_id)

    def leave(
        self, left: DocumentClaimed | DocumentMovedOut, stream: str, pos: int
    ) -> Iterator[Finding]:
        """Enter that a document leaves a stream."""
        stood = self._standing.pop((stream, left.document), None)
        if isinstance(left, DocumentMovedOut) and left.HasField("before"):
            stood = _Stand(left.before.posted.document.version, *_kept(left.before.posted), OWN)
        if stood is None or stood.version != left.version:
            detail = f"version {left.version} of document {left.document} does not stand here"
            yield Finding(pos, Reason.DOCUMENT_FORKED, detail)
            return
        to, claimed_at = _destination(left, stood.claimed_at)
        side = _Side(left.document, to, account_of(stream), left.version, stood.fixed, claimed_at)
        yield from self._book.leave(left.entry_id, side, Place(self._lane, pos))


def _destination(
    left: DocumentClaimed | DocumentMovedOut, before: Instant | None
) -> tuple[str, Instant | None]:
    """(account that a document goes to, when it was claimed, now or `before`)."""
    if isinstance(left, DocumentClaimed):
        return left.member_id, from_timestamp(left.claim_time)
    return left.to_member_id, before


def _enter(
    sides: dict[str, tuple[_Side, Place]], entry_id: str, side: _Side, place: Place
) -> Iterator[Finding]:
    if entry_id in sides:
        detail = f"entry {entry_id} moves a second document"
        yield Finding(place.pos, Reason.DOCUMENT_FORKED, detail)
    sides[entry_id] = side, place


def _difference(left: _Side, arrived: _Side | None) -> str:
    """How two sides of a move differ; empty when they do not."""
    if arrived is None:
        return f"document {left.document} left for where it did not arrive"
    if left[:3] != arrived[:3]:
        return f"document {left.document} left as {left[:3]} and arrived as {arrived[:3]}"
    if arrived.version not in (0, left.version):
        return f"version {left.version} of document {left.document} left, another arrived"
    if left.fixed and left.fixed != arrived.fixed:
        return f"document {left.document} arrived under another policy, time or rate"
    if left.claimed_at != arrived.claimed_at:
        return f"document {left.document} was claimed at another time than it arrived with"
    return ""


def _kept(posted: DocumentPosted) -> tuple[int, Instant | None]:
    """(hash of what stays when a document moves to another member, when it was claimed)."""
    claimed_at = claim_of(posted.pins)
    if not posted.pinned:
        return 0, claimed_at
    kept = Pins()
    kept.CopyFrom(posted.pins)
    for name in ("tier", "predicates", "member_since", "claim_time"):
        kept.ClearField(name)
    return hash(kept.SerializeToString(deterministic=True)) or 1, claimed_at

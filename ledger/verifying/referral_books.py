"""Books of referrals: each change of a cause follows from a purchase, and has its reward.

A referral stands in the stream of who was brought, its reward in that of who brought them. What
both sides say is summed up by referral, as with purses.
"""

from collections import deque
from collections.abc import Iterator
from hashlib import sha256
from typing import Final, NamedTuple

from ledger.core.care import Referral
from ledger.core.counting import document_key
from ledger.core.events import AccountFact
from ledger.referral_causes import REWARD_SOURCE
from ledger.verifying.findings import Finding, Reason
from ledger.verifying.reawarding import Awards
from ledger.verifying.two_sides import Sides, Told, name_of
from loyalty.v1.events_pb2 import (
    MERGE_STAGE_UNMERGED,
    DocumentMovedOut,
    DocumentPosted,
    MergeStepped,
    ReferralCauseChanged,
    ReferralCreated,
)
from loyalty.v1.types_pb2 import DOCUMENT_STATUS_CANCELLED, DOCUMENT_STATUS_FINAL

_HASHES: Final = 1 << 128
_LOST: Final = "cause lost at parting"
_CHANGED: Final = "purchase of a part"


class _Seen(NamedTuple):
    """A purchase that was posted, or left, and whether it counts now."""

    document: str
    counts: bool


class CauseBook:
    """The referral of one account: purchases, and what they change."""

    __slots__ = ("_account_id", "_parted", "_pos", "_seen", "told")

    def __init__(self, account_id: str) -> None:
        """Begin with no purchase."""
        self._account_id = account_id
        self._seen: deque[_Seen] = deque()
        self._pos = 0
        self._parted = False
        """Whether the cause may be lost for what became of it in another account."""
        self.told: list[Told] = []

    def enter(
        self, fact: AccountFact, referral: Referral | None, awards: Awards, pos: int
    ) -> Iterator[Finding]:
        """Take the next fact, and the referral before it; yield what does not match."""
        self._hear(fact, pos)
        match fact:
            case ReferralCreated() if referral is not None:
                detail = f"the member was brought before, by referral {referral.referral_id}"
                yield Finding(pos, Reason.REFERRAL_MISMATCH, detail)
            case DocumentPosted() if referral is not None and not fact.owner_id:
                stated, unit = fact.document, fact.business_unit
                key = document_key(unit, stated.source, stated.document_id)
                self._seen.append(_Seen(key, awards.counts_for(referral, fact)))
                self._pos = pos
            case DocumentMovedOut() if referral is not None:
                self._seen.append(_Seen(fact.document, counts=False))
                self._pos = pos
            case MergeStepped() if fact.source_id == self._account_id:
                self._parted = fact.stage == MERGE_STAGE_UNMERGED
            case ReferralCauseChanged() if referral is not None:
                due = self._next(referral)
                if due is None and self._parted and _is_loss(fact, referral):
                    name = _of_part(self._account_id, fact.document)
                    self.told.append(Told(_LOST, name, pos))
                    return
                if due != _Seen(fact.document, fact.counts):
                    detail = f"{_said(fact.document, fact.counts)}, {_due(due)}"
                    yield Finding(pos, Reason.REFERRAL_MISMATCH, detail)
            case _:
                pass

    def _hear(self, fact: AccountFact, pos: int) -> None:
        """Remember which purchases of those who are part of this account changed, or left it."""
        if isinstance(fact, DocumentMovedOut) and fact.owner_id:
            self.told.append(Told(_CHANGED, _of_part(fact.owner_id, fact.document), pos))
        elif isinstance(fact, DocumentPosted) and fact.owner_id:
            stated, unit = fact.document, fact.business_unit
            key = document_key(unit, stated.source, stated.document_id)
            self.told.append(Told(_CHANGED, _of_part(fact.owner_id, key), pos))

    def _next(self, referral: Referral) -> _Seen | None:
        """The next of the purchases that changes the cause; those before it do not."""
        while self._seen:
            seen = self._seen.popleft()
            elsewhere = referral.counts and referral.cause != seen.document
            if not elsewhere and seen.counts != referral.counts:
                return seen
        return None

    def close(self, referral: Referral | None) -> Iterator[Finding]:
        """Yield what should have followed from the last purchases."""
        due = None if referral is None else self._next(referral)
        if due is not None:
            yield Finding(self._pos, Reason.REFERRAL_MISMATCH, f"nothing follows, {_due(due)}")


def unexplained_losses(sides: Sides) -> Iterator[tuple[int, Finding]]:
    """Lanes and findings: a cause lost at parting that nothing had happened to meanwhile."""
    for lane, pos in sides.missing(_LOST, _CHANGED):
        detail = "the purchase counts no more, and nothing happened to it while its member was part"
        yield lane, Finding(pos, Reason.REFERRAL_MISMATCH, detail)


def _is_loss(fact: ReferralCauseChanged, referral: Referral) -> bool:
    return referral.counts and not fact.counts and fact.document == referral.cause


def _of_part(owner_id: str, document: str) -> int:
    return name_of(owner_id.encode(), document.encode())


def _said(document: str, counts: bool) -> str:
    return f"document {document} {'counts' if counts else 'counts no more'}"


def _due(seen: _Seen | None) -> str:
    return "nothing has changed" if seen is None else f"{_said(*seen)}, as it stands"


class _Sum:
    """What referrals said of rewards, less the rewards that were posted."""

    __slots__ = ("hashes", "place")

    def __init__(self) -> None:
        self.hashes = 0
        self.place = (0, 0)

    def add(self, told: str, sign: int, place: tuple[int, int]) -> None:
        number = int.from_bytes(sha256(told.encode()).digest()[:16], "big")
        self.hashes = (self.hashes + sign * number) % _HASHES
        self.place = place


class RewardBook:
    """Rewards of all lanes."""

    def __init__(self) -> None:
        """Begin with no referral."""
        self._sums: dict[str, _Sum] = {}

    def change(
        self, fact: ReferralCauseChanged, referral: Referral | None, lane: int, pos: int
    ) -> None:
        """Enter what a change says of its reward."""
        if fact.reward_version and referral is not None:
            whose = referral.referrer if fact.reward_version == 1 else ""
            told = _told(referral.reward_unit, fact.reward_version, fact.counts, whose)
            self._sums.setdefault(fact.referral_id, _Sum()).add(told, 1, (lane, pos))

    def post(self, posted: DocumentPosted, account_id: str, lane: int, pos: int) -> None:
        """Enter a version of a document, if it is a reward; not one that only moved."""
        document = posted.document
        if document.source != REWARD_SOURCE or posted.arrival.same_version:
            return
        status = document.status
        counts = status == DOCUMENT_STATUS_FINAL
        if not counts and status != DOCUMENT_STATUS_CANCELLED:
            return
        whose = (posted.owner_id or account_id) if document.version == 1 else ""
        told = _told(posted.business_unit, document.version, counts, whose)
        self._sums.setdefault(document.document_id, _Sum()).add(told, -1, (lane, pos))

    def close(self) -> Iterator[tuple[int, Finding]]:
        """Hold both sides against each other; yield lanes and findings."""
        for referral_id, book in self._sums.items():
            if book.hashes:
                lane, pos = book.place
                detail = f"referral {referral_id} and the rewards posted for it differ"
                yield lane, Finding(pos, Reason.REFERRAL_MISMATCH, detail)


def _told(unit: str, version: int, counts: bool, whose: str) -> str:
    return f"{unit} {version} {counts} {whose}"

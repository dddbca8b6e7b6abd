"""What campaigns, caps and benefits made of the year, by the latest version of every document."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from ledger.lanes import account_of
from loyalty.v1.events_pb2 import DocumentPosted
from loyalty.v1.types_pb2 import DOCUMENT_STATUS_CANCELLED, Grant, Usage

HELD_OUT: Final = "holdout:"
"""How a pinned predicate begins that says so."""
_PURSES: Final = ("cap/", "budget/")

DocumentKey = tuple[str, str, str]


@dataclass(slots=True)
class CampaignResult:
    """What one campaign gave, and to how many; who was held out has a purchase while it ran."""

    points: int = 0
    documents: int = 0
    members: set[str] = field(default_factory=set)
    held_out: set[str] = field(default_factory=set)


@dataclass(slots=True)
class PurseResult:
    """What documents took of one cap or budget, over all its periods and members.

    `cut` had their points lowered by it, by `points_cut` in all; `empty` found nothing left in it.
    """

    taken: int = 0
    cut: int = 0
    points_cut: int = 0
    empty: int = 0


@dataclass(frozen=True, slots=True)
class _Latest:
    """What is asked of the latest version of a document."""

    version: int
    account: str
    grants: tuple[Grant, ...]
    usages: tuple[Usage, ...]
    benefits: tuple[tuple[str, int], ...]


class Rewarding:
    """Reads document after document as the log has them; the later version counts."""

    def __init__(self) -> None:
        """Begin with no document."""
        self._latest: dict[DocumentKey, _Latest] = {}
        self._held_out: dict[str, set[str]] = defaultdict(set)

    def add(self, key: DocumentKey, stream: str, fact: DocumentPosted) -> None:
        """Read one version of a document."""
        account = account_of(stream)
        for text in fact.pins.predicates:
            if text.startswith(HELD_OUT):
                self._held_out[text.removeprefix(HELD_OUT)].add(account)
        before = self._latest.get(key)
        if before is not None and before.version > fact.document.version:
            return
        cancelled = fact.document.status == DOCUMENT_STATUS_CANCELLED
        self._latest[key] = _Latest(
            fact.document.version,
            account,
            tuple(grant for grant in fact.grants if grant.campaign or grant.cut_by),
            () if cancelled else tuple(u for u in fact.usages if u.name.startswith(_PURSES)),
            tuple((given.benefit, given.quantity) for given in fact.benefits),
        )

    def campaigns(self) -> dict[str, CampaignResult]:
        """What each campaign gave, by its id."""
        found: dict[str, CampaignResult] = defaultdict(CampaignResult)
        for latest, grant in self._grants():
            if grant.campaign:
                result = found[grant.campaign]
                result.points += grant.granted
                result.documents += 1
                result.members.add(latest.account)
        for campaign, accounts in self._held_out.items():
            found[campaign].held_out = accounts
        return dict(sorted(found.items()))

    def purses(self) -> dict[str, PurseResult]:
        """What each cap and budget limited, by its name."""
        found: dict[str, PurseResult] = defaultdict(PurseResult)
        for latest in self._latest.values():
            for usage in latest.usages:
                found[usage.name].taken += usage.total
                found[usage.name].empty += not usage.total and usage.others > 0
        for _, grant in self._grants():
            if grant.cut_by:
                found[grant.cut_by].cut += 1
                found[grant.cut_by].points_cut += grant.wanted - grant.granted
        return dict(sorted(found.items()))

    def benefits(self) -> Counter[str]:
        """How many of each benefit documents grant."""
        found: Counter[str] = Counter()
        for latest in self._latest.values():
            for benefit, quantity in latest.benefits:
                found[benefit] += quantity
        return found

    def _grants(self) -> Iterator[tuple[_Latest, Grant]]:
        for latest in self._latest.values():
            for grant in latest.grants:
                yield latest, grant

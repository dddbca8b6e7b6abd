"""Books of merges: what leaves one account comes into the other, and each step stands in both.

What the two accounts say lies in different lanes, which are read one after the other. What leaves
and what comes is therefore only summed up, as hashes that two different lists do not share. What
came back where it was not spent (a burn that is given back after a merge) has to have been spent in
one of the accounts: of accounts that were merged, the burns of each lot are added up.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple

from ledger.core.applying.merging import source_tiers
from ledger.core.counted import entries, family
from ledger.core.counting import document_key
from ledger.core.events import AccountFact
from ledger.core.instant import Instant, from_timestamp
from ledger.core.moving import parts_of_account
from ledger.core.standing import BASIS_NAME, grants_of, still_held
from ledger.core.state import OWN, Account, Part, TierSpan
from ledger.core.usage import UsageKey, key_of
from ledger.lanes import account_stream
from ledger.log import Log
from ledger.verifying.findings import Finding, Reason
from ledger.verifying.reawarding import Awards
from loyalty.v1.events_pb2 import (
    MERGE_STAGE_MERGED,
    MERGE_STAGE_STARTED,
    MERGE_STAGE_UNMERGE_STARTED,
    MERGE_STAGE_UNMERGED,
    DebtsMovedIn,
    DebtsMovedOut,
    DocumentMovedOut,
    DocumentPosted,
    Event,
    HoldMovedIn,
    HoldMovedOut,
    LotsMovedIn,
    LotsMovedOut,
    MergeStepped,
    PendingMovedIn,
    PendingMovedOut,
    TierChanged,
)
from loyalty.v1.types_pb2 import Draw, MovedCounts, MovedDebt, MovedLot

_HASHES: Final = 2**128
HOPS_MAX: Final = 64
"""More accounts than any document has been in."""
Changes = Sequence[tuple[UsageKey, int]]
"""What is used more, or less, since an account is merged."""
ENDS: Final = (MERGE_STAGE_MERGED, MERGE_STAGE_UNMERGED)
_FORWARD: Final = range(MERGE_STAGE_STARTED, MERGE_STAGE_UNMERGE_STARTED)
_BEGIN: Final = (MERGE_STAGE_STARTED, MERGE_STAGE_UNMERGE_STARTED)
Out = LotsMovedOut | PendingMovedOut | HoldMovedOut | DebtsMovedOut
In = LotsMovedIn | PendingMovedIn | HoldMovedIn | DebtsMovedIn


class Place(NamedTuple):
    """Where a fact stands."""

    lane: int
    pos: int


class _Continued(NamedTuple):
    """A version of a document that goes on from one in another account's stream."""

    place: Place
    key: str
    version: int
    told: bytes
    """Hash of what it goes on from."""


class _Reckoned(NamedTuple):
    """A version that is reckoned from the first one, which stands in another account's stream."""

    place: Place
    key: str
    account_id: str
    posted: DocumentPosted


class MergeBook:
    """All lanes' merges."""

    def __init__(self) -> None:
        """Begin with no merge."""
        self._sums: Counter[str] = Counter()
        self._places: dict[str, Place] = {}
        self._spent: Counter[tuple[str, str]] = Counter()
        self._uncharged: Counter[str] = Counter()
        """By lot: spent in all its accounts, less what recalls charged for it in any."""
        self._continued: dict[str, list[_Continued]] = {}
        """By the account in whose stream the version before stands."""
        self._reckoned: list[_Reckoned] = []

    def enter(self, fact: AccountFact, account_id: str, place: Place) -> None:
        """Enter what an account says of a merge, or of a document that goes on after one."""
        if isinstance(fact, DocumentPosted | DocumentMovedOut):
            if fact.HasField("before"):
                self._go_on(fact, place)
            return
        if isinstance(fact, MergeStepped):
            told = [fact.SerializeToString(deterministic=True)]
            self._add(fact.merge_id, told, 1 if account_id == fact.source_id else -1)
        elif isinstance(fact, Out):
            self._add(fact.merge_id, _told(fact, account_id, fact.to_id), 1)
        elif isinstance(fact, In):
            self._add(fact.merge_id, _told(fact, fact.from_id, account_id), -1)
        else:
            return
        self._places[fact.merge_id] = place

    def _add(self, merge_id: str, told: Iterable[bytes], sign: int) -> None:
        for each in told:
            hashed = int.from_bytes(sha256(each).digest()[:16], "big")
            self._sums[merge_id] = (self._sums[merge_id] + sign * hashed) % _HASHES

    def _go_on(self, fact: DocumentPosted | DocumentMovedOut, place: Place) -> None:
        told = fact.before
        if isinstance(fact, DocumentPosted):
            key, version = _key(fact), fact.document.version
        else:
            key, version = fact.document, fact.version + 1
        continued = _Continued(place, key, version, _hash(told.posted))
        self._continued.setdefault(told.account_id, []).append(continued)

    def reckon(self, posted: DocumentPosted, account_id: str, place: Place) -> None:
        """Enter a version whose first final one stands in another account's stream."""
        self._reckoned.append(_Reckoned(place, _key(posted), account_id, posted))

    def spent(self, burned: Mapping[str, int], expired: Mapping[str, int]) -> None:
        """Enter what an account that was merged burned of each lot, and what expired."""
        for lot_id, points in burned.items():
            self._spent["spent", lot_id] += points
        for lot_id, points in expired.items():
            self._spent["expired", lot_id] += points

    def recalled(self, spent: Mapping[str, int], charged: Mapping[str, int]) -> None:
        """Enter what was spent of each lot of an account that was merged, and what was charged."""
        self._uncharged.update(spent)
        self._uncharged.subtract(charged)

    async def close(self, log: Log, awards: Awards | None) -> list[tuple[int, Finding]]:
        """Hold all sides against each other; lanes and findings."""
        found = list(self._unmatched())
        for account_id, continued in self._continued.items():
            versions = await _versions(log, account_id, {each.key for each in continued})
            for each in continued:
                if each.told not in map(_hash, _newest_before(versions[each.key], each.version)):
                    detail = f"document {each.key} goes on from what {account_id} does not have"
                    finding = Finding(each.place.pos, Reason.DOCUMENT_FORKED, detail)
                    found.append((each.place.lane, finding))
        for reckoned in self._reckoned if awards is not None else ():
            first = await _first(log, reckoned.account_id, reckoned.key)
            wrong = awards.difference(reckoned.posted, first) if awards is not None else ""
            if wrong:
                finding = Finding(reckoned.place.pos, Reason.AWARD_MISMATCH, wrong)
                found.append((reckoned.place.lane, finding))
        return found

    def _unmatched(self) -> Iterator[tuple[int, Finding]]:
        for merge_id, total in self._sums.items():
            if total:
                lane, pos = self._places[merge_id]
                detail = f"what left and what came in differ, or a step of merge {merge_id}"
                yield lane, Finding(pos, Reason.MERGE_MISMATCH, detail)
        for (how, lot_id), points in self._spent.items():
            if points < 0:
                detail = f"{-points} points of lot {lot_id} came back that were never {how}"
                yield 0, Finding(0, Reason.MERGE_MISMATCH, detail)
        for lot_id, points in self._uncharged.items():
            if points < 0:
                detail = f"{-points} points of lot {lot_id} were charged that were never spent"
                yield 0, Finding(0, Reason.RECALL_MISMATCH, detail)


def _key(posted: DocumentPosted) -> str:
    document = posted.document
    return document_key(posted.business_unit, document.source, document.document_id)


def _newest_before(versions: Iterable[DocumentPosted], version: int) -> list[DocumentPosted]:
    """The newest of versions before one: two, where it went home with its owner and came back."""
    before = [one for one in versions if one.document.version < version]
    newest = max((one.document.version for one in before), default=0)
    return [one for one in before if one.document.version == newest]


def _hash(posted: DocumentPosted) -> bytes:
    """Hash of a version, without what that one goes on from."""
    alone = DocumentPosted()
    alone.CopyFrom(posted)
    alone.ClearField("before")
    return sha256(alone.SerializeToString(deterministic=True)).digest()


async def _versions(
    log: Log, account_id: str, keys: Collection[str]
) -> Mapping[str, list[DocumentPosted]]:
    """Versions of some documents in an account's stream, in order."""
    found: dict[str, list[DocumentPosted]] = {key: [] for key in keys}
    for payload in await log.documents_of(account_stream(account_id)):
        posted = Event.FromString(payload).document_posted
        key = _key(posted)
        if key in found:
            found[key].append(posted)
    return found


async def _first(log: Log, account_id: str, key: str) -> DocumentPosted | None:
    """The first final version of a document, wherever it stands."""
    for _ in range(HOPS_MAX):
        versions = (await _versions(log, account_id, [key]))[key]
        first = next((one for one in versions if one.pinned), None)
        if first is None or not (first.HasField("before") and first.before.posted.pinned):
            return first
        account_id = first.before.account_id
    return None


def _told(fact: Out | In, giver: str, taker: str) -> Iterator[bytes]:
    """What both sides of a move have to agree on, item by item; whose it is they say differently"""
    state = type(fact).__name__.removesuffix("In").removesuffix("Out")
    head = f"{state} {fact.merge_id} {giver} {taker} {fact.currency} {fact.points}"
    if isinstance(fact, HoldMovedIn | HoldMovedOut):
        head += f" {fact.business_unit} {fact.hold_id} {fact.points_expire} {fact.captured}"
    yield head.encode()
    if isinstance(fact, DebtsMovedIn | DebtsMovedOut):
        for debt in fact.debts:
            yield head.encode() + _without_owner(debt)
    elif isinstance(fact, LotsMovedOut | PendingMovedOut | HoldMovedOut):
        for draw in fact.draws:
            yield head.encode() + _without_owner(draw)
    else:
        for lot in fact.lots:
            yield head.encode() + _without_owner(_as_draw(lot))


def _without_owner(item: Draw | MovedDebt) -> bytes:
    kept = type(item)()
    kept.CopyFrom(item)  # type: ignore[arg-type]
    kept.ClearField("owner_id")
    return kept.SerializeToString(deterministic=True)


def _as_draw(lot: MovedLot) -> Draw:
    draw = Draw(
        lot_id=lot.lot_id,
        points=lot.points,
        issuer=lot.issuer,
        funder=lot.funder,
        earned_time=lot.earned_time,
        grace=lot.grace,
        document=lot.document,
        lot_version=lot.lot_version,
        contributor_id=lot.contributor_id,
    )
    if lot.HasField("expire_time"):
        draw.expire_time.CopyFrom(lot.expire_time)
    if lot.HasField("life"):
        draw.life.CopyFrom(lot.life)
    return draw


# --- one account ----------------------------------------------------------------------


def wrong_step(step: MergeStepped, account: Account) -> Iterator[str]:
    """What is wrong with a step of a merge, with the account before it."""
    merging = account.merging
    if step.stage in _BEGIN:
        if merging is not None:
            yield f"merge {step.merge_id} begins while {merging.merge_id} is under way"
        return
    if merging is None or merging.merge_id != step.merge_id or merging.step + 1 != step.step:
        yield f"step {step.step} of merge {step.merge_id} does not follow what stands before it"
        return
    if (account.account_id == step.source_id) != merging.undoing:
        yield from _wrong_counts(step, account, merging.counted)
    if step.stage in ENDS:
        yield from _left_behind(step, account)


def _wrong_counts(step: MergeStepped, account: Account, counted: int) -> Iterator[str]:
    """Whether what leaves is what the account counts for, from where the last step ended."""
    parts = _leaving(step, account)
    there = [
        (owner, field, value.SerializeToString(deterministic=True))
        for owner in sorted(parts)
        for field, value in entries(parts[owner])
    ]
    told = [
        (moved.owner_id, field, value.SerializeToString(deterministic=True))
        for moved in step.counts
        for field, values in _lists(moved)
        for value in values
    ]
    until = counted + len(told)
    if sorted(there[counted:until]) != sorted(told):
        yield f"merge {step.merge_id} moves other counts than the account has"
    if step.stage in ENDS and until != len(there):
        yield f"merge {step.merge_id} ends before all counts have moved"


def _lists(moved: MovedCounts) -> Iterator[tuple[str, Iterable[Any]]]:
    return ((field.name, values) for field, values in moved.ListFields() if field.is_repeated)


def _leaving(step: MergeStepped, account: Account) -> Mapping[str, Part]:
    if account.account_id == step.source_id:
        return parts_of_account(account)
    gone = family(account.parts, step.source_id)
    return {owner: part for owner, part in account.parts.items() if owner in gone}


Tier = tuple[str, str, Instant | None]
"""(tier, basis, valid until)"""
_NO_TIER: Final[Tier] = ("", "earned", None)


def tiers_offered(step: MergeStepped, account: Account) -> tuple[Tier, ...]:
    """The tiers of which the target may keep one after a step, with the account before it."""
    if account.account_id != step.target_id:
        return ()
    if step.stage == MERGE_STAGE_MERGED:
        return tuple(_shown(span) for span in source_tiers(step)) or (_NO_TIER,)
    if step.stage != MERGE_STAGE_UNMERGED:
        return ()
    staying = account.parts.keys() - family(account.parts, step.source_id)
    parts, at = [account.parts[owner] for owner in staying], from_timestamp(step.step_time)
    offered = tuple(
        _shown(span) for part in parts for span in (*still_held(part.tiers, at), *part.tiers[-1:])
    )
    has_own = bool(account.parts[OWN].tiers)
    return offered if has_own else (*offered, _NO_TIER)


def wrong_tier(changed: TierChanged, offered: Collection[Tier]) -> str:
    """Why a tier is none that either of two accounts had."""
    until = changed.valid_until_time if changed.HasField("valid_until_time") else None
    kept = (
        changed.to_tier,
        BASIS_NAME[changed.basis],
        None if until is None else from_timestamp(until),
    )
    return "" if kept in offered else f"to_tier is {changed.to_tier!r}, which neither account had"


def _shown(span: TierSpan) -> Tier:
    return span.tier, span.basis, span.valid_until


def _wrong_source_tier(step: MergeStepped, account: Account) -> Iterator[str]:
    told = [_shown(span) for span in source_tiers(step)]
    had = [_shown(span) for span in account.tiers[-1:] if span.tier]
    given = grants_of(account, from_timestamp(step.step_time)) if had else ()
    if told[-1:] != had or set(told) != {*had, *map(_shown, given)}:
        yield f"merge {step.merge_id} tells other tiers of the source than it has"


def _left_behind(step: MergeStepped, account: Account) -> Iterator[str]:
    """Whether something stays that should have left."""
    if account.account_id == step.source_id:
        if step.stage == MERGE_STAGE_MERGED:
            yield from _wrong_source_tier(step, account)
        if step.stage == MERGE_STAGE_MERGED and (account.lots or account.holds or account.debts):
            yield f"merge {step.merge_id} is done, and the source still has something"
        return
    if step.stage == MERGE_STAGE_UNMERGED:
        gone = family(account.parts, step.source_id)
        owners = {lot.owner for lot in account.lots} | {debt.owner for debt in account.debts}
        if owners & gone - {OWN}:
            yield f"merge {step.merge_id} is undone, and the target keeps what is not its own"


def changes_of(step: MergeStepped, account: Account) -> Changes:
    """What is used more since a step, or less: what leaves counts until all of it has left."""
    if (account.account_id == step.target_id) == (step.stage in _FORWARD):
        return [(key_of(use), use.total) for moved in step.counts for use in moved.usages]
    if step.stage not in ENDS:
        return ()
    parts = _leaving(step, account).values()
    return [(key, -total) for part in parts for key, total in part.usage.items()]

"""Documents: a net state is stated, and the difference to the state before it is posted.

In this order: what the document no longer gives is taken back, what was waiting for its final
version is released, what it gives more becomes new lots.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ledger.core.arrears import release_lot, repay
from ledger.core.clawbacks import Loss, claw_back
from ledger.core.commands import Grant, Life, PostDocument
from ledger.core.counting import document_key
from ledger.core.counts import write_counts
from ledger.core.decision import Draft, Outcome
from ledger.core.draws import write_life
from ledger.core.instant import Instant, write_timestamp
from ledger.core.state import Lot
from loyalty.v1 import types_pb2
from loyalty.v1.events_pb2 import (
    DocumentBefore,
    DocumentPosted,
    PointsEarned,
    PointsPended,
)
from loyalty.v1.types_pb2 import (
    DOCUMENT_STATUS_FINAL,
    DOCUMENT_STATUS_PENDING,
)

_GrantKey = tuple[str, str, str, str]
"""(rule, currency, funder, window): a grant that changes one of these is another grant."""


class _Terms(NamedTuple):
    """What the points of one lot have in common."""

    currency: str
    funder: str
    pending_until: Instant | None
    expires_at: Instant | None
    window: str
    life: Life | None
    campaign: str
    """Whose points are recalled together makes a lot of its own."""


class _Difference:
    """What a version takes back, by (currency, window), and what it adds, by terms.

    `again` is what it takes of points that wait, to give the same anew: it is among what is added.
    """

    __slots__ = ("again", "less", "more")

    def __init__(self) -> None:
        self.again: dict[_Terms, int] = {}
        self.less: dict[tuple[str, str], int] = {}
        self.more: dict[_Terms, int] = {}

    def take(self, currency: str, window: str, points: int) -> None:
        self.less[currency, window] = self.less.get((currency, window), 0) + points

    def give(self, terms: _Terms, points: int) -> None:
        self.more[terms] = self.more.get(terms, 0) + points


def post(draft: Draft, command: PostDocument, *, now: Instant) -> Outcome:
    """Post a document's version. Raises TooManyLots, PointsOverflow, ClawbackRefused."""
    head, document = command.head, command.document
    if head is not None and document.version <= head.document.version:
        return Outcome.SUPERSEDED
    _record_version(draft, command)
    if not command.grants and (head is None or not head.grants):
        return Outcome.POSTED
    key = document_key(command.business_unit, document.source, document.document_id)
    final = document.status == DOCUMENT_STATUS_FINAL
    waiting = _waiting(draft, key) if final and head is not None else []
    difference = _difference(command, waiting, now)
    for terms, points in difference.again.items():
        claw_back(draft, command, _waiting_like(terms, key, points, owner=command.owner))
    for (currency, window), points in difference.less.items():
        claw_back(draft, command, Loss(key, currency, window, points, owner=command.owner))
    if waiting:
        for lot in _waiting(draft, key):
            release_lot(draft, lot, entry_id=command.entry_id)
    if difference.more:
        _issue(draft, command, key, difference.more)
    return Outcome.POSTED


def _record_version(draft: Draft, command: PostDocument) -> None:
    head, document = command.head, command.document
    final = document.status == DOCUMENT_STATUS_FINAL
    # Field by field: arguments by name cost protobuf twice as much.
    version = DocumentPosted()
    version.entry_id = command.entry_id
    version.business_unit = command.business_unit
    version.business_date = command.business_date
    version.pinned = final or command.was_pinned or (head is not None and head.pinned)
    version.document.CopyFrom(document)
    version.pins.CopyFrom(command.pins)
    origin = version.origin
    origin.CopyFrom(command.origin)
    # The instant stands in the envelope, once.
    origin.ClearField("occurred_time")
    if command.grants:
        add = version.grants.add
        for grant in command.grants:
            _write_grant(add(), grant)
    if command.counts_for_more:
        write_counts(version, command.counts, head)
    _write_what_few_have(version, command)
    draft.record(version)


def _write_what_few_have(version: DocumentPosted, command: PostDocument) -> None:
    head = command.head
    if command.arrival is not None:
        version.arrival.CopyFrom(command.arrival)
    if command.receipt_hash:
        version.receipt_hash = command.receipt_hash
    if command.awaited_scheme:
        version.awaited_scheme = command.awaited_scheme
    if command.taken_back_at is not None:
        version.taken_back_at.CopyFrom(command.taken_back_at)
        version.taken_back_at.ClearField("occurred_time")
    if command.owner:
        version.owner_id = command.owner
    if head is not None and command.head_account:
        write_before(version.before, head, command.head_account)
    if command.late_for:
        version.late_for.extend(command.late_for)


def write_before(before: DocumentBefore, head: DocumentPosted, account_id: str) -> None:
    """Write the version before, which stands in another account's stream."""
    before.account_id = account_id
    before.posted.CopyFrom(head)
    # What stood before that one, in a third account, is told there.
    before.posted.ClearField("before")


def _write_grant(recorded: types_pb2.Grant, grant: Grant) -> None:
    recorded.rule = grant.rule
    recorded.currency = grant.currency
    recorded.wanted = grant.wanted
    recorded.granted = grant.granted
    recorded.funder = grant.funder
    if grant.window:
        recorded.tier_window = grant.window
    if grant.pending_until is not None:
        write_timestamp(recorded.available_time, grant.pending_until)
    if grant.expires_at is not None:
        write_timestamp(recorded.expire_time, grant.expires_at)
    if grant.campaign:
        recorded.campaign = grant.campaign
    if grant.cut_by:
        recorded.cut_by = grant.cut_by
    if grant.life is not None:
        write_life(recorded.life, grant.life)


def _waiting(draft: Draft, key: str) -> list[Lot]:
    """Lots of a document that wait for its final version."""
    lots = draft.tally.lots.items
    return [lot for lot in lots if lot.pending and lot.available_at is None and lot.document == key]


def _difference(command: PostDocument, waiting: Iterable[Lot], now: Instant) -> _Difference:
    """Compare what every rule gives now with what it gave before; rules do not offset each other.

    Points that wait for the final version and then have to wait longer are taken back and given
    again under their new terms: releasing their lot would make them spendable too early.
    """
    difference = _Difference()
    pending = command.document.status == DOCUMENT_STATUS_PENDING
    before = _granted_before(command.head)
    still_waiting = _points_waiting(waiting)
    for grant in command.grants:
        currency, funder, window = grant.currency, grant.funder, grant.window
        until = grant.pending_until
        if pending or (until is not None and until <= now):
            until = None
        campaign = "" if window else grant.campaign
        terms = _Terms(currency, funder, until, grant.expires_at, window, grant.life, campaign)
        had = before.pop((grant.rule, currency, funder, window), 0) if before else 0
        added = grant.granted - had
        if until is not None and still_waiting:
            longer = min(had, grant.granted, still_waiting.get((currency, window), 0))
            if longer:
                still_waiting[currency, window] -= longer
                difference.again[terms] = difference.again.get(terms, 0) + longer
                difference.give(terms, longer)
        if added > 0:
            difference.give(terms, added)
        elif added < 0:
            difference.take(currency, window, -added)
    for (_, currency, _, window), had in before.items():
        difference.take(currency, window, had)
    return difference


def _waiting_like(terms: _Terms, document: str, points: int, *, owner: str) -> Loss:
    """The loss of points that wait, out of the very lots that they are in if those are whole."""
    like = terms.funder, terms.campaign
    return Loss(document, terms.currency, terms.window, points, owner=owner, like=like)


def _points_waiting(lots: Iterable[Lot]) -> dict[tuple[str, str], int]:
    points: dict[tuple[str, str], int] = {}
    for lot in lots:
        same = (lot.currency, lot.tier_window)
        points[same] = points.get(same, 0) + lot.pending
    return points


def _granted_before(head: DocumentPosted | None) -> dict[_GrantKey, int]:
    before: dict[_GrantKey, int] = {}
    for grant in head.grants if head is not None else ():
        key = (grant.rule, grant.currency, grant.funder, grant.tier_window)
        before[key] = before.get(key, 0) + grant.granted
    return before


def _issue(draft: Draft, command: PostDocument, key: str, more: Mapping[_Terms, int]) -> None:
    """Make a lot for each kind of terms; what can be spent at once first pays what is owed."""
    draft.check_lots(len(more))
    final = command.document.status == DOCUMENT_STATUS_FINAL
    for number, (terms, points) in enumerate(more.items(), 1):
        draft.check_room(terms.currency, points)
        lot_id = f"{command.entry_id}.{number}"
        if final and terms.pending_until is None:
            lot_id = _standing_lot(draft, command, terms) or lot_id
            earned = PointsEarned()
            _write_lot(earned, command, terms, lot_id=lot_id, document=key, points=points)
            earned.available_after = draft.available(terms.currency) + points
            draft.record(earned)
            if draft.tally.debts:
                repay(draft, lot_id, currency=terms.currency, entry_id=command.entry_id)
        else:
            pended = PointsPended()
            _write_lot(pended, command, terms, lot_id=lot_id, document=key, points=points)
            if terms.pending_until is not None:
                write_timestamp(pended.available_time, terms.pending_until)
            draft.record(pended)


def _write_lot(
    made: PointsEarned | PointsPended,
    command: PostDocument,
    terms: _Terms,
    *,
    lot_id: str,
    document: str,
    points: int,
) -> None:
    made.lot_id = lot_id
    made.currency = terms.currency
    made.points = points
    made.business_unit = command.business_unit
    made.funder = terms.funder
    made.document = document
    if terms.window:
        made.tier_window = terms.window
    if command.owner:
        made.owner_id = command.owner
    if terms.campaign:
        made.campaign = terms.campaign
    made.entry_id = command.entry_id
    write_timestamp(made.earned_time, command.occurred_at)
    if terms.expires_at is not None:
        write_timestamp(made.expire_time, terms.expires_at)
    if terms.life is not None:
        write_life(made.life, terms.life)
        made.life.policy_digest = command.pins.policy_digest


def _standing_lot(draft: Draft, command: PostDocument, terms: _Terms) -> str:
    """Id of the open lot that qualifying points join; empty when they make one of their own.

    Qualifying points are never burned, so a lot for every purchase would fill the account. Those of
    one tier window, issuer, funder and expiry are one lot.
    """
    if not terms.window:
        return ""
    for lot in reversed(draft.tally.lots.items):
        if (
            lot.tier_window == terms.window
            and lot.currency == terms.currency
            and lot.issuer == command.business_unit
            and lot.funder == terms.funder
            and lot.expires_at == terms.expires_at
            and lot.owner == command.owner
            and lot.life is None
            and terms.life is None
            and lot.available
        ):
            return lot.lot_id
    return ""

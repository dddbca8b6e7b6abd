"""Explanations: why an entry is what it is, worked out again from what was stored with it."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, cast

import rules
from ledger.answers.entry_words import expiry_line, fact_lines
from ledger.answers.explanations import add_explanation
from ledger.answers.postings import movement_of, moves_points, position_token
from ledger.answers.receipts import Language, language_of, points_text
from ledger.answers.telling import Telling
from ledger.clock import Clock
from ledger.core import refusals
from ledger.core.counting import document_key
from ledger.core.events import AnyFact, decode, fields_of, kind_of
from ledger.evaluation import facts_of, pinned_instant, pins_of
from ledger.keys import burn_thing, conversion_thing, document_thing, transfer_thing
from ledger.lanes import account_of, lane_of
from ledger.policies import PolicyBook
from ledger.reads.members import Reads
from ledger.reads.tier_changes import Sees, as_seen
from ledger.room import recorded_room
from ledger.rows import ActRow
from ledger.store import Store
from loyalty.v1.account_service_pb2 import ExplainEntryRequest, ExplainEntryResponse
from loyalty.v1.events_pb2 import (
    DocumentPosted,
    PointsEarned,
    PointsExpired,
    PointsPended,
    TierChanged,
)
from rules.zones import LocalZone


class _Found(NamedTuple):
    """The facts of an entry, in order, and what else of the account was read on the way."""

    stream: str
    facts: list[AnyFact]
    before: list[AnyFact]


class Explanations:
    """Answers why."""

    def __init__(self, store: Store, *, policies: PolicyBook, reads: Reads, clock: Clock) -> None:
        """Read from `store`; `policies` are those that the entries name."""
        self._store = store
        self._clock = clock
        self._policies = policies
        self._reads = reads

    async def explain(self, request: ExplainEntryRequest, sees: Sees) -> ExplainEntryResponse:
        """Say why an entry is what it is. Raises UnknownEntry, UnknownMember.

        What another unit did is not this caller's to know: it is as if it were not there.
        """
        found = await self._find(request, sees)
        first: Any = found.facts[0]
        has = fields_of(first)
        response = ExplainEntryResponse(
            entry_id=first.entry_id if "entry_id" in has else "",
            member_id=account_of(found.stream),
            business_unit=_unit(first),
            movements=[
                movement_of(fact, kind_of(fact))
                for fact in found.facts
                if moves_points(kind_of(fact))
            ],
            position=await self._position(found.stream),
        )
        language = language_of(request.language)
        policy = await self._policy(_digest(found.facts))
        if policy is not None:
            response.policy_version = policy.version
        telling = Telling(language, _shown(policy), self._zone(policy))
        told = (as_seen(f, sees) if isinstance(f, TierChanged) else f for f in found.facts)
        response.lines.extend(fact_lines(told, telling))
        response.lines.extend(_expiries(found, telling))
        posted = next((fact for fact in found.facts if isinstance(fact, DocumentPosted)), None)
        if posted is not None:
            # Nothing was granted for a document that is nobody's, so there is nothing to explain.
            asked = policy if account_of(found.stream) else None
            _add_document(response, posted, asked, language)
        return response

    async def _find(self, request: ExplainEntryRequest, sees: Sees) -> _Found:
        """The entry that is asked for. Raises UnknownEntry for one that is not there or foreign."""
        if request.document:
            named, found = request.document, await self._document(request)
        elif request.HasField("member"):
            named = request.entry_id or str(request.version)
            found = await self._of_member(request)
        else:
            named, found = request.entry_id, await self._act(request.entry_id)
        unit = _unit(found.facts[0]) if found is not None and found.facts else ""
        if found is None or not found.facts or (unit and not sees(unit)):
            raise refusals.UnknownEntry(entry_id=named)
        return found

    async def _document(self, request: ExplainEntryRequest) -> _Found | None:
        """A version of a document: all facts under its key."""
        thing = document_thing(*request.document.split("/", 2))
        found: tuple[int, _Found] | None = None
        for rows in _by_key(await self._store.find_acts([thing])):
            facts: list[AnyFact] = [decode(row.payload) for row in rows]
            posted = next((fact for fact in facts if isinstance(fact, DocumentPosted)), None)
            if posted is None:
                continue
            version = posted.document.version
            if version == request.version or not request.version:
                newest = found is None or version >= found[0]
                # What time decided at once, for points that were born overdue, is no part of it.
                facts = [fact for fact in facts if _entry_of(fact) == posted.entry_id]
                found = (version, _Found(rows[0].stream, facts, [])) if newest else found
        return None if found is None else found[1]

    async def _act(self, entry_id: str) -> _Found | None:
        """A burn, a capture, a reversal, a transfer or a conversion, by its key.

        Of a transfer it is what happened in the sender's account; the receiver's is asked for by
        member.
        """
        moved = await self._store.find_acts([transfer_thing(entry_id), conversion_thing(entry_id)])
        if moved:
            return await self._of_stream(moved[0].stream, entry_id)
        rows = [
            (row, decode(row.payload))
            for row in await self._store.find_acts([burn_thing(entry_id)])
        ]
        facts = [fact for _, fact in rows if _entry_of(fact) == entry_id]
        return _Found(rows[0][0].stream, facts, []) if rows else None

    async def _of_stream(self, stream: str, entry_id: str) -> _Found:
        events = await self._store.stream_events(stream)
        facts: list[AnyFact] = [decode(event.payload) for event in events]
        return _Found(stream, [fact for fact in facts if _entry_of(fact) == entry_id], [])

    async def _of_member(self, request: ExplainEntryRequest) -> _Found | None:
        """An entry among the facts of an account, by its id or by a running number in it."""
        stream = await self._reads.stream(request.member)
        events = await self._store.stream_events(stream)
        facts: list[AnyFact] = [decode(event.payload) for event in events]
        entry_id = request.entry_id
        if not entry_id:
            if not 1 <= request.version <= len(facts):
                return None
            one = facts[request.version - 1]
            entry_id = _entry_of(one)
            if not entry_id:
                return _Found(stream, [one], facts[: request.version - 1])
        return _Found(stream, [fact for fact in facts if _entry_of(fact) == entry_id], [])

    async def _policy(self, digest: str) -> rules.Policy | None:
        return await self._policies.known(digest, self._store) if digest else None

    def _zone(self, policy: rules.Policy | None) -> LocalZone | None:
        """The programme's zone, of the policy that decided; without one, of the one in force."""
        if policy is not None:
            return policy.terms.zone
        found = self._policies.find(self._clock.now())
        return None if found is None else found.compiled.terms.zone

    async def _position(self, stream: str) -> str:
        lane = lane_of(stream, self._store.lanes)
        return position_token(lane, await self._store.head(lane))


def _by_key(rows: Iterable[ActRow]) -> Iterable[list[ActRow]]:
    found: dict[str, list[ActRow]] = {}
    for row in rows:
        found.setdefault(row.key, []).append(row)
    return found.values()


def _entry_of(fact: AnyFact) -> str:
    return cast(Any, fact).entry_id if "entry_id" in fields_of(fact) else ""


def _unit(fact: AnyFact) -> str:
    """Business unit that a fact names; empty for what concerns none, which no unit owns."""
    named: Any = fact
    return str(named.business_unit) if "business_unit" in fields_of(fact) else ""


def _digest(facts: Iterable[AnyFact]) -> str:
    """Digest of the policy that decided, when a fact names it."""
    for fact in facts:
        named: Any = fact
        if isinstance(fact, DocumentPosted):
            return fact.pins.policy_digest
        if "policy_digest" in fields_of(fact) and named.policy_digest:
            return str(named.policy_digest)
    return ""


def _shown(policy: rules.Policy | None) -> Callable[[str, int], str]:
    """Writes points with their currency; with its decimals where the policy is known."""

    def shown(currency: str, points: int) -> str:
        known = policy is not None and currency in policy.currencies
        text = points_text(policy, currency, points) if policy and known else str(points)
        return f"{text} {currency}"

    return shown


def _expiries(found: _Found, telling: Telling) -> Iterable[str]:
    """Why lots expired: the end they were given."""
    for expired in found.facts:
        if isinstance(expired, PointsExpired):
            for lot in found.before:
                if isinstance(lot, PointsEarned | PointsPended) and lot.lot_id == expired.lot_id:
                    yield expiry_line(lot, telling)


def _add_document(
    response: ExplainEntryResponse,
    posted: DocumentPosted,
    policy: rules.Policy | None,
    language: Language,
) -> None:
    document = posted.document
    response.document = document_key(posted.business_unit, document.source, document.document_id)
    response.version = document.version
    response.pins.CopyFrom(posted.pins)
    if policy is None:
        return
    facts = facts_of(document, posted.origin, pinned_instant(posted.pins.local_time))
    why = rules.explain(
        policy, facts, rules.NOBODY, pins=pins_of(posted.pins), room=recorded_room(posted)
    )
    add_explanation(response, why, policy, posted, language)

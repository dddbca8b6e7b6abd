"""Finding what a batch of acts needs before it can be decided: one query or a few."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, cast

from ledger.act import Act
from ledger.cache import Cache
from ledger.core.events import KIND_NUMBER, AccountFact, Fact, decode, kind_of
from ledger.core.evolve import fold
from ledger.core.lot_history import TELLING
from ledger.core.snapshot import STATE_VERSION
from ledger.core.snapshot import decode as decode_snapshot
from ledger.core.state import Account
from ledger.keys import burn_thing, thing_of
from ledger.known import DocumentHead, Known
from ledger.lanes import OPENING, account_of, account_stream
from ledger.policies import PolicyBook
from ledger.purses import NO_PURSE, purse_of
from ledger.register import Register
from ledger.rows import IdentityKey, KeyRow, LoadedStream
from ledger.store import Store
from ledger.wanted import Wanted
from ledger.writes import member_of, other_member_of, pool_of
from loyalty.v1.events_pb2 import BurnReversed, DocumentPosted, PointsSent, ReversalReversed
from loyalty.v1.ledger_service_pb2 import AdvanceAccountRequest, ReverseEntryRequest
from loyalty.v1.member_service_pb2 import (
    CreateReferralRequest,
    EraseMemberRequest,
    UpdateMemberRequest,
)
from loyalty.v1.types_pb2 import MemberRef

TELLS: Final = frozenset({UpdateMemberRequest, EraseMemberRequest, CreateReferralRequest})
"""Requests that need what is known of members, whatever policies ask."""
_OF_ACCOUNTS: Final = frozenset({AdvanceAccountRequest, EraseMemberRequest})
"""Requests for which it matters which documents wait for any identity of the account."""
EXPIRIES_MOST: Final = 1_000
"""So many of an account's last expiries can come back for a burn that was recorded late."""
_EXPIRING: Final = [KIND_NUMBER["points_expired"], KIND_NUMBER["lot_reinstated"]]
_TELLING: Final = [KIND_NUMBER[kind_of(fact())] for fact in TELLING]
_NEWEST: Final = 2**62
_UUID_LENGTH: Final = 36


class Lookup:
    """Fills what a batch knows, from the batch in flight before it, the cache, and the store.

    What is wanted is gone through in order: then the cache forgets the same in every process that
    does the same, and the seed of a simulation brings its world back.
    """

    def __init__(
        self, store: Store, cache: Cache, *, register: Register, policies: PolicyBook
    ) -> None:
        """Look in `cache` before `store`; `register` opens profiles that `policies` ask."""
        self._store = store
        self._cache = cache
        self._register = register
        self._policies = policies

    async def fill(
        self, known: Known, acts: Sequence[Act], made: Known | None, also: Wanted
    ) -> None:
        """Find everything that the acts need, and what they asked for in an earlier round.

        `made` is what an uncommitted batch has changed.
        """
        await self._find_rows(known, acts, also.documents)
        await self._find_acts(known, acts, also.things)
        await self._find_identities(known, acts, also.identities)
        await self._find_awaited(known, acts)
        await self._find_holdings(known, also.holdings)
        await self._find_purses(also.purses)
        await self._find_firsts(known, also.firsts)
        await self._find_expiries(known, also.expiries)
        await self._find_histories(known, also.histories)
        if made is not None:
            known.overlay(made)
        streams = _streams(known, acts) | also.streams
        await self._find_accounts(known, streams)
        streams |= await self._follow_merges(known, streams)
        if self._policies.asks_of_members or _tells(acts):
            await self._find_profiles(known, streams)

    async def _find_purses(self, streams: Iterable[str]) -> None:
        """Find where shared purses stand that a batch asked for, and remember it."""
        wanted = sorted(stream for stream in streams if self._cache.purse(stream) is None)
        if not wanted:
            return
        found = await self._store.last_events(wanted)
        self._cache.put_purses(
            {stream: purse_of(*found[stream]) if stream in found else NO_PURSE for stream in wanted}
        )

    async def _find_firsts(self, known: Known, things: Iterable[str]) -> None:
        """Find the first final version of each of these documents."""
        wanted = sorted(things)
        for row in await self._store.find_acts(wanted) if wanted else ():
            fact = decode(row.payload)
            if not isinstance(fact, DocumentPosted) or not fact.pinned:
                continue
            if row.thing not in known.firsts or fact.HasField("arrival"):
                # What a member keeps is reckoned from what it was pinned to for that member.
                known.firsts[row.thing] = fact

    async def _find_expiries(self, known: Known, streams: Iterable[str]) -> None:
        """Find what last expired of these accounts."""
        for stream in streams:
            events = await self._store.entries(
                stream, kinds=_EXPIRING, currency="", before=_NEWEST, most=EXPIRIES_MOST
            )
            known.expiries[stream] = {
                event.version: Fact(decode(event.payload), event.occurred_at) for event in events
            }

    async def _find_histories(self, known: Known, streams: Iterable[str]) -> None:
        """Find what tells of all lots that these accounts ever had."""
        for stream in streams:
            events = await self._store.entries(
                stream, kinds=_TELLING, currency="", before=_NEWEST, most=_NEWEST
            )
            known.histories[stream] = [decode(event.payload) for event in reversed(events)]

    async def _find_rows(self, known: Known, acts: Sequence[Act], documents: set[str]) -> None:
        things = sorted({act.document for act in acts if act.document} | documents)
        newest: dict[str, KeyRow] = {}
        # Versions of documents are looked up once it is known that there is a document.
        keys = [act.key for act in acts]
        keys += [act.version_key for act in acts if act.version_key and not act.document]
        for row in await self._store.find_keys(keys, things):
            if row.command is None and row.refers_to is None:
                newest[thing_of(row.key)] = row
            else:
                known.rows[row.key] = row
        versions = {a.version_key for a in acts if a.document in newest and a.version_key}
        await self._find_versions(known, versions)
        if newest:
            await self._find_heads(known, newest)

    async def _find_versions(self, known: Known, versions: set[str]) -> None:
        """Find versions of documents that are known already, and those that requests refer to.

        Most documents are new, and then so are all their versions. The answer to a retried one
        stands with its version, not with the request.
        """
        versions.update(row.refers_to for row in known.rows.values() if row.refers_to)
        if versions:
            for row in await self._store.find_keys(sorted(versions), []):
                known.rows[row.key] = row

    async def _find_heads(self, known: Known, newest: dict[str, KeyRow]) -> None:
        payloads = await self._store.document_heads(list(newest.values()))
        for thing, row in newest.items():
            posted = decode(payloads[row.key])
            assert isinstance(posted, DocumentPosted), "a document's key points at its state"
            known.heads[thing] = DocumentHead(row.stream, posted, row.key)

    async def _find_acts(self, known: Known, acts: Sequence[Act], also: set[str]) -> None:
        things = {act.thing for act in acts if act.thing} | also
        if not things:
            return
        await self._add_acts(known, things)
        # A reversal is found under its own id too, and names the burn whose history is needed.
        reversals = [act for act in acts if type(act.request) is ReverseEntryRequest]
        burns = set()
        for act in reversals:
            for _, fact in known.acts.get(act.thing, {}).values():
                if isinstance(fact, BurnReversed | ReversalReversed):
                    burns.add(burn_thing(fact.burn_entry_id))
        if burns - things:
            await self._add_acts(known, burns - things)

    async def _add_acts(self, known: Known, things: Iterable[str]) -> None:
        for row in await self._store.find_acts(sorted(things)):
            found = known.acts.setdefault(row.thing, {})
            found[row.key] = (row.stream, decode(row.payload))

    async def _find_identities(
        self, known: Known, acts: Sequence[Act], also: set[IdentityKey]
    ) -> None:
        wanted = {act.identity for act in acts if act.identity is not None} | also
        wanted.update(act.other_identity for act in acts if act.other_identity is not None)
        wanted.update(key for act in acts for key in act.new_identities)
        missing: set[IdentityKey] = set()
        for key in sorted(wanted):
            holder = self._cache.identity(key)
            if holder is None:
                missing.add(key)
            else:
                known.identities[key] = holder
        if missing:
            found = await self._store.find_identities(sorted(missing))
            known.identities |= found
            self._cache.put({}, found)

    async def _find_awaited(self, known: Known, acts: Sequence[Act]) -> None:
        """Find documents that wait for identities that acts link, or of accounts they advance."""
        keys = {key for act in acts for key in act.new_identities}
        accounts = {
            account_of(_member_stream(known, act))
            for act in acts
            if type(act.request) in _OF_ACCOUNTS
        } - {""}
        if not keys and not accounts:
            return
        rows = await self._store.find_awaited(sorted(keys), sorted(accounts))
        known.awaited |= {row.document: row for row in rows}
        of_others = {(row.scheme, row.keyed_hash) for row in rows} - set(known.identities)
        if of_others:
            known.identities |= await self._store.find_identities(sorted(of_others))

    async def _find_holdings(self, known: Known, streams: set[str]) -> None:
        """Find all identities of these accounts' members."""
        if streams:
            accounts = sorted(map(account_of, streams))
            known.identities |= await self._store.identities_of(accounts)

    async def _find_accounts(self, known: Known, streams: set[str]) -> None:
        wanted = []
        for stream in sorted(streams - set(known.accounts)):
            account = self._cache.account(stream)
            if account is None:
                wanted.append((stream, 0))
            else:
                known.accounts[stream] = account
        if not wanted:
            return
        loaded = await self._store.load(wanted, state_version=STATE_VERSION)
        for stream, found in loaded.items():
            account = folded(stream, found)
            if account.version:
                known.accounts[stream] = account

    async def _follow_merges(self, known: Known, streams: set[str]) -> set[str]:
        """Find what merged accounts are part of; also the streams of all that are a part."""
        found: set[str] = set()
        ahead = streams
        while ahead := _led_to(known, ahead) - streams - found:
            await self._find_accounts(known, ahead)
            found |= ahead
        for stream in streams | found:
            account = known.accounts.get(stream)
            if account is not None and account.parts:
                found.update(map(account_stream, account.part_ids))
        return found

    async def _find_profiles(self, known: Known, streams: set[str]) -> None:
        """Find what is known of the members; most are in the cache, also those of none."""
        missing = []
        for stream in sorted(streams - set(known.profiles)):
            profile = self._cache.profile(stream)
            if profile is not None:
                known.profiles[stream] = profile
            elif account_of(stream):
                missing.append(stream)
        found = await self._register.load(self._store, missing)
        known.profiles |= found
        self._cache.put_profiles(found)


def _led_to(known: Known, streams: Iterable[str]) -> set[str]:
    """Streams that merged accounts lead to."""
    accounts = (known.accounts.get(stream) for stream in streams)
    merged = [account for account in accounts if account and account.membership.leads_to]
    return {account_stream(account.membership.leads_to) for account in merged}


def _tells(acts: Iterable[Act]) -> bool:
    return any(type(act.request) in TELLS for act in acts)


def folded(stream: str, loaded: LoadedStream, base: Account | None = None) -> Account:
    """The account that a loaded stream tells, on top of `base` when only its tail was loaded."""
    start = base or Account(account_of(stream))
    if loaded.snapshot is not None:
        start = decode_snapshot(loaded.snapshot)
    facts: list[Any] = [decode(payload) for payload in loaded.payloads]
    return fold(start, cast(list[AccountFact], facts))


def _streams(known: Known, acts: Sequence[Act]) -> set[str]:
    """Streams whose state the acts are about, as far as it can be told before deciding."""
    streams = {head.stream for head in known.heads.values()}
    for found in known.acts.values():
        for stream, fact in found.values():
            if stream.startswith(OPENING):
                continue
            streams.add(stream)
            if isinstance(fact, PointsSent):
                streams.add(account_stream(fact.receiver_id))
    for act in acts:
        streams.add(_named(known, act.identity, member_of(act.request)))
        streams.add(_named(known, act.other_identity, other_member_of(act.request)))
        streams.add(_stream_of(pool_of(act.request)))
    return streams - {""}


def _member_stream(known: Known, act: Act) -> str:
    """Stream of the account that an act names; empty where nobody has it, or none is named."""
    return _named(known, act.identity, member_of(act.request))


def _named(known: Known, identity: IdentityKey | None, member: MemberRef | None) -> str:
    if identity is not None:
        holder = known.identities.get(identity)
        return "" if holder is None else account_stream(holder.account)
    return "" if member is None else _stream_of(member.member_id or member.pool_id)


def _stream_of(account_id: str) -> str:
    return account_stream(account_id) if len(account_id) == _UUID_LENGTH else ""

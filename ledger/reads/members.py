"""Reads of one member: always from the store, never older than what was acknowledged."""

from typing import Any, Final, NamedTuple

import rules
from ledger.answers import paging
from ledger.answers.entries import entry_message
from ledger.answers.pools import pool_message
from ledger.answers.postings import moves_points, parse_position, position_token
from ledger.answers.receipts import language_of
from ledger.answers.telling import Telling
from ledger.answers.tiers import tier_message
from ledger.cache import Cache
from ledger.clock import Clock
from ledger.consents import consent_messages
from ledger.core import refusals
from ledger.core.advance import advance
from ledger.core.events import KIND_NAME, decode
from ledger.core.evolve import fold
from ledger.core.instant import from_timestamp, optional_timestamp, to_timestamp
from ledger.core.pools import require_permission, require_pool
from ledger.core.snapshot import STATE_VERSION
from ledger.core.state import Account
from ledger.ends import Ends, in_spending_order, with_ends
from ledger.identities import IdentityHash
from ledger.ladders import standing_of
from ledger.lanes import account_stream, lane_of
from ledger.lookup import folded
from ledger.policies import PolicyBook
from ledger.profile import Profile, joined
from ledger.profile_changes import profile_message
from ledger.reads.past import totals_at
from ledger.reads.tier_changes import TIER_KIND, Sees, due_changes, recorded_changes
from ledger.reads.transfers import read_transfer
from ledger.register import Register
from ledger.store import Store
from loyalty.v1.account_service_pb2 import (
    AsOf,
    GetTierRequest,
    GetTierResponse,
    ListEntriesRequest,
    ListEntriesResponse,
    TierChange,
)
from loyalty.v1.ledger_service_pb2 import Transfer
from loyalty.v1.member_service_pb2 import Consent, Member, MemberProfile, Pool, Referral
from loyalty.v1.types_pb2 import POOL_PERMISSION_VIEW, MemberRef

FIRST_PAGE: Final = 2**62
_MOVING_KINDS: Final = [number for number, name in KIND_NAME.items() if moves_points(name)]


class Found(NamedTuple):
    """What a member has, and in which account."""

    account: Account
    position: str
    merged_into: str
    """The account that it is in, where that is not the one that was named."""


class Reads:
    """Answers questions about members, with the position that each answer reflects."""

    def __init__(
        self,
        store: Store,
        *,
        clock: Clock,
        policies: PolicyBook,
        cache: Cache,
        hashed: IdentityHash,
        register: Register,
    ) -> None:
        """Read from `store`; cached accounts only save reading what they have seen already."""
        self._store = store
        self._clock = clock
        self._policies = policies
        self._ends = Ends(policies.pinned)
        self._cache = cache
        self._hashed = hashed
        self._register = register

    async def account(
        self, ref: MemberRef, *, min_position: str = "", as_of: AsOf | None = None
    ) -> tuple[Account, str]:
        """(account, position): as it is, or as it was. Raises UnknownMember, UnknownPool."""
        found = await self.found(ref, min_position=min_position, as_of=as_of)
        return found.account, found.position

    async def found(
        self,
        ref: MemberRef,
        *,
        min_position: str = "",
        as_of: AsOf | None = None,
        as_named: bool = False,
    ) -> Found:
        """What a member has: in the account that theirs was merged into, unless `as_named`.

        As of a time before the merge it is their own. Raises UnknownMember, UnknownPool.
        """
        named = stream = await self.stream(ref)
        while True:
            position = await reached(self._store, stream, min_position)
            if as_of is not None and as_of.ListFields():
                account = await self._past(stream, as_of)
            else:
                fresh = await self._fresh(stream)
                ends = await self._ends_for(fresh)
                account = self._due_applied(fresh, self._clock.now(), ends)
            _require_there(account, ref)
            if as_named or not account.membership.is_merged:
                break
            stream = account_stream(account.membership.into)
        merged = account.account_id if stream != named else ""
        if as_named and account.membership.is_merged:
            merged = account.membership.into
        return Found(account, position, merged)

    async def tier(self, ref: MemberRef, *, min_position: str = "") -> GetTierResponse:
        """Where a member stands on the ladder in force now. Raises UnknownMember."""
        account, position = await self.account(ref, min_position=min_position)
        at = self._clock.now()
        found = self._policies.find(at)
        standing = standing_of(account)
        now = rules.progress(found.compiled, standing=standing, at=at) if found else None
        return tier_message(account.account_id, now, position=position)

    async def tier_changes(self, request: GetTierRequest, sees: Sees) -> list[TierChange]:
        """How the tier came about, the newest change first: due ones too. Raises UnknownMember."""
        account, _ = await self.account(request.member, min_position=request.min_position)
        stream, now = account_stream(account.account_id), self._clock.now()
        found = self._policies.find(now)
        zone = found.compiled.terms.zone if found else None
        telling = Telling(language_of(request.language), "{1} {0}".format, zone)
        fresh = await self._fresh(stream)
        ends = await self._ends_for(fresh)
        due = advance(fresh, now=now, ladder=self._policies.ladder, ends=ends).facts
        recorded = await self._store.entries(
            stream,
            kinds=[TIER_KIND],
            currency="",
            before=fresh.version + 1,
            most=request.changes,
        )
        told = due_changes(reversed(due), telling, sees)
        return [*told, *recorded_changes(recorded, telling, sees)][: request.changes]

    async def member(self, ref: MemberRef, *, min_position: str = "") -> Member:
        """Who a member is to the ledger. Raises UnknownMember."""
        account, position = await self.account(ref, min_position=min_position)
        return await self.told(account, position)

    async def told(self, account: Account, position: str) -> Member:
        """A member as callers see it; known by all that those merged into them are known by."""
        parts = [account_stream(owner) for owner in account.part_ids]
        schemes = dict.fromkeys(account.identity_schemes)
        for stream in parts:
            schemes |= dict.fromkeys((await self._fresh(stream)).identity_schemes)
        return Member(
            member_id=account.account_id,
            business_unit=account.business_unit,
            enrol_time=optional_timestamp(account.enrolled_at),
            identity_schemes=schemes,
            tier=account.tier,
            membership=account.membership.state,
            merged_into=account.membership.leads_to,
            merge_step=0 if account.merging is None else account.merging.step,
            pool_ids=account.pooling.joined,
            erase_time=optional_timestamp(account.care.erased_at),
            position=position,
        )

    async def referral(self, ref: MemberRef) -> Referral | None:
        """Who brought a member; None: nobody is known to have. Raises UnknownMember."""
        known = (await self._fresh(await self.stream(ref))).care.referral
        if known is None:
            return None
        return Referral(
            referral_id=known.referral_id,
            referrer_id=known.referrer,
            reward_unit=known.reward_unit,
            referral_time=to_timestamp(known.told_at),
            document=known.cause,
            counts=known.counts,
        )

    async def pool(self, pool_id: str, viewer: MemberRef | None, *, min_position: str) -> Pool:
        """A pool, as it is. Raises UnknownPool; of `viewer` UnknownMember, NotPermittedInPool."""
        ref = MemberRef(pool_id=pool_id)
        account, position = await self.account(ref, min_position=min_position)
        if viewer is not None:
            member, _ = await self.account(viewer)
            require_permission(account, member.account_id, POOL_PERMISSION_VIEW)
        return pool_message(account, position=position)

    async def transfer(self, transfer_id: str) -> Transfer:
        """Where a transfer stands. Raises UnknownTransfer."""
        return await read_transfer(self._store, transfer_id)

    async def profile(self, ref: MemberRef) -> tuple[MemberProfile, list[Consent]]:
        """What business units know of a member, and the member's consents. Raises UnknownMember."""
        account, _ = await self.account(ref)
        profile = await self._profile(account)
        return profile_message(profile), consent_messages(account.care.consents)

    async def _profile(self, account: Account) -> Profile:
        """What is known of a member, and of those merged into them."""
        streams = [account_stream(owner) for owner in (account.account_id, *account.part_ids)]
        found = await self._register.load(self._store, streams)
        return joined(found[stream] for stream in streams)

    async def entries(self, request: ListEntriesRequest) -> ListEntriesResponse:
        """A page of the statement, newest first. Raises UnknownMember, Malformed."""
        account, position, merged_into = await self.found(
            request.member, min_position=request.min_position, as_named=request.as_named
        )
        question = ListEntriesRequest(
            member=MemberRef(member_id=account.account_id), currency=request.currency
        )
        last = paging.behind(question, request.page_token, same="member and filters")
        size = paging.size_of(request)
        found = await self._store.entries(
            account_stream(account.account_id),
            kinds=_MOVING_KINDS,
            currency=request.currency,
            before=int(last) if last else FIRST_PAGE,
            most=size + 1,
        )
        page = found[:size]
        more = len(found) > size
        return ListEntriesResponse(
            entries=[entry_message(event) for event in page],
            next_page_token=paging.token(question, str(page[-1].version)) if more else "",
            position=position,
            merged_into=merged_into,
        )

    async def stream(self, ref: MemberRef) -> str:
        """Stream of the account that is meant. Raises UnknownMember for an unknown identity."""
        if ref.WhichOneof("ref") != "identity":
            return account_stream(ref.member_id or ref.pool_id)
        key = (ref.identity.scheme, self._hashed.of(ref.identity))
        # Not from the cache: another process may have given it to another member just now.
        holder = (await self._store.find_identities([key])).get(key)
        if holder is None:
            raise refusals.unknown_identity(key[0])
        return account_stream(holder.account)

    async def _fresh(self, stream: str) -> Account:
        """The state with every fact up to now: the cached one and what the store has after it."""
        base = self._cache.account(stream)
        known = 0 if base is None else base.version
        loaded = await self._store.load([(stream, known)], state_version=STATE_VERSION)
        return folded(stream, loaded[stream], base)

    async def _ends_for(self, account: Account) -> Ends:
        """Asks when points end; some live on while the member is in a segment."""
        if not account.lots or account.lots[-1].life is None:
            return self._ends
        profile = await self._profile(account)
        return Ends(self._policies.pinned, lambda _: profile.segments)

    def _due_applied(self, account: Account, now: int, ends: Ends) -> Account:
        """What time has decided is true whether or not anybody has recorded it."""
        if not account.version:
            return account
        due = advance(account, now=now, ladder=self._policies.ladder, ends=ends)
        shown = with_ends(due.account, ends)
        policy = self._policies.find(now)
        if policy is not None:
            shown = in_spending_order(shown, policy.compiled)
        return _without_past(shown, now)

    async def _past(self, stream: str, as_of: AsOf) -> Account:
        known_at = from_timestamp(as_of.known_time) if as_of.HasField("known_time") else None
        events = [
            event
            for event in await self._store.stream_events(stream)
            if known_at is None or event.recorded_at <= known_at
        ]
        if as_of.HasField("effective_time"):
            return totals_at(stream, events, from_timestamp(as_of.effective_time))
        facts: list[Any] = [decode(event.payload) for event in events]
        account = fold(Account(stream.partition("/")[2]), facts)
        now = self._clock.now()
        # Nobody knows today what will have expired: a time to come is now.
        until = now if known_at is None else min(known_at, now)
        return self._due_applied(account, until, await self._ends_for(account))


def _require_there(account: Account, ref: MemberRef) -> None:
    """Raise UnknownMember or UnknownPool for an account that is not what was asked for."""
    if ref.pool_id:
        require_pool(account)
    elif account.enrolled_at is None:
        raise refusals.UnknownMember(member=ref.member_id)


async def reached(store: Store, stream: str, min_position: str) -> str:
    """Where a stream's lane stands: what is read after this reflects at least that.

    Raises NotServing for a position that it has not reached.
    """
    lane = lane_of(stream, store.lanes)
    head = await store.head(lane)
    if min_position:
        wanted_lane, wanted = parse_position(min_position)
        if wanted_lane == lane and wanted > head:
            raise refusals.NotServing(cause=f"position {min_position} is not reached yet")
    return position_token(lane, head)


def _without_past(account: Account, now: int) -> Account:
    """The account without benefits whose time is over: no fact tells that, for nothing is lost."""
    benefits = tuple(given for given in account.benefits if given.expires_at > now)
    if len(benefits) == len(account.benefits):
        return account
    return account._replace(benefits=benefits)

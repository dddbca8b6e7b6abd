"""Quotes: what a document would earn, decided as it would be and then thrown away.

A quote does not stand in the writer's queue: it reads what it needs by itself, and lets the very
handler that posts documents decide on it. So a quote is what would be posted, and delays no till.
"""

import asyncio
from dataclasses import replace
from functools import lru_cache
from typing import Final, NamedTuple

import uuid_utils

import rules
from ledger.act import Act, Answer
from ledger.answers.quotes import quote_answer
from ledger.answers.receipts import language_of
from ledger.cache import Cache
from ledger.checking import invalid
from ledger.clock import Clock, SettableClock
from ledger.core import commands, refusals
from ledger.core.decide import decide
from ledger.core.instant import Instant, from_timestamp
from ledger.core.programme import Version
from ledger.core.state import Account, TierSpan
from ledger.grounds import Surroundings
from ledger.handlers import decide_act
from ledger.handlers.members import require_unit
from ledger.identities import IdentityHash
from ledger.lanes import account_stream
from ledger.lookup import Lookup
from ledger.periods import PeriodBook
from ledger.policies import PolicyBook, PublishedPolicy
from ledger.preparing import prepare
from ledger.profile import UNKNOWN
from ledger.receipt_codes import Guesses
from ledger.register import Register
from ledger.store import Store
from ledger.wanted import Wanted
from ledger.work import Work
from loyalty.v1.events_pb2 import DocumentPosted, PolicyPublished
from loyalty.v1.ledger_service_pb2 import (
    OUTCOME_VALIDATED,
    PostDocumentRequest,
    Posting,
    QuoteDocumentRequest,
    QuoteDocumentResponse,
)
from loyalty.v1.types_pb2 import MemberRef

NEWCOMER: Final = "newcomer"
"""In place of the id of somebody who is no member yet; no member has an id of this form."""
SOURCE: Final = "quote"
"""Source of a document that names none."""
ROUNDS_MAX: Final = 8
"""Each round learns of a purse or of a first version; a document asks for a handful of them."""


class Quotes:
    """Answers what a document would earn."""

    def __init__(
        self,
        store: Store,
        *,
        clock: Clock,
        policies: PolicyBook,
        hashed: IdentityHash,
        register: Register,
    ) -> None:
        """Read from `store`, now or at another time, under `policies` or others."""
        self._store = store
        self._clock = clock
        self._policies = policies
        self._hashed = hashed
        self._register = register

    async def quote(self, request: QuoteDocumentRequest, *, client: str) -> QuoteDocumentResponse:
        """Say what a document would earn. Raises what PostDocument raises, and UnknownPolicy."""
        case = _Case(
            request,
            _at(request, self._clock),
            prepare(
                _document(request),
                client=client,
                hashed=self._hashed,
                deliver=_to_nobody,
            ),
            await self._asked(request),
        )
        work, answer = await self._decided(case)
        head = work.known.heads.get(case.act.document)
        return _answer(case, answer, None if head is None else head.posted)

    async def _asked(self, request: QuoteDocumentRequest) -> PolicyBook:
        """The policies to decide under."""
        which = request.WhichOneof("policy")
        if which is None:
            return self._policies
        if which == "policy_document":
            policy = await asyncio.to_thread(_compiled, request.policy_document)
            return _Assumed(self._policies, policy)
        version = await self._recorded(request)
        # Expanding the document today could add keys, so it keeps the digest it was recorded with.
        policy = await asyncio.to_thread(_compiled, version.expanded)
        return _Assumed(self._policies, replace(policy, digest=version.digest))

    async def _recorded(self, request: QuoteDocumentRequest) -> Version:
        await self._policies.refresh(self._store)
        programme, named = self._policies.programme, request.policy_digest
        if request.WhichOneof("policy") == "policy_version":
            named = f"version {request.policy_version}"
            found = programme.numbered(request.policy_version)
        else:
            found = programme.versions.get(request.policy_digest)
        if found is None:
            raise refusals.UnknownPolicy(policy=named)
        return found

    async def _decided(self, case: "_Case") -> tuple[Work, Answer]:
        """Decide the document on what is recorded; what turns out to be missing is looked up.

        The cache is the quote's own: the writer's must learn nothing that is not in its order.
        """
        cache = Cache(1)
        lookup = Lookup(self._store, cache, register=self._register, policies=case.policies)
        looked_up = Wanted()
        for _ in range(ROUNDS_MAX):
            clock = SettableClock(max(case.at, self._clock.now()))
            around = Surroundings(
                self._store.lanes, clock, case.policies, PeriodBook(), Guesses(), cache.purse
            )
            work = Work(around, await self._store.heads(), looked_up)
            await lookup.fill(work.known, [case.act], None, looked_up)
            _assume(case, work)
            answer = decide_act(case.act, work)
            if not work.wanted:
                return work, answer
            looked_up = looked_up | work.wanted
        raise AssertionError("a document asks for a handful of purses")


class _Case(NamedTuple):
    """A question, prepared."""

    request: QuoteDocumentRequest
    at: Instant
    act: Act
    policies: PolicyBook

    @property
    def version(self) -> int:
        """Version of the document that is asked about."""
        assert isinstance(self.act.request, PostDocumentRequest)
        return self.act.request.document.version


class _Assumed(PolicyBook):
    """One policy for all times; what was posted under others stays theirs."""

    def __init__(self, known: PolicyBook, policy: rules.Policy) -> None:
        super().__init__(approval_required=known.approval_required)
        self.programme = known.programme
        self._known = known
        self.asks_of_members = True
        event = PolicyPublished(programme=policy.programme, digest=policy.digest)
        self._policy = PublishedPolicy(event, policy, policy.effective_from)

    def find(self, at: Instant) -> PublishedPolicy | None:
        """The policy, whenever it is asked for."""
        del at
        return self._policy

    def pinned(self, digest: str) -> rules.Policy:
        """As it was published, or the policy itself."""
        if digest == self._policy.event.digest:
            return self._policy.compiled
        return self._known.pinned(digest)


@lru_cache(maxsize=4)
def _compiled(text: str | bytes) -> rules.Policy:
    """Compile a document. Raises PolicyInvalid."""
    try:
        return rules.compile_policy(rules.load(text))
    except rules.PolicyRefused as refused:
        raise invalid(refused.findings) from None


def _at(request: QuoteDocumentRequest, clock: Clock) -> Instant:
    if request.origin.HasField("occurred_time"):
        return from_timestamp(request.origin.occurred_time)
    return clock.now()


def _document(request: QuoteDocumentRequest) -> PostDocumentRequest:
    """The write that the quote is about; who would join has no document yet."""
    write = PostDocumentRequest(
        request_id=str(uuid_utils.uuid7()),
        origin=request.origin,
        member=request.member,
        document=request.document,
        language=request.language,
    )
    document = write.document
    joins = not request.HasField("member")
    if joins:
        write.member.CopyFrom(MemberRef(member_id=NEWCOMER))
    if joins or not document.document_id:
        document.source, document.document_id = SOURCE, str(uuid_utils.uuid7())
        document.version = document.version or 1
    return write


def _to_nobody(_result: object) -> None:
    """The answer is taken from the handler itself."""


def _assume(case: _Case, work: Work) -> None:
    """Let somebody join, and let hold what is to be taken for granted."""
    request, known = case.request, work.known
    if request.HasField("member"):
        stream = _stream(case.act, work)
    else:
        stream = account_stream(NEWCOMER)
        known.accounts[stream] = _newcomer(case, work)
    assume = request.assume
    if stream and assume.tier:
        account = work.account(stream)
        _check_tier(work.policies.at(case.at), assume.tier)
        span = TierSpan(assume.tier, case.at, None, basis="granted")
        known.accounts[stream] = account._replace(tiers=(*account.tiers, span))
    if stream and assume.segments:
        profile = known.profiles.get(stream, UNKNOWN)
        segments = profile.segments | frozenset(assume.segments)
        known.profiles[stream] = profile._replace(segments=segments)


def _stream(act: Act, work: Work) -> str:
    """Stream of the member's account; empty for an identity that nobody has."""
    if act.identity is None:
        assert isinstance(act.request, PostDocumentRequest)
        return account_stream(act.request.member.member_id)
    holder = work.known.identities.get(act.identity)
    return "" if holder is None else account_stream(holder.account)


def _newcomer(case: _Case, work: Work) -> Account:
    """Somebody who joins as the document happens. No id: nobody is held out of a campaign yet."""
    origin = case.request.origin
    require_unit(work, origin.business_unit, case.at)
    command = commands.EnrolMember(
        business_unit=origin.business_unit,
        channel=origin.channel,
        occurred_at=case.at,
        identities=(),
    )
    now = work.clock_now()
    return decide(
        command, Account(""), now=now, ladder=work.policies.ladder, ends=work.ends
    ).account


def _check_tier(policy: rules.Policy, tier: str) -> None:
    ranks = rules.tier_ranks(policy)
    if tier not in ranks:
        raise refusals.UnknownTier(field="assume.tier", value=tier, known=", ".join(ranks))


def _answer(case: _Case, answer: Answer, posted: DocumentPosted | None) -> QuoteDocumentResponse:
    posting = Posting.FromString(answer.encoded)
    posting.outcome = OUTCOME_VALIDATED
    posting.entry_id = posting.position = ""
    for movement in posting.movements:
        movement.lot_id = ""
    if posted is None or posted.document.version != case.version:
        # Another version stands already: this one would change nothing.
        return QuoteDocumentResponse(posting=posting)
    policy = case.policies.pinned(posted.pins.policy_digest)
    return quote_answer(posting, posted, policy, language_of(case.request.language))

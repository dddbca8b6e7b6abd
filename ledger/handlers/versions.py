"""A version of a document: ask the rules what it gives, post the difference, answer."""

from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

import rules
from ledger.act import Answer
from ledger.answers.postings import add_counted
from ledger.answers.receipts import language_of, receipt_lines
from ledger.core import refusals
from ledger.core.commands import Counts, PostDocument, RefundTerms
from ledger.core.counting import document_key
from ledger.core.decide import decide
from ledger.core.events import AnyFact
from ledger.core.instant import DAY, Instant, from_timestamp, to_datetime
from ledger.core.state import OWN, Account
from ledger.core.wire import nested, tag_of
from ledger.ends import with_ends
from ledger.evaluation import (
    award,
    cap_limit,
    claim_of,
    counts_of,
    document_pins,
    facts_of,
    member_facts,
    pinned_instant,
    pins_message,
    pins_of,
    refund_terms,
)
from ledger.giving_back import kept, takes_back_by_line
from ledger.handlers import context
from ledger.known import DocumentHead, Range
from ledger.ladders import standing_of
from ledger.lanes import account_of
from ledger.lateness import late_period, late_window
from ledger.profile import Profile
from ledger.purses import changes
from ledger.room import LedgerRoom
from ledger.velocity import NO_DOER, Doer, Version, document_uses
from ledger.work import Work
from loyalty.v1.events_pb2 import DocumentArrival, DocumentMovedOut, DocumentPosted
from loyalty.v1.ledger_service_pb2 import Posting
from loyalty.v1.types_pb2 import DOCUMENT_STATUS_CANCELLED, Document, ExchangeRate, Origin
from loyalty.v1.types_pb2 import Pins as PinsMessage

_GRANTS: Final = tag_of(Posting, "grants")
_NOTHING: Final = rules.Award(rules.Pins("", None, "", "", ""), ())


class Stated(NamedTuple):
    """What a business unit says of a document, and where."""

    document: Document
    business_unit: str
    """Whose document it is."""
    origin: Origin
    """Where it happened: what the rules look at."""
    taken_back_at: Origin | None = None
    """Another unit that takes goods back."""
    receipt_hash: bytes = b""
    awaited_scheme: str = ""
    doer: Doer = NO_DOER
    """Who states it; nobody where it only goes to another member."""
    follows: bool = False
    """It follows from another document, which is not refused for what stands against this one."""

    @property
    def key(self) -> str:
        """Key of the document."""
        document = self.document
        return document_key(self.business_unit, document.source, document.document_id)


class Case(NamedTuple):
    """A version, and what is known when it is to be decided."""

    stated: Stated
    thing: str
    stream: str
    account: Account
    """Advanced to now; an empty one for a document without a member."""
    due: list[AnyFact]
    """What advancing it recorded."""
    head: DocumentPosted | None
    """The version before it in this stream."""
    at: Instant
    profile: Profile
    entry_id: str
    arrival: DocumentArrival | None = None
    was: DocumentPosted | None = None
    """For one that arrives: the version that stood where it comes from."""
    owner: str = OWN
    """Whose document it is, where that account was merged into the one it stands in."""
    head_account: str = ""
    """Account in whose stream the head stands, where that is another one."""


class Recorded(NamedTuple):
    """What was recorded of a version."""

    message: Posting
    posted: DocumentPosted
    where: Range


class _Asked(NamedTuple):
    """What the rules said of it."""

    policy: rules.Policy
    given: rules.Award
    pins: PinsMessage


def case_of(  # noqa: PLR0913 - a version has as many sides
    work: Work,
    stated: Stated,
    *,
    thing: str,
    stream: str,
    at: Instant,
    entry_id: str,
    head: DocumentHead | None = None,
    arrival: DocumentArrival | None = None,
    was: DocumentPosted | None = None,
    owner: str = OWN,
) -> Case:
    """A version to be decided; its account is advanced."""
    account, due = work.advance(stream) if account_of(stream) else (work.account(stream), [])
    profile = work.profile(stream)
    return Case(
        stated,
        thing,
        stream,
        account,
        due,
        None if head is None else head.posted,
        at,
        profile,
        entry_id,
        arrival,
        was,
        owner,
        "" if head is None or head.stream == stream else account_of(head.stream),
    )


def record(case: Case, work: Work, *, key: str, language: str = "") -> Recorded:
    """Ask the rules and post what they say; `key` is the one under which it is found."""
    asked = ask_rules(case, work)
    command = _command(case, work, asked)
    decision = decide(
        command,
        case.account,
        now=work.now(case.stream),
        ladder=work.policies.ladder,
        ends=work.ends,
    )
    where = work.record(case.stream, decision)
    facts = case.due + [fact.event for fact in decision.facts]
    posted = next(fact for fact in facts if isinstance(fact, DocumentPosted))
    if command.counts_for_more and posted.usages:
        use_purses(work, posted, document=case.stated.key, at=case.at)
    work.register_head(case.thing, DocumentHead(case.stream, posted, key))
    shown = with_ends(decision.account, work.ends)
    message = context.posting(case.entry_id, shown, facts, where)
    if command.late_for:
        message.late_for.extend(command.late_for)
    if language:
        message.messages.extend(receipt_lines(asked.policy, posted, language_of(language)))
    if command.counts_for_more and (posted.benefits or posted.numbers):
        add_counted(message, asked.policy, posted)
    return Recorded(message, posted, where)


def _lenient(terms: RefundTerms) -> RefundTerms:
    """Terms that refuse nothing: points that are gone are written off."""
    when_spent = "write_off" if terms.when_spent == "refuse" else terms.when_spent
    return terms._replace(when_spent=when_spent, over_limit="write_off")


def answer(recorded: Recorded) -> Answer:
    """The answer, with the grants of the version: never parsed here, so never made."""
    grants = [nested(_GRANTS, grant.SerializeToString()) for grant in recorded.posted.grants]
    encoded = b"".join((recorded.message.SerializeToString(), *grants))
    return Answer(Posting, encoded, replayed=False)


def use_purses(
    work: Work, fact: DocumentPosted | DocumentMovedOut, *, document: str, at: Instant
) -> None:
    """Record in shared purses what a fact of a document changes; it stands in the same commit."""
    for stream, used in changes(fact, document):
        work.use_purse(stream, used, occurred_at=at)


def ask_rules(case: Case, work: Work) -> _Asked:
    """Ask the rules: under the pins of a document that was final once, else under today's.

    Where it comes from another stream, policy, time and rates stay, and the member's side is new.
    """
    stated, head = case.stated, case.head
    if head is not None and head.pinned:
        return _ask_pinned(case, work, head)
    policy, rates = _policy(case, work), _rates(case)
    facts = facts_of(stated.document, stated.origin, case.at, rates)
    if not account_of(case.stream):
        # It gives nobody anything; what the rules refuse is refused all the same.
        given = award(policy, facts, member=rules.NOBODY)
        return _Asked(policy, _NOTHING, document_pins(given.pins, rates))
    member = member_facts(case.account, case.profile, at=case.at, claimed_at=_claimed_at(case))
    room, standing = _room(case, work, policy), standing_of(case.account)
    given = award(policy, facts, member=member, room=room, standing=standing)
    return _Asked(policy, given, pins_message(given.pins, rates))


def _claimed_at(case: Case) -> Instant | None:
    """When a document was claimed: now, while it was pending, or before it was another's."""
    if case.arrival is not None and case.arrival.HasField("claim_time"):
        return from_timestamp(case.arrival.claim_time)
    before = case.head or case.was
    return None if before is None else claim_of(before.pins)


def _ask_pinned(case: Case, work: Work, head: DocumentPosted) -> _Asked:
    # A quantity that is no number was refused before.
    stated, pins = case.stated, pins_of(head.pins)
    policy = work.policies.pinned(pins.policy_digest)
    facts = facts_of(stated.document, stated.origin, pinned_instant(pins.local_time))
    if not account_of(case.stream):
        award(policy, facts, member=rules.NOBODY, pins=pins)
        return _Asked(policy, _NOTHING, head.pins)
    room = _room(case, work, policy)
    given = _left(case, work, policy, facts, room) if takes_back_by_line(policy) else None
    if given is None:
        given = award(policy, facts, member=rules.NOBODY, pins=pins, room=room)
    return _Asked(policy, given, head.pins)


def _policy(case: Case, work: Work) -> rules.Policy:
    """The policy in force when it happened, unless it is pinned elsewhere. Raises TooLate."""
    if case.was is not None and case.was.pinned:
        return work.policies.pinned(case.was.pins.policy_digest)
    policy = work.policies.at(case.at)
    if case.head is None and case.arrival is None and not case.stated.follows:
        _check_lateness(policy, case.at, work.clock_now())
    return policy


def _rates(case: Case) -> Sequence[ExchangeRate]:
    """The rates that count: those that were pinned elsewhere, and others that are stated now."""
    stated = case.stated.document.exchange_rates
    if case.was is None or not case.was.pinned:
        return stated
    pinned = case.was.pins.exchange_rates
    codes = {rate.currency_code for rate in pinned}
    return [*pinned, *(rate for rate in stated if rate.currency_code not in codes)]


def _left(
    case: Case, work: Work, policy: rules.Policy, facts: rules.DocumentFacts, room: LedgerRoom
) -> rules.Award | None:
    """What a later version keeps of the first final one; None: it is evaluated anew."""
    first = work.first_final(case.thing)
    if first is None or case.head is None:
        return None
    return kept(policy, first, facts, room=room, before=room.had)


def _room(case: Case, work: Work, policy: rules.Policy) -> LedgerRoom:
    return LedgerRoom(
        case.account,
        case.stated.key,
        case.head,
        household=case.profile.household_code,
        purse_used=lambda stream: work.purse(stream).used,
        limit=lambda name: cap_limit(policy, name),
    )


def _check_lateness(policy: rules.Policy, at: Instant, now: Instant) -> None:
    """Refuse a new document that comes too late; a change of one may come whenever it happens."""
    days = policy.model.documents.lateness_days
    if days is not None and at < now - days * DAY:
        raise refusals.TooLate(
            occurred_time=to_datetime(at).isoformat(),
            limit=to_datetime(now - days * DAY).isoformat(),
        )


def _counts(case: Case, work: Work, asked: _Asked) -> Counts:
    """What it counts for besides points; what staff earn has limits of its own."""
    counts = counts_of(asked.given, household=case.profile.household_code)
    if case.head is None and not case.stated.doer.operator.pseudonym:
        # Nobody on the staff earns by it, which is so for nearly all.
        return counts
    granted: Counter[str] = Counter()
    for grant in asked.given.grants:
        granted[grant.currency] += grant.granted
    cancelled = case.stated.document.status == DOCUMENT_STATUS_CANCELLED
    version = Version(
        case.stream, case.head, cancelled, granted, case.account.usage, case.arrival is not None
    )
    uses = document_uses(work, case.stated.doer, version)
    return counts._replace(uses=[*counts.uses, *uses]) if uses else counts


def _late_for(case: Case, asked: _Asked, work: Work) -> tuple[str, ...]:
    """What is over that the version, or the document, happened in."""
    periods = late_period(work, case.at)
    if not account_of(case.stream):
        return periods
    at = pinned_instant(asked.pins.local_time)
    return periods + late_window(work, asked.policy, case.account, at)


def _command(case: Case, work: Work, asked: _Asked) -> PostDocument:
    stated = case.stated
    before = case.head or case.was
    terms = refund_terms(asked.policy, case.account.tier)
    return PostDocument(
        entry_id=case.entry_id,
        business_unit=stated.business_unit,
        document=stated.document,
        origin=stated.origin,
        business_date=stated.origin.business_date,
        occurred_at=case.at,
        head=case.head,
        pins=asked.pins,
        grants=asked.given.grants,
        counts=_counts(case, work, asked),
        refunds=_lenient(terms) if stated.follows else terms,
        arrival=case.arrival,
        was_pinned=case.was is not None and case.was.pinned,
        receipt_hash=stated.receipt_hash or (b"" if before is None else before.receipt_hash),
        awaited_scheme=stated.awaited_scheme,
        taken_back_at=stated.taken_back_at,
        late_for=_late_for(case, asked, work),
        owner=case.owner,
        head_account=case.head_account,
    )

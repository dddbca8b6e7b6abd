"""Awards evaluated again: the rules, asked under the stored pins, must give the stored grants."""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from itertools import zip_longest
from types import MappingProxyType
from typing import Final, NamedTuple

import rules
from ledger.core.care import Referral
from ledger.core.events import PolicyFact, decode
from ledger.core.instant import Instant, from_timestamp
from ledger.core.programme import Programme, after
from ledger.core.state import Account
from ledger.core.usage import METRIC, VELOCITY
from ledger.evaluation import award, facts_of, pinned_instant, pins_of
from ledger.giving_back import kept, takes_back_by_line, used_before
from ledger.policies import published
from ledger.referral_causes import counts
from ledger.room import recorded_room
from ledger.verifying.tier_trial import wrong_tier
from loyalty.v1.events_pb2 import DocumentPosted, PolicyDrafted, PolicyPublished, TierChanged
from loyalty.v1.types_pb2 import DOCUMENT_STATUS_PENDING, LotLife
from loyalty.v1.types_pb2 import Grant as GrantMessage

Terms = tuple[
    str, str, int, int, str, Instant | None, Instant | None, str, str, str, rules.Life | None
]
"""As NAMES."""

NAMES: Final = (
    "rule",
    "currency",
    "wanted",
    "granted",
    "funder",
    "available_time",
    "expire_time",
    "tier_window",
    "campaign",
    "cut_by",
    "life",
)


def digest_of(event: PolicyDrafted | PolicyPublished) -> str:
    """What a policy's digest covers: the document with every default written into it."""
    return sha256(event.expanded).hexdigest()


class TierTerms(NamedTuple):
    """The tier of who has none, and whether an order may be pinned to the tier it reaches.

    `ranks` are those of all tiers, the lowest first.
    """

    lowest: str
    earns_by_new: bool
    ranks: Mapping[str, int]


NO_TIERS: Final = TierTerms("", earns_by_new=False, ranks=MappingProxyType({}))


class Awards:
    """Asks the rules again."""

    def __init__(self, events: Iterable[tuple[str, Instant, bytes]]) -> None:
        """Take the policies in these events, each under the digest that its content has.

        What is damaged is left out: it is named where it stands, and whatever was awarded under it.
        """
        self._policies: dict[str, rules.Policy] = {}
        self.programme = Programme()
        self.checked = 0
        for stream, recorded_at, payload in events:
            try:
                event = decode(payload)
                if isinstance(event, PolicyFact):
                    self.programme = after(self.programme, event, recorded_at, stream)
                if isinstance(event, PolicyPublished):
                    policy = published(event).compiled
                    self._policies[digest_of(event)] = policy
            except Exception:
                continue

    def policy(self, digest: str) -> rules.Policy | None:
        """The policy with a digest; None when none was published."""
        return self._policies.get(digest)

    def needs_first(self, digest: str) -> bool:
        """Whether later versions are reckoned from the first final one, under a policy."""
        policy = self._policies.get(digest)
        return policy is not None and takes_back_by_line(policy)

    def difference(self, posted: DocumentPosted, first: DocumentPosted | None = None) -> str:
        """How the rules' answer differs from what is stored; empty when it does not.

        `first` is the first final version, where later ones are reckoned from it.
        """
        self.checked += 1
        policy = self._policies.get(posted.pins.policy_digest)
        if policy is None:
            return f"no published policy has the digest {posted.pins.policy_digest}"
        try:
            at = pinned_instant(posted.pins.local_time)
            facts = facts_of(posted.document, posted.origin, at)
            pins, room = pins_of(posted.pins), recorded_room(posted)
            again = None
            if first is not None:
                again = kept(policy, first, facts, room=room, before=used_before(posted))
            if again is None:
                again = award(policy, facts, member=rules.NOBODY, pins=pins, room=room)
        except Exception as error:
            # What is stored was evaluated once; if it cannot be any more, it is not what it was.
            return f"cannot be evaluated again: {error}"
        return _difference(posted.grants, again.grants) or _counted_otherwise(posted, again)

    def counts_for(self, referral: Referral, posted: DocumentPosted) -> bool:
        """Whether a version is a purchase that counts for who brought the member."""
        try:
            return counts(referral, posted, self._policies.__getitem__)
        except Exception:
            # A damaged document is named elsewhere.
            return False

    def wrong_tier(self, fact: TierChanged, account: Account) -> str:
        """How the ladder now answers otherwise than is stored; empty when it does not."""
        policy = self._policies.get(fact.policy_digest)
        try:
            return "" if policy is None else wrong_tier(policy, account, fact)
        except Exception as error:
            return f"the ladder cannot be asked again: {error}"

    def tier_terms(self, digest: str) -> TierTerms:
        """What a policy says of the tiers that it pins."""
        policy = self._policies.get(digest)
        if policy is None or policy.model.tiers is None:
            return NO_TIERS
        earns_by_new = policy.model.tiers.upgrading_order != "before"
        return TierTerms(policy.terms.lowest_tier or "", earns_by_new, rules.tier_ranks(policy))


def _difference(stored: Iterable[GrantMessage], again: Iterable[rules.Grant]) -> str:
    for index, (had, gives) in enumerate(zip_longest(stored, again)):
        if had is None:
            return f"grants[{index}] is absent, rule {gives.rule} gives {gives.granted}"
        if gives is None:
            return f"grants[{index}] of rule {had.rule} is {had.granted}, the rules give none"
        for name, left, right in zip(NAMES, _stored(had), _given(gives), strict=True):
            if left != right:
                return f"grants[{index}].{name} is {left!r}, the rules give {right!r}"
    return ""


def _stored(grant: GrantMessage) -> Terms:
    pending = from_timestamp(grant.available_time) if grant.HasField("available_time") else None
    expires = from_timestamp(grant.expire_time) if grant.HasField("expire_time") else None
    return (
        grant.rule,
        grant.currency,
        grant.wanted,
        grant.granted,
        grant.funder,
        pending,
        expires,
        grant.tier_window,
        grant.campaign,
        grant.cut_by,
        _life_of(grant.life) if grant.HasField("life") else None,
    )


def _life_of(life: LotLife) -> rules.Life:
    limited = life.HasField("hard_expire_time")
    return rules.Life(
        life.expiry,
        life.inactive_months,
        tuple(life.extended_by),
        from_timestamp(life.hard_expire_time) if limited else None,
        tuple(life.unless_tiers),
        tuple(life.unless_segments),
        life.restarts,
        life.from_release,
        from_timestamp(life.begin_time) if life.HasField("begin_time") else None,
    )


def _given(grant: rules.Grant) -> Terms:
    return (
        grant.rule,
        grant.currency,
        grant.wanted,
        grant.granted,
        grant.funder,
        grant.pending_until,
        grant.expires_at,
        grant.window,
        grant.campaign,
        grant.cut_by,
        grant.life,
    )


def _counted_otherwise(posted: DocumentPosted, again: rules.Award) -> str:
    """How else than stored a document counts now; empty when it does not."""
    for what, stored, gives in (
        ("usages", _stored_uses(posted), _given_uses(posted, again)),
        ("numbers", _stored_numbers(posted), _given_numbers(again)),
        ("benefits", _stored_benefits(posted), _given_benefits(again)),
    ):
        for key in sorted(stored.keys() | gives.keys()):
            if stored.get(key) != gives.get(key):
                return f"{what} of {key} are {stored.get(key)}, the rules give {gives.get(key)}"
    return ""


_Counted = dict[tuple[str, ...], object]


def _stored_uses(posted: DocumentPosted) -> _Counted:
    return {
        (usage.name, usage.scope if usage.name.startswith(METRIC) else "", usage.period): (
            usage.others,
            usage.total,
        )
        for usage in posted.usages
        if not usage.name.startswith(VELOCITY)
        and (usage.total or (usage.others and not usage.name.startswith(METRIC)))
    }


def _given_uses(posted: DocumentPosted, again: rules.Award) -> _Counted:
    """Whose household a purse was is not pinned: its name and period say which it is."""
    uses: _Counted = {
        (cap.name, "", cap.period): (others, points)
        for cap, others, points in again.uses
        if others or points
    }
    if posted.document.status != DOCUMENT_STATUS_PENDING:
        for name, scope, window, amount in again.metrics:
            if amount:
                uses[METRIC + name, scope, window] = (0, amount)
    return uses


def _stored_numbers(posted: DocumentPosted) -> _Counted:
    return {
        (number.counter, number.period): number.number
        for number in posted.numbers
        if number.number and number.change >= 0
    }


def _given_numbers(again: rules.Award) -> _Counted:
    return {(counter.counter, counter.period): number for counter, number in again.numbers}


def _stored_benefits(posted: DocumentPosted) -> _Counted:
    return {
        (given.rule, given.benefit): (
            given.quantity,
            from_timestamp(given.expire_time),
            given.campaign,
        )
        for given in posted.benefits
    }


def _given_benefits(again: rules.Award) -> _Counted:
    return {
        (given.rule, given.benefit): (given.quantity, given.expires_at, given.campaign)
        for given in again.benefits
    }

"""Awards evaluated again: the rules, asked under the stored pins, must give the stored grants."""

from collections.abc import Iterable
from hashlib import sha256
from itertools import zip_longest
from typing import Final

import rules
from ledger.core.commands import Grant
from ledger.core.events import decode
from ledger.core.instant import Instant, from_timestamp
from ledger.evaluation import award, facts_of, pinned_instant, pins_of
from ledger.policies import published
from loyalty.v1.events_pb2 import DocumentPosted, PolicyDrafted, PolicyPublished
from loyalty.v1.types_pb2 import Grant as GrantMessage

Terms = tuple[str, str, int, int, str, Instant | None, Instant | None, str]
"""(rule, currency, wanted, granted, funder, pending until, expires at, tier window)"""

NAMES: Final = (
    "rule",
    "currency",
    "wanted",
    "granted",
    "funder",
    "available_time",
    "expire_time",
    "tier_window",
)


def digest_of(event: PolicyDrafted | PolicyPublished) -> str:
    """What a policy's digest covers: the document with every default written into it."""
    return sha256(event.expanded).hexdigest()


class Awards:
    """Asks the rules again."""

    def __init__(self, payloads: Iterable[bytes]) -> None:
        """Take the policies in these payloads, each under the digest that its content has.

        What is damaged is left out: it is named where it stands, and whatever was awarded under it.
        """
        self._policies: dict[str, rules.Policy] = {}
        self.checked = 0
        for payload in payloads:
            try:
                event = decode(payload)
                if isinstance(event, PolicyPublished):
                    policy = published(event).compiled
                    self._policies[digest_of(event)] = policy
            except Exception:
                continue

    def difference(self, posted: DocumentPosted) -> str:
        """How the rules' answer differs from what is stored; empty when it does not."""
        self.checked += 1
        policy = self._policies.get(posted.pins.policy_digest)
        if policy is None:
            return f"no published policy has the digest {posted.pins.policy_digest}"
        try:
            at = pinned_instant(posted.pins.local_time)
            facts = facts_of(posted.document, posted.origin, at)
            again = award(policy, facts, member=rules.NOBODY, pins=pins_of(posted.pins))
        except Exception as error:
            # What is stored was evaluated once; if it cannot be any more, it is not what it was.
            return f"cannot be evaluated again: {error}"
        return _difference(posted.grants, again.grants)


def _difference(stored: Iterable[GrantMessage], again: Iterable[Grant]) -> str:
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
    )


def _given(grant: Grant) -> Terms:
    return (
        grant.rule,
        grant.currency,
        grant.wanted,
        grant.granted,
        grant.funder,
        grant.pending_until,
        grant.expires_at,
        grant.window,
    )

"""The programme's policies, folded from their stream: where every version stands.

Frozen like an account: the state before and after a fact are two values, so that a batch may decide
several acts on top of each other and forget them again. What a document says is not looked at here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType
from typing import Final, NamedTuple

from ledger.core.events import PolicyFact
from ledger.core.instant import Instant, from_timestamp
from ledger.core.people import same_person
from loyalty.v1.events_pb2 import (
    PolicyApproved,
    PolicyDrafted,
    PolicyPublished,
    PolicySimulated,
    PolicyWithdrawn,
)


class State(Enum):
    """Where a version stands."""

    DRAFTED = "drafted"
    SIMULATED = "simulated"
    APPROVED = "approved"
    SCHEDULED = "scheduled"
    IN_FORCE = "in force"
    REPLACED = "replaced"
    WITHDRAWN = "withdrawn"


class Step(NamedTuple):
    """Something somebody did with a version."""

    by: str
    at: Instant
    why: str = ""


class Run(NamedTuple):
    """A run of a draft over history."""

    fact: PolicySimulated
    at: Instant


@dataclass(frozen=True, slots=True)
class Version:
    """A draft or policy: one content, named by its digest."""

    programme: str
    version: int
    digest: str
    effective_at: Instant
    document: str = field(repr=False)
    expanded: bytes = field(repr=False)
    drafted: Step | None = None
    simulations: tuple[Run, ...] = ()
    approvals: tuple[Step, ...] = ()
    published: Step | None = None
    withdrawn: Step | None = None

    @property
    def author(self) -> str:
        """Who drafted it; empty without a draft."""
        return self.drafted.by if self.drafted is not None else ""

    @property
    def takes_effect(self) -> bool:
        """Whether it is published and was not withdrawn."""
        return self.published is not None and self.withdrawn is None

    @property
    def approver(self) -> str:
        """The first who approved it and is surely not its author; empty when nobody did."""
        for step in self.approvals:
            if not same_person(step.by, self.author):
                return step.by
        return ""

    @property
    def touched_at(self) -> Instant:
        """When it was drafted, or published without a draft."""
        first = self.drafted or self.published
        return 0 if first is None else first.at


_NONE: Final[Mapping[str, Version]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Programme:
    """All versions of one programme's policy."""

    stream: str = ""
    version: int = 0
    """Of the stream: how many facts are folded."""
    versions: Mapping[str, Version] = field(default_factory=lambda: _NONE, repr=False)
    """By digest, in the order in which they were first heard of."""

    @property
    def published(self) -> list[Version]:
        """What was ever published, withdrawn or not, highest version first."""
        found = [each for each in self.versions.values() if each.published is not None]
        return sorted(found, key=lambda each: each.version, reverse=True)

    def in_force(self, at: Instant) -> Version | None:
        """The policy in force at an instant: the highest version that had taken effect."""
        for each in self.published:
            if each.withdrawn is None and each.effective_at <= at:
                return each
        return None

    def numbered(self, version: int) -> Version | None:
        """What was published under a version number."""
        for each in self.published:
            if each.version == version:
                return each
        return None

    def state(self, each: Version, now: Instant) -> State:
        """Where a version stands at an instant."""
        if each.withdrawn is not None:
            return State.WITHDRAWN
        if each.published is not None:
            if each.effective_at > now:
                return State.SCHEDULED
            return State.IN_FORCE if self.in_force(now) is each else State.REPLACED
        if each.approver:
            return State.APPROVED
        return State.SIMULATED if each.simulations else State.DRAFTED


def after(programme: Programme, fact: PolicyFact, recorded_at: Instant, stream: str) -> Programme:
    """The programme after a fact. Never refuses: what is recorded has happened.

    A fact about a digest that nobody drafted changes nothing but the version of the stream; only
    somebody who can write to the database without this program could have recorded it.
    """
    versions = dict(programme.versions)
    known = versions.get(fact.digest)
    changed = _changed(known, fact, recorded_at)
    if changed is not None:
        versions[fact.digest] = changed
    return Programme(stream, programme.version + 1, MappingProxyType(versions))


def _changed(known: Version | None, fact: PolicyFact, at: Instant) -> Version | None:
    match fact:
        case PolicyDrafted():
            return replace(known or _new(fact), drafted=Step(fact.author, at))
        case PolicyPublished():
            return replace(known or _new(fact), published=Step(fact.publisher, at))
    if known is None:
        return None
    match fact:
        case PolicySimulated():
            return replace(known, simulations=(*known.simulations, Run(fact, at)))
        case PolicyApproved():
            step = Step(fact.approver, at, fact.note)
            return replace(known, approvals=(*known.approvals, step))
        case PolicyWithdrawn():
            return replace(known, withdrawn=Step(fact.author, at, fact.reason))


def _new(fact: PolicyDrafted | PolicyPublished) -> Version:
    return Version(
        programme=fact.programme,
        version=fact.version,
        digest=fact.digest,
        effective_at=from_timestamp(fact.effective_time),
        document=fact.document,
        expanded=fact.expanded,
    )

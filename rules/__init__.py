"""The policy language: how many points a document earns, and under which terms. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from rules.award import Award, Grant
from rules.facts import (
    DocumentFacts,
    Instant,
    LineFacts,
    MemberFacts,
    Pins,
    member_from_pins,
    parse_quantity,
)
from rules.refusal import Finding, PolicyRefused, RulesRefusal


@dataclass(frozen=True, slots=True)
class CurrencyTerms:
    """A point currency."""

    id: str
    scale: int
    role: str
    rounding_mode: str
    rounding_at: str


@dataclass(frozen=True, slots=True)
class UnitTerms:
    """A business unit; `point_value` is minor units of its money per point, by point currency."""

    id: str
    zone: str
    currency_code: str
    point_value: Mapping[str, Fraction]


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """A policy document as read; `check` says what is wrong with it, if anything."""

    canonical: bytes


@dataclass(frozen=True, slots=True)
class Policy:
    """A compiled policy."""

    digest: str
    programme: str
    version: int
    effective_from: Instant
    zone: str
    currencies: Mapping[str, CurrencyTerms]
    units: Mapping[str, UnitTerms]


@dataclass(frozen=True, slots=True)
class RedemptionTerms:
    """How points are burned at a business unit."""

    business_unit: str
    currency: str
    currency_code: str
    min_points: int
    step: int
    point_value: Fraction
    max_points: int | None
    max_basket_share: Fraction


@dataclass(frozen=True, slots=True)
class TierAnswer:
    """A tier and the instant until which it is valid."""

    tier: str | None
    valid_until: Instant | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why an award is what it is."""

    pins: Pins


def load(text: str | bytes) -> PolicyDocument:
    raise NotImplementedError


def check(document: PolicyDocument) -> list[Finding]:
    raise NotImplementedError


def compile_policy(document: PolicyDocument) -> Policy:
    raise NotImplementedError


def pin(policy: Policy, document: DocumentFacts, member: MemberFacts) -> Pins:
    raise NotImplementedError


def evaluate(
    policy: Policy, document: DocumentFacts, member: MemberFacts, pins: Pins | None = None
) -> Award:
    raise NotImplementedError


def explain(policy: Policy, document: DocumentFacts, member: MemberFacts) -> Explanation:
    raise NotImplementedError


def redemption(policy: Policy, *, business_unit: str, currency: str) -> RedemptionTerms:
    raise NotImplementedError


def points_for_money(terms: RedemptionTerms, minor: int) -> int:
    raise NotImplementedError


def tier_for(
    policy: Policy,
    *,
    qualifying: Mapping[tuple[str, str], int],
    at: Instant,
    current: str | None,
) -> TierAnswer:
    raise NotImplementedError


def hold_expires_at(policy: Policy, business_unit: str, held_at: Instant) -> Instant | None:
    raise NotImplementedError


__all__ = [
    "Award", "CurrencyTerms", "DocumentFacts", "Explanation", "Finding", "Grant", "Instant",
    "LineFacts", "MemberFacts", "Pins", "Policy", "PolicyDocument", "PolicyRefused",
    "RedemptionTerms", "RulesRefusal", "TierAnswer", "UnitTerms", "check", "compile_policy",
    "evaluate", "explain", "hold_expires_at", "load", "member_from_pins", "parse_quantity", "pin",
    "points_for_money", "redemption", "tier_for",
]  # fmt: skip

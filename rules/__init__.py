"""The policy language: how many points a document earns, and under which terms. Pure.

`load` reads a document, `check` judges it, `compile_policy` makes it fast, `evaluate` answers.
"""

from rules.award import Award, Benefit, CapUse, CounterNumber, Grant, Life, Metric
from rules.checks import check
from rules.evaluation import evaluate, pin
from rules.explanation import ExplainedRule, Explanation, LineShare, SkippedRule, explain
from rules.facts import (
    DocumentFacts,
    Instant,
    LineFacts,
    MemberFacts,
    Pins,
    member_from_pins,
    parse_quantity,
)
from rules.ladder import TierAnswer
from rules.lives import Living, life_ends, released_end
from rules.loading import PolicyDocument, load
from rules.policy import Policy, compile_policy
from rules.redemptions import (
    RedemptionTerms,
    hold_expires_at,
    points_for_money,
    redemption,
    reversal_grace_until,
)
from rules.refusal import Finding, PolicyRefused, RulesRefusal
from rules.room import FREE, CapKey, CounterKey, RecordedRoom, Room
from rules.terms import CurrencyTerms, UnitTerms
from rules.tiers import tier_for

__all__ = [
    "FREE",
    "Award",
    "Benefit",
    "CapKey",
    "CapUse",
    "CounterKey",
    "CounterNumber",
    "CurrencyTerms",
    "DocumentFacts",
    "ExplainedRule",
    "Explanation",
    "Finding",
    "Grant",
    "Instant",
    "Life",
    "LineFacts",
    "LineShare",
    "Living",
    "MemberFacts",
    "Metric",
    "Pins",
    "Policy",
    "PolicyDocument",
    "PolicyRefused",
    "RecordedRoom",
    "RedemptionTerms",
    "Room",
    "RulesRefusal",
    "SkippedRule",
    "TierAnswer",
    "UnitTerms",
    "check",
    "compile_policy",
    "evaluate",
    "explain",
    "hold_expires_at",
    "life_ends",
    "load",
    "member_from_pins",
    "parse_quantity",
    "pin",
    "points_for_money",
    "redemption",
    "released_end",
    "reversal_grace_until",
    "tier_for",
]

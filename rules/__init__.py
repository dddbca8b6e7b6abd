"""The policy language: how many points a document earns, and under which terms. Pure.

`load` reads a document, `check` judges it, `compile_policy` makes it fast, `evaluate` answers.
"""

from rules.adjustments import AdjustmentTerms, Wish, adjustment, adjustment_reasons
from rules.award import Award, Benefit, CapUse, CounterNumber, Grant, Life, Metric
from rules.checks import check
from rules.conversions import Converted, convert
from rules.evaluation import pin
from rules.explanation import ExplainedRule, Explanation, LineShare, SkippedRule, explain
from rules.facts import (
    NOBODY,
    DocumentFacts,
    Instant,
    LineFacts,
    MemberFacts,
    Pins,
    member_from_pins,
    parse_quantity,
)
from rules.goals import goal_of
from rules.lives import Living, fixed_end, life_ends, released_end
from rules.loading import PolicyDocument, load
from rules.model import Referrals, VelocityVerb
from rules.policy import Policy, compile_policy
from rules.redemptions import (
    PeriodLimit,
    RedemptionTerms,
    RewardTerms,
    claim_until,
    hold_terms,
    most_for_basket,
    most_redeemable,
    points_for_money,
    redemption,
    reversal_grace_until,
    reward,
)
from rules.referrals import counts_for_referral, told_in_time
from rules.refunds import pro_rata
from rules.refusal import Finding, PolicyRefused, RulesRefusal
from rules.room import FREE, CapKey, CounterKey, RecordedRoom, Room
from rules.settling import (
    Month,
    PricedIn,
    closed_window,
    month_after,
    month_at,
    month_named,
    point_price,
)
from rules.standing import Held, Span, Standing
from rules.terms import CurrencyTerms, UnitTerms
from rules.tier_answers import Covered, Occasion, TierAnswer
from rules.tiers import NeedProgress, NeedsProgress, Progress, progress, tier_for, tier_ranks
from rules.transfers import Transfer, TransferFacts, fee_of, receiver_limits, transfer
from rules.upgrading import evaluate, evaluate_upgrading
from rules.velocity import SpeedLimit, speed_limit_named, speed_limits
from rules.words import in_words

__all__ = [
    "FREE",
    "NOBODY",
    "AdjustmentTerms",
    "Award",
    "Benefit",
    "CapKey",
    "CapUse",
    "Converted",
    "CounterKey",
    "CounterNumber",
    "Covered",
    "CurrencyTerms",
    "DocumentFacts",
    "ExplainedRule",
    "Explanation",
    "Finding",
    "Grant",
    "Held",
    "Instant",
    "Life",
    "LineFacts",
    "LineShare",
    "Living",
    "MemberFacts",
    "Metric",
    "Month",
    "NeedProgress",
    "NeedsProgress",
    "Occasion",
    "PeriodLimit",
    "Pins",
    "Policy",
    "PolicyDocument",
    "PolicyRefused",
    "PricedIn",
    "Progress",
    "RecordedRoom",
    "RedemptionTerms",
    "Referrals",
    "RewardTerms",
    "Room",
    "RulesRefusal",
    "SkippedRule",
    "Span",
    "SpeedLimit",
    "Standing",
    "TierAnswer",
    "Transfer",
    "TransferFacts",
    "UnitTerms",
    "VelocityVerb",
    "Wish",
    "adjustment",
    "adjustment_reasons",
    "check",
    "claim_until",
    "closed_window",
    "compile_policy",
    "convert",
    "counts_for_referral",
    "evaluate",
    "evaluate_upgrading",
    "explain",
    "fee_of",
    "fixed_end",
    "goal_of",
    "hold_terms",
    "in_words",
    "life_ends",
    "load",
    "member_from_pins",
    "month_after",
    "month_at",
    "month_named",
    "most_for_basket",
    "most_redeemable",
    "parse_quantity",
    "pin",
    "point_price",
    "points_for_money",
    "pro_rata",
    "progress",
    "receiver_limits",
    "redemption",
    "released_end",
    "reversal_grace_until",
    "reward",
    "speed_limit_named",
    "speed_limits",
    "tier_for",
    "tier_ranks",
    "told_in_time",
    "transfer",
]

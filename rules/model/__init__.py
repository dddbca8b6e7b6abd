"""The policy document `loyalty.policy/v1`: every key, its meaning and its default.

The digest is taken over the fully expanded document, so a default that is written out and one
that is left out are the same policy, and a changed default can never change an old one silently.
"""

from rules.model.adjusting import AdjustmentReason, Adjustments, ApprovalLimit
from rules.model.conditions import (
    AttributeTest,
    Birthday,
    CounterTest,
    TimeWindow,
    When,
)
from rules.model.document import PolicyModel
from rules.model.earning import (
    BaseRule,
    BonusRule,
    Cap,
    CurrencyCap,
    EarnRule,
    GrantRule,
    Group,
    MultiplierRule,
    PointsRule,
    Rate,
)
from rules.model.ladder import Need, Tier, Tiers, ValidUntil
from rules.model.lots import (
    EXTENDERS,
    AnniversaryExpiry,
    CalendarDateExpiry,
    Expiry,
    FixedExpiry,
    InactivityExpiry,
    NeverExpiry,
    PeriodEndExpiry,
)
from rules.model.nouns import (
    ACTIVITIES,
    NON_EARNING,
    Benefit,
    Budget,
    BusinessUnit,
    Campaign,
    CategoryEntry,
    Counter,
    Currency,
    MemberAttribute,
    Rounding,
)
from rules.model.part import DocumentKind, Part
from rules.model.referring import Referrals
from rules.model.settling import PointPrice, Settlement
from rules.model.spending import (
    ArrearsLimit,
    Conversion,
    ConversionBonus,
    Documents,
    HoldTerms,
    Limit,
    Redemption,
    Refunds,
    Reversals,
    Reward,
    TransferTerms,
)
from rules.model.velocity import Velocity, VelocityVerb

__all__ = [
    "ACTIVITIES",
    "EXTENDERS",
    "NON_EARNING",
    "AdjustmentReason",
    "Adjustments",
    "AnniversaryExpiry",
    "ApprovalLimit",
    "ArrearsLimit",
    "AttributeTest",
    "BaseRule",
    "Benefit",
    "Birthday",
    "BonusRule",
    "Budget",
    "BusinessUnit",
    "CalendarDateExpiry",
    "Campaign",
    "Cap",
    "CategoryEntry",
    "Conversion",
    "ConversionBonus",
    "Counter",
    "CounterTest",
    "Currency",
    "CurrencyCap",
    "DocumentKind",
    "Documents",
    "EarnRule",
    "Expiry",
    "FixedExpiry",
    "GrantRule",
    "Group",
    "HoldTerms",
    "InactivityExpiry",
    "Limit",
    "MemberAttribute",
    "MultiplierRule",
    "Need",
    "NeverExpiry",
    "Part",
    "PeriodEndExpiry",
    "PointPrice",
    "PointsRule",
    "PolicyModel",
    "Rate",
    "Redemption",
    "Referrals",
    "Refunds",
    "Reversals",
    "Reward",
    "Rounding",
    "Settlement",
    "Tier",
    "Tiers",
    "TimeWindow",
    "TransferTerms",
    "ValidUntil",
    "Velocity",
    "VelocityVerb",
    "When",
]

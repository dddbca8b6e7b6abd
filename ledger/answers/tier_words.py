"""Changes of a tier as lines for a person, English or Chinese: what came, until when, and why."""
# ruff: noqa: RUF001 - Chinese lines have Chinese colons and commas.

from typing import Final

from ledger.answers.receipts import Language
from ledger.answers.telling import Telling
from ledger.core.instant import from_timestamp
from loyalty.v1.events_pb2 import (
    TIER_BASIS_GRACE,
    TIER_CAUSE_GRANT_ENDED,
    TIER_CAUSE_GRANTED,
    TIER_CAUSE_LIFETIME,
    TIER_CAUSE_MERGED,
    TIER_CAUSE_PERIOD_ENDED,
    TIER_CAUSE_REACHED,
    TIER_CAUSE_REFUNDED,
    TIER_CAUSE_UNMERGED,
    TierCause,
    TierChanged,
)

_FIRST: Final[dict[Language, str]] = {"en": "tier {to}", "zh": "会员等级 {to}"}
_SAME: Final[dict[Language, str]] = {"en": "still tier {to}", "zh": "会员等级仍为 {to}"}
_OTHER: Final[dict[Language, str]] = {
    "en": "tier {to} after {before}",
    "zh": "会员等级由 {before} 变为 {to}",
}
_NONE: Final[dict[Language, str]] = {
    "en": "no tier any more after {before}",
    "zh": "不再有会员等级，此前为 {before}",
}
_UNTIL: Final[dict[Language, str]] = {"en": " until {day}", "zh": "，有效期至 {day}"}
_FOR_EVER: Final[dict[Language, str]] = {"en": " without an end", "zh": "，永久有效"}
_WHY: Final[dict[TierCause.ValueType, dict[Language, str]]] = {
    TIER_CAUSE_REACHED: {"en": "by what is counted", "zh": "按累计结果"},
    TIER_CAUSE_LIFETIME: {
        "en": "enough is counted for the tier for ever",
        "zh": "累计已达终身等级",
    },
    TIER_CAUSE_PERIOD_ENDED: {
        "en": "the period of the tier before was over",
        "zh": "上一等级有效期结束",
    },
    TIER_CAUSE_GRANTED: {"en": "given by staff", "zh": "由工作人员授予"},
    TIER_CAUSE_GRANT_ENDED: {
        "en": "the time of what staff gave was over",
        "zh": "工作人员授予的等级到期",
    },
    TIER_CAUSE_REFUNDED: {
        "en": "what had reached the tier before was taken back",
        "zh": "达成上一等级的消费已退回",
    },
    TIER_CAUSE_MERGED: {
        "en": "two accounts became one, and the better tier is kept",
        "zh": "两个账户合并，保留较高等级",
    },
    TIER_CAUSE_UNMERGED: {
        "en": "one account became two again",
        "zh": "账户合并已撤销",
    },
}
_ENDED_BY_STAFF: Final[dict[Language, str]] = {
    "en": "ended by staff",
    "zh": "由工作人员终止",
}
_ON_GRACE: Final[dict[Language, str]] = {
    "en": "the period of the tier was over, and the policy lets it last some days more",
    "zh": "等级有效期结束，按政策延长宽限期",
}
_BENEATH: Final[dict[Language, str]] = {
    "en": "what stood beneath it was taken back, and {tier} follows it",
    "zh": "其下等级的消费已退回，此后为 {tier}",
}
_AT: Final[dict[Language, str]] = {"en": " at {unit}", "zh": "（{unit}）"}
_REASON: Final[dict[Language, str]] = {"en": ", reason: {reason}", "zh": "，原因：{reason}"}
_COLON: Final[dict[Language, str]] = {"en": ": ", "zh": "："}


def tier_line(change: TierChanged, telling: Telling) -> str:
    """Tell a change of a tier: "tier gold after silver until 2027-12-31: given by staff at …"."""
    language = telling.language
    words = _OTHER
    if not change.to_tier:
        words = _NONE
    elif not change.from_tier:
        words = _FIRST
    elif change.from_tier == change.to_tier:
        words = _SAME
    what = words[language].format(to=change.to_tier, before=change.from_tier)
    until = _until(change, telling) if change.to_tier else ""
    return f"{what}{until}{_COLON[language]}{_why(change, language)}"


def _until(change: TierChanged, telling: Telling) -> str:
    if not change.HasField("valid_until_time"):
        return _FOR_EVER[telling.language]
    day = telling.last_day(from_timestamp(change.valid_until_time))
    return _UNTIL[telling.language].format(day=day)


def _why(change: TierChanged, language: Language) -> str:
    words = _WHY[change.cause]
    if change.cause == TIER_CAUSE_GRANT_ENDED and change.entry_id:
        words = _ENDED_BY_STAFF
    elif change.cause == TIER_CAUSE_PERIOD_ENDED and change.basis == TIER_BASIS_GRACE:
        words = _ON_GRACE
    elif change.HasField("beneath"):
        words = _BENEATH
    unit = _AT[language].format(unit=change.granting_unit) if change.granting_unit else ""
    reason = _REASON[language].format(reason=change.reason) if change.reason else ""
    told = words[language].format(tier=change.beneath.tier)
    return f"{told}{unit}{reason}"

"""The facts of an entry as lines for a person, English or Chinese: what moved, and from where."""
# ruff: noqa: RUF001 - Chinese lines have Chinese colons and commas.

from collections.abc import Iterable, Iterator
from typing import Any, Final

from ledger.answers.receipts import Language
from ledger.answers.telling import Telling
from ledger.answers.tier_words import tier_line
from ledger.core.events import AnyFact, fields_of, kind_of
from ledger.core.instant import from_timestamp
from loyalty.v1.events_pb2 import (
    RELEASE_CAUSE_LOT_EXPIRED,
    RETURN_CAUSE_CANCELLED,
    RETURN_CAUSE_DECLINED,
    RETURN_CAUSE_REFUSED,
    RETURN_CAUSE_TIMED_OUT,
    HoldReleased,
    PointsBurned,
    PointsReceived,
    PointsReturned,
    ReturnCause,
    TierChanged,
)
from loyalty.v1.types_pb2 import Draw, MovedLot

_FACTS: Final[dict[str, dict[Language, str]]] = {
    "points_earned": {
        "en": "{points} earned at {unit}, paid for by {funder}, {lasting}",
        "zh": "在 {unit} 获得 {points}，由 {funder} 承担，{lasting}",
    },
    "points_pended": {
        "en": "{points} earned at {unit}, not to be spent yet",
        "zh": "在 {unit} 获得 {points}，尚不可用",
    },
    "points_released": {"en": "{points} can be spent now", "zh": "{points} 已可使用"},
    "points_burned": {"en": "{points} spent at {unit}", "zh": "在 {unit} 使用 {points}"},
    "points_held": {
        "en": "{points} set aside by {unit} for hold {hold}",
        "zh": "{unit} 为预留 {hold} 冻结 {points}",
    },
    "hold_captured": {
        "en": "{points} of hold {hold} spent at {unit}",
        "zh": "在 {unit} 使用预留 {hold} 中的 {points}",
    },
    "hold_released": {
        "en": "{points} of hold {hold} came back",
        "zh": "预留 {hold} 退回 {points}",
    },
    "points_expired": {
        "en": "{points} issued by {unit} expired",
        "zh": "{unit} 发放的 {points} 已过期",
    },
    "points_clawed_back": {
        "en": "{points} taken back, for the document gives less now",
        "zh": "单据积分减少，收回 {points}",
    },
    "pending_clawed_back": {
        "en": "{points} taken back before they could be spent",
        "zh": "收回尚不可用的 {points}",
    },
    "arrears_incurred": {
        "en": "{points} were to be taken back and were gone: they are owed",
        "zh": "应收回的 {points} 已不足，记为欠分",
    },
    "arrears_repaid": {"en": "{points} that were owed are repaid", "zh": "偿还欠分 {points}"},
    "clawback_written_off": {
        "en": "{points} were to be taken back and were gone: {unit} bears them",
        "zh": "应收回的 {points} 已不足，由 {unit} 承担",
    },
    "burn_reversed": {
        "en": "{points} of entry {burn} given back",
        "zh": "退回交易 {burn} 的 {points}",
    },
    "reversal_reversed": {
        "en": "{points} of entry {burn} spent again",
        "zh": "交易 {burn} 的 {points} 重新使用",
    },
    "opening_lot_recorded": {
        "en": "{points} brought in from an older programme",
        "zh": "从旧计划转入 {points}",
    },
    "document_claimed": {
        "en": "the document is a member's from now on",
        "zh": "该单据已归入会员账户",
    },
    "document_moved_out": {
        "en": "the document is another account's from now on: what it gave here is taken back",
        "zh": "该单据已转至其他账户，收回其积分",
    },
    "lot_reinstated": {
        "en": "{points} issued by {unit} came back: they had not expired when they were spent",
        "zh": "{unit} 发放的 {points} 恢复有效：使用时尚未过期",
    },
    "membership_changed": {
        "en": "membership changed at {unit}: {reason}",
        "zh": "{unit} 变更会员状态：{reason}",
    },
    "adjustment_made": {
        "en": "changed by hand at {unit}, reason {reason}{agreed}",
        "zh": "{unit} 手工调整，原因 {reason}{agreed}",
    },
    "points_adjusted": {
        "en": "{points} given, paid for by {funder}, {lasting}",
        "zh": "赠予 {points}，由 {funder} 承担，{lasting}",
    },
    "adjustment_proposed": {
        "en": "a change by hand proposed at {unit}, reason {reason}; a second person has to agree",
        "zh": "{unit} 提议手工调整，原因 {reason}，待第二人审批",
    },
    "adjustment_rejected": {
        "en": "proposal {proposal} turned down",
        "zh": "提议 {proposal} 已被拒绝",
    },
    "points_sent": {
        "en": "{points} sent to {other}; in transit until they arrive or come back",
        "zh": "向 {other} 转出 {points}，到账或退回前为在途",
    },
    "points_received": {"en": "{points} received from {other}", "zh": "收到 {other} 的 {points}"},
    "transfer_completed": {
        "en": "{points} have arrived at {other}",
        "zh": "{points} 已由 {other} 收到",
    },
    "points_returned": {
        "en": "{points} sent to {other} came back: {cause}",
        "zh": "转给 {other} 的 {points} 已退回：{cause}",
    },
    "points_converted": {
        "en": "{points} became {received}, which {unit} issues",
        "zh": "{points} 兑换为由 {unit} 发放的 {received}",
    },
    "converted_points_issued": {
        "en": "{points} issued by {unit}, {lasting}",
        "zh": "{unit} 发放 {points}，{lasting}",
    },
    "lot_extended": {
        "en": "the points of lot {lot} expire {ends} instead of {ended}: {reason}",
        "zh": "批次 {lot} 的积分有效期由 {ended} 延至 {ends}：{reason}",
    },
    "recall_made": {
        "en": "recall {recall} by {unit}: {reason}",
        "zh": "{unit} 的追回 {recall}：{reason}",
    },
    "points_quarantined": {
        "en": "{points} set aside by recall {recall}: they cannot be spent meanwhile",
        "zh": "追回 {recall} 冻结 {points}，期间不可使用",
    },
    "pending_quarantined": {
        "en": "{points} that cannot be spent yet set aside by recall {recall}",
        "zh": "追回 {recall} 冻结尚不可用的 {points}",
    },
    "quarantine_lifted": {
        "en": "{points} came back from recall {recall}",
        "zh": "追回 {recall} 退回 {points}",
    },
    "pending_quarantine_lifted": {
        "en": "{points} that cannot be spent yet came back from recall {recall}",
        "zh": "追回 {recall} 退回尚不可用的 {points}",
    },
    "quarantine_clawed_back": {
        "en": "{points} that recall {recall} had set aside taken back",
        "zh": "收回追回 {recall} 已冻结的 {points}",
    },
}
_BY_HAND: Final[dict[str, dict[Language, str]]] = {
    "points_clawed_back": {"en": "{points} taken", "zh": "扣除 {points}"},
    "pending_clawed_back": {
        "en": "{points} taken before they could be spent",
        "zh": "扣除尚不可用的 {points}",
    },
    "arrears_incurred": {
        "en": "{points} were to be taken and were not there: they are owed",
        "zh": "应扣除的 {points} 不足，记为欠分",
    },
    "clawback_written_off": {
        "en": "{points} were to be taken and were not there: {unit} bears them",
        "zh": "应扣除的 {points} 不足，由 {unit} 承担",
    },
}
"""In place of what is said of a document."""
_AGREED: Final[dict[Language, str]] = {
    "en": ", with the agreement of a second person",
    "zh": "，已经第二人审批",
}
_WHY: Final[dict[str, dict[Language, str]]] = {
    "points_burned": {
        "en": "Points that expire first are spent first:",
        "zh": "先到期的积分先使用：",
    },
    "points_held": {
        "en": "Points that expire first are set aside first:",
        "zh": "先到期的积分先冻结：",
    },
    "hold_captured": {
        "en": "Out of what was set aside, in its order:",
        "zh": "按冻结顺序从预留积分中使用：",
    },
    "burn_reversed": {
        "en": "To the lots they came from, with the expiry they had:",
        "zh": "退回原批次，有效期不变：",
    },
    "reversal_reversed": {
        "en": "Out of the lots to which they had been given back:",
        "zh": "从退回的批次中扣除：",
    },
    "hold_released": {
        "en": "To the lots they were set aside from:",
        "zh": "退回冻结时的批次：",
    },
    "points_clawed_back": {
        "en": "From the lots of the document first, then from others:",
        "zh": "先从该单据的批次收回，再从其他批次收回：",
    },
    "points_sent": {
        "en": "Points that expire first are sent first:",
        "zh": "先到期的积分先转出：",
    },
    "points_returned": {
        "en": "To the lots they came from, with the expiry they had:",
        "zh": "退回原批次，有效期不变：",
    },
    "points_converted": {
        "en": "Points that expire first are converted first:",
        "zh": "先到期的积分先兑换：",
    },
    "points_expired": {
        "en": "Their time had passed: {ends}",
        "zh": "有效期已过：{ends}",
    },
}
_DRAW: Final[dict[Language, str]] = {
    "en": "  {points} of what {issuer} gave on {earned}, {lasting}, paid for by {funder}",
    "zh": "  {issuer} 于 {earned} 发放的 {points}，{lasting}，由 {funder} 承担",
}
_ARRIVED: Final[dict[Language, str]] = {
    "en": "  {points} that {issuer} gave on {earned}, {lasting}, paid for by {funder}",
    "zh": "  {issuer} 于 {earned} 发放的 {points}，{lasting}，由 {funder} 承担",
}
_FEE: Final[dict[Language, str]] = {
    "en": "{points} taken as a fee by {unit}",
    "zh": "{unit} 收取手续费 {points}",
}
_EXPIRED_HELD: Final[dict[Language, str]] = {
    "en": "{points} of hold {hold} came back, for their time has passed",
    "zh": "预留 {hold} 中的 {points} 因到期而退回",
}
_CAUSES: Final[dict[ReturnCause.ValueType, dict[Language, str]]] = {
    RETURN_CAUSE_REFUSED: {"en": "the account could not take them", "zh": "对方账户无法接收"},
    RETURN_CAUSE_DECLINED: {"en": "they were declined", "zh": "对方拒收"},
    RETURN_CAUSE_CANCELLED: {"en": "they were taken back", "zh": "已撤回"},
    RETURN_CAUSE_TIMED_OUT: {"en": "they were not accepted in time", "zh": "逾期未接受"},
}
_NEVER: Final[dict[Language, str]] = {"en": "never", "zh": "永久"}
_LIVES: Final[dict[Language, str]] = {"en": "by {expiry}", "zh": "按 {expiry}"}
_LASTING: Final[dict[Language, str]] = {"en": "good through {ends}", "zh": "有效期至 {ends}"}
_LASTING_BY: Final[dict[Language, str]] = {"en": "to expire {ends}", "zh": "有效期{ends}"}
_LASTING_EVER: Final[dict[Language, str]] = {"en": "never to expire", "zh": "永久有效"}


def fact_lines(facts: Iterable[AnyFact], telling: Telling) -> Iterator[str]:
    """Tell what happened, fact by fact, and which lots were drawn or refilled."""
    for fact in facts:
        kind = kind_of(fact)
        if isinstance(fact, TierChanged):
            yield tier_line(fact, telling)
        elif kind in _FACTS:
            yield from _told(fact, kind, telling)


def _told(fact: Any, kind: str, telling: Telling) -> Iterator[str]:
    language, shown, _ = telling
    has = fields_of(fact)

    def text(field: str) -> str:
        return str(getattr(fact, field)) if field in has else ""

    by_hand = "document" in has and not fact.document and kind in _BY_HAND
    words = (_BY_HAND if by_hand else _FACTS)[kind]
    if isinstance(fact, HoldReleased) and fact.cause == RELEASE_CAUSE_LOT_EXPIRED:
        words = _EXPIRED_HELD
    if isinstance(fact, PointsBurned) and fact.fee:
        words = _FEE
    yield words[language].format(
        points=shown(fact.currency, fact.points) if "points" in has else "",
        unit=text("business_unit"),
        funder=text("funder"),
        hold=text("hold_id"),
        recall=text("recall_id"),
        burn=text("burn_entry_id"),
        reason=text("reason"),
        agreed=_AGREED[language] if text("approver") else "",
        proposal=text("proposal_id"),
        lot=text("lot_id"),
        ended=_last_day(fact, "expire_time_before", telling),
        other=text("receiver_id") or text("sender_id"),
        cause=_cause(fact, language),
        received=shown(fact.into, fact.received) if "into" in has else "",
        ends=_end(fact, telling),
        lasting=_lasting(fact, telling),
    )
    if "draws" in has and fact.draws:
        if kind in _WHY and not by_hand:
            yield _WHY[kind][language]
        for draw in fact.draws:
            yield _lot_line(draw, fact.currency, _DRAW[language], telling)
    elif isinstance(fact, PointsReceived):
        for lot in fact.lots:
            yield _lot_line(lot, fact.currency, _ARRIVED[language], telling)


def _cause(fact: AnyFact, language: Language) -> str:
    if not isinstance(fact, PointsReturned):
        return ""
    return _CAUSES[fact.cause][language] + (f" ({fact.reason})" if fact.reason else "")


def _lot_line(part: Draw | MovedLot, currency: str, words: str, telling: Telling) -> str:
    return words.format(
        points=telling.shown(currency, part.points),
        issuer=part.issuer,
        earned=telling.day(from_timestamp(part.earned_time)),
        lasting=_lasting(part, telling),
        funder=part.funder,
    )


def expiry_line(lot: Any, telling: Telling) -> str:
    """Say why a lot expired: the end that it was given when it was earned."""
    return _WHY["points_expired"][telling.language].format(ends=_end(lot, telling))


def _end(fact: Any, telling: Telling) -> str:
    """When points expire: their last day, or by which expiry of the policy."""
    if _by_policy(fact):
        return _LIVES[telling.language].format(expiry=fact.life.expiry)
    return _last_day(fact, "expire_time", telling)


def _by_policy(fact: Any) -> bool:
    return "life" in fact.DESCRIPTOR.fields_by_name and fact.HasField("life")


def _lasting(fact: Any, telling: Telling) -> str:
    """How long points live, as a clause: "good through 2027-08-02", "never to expire"."""
    language = telling.language
    ends = _end(fact, telling)
    if ends == _NEVER[language]:
        return _LASTING_EVER[language]
    return (_LASTING_BY if _by_policy(fact) else _LASTING)[language].format(ends=ends)


def _last_day(fact: Any, field: str, telling: Telling) -> str:
    if field not in fact.DESCRIPTOR.fields_by_name or not fact.HasField(field):
        return _NEVER[telling.language]
    return telling.last_day(from_timestamp(getattr(fact, field)))

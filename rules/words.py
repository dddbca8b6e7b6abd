"""An explanation as lines for a person, in English or Chinese."""
# ruff: noqa: RUF001 - Chinese lines have Chinese colons, commas and brackets.

import re
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Literal, NamedTuple

from rules.explanation import ExplainedRule, Explanation
from rules.policy import Policy
from rules.terms import CurrencyTerms
from rules.values import Title

Language = Literal["en", "zh"]


class _Words(NamedTuple):
    """One text in both languages; `{0}` stands for what the pattern caught."""

    en: str
    zh: str


_NOTES = {
    "row": _Words("{title}: {points} {currency}", "{title}：{points} {currency}"),
    "exact": _Words("{exact} exactly, {mode} {place}", "精确值 {exact}，{place}{mode}"),
    "cut": _Words("{wanted} wanted, limited by {cap}", "应得 {wanted}，受 {cap} 限制"),
    "none left": _Words("nothing left of {cap}", "{cap} 已用完"),
    "line": _Words("on line {lines}", "适用行 {lines}"),
    "lines": _Words("on lines {lines}", "适用行 {lines}"),
    "at tier": _Words("{exact} at {tier}", "{tier} 等级 {exact}"),
    "benefit": _Words("{title}: {benefit}", "{title}：{benefit}"),
    "skipped": _Words("{title}: nothing, {why}", "{title}：无，{why}"),
    "number": _Words("Number {number} in {counter}", "{counter} 第 {number} 次"),
    "held out": _Words("Held out of campaign {campaign}", "未参加活动 {campaign}（对照组）"),
    "noted": _Words("{told} ({notes})", "{told}（{notes}）"),
}

_BETWEEN = {
    "notes": _Words("; ", "；"),
    "parts": _Words(", ", "，"),
    "names": _Words(", ", "、"),
}

_MODES = {
    "floor": _Words("rounded down", "向下取整"),
    "ceil": _Words("rounded up", "向上取整"),
    "half_up": _Words("rounded, halves up", "四舍五入"),
    "half_even": _Words("rounded, halves to the even", "四舍六入五成双"),
    "whole": _Words("whole ones alone", "只计整份"),
}
_PLACES = {
    "line": _Words("line by line", "按行"),
    "rule": _Words("over all its lines", "按规则合计"),
    "transaction": _Words("over the whole document", "按整单合计"),
}

_CONDITIONS = {
    "business_unit": _Words("not at this business unit", "不适用于该业务单元"),
    "channel": _Words("not in this channel", "不适用于该渠道"),
    "store": _Words("not in this store", "不适用于该门店"),
    "kind": _Words("not for this kind of document", "不适用于此类单据"),
    "activity": _Words("not for this activity", "不适用于该活动行为"),
    "payment": _Words("not paid in the way it asks for", "支付方式不符"),
    "coupon": _Words("without its coupon", "未使用所需优惠券"),
    "tier": _Words("not for this tier", "会员等级不符"),
    "segment_any": _Words("not for this group of members", "不属于适用的会员群"),
    "segment_none": _Words("not for this group of members", "所属会员群不适用"),
    "member": _Words("the member does not fit", "会员条件不符"),
    "birthday": _Words("not near the birthday", "不在生日期间"),
    "first_purchase": _Words("not the first purchase", "不是首次购买"),
    "counter": _Words("not the number it asks for", "次数不符"),
    "window": _Words("not at this time", "不在有效时间内"),
    "nights_min": _Words("too few nights", "入住晚数不足"),
    "basket_min": _Words("the basket is too small", "消费金额不足"),
    "category": _Words("none of its categories", "没有适用的品类"),
    "category_not": _Words("only categories it leaves out", "品类被排除"),
    "brand": _Words("none of its brands", "没有适用的品牌"),
    "brand_not": _Words("only brands it leaves out", "品牌被排除"),
    "sku": _Words("none of its articles", "没有适用的商品"),
    "sku_not": _Words("only articles it leaves out", "商品被排除"),
    "line_min": _Words("no line is large enough", "单行金额不足"),
    "quantity_min": _Words("too small a quantity", "数量不足"),
    "expr": _Words("its expression is not true", "表达式条件不成立"),
    "holdout": _Words("held out of its campaign", "属于活动对照组"),
    "status": _Words("the document is cancelled", "单据已取消"),
    "before_enrolment": _Words("bought before enrolment", "入会前的消费"),
}

_REASONS = (
    ("no eligible line", _Words("nothing that earns was bought", "没有可积分的商品")),
    (r"base rule '(.*)' comes first", _Words("{0} comes first", "{0} 优先")),
    (r"'(.*)' of its group counts instead", _Words("{0} counts instead", "改用 {0}")),
    (
        r"its group is kept out by group '(.*)'",
        _Words("kept out by group {0}", "被组 {0} 排除"),
    ),
    (
        r"its group has reached its factor of (.*)",
        _Words("its group is at its limit of {0} times", "所在组已达 {0} 倍上限"),
    ),
    (
        "no base points to raise",
        _Words("there are no base points to raise", "没有可加倍的基础积分"),
    ),
    ("a factor of 1 adds nothing", _Words("a factor of 1 adds nothing", "倍数为 1，无增加")),
    ("it comes to no whole point", _Words("less than a whole point", "不足一个积分")),
)


def in_words(why: Explanation, policy: Policy, language: Language = "en") -> tuple[str, ...]:
    """Tell each rule that gave something, then each that did not and why.

    Numbers that the document has in counters and campaigns that the member is held out of come
    last. Rules are called by their titles, or by their ids where they have none.
    """
    return tuple(_Teller(why, policy, language).lines())


def title_of(title: Title, rule: str, language: Language) -> str:
    """Give a rule's title in a language, or in the one there is, or its id."""
    if isinstance(title, str):
        return title or rule
    return title.get(language) or next(iter(title.values()))


class _Teller:
    """Tells one explanation in one language."""

    def __init__(self, why: Explanation, policy: Policy, language: Language) -> None:
        self._why = why
        self._currencies = policy.currencies
        self._language = language
        rules = policy.plans.rules
        self._titles = {rule.id: title_of(rule.title, rule.id, language) for rule in rules}

    def lines(self) -> Iterator[str]:
        for row in self._why.rows:
            yield self._row(row)
        for skip in self._why.skipped:
            why = self._reason(skip.condition)
            yield self._note("skipped", title=self._titles[skip.rule], why=why)
        for counter, number in self._why.numbers:
            yield self._note("number", number=str(number), counter=counter.counter)
        for campaign in self._why.held_out:
            yield self._note("held out", campaign=campaign)

    def _row(self, row: ExplainedRule) -> str:
        title = self._titles[row.rule]
        if row.benefit:
            return self._note("benefit", title=title, benefit=row.benefit)
        currency = self._currencies[row.currency]
        notes = list(self._notes(row, currency))
        points = _points(row.granted, currency)
        text = self._note("row", title=title, points=f"+{points}", currency=currency.id)
        return self._note("noted", told=text, notes=self._joined("notes", notes)) if notes else text

    def _notes(self, row: ExplainedRule, currency: CurrencyTerms) -> Iterator[str]:
        names = [share.line_id for share in row.lines if share.line_id]
        if names:
            lines = dict.fromkeys(names)
            told = "lines" if len(lines) > 1 else "line"
            yield self._note(told, lines=self._joined("names", lines))
        parts = list(self._parts(row, currency))
        if parts:
            yield self._joined("parts", parts)
        if row.exact != row.wanted:
            exact = _exact(row.exact, currency)
            mode, place = row.rounding.partition(",")[0].split(" at ")
            yield self._note(
                "exact", exact=exact, mode=self._in(_MODES[mode]), place=self._in(_PLACES[place])
            )
        if row.cut_by and not row.granted:
            yield self._note("none left", cap=row.cut_by)
        elif row.cut_by:
            wanted = _points(row.wanted, currency)
            yield self._note("cut", wanted=wanted, cap=row.cut_by)

    def _parts(self, row: ExplainedRule, currency: CurrencyTerms) -> Iterator[str]:
        """Tell what was given at each tier, for a document that is split between tiers."""
        sums: dict[str, Fraction] = {}
        for share in row.lines:
            if share.tier:
                sums[share.tier] = sums.get(share.tier, Fraction(0)) + share.exact
        for tier, exact in sums.items():
            yield self._note("at tier", exact=_exact(exact, currency), tier=tier)

    def _reason(self, condition: str) -> str:
        for pattern, words in _REASONS:
            match = re.fullmatch(pattern, condition)
            if match is not None:
                caught = (self._titles.get(name, name) for name in match.groups())
                return self._in(words).format(*caught)
        key = re.sub(r"\[\d+\]$", "", condition).rpartition(".")[2]
        known = _CONDITIONS.get(key)
        return self._note("noted", told=self._in(known), notes=condition) if known else condition

    def _note(self, key: str, **values: str) -> str:
        return self._in(_NOTES[key]).format(**values)

    def _joined(self, between: str, texts: Iterable[str]) -> str:
        return self._in(_BETWEEN[between]).join(texts)

    def _in(self, words: _Words) -> str:
        return words.zh if self._language == "zh" else words.en


def _points(points: int, currency: CurrencyTerms) -> str:
    """Write points with the decimals of their currency."""
    whole, rest = divmod(points, 10**currency.scale)
    return f"{whole}.{rest:0{currency.scale}}" if currency.scale else str(whole)


def _exact(points: Fraction, currency: CurrencyTerms) -> str:
    """Write exact points: as decimals where these end, else as a fraction."""
    exact = points / 10**currency.scale
    shifted = exact * 10**6
    if shifted.denominator != 1:
        return str(exact)
    sign = "-" if shifted < 0 else ""
    whole, rest = divmod(abs(int(shifted)), 10**6)
    return f"{sign}{whole}.{rest:06}".rstrip("0").rstrip(".")

"""Explanations as a person reads them, in English and in Chinese."""
# ruff: noqa: RUF001 - Chinese lines have Chinese colons, commas and brackets.

import pytest

from rules import MemberFacts, Policy, explain
from rules.words import in_words
from tests.rules.documents import HEAD, SMALL, document, policy
from tests.rules.test_cases import CASES, Case, CaseRoom, facts, member_of, room_of

POLICY = policy(
    HEAD
    + """
currencies: [{id: p, role: spendable}, {id: c, role: spendable, scale: 2}]
business_units: [{id: a, zone: UTC, currency: EUR}]
benefits: [{id: towel, kind: gift}]
campaigns: [{id: beach, holdout: "99.9999%"}]
groups: [{id: g}]
counters: [{id: visit}]
earn:
  - {kind: base, id: base, title: {en: A point per euro, zh: 每欧元一分}, currency: p, rate: {points: 1, per: "1.00"}, caps: [{points: 100, window: local_day}]}
  - {kind: base, id: cents, currency: c, rate: {points: 100, per: "3.00"}}
  - {kind: multiplier, id: two, title: Double, currency: p, factor: 2, group: g, when: {channel: [pos]}}
  - {kind: multiplier, id: three, title: Triple, currency: p, factor: 3, group: g, when: {channel: [pos]}}
  - {kind: bonus, id: sand, currency: p, points: 5, campaign: beach}
  - {kind: bonus, id: big, title: Big basket, currency: p, points: 5, when: {any: [{basket_min: "500.00"}]}}
  - {kind: grant, id: towel, title: A towel, benefit: towel}
"""  # noqa: E501 - one rule a line
)
SALE = document((("food", 12050), ("food", 100)))
ROOM = CaseRoom({"used": {"cap/base.1": "40"}, "numbers": {"visit": "3"}})


def told(language: str) -> tuple[str, ...]:
    why = explain(POLICY, SALE, MemberFacts(member_id="m"), room=ROOM)
    return in_words(why, POLICY, "zh" if language == "zh" else "en")


def test_an_english_reader_is_told_what_gave_what_and_why_not() -> None:
    assert told("en") == (
        "A point per euro: +60 p (on lines 1, 2; 121.5 exactly, rounded down over all its lines; "
        "121 wanted, limited by cap/base.1)",
        "cents: +40.50 c (on lines 1, 2)",
        "Triple: +243 p (on lines 1, 2)",
        "A towel: towel",
        "Double: nothing, Triple counts instead",
        "Big basket: nothing, the basket is too small (when.any[0].basket_min)",
        "sand: nothing, held out of its campaign (campaign.holdout)",
        "Number 3 in visit",
        "Held out of campaign beach",
    )


def test_a_chinese_reader_is_told_the_same() -> None:
    assert told("zh") == (
        "每欧元一分：+60 p（适用行 1、2；精确值 121.5，按规则合计向下取整；"
        "应得 121，受 cap/base.1 限制）",
        "cents：+40.50 c（适用行 1、2）",
        "Triple：+243 p（适用行 1、2）",
        "A towel：towel",
        "Double：无，改用 Triple",
        "Big basket：无，消费金额不足（when.any[0].basket_min）",
        "sand：无，属于活动对照组（campaign.holdout）",
        "visit 第 3 次",
        "未参加活动 beach（对照组）",
    )


@pytest.mark.parametrize(("compiled", "case"), [c for c in CASES if "refused" not in c.values[1]])
def test_every_rule_of_every_case_has_its_line(compiled: Policy, case: Case) -> None:
    why = explain(compiled, facts(case), member_of(case), room=room_of(case))
    for language in ("en", "zh"):
        lines = in_words(why, compiled, "zh" if language == "zh" else "en")
        more = len(why.numbers) + len(why.held_out)
        assert len(lines) == len(compiled.model.earn) + more
        # A reason that has no words would be told as it is kept, without its path in brackets.
        bare = [line for line in lines if line.endswith(tuple(s.condition for s in why.skipped))]
        assert all("nothing to" in line or "factor of 1" in line for line in bare)


def test_a_reader_is_told_that_whole_ones_alone_count() -> None:
    rule = '{kind: base, id: r, currency: p, rate: {points: 5, per: "2.00", whole: true}}'
    whole = policy(SMALL[: SMALL.index("earn")] + f"earn: [{rule}]")
    why = explain(whole, document((("food", 399),)), MemberFacts())
    assert in_words(why, whole, "en") == (
        "r: +5 p (on line 1; 9.975 exactly, whole ones alone over all its lines)",
    )
    assert "只计整份" in in_words(why, whole, "zh")[0]

"""Sentences for a person, in two languages."""

# ruff: noqa: RUF001 - Chinese sentences have Chinese brackets and commas.

import pytest

from rules.expr import environment, parse, read, sentence, with_predicates
from rules.expr.types import Environment
from rules.expr.words import _CHINESE, _ENGLISH
from tests.rules.expr.samples import ENVIRONMENT

SAID = {
    "tx.nights >= 2 && member.kids == 0": (
        "nights of the stay are at least 2 and the member's kids is 0",
        "入住晚数至少为 2，且会员的“kids”等于 0",
    ),
    "(tx.unit == 'a' || tx.stays < 3) && !member.vip": (
        "(the business unit is “a” or stays are less than 3) "
        "and (it is not so that the member's vip is true)",
        "（业务单元等于 “a”，或入住次数小于 3），且（并非会员的“vip”为真）",
    ),
    "lines.exists(l, l.category.startsWith('room/') && l.net >= 1000)": (
        "for some line, its category begins with “room/” "
        "and its net amount in minor units is at least 1000",
        "至少有一行满足：该行品类以 “room/” 开头，且该行净额（最小货币单位）至少为 1000",
    ),
    "size(lines.filter(l, l.eligible)) > 1 || size(lines) == 4": (
        "the number of lines for which its eligibility is true is more than 1 "
        "or the number of lines is 4",
        "满足“该行可积分状态为真”的行数大于 1，或行数等于 4",
    ),
    "counter.visits % 5 == 0": (
        "(the remainder of the counter visits divided by 5) is 0",
        "（计数器“visits”除以 5 的余数）等于 0",
    ),
    "tx.local_weekday in [6, 7] ? 'vip' in member.tags : has(member.tier)": (
        "if the local weekday (1 is Monday) is one of 6, 7, then “vip” is among the member's tags, "
        "otherwise the member's tier is known",
        "如果当地星期（1 为星期一）为 6、7 之一，则会员的“tags”包含 “vip”，否则会员的“tier”已知",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "said"), SAID.items())
def test_a_condition_is_said_in_english_and_chinese(text: str, said: tuple[str, str]) -> None:
    node = read(text, ENVIRONMENT)
    assert (sentence(node, "en"), sentence(node, "zh")) == said


def test_a_predicate_is_said_like_what_it_stands_for() -> None:
    node = parse("tx.nights > 1 && (member.kids == 0 || member.vip) && tx.unit == 'a'")
    assert sentence(with_predicates(node), "en") == sentence(node, "en")


def test_every_name_of_the_environment_has_words_in_both_languages() -> None:
    standard: Environment = environment({}, [])
    names = {f"tx.{field}" for field in standard.roots["tx"]}
    names |= {f"line.{field}" for field in standard.line} | {"lines", "member", "counter"}
    assert set(_ENGLISH.names) == set(_CHINESE.names) == names
    assert set(_ENGLISH.forms) == set(_CHINESE.forms)

"""`loyalty tier` in both languages: nothing is left to be said in English alone."""
# ruff: noqa: RUF001 - Chinese lines have Chinese commas.

from typing import get_args

import pytest

from loyalty.v1.account_service_pb2 import GetTierResponse
from loyalty.v1.events_pb2 import TIER_BASIS_GRANTED, TierBasis
from rules.model import Need
from server.cli import console
from server.cli.policy_files import Language
from server.cli.tier_words import WORDS
from server.cli.tiers import print_tier


@pytest.mark.parametrize("lang", Language)
def test_every_right_by_which_a_tier_is_held_but_the_usual_one_has_words(lang: Language) -> None:
    names = {
        TierBasis.Name(each).removeprefix("TIER_BASIS_").lower() for each in TierBasis.values()
    }
    assert set(WORDS[lang].rights) == names - {"unspecified", "earned"}


def test_every_metric_has_a_chinese_word() -> None:
    metrics = get_args(Need.model_fields["metric"].annotation)
    assert set(WORDS[Language.ZH].metrics) == set(metrics)


def test_a_tier_is_told_in_chinese() -> None:
    told = GetTierResponse(member_id="m-1", tier="gold", basis=TIER_BASIS_GRANTED, next_tier="top")
    told.valid_until_time.FromJsonString("2028-01-01T00:00:00Z")
    told.reach.add().needs.add(metric="nights", have=1, want=3, missing=2)
    with console.out.capture() as captured:
        print_tier(told, Language.ZH)
    lines = captured.get().splitlines()
    assert lines[0] == "会员 m-1   等级 gold，有效期至 2028-01-01 00:00 UTC   (由工作人员授予)"
    assert lines[1] == "升至 top 还需"
    assert lines[-1] == "任何累计都不能在 2028-01-01 00:00 UTC 之后保留 gold"
    assert lines[5].split() == ["间夜", "所有单元", "从一开始", "不限期", "1", "3", "2"]

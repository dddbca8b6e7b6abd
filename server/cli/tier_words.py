"""The words of `loyalty tier`, English and Chinese."""
# ruff: noqa: RUF001 - Chinese words have Chinese colons and commas.

from collections.abc import Mapping
from typing import Final, NamedTuple

from server.cli.policy_files import Language


class Words(NamedTuple):
    """What the command says beside ids, times and numbers."""

    member: str
    tier: str
    no_tiers: str
    until: str
    rights: Mapping[str, str]
    reach: str
    keep: str
    kept: str
    lost: str
    projected: str
    needs: tuple[str, ...]
    either: str
    both: str
    anywhere: str
    for_life: tuple[str, str]
    metrics: Mapping[str, str]
    history: str
    changes: tuple[str, ...]
    due: str


WORDS: Final[Mapping[Language, Words]] = {
    Language.EN: Words(
        member="member",
        tier="tier",
        no_tiers="the programme has no tiers",
        until=" until {}",
        rights={
            "granted": "given by staff",
            "grace": "on grace, after its period",
            "lifetime": "for ever",
        },
        reach="To reach {tier}",
        keep="To keep {tier} beyond {until}",
        kept="Enough to keep {tier} beyond {until}",
        lost="nothing that is counted keeps {tier} beyond {until}",
        projected="as things stand, from {at}: {tier}",
        needs=("", "what", "where", "from", "until", "have", "want", "missing"),
        either="or",
        both="and",
        anywhere="anywhere",
        for_life=("the beginning", "for ever"),
        metrics={"qualifying_points": "qualifying points"},
        history="How it came about, newest first",
        changes=("from", "what", "entry"),
        due="due, not recorded yet",
    ),
    Language.ZH: Words(
        member="会员",
        tier="等级",
        no_tiers="本计划没有会员等级",
        until="，有效期至 {}",
        rights={"granted": "由工作人员授予", "grace": "宽限期内", "lifetime": "终身"},
        reach="升至 {tier} 还需",
        keep="{until} 之后保留 {tier} 还需",
        kept="{until} 之后保留 {tier} 的条件已满足",
        lost="任何累计都不能在 {until} 之后保留 {tier}",
        projected="按目前情况，自 {at} 起：{tier}",
        needs=("", "内容", "适用单元", "起", "止", "已有", "需要", "尚缺"),
        either="或",
        both="且",
        anywhere="所有单元",
        for_life=("从一开始", "不限期"),
        metrics={
            "qualifying_points": "定级积分",
            "spend": "消费额",
            "nights": "间夜",
            "stays": "入住次数",
            "visits": "到访天数",
            "purchases": "消费次数",
            "counter": "计数",
        },
        history="等级由来，最新在前",
        changes=("自", "变化", "交易"),
        due="已到期，尚未入账",
    ),
}

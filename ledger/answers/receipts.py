"""What a receipt may say of a posted document: a few short lines, in English or Chinese."""
# ruff: noqa: RUF001 - Chinese lines have a Chinese colon and comma.

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final, Literal

import rules
from ledger.answers.postings import numbers_of
from loyalty.v1.events_pb2 import DocumentPosted
from rules.values import Title
from rules.words import title_of

Language = Literal["en", "zh"]

_EARNED: Final = {"en": "{title}: +{points} {currency}", "zh": "{title}：+{points} {currency}"}
_CUT: Final = {"en": "{line}, limit {cap} reached", "zh": "{line}，已达 {cap} 上限"}
_BENEFIT: Final = {"en": "{title}: {quantity} × {benefit}", "zh": "{title}：{benefit} × {quantity}"}
_NUMBER: Final = {
    "en": "{counter}: {number} of {goal}",
    "zh": "{counter}：第 {number} 次，共 {goal} 次",
}


def language_of(text: str) -> Language:
    """The language that was asked for; English where none was."""
    return "zh" if text == "zh" else "en"


@lru_cache(maxsize=64)
def titles(policy: rules.Policy, language: Language) -> Mapping[str, str]:
    """What people call the rules of a policy, by id."""
    return {rule.id: title_of(rule.title, rule.id, language) for rule in policy.model.earn}


def receipt_lines(policy: rules.Policy, posted: DocumentPosted, language: Language) -> list[str]:
    """Tell what each rule gave for a document, in total, what cut it short, and how far it is."""
    return [
        *_points(policy, posted, language),
        *_benefits(policy, posted, language),
        *_numbers(policy, posted, language),
    ]


def _points(policy: rules.Policy, posted: DocumentPosted, language: Language) -> Iterator[str]:
    named = titles(policy, language)
    for grant in posted.grants:
        title = named.get(grant.rule, grant.rule)
        cap = grant.cut_by.split("/")[1] if grant.cut_by else ""
        points = points_text(policy, grant.currency, grant.granted)
        line = _EARNED[language].format(title=title, points=points, currency=grant.currency)
        yield _CUT[language].format(line=line, cap=cap) if cap else line


def _benefits(policy: rules.Policy, posted: DocumentPosted, language: Language) -> Iterator[str]:
    named = titles(policy, language)
    called: dict[str, Title] = {each.id: each.title for each in policy.model.benefits}
    for given in posted.benefits:
        yield _BENEFIT[language].format(
            title=named.get(given.rule, given.rule),
            quantity=given.quantity,
            benefit=title_of(called.get(given.benefit, ""), given.benefit, language),
        )


def _numbers(policy: rules.Policy, posted: DocumentPosted, language: Language) -> Iterator[str]:
    """Tell the number in each counter on the way to a goal; the first purchase is its own."""
    for counted in numbers_of(posted):
        counter, number = counted.counter, counted.number
        goal = rules.goal_of(policy, counter=counter, number=number)
        if goal > 1:
            yield _NUMBER[language].format(counter=counter, number=number, goal=goal)


def points_text(policy: rules.Policy, currency: str, points: int) -> str:
    """Points with the decimals of their currency."""
    scale = policy.currencies[currency].scale
    whole, rest = divmod(points, 10**scale)
    return f"{whole}.{rest:0{scale}}" if scale else str(whole)

"""An explanation of the rules as callers receive it, and as a person reads it."""
# ruff: noqa: RUF001 - Chinese lines have Chinese colons and commas.

from collections.abc import Iterable
from fractions import Fraction
from typing import Final

import rules
from ledger.answers.receipts import Language, points_text
from loyalty.v1 import account_service_pb2 as pb
from loyalty.v1.events_pb2 import DocumentPosted
from rules.words import in_words, title_of

_KEPT: Final[dict[Language, str]] = {
    "en": "{rule}: {points} {currency} were posted, a part of what the rule gives to the whole",
    "zh": "{rule}：实际入账 {points} {currency}，为规则整单所得的一部分",
}


def add_explanation(
    response: pb.ExplainEntryResponse,
    why: rules.Explanation,
    policy: rules.Policy,
    posted: DocumentPosted,
    language: Language,
) -> None:
    """Add rows, skipped rules and their text to an answer."""
    given = _given(posted)
    rows = [_row(row, language, given) for row in why.rows]
    response.rules.extend(rows)
    response.skipped.extend(
        [
            pb.SkippedRule(
                rule=skip.rule,
                title=title_of(skip.title, skip.rule, language),
                condition=skip.condition,
            )
            for skip in why.skipped
        ]
    )
    response.numbers.extend([number for number in posted.numbers if number.number])
    response.held_out.extend(why.held_out)
    response.lines.extend(in_words(why, policy, language))
    response.lines.extend(_kept(why, policy, given, language))


def _given(posted: DocumentPosted) -> dict[str, tuple[str, int]]:
    """What was posted of each rule: (currency, points)."""
    return {grant.rule: (grant.currency, grant.granted) for grant in posted.grants}


def _row(
    row: rules.ExplainedRule, language: Language, given: dict[str, tuple[str, int]]
) -> pb.ExplainedRule:
    return pb.ExplainedRule(
        rule=row.rule,
        title=title_of(row.title, row.rule, language),
        kind=row.kind,
        currency=row.currency,
        lines=[
            pb.LineShare(
                line_id=share.line_id,
                eligible_minor_units=share.eligible_minor,
                exact=_exact(share.exact),
                tier=share.tier,
            )
            for share in row.lines
        ],
        exact=_exact(row.exact),
        rounding=row.rounding,
        wanted=row.wanted,
        granted=given.get(row.rule, ("", 0))[1],
        cut_by=row.cut_by,
        campaign=row.campaign,
        benefit=row.benefit,
    )


def _exact(points: Fraction) -> str:
    return str(points)


def _kept(
    why: rules.Explanation,
    policy: rules.Policy,
    given: dict[str, tuple[str, int]],
    language: Language,
) -> Iterable[str]:
    """What was posted otherwise than the rules give to the whole document.

    That is so for what returns left of a first final version line by line.
    """
    worked_out = {row.rule: row.granted for row in why.rows}
    for rule, (currency, points) in given.items():
        if worked_out.get(rule, 0) != points:
            text = points_text(policy, currency, points)
            yield _KEPT[language].format(rule=rule, points=text, currency=currency)

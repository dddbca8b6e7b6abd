"""What the answer to a quote says besides the posting: titles, benefits, and what room is left."""

from typing import Final

import rules
from ledger.answers.receipts import Language, titles
from loyalty.v1.events_pb2 import DocumentPosted
from loyalty.v1.ledger_service_pb2 import Posting, QuoteDocumentResponse, Room, RuleTitle


def quote_answer(
    posting: Posting, posted: DocumentPosted, policy: rules.Policy, language: Language
) -> QuoteDocumentResponse:
    """The answer, with what the version that would be posted says."""
    named = titles(policy, language)
    gives = [grant.rule for grant in posted.grants] + [each.rule for each in posted.benefits]
    return QuoteDocumentResponse(
        posting=posting,
        policy_digest=posted.pins.policy_digest,
        titles=[RuleTitle(rule=rule, title=named.get(rule, rule)) for rule in dict.fromkeys(gives)],
        benefits=posted.benefits,
        room=room_left(policy, posted),
    )


def room_left(policy: rules.Policy, posted: DocumentPosted) -> list[Room]:
    """What is left of each purse that the document was held against."""
    limits = _limits(policy)
    found = []
    for usage in posted.usages:
        limit = limits.get((usage.name, _window(usage.period)))
        if limit is not None:
            left = max(0, limit - usage.others - usage.total)
            left_of_it = Room(name=usage.name, scope=usage.scope, period=usage.period)
            left_of_it.limit, left_of_it.left = limit, left
            found.append(left_of_it)
    return found


def _limits(policy: rules.Policy) -> dict[tuple[str, str], int]:
    """Points of each purse of a policy, by the name and window it is counted under."""
    limits: dict[tuple[str, str], int] = {
        (f"budget/{campaign.id}/{budget.currency}", budget.window): budget.points
        for campaign in policy.model.campaigns
        for budget in campaign.budgets
    }
    limits |= {(f"cap/{cap.id}", cap.window): cap.points for cap in policy.model.caps}
    for rule in policy.model.earn:
        if rule.kind != "grant":
            for number, cap in enumerate(rule.caps, 1):
                limits[f"cap/{rule.id}.{number}", cap.window] = cap.points
    return limits


_WINDOWS: Final = {
    0: "lifetime",
    4: "local_year",
    7: "local_month",
    8: "local_week",
    10: "local_day",
}


def _window(period: str) -> str:
    """The kind of window that a period is one of: each is written in its own length."""
    return _WINDOWS[len(period)]

"""Publish checks: what is wrong with a policy document, said like a good compiler says it.

The shape of the document was checked when it was read. Here its parts are checked, each by itself
and every name; then, once all of that is right, what they amount to together.
"""

from itertools import chain

from rules.checking.adjusting import adjusting_findings, velocity_findings
from rules.checking.bounds import liability_findings, overflow_findings
from rules.checking.conditions import condition_findings, counter_findings
from rules.checking.expansion import expansion_findings
from rules.checking.expressions import expression_findings
from rules.checking.ladder import ladder_findings
from rules.checking.limits import limit_findings
from rules.checking.lives import expiry_findings
from rules.checking.money import money_findings, settlement_findings
from rules.checking.names import duplicates, references
from rules.checking.reach import rule_findings
from rules.checking.referring import referring_findings
from rules.checking.spending import spending_findings
from rules.checking.subject import Check, Subject
from rules.loading import PolicyDocument
from rules.refusal import Finding

ERRORS_MAX = 200
"""How many errors are worth telling: who has more wrong than that begins with these."""
_ORDER = ("error", "warning", "info")
_PARTS: tuple[Check, ...] = (
    duplicates,
    references,
    condition_findings,
    counter_findings,
    expression_findings,
    expiry_findings,
)
"""Checks of single parts, which need not wait until all names are right."""
_MEANINGS: tuple[Check, ...] = (
    money_findings,
    settlement_findings,
    limit_findings,
    spending_findings,
    adjusting_findings,
    referring_findings,
    velocity_findings,
    ladder_findings,
    overflow_findings,
    rule_findings,
    liability_findings,
    expansion_findings,
)


def check(document: PolicyDocument) -> list[Finding]:
    """Judge a document: its findings, errors first, in the order of its parts.

    After `ERRORS_MAX` errors it looks no further. Where something cannot be read, the parts that
    can are checked all the same.
    """
    found = list(document.findings)
    model = document.model or document.rest
    if model is not None:
        subject = Subject(document, model)
        found += _found(subject, _PARTS, len(found))
        if not _refused(found):
            found += _found(subject, _MEANINGS, 0)
    return sorted(dict.fromkeys(found), key=lambda one: (_ORDER.index(one.severity), one.line))


def _refused(found: list[Finding]) -> bool:
    return any(finding.severity == "error" for finding in found)


def _found(subject: Subject, checks: tuple[Check, ...], errors: int) -> list[Finding]:
    found: list[Finding] = []
    for finding in chain.from_iterable(check(subject) for check in checks):
        found.append(finding)
        errors += finding.severity == "error"
        if errors >= ERRORS_MAX:
            break
    return found

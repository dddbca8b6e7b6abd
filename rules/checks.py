"""Publish checks: what is wrong with a policy document, said like a compiler."""

from rules.loading import PolicyDocument
from rules.refusal import Finding


def check(document: PolicyDocument) -> list[Finding]:
    return list(document.findings)

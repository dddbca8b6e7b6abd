"""A compiled policy: what the service holds in memory and asks its questions of."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from rules.checks import check
from rules.facts import Instant
from rules.loading import PolicyDocument
from rules.model import PolicyModel
from rules.plan import PlanBook
from rules.refusal import PolicyRefused
from rules.terms import CurrencyTerms, Terms, UnitTerms, compile_terms
from rules.values import micros


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """A policy in force from `effective_from` on; `digest` names its content for ever.

    `digest` is the SHA-256 (hexadecimal) of the fully expanded document as canonical JSON.
    """

    digest: str
    programme: str
    version: int
    effective_from: Instant
    zone: str
    terms: Terms = field(repr=False)
    model: PolicyModel = field(repr=False)
    plans: PlanBook = field(repr=False)

    @property
    def currencies(self) -> Mapping[str, CurrencyTerms]:
        """The point currencies by id."""
        return self.terms.currencies

    @property
    def units(self) -> Mapping[str, UnitTerms]:
        """The business units by id."""
        return self.terms.units


def compile_policy(document: PolicyDocument, *, published: bool = False) -> Policy:
    """Compile a document; PolicyRefused with every finding when the check finds an error.

    What was `published` passed the check of its day. A check that came later must not keep a
    ledger from reading its own history, so only the shape is asked for then.
    """
    findings = document.findings if published else check(document)
    if document.model is None or any(finding.severity == "error" for finding in findings):
        raise PolicyRefused(findings)
    model = document.model
    terms = compile_terms(model)
    return Policy(
        digest=document.digest,
        programme=model.programme,
        version=model.version,
        effective_from=micros(model.effective_from),
        zone=model.zone,
        terms=terms,
        model=model,
        plans=PlanBook(terms, model),
    )

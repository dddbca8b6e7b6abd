"""Check that a document, written out with every default, is read back as the same document."""

from rules.checking.subject import Findings, Subject
from rules.loading import load


def expansion_findings(subject: Subject) -> Findings:
    """Find what is too large or too deep once it is written out.

    That form is what is recorded and what every process reads, so one that could not be read
    would stop them all, for ever.
    """
    if subject.document.model is None:
        return
    again = load(subject.document.canonical)
    if again.findings:
        yield subject.error((), f"with every default written out, {again.findings[0]}")
    elif again.digest != subject.document.digest:
        yield subject.error((), "with every default written out, it is read as another policy")

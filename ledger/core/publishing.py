"""What may be done with a version of the policy, and when; each refuses, or does nothing.

Facts are made by the caller, who knows the documents; here stands who may take which step after
which, and how the versions lie in time.
"""

from typing import Final

from ledger.core import refusals
from ledger.core.instant import CLOCKS_DIFFER_BY, SECOND, Instant, to_datetime
from ledger.core.people import same_person
from ledger.core.programme import Programme, Version

LEAD: Final = 10 * SECOND
"""How far ahead a policy takes effect: well above the time in which every process has seen it."""
WITHDRAWAL_LEAD: Final = LEAD + CLOCKS_DIFFER_BY
"""How far ahead one is withdrawn: a till whose clock is ahead may sell under it so much sooner."""


def require_draftable(programme: Programme, *, name: str, version: int, digest: str) -> None:
    """Refuse to draft what was drafted or published before.

    Raises:
        PolicyWithdrawn, PolicyExists, DraftExists: with what was.
    """
    known = programme.versions.get(digest)
    if known is not None:
        _require_standing(known)
    _require_new_number(programme, name=name, version=version)
    if known is not None:
        raise refusals.DraftExists(digest=digest, author=known.author)


def require_draft(programme: Programme, digest: str) -> Version:
    """The draft with a digest.

    Raises:
        PolicyNotDrafted, PolicyWithdrawn, PolicyExists: there is none that could go on.
    """
    known = programme.versions.get(digest)
    if known is None:
        raise refusals.PolicyNotDrafted(digest=digest)
    _require_standing(known)
    _require_new_number(programme, name=known.programme, version=known.version)
    return known


def require_approver(draft: Version, approver: str) -> None:
    """Refuse an approver who drafted it. Raises ApproverIsAuthor."""
    if same_person(draft.author, approver):
        raise refusals.ApproverIsAuthor(author=draft.author, approver=approver)


def require_publishable(
    programme: Programme,
    *,
    name: str,
    version: int,
    digest: str,
    approval_required: bool,
) -> str:
    """Who approved it; empty where nobody has to.

    Raises:
        PolicyExists, PolicyNotDrafted, PolicyWithdrawn, PolicyNotApproved: not yet, or not again.
    """
    known = programme.versions.get(digest)
    if known is not None:
        _require_standing(known)
    _require_new_number(programme, name=name, version=version)
    # Without any policy there are no points, so whoever begins needs nobody's approval.
    free = not approval_required or not programme.published
    if known is None:
        if free:
            return ""
        raise refusals.PolicyNotDrafted(digest=digest)
    if not known.approver and not free:
        raise refusals.PolicyNotApproved(version=known.version, digest=digest, author=known.author)
    return known.approver


def require_in_time(
    programme: Programme,
    *,
    version: int,
    effective_at: Instant,
    now: Instant,
    allow_retroactive: bool,
    allow_overlap: bool,
) -> None:
    """Refuse what reaches back, or would take effect out of turn, unless that is allowed.

    The first policy of a programme may reach back: there is no history it could contradict.

    Raises:
        RetroactivePolicy, PolicyOverlaps: with the instants that matter.
    """
    standing = [each for each in programme.published if each.takes_effect]
    if standing and not allow_retroactive and effective_at < now + LEAD:
        raise refusals.RetroactivePolicy(
            effective_time=_text(effective_at), earliest=_text(now + LEAD)
        )
    if not allow_overlap:
        for each in standing:
            higher_is_later = (each.effective_at < effective_at) == (each.version < version)
            if each.effective_at == effective_at or not higher_is_later:
                raise refusals.PolicyOverlaps(
                    version=version,
                    effective_time=_text(effective_at),
                    other_version=each.version,
                    other_effective_time=_text(each.effective_at),
                )


def require_withdrawable(programme: Programme, digest: str, *, now: Instant) -> Version:
    """What is to be withdrawn: a draft, or a policy that takes effect after the lead.

    Raises:
        PolicyNotDrafted, PolicyWithdrawn, PolicyInForce: there is nothing to withdraw, or too late.
    """
    known = programme.versions.get(digest)
    if known is None:
        raise refusals.PolicyNotDrafted(digest=digest)
    _require_standing(known)
    if known.published is not None and known.effective_at <= now + WITHDRAWAL_LEAD:
        raise refusals.PolicyInForce(
            version=known.version,
            effective_time=_text(known.effective_at),
            latest=_text(known.effective_at - WITHDRAWAL_LEAD),
        )
    return known


def _require_standing(known: Version) -> None:
    if known.withdrawn is not None:
        raise refusals.PolicyWithdrawn(digest=known.digest, withdrawer=known.withdrawn.by)


def _require_new_number(programme: Programme, *, name: str, version: int) -> None:
    """A number that was published is spent, withdrawn or not: others may have seen it."""
    before = programme.numbered(version)
    if before is not None:
        raise refusals.PolicyExists(programme=name, version=version, digest=before.digest)


def _text(at: Instant) -> str:
    return to_datetime(at).isoformat()

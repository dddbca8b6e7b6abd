"""What an account remembers of the care of its member: consents, who brought them, and more."""

from typing import Final, NamedTuple

from ledger.core.instant import Instant

CONSENTS_MAX: Final = 64
"""Most purposes and channels of one member that are remembered."""
TERMS: Final = "programme-terms"
"""The purpose of the consent to the programme's own terms."""


class Consent(NamedTuple):
    """What a member said last about one purpose and channel, and what proves it."""

    purpose: str
    channel: str
    granted: bool
    wording_version: str
    source: str
    business_unit: str
    changed_at: Instant

    @property
    def about(self) -> tuple[str, str]:
        """Purpose and channel: there is one consent about both."""
        return self.purpose, self.channel


class Referral(NamedTuple):
    """Who brought a member, and which purchase counts for it."""

    referral_id: str
    referrer: str
    """Account of who brought the member."""
    reward_unit: str
    told_at: Instant
    policy_digest: str
    """The policy whose terms hold."""
    cause: str = ""
    """Key of the document that counts, or counted last."""
    counts: bool = False
    version: int = 0
    """Of the reward's document; 0: it was never posted."""


class Care(NamedTuple):
    """The part of an account that is about its member as a person, without personal data."""

    consents: tuple[Consent, ...] = ()
    """By purpose and channel; what is not here was never granted."""
    erased_at: Instant | None = None
    """When the member was erased: since then the account is nobody's."""
    referral: Referral | None = None
    """Who brought the member."""


NO_CARE: Final = Care()


def with_consent(consents: tuple[Consent, ...], told: Consent) -> tuple[Consent, ...]:
    """Consents after one more was told. What was said later counts, whenever it was recorded."""
    known = {consent.about: consent for consent in consents}
    before = known.get(told.about)
    if before is not None and before.changed_at > told.changed_at:
        return consents
    if before is None and not told.granted and len(known) >= CONSENTS_MAX:
        # Not agreed is what is true of everything that is not remembered.
        return consents
    known[told.about] = told
    return tuple(known[about] for about in sorted(known))

"""Refusals because of how far a member takes part."""

from dataclasses import dataclass

from ledger.core.refusals.base import Refusal


@dataclass(eq=False, kw_only=True)
class _NotOpen(Refusal):
    member_id: str
    since: str
    """RFC 3339."""


class AccountClosed(_NotOpen):
    """The member's account is closed; only corrections of what it had before are taken."""

    advice = "Do without the member, or have the account reopened: `loyalty member reopen`."
    sentence = "the account of member {member_id} is closed since {since}"


class AccountSuspended(_NotOpen):
    """The member is suspended: points are earned, but not spent, set aside or passed on."""

    advice = "Let it be paid otherwise; whoever suspended the member can reopen the account."
    sentence = "member {member_id} is suspended since {since}"


@dataclass(eq=False, kw_only=True)
class IdentityNotLinked(Refusal):
    """The identity is nobody's, or not that of the member who is named."""

    advice = "Check identity and member; LinkIdentity links an identity that is nobody's."
    sentence = "the {scheme!r} identity is not linked to the member it was to be taken from"
    scheme: str


@dataclass(eq=False, kw_only=True)
class AccountNotEmpty(Refusal):
    """The account has points, so it is not closed."""

    advice = (
        "Capture or release the holds, and let transfers end; then let the member spend the rest,"
        " or say `forfeit` to let it expire."
    )
    sentence = (
        "the account has {available} {currency} available, {pending} pending, {held} held and"
        " {in_transit} in transit"
    )
    currency: str
    available: int
    pending: int
    held: int
    in_transit: int

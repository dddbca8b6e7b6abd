"""Refusals because of how far a member takes part."""

from dataclasses import dataclass

from ledger.core.refusals.base import ASK_AGAIN, Refusal


@dataclass(eq=False, kw_only=True)
class AccountErased(Refusal):
    """The member was erased: the account is nobody's, and only old things of it are corrected."""

    advice = "Do without the member; a document of theirs is corrected by not naming anybody."
    sentence = "member {member_id} was erased at {since}"
    member_id: str
    since: str
    """RFC 3339."""


@dataclass(eq=False, kw_only=True)
class Merging(Refusal):
    """The account is being merged with another one, or that is being undone."""

    advice = ASK_AGAIN
    sentence = "the account of member {member_id} is on the move"
    member_id: str


@dataclass(eq=False, kw_only=True)
class MergeIntoItself(Refusal):
    """Both names mean one member."""

    advice = "Nothing is to be done: it is one member already."
    sentence = "both names mean member {member_id}"
    member_id: str


@dataclass(eq=False, kw_only=True)
class AlreadyMerged(Refusal):
    """The member was merged into another one before."""

    advice = "Name the member that it was merged into, or undo that merge first."
    sentence = "member {member_id} was merged into {into_id}"
    member_id: str
    into_id: str


@dataclass(eq=False, kw_only=True)
class NotMerged(Refusal):
    """The member is not merged into another one, so there is nothing to undo."""

    advice = "Check the member: the one that was merged into the other is named, by id or identity."
    sentence = "member {member_id} is not merged into another one"
    member_id: str


@dataclass(eq=False, kw_only=True)
class UnmergeFirst(Refusal):
    """The member's account went on into a third one, so the later merge is undone first."""

    advice = "Undo the merge of `merged_id` into `into_id` first."
    sentence = "member {merged_id}, which has everything of {member_id}, was merged into {into_id}"
    member_id: str
    merged_id: str
    into_id: str


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
class PointsInTransit(Refusal):
    """Points of the member are on their way to somebody else, so the account cannot move."""

    advice = "Let the transfer be accepted, declined or cancelled; then ask again."
    sentence = "{currency} of member {member_id} are in transit"
    member_id: str
    currency: str


@dataclass(eq=False, kw_only=True)
class PointsRecalled(Refusal):
    """A recall has set points of the account aside, so the account cannot move."""

    advice = "Let the recall give the points back or take them; then ask again."
    sentence = "recall {recall_id} has set points of member {member_id} aside"
    member_id: str
    recall_id: str


@dataclass(eq=False, kw_only=True)
class HoldOfBoth(Refusal):
    """An open hold took points of both members, so it is nobody's alone."""

    advice = "Capture or release the hold, or wait for its time-out; then ask again."
    sentence = "hold {hold_id!r} of {business_unit} has points of both members"
    hold_id: str
    business_unit: str


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

"""Some of the refusals. Written by `python -m server.status`."""

from loyalty_client.errors import Refusal


class AccountErased(Refusal):
    """The member was erased: the account is nobody's, and only old things of it are corrected."""

    reason = "ACCOUNT_ERASED"
    member_id: str
    since: str


class Merging(Refusal):
    """The account is being merged with another one, or that is being undone."""

    reason = "MERGING"
    member_id: str


class MergeIntoItself(Refusal):
    """Both names mean one member."""

    reason = "MERGE_INTO_ITSELF"
    member_id: str


class AlreadyMerged(Refusal):
    """The member was merged into another one before."""

    reason = "ALREADY_MERGED"
    member_id: str
    into_id: str


class NotMerged(Refusal):
    """The member is not merged into another one, so there is nothing to undo."""

    reason = "NOT_MERGED"
    member_id: str


class UnmergeFirst(Refusal):
    """The member's account went on into a third one, so the later merge is undone first."""

    reason = "UNMERGE_FIRST"
    member_id: str
    merged_id: str
    into_id: str


class AccountClosed(Refusal):
    """The member's account is closed; only corrections of what it had before are taken."""

    reason = "ACCOUNT_CLOSED"
    member_id: str
    since: str


class AccountSuspended(Refusal):
    """The member is suspended: points are earned, but not spent, set aside or passed on."""

    reason = "ACCOUNT_SUSPENDED"
    member_id: str
    since: str


class IdentityNotLinked(Refusal):
    """The identity is nobody's, or not that of the member who is named."""

    reason = "IDENTITY_NOT_LINKED"
    scheme: str


class PointsInTransit(Refusal):
    """Points of the member are on their way to somebody else, so the account cannot move."""

    reason = "POINTS_IN_TRANSIT"
    member_id: str
    currency: str


class PointsRecalled(Refusal):
    """A recall has set points of the account aside, so the account cannot move."""

    reason = "POINTS_RECALLED"
    member_id: str
    recall_id: str


class HoldOfBoth(Refusal):
    """An open hold took points of both members, so it is nobody's alone."""

    reason = "HOLD_OF_BOTH"
    hold_id: str
    business_unit: str


class AccountNotEmpty(Refusal):
    """The account has points, so it is not closed."""

    reason = "ACCOUNT_NOT_EMPTY"
    currency: str
    available: int
    pending: int
    held: int
    in_transit: int

"""How far a member takes part, and what that forbids."""

from typing import Final, NamedTuple

from ledger.core.instant import Instant, to_datetime
from ledger.core.refusals import AccountClosed, AccountSuspended
from loyalty.v1.types_pb2 import (
    MEMBERSHIP_STATE_CLOSED,
    MEMBERSHIP_STATE_MERGED,
    MEMBERSHIP_STATE_MERGING,
    MEMBERSHIP_STATE_OPEN,
    MEMBERSHIP_STATE_SUSPENDED,
    MEMBERSHIP_STATE_UNMERGING,
    MembershipState,
)

_OF_TWO: Final = (MEMBERSHIP_STATE_MERGING, MEMBERSHIP_STATE_MERGED, MEMBERSHIP_STATE_UNMERGING)


class Membership(NamedTuple):
    """How far a member takes part."""

    state: MembershipState.ValueType = MEMBERSHIP_STATE_OPEN
    since: Instant | None = None
    """None for who never was anything but open."""
    into: str = ""
    """The account that this one is, or was last, merged into, or is on the way into or out of."""

    @property
    def is_suspended(self) -> bool:
        """Whether points are not to be spent, set aside or passed on."""
        return self.state == MEMBERSHIP_STATE_SUSPENDED

    @property
    def is_closed(self) -> bool:
        """Whether nothing is taken but corrections of what was posted before."""
        return self.state == MEMBERSHIP_STATE_CLOSED

    @property
    def is_merged(self) -> bool:
        """Whether all that it had is another account's."""
        return self.state == MEMBERSHIP_STATE_MERGED

    @property
    def leads_to(self) -> str:
        """The account that this one is part of, or on the way into or out of; empty for none."""
        return self.into if self.state in _OF_TWO else ""

    @property
    def rests(self) -> bool:
        """Whether time asks no ladder about it: what it counts for is not all here."""
        return self.state in (MEMBERSHIP_STATE_MERGED, MEMBERSHIP_STATE_UNMERGING)


OPEN: Final = Membership()


class UnderWay(NamedTuple):
    """A merge that is under way, or its undoing, as both accounts know it."""

    merge_id: str
    source: str
    target: str
    undoing: bool
    step: int
    """Running number of the last step."""
    counted: int
    """How many entries of what is counted have moved."""
    business_unit: str


def require_not_closed(member_id: str, membership: Membership) -> None:
    """Refuse what is no correction of something old. Raises AccountClosed."""
    if membership.is_closed:
        raise AccountClosed(member_id=member_id, since=shown(membership.since))


def require_spending(member_id: str, membership: Membership) -> None:
    """Refuse to let points go that a member wants to spend, set aside or pass on.

    Raises AccountClosed, AccountSuspended.
    """
    require_not_closed(member_id, membership)
    if membership.is_suspended:
        raise AccountSuspended(member_id=member_id, since=shown(membership.since))


def shown(since: Instant | None) -> str:
    """An instant as refusals tell it; empty for none."""
    return "" if since is None else to_datetime(since).isoformat().replace("+00:00", "Z")

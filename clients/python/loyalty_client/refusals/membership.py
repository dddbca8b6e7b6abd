"""Some of the refusals. Written by `python -m server.status`."""

from loyalty_client.errors import Refusal


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


class AccountNotEmpty(Refusal):
    """The account has points, so it is not closed."""

    reason = "ACCOUNT_NOT_EMPTY"
    currency: str
    available: int
    pending: int
    held: int
    in_transit: int

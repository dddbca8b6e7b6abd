"""Points and tier in Mews's loyalty memberships, where reception sees them."""

from typing import Any

from adapters.frame.adapter import Shown, read_as
from adapters.frame.words import RetryLater
from adapters.mews.access import Mews
from adapters.mews.shapes import Membership


async def show(shown: Shown, mews: Mews) -> None:
    """Write points and tier into all live memberships that accounts have in our programme.

    Raises:
        RetryLater: Mews does not answer, or there is no membership yet: it is made in Mews.
        Unreadable: Mews refuses what it is told.
    """
    asked = {"AccountIds": list(shown.customers), "LoyaltyProgramIds": [shown.programme]}
    found = await mews.all("loyaltyMemberships/getAll", "LoyaltyMemberships", asked)
    memberships = [read_as(Membership, raw) for raw in found]
    updates = [
        _update(each.Id, shown)
        for each in memberships
        if each.is_live and each.LoyaltyProgramId == shown.programme
    ]
    if not updates:
        accounts = ", ".join(shown.customers)
        raise RetryLater(f"no live membership of programme {shown.programme}: account {accounts}")
    answer = await mews.ask("loyaltyMemberships/update", {"LoyaltyMembershipUpdates": updates})
    if answer is None:
        raise RetryLater("Mews knows no such membership any more")


def _update(membership: str, shown: Shown) -> dict[str, Any]:
    # A field that is left out stays as it is.
    update: dict[str, Any] = {
        "LoyaltyMembershipId": membership,
        "Points": {"Value": shown.points},
    }
    if shown.level is not None:
        update["LoyaltyTierId"] = {"Value": shown.level}
    return update

"""Points and tier in the memberships of OPERA's profiles, where reception sees them."""

from typing import Any

from adapters.frame.adapter import Shown, read_as
from adapters.frame.words import RetryLater
from adapters.opera.access import Opera
from adapters.opera.shapes import Membership


async def show(shown: Shown, opera: Opera, hotel: str) -> None:
    """Write points and level into the active memberships of our type.

    A membership is put back as OPERA told it, with nothing else changed: a PUT may clear what it
    leaves out.

    Raises:
        RetryLater: OPERA does not answer, or there is no membership yet: it is made in OPERA.
        Unreadable: OPERA refuses what it is told.
    """
    written = 0
    for profile in shown.customers:
        for raw in await opera.memberships(profile, hotel):
            membership = read_as(Membership, raw)
            if membership.inactive or membership.membershipType != shown.programme:
                continue
            ours: dict[str, Any] = {"currentPoints": shown.points}
            if shown.level is not None:
                ours["membershipLevel"] = shown.level
            answer = await opera.change_membership(
                profile, hotel, shown.programme, membership.membershipId, {**raw, **ours}
            )
            if answer is None:
                raise RetryLater(f"OPERA knows no such membership of profile {profile} any more")
            written += 1
    if not written:
        profiles = ", ".join(shown.customers)
        raise RetryLater(f"no active membership of type {shown.programme}: profile {profiles}")

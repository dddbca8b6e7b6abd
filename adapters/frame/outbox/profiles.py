"""Profiles: a member's points and tier are written into the customer's profile of a system.

What a system calls a tier is declared in the subscription's file. A tier without a row is a dead
letter: a guest who is shown the wrong tier is worse off than one whose profile is late.
"""

import asyncio
import json
from typing import Final

import structlog

from adapters.frame.adapter import Api, Shown
from adapters.frame.outbox.messages import Message, Outcome
from adapters.frame.outbox.subscription import Profile, Subscription
from adapters.frame.words import Parked, RetryLater, Unreadable, shown

log = structlog.get_logger(__name__)

WHOLE_SECONDS: Final = 60.0
"""For a whole attempt, which may be several calls, however slowly the system answers."""


class ProfileReceiver:
    """Writes what one subscription is told into the profiles of its connection."""

    def __init__(self, subscription: Subscription, api: Api) -> None:
        """Call the connection's system through `api`, which its owner closes."""
        self._subscription = subscription
        self._api = api

    async def close(self) -> None:
        """Leave the calls to whoever opened them."""

    async def deliver(self, message: Message) -> Outcome:
        """Write a profile once. Never raises for what the system does."""
        connection = self._subscription.connection
        profile = self._subscription.file.profile
        if connection is None or profile is None:
            raise AssertionError("a receiver of profiles without a connection")
        if wrong := self._subscription.problems():
            return Outcome(wrong[0])
        try:
            async with asyncio.timeout(WHOLE_SECONDS):
                shows = shown_of(profile, message.body)
                await connection.adapter.show(shows, connection, self._api)
        except Parked as parked:
            return Outcome(shown(parked), final=True)
        except RetryLater as later:
            return Outcome(shown(later), seconds=later.seconds)
        except Unreadable as error:
            return Outcome(shown(error))
        except TimeoutError:
            return Outcome(f"no answer within {WHOLE_SECONDS:.0f} seconds")
        except Exception as error:
            # An answer that nobody foresaw spoils an attempt, and not the whole subscription.
            log.exception("profile_not_written", subscription=self._subscription.name)
            return Outcome(f"not understood: {type(error).__name__}")
        return Outcome()


def shown_of(profile: Profile, body: str) -> Shown:
    """Return what profiles are to show, in the system's own words.

    Raises:
        Parked: the tier has no row in the file.
    """
    told = json.loads(body)["data"]
    return Shown(
        customers=tuple(told["customers"]),
        programme=profile.programme,
        points=told["points"] // 10**profile.decimals,
        level=_level(profile, told["tier"]),
    )


def _level(profile: Profile, tier: str) -> str | None:
    if not profile.tiers and not profile.without_tier:
        return None
    if not tier:
        if not profile.without_tier:
            raise Parked("unmapped_tier", "the member has no tier: profile.without_tier is empty")
        return profile.without_tier
    if tier not in profile.tiers:
        known = ", ".join(sorted(profile.tiers)) or "none"
        raise Parked("unmapped_tier", f"tier {tier!r} has no row in profile.tiers, only {known}")
    return profile.tiers[tier]

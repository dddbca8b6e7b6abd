"""Returns under a policy that takes back line by line: what the first final version gave, in part.

The rules reckon each return from the first final version. That holds only while nothing but giving
back has happened: where a purse would be used more than before, or a number is not the document's
any more, the document is evaluated anew, so that no cap is overshot.
"""

from collections.abc import Callable

import rules
from ledger.evaluation import award, facts_of, pinned_instant, pins_of
from ledger.policies import ask
from ledger.room import recorded_room
from loyalty.v1.events_pb2 import DocumentPosted

UsedBefore = Callable[[rules.CapKey], int]
"""Tells the points of a purse that the version before used."""


def takes_back_by_line(policy: rules.Policy) -> bool:
    """Whether returns under a policy are reckoned line by line."""
    return policy.model.refunds.clawback == "pro_rata_by_line"


def used_before(posted: DocumentPosted) -> UsedBefore:
    """What the version before a posted one used of the purses that this one asked for."""
    before = {
        (usage.name, usage.period): usage.total - usage.change
        for usage in posted.usages
        if usage.total or usage.others
    }
    return lambda cap: before.get((cap.name, cap.period), 0)


def kept(
    policy: rules.Policy,
    first: DocumentPosted,
    now: rules.DocumentFacts,
    *,
    room: rules.Room,
    before: UsedBefore,
) -> rules.Award | None:
    """What a document keeps of its first final version; None: it has to be evaluated anew.

    Raises what the rules refuse, as the ledger's refusal: what is left is a document as any other.
    """
    if now.status != "FINAL":
        return None
    pins = pins_of(first.pins)
    facts = facts_of(first.document, first.origin, pinned_instant(pins.local_time))
    gave = award(policy, facts, member=rules.NOBODY, pins=pins, room=recorded_room(first))
    left = ask(lambda: rules.pro_rata(policy, first=facts, award=gave, now=now))
    if left is None:
        return None
    if any(room.number(counter) != number for counter, number in left.numbers):
        return None
    uses = [use._replace(others=room.used(use.cap)) for use in left.uses]
    if any(use.points > before(use.cap) for use in uses):
        return None
    return left._replace(uses=tuple(uses))

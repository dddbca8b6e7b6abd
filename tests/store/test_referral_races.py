"""Referrals in two processes at one moment, on one database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from ledger.core.refusals import AlreadyReferred, Refusal, SelfReferral
from loyalty.v1.types_pb2 import MemberRef
from tests.store.referring import REFERRALS, Friends, referring, sound
from tests.store.till import Till, open_till

PAIRS = 8
UNCAPPED = REFERRALS.replace(", caps: [{window: local_year, points: 300}]", "")


@asynccontextmanager
async def two_tills(database: str) -> AsyncIterator[tuple[Till, Till]]:
    """Two ledgers with writers of their own; the history is sound after what they did."""
    async with open_till(database) as first:
        await first.publish(UNCAPPED)
        async with open_till(database) as second:
            second.client = "second"
            yield first, second
            await sound(first)


async def at_once(first: Till, second: Till, pairs: list[tuple[Any, Any]]) -> list[list[Any]]:
    """Let each pair happen at one moment; answers, or refusals."""

    async def tried(till: Till, request: Any) -> Any:
        try:
            return (await till.write(request)).message
        except Refusal as refusal:
            return refusal

    calls = [[tried(first, left), tried(second, right)] for left, right in pairs]
    answers = await asyncio.gather(*(call for pair in calls for call in pair))
    return [list(answers[begin : begin + 2]) for begin in range(0, len(answers), 2)]


async def brought(till: Till, number: int) -> Friends:
    old, new = await till.enrol(f"old-{number}"), await till.enrol(f"new-{number}")
    await till.write(referring(till, new, old))
    return Friends(till, old, new)


def kinds(pair: list[Any]) -> list[type]:
    return [type(each) for each in pair if isinstance(each, Refusal)]


async def test_of_two_who_claim_to_have_brought_a_member_one_is_told_no(database: str) -> None:
    async with two_tills(database) as (first, second):
        members = [await first.enrol(f"{number}") for number in range(PAIRS * 3)]
        triples = zip(members[::3], members[1::3], members[2::3], strict=True)
        pairs = [(referring(first, a, b), referring(second, a, c)) for a, b, c in triples]
        for pair in await at_once(first, second, pairs):
            assert kinds(pair) == [AlreadyReferred]


async def test_of_two_who_bring_each_other_one_is_told_no(database: str) -> None:
    async with two_tills(database) as (first, second):
        members = [await first.enrol(f"{number}") for number in range(PAIRS * 2)]
        couples = zip(members[::2], members[1::2], strict=True)
        pairs = [(referring(first, a, b), referring(second, b, a)) for a, b in couples]
        for pair in await at_once(first, second, pairs):
            assert kinds(pair) == [SelfReferral]


async def test_of_two_purchases_at_once_one_is_the_cause(database: str) -> None:
    async with two_tills(database) as (first, second):
        stories = [await brought(first, number) for number in range(PAIRS)]
        pairs = [
            (
                first.document(story.new, f"L{number}", 1, 50_00),
                second.document(story.new, f"R{number}", 1, 60_00),
            )
            for number, story in enumerate(stories)
        ]
        for pair in await at_once(first, second, pairs):
            assert not kinds(pair)
        for story in stories:
            assert await story.has() == 200


async def test_a_return_and_the_next_purchase_at_once_leave_the_reward_as_they_follow(
    database: str,
) -> None:
    async with two_tills(database) as (first, second):
        stories = [await brought(first, number) for number in range(PAIRS)]
        for number, story in enumerate(stories):
            await story.buys(f"L{number}", 50_00)
        pairs = [
            (
                first.document(story.new, f"L{number}", 2),
                second.document(story.new, f"R{number}", 1, 60_00),
            )
            for number, story in enumerate(stories)
        ]
        for pair in await at_once(first, second, pairs):
            assert not kinds(pair)
        for number, story in enumerate(stories):
            # The return first: then the next one counts; the purchase first: it is not looked at.
            cause, counts = await story.cause()
            assert (cause, counts) in {(f"R{number}", True), (f"L{number}", False)}
            assert await story.has() == (200 if counts else 0)


async def test_a_return_while_the_reward_is_spent_owes_what_is_gone(database: str) -> None:
    async with two_tills(database) as (first, second):
        stories = [await brought(first, number) for number in range(PAIRS)]
        for number, story in enumerate(stories):
            await story.buys(f"L{number}", 50_00)
        pairs = [
            (first.document(story.new, f"L{number}", 2), second.burn(story.old, 200))
            for number, story in enumerate(stories)
        ]
        for story, pair in zip(stories, await at_once(first, second, pairs), strict=True):
            account, _ = await first.ledger.reads.account(story.old)
            spent = not kinds(pair)
            assert (account.balance("p").available, len(account.debts)) == (0, spent)


async def test_a_member_told_of_while_they_buy_is_rewarded_for_or_not_as_it_follows(
    database: str,
) -> None:
    async with two_tills(database) as (first, second):
        members = [await first.enrol(f"{number}") for number in range(PAIRS * 2)]
        couples: list[tuple[MemberRef, MemberRef]] = list(
            zip(members[::2], members[1::2], strict=True)
        )
        pairs = [
            (referring(first, new, old), second.document(new, f"D{number}", 1, 50_00))
            for number, (new, old) in enumerate(couples)
        ]
        for pair in await at_once(first, second, pairs):
            assert not kinds(pair)
        for number, (new, old) in enumerate(couples):
            story = Friends(first, old, new)
            _, counts = await story.cause()
            assert await story.has() == (200 if counts else 0)
            await first.post(first.document(new, f"E{number}", 1, 50_00))
            assert await story.has() == 200

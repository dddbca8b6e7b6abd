"""Returns that are reckoned line by line, and what is refused of them."""

import pytest

from ledger.core.refusals import RateMissing, UnknownCategory
from tests.store.test_room import found, gained
from tests.store.till import POLICY, open_till


async def test_a_return_of_what_the_policy_does_not_know_is_refused_by_line_too(
    database: str,
) -> None:
    foreign = POLICY.replace(
        "redemptions:",
        "  - {kind: base, id: duty, currency: p, priority: 1, when: {line_min: '2.00 EUR'},"
        ' rate: {points: 1, per: "1.00 USD"}}\nredemptions:',
    )
    async with open_till(database) as till:
        await till.publish(foreign + "refunds: {clawback: pro_rata_by_line}\n")
        member = await till.enrol("1")
        assert await gained(till, member, "D1", 1, 1) == 1
        with pytest.raises(RateMissing):
            await gained(till, member, "D1", 2, 2)
        unknown = till.document(member, "D1", 3, 100)
        unknown.document.lines[0].category = "shoes"
        with pytest.raises(UnknownCategory):
            await till.post(unknown)
        assert await gained(till, member, "D1", 4, 0) == -1
        assert await found(till) == {}

"""A reversal on an account that was erased, alone or as part of another: right or by mistake."""

import pytest

from ledger.core.refusals import AccountErased
from loyalty.v1.types_pb2 import ERASED_BALANCE_FORFEITED, ERASED_BALANCE_KEPT, ErasedBalance
from tests.store.erasing import erase
from tests.store.in_memory import memory_till
from tests.store.merging import merge, points
from tests.store.till import moved
from tests.store.verifying import divergences_of

BALANCES = [ERASED_BALANCE_FORFEITED, ERASED_BALANCE_KEPT]


@pytest.mark.parametrize("balance", BALANCES, ids=["forfeited", "kept"])
@pytest.mark.parametrize("merged", [False, True], ids=["alone", "as a part"])
async def test_what_is_reversed_comes_back_to_nobody_and_the_books_add_up(
    balance: ErasedBalance.ValueType,
    merged: bool,
) -> None:
    """100 and 30 were given, 40 spent of the first; a mistake stays, whatever is done about it."""
    async with memory_till() as (till, database):
        await till.publish()
        member, other = await till.enrol("1"), await till.enrol("2")
        await till.post(till.document(member, "D1", 1, 100_00))
        await till.post(till.document(other, "D2", 1, 30_00))
        burn = await till.post(till.burn(member, 40))
        account = member
        if merged:
            await merge(till, member, other)
            account = other
        stood = (await points(till, account))[0]
        live = await till.ledger.reads.member(account)
        await erase(till, account, balance)
        account.Clear()
        account.member_id = live.member_id
        forfeits = balance == ERASED_BALANCE_FORFEITED
        assert stood == (90 if merged else 60)
        mistaken = await till.post(till.reverse(burn.entry_id, 30))
        gone = [("points_expired", 30)] if forfeits else []
        assert moved(mistaken) == [("burn_reversed", 30), *gone]
        with pytest.raises(AccountErased):
            await till.post(till.reverse(mistaken.entry_id))
        there = 0 if forfeits else stood + 30
        assert (await points(till, account))[0] == there
        # What the member had bought is returned: from what is there, and the rest is owed.
        returned = await till.post(till.document(None, "D1", 2))
        taken, owed = min(there, 100), max(0, 100 - there)
        due = [("points_clawed_back", taken), ("arrears_incurred", owed)]
        assert moved(returned) == [each for each in due if each[1]]
        assert (await points(till, account))[2] == owed
        assert await divergences_of(database) == []

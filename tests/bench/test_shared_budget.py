"""Two processes spend one budget to its last point, and not a point more."""

from bench.shared_budget import policy_with, sample
from ledger.core.events import decode
from loyalty.v1.events_pb2 import BudgetUsed
from server.database import connect


async def test_two_processes_spend_a_budget_to_its_last_point(database: str) -> None:
    # A sale wants 20 points of it, so that the last one gets a part.
    done = await sample(database, policy_with(1_310), writers=2, seconds=1.0, callers=8)
    assert min(each["sales"] for each in done) > 0
    assert sum(each["sales"] for each in done) > 1_310 // 20 + 1
    owner = await connect(database, role=None)
    try:
        rows = await owner.fetch("SELECT payload FROM event WHERE kind = 15 ORDER BY version")
    finally:
        await owner.close()
    facts = [decode(row["payload"]) for row in rows]
    used = [fact.used_after for fact in facts if isinstance(fact, BudgetUsed)]
    assert used == [*range(20, 1_310, 20), 1_310]
    assert sum(each["points"] for each in done) == 1_310

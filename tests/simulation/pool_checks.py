"""What must be true of pools, reckoned from what was answered."""

from collections import Counter

from loyalty.v1.events_pb2 import PoolClosed, PoolCreated
from loyalty.v1.member_service_pb2 import ClosePoolRequest, CreatePoolRequest
from tests.simulation.due import accounts, folded
from tests.simulation.located import Located, answered
from tests.simulation.processes import World
from tests.simulation.traffic import Traffic


def check_pools(facts: list[Located], world: World, traffic: Traffic) -> None:
    """Who is in a pool is said by both alike, and each was opened and closed as was answered."""
    opened = Counter(pool.pool_id for _, pool in answered(traffic, CreatePoolRequest))
    assert opened == Counter(where for where, fact in facts if isinstance(fact, PoolCreated))
    ended = Counter(where for where, fact in facts if isinstance(fact, PoolClosed))
    assert all(times == 1 for times in ended.values())
    assert {pool.pool_id for _, pool in answered(traffic, ClosePoolRequest)} <= ended.keys()
    inside: set[tuple[str, str]] = set()
    told: set[tuple[str, str]] = set()
    for stream in accounts(world):
        account = folded(world, stream)
        told.update((pool_id, account.account_id) for pool_id in account.pooling.joined)
        if account.pooling.pool is None:
            continue
        assert account.pooling.pool.closed == (account.account_id in ended)
        inside.update((account.account_id, each.member_id) for each in account.pooling.pool.members)
    assert inside == told

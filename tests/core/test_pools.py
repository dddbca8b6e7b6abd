"""Pools as the core decides them: who may do what, and whose points they are."""

from dataclasses import dataclass, field
from typing import TypeAlias

import pytest

from ledger.core import snapshot
from ledger.core.commands import (
    AddPoolMember,
    ClosePool,
    CreatePool,
    JoinPool,
    LeavePool,
    RemovePoolMember,
    SetPoolPermissions,
)
from ledger.core.events import kind_of
from ledger.core.pools import MEMBERS_MAX, POOLS_MAX
from ledger.core.refusals import (
    AccountClosed,
    AlreadyInPool,
    InsufficientPoints,
    LastAdministrator,
    NotInPool,
    NotPermittedInPool,
    PoolFull,
    PoolNotOpen,
    TooManyPools,
    UnknownPool,
)
from ledger.core.state import Account
from ledger.core.tally import Tally
from ledger.verifying.pool_books import wrong_of_pools
from loyalty.v1.events_pb2 import (
    TRANSFER_KIND_CONTRIBUTION,
    TRANSFER_KIND_HOME,
    MembershipChanged,
    PointsBurned,
    PoolPermissionsChanged,
    ReversalReversed,
)
from loyalty.v1.types_pb2 import (
    MEMBERSHIP_STATE_CLOSED,
    POOL_PERMISSION_ADMINISTER,
    POOL_PERMISSION_CONTRIBUTE,
    POOL_PERMISSION_SPEND,
    POOL_PERMISSION_VIEW,
    PoolPermission,
)
from tests.core.between import Between, member
from tests.core.spec import NEW_YEAR, Grant, Story, utc

VIEW, CONTRIBUTE = POOL_PERMISSION_VIEW, POOL_PERMISSION_CONTRIBUTE
SPEND, ADMINISTER = POOL_PERMISSION_SPEND, POOL_PERMISSION_ADMINISTER
Permission: TypeAlias = PoolPermission.ValueType


@dataclass
class Pooled:
    """Anna's pool."""

    anna: Story = field(default_factory=lambda: member("anna"))
    ben: Story = field(default_factory=lambda: member("ben"))
    pool: Story = field(default_factory=lambda: Story(Account("pool"), enrols=False))
    transfers: int = 0

    def __post_init__(self) -> None:
        self.pool.does(CreatePool("anna", "A", NEW_YEAR))
        self.anna.does(JoinPool("pool", "A", NEW_YEAR))

    def adds(self, member_id: str, *may: Permission, by: str = "anna") -> None:
        self.pool.does(AddPoolMember(member_id, may, by, "A", NEW_YEAR))

    def permits(self, member_id: str, *may: Permission, by: str = "anna") -> None:
        self.pool.does(SetPoolPermissions(member_id, may, by, "A", NEW_YEAR))

    def removes(self, member_id: str, *, by: str = "anna") -> None:
        self.pool.does(RemovePoolMember(member_id, by, "A", NEW_YEAR))

    def closes(self, *, by: str = "anna") -> None:
        self.pool.does(ClosePool(by, "A", NEW_YEAR))

    def told(self, last: int) -> list[str]:
        return [kind_of(fact.event) for fact in self.pool.facts[-last:]]

    def contributes(self, sender: Story, points: int) -> None:
        self._between(sender, self.pool, TRANSFER_KIND_CONTRIBUTION).moves(points, fee=0)

    def takes_home(self, receiver: Story, points: int) -> None:
        self._between(self.pool, receiver, TRANSFER_KIND_HOME).moves(points, fee=0)

    def members(self) -> dict[str, tuple[Permission, ...]]:
        pool = self.pool.account.pooling.pool
        assert pool is not None
        return dict(pool.members)

    def _between(self, sender: Story, receiver: Story, kind: int) -> Between:
        self.transfers += 10
        pair = Between(sender, receiver, kind)  # type: ignore[arg-type]
        pair.transfers = self.transfers
        return pair


def test_who_opens_a_pool_may_do_everything() -> None:
    pooled = Pooled()
    assert pooled.members() == {"anna": (VIEW, CONTRIBUTE, SPEND, ADMINISTER)}
    assert pooled.anna.account.pooling.joined == ("pool",)
    assert pooled.pool.account.business_unit == "A"
    for story in (pooled.pool, pooled.anna):
        assert snapshot.decode(snapshot.encode(story.account)) == story.account


def test_only_who_administers_lets_members_in_and_says_what_they_may() -> None:
    pooled = Pooled()
    pooled.adds("ben", SPEND, VIEW)
    assert pooled.members()["ben"] == (VIEW, SPEND)
    with pytest.raises(NotPermittedInPool) as refusal:
        pooled.adds("carl", VIEW, by="ben")
    assert refusal.value.permission == "administer"
    with pytest.raises(NotPermittedInPool):
        pooled.permits("ben", ADMINISTER, by="ben")
    with pytest.raises(NotPermittedInPool):
        pooled.removes("anna", by="ben")
    with pytest.raises(AlreadyInPool):
        pooled.adds("ben", VIEW)
    with pytest.raises(NotInPool):
        pooled.permits("carl", VIEW)
    with pytest.raises(NotInPool):
        pooled.removes("carl", by="carl")
    pooled.permits("ben", VIEW)
    assert pooled.members()["ben"] == (VIEW,)
    pooled.removes("ben", by="ben")
    assert "ben" not in pooled.members()


def test_the_last_who_administers_cannot_give_that_up_and_stay() -> None:
    pooled = Pooled()
    pooled.adds("ben", VIEW)
    with pytest.raises(LastAdministrator):
        pooled.permits("anna", VIEW, SPEND)
    pooled.permits("ben", ADMINISTER)
    pooled.permits("anna", VIEW)
    assert pooled.members() == {"anna": (VIEW,), "ben": (ADMINISTER,)}


def test_the_last_who_administers_leaves_that_to_who_has_been_in_it_longest() -> None:
    pooled = Pooled()
    pooled.adds("carl", SPEND, VIEW)
    pooled.adds("ben", VIEW, CONTRIBUTE, SPEND)
    pooled.removes("anna", by="anna")
    assert pooled.told(2) == ["pool_permissions_changed", "pool_member_removed"]
    handed = pooled.pool.facts[-2].event
    assert handed == PoolPermissionsChanged(
        member_id="carl",
        permissions=(VIEW, SPEND, ADMINISTER),
        business_unit="A",
        by_id="anna",
        handed_over=True,
    )
    assert pooled.members() == {"carl": (VIEW, SPEND, ADMINISTER), "ben": (VIEW, CONTRIBUTE, SPEND)}
    pooled.permits("ben", ADMINISTER, by="carl")
    pooled.removes("carl", by="carl")
    # Somebody else may administer it: nothing is handed over.
    assert pooled.told(2) == ["pool_permissions_changed", "pool_member_removed"]
    assert pooled.members() == {"ben": (ADMINISTER,)}
    assert not pooled.pool.facts[-2].event.handed_over  # type: ignore[union-attr]


def test_a_pool_that_the_last_member_leaves_is_closed() -> None:
    pooled = Pooled()
    pooled.contributes(pooled.anna.has_lot("L1", 40), 40)
    pooled.removes("anna", by="anna")
    assert pooled.told(2) == ["pool_member_removed", "pool_closed"]
    assert pooled.members() == {}
    with pytest.raises(PoolNotOpen):
        pooled.removes("anna", by="anna")
    pooled.takes_home(pooled.anna, 40)
    assert pooled.anna.available == 40


def test_a_pool_and_a_member_have_room_for_so_many() -> None:
    pooled = Pooled()
    for number in range(1, MEMBERS_MAX):
        pooled.adds(f"m{number}", VIEW)
    with pytest.raises(PoolFull) as full:
        pooled.adds("one more", VIEW)
    assert full.value.limit == len(pooled.members()) == MEMBERS_MAX
    for number in range(1, POOLS_MAX):
        pooled.anna.does(JoinPool(f"pool-{number}", "A", NEW_YEAR))
    with pytest.raises(TooManyPools):
        pooled.anna.does(JoinPool("one more", "A", NEW_YEAR))
    pooled.anna.does(LeavePool("pool-3", "A", NEW_YEAR))
    pooled.anna.does(JoinPool("one more", "A", NEW_YEAR))
    assert len(pooled.anna.account.pooling.joined) == POOLS_MAX


def test_points_are_spent_and_put_in_by_who_may() -> None:
    pooled = Pooled()
    pooled.adds("ben", VIEW, CONTRIBUTE)
    pooled.adds("carl", SPEND)
    pooled.ben.has_lot("L1", 50)
    pooled.contributes(pooled.ben, 50)
    for who in ("ben", "somebody"):
        with pytest.raises(NotPermittedInPool) as refusal:
            pooled.pool.burns(10, spender=who)
        assert refusal.value.permission == "spend"
        with pytest.raises(NotPermittedInPool):
            pooled.pool.holds("H", 10, spender=who)
    pooled.pool.burns(10, spender="carl")
    pooled.pool.holds("H", 10, spender="carl")
    [burned] = [f.event for f in pooled.pool.facts if isinstance(f.event, PointsBurned)]
    assert burned.spender_id == "carl"
    pooled.permits("ben", VIEW)
    pooled.anna.has_lot("L2", 10)
    pooled.contributes(pooled.anna, 10)
    with pytest.raises(NotPermittedInPool) as refusal:
        pooled.contributes(pooled.ben.has_lot("L3", 5), 5)
    assert refusal.value.permission == "contribute"
    with pytest.raises(UnknownPool):
        pooled.anna.burns(1, spender="ben")


def test_points_come_home_from_a_pool_to_who_contributed_them() -> None:
    pooled = Pooled()
    pooled.adds("ben", CONTRIBUTE)
    pooled.anna.posts("D1", 1, Grant(40, expires_at=utc("2025-05-01")))
    pooled.ben.posts("D2", 1, Grant(60, expires_at=utc("2025-04-01")))
    pooled.contributes(pooled.anna, 40)
    pooled.contributes(pooled.ben, 60)
    pooled.pool.burns(70, spender="anna")
    assert [(lot.contributor, lot.document, lot.left) for lot in pooled.pool.account.lots] == [
        ("anna", "A/till/D1", 30)
    ]
    with pytest.raises(InsufficientPoints) as refusal:
        pooled.takes_home(pooled.anna, 31)
    assert refusal.value.available == 30
    pooled.takes_home(pooled.anna, 30)
    [home] = pooled.anna.account.lots
    assert (home.document, home.contributor, home.expires_at) == (
        "A/till/D1",
        "",
        utc("2025-05-01"),
    )
    assert pooled.pool.available == 0


def test_burned_points_of_a_pool_come_back_with_their_contributor() -> None:
    pooled = Pooled()
    pooled.contributes(pooled.anna.has_lot("L1", 40), 40)
    burn = pooled.pool.burns(40, spender="anna")
    pooled.pool.reverses(burn)
    assert [lot.contributor for lot in pooled.pool.account.lots] == ["anna"]
    pooled.pool.holds("H", 10, spender="anna")
    account = pooled.pool.account
    assert snapshot.decode(snapshot.encode(account)) == account


def test_a_closed_pool_takes_and_gives_nothing_but_what_comes_home() -> None:
    pooled = Pooled()
    pooled.adds("ben", VIEW, CONTRIBUTE, SPEND)
    pooled.contributes(pooled.anna.has_lot("L1", 40), 40)
    pooled.pool.holds("H", 15, spender="ben")
    with pytest.raises(NotPermittedInPool):
        pooled.closes(by="ben")
    pooled.closes()
    assert pooled.told(3) == ["pool_member_removed", "pool_member_removed", "pool_closed"]
    assert pooled.members() == {}
    for refused in (
        lambda: pooled.pool.burns(1, spender="anna"),
        lambda: pooled.contributes(pooled.ben.has_lot("L2", 5), 5),
        lambda: pooled.adds("carl", VIEW),
        lambda: pooled.permits("anna", VIEW),
        pooled.closes,
    ):
        with pytest.raises(PoolNotOpen):
            refused()
    pooled.takes_home(pooled.anna, 25)
    pooled.pool.releases("H")
    pooled.takes_home(pooled.anna, 15)
    assert (pooled.anna.available, pooled.pool.available) == (40, 0)


def test_what_was_spent_of_a_closed_pool_comes_back_and_is_not_spent_anew() -> None:
    pooled = Pooled()
    pooled.contributes(pooled.anna.has_lot("L1", 40), 40)
    burn = pooled.pool.burns(30, spender="anna")
    reversal = pooled.pool.reverses(burn, 20)
    pooled.pool.reverses(reversal, 5)
    again = ReversalReversed(burn_entry_id="e-9", currency="P", points=1)
    assert list(wrong_of_pools(again, Tally(pooled.pool.account), "pool")) == []
    pooled.closes()
    pooled.pool.reverses(burn)
    with pytest.raises(PoolNotOpen):
        pooled.pool.reverses(reversal)
    assert list(wrong_of_pools(again, Tally(pooled.pool.account), "pool")) != []
    pooled.takes_home(pooled.anna, 40)
    assert (pooled.anna.available, pooled.pool.available) == (40, 0)


def test_who_closed_the_account_comes_into_no_pool() -> None:
    pooled = Pooled()
    pooled.anna.tells(MembershipChanged(state=MEMBERSHIP_STATE_CLOSED, business_unit="A"))
    with pytest.raises(AccountClosed):
        pooled.anna.does(JoinPool("another", "A", NEW_YEAR))

"""A history that somebody changed behind the ledger's back: a verification names what and where.

The database's owner can do anything, the trigger off; what can be found in the history itself is
found, and whatever is consistent in itself still has another root.
"""

from typing import Any

import pytest

from ledger import replay as replaying
from ledger.lanes import DOCUMENT, lane_of
from ledger.replay import Unfoldable, replay
from ledger.verifying.findings import PER_REASON, Reason
from loyalty.v1.events_pb2 import DocumentPosted, PointsBurned, PolicyPublished
from tests.store.tampering import Place, Story, told

pytestmark = pytest.mark.asyncio(loop_scope="module")
tell = told

EARNED, PENDED, BURNED, HELD, CAPTURED = 20, 21, 23, 24, 25
POSTED, POLICY = 60, 10


def one_more_point(fact: Any) -> None:
    fact.points += 1


async def test_a_flipped_byte_of_a_payload(story: Story) -> None:
    [lane, pos] = (await story.places(BURNED))[0]
    await story.owner.execute(
        "UPDATE event SET payload = set_byte(payload, 20, get_byte(payload, 20) # 1)"
        " WHERE lane = $1 AND pos = $2",
        lane,
        pos,
    )
    assert (await story.found())[Reason.HASH_MISMATCH] == [(lane, pos)]


@pytest.mark.parametrize(
    "change",
    [
        "points = points + 1",
        "currency = 'q'",
        "business_unit = 'b'",
        "kind = 27",
        "points = NULL",
    ],
)
async def test_a_changed_column(story: Story, change: str) -> None:
    place = (await story.places(BURNED))[0]
    await story.owner.execute(f"UPDATE event SET {change} WHERE lane = $1 AND pos = $2", *place)
    found = await story.found()
    assert found == {Reason.HASH_MISMATCH: [place], Reason.COLUMN_MISMATCH: [place]}


@pytest.mark.parametrize(
    "change", ["occurred_at = occurred_at - interval '1 microsecond'", "leaf_hash = sha256('x')"]
)
async def test_a_change_of_what_the_payload_does_not_tell(story: Story, change: str) -> None:
    place = (await story.places(BURNED))[0]
    await story.owner.execute(f"UPDATE event SET {change} WHERE lane = $1 AND pos = $2", *place)
    assert await story.found() == {Reason.HASH_MISMATCH: [place]}


async def test_the_last_event_deleted(story: Story) -> None:
    lane = (await story.places(EARNED))[0][0]
    last = await story.owner.fetchval("SELECT next_pos FROM lane WHERE lane = $1", lane) - 1
    await story.owner.execute("DELETE FROM event WHERE lane = $1 AND pos = $2", lane, last)
    assert await story.found() == {Reason.POSITION_GAP: [(lane, last)]}


async def test_the_last_event_deleted_and_the_lane_moved_back_has_another_root(
    story: Story,
) -> None:
    before = await story.verify()
    lane = (await story.places(EARNED))[0][0]
    await story.owner.execute(
        "DELETE FROM event WHERE lane = $1"
        " AND pos = (SELECT next_pos - 1 FROM lane WHERE lane = $1)",
        lane,
    )
    await story.owner.execute("UPDATE lane SET next_pos = next_pos - 1 WHERE lane = $1", lane)
    assert list(await story.found()) == [Reason.COLUMN_MISMATCH]
    await story.owner.execute(
        "UPDATE lane l SET last_recorded_at = (SELECT max(recorded_at) FROM event e"
        " WHERE e.lane = l.lane) WHERE lane = $1",
        lane,
    )
    after = await story.verify()
    assert not after.divergences
    assert after.lane_roots[lane].size == before.lane_roots[lane].size - 1
    assert after.lane_roots[lane].root != before.lane_roots[lane].root


async def test_a_lot_deleted_that_a_document_had_given(story: Story) -> None:
    lane, pos = (await story.places(PENDED))[-1]
    await story.owner.execute("DELETE FROM event WHERE lane = $1 AND pos >= $2", lane, pos)
    found = await story.found()
    assert found[Reason.AWARD_MISMATCH] == [(lane, pos - 1)]


async def test_an_event_in_the_middle_deleted(story: Story) -> None:
    lane, pos = (await story.places(EARNED))[1]
    await story.owner.execute("DELETE FROM event WHERE lane = $1 AND pos = $2", lane, pos)
    assert await story.found() == {
        Reason.POSITION_GAP: [(lane, pos)],
        Reason.VERSION_GAP: [(lane, pos + 1)],
    }
    with pytest.raises(Unfoldable) as unfoldable:
        await replay(story.owner)
    assert (unfoldable.value.lane, unfoldable.value.pos) == (lane, pos)


async def test_two_events_swapped(story: Story) -> None:
    one, two = (await story.places(EARNED))[:2]
    for source, target in ((one, (one[0], -1)), (two, one), ((one[0], -1), two)):
        await story.owner.execute(
            "UPDATE event SET pos = $3 WHERE lane = $1 AND pos = $2", *source, target[1]
        )
    found = await story.found()
    assert found[Reason.HASH_MISMATCH] == [one, two]
    assert Reason.VERSION_GAP in found
    assert Reason.COLUMN_MISMATCH in found
    for place in (one, two):
        await story.rewrite(place, lambda _: None)
    rehashed = await story.found()
    assert Reason.HASH_MISMATCH not in rehashed
    assert Reason.VERSION_GAP in rehashed


async def test_an_event_moved_before_the_first(story: Story) -> None:
    lane = (await story.places(EARNED))[0][0]
    await story.owner.execute("UPDATE event SET pos = -5 WHERE lane = $1 AND pos = 0", lane)
    assert Reason.POSITION_GAP in await story.found()


async def test_an_event_in_a_lane_that_does_not_exist(story: Story) -> None:
    lane, pos = (await story.places(EARNED))[0]
    await story.owner.execute(
        "INSERT INTO event SELECT 99, pos, stream, version, kind, currency, points,"
        " business_unit, occurred_at, recorded_at, payload, leaf_hash FROM event"
        " WHERE lane = $1 AND pos = $2",
        lane,
        pos,
    )
    assert await story.found() == {Reason.POSITION_GAP: [(99, pos)]}


async def test_an_event_behind_the_lane(story: Story) -> None:
    lane = (await story.places(EARNED))[0][0]
    await story.owner.execute("UPDATE lane SET next_pos = next_pos - 1 WHERE lane = $1", lane)
    head = await story.owner.fetchval("SELECT next_pos FROM lane WHERE lane = $1", lane)
    assert await story.found() == {Reason.POSITION_GAP: [(lane, head)]}


async def test_a_stream_moved_into_another_account(story: Story) -> None:
    lane, pos = (await story.places(EARNED))[-1]
    await story.owner.execute(
        "UPDATE event SET stream = 'account/x' WHERE lane = $1 AND pos = $2", lane, pos
    )
    found = await story.found()
    assert found[Reason.HASH_MISMATCH] == [(lane, pos)]
    assert (lane, pos) in found[Reason.VERSION_GAP]
    assert lane_of("account/x", 16) == lane or (lane, pos) in found[Reason.COLUMN_MISMATCH]


async def test_a_kind_that_nobody_knows(story: Story) -> None:
    place = (await story.places(BURNED))[0]
    await story.owner.execute(
        "UPDATE event SET payload = '\\xba0c00' WHERE lane = $1 AND pos = $2", *place
    )
    assert (await story.found())[Reason.UNKNOWN_KIND] == [place]


async def test_points_raised_with_hash_and_columns(story: Story) -> None:
    before = await story.verify()
    place = (await story.places(EARNED))[2]
    await story.rewrite(place, one_more_point)
    found = await story.found()
    assert found[Reason.BALANCE_MISMATCH] == [place]
    assert Reason.HASH_MISMATCH not in found
    after = await story.verify()
    assert after.lane_roots[place[0]].root != before.lane_roots[place[0]].root


async def test_points_raised_with_every_later_balance(story: Story) -> None:
    lane, pos = (await story.places(EARNED))[2]
    await story.rewrite((lane, pos), one_more_point)
    await story.rewrite_balances(lane, pos, 1)
    # The document's grants do not explain the lot.
    assert await story.found() == {Reason.AWARD_MISMATCH: [(lane, pos - 1)]}


async def test_points_raised_with_every_later_balance_and_the_grants(story: Story) -> None:
    lane, pos = (await story.places(EARNED))[1]

    def generous(fact: DocumentPosted) -> None:
        fact.grants[0].granted += 1
        fact.grants[0].wanted += 1

    await story.rewrite((lane, pos), one_more_point)
    await story.rewrite_balances(lane, pos, 1)
    await story.rewrite((lane, pos - 1), generous)
    # The rules never gave that.
    assert await story.found() == {Reason.AWARD_MISMATCH: [(lane, pos - 1)]}


async def test_a_sale_raised_with_all_its_consequences_has_another_root(story: Story) -> None:
    before = await story.verify()
    lane, pos = (await story.places(EARNED))[1]

    def dearer(fact: DocumentPosted) -> None:
        fact.document.lines[0].net_minor_units += 100
        fact.grants[0].granted += 1
        fact.grants[0].wanted += 1

    await story.rewrite((lane, pos), one_more_point)
    await story.rewrite_balances(lane, pos, 1)
    await story.rewrite((lane, pos - 1), dearer)
    after = await story.verify()
    # It tells another, equally possible story: only who kept a root can tell.
    assert not after.divergences
    assert after.lane_roots[lane].root != before.lane_roots[lane].root
    assert after.state_digest != before.state_digest


async def test_a_draw_from_a_lot_that_has_not_so_much(story: Story) -> None:
    place = (await story.places(BURNED))[0]

    def from_one_lot(fact: PointsBurned) -> None:
        fact.draws[0].points = fact.points
        del fact.draws[1:]

    await story.rewrite(place, from_one_lot)
    assert (await story.found())[Reason.LOT_BELOW_ZERO] == [place]
    with pytest.raises(Unfoldable):
        await replay(story.owner)


async def test_a_replay_that_stops_leaves_nothing_behind(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page after the one that it stops at is on its way by then."""
    monkeypatch.setattr(replaying, "PAGE", 1)
    place = (await story.places(BURNED))[0]
    await story.owner.execute("UPDATE event SET payload = '' WHERE lane = $1 AND pos = $2", *place)
    with pytest.raises(Unfoldable):
        await replay(story.owner)
    assert await story.owner.fetchval("SELECT true")


async def test_a_pinned_time_that_is_none(story: Story) -> None:
    lane = (await story.places(BURNED))[0][0]
    place = [place for place in await story.places(POSTED) if place[0] == lane][1]

    def damaged(fact: DocumentPosted) -> None:
        fact.pins.local_time = fact.pins.local_time.replace("-", ":", 1)

    await story.rewrite(place, damaged)
    assert place in (await story.found())[Reason.AWARD_MISMATCH]


async def test_draws_that_do_not_add_up(story: Story) -> None:
    place = (await story.places(HELD))[0]

    def less(fact: Any) -> None:
        fact.draws[0].points -= 1

    await story.rewrite(place, less)
    assert place in (await story.found())[Reason.BALANCE_MISMATCH]


async def test_a_capture_that_leaves_another_rest(story: Story) -> None:
    place = (await story.places(CAPTURED))[0]

    def more_left(fact: Any) -> None:
        fact.hold_left += 1

    await story.rewrite(place, more_left)
    assert await story.found() == {Reason.BALANCE_MISMATCH: [place]}


async def test_a_policy_that_says_something_else(story: Story) -> None:
    [place] = await story.places(POLICY)

    def doubled(fact: PolicyPublished) -> None:
        changed = fact.expanded.replace(b"0.01 EUR", b"0.02 EUR")
        assert changed != fact.expanded
        fact.expanded = changed

    await story.rewrite(place, doubled)
    found = await story.found()
    # The policy does not have its digest, and what was awarded under it has no policy.
    assert place in found[Reason.POLICY_MISMATCH]
    assert set(found[Reason.AWARD_MISMATCH]) & set(await story.places(POSTED))


async def test_much_damage_is_told_in_few_words(database: str) -> None:
    async with told(database) as story:
        for number in range(20):
            await story.till.post(story.till.document(story.member, f"E{number}", 1, 100_00))
        await story.owner.execute("UPDATE event SET points = points + 1 WHERE points IS NOT NULL")
        found = await story.found()
        assert len(found[Reason.HASH_MISMATCH]) == PER_REASON
        assert len(found[Reason.COLUMN_MISMATCH]) == PER_REASON
        assert sum(map(len, found.values())) <= 100


async def of_nobody(story: Story) -> Place:
    """Where the document stands that has no member."""
    streams = "SELECT lane, pos FROM event WHERE stream LIKE $1"
    [row] = await story.owner.fetch(streams, f"{DOCUMENT}%")
    return row[0], row[1]


async def test_an_emptied_document_of_nobody(story: Story) -> None:
    """No lot, no grant and no member stands beside it that could tell."""
    place = await of_nobody(story)
    await story.rewrite(place, DocumentPosted.Clear)
    assert await story.found() == {Reason.FACT_INCOMPLETE: [place]}


async def test_a_document_of_nobody_under_a_policy_that_was_never_published(story: Story) -> None:
    place = await of_nobody(story)

    def otherwise(fact: DocumentPosted) -> None:
        fact.pins.policy_digest = "0" * 64

    await story.rewrite(place, otherwise)
    assert await story.found() == {Reason.POLICY_NOT_IN_FORCE: [place]}


async def test_a_pinned_time_that_is_none_of_a_document_of_nobody(story: Story) -> None:
    place = await of_nobody(story)

    def damaged(fact: DocumentPosted) -> None:
        fact.pins.local_time = "yesterday"

    await story.rewrite(place, damaged)
    assert await story.found() == {Reason.AWARD_MISMATCH: [place]}

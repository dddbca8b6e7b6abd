"""Opening balances: each row once, one file for a source, lots like all others, tiers as stated."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from ledger.core import refusals
from ledger.core.instant import DAY, from_timestamp, to_timestamp
from ledger.core.refusals import Refusal
from loyalty.v1.account_service_pb2 import ListEntriesRequest
from loyalty.v1.ledger_service_pb2 import (
    OPENING_MEMBER_OTHER,
    OPENING_MEMBER_SAME,
    OUTCOME_REPLAYED,
    GetOpeningsRequest,
    OpeningQuestion,
    RecordOpeningRequest,
)
from loyalty.v1.types_pb2 import Identity, MemberRef, OpeningMetric
from tests.store.openings import DIGEST, LADDER, OTHER, lot, nights, row, tier
from tests.store.till import Till, at, moved, open_till


@pytest.fixture
async def till(database: str) -> AsyncIterator[Till]:
    """A ledger whose programme has tiers; nobody is a member yet."""
    async with open_till(database) as till:
        await till.publish(LADDER)
        yield till


def by(card: str) -> MemberRef:
    return MemberRef(identity=Identity(scheme="card", value=card))


async def sound(till: Till) -> None:
    [*_, last] = [word async for word in till.ledger.verify(skip_awards=False)]
    assert not last.divergences


async def test_a_row_brings_lots_that_are_spent_and_settled_like_all_others(till: Till) -> None:
    posting = await till.post(
        row(till, 1, lot(100, expires="2025-07-01"), lot(50, unit="b", earned="2023-01-01"))
    )
    assert moved(posting) == [("opening_lot_recorded", 100), ("opening_lot_recorded", 50)]
    burned = await till.post(till.burn(by("1"), 120, unit="b"))
    [movement] = burned.movements
    assert [(draw.points, draw.issuer) for draw in movement.draws] == [(100, "a"), (20, "b")]
    till.clock.set(at("2025-08-01T00:00"))
    back = await till.post(till.reverse(burned.entry_id, unit="b"))
    assert moved(back) == [("burn_reversed", 120), ("points_expired", 100)]
    assert await till.available(by("1")) == 50
    await sound(till)


async def test_what_has_expired_already_comes_in_and_expires_in_one_commit(till: Till) -> None:
    posting = await till.post(row(till, 1, lot(100, expires="2025-01-01")))
    assert moved(posting) == [("opening_lot_recorded", 100), ("points_expired", 100)]


async def test_a_member_of_the_old_programme_joins_with_the_row(till: Till) -> None:
    since = to_timestamp(at("2015-03-01T00:00"))
    await till.post(row(till, 1, lot(10), member_since_time=since))
    await till.post(row(till, 2, lot(5), card="1"))
    assert await till.available(by("1")) == 15
    member = await till.ledger.reads.member(by("1"))
    assert from_timestamp(member.enrol_time) == from_timestamp(since)


async def test_nobody_joins_unless_the_row_says_so(till: Till) -> None:
    with pytest.raises(refusals.UnknownMember):
        await till.post(row(till, 1, lot(10), enrol=False))


async def test_a_row_counts_once_whoever_sends_it(till: Till) -> None:
    first = await till.post(row(till, 1, lot(10)))
    other = Till(till.ledger, till.clock, client="other")
    again = await other.post(row(other, 1, lot(10)))
    assert (again.outcome, again.entry_id) == (OUTCOME_REPLAYED, first.entry_id)
    assert await till.available(by("1")) == 10
    with pytest.raises(refusals.OpeningConflict) as refused:
        await other.post(row(other, 1, lot(11)))
    assert (refused.value.field, refused.value.now) == ("lots[0].points", "11")
    with pytest.raises(refusals.OpeningConflict) as refused:
        await other.post(row(other, 1, lot(10), card="2"))
    assert refused.value.field == "member.identity.value"


async def test_a_source_is_one_file(till: Till) -> None:
    await till.post(row(till, 1, lot(10)))
    with pytest.raises(refusals.OpeningSourceChanged) as refused:
        await till.post(row(till, 2, lot(10), digest=OTHER))
    assert (refused.value.first, refused.value.now) == (DIGEST, OTHER)
    await till.post(row(till, 2, lot(10), digest=OTHER, source="corrections"))
    assert await till.available(by("2")) == 10


async def test_two_processes_begin_a_source_with_one_file_and_record_each_row_once(
    database: str,
) -> None:
    async with open_till(database) as one, open_till(database) as two:
        await one.publish(LADDER)
        await two.ledger.policies.refresh(two.ledger.reading)
        two.client = "other"

        async def sent(till: Till, number: int, digest: str) -> Any:
            try:
                return await till.post(row(till, number, lot(10), digest=digest))
            except Refusal as refusal:
                return refusal

        rows = [sent(till, number, DIGEST) for number in range(20) for till in (one, two)]
        answers = await asyncio.gather(*rows)
        assert not [each for each in answers if isinstance(each, Refusal)]
        for number in range(20):
            assert await one.available(by(str(number))) == 10
        rivals = await asyncio.gather(
            sent(one, 90, OTHER),
            sent(two, 91, DIGEST),
        )
        assert isinstance(rivals[0], refusals.OpeningSourceChanged)
        await sound(one)


async def test_points_and_nights_of_old_count_for_the_tier_as_if_earned_here(till: Till) -> None:
    posting = await till.post(row(till, 1, lot(120, currency="q", window="2025")))
    assert posting.tier == "silver"
    posting = await till.post(row(till, 2, metrics=[nights(6), nights(4, unit="b")]))
    assert posting.tier == "silver"
    posting = await till.post(row(till, 3, metrics=[nights(10, window="2023")]))
    assert posting.tier in ("", "basic")
    lifetime = OpeningMetric(
        metric="spend", business_unit="a", currency_code="EUR", window="2011", amount=1_000_000
    )
    posting = await till.post(row(till, 4, metrics=[lifetime]))
    assert posting.tier == "gold"
    await sound(till)


async def test_a_stated_tier_is_held_to_its_end_unless_a_higher_one_is_earned(till: Till) -> None:
    posting = await till.post(row(till, 1, tier=tier("gold", "2025-09-01")))
    assert posting.tier == "gold"
    over = await till.post(row(till, 2, tier=tier("gold", "2025-01-01")))
    assert over.tier in ("", "basic")
    earned = lot(600, currency="q", window="2025")
    posting = await till.post(row(till, 3, earned, tier=tier("silver", "2025-09-01")))
    assert posting.tier == "gold"
    till.clock.set(at("2025-09-02T00:00"))
    assert (await till.ledger.reads.member(by("1"))).tier == "basic"
    await sound(till)


async def test_rows_are_told_as_they_came_in(till: Till) -> None:
    asked = [
        row(till, 1, lot(100, expires="2025-07-01"), lot(7, currency="q", window="2024")),
        row(till, 2, metrics=[nights(3)], tier=tier("gold", "2025-09-01")),
        row(till, 3, member_since_time=to_timestamp(at("2015-03-01T00:00"))),
    ]
    for each in asked:
        await till.post(each)
    told = await till.ledger.openings.rows(
        GetOpeningsRequest(
            source="old",
            count=True,
            rows=[
                *(OpeningQuestion(row=each.row, member=each.member) for each in asked),
                OpeningQuestion(row="4"),
            ],
        )
    )
    assert (told.source_digest, told.recorded_rows) == (DIGEST, 3)
    assert [each.recorded for each in told.rows] == [True, True, True, False]
    for stated, found in zip(asked, told.rows, strict=False):
        assert found.member == OPENING_MEMBER_SAME
        lots = list(stated.lots)
        for brought in lots:
            brought.funder = brought.business_unit
        assert list(found.lots) == lots
        assert list(found.metrics) == list(stated.metrics)
        assert found.tier == stated.tier
        assert found.member_since_time == stated.member_since_time
    wrong = await till.ledger.openings.rows(
        GetOpeningsRequest(source="old", rows=[OpeningQuestion(row="1", member=by("2"))])
    )
    assert wrong.rows[0].member == OPENING_MEMBER_OTHER
    nothing = await till.ledger.openings.rows(GetOpeningsRequest(source="new", count=True))
    assert (nothing.source_digest, nothing.recorded_rows) == ("", 0)


async def test_a_row_that_is_only_checked_leaves_nothing(till: Till) -> None:
    request = row(till, 1, lot(10))
    request.validate_only = True
    posting = await till.post(request)
    assert moved(posting) == [("opening_lot_recorded", 10)]
    told = await till.ledger.openings.rows(GetOpeningsRequest(source="old", count=True))
    assert (told.source_digest, told.recorded_rows) == ("", 0)
    with pytest.raises(refusals.UnknownMember):
        await till.available(by("1"))


async def test_the_statement_shows_what_came_in(till: Till) -> None:
    await till.post(row(till, 1, lot(10)))
    page = await till.ledger.reads.entries(ListEntriesRequest(member=by("1")))
    assert [entry.movement.kind for entry in page.entries] == ["opening_lot_recorded"]


Change = Callable[[RecordOpeningRequest], None]


def unit(request: RecordOpeningRequest) -> None:
    request.lots[0].business_unit = "c"


def currency(request: RecordOpeningRequest) -> None:
    request.lots[0].currency = "x"


def funder(request: RecordOpeningRequest) -> None:
    request.lots[0].funder = "nobody"


def windowed(request: RecordOpeningRequest) -> None:
    request.lots[0].tier_window = "2025"


def no_window(request: RecordOpeningRequest) -> None:
    request.lots[0].currency = "q"


def by_day(request: RecordOpeningRequest) -> None:
    request.metrics[0].window = "2025-01-01"


def metric(request: RecordOpeningRequest) -> None:
    request.metrics[0].metric = "stays"


def tier_name(request: RecordOpeningRequest) -> None:
    request.tier.tier = "platinum"


def tomorrow(request: RecordOpeningRequest) -> None:
    request.lots[0].earned_time.CopyFrom(to_timestamp(at("2025-03-01T12:00") + DAY))


WRONG: dict[str, tuple[Change, type[Refusal]]] = {
    "lots[0].business_unit": (unit, refusals.UnknownBusinessUnit),
    "lots[0].currency": (currency, refusals.UnknownCurrency),
    "lots[0].funder": (funder, refusals.UnknownBusinessUnit),
    "lots[0].tier_window": (windowed, refusals.Malformed),
    "lots[0].tier_window ": (no_window, refusals.Malformed),
    "metrics[0].window": (by_day, refusals.Malformed),
    "metrics[0].metric": (metric, refusals.UnknownMetric),
    "tier.tier": (tier_name, refusals.UnknownTier),
    "lots[0].earned_time": (tomorrow, refusals.Malformed),
}


@pytest.mark.parametrize("field", WRONG)
async def test_what_the_policy_does_not_know_is_named(till: Till, field: str) -> None:
    change, refusal = WRONG[field]
    request = row(till, 1, lot(10), metrics=[nights(1)], tier=tier("gold"))
    change(request)
    with pytest.raises(refusal) as refused:
        await till.post(request)
    assert refused.value.fields["field"] == field.strip()

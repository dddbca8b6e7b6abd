"""What an account keeps for the ladder: bounded, and nothing that counts for life is lost."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.commands import GrantTier, Occasion, TierVerdict
from ledger.core.refusals import NoTierGranted
from ledger.core.standing import DAYS_KEPT, SPANS_KEPT, fold_old_windows, kept_spans
from ledger.core.state import Account, TierSpan, tier_at
from ledger.core.usage import VISITS, Uses
from loyalty.v1.events_pb2 import TIER_CAUSE_GRANT_ENDED, TIER_CAUSE_GRANTED, TierChanged
from tests.core.spec import Grant, Story, utc

FIRST = date(2020, 1, 1)


def day(number: int) -> str:
    """A day, counted from the first."""
    return (FIRST + timedelta(number)).isoformat()


def test_days_that_are_not_kept_are_added_up() -> None:
    counted = {("qp", day(number)): 1 for number in range(DAYS_KEPT + 5)}
    fold_old_windows(counted, ("qp",), day(DAYS_KEPT + 4))
    assert len(counted) == DAYS_KEPT + 1
    assert counted["qp", ""] == 5
    assert ("qp", day(4)) not in counted
    assert ("qp", day(5)) in counted


def test_what_is_taken_back_from_a_forgotten_window_is_taken_from_the_sum() -> None:
    story = Story()
    for number, window in enumerate(["2023", "2024", "2025"]):
        story.posts(f"D{number}", 1, Grant(10, rule="status", currency="QP", window=window))
    story.posts("D0", 2, Grant(4, rule="status", currency="QP", window="2023"))
    assert story.account.qualifying == {("QP", ""): 4, ("QP", "2024"): 10, ("QP", "2025"): 10}


@given(st.lists(st.tuples(st.integers(0, 2_000), st.integers(1, 9)), max_size=60))
def test_no_metric_is_lost_by_forgetting_its_day(uses: list[tuple[int, int]]) -> None:
    usage = Uses({("metric/nights", "a", day(number)): 1 for number in range(900, 900 + 795)})
    usage.change((("metric/nights", "a", day(number)), amount) for number, amount in uses)
    assert sum(usage.shown.values()) == 795 + sum(amount for _, amount in uses)
    assert len(usage.shown) <= DAYS_KEPT + 1


def test_a_forgotten_day_is_one_visit() -> None:
    usage = Uses({(VISITS, "a", day(number)): 3 for number in range(DAYS_KEPT)})
    usage.change([((VISITS, "a", day(DAYS_KEPT)), 1)])
    assert usage.shown[VISITS, "a", ""] == 1


def test_a_tier_that_was_learned_of_late_is_nobodys_after_its_end() -> None:
    """A document of the spring comes in summer, when the tier that it gave is over already."""
    basic = TierSpan("basic", utc("2025-01-01"), None)
    gold = TierSpan("gold", utc("2025-03-01"), utc("2025-06-01"))
    again = TierSpan("basic", utc("2025-07-01"), None)
    days = ("2025-02-01", "2025-03-01", "2025-05-31T23:59", "2025-06-01", "2025-07-01")
    found = [tier_at((basic, gold, again), utc(day)) for day in days]
    assert found == ["basic", "gold", "gold", "basic", "basic"]


def test_tiers_for_ever_are_not_forgotten() -> None:
    for_ever = TierSpan("gold", 0, None, basis="lifetime")
    others = tuple(TierSpan("basic", number, None) for number in range(1, 20))
    kept = kept_spans((for_ever, *others))
    assert kept == (for_ever, *others[-SPANS_KEPT:])


def test_what_staff_gave_is_not_forgotten_before_its_end() -> None:
    given = TierSpan("silver", utc("2025-01-01"), utc("2027-01-01"), basis="granted")
    years = [TierSpan("gold", utc(f"2026-01-{day:02}"), None) for day in range(1, 20)]
    spans: tuple[TierSpan, ...] = ()
    for span in (given, *years, given, *years):
        spans = kept_spans((*spans, span))
    # Held anew it is the same grant, of which one is enough.
    assert spans == (given, *years[-SPANS_KEPT:])
    later = TierSpan("gold", utc("2027-01-01"), None)
    assert kept_spans((*spans, later)) == (*years[1 - SPANS_KEPT :], later)


def falls_to_basic(account: Account, at: int, occasion: Occasion = "counted") -> TierVerdict | None:
    """A ladder on which nobody has earned anything."""
    return TierVerdict("basic", None, "2025", 0, "policy-1", "grant_ended")


def gives(tier: str, until: str | None = None) -> GrantTier:
    """A decision of staff on 10 March."""
    end = None if until is None else utc(until)
    return GrantTier("e-1", tier, end, "status match", "A", utc("2025-03-10"), "policy-1")


def test_a_granted_tier_says_who_gave_it_and_ends_in_time() -> None:
    story = Story(ladder=falls_to_basic).at("2025-03-10")
    [fact] = story.does(gives("gold", "2025-04-01")).facts
    given = fact.event
    assert isinstance(given, TierChanged)
    assert (given.cause, given.reason, given.granting_unit) == (
        TIER_CAUSE_GRANTED,
        "status match",
        "A",
    )
    assert story.account.tier == "gold"
    [ended] = story.at("2025-05-01").passes_time()
    assert ended.occurred_at == utc("2025-04-01")
    assert isinstance(ended.event, TierChanged)
    assert (ended.event.to_tier, ended.event.cause) == ("basic", TIER_CAUSE_GRANT_ENDED)


def test_staff_end_only_what_staff_gave() -> None:
    story = Story(ladder=falls_to_basic).at("2025-03-10")
    with pytest.raises(NoTierGranted):
        story.does(gives(""))
    story.does(gives("gold"))
    [fact] = story.does(gives("")).facts
    assert isinstance(fact.event, TierChanged)
    assert (fact.event.reason, fact.event.to_tier) == ("status match", "basic")


def test_a_ladder_that_raises_by_windows_is_asked_when_one_ends() -> None:
    def raises(account: Account, at: int, occasion: Occasion = "counted") -> TierVerdict:
        tier = "gold" if at >= utc("2026-01-01") else "basic"
        year = 2026 if at < utc("2026-01-01") else 2027
        return TierVerdict(tier, None, "2025", 0, "policy-1", review_at=utc(f"{year}-01-01"))

    story = Story(ladder=raises).at("2025-03-01")
    story.posts("D1", 1, Grant(9, rule="status", currency="QP", window="2025"))
    assert (story.account.tier, story.account.tiers[-1].review_at) == ("basic", utc("2026-01-01"))
    [fact] = story.at("2026-02-01").passes_time()
    assert fact.occurred_at == utc("2026-01-01")
    assert story.account.tier == "gold"

"""The ladder: published programmes worked out, what is counted, and in which window.

The programmes' own rules are public; the policies here are small ones of the tests' own.
"""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.model import Tiers
from rules.needs import window_of
from rules.standing import Standing
from tests.rules.documents import instant
from tests.rules.ladders import (
    STARBUCKS,
    asked,
    at,
    held,
    ladder,
    midnight,
    need,
    points,
    standing,
    tier,
)

# --- published programmes ---------------------------------------------------------------------

MARRIOTT = ladder(
    tier("silver", [need("nights", 10)]),
    tier("gold", [need("nights", 25)]),
    tier("platinum", [need("nights", 50)]),
    tier("titanium", [need("nights", 75)]),
    tier("ambassador", [need("nights", 100), need("spend", 2_000_000, money="USD")]),
)


@pytest.mark.parametrize(
    ("nights", "expected"),
    [(9, "base"), (24, "silver"), (25, "gold"), (50, "platinum"), (75, "titanium")],
)
def test_nights_reach_a_tier_at_its_threshold(nights: int, expected: str) -> None:
    assert MARRIOTT.answer(standing(nights=nights), at("2025-06-01")).tier == expected


@pytest.mark.parametrize(
    ("spend", "expected"), [(1_999_999, "titanium"), (2_000_000, "ambassador")]
)
def test_every_need_of_a_list_must_be_met(spend: int, expected: str) -> None:
    assert MARRIOTT.answer(standing(nights=100, spend=spend), at("2025-06-01")).tier == expected


HYATT = ladder(
    *(
        tier(
            name,
            [need("nights", nights)],
            [points(base)],
            [need("counter", events, counter="event")],
        )
        for name, nights, base, events in [
            ("discoverist", 10, 25_000, 3),
            ("explorist", 30, 50_000, 10),
            ("globalist", 60, 100_000, 20),
        ]
    ),
    valid={"years_after": 2, "month_day": "02-29"},
)


@pytest.mark.parametrize(
    ("nights", "base", "events", "expected"),
    [
        (9, 25_000, 2, "discoverist"),
        (29, 49_995, 9, "discoverist"),
        # 6,000 bonus points are in another currency: they do not qualify.
        (5, 24_000, 0, "base"),
        (9, 24_999, 3, "discoverist"),
    ],
)
def test_any_of_three_metrics_reaches_a_tier(
    nights: int, base: int, events: int, expected: str
) -> None:
    has = standing(qp={"2025": base}, nights=nights)
    counted = {**has.metrics, ("metric/counter/event", "a", "2025"): events}
    answer = HYATT.answer(has._replace(metrics=counted), at("2025-06-01"))
    assert answer.tier == expected


def test_a_tier_lasts_to_the_end_of_february_of_the_second_year() -> None:
    answer = HYATT.answer(standing(nights={"2018": 10}), at("2018-05-12"))
    assert asked(answer) == ("discoverist", midnight("2020-03-01"))
    answer = HYATT.answer(standing(nights={"2019": 10}), at("2019-05-12"))
    assert answer.valid_until == midnight("2021-03-01")


def test_what_was_earned_in_the_year_before_keeps_a_tier_that_ends_in_spring() -> None:
    span = held("discoverist", "2018-05-12", "2020-03-01", "2018")
    kept = HYATT.answer(standing(span, nights={"2019": 10}), midnight("2020-03-01"))
    assert asked(kept) == ("discoverist", midnight("2021-03-01"))
    lost = HYATT.answer(standing(span, nights={"2018": 60, "2019": 9}), midnight("2020-03-01"))
    assert asked(lost) == ("base", None)


@pytest.mark.parametrize(("tier_points", "expected"), [(5_999, "gold"), (6_000, "jade")])
def test_nights_or_points_reach_the_higher_tier(tier_points: int, expected: str) -> None:
    shangri_la = ladder(
        tier("gold", [need("nights", 10)], [points(3_000)]),
        tier("jade", [need("nights", 20)], [points(6_000)]),
    )
    has = standing(qp={"2025": tier_points}, nights=19)
    assert shangri_la.answer(has, at("2025-06-01")).tier == expected


@pytest.mark.parametrize(("hundredths", "expected"), [(49_999, "base"), (50_000, "gold")])
def test_stars_of_twelve_months_reach_gold(hundredths: int, expected: str) -> None:
    stars = {"2025-03-10": 20_000, "2026-03-09": hundredths - 20_000}
    assert STARBUCKS.answer(standing(qp=stars), at("2026-03-09")).tier == expected
    # A day later the first purchase is older than twelve months.
    assert STARBUCKS.answer(standing(qp=stars), at("2026-03-10")).tier == "base"


SEPHORA = ladder(
    tier("vib", [need("spend", 35_000, money="USD")]),
    tier("rouge", [need("spend", 100_000, money="USD")]),
)


@pytest.mark.parametrize(("spend", "expected"), [(34_999, "base"), (35_000, "vib")])
def test_a_years_spend_reaches_a_tier(spend: int, expected: str) -> None:
    assert SEPHORA.answer(standing(spend=spend), at("2025-06-01")).tier == expected


def test_a_tier_of_january_lasts_to_the_end_of_the_next_year() -> None:
    answer = SEPHORA.answer(standing(spend={"2022": 40_000}), at("2022-01-15"))
    assert asked(answer) == ("vib", midnight("2024-01-01"))


# --- counting ---------------------------------------------------------------------------------


def test_only_the_named_business_units_count() -> None:
    hotels = ladder(tier("gold", [need("nights", 10, business_unit=["b", "c"])]))
    nights = {("metric/nights", unit, "2025"): 6 for unit in ("a", "b")}
    assert hotels.answer(Standing({}, nights), at("2025-06-01")).tier == "base"
    nights["metric/nights", "c", "2025"] = 4
    assert hotels.answer(Standing({}, nights), at("2025-06-01")).tier == "gold"


def test_money_of_another_currency_does_not_count() -> None:
    spend = {("metric/spend", "a/EUR", "2025"): 35_000, ("metric/spend", "a/USD", "2025"): 34_999}
    assert SEPHORA.answer(Standing({}, spend), at("2025-06-01")).tier == "base"


@pytest.mark.parametrize("window", ["calendar_year", "rolling_months", "membership_year"])
def test_a_visit_is_a_day_with_a_purchase_in_any_unit(window: str) -> None:
    visitors = ladder(tier("gold", [need("visits", 3)]), window=window)
    visits = {
        ("metric/visits", unit, f"2025-05-0{day}"): purchases
        for unit, day, purchases in [("a", 1, 4), ("b", 1, 1), ("a", 2, 1), ("a", 3, 0)]
    }
    assert visitors.answer(Standing({}, visits), at("2025-06-01")).tier == "base"
    visits["metric/visits", "b", "2025-05-03"] = 1
    assert visitors.answer(Standing({}, visits), at("2025-06-01")).tier == "gold"


def test_a_need_for_life_counts_what_is_too_old_to_be_kept_by_window() -> None:
    loyal = ladder(
        tier("gold", [points(100)], lifetime_any=[[points(1_000, window="lifetime")]]),
        tier("black", [points(500)]),
    )
    old = standing(held("base", "2020-01-01", None), qp={"": 900, "2025": 99})
    assert loyal.answer(old, at("2025-06-01")).tier == "base"
    enough = standing(held("base", "2020-01-01", None), qp={"": 900, "2025": 100})
    answer = loyal.answer(enough, at("2025-06-01"))
    assert (asked(answer), answer.cause, answer.basis) == (
        ("gold", None),
        "lifetime",
        "lifetime",
    )


def test_a_tier_for_life_is_what_a_member_falls_back_to() -> None:
    loyal = ladder(
        tier("gold", [points(100)], lifetime_any=[[points(10_000, window="lifetime")]]),
        tier("black", [points(500)]),
    )
    for_life = held("gold", "2024-02-01", None, "2024", basis="lifetime")
    black = held("black", "2025-06-01", "2027-01-01", "2025")
    ended = loyal.answer(standing(for_life, black, qp={"2025": 500}), midnight("2027-01-01"))
    assert (asked(ended), ended.basis) == (("gold", None), "lifetime")


@pytest.mark.parametrize(
    ("window", "metric", "expected"),
    [
        ("calendar_year", "qualifying_points", "2026"),
        ("calendar_year", "visits", "2026-05-01"),
        ("rolling_months", "qualifying_points", "2026-05-01"),
        ("membership_year", "spend", "2026-05-01"),
    ],
)
def test_what_counts_is_kept_by_the_year_or_by_the_day(
    window: str, metric: str, expected: str
) -> None:
    tiers = Tiers.model_validate({"window": window, "ladder": [{"id": "base"}]})
    assert window_of(tiers, "2026-05-01", metric) == expected


def test_a_ladder_tells_what_it_asks() -> None:
    assert HYATT.asks == {"nights", "qualifying_points", "counter/event"}


@given(
    st.dictionaries(st.integers(0, 1_500), st.integers(-50, 200), max_size=60),
    st.integers(0, 1_500),
    st.integers(1, 24),
    st.integers(1, 1_000),
)
def test_rolling_months_are_the_sum_of_their_days(
    counted: dict[int, int], today: int, months: int, at_least: int
) -> None:
    begin = date(2024, 1, 1)
    day = begin + timedelta(today)
    years, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    first = date(years, month + 1, 1) + timedelta(day.day - 1)
    while first.month != month + 1:  # the month is shorter: its last day
        first -= timedelta(1)
    naive = sum(
        amount for when, amount in counted.items() if first < begin + timedelta(when) <= day
    )
    rolling = ladder(
        tier("gold", [points(at_least)]),
        window="rolling_months",
        window_months=months,
        valid={"months": 1},
    )
    days = {(begin + timedelta(when)).isoformat(): amount for when, amount in counted.items()}
    answer = rolling.answer(standing(qp=days), at(day.isoformat()))
    assert answer.tier == ("gold" if naive >= at_least else "base")


# --- windows and validity ---------------------------------------------------------------------


def test_a_membership_year_begins_with_the_anniversary_of_the_enrolment() -> None:
    members = ladder(tier("gold", [points(100)]), window="membership_year", valid={"months": 12})
    stays = {"2025-05-11": 60, "2025-05-12": 50}
    has = standing(qp=stays, since="2023-05-12T09:00:00Z")
    assert members.answer(has, at("2025-05-12")).tier == "base"
    stays["2026-05-11"] = 50
    answer = members.answer(standing(qp=stays, since="2023-05-12T09:00:00Z"), at("2026-05-11"))
    assert (asked(answer), answer.window) == (("gold", midnight("2027-05-12")), "2025-05-12")


def test_who_joined_on_29_february_has_the_28th_in_common_years() -> None:
    members = ladder(tier("gold", [points(100)]), window="membership_year", valid={"months": 1})
    has = standing(qp={"2025-02-27": 100}, since="2024-02-29T09:00:00Z")
    assert members.answer(has, at("2025-02-27")).tier == "gold"
    # The year before does not count for what is reached now, but it is carried.
    assert members.answer(has, at("2025-02-28")).window == "2024-02-29"


def test_days_are_those_of_the_programmes_zone() -> None:
    berlin = ladder(
        tier("gold", [points(100)]),
        zone="Europe/Berlin",
        window="rolling_months",
        window_months=1,
        valid={"months": 1},
    )
    has = standing(qp={"2025-03-01": 100})
    assert berlin.answer(has, instant("2025-03-31T21:59:59Z")).tier == "gold"
    assert berlin.answer(has, instant("2025-03-31T22:00:00Z")).tier == "base"


def test_a_tier_on_the_last_of_january_lasts_to_the_last_of_february() -> None:
    monthly = ladder(tier("gold", [points(1)]), window="rolling_months", valid={"months": 1})
    answer = monthly.answer(standing(qp={"2025-01-31": 1}), at("2025-01-31"))
    assert answer.valid_until == midnight("2025-03-01")

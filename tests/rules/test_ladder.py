"""The ladder: published programmes worked out, and each key of `tiers` with its numbers.

The programmes' own rules are public; the policies here are small ones of the tests' own.
"""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.facts import Instant
from rules.ladder import Ladder, TierAnswer
from rules.model import Tiers
from rules.needs import window_of
from rules.standing import Held, Standing
from rules.zones import local_zone
from tests.rules.documents import instant


def ladder(*tiers: dict[str, Any], zone: str = "UTC", **terms: object) -> Ladder:
    """Compile a ladder above the lowest tier `base`."""
    steps = [{"id": "base"}, *tiers]
    return Ladder(Tiers.model_validate({"ladder": steps, **terms}), local_zone(zone))


def tier(name: str, *reach: list[dict[str, Any]], **more: object) -> dict[str, Any]:
    """A tier that any of the lists reaches."""
    return {"id": name, "reach_any": list(reach), **more}


def need(metric: str, at_least: int, **more: object) -> dict[str, Any]:
    """A need."""
    return {"metric": metric, "at_least": at_least, **more}


def points(at_least: int, currency: str = "qp", **more: object) -> dict[str, Any]:
    """A need of qualifying points."""
    return need("qualifying_points", at_least, currency=currency, **more)


def standing(
    *spans: Held,
    qp: dict[str, int] | None = None,
    since: str | None = None,
    **metrics: dict[str, int] | int,
) -> Standing:
    """What a member has: `nights=9` in 2025, or by window; `spend` is at unit `a` in USD."""
    counted: dict[tuple[str, str, str], int] = {}
    for name, amounts in metrics.items():
        by_window = amounts if isinstance(amounts, dict) else {"2025": amounts}
        scope = "a/USD" if name == "spend" else "a"
        for window, amount in by_window.items():
            counted[f"metric/{name}", scope, window] = amount
    qualifying = {("qp", window): amount for window, amount in (qp or {}).items()}
    return Standing(qualifying, counted, None if since is None else instant(since), spans)


def at(day: str) -> Instant:
    """Noon of a day, UTC."""
    return instant(f"{day}T12:00:00Z")


def midnight(day: str) -> Instant:
    """The first instant of a day, UTC."""
    return instant(f"{day}T00:00:00Z")


def held(name: str, since: str, until: str | None, window: str = "", **more: Any) -> Held:
    """A tier held from a day on until the start of another."""
    valid_until = None if until is None else midnight(until)
    return Held(name, midnight(since), valid_until, window=window, **more)


def asked(answer: TierAnswer) -> tuple[str | None, Instant | None]:
    """Tier and end."""
    return answer.tier, answer.valid_until


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
    has = standing(qp={"2025": base}, nights=nights, **{"counter/event": events})
    assert HYATT.answer(has, at("2025-06-01")).tier == expected


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


STARBUCKS = ladder(
    tier("gold", [points(50_000)]), window="rolling_months", window_months=12, valid={"months": 12}
)


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


# --- when a period ends -----------------------------------------------------------------------

GOLD = held("gold", "2025-03-01", "2027-01-01", "2025")


def two(**terms: object) -> Ladder:
    """Silver at 200 a calendar year, gold at 500, kept with 450."""
    gold = tier("gold", [points(500)], keep_any=[[points(450)]])
    return ladder(tier("silver", [points(200)]), gold, **terms)


@pytest.mark.parametrize(
    ("points_of_2026", "expected", "until"),
    [
        (500, "gold", "2028-01-01"),
        (450, "gold", "2028-01-01"),
        (449, "silver", "2028-01-01"),
        (199, "base", None),
    ],
)
def test_the_year_that_has_just_ended_decides(
    points_of_2026: int, expected: str, until: str | None
) -> None:
    has = standing(GOLD, qp={"2025": 900, "2026": points_of_2026})
    answer = two().answer(has, midnight("2027-01-01"))
    assert asked(answer) == (expected, None if until is None else midnight(until))
    assert answer.cause == "period_ended"


def test_a_tier_in_force_does_not_fall_before_its_end() -> None:
    answer = two().answer(standing(GOLD, qp={"2025": 500}), at("2026-12-31"))
    assert (answer.tier, answer.cause, answer.valid_until) == ("gold", "", GOLD.valid_until)


def test_a_member_falls_one_step_where_the_ladder_says_so() -> None:
    answer = two(downgrade="one_step").answer(standing(GOLD), midnight("2027-01-01"))
    assert asked(answer) == ("silver", midnight("2028-01-01"))
    silver = held("silver", "2027-01-01", "2028-01-01", answer.window)
    then = two(downgrade="one_step").answer(standing(GOLD, silver), midnight("2028-01-01"))
    assert asked(then) == ("base", None)


def test_a_tier_on_grace_is_asked_once_more_and_renewed_by_what_is_earned_in_it() -> None:
    merciful = two(grace_days=60)
    has = standing(GOLD, qp={"2026": 100})
    grace = merciful.answer(has, midnight("2027-01-01"))
    assert (asked(grace), grace.basis) == (("gold", midnight("2027-03-02")), "grace")
    on_grace = held("gold", "2027-01-01", "2027-03-02", grace.window, basis="grace")
    over = merciful.answer(standing(GOLD, on_grace, qp={"2026": 100}), midnight("2027-03-02"))
    assert asked(over) == ("base", None)
    enough = {"2026": 100, "2027": 450}
    renewed = merciful.answer(standing(GOLD, on_grace, qp=enough), at("2027-02-01"))
    assert (asked(renewed), renewed.basis) == (("gold", midnight("2029-01-01")), "earned")


def test_an_upgrade_waits_for_the_end_of_the_window() -> None:
    patient = two(upgrade="at_period_end")
    first = patient.answer(standing(qp={"2025": 700}), at("2025-03-01"))
    assert (asked(first), first.review_at) == (("base", None), midnight("2026-01-01"))
    base = Held("base", at("2025-03-01"), None, midnight("2026-01-01"))
    meanwhile = patient.answer(standing(base, qp={"2025": 700}), at("2025-08-01"))
    assert (meanwhile.tier, meanwhile.cause) == ("base", "")
    then = patient.answer(standing(base, qp={"2025": 700}), midnight("2026-01-01"))
    assert asked(then) == ("gold", midnight("2027-01-01"))
    assert then.review_at == midnight("2027-01-01")


def test_a_window_that_gave_a_tier_does_not_give_it_again() -> None:
    yearly = two(valid={"months": 12})
    gold = held("gold", "2025-10-05", "2026-10-06", "2025")
    answer = yearly.answer(standing(gold, qp={"2025": 800, "2026": 250}), midnight("2026-10-06"))
    assert answer.tier == "silver"


# --- refunds ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("points_left", "window", "expected"),
    [
        # Reached in this window: its reach-threshold is asked, whatever keeps it.
        ({"2025": 500}, "2025", "gold"),
        ({"2025": 460}, "2025", "silver"),
        # Carried from the year before: what keeps it suffices.
        ({"2024": 450}, "2024", "gold"),
        ({"2024": 449}, "2024", "silver"),
        # Given by a window that is not at hand any more: nothing can be asked.
        ({"2025": 0}, "2022", "gold"),
    ],
)
def test_a_refund_asks_as_if_what_was_refunded_had_never_been(
    points_left: dict[str, int], window: str, expected: str
) -> None:
    gold = held("gold", "2025-01-01", "2026-01-01", window)
    has = standing(gold, qp=points_left)
    assert two().answer(has, at("2025-06-01"), "refunded").tier == expected
    assert two().answer(has, at("2025-06-01")).tier == "gold"


def test_a_refund_gives_back_the_tier_beneath_that_is_still_valid() -> None:
    rolling = ladder(
        tier("silver", [points(200)]),
        tier("gold", [points(500)]),
        window="rolling_months",
        window_months=3,
        valid={"months": 12},
    )
    silver = held("silver", "2025-01-10", "2026-01-11", "2025-01-10")
    gold = held("gold", "2025-06-01", "2026-06-02", "2025-06-01")
    days = {"2025-01-10": 200, "2025-06-01": 100}
    answer = rolling.answer(standing(silver, gold, qp=days), at("2025-06-15"), "refunded")
    assert asked(answer) == ("silver", midnight("2026-01-11"))


def test_days_that_passed_out_of_a_rolling_window_are_no_refund() -> None:
    gold = held("gold", "2026-03-09", "2027-03-10", "2026-03-09")
    days = {"2025-03-10": 20_000, "2026-03-09": 30_000, "2026-04-01": 0}
    assert STARBUCKS.answer(standing(gold, qp=days), at("2026-04-01"), "refunded").tier == "gold"
    days["2025-03-10"] = 19_999
    assert STARBUCKS.answer(standing(gold, qp=days), at("2026-04-01"), "refunded").tier == "base"


# --- what staff give --------------------------------------------------------------------------


def test_a_granted_tier_ends_in_what_was_earned() -> None:
    base = held("base", "2025-01-01", None)
    match = held("gold", "2025-03-10", "2025-04-01", basis="granted")
    nothing = two().answer(standing(base, match, qp={"2025": 199}), midnight("2025-04-01"))
    assert (asked(nothing), nothing.cause) == (("base", None), "grant_ended")
    silver = two().answer(standing(base, match, qp={"2025": 200}), midnight("2025-04-01"))
    assert asked(silver) == ("silver", midnight("2027-01-01"))


def test_a_granted_tier_ends_in_the_earned_one_beneath_it() -> None:
    silver = held("silver", "2024-08-01", "2026-01-01", "2024")
    match = held("gold", "2025-03-10", "2025-04-01", basis="granted")
    answer = two().answer(standing(silver, match), midnight("2025-04-01"))
    assert asked(answer) == ("silver", silver.valid_until)
    at_once = two().answer(standing(silver, match), at("2025-03-20"), "grant_ended")
    assert asked(at_once) == ("silver", silver.valid_until)


def test_a_tier_by_invitation_is_given_by_staff_alone_and_kept_by_its_needs() -> None:
    club = ladder(
        tier("gold", [points(500)]),
        {"id": "black", "invite_only": True, "keep_any": [[points(1_000)]]},
    )
    assert club.answer(standing(qp={"2025": 9_000}), at("2025-06-01")).tier == "gold"
    black = held("black", "2025-02-01", "2026-01-01", basis="granted")
    kept = club.answer(standing(black, qp={"2025": 1_000}), midnight("2026-01-01"))
    assert (kept.tier, kept.basis) == ("black", "earned")
    lost = club.answer(standing(black, qp={"2025": 999}), midnight("2026-01-01"))
    assert lost.tier == "gold"


def test_a_tier_that_the_ladder_does_not_know_is_asked_afresh() -> None:
    old = held("diamond", "2024-01-01", None)
    assert two().answer(standing(old, qp={"2025": 600}), at("2025-06-01")).tier == "gold"

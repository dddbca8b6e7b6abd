"""The ladder: what happens when a tier ends, when something is refunded, and when staff decide."""

from typing import Any

import pytest

from rules.facts import Instant
from rules.ladder import Ladder
from rules.standing import Held, Standing
from rules.tier_answers import TierAnswer
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

# --- when a period ends -----------------------------------------------------------------------

GOLD = held("gold", "2025-03-01", "2027-01-01", "2025")


def two(**terms: Any) -> Ladder:
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


@pytest.mark.parametrize(("left", "expected"), [(300, "gold"), (299, "base")])
def test_a_tier_that_was_kept_in_the_running_window_asks_what_keeps_it(
    left: int, expected: str
) -> None:
    months = ladder(tier("gold", [points(500)], keep_any=[[points(300)]]), valid={"months": 6})
    reached = held("gold", "2024-09-01", "2025-03-02", "2024")
    kept = held("gold", "2025-03-02", "2025-09-02", "2025")
    has = standing(reached, kept, qp={"2024": 500, "2025": left})
    assert months.answer(has, at("2025-06-01"), "refunded").tier == expected


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


@pytest.mark.parametrize(("left", "expected"), [(500, "gold"), (160, "silver"), (100, "base")])
def test_a_refund_that_takes_what_two_tiers_stood_on_takes_both(left: int, expected: str) -> None:
    yearly = ladder(tier("silver", [points(150)]), tier("gold", [points(500)]))
    silver = held("silver", "2025-02-01", "2027-01-01", "2025")
    gold = held("gold", "2025-03-01", "2027-01-01", "2025")
    has = standing(silver, gold, qp={"2025": left})
    assert yearly.answer(has, at("2025-06-01"), "refunded").tier == expected


def test_below_two_tiers_that_are_lost_is_the_one_that_was_carried_from_the_year_before() -> None:
    yearly = ladder(
        tier("bronze", [points(100)]), tier("silver", [points(150)]), tier("gold", [points(500)])
    )
    bronze = held("bronze", "2024-05-01", "2026-01-01", "2024")
    silver = held("silver", "2025-02-01", "2027-01-01", "2025")
    gold = held("gold", "2025-03-01", "2027-01-01", "2025")
    has = standing(bronze, silver, gold, qp={"2024": 100, "2025": 40})
    answer = yearly.answer(has, at("2025-06-01"), "refunded")
    assert asked(answer) == ("bronze", midnight("2026-01-01"))


LONG = ladder(
    tier("gold", [points(600)]), window="rolling_months", window_months=24, valid={"months": 48}
)


@pytest.mark.parametrize(
    ("older", "expected"),
    [({"": 500}, "gold"), ({"2023-03-01": 1}, "base"), ({"": 500, "2023-03-01": 1}, "base")],
)
def test_a_refund_that_asks_beyond_what_is_kept_takes_no_tier(
    older: dict[str, int], expected: str
) -> None:
    """Gold since 2025-02-10 by the two years before; asked two years later, of 2023-02-11 on."""
    gold = held("gold", "2025-02-10", "2029-02-10", "2025-02-10")
    days = {"2023-05-01": 90, "2025-02-10": 5, **older}
    if "2023-03-01" in older:
        days["2023-02-11"] = 1
    answer = LONG.answer(standing(gold, qp=days), at("2027-02-01"), "refunded")
    assert answer.tier == expected


def test_a_refund_recorded_years_later_takes_no_tier_of_a_year_that_is_not_kept() -> None:
    lasting = ladder(tier("gold", [points(50)]), valid={"years_after": 6})
    gold = held("gold", "2022-03-01", "2029-01-01", "2022")
    folded = standing(gold, qp={"": 60, "2025": 4, "2026": 4})
    assert lasting.answer(folded, at("2022-05-01"), "refunded").tier == "gold"
    known = standing(gold, qp={"2022": 40, "2023": 4})
    assert lasting.answer(known, at("2022-05-01"), "refunded").tier == "base"


def test_a_refund_of_spend_asks_the_memory_of_its_own_units() -> None:
    spent = ladder(
        tier("gold", [need("spend", 60_000, money="USD", business_unit=["a"])]),
        window="rolling_months", window_months=24, valid={"months": 48},
    )  # fmt: skip
    gold = held("gold", "2025-02-10", "2029-02-10", "2025-02-10")
    spend = ("metric/spend", "a/USD")
    elsewhere = ("metric/spend", "b/USD")
    has = Standing({}, {(*spend, "2024-05-01"): 90, (*elsewhere, ""): 5}, None, (gold,))
    assert spent.answer(has, at("2027-02-01"), "refunded").tier == "base"
    folded = has._replace(metrics={**has.metrics, (*spend, ""): 70_000})
    assert spent.answer(folded, at("2027-02-01"), "refunded").tier == "gold"


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


SILVER_GIVEN = held("silver", "2025-02-01", "2027-06-01", basis="granted")
BASE = held("base", "2025-01-01", None)


def basis_too(answer: TierAnswer) -> tuple[str | None, Instant | None, str]:
    """Tier, end and by what right."""
    return (*asked(answer), answer.basis)


@pytest.mark.parametrize(
    ("points_of_2026", "expected"),
    [
        (0, ("silver", SILVER_GIVEN.valid_until, "granted")),
        # What was earned meanwhile lasts longer than what was given.
        (200, ("silver", midnight("2028-01-01"), "earned")),
        (450, ("gold", midnight("2028-01-01"), "earned")),
    ],
)
def test_a_surpassing_tier_ends_in_what_staff_gave(
    points_of_2026: int, expected: tuple[str, Instant, str]
) -> None:
    has = standing(BASE, SILVER_GIVEN, GOLD, qp={"2025": 500, "2026": points_of_2026})
    assert basis_too(two().answer(has, midnight("2027-01-01"))) == expected


@pytest.mark.parametrize("terms", [{"downgrade": "one_step"}, {"upgrade": "at_period_end"}])
def test_a_grant_that_lasts_longer_than_the_step_down_is_kept(terms: dict[str, Any]) -> None:
    lasting = SILVER_GIVEN._replace(valid_until=None)
    answer = two(**terms).answer(standing(BASE, lasting, GOLD), midnight("2027-01-01"))
    assert basis_too(answer) == ("silver", None, "granted")


def test_grace_comes_before_what_staff_gave() -> None:
    merciful = two(grace_days=60)
    grace = merciful.answer(standing(BASE, SILVER_GIVEN, GOLD), midnight("2027-01-01"))
    assert basis_too(grace) == ("gold", midnight("2027-03-02"), "grace")
    on_grace = held("gold", "2027-01-01", "2027-03-02", grace.window, basis="grace")
    over = merciful.answer(standing(BASE, SILVER_GIVEN, GOLD, on_grace), midnight("2027-03-02"))
    assert basis_too(over) == ("silver", SILVER_GIVEN.valid_until, "granted")


def test_a_refund_of_a_surpassing_tier_leaves_what_staff_gave() -> None:
    has = standing(BASE, SILVER_GIVEN, GOLD, qp={"2025": 10})
    answer = two().answer(has, at("2025-06-01"), "refunded")
    assert basis_too(answer) == ("silver", SILVER_GIVEN.valid_until, "granted")
    assert answer.cause == "refunded"


def test_what_staff_gave_ends_for_good_after_a_surpassing_tier() -> None:
    """Gold was taken back before its time: at the end of the grant it does not come again."""
    again = SILVER_GIVEN._replace(from_at=at("2025-06-01"))
    has = standing(BASE, SILVER_GIVEN, GOLD._replace(valid_until=midnight("2028-01-01")), again)
    assert basis_too(two().answer(has, midnight("2027-06-01"))) == ("base", None, "earned")
    by_staff = two().answer(has, at("2026-06-01"), "grant_ended")
    assert basis_too(by_staff) == ("base", None, "earned")


def test_a_grant_that_is_over_is_not_what_a_surpassing_tier_ends_in() -> None:
    over = SILVER_GIVEN._replace(valid_until=GOLD.valid_until)
    assert two().answer(standing(BASE, over, GOLD), midnight("2027-01-01")).tier == "base"


def test_what_was_given_to_who_became_part_of_a_member_is_what_is_left() -> None:
    has = standing(BASE, GOLD)._replace(brought=(SILVER_GIVEN,))
    ended = two().answer(has, midnight("2027-01-01"))
    assert basis_too(ended) == ("silver", SILVER_GIVEN.valid_until, "granted")
    match = held("gold", "2025-03-10", "2025-04-01", basis="granted")
    given = standing(BASE, match)._replace(brought=(SILVER_GIVEN,))
    assert two().answer(given, midnight("2025-04-01")).tier == "silver"
    # Staff end all that was given.
    assert two().answer(given, at("2025-03-20"), "grant_ended").tier == "base"


def test_a_tier_that_the_ladder_has_no_more_leaves_what_staff_gave() -> None:
    old = held("diamond", "2025-03-01", "2027-01-01")
    answer = two().answer(standing(BASE, SILVER_GIVEN, old), at("2025-06-01"))
    assert basis_too(answer) == ("silver", SILVER_GIVEN.valid_until, "granted")

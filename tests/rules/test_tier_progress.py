"""What keeps a tier, as it is told, is what the ladder asks for when the tier is over."""

from itertools import product

import pytest

from rules import Held, NeedsProgress, Standing, compile_policy, load, progress, tier_for
from rules.policy import Policy
from tests.rules.documents import instant
from tests.rules.test_terms import END_2025, END_2026, LADDER

WINDOWS = (
    "window: calendar_year",
    "window: membership_year",
    "window: rolling_months, window_months: 6",
)
VALID = (
    "rest_of_year_plus_one",
    "{months: 5}",
    "{months: 14}",
    "{years_after: 1, month_day: 03-31}",
    "{years_after: 0, month_day: 12-31}",
)
NEXT_LINE = "\n  "
DAYS = [f"{year}-{month}-20" for year in (2025, 2026) for month in ("02", "05", "08", "11")]


def test_what_gave_a_tier_is_not_told_to_keep_it_too() -> None:
    """A window gives a tier once: enough was counted in it, and for the next period nothing yet."""
    compiled = compile_policy(load(LADDER))
    reached = Held("gold", instant("2025-02-01T00:00:00Z"), instant(END_2026), window="2025")
    for at, later, missing, follows in (
        ("2025-06-01T12:00:00Z", 0, 450, "basic"),
        ("2026-06-01T12:00:00Z", 460, 0, "gold"),
    ):
        qualifying = {("qp", "2025"): 520, ("qp", "2026"): later}
        standing = Standing(qualifying, spans=(reached,))
        now = progress(compiled, standing=standing, at=instant(at))
        assert now is not None
        [[need]] = now.keep
        assert (need.have, need.want, need.missing) == (later, 450, missing)
        assert (need.window_starts, need.window_ends) == (instant(END_2025), instant(END_2026))
        assert now.projected_tier == follows


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("valid", VALID)
def test_a_tier_is_kept_if_and_only_if_what_keeps_it_is_met(window: str, valid: str) -> None:
    terms = f"tiers:\n  {window.replace(', ', NEXT_LINE)}\n  valid: {valid}\n"
    compiled = compile_policy(load(LADDER.replace("tiers:\n", terms)))
    for reached, later, points in product(DAYS, DAYS, (0, 440, 460)):
        standing = given(compiled, reached, later, points)
        if standing is None:
            continue
        now = progress(compiled, standing=standing, at=noon(later))
        assert now is not None
        assert met(now.keep) == (now.projected_tier == "gold"), (reached, later, points, now)


def noon(day: str) -> int:
    return instant(f"{day}T12:00:00Z")


def given(compiled: Policy, reached: str, later: str, points: int) -> Standing | None:
    """Who reached gold on a day and has counted more by a later one, when it is still held."""
    ladder = compiled.terms.ladder
    assert ladder is not None
    counted = {("qp", ladder.window_of(reached)): 520}
    joined = Standing(counted, member_since=instant("2024-05-10T12:00:00Z"))
    answer = tier_for(compiled, standing=joined, at=noon(reached))
    if later <= reached or answer.valid_until is None or answer.valid_until <= noon(later):
        return None
    place = ("qp", ladder.window_of(later))
    counted[place] = counted.get(place, 0) + points
    held = Held("gold", noon(reached), answer.valid_until, window=answer.window)
    return joined._replace(qualifying=counted, spans=(held,))


def met(any_of: NeedsProgress) -> bool:
    return any(all(not need.missing for need in needs) for needs in any_of)

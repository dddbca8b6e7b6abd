"""Limits of velocity: which apply, in which steps they count, and when those are free again."""

from rules import Policy, SpeedLimit, VelocityVerb, speed_limits
from tests.rules.documents import HEAD, instant, policy

TEXT = (
    HEAD.replace("zone: UTC", "zone: Europe/Berlin", 1)
    + """
currencies: [{id: p, role: spendable}, {id: s, role: stamp}]
business_units:
  - {id: a, zone: Europe/Berlin, currency: EUR, point_value: "0.01 EUR"}
  - {id: b, zone: Europe/Berlin, currency: EUR, point_value: "0.01 EUR"}
redemptions: [{id: pay, currency: p}]
velocity:
  - {id: day, verbs: [burn, hold], per: member, window: local_day, count: 3}
  - {id: week, verbs: [burn], per: client, window: local_week, points: 500, currency: p}
  - {id: month, verbs: [adjust], per: business_unit, window: local_month, count: 9, reversals: keep}
  - {id: hours, verbs: [burn], per: operator, hours: 6, count: 2, business_unit: [b]}
"""
)


def limits(
    found: Policy, verb: VelocityVerb, at: str, *, unit: str = "a", currency: str = "p"
) -> dict[str, SpeedLimit]:
    given = speed_limits(found, verb, business_unit=unit, currency=currency, at=instant(at))
    return {limit.id: limit for limit in given}


def test_a_limit_counts_its_verbs_units_and_currency() -> None:
    found = policy(TEXT)
    at = "2026-03-04T12:00:00Z"
    assert set(limits(found, "burn", at)) == {"day", "week"}
    assert set(limits(found, "burn", at, currency="s")) == {"day"}
    assert set(limits(found, "burn", at, unit="b")) == {"day", "week", "hours"}
    assert set(limits(found, "hold", at)) == {"day"}
    assert set(limits(found, "adjust", at)) == {"month"}
    assert limits(found, "adjust", at)["month"].kept
    assert limits(found, "transfer", at) == {}


def test_local_periods_end_in_the_programmes_zone() -> None:
    found = policy(TEXT)
    late = "2026-03-28T23:30:00Z"
    [step] = limits(found, "burn", late)["day"].steps
    # The night on which the clocks go forward has 23 hours.
    assert step == ("2026-03-29", instant("2026-03-29T22:00:00Z"))
    [step] = limits(found, "burn", late)["week"].steps
    assert step == ("2026-W13", instant("2026-03-29T22:00:00Z"))
    [step] = limits(found, "adjust", "2026-12-31T12:00:00Z")["month"].steps
    assert step == ("2026-12", instant("2026-12-31T23:00:00Z"))


def test_a_rolling_window_has_twelve_steps_and_the_one_under_way() -> None:
    limit = limits(policy(TEXT), "burn", "2026-03-04T12:10:00Z", unit="b")["hours"]
    assert limit.window == "6 hours"
    assert limit.period == "2026-03-04T12:00"
    assert [step.period for step in limit.steps][:2] == ["2026-03-04T06:00", "2026-03-04T06:30"]
    assert len(limit.steps) == 13
    for step in limit.steps:
        begun = instant(f"{step.period}:00Z")
        assert step.free_at - begun == 13 * 1800 * 1_000_000

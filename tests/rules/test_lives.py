"""How long points live: every kind of expiry, and what keeps points alive."""

import pytest

from rules import Living, Policy, PolicyRefused, fixed_end, life_ends, released_end
from rules.award import Life
from rules.facts import Instant
from tests.rules.documents import SMALL, instant, policy

NOBODY = Living()
LADDER = """
currencies: [{id: p, role: spendable}, {id: qp, role: tier_qualifying}]
business_units: [{id: a, zone: UTC, currency: EUR}]
segments: [amex]
tiers: {ladder: [{id: green}, {id: gold, reach_any: [[{currency: qp, at_least: 1}]]}]}
"""


def life(expiry: str, zone: str = "UTC") -> Policy:
    """A policy with one expiry, called e."""
    head = SMALL[: SMALL.index("currencies")].replace("zone: UTC", f"zone: {zone}")
    return policy(head + LADDER + f"expiries: [{{id: e, {expiry}}}]")


def end_of(
    expiry: str,
    earned: str,
    *,
    living: Living = NOBODY,
    member_since: str = "",
    released: str | None = None,
    zone: str = "UTC",
    claimed: str | None = None,
) -> Instant | None:
    """When points of an expiry are gone, all things considered."""
    found = life(expiry, zone)
    at = instant(earned)
    end, what_else = found.terms.expiries["e"].lot_end(
        at,
        released_at=instant(released) if released else None,
        member_since=member_since,
        claimed_at=instant(claimed) if claimed else None,
    )
    if what_else is None:
        return end
    return life_ends(found, what_else, earned_at=at, expires_at=end, living=living)


@pytest.mark.parametrize(
    ("expiry", "earned", "gone"),
    [
        ("kind: fixed, months: 1", "2025-01-31T12:00:00Z", "2025-03-01T00:00:00Z"),
        (
            "kind: fixed, days: 2, round_to: instant",
            "2025-01-31T12:00:00Z",
            "2025-02-02T12:00:00Z",
        ),
        (
            "kind: fixed, months: 12, round_to: year_end",
            "2025-05-05T00:00:00Z",
            "2027-01-01T00:00:00Z",
        ),
        ("kind: quarter_end, after: 1", "2025-02-03T00:00:00Z", "2025-07-01T00:00:00Z"),
        # 36 months, then the next 30 September.
        (
            "kind: calendar_date, months: 36, month_day: 09-30",
            "2020-04-15T10:00:00Z",
            "2023-10-01T00:00:00Z",
        ),
        (
            "kind: calendar_date, months: 36, month_day: 09-30",
            "2020-09-30T10:00:00Z",
            "2023-10-01T00:00:00Z",
        ),
        (
            "kind: calendar_date, months: 36, month_day: 09-30",
            "2020-10-01T10:00:00Z",
            "2024-10-01T00:00:00Z",
        ),
        ("kind: calendar_date, month_day: 02-29", "2025-01-15T10:00:00Z", "2025-03-01T00:00:00Z"),
        ("kind: calendar_date, month_day: 02-29", "2027-03-01T10:00:00Z", "2028-03-01T00:00:00Z"),
    ],
)
def test_a_date_alone_decides(expiry: str, earned: str, gone: str) -> None:
    assert end_of(expiry, earned) == instant(gone)


@pytest.mark.parametrize(
    ("expiry", "gone"),
    [
        ("kind: fixed, months: 1", "2025-03-11T00:00:00Z"),
        ("kind: fixed, days: 2, round_to: instant", "2025-02-12T08:00:00Z"),
        ("kind: quarter_end", "2025-04-01T00:00:00Z"),
        ("kind: year_end, after: 1", "2027-01-01T00:00:00Z"),
        ("kind: calendar_date, month_day: 02-09", "2026-02-10T00:00:00Z"),
        ("kind: anniversary", "2026-02-10T00:00:00Z"),
        ("kind: inactivity, months: 2", "2025-04-11T00:00:00Z"),
        ("kind: fixed, days: 5, since: released", "2025-02-16T00:00:00Z"),
    ],
)
def test_points_of_a_claimed_document_live_from_the_claim_if_the_expiry_says_so(
    expiry: str, gone: str
) -> None:
    earned, claimed, since = "2024-12-20T10:00:00Z", "2025-02-10T08:00:00Z", "2024-02-09"
    from_claim = f"{expiry}, claimed_since: claimed"
    assert end_of(from_claim, earned, claimed=claimed, member_since=since) == instant(gone)
    # Nothing else is claimed, a claim before the purchase shortens nothing, and without it: no.
    as_earned = end_of(expiry, earned, member_since=since)
    assert as_earned != instant(gone)
    assert end_of(expiry, earned, claimed=claimed, member_since=since) == as_earned
    assert end_of(from_claim, earned, member_since=since) == as_earned
    before = "2024-12-19T10:00:00Z"
    assert end_of(from_claim, earned, claimed=before, member_since=since) == as_earned


def test_a_hard_limit_counts_from_the_claim_and_activity_goes_on_from_there() -> None:
    idle = "kind: inactivity, months: 2, hard_months: 5, claimed_since: claimed"
    earned, claimed = "2024-12-20T10:00:00Z", "2025-02-10T08:00:00Z"
    seen = Living({"earn": instant("2025-03-05T12:00:00Z")})
    found = end_of(idle, earned, claimed=claimed, living=seen)
    assert found == instant("2025-05-06T00:00:00Z")
    late = Living({"earn": instant("2025-07-05T12:00:00Z")})
    assert end_of(idle, earned, claimed=claimed, living=late) == instant("2025-07-11T00:00:00Z")


def test_points_that_never_expire_have_no_end_even_under_a_tier() -> None:
    assert end_of("kind: never", "2025-01-01T00:00:00Z") is None
    assert end_of("kind: never, unless_tier: [gold]", "2025-01-01T00:00:00Z") is None


@pytest.mark.parametrize(
    ("since", "earned", "after", "gone"),
    [
        ("2019-06-10", "2025-03-01T00:00:00Z", 1, "2025-06-11T00:00:00Z"),
        ("2019-06-10", "2025-06-09T23:00:00Z", 1, "2025-06-11T00:00:00Z"),
        ("2019-06-10", "2025-06-10T00:00:00Z", 1, "2026-06-11T00:00:00Z"),
        ("2019-06-10", "2025-03-01T00:00:00Z", 2, "2026-06-11T00:00:00Z"),
        ("2024-02-29", "2024-03-01T00:00:00Z", 1, "2025-03-01T00:00:00Z"),
        ("2024-02-29", "2027-06-01T00:00:00Z", 1, "2028-03-01T00:00:00Z"),
        # Nobody has joined yet: as if on the day of the purchase.
        ("", "2025-03-01T00:00:00Z", 1, "2026-03-02T00:00:00Z"),
        # A purchase of before the enrolment.
        ("2025-06-10", "2025-03-01T00:00:00Z", 1, "2025-06-11T00:00:00Z"),
    ],
)
def test_points_end_with_the_anniversary_that_follows(
    since: str, earned: str, after: int, gone: str
) -> None:
    found = end_of(f"kind: anniversary, after: {after}", earned, member_since=since)
    assert found == instant(gone)
    assert life("kind: anniversary").terms.expiries["e"].needs_member_since


def test_s22_the_end_of_a_month_and_the_change_of_the_clocks() -> None:
    ends = [
        end_of("kind: fixed, months: 1", earned, zone="Europe/Berlin")
        for earned in ("2025-01-31T22:30:00Z", "2025-02-28T11:00:00Z", "2025-03-15T11:00:00Z")
    ]
    gone = ("2025-02-28T23:00:00Z", "2025-03-28T23:00:00Z", "2025-04-15T22:00:00Z")
    assert ends == [instant(text) for text in gone]


def test_tc07_a_voucher_of_february_lives_to_the_leap_day() -> None:
    gone = end_of("kind: month_end, after: 24", "2022-02-10T12:00:00Z")
    assert gone == instant("2024-03-01T00:00:00Z")


# --- since the release -------------------------------------------------------------------------


def test_a_life_since_release_counts_from_when_the_points_become_available() -> None:
    since = "kind: fixed, days: 10, since: released"
    assert end_of(since, "2025-01-01T12:00:00Z") == instant("2025-01-12T00:00:00Z")
    released = end_of(since, "2025-01-01T12:00:00Z", released="2025-02-01T12:00:00Z")
    assert released == instant("2025-02-12T00:00:00Z")


def test_a_lot_that_waits_for_its_document_gets_its_date_with_the_release() -> None:
    found = life("kind: fixed, days: 10, since: released")
    end, waiting = found.terms.expiries["e"].lot_end(instant("2025-01-01T12:00:00Z"), waits=True)
    assert (end, waiting) == (None, Life("e", from_release=True))
    assert waiting is not None
    released = released_end(found, waiting, instant("2025-02-01T12:00:00Z"))
    assert released == instant("2025-02-12T00:00:00Z")


def test_points_that_count_from_earning_do_not_wait_for_their_date() -> None:
    found = life("kind: fixed, days: 10")
    end = found.terms.expiries["e"].lot_end(instant("2025-01-01T12:00:00Z"), waits=True)
    assert end == (instant("2025-01-12T00:00:00Z"), None)


# --- inactivity --------------------------------------------------------------------------------

IDLE = "kind: inactivity, months: 12, hard_months: 36"


def idle(earned: str, **activity: str) -> Instant | None:
    """The end under S21's expiry, with the newest activity of each kind."""
    seen = {kind: instant(at) for kind, at in activity.items()}
    return end_of(IDLE, earned, living=Living(last_activity=seen))


def test_s21_the_newest_activity_decides_and_not_the_last_one_recorded() -> None:
    last = "2024-12-01T12:00:00Z"
    assert idle("2024-01-15T12:00:00Z", earn=last) == instant("2025-12-02T00:00:00Z")
    assert idle(last, earn=last) == instant("2025-12-02T00:00:00Z")
    assert idle("2025-05-10T12:00:00Z", earn="2025-05-10T12:00:00Z") == instant(
        "2026-05-11T00:00:00Z"
    )


def test_what_the_policy_does_not_name_extends_nothing() -> None:
    gone = idle("2024-01-15T12:00:00Z", survey="2024-12-01T12:00:00Z")
    assert gone == instant("2025-01-16T00:00:00Z")


def test_activity_before_the_earning_shortens_nothing() -> None:
    gone = idle("2024-01-15T12:00:00Z", burn="2023-02-01T12:00:00Z")
    assert gone == instant("2025-01-16T00:00:00Z")


def test_the_hard_limit_holds_whatever_happens() -> None:
    gone = idle("2024-01-15T12:00:00Z", burn="2026-12-01T12:00:00Z")
    assert gone == instant("2027-01-16T00:00:00Z")


def test_inactivity_may_end_with_the_beginning_of_the_day() -> None:
    gone = end_of("kind: inactivity, months: 1, round_to: day_start", "2025-01-31T12:00:00Z")
    assert gone == instant("2025-02-28T00:00:00Z")


# --- protection --------------------------------------------------------------------------------

GOLD_FROM = instant("2025-01-01T00:00:00Z")
LAPSED = instant("2025-10-10T15:00:00Z")
GOLD = Living(tiers=(("green", 0), ("gold", GOLD_FROM)))
GREEN_AGAIN = Living(tiers=(*GOLD.tiers, ("green", LAPSED)))
SIX_MONTHS = "kind: fixed, months: 6, unless_tier: [gold]"


def test_points_have_no_end_while_the_tier_holds() -> None:
    assert end_of(SIX_MONTHS, "2025-01-10T12:00:00Z", living=GOLD) is None
    without = end_of(SIX_MONTHS, "2025-01-10T12:00:00Z")
    assert without == instant("2025-07-11T00:00:00Z")


def test_sb07_a_tier_that_lapses_lets_old_points_expire_at_once() -> None:
    gone = end_of(SIX_MONTHS, "2025-01-10T12:00:00Z", living=GREEN_AGAIN)
    assert gone == LAPSED


def test_sb07_or_their_clock_begins_with_the_lapse() -> None:
    restart = SIX_MONTHS + ", lapse: restart"
    gone = end_of(restart, "2025-01-10T12:00:00Z", living=GREEN_AGAIN)
    assert gone == instant("2026-04-11T00:00:00Z")
    young = end_of(restart, "2025-09-01T12:00:00Z", living=GREEN_AGAIN)
    assert young == instant("2026-03-02T00:00:00Z")


def test_a_tier_that_comes_back_protects_again() -> None:
    restart = SIX_MONTHS + ", lapse: restart"
    again = instant("2026-04-01T00:00:00Z")
    back = Living(tiers=(*GREEN_AGAIN.tiers, ("gold", again)))
    assert end_of(restart, "2025-01-10T12:00:00Z", living=back) is None
    twice = Living(tiers=(*back.tiers, ("green", instant("2026-05-01T00:00:00Z"))))
    gone = end_of(restart, "2025-01-10T12:00:00Z", living=twice)
    assert gone == instant("2026-11-02T00:00:00Z")


def test_a_confirmed_tier_protects_without_a_gap() -> None:
    confirmed = Living(tiers=(("gold", GOLD_FROM), ("gold", instant("2025-06-01T00:00:00Z"))))
    assert end_of(SIX_MONTHS, "2025-01-10T12:00:00Z", living=confirmed) is None


def test_a_tier_recorded_late_counts_from_when_it_began() -> None:
    """Gold from April was recorded after green from October: green never was."""
    late = Living(
        tiers=(("green", 0), ("green", LAPSED), ("gold", instant("2025-04-01T00:00:00Z")))
    )
    assert end_of(SIX_MONTHS, "2025-01-10T12:00:00Z", living=late) is None


def test_before_any_tier_was_recorded_the_member_has_the_lowest() -> None:
    green = "kind: fixed, months: 6, unless_tier: [green]"
    assert end_of(green, "2025-01-10T12:00:00Z") is None
    gold = Living(tiers=(("gold", instant("2025-09-01T00:00:00Z")),))
    assert end_of(green, "2025-01-10T12:00:00Z", living=gold) == gold.tiers[0][1]


def test_pb08_a_card_holder_keeps_old_points() -> None:
    """Last earn 30 months ago, lot 40 months old: not expired."""
    expiry = "kind: fixed, months: 36, unless_segment: [amex]"
    earned = "2022-01-15T12:00:00Z"
    assert end_of(expiry, earned, living=Living(segments=frozenset({"amex"}))) is None
    assert end_of(expiry, earned) == instant("2025-01-16T00:00:00Z")
    left = instant("2025-05-15T09:00:00Z")
    assert end_of(expiry, earned, living=Living(segments_since=left)) == left
    early = instant("2024-05-15T09:00:00Z")
    assert end_of(expiry, earned, living=Living(segments_since=early)) == instant(
        "2025-01-16T00:00:00Z"
    )


def test_a_new_life_by_inactivity_has_a_new_hard_limit() -> None:
    expiry = IDLE + ", unless_tier: [gold], lapse: restart"
    busy = {"earn": instant("2031-06-01T00:00:00Z")}
    lapsed = instant("2029-01-01T00:00:00Z")
    living = Living(busy, (("gold", GOLD_FROM), ("green", lapsed)))
    gone = end_of(expiry, "2025-01-10T12:00:00Z", living=living)
    assert gone == instant("2032-01-02T00:00:00Z")


def test_a_segment_may_protect_only_who_goes_on_earning() -> None:
    expiry = "kind: fixed, months: 36, unless_segment: [amex], segment_months: 24"
    earned, late = "2020-04-15T10:00:00Z", "2023-01-31T10:00:00Z"

    def gone(last: str) -> Instant | None:
        seen = {"earn": instant(last), "burn": instant(late)}
        living = Living(seen, segments=frozenset({"amex"}))
        return end_of(expiry, earned, living=living)

    assert gone(earned) == instant("2023-04-16T00:00:00Z")
    assert gone(late) == instant("2025-02-01T00:00:00Z")


def test_how_long_a_segment_protects_is_said_of_a_segment() -> None:
    with pytest.raises(PolicyRefused, match="'unless_segment'"):
        life("kind: fixed, months: 36, segment_months: 24")


GOLD = Living(tiers=[("gold", 0)])


@pytest.mark.parametrize(
    ("expiry", "living", "moved", "fixed"),
    [
        # What is known of activity decides, and what comes later does not.
        (
            "kind: inactivity, months: 2",
            Living({"burn": instant("2025-02-10T12:00:00Z")}),
            "2025-03-01T12:00:00Z",
            "2025-04-11T00:00:00Z",
        ),
        # A tier stays behind: the points have their own date,
        (
            "kind: fixed, months: 2, unless_tier: [gold]",
            GOLD,
            "2025-03-01T12:00:00Z",
            "2025-03-06T00:00:00Z",
        ),
        # which is over when it has passed,
        (
            "kind: fixed, months: 2, unless_tier: [gold]",
            GOLD,
            "2025-06-01T12:00:00Z",
            "2025-06-01T12:00:00Z",
        ),
        # or they live anew as they would without the tier.
        (
            "kind: fixed, months: 2, unless_tier: [gold], lapse: restart",
            GOLD,
            "2025-06-01T12:00:00Z",
            "2025-08-02T00:00:00Z",
        ),
        (
            "kind: inactivity, months: 2, unless_tier: [gold], lapse: restart",
            GOLD,
            "2025-06-01T12:00:00Z",
            "2025-08-02T00:00:00Z",
        ),
    ],
)
def test_points_that_leave_their_member_get_a_date(
    expiry: str, living: Living, moved: str, fixed: str
) -> None:
    found = life(expiry)
    earned = instant("2025-01-05T12:00:00Z")
    end, what_else = found.terms.expiries["e"].lot_end(earned)
    assert what_else is not None
    given = fixed_end(
        found, what_else, earned_at=earned, expires_at=end, living=living, at=instant(moved)
    )
    assert given == instant(fixed)

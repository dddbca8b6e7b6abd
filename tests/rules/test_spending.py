"""Burning, rewards, transfers and conversions, with the published numbers of real programmes."""

from fractions import Fraction
from typing import Any

import pytest

from rules import (
    Policy,
    PolicyRefused,
    RedemptionTerms,
    RewardTerms,
    RulesRefusal,
    Transfer,
    TransferFacts,
    convert,
    fee_of,
    most_for_basket,
    most_redeemable,
    points_for_money,
    receiver_limits,
    redemption,
    reward,
    transfer,
)
from rules.facts import Instant
from tests.rules.documents import NOON, SMALL, instant, policy

AT = instant(NOON)
TIERS = """
tiers:
  ladder:
    - {id: insider}
    - {id: vib, reach_any: [[{currency: qp, at_least: 1}]]}
    - {id: rouge, reach_any: [[{currency: qp, at_least: 2}]]}
"""


def with_tiers(text: str) -> Policy:
    """The small policy with a ladder and another unit, at a partner's."""
    nouns = (
        "currencies: [{id: p, role: spendable}, {id: qp, role: tier_qualifying}]\n"
        'business_units: [{id: a, zone: America/New_York, currency: USD, point_value: "0.01"},\n'
        '  {id: partner, zone: Europe/London, currency: GBP, point_value: "0.01"}]\n'
    )
    return policy(SMALL[: SMALL.index("currencies")] + nouns + TIERS + text)


def terms_of(
    found: Policy, *, unit: str = "a", tier: str | None = None, at: Instant = AT
) -> RedemptionTerms:
    """How p is burned at a unit."""
    return redemption(found, business_unit=unit, currency="p", tier=tier, at=at)


# --- burning as money -----------------------------------------------------------------------------


@pytest.mark.parametrize(("balance", "most"), [(149, 0), (150, 150), (0, 0), (151, 151)])
def test_tc06_a_statement_below_the_minimum_gives_no_voucher(balance: int, most: int) -> None:
    found = terms_of(policy(SMALL + "redemptions: [{id: r, currency: p, min_points: 150}]"))
    assert most_redeemable(found, balance) == most
    assert most * found.point_value == most


@pytest.mark.parametrize(("balance", "most"), [(499, 0), (500, 500), (999, 500), (5000, 1500)])
def test_se08_points_are_redeemed_in_steps_up_to_the_maximum(balance: int, most: int) -> None:
    text = (
        "redemptions: [{id: r, currency: p, min_points: 500, step: 500, max_points: 1500,"
        ' point_value: "0.02"}]'
    )
    found = terms_of(policy(SMALL + text))
    assert most_redeemable(found, balance) == most
    assert points_for_money(found, 1000) == 500


def test_hy07_the_minimum_is_part_of_the_terms() -> None:
    found = terms_of(policy(SMALL + "redemptions: [{id: r, currency: p, min_points: 3500}]"))
    assert [most_redeemable(found, balance) for balance in (3499, 3500)] == [0, 3500]


def test_points_pay_a_share_of_the_basket_and_not_more() -> None:
    found = terms_of(
        policy(SMALL + 'redemptions: [{id: r, currency: p, step: 10, max_basket_share: "1/3"}]')
    )
    assert found.max_basket_share == Fraction(1, 3)
    assert most_for_basket(found, 1000) == 333
    assert most_redeemable(found, 5000, 1000) == 330
    assert most_redeemable(found, 5000) == 5000
    anything = terms_of(policy(SMALL + "redemptions: [{id: r, currency: p}]"))
    assert most_for_basket(anything, 1000) is None


def test_tc08_a_voucher_is_worth_what_its_date_says() -> None:
    found = with_tiers(
        """
redemptions:
  - {id: tripled, currency: p, business_unit: [partner], point_value: "0.03 GBP",
     window: {until: 2023-06-14}}
  - {id: doubled, currency: p, business_unit: [partner], point_value: "0.02 GBP",
     window: {from: 2023-06-14}}
"""
    )
    for at, worth in (("2023-06-13T22:59:59Z", 1500), ("2023-06-13T23:00:00Z", 1000)):
        terms = terms_of(found, unit="partner", at=instant(at))
        assert 500 * terms.point_value == worth


def test_what_is_not_for_a_tier_or_not_now_is_refused_by_what_the_first_offer_lacks() -> None:
    found = with_tiers(
        "redemptions: [{id: r, currency: p, tier: [rouge], window: {weekdays: [mon]}}]"
    )
    monday, sunday = instant("2026-03-02T17:00:00Z"), instant("2026-03-01T17:00:00Z")
    assert terms_of(found, tier="rouge", at=monday).id == "r"
    with pytest.raises(RulesRefusal) as tier:
        terms_of(found, tier="vib", at=monday)
    assert (tier.value.reason, tier.value.value, tier.value.known) == (
        "NOT_FOR_TIER", "vib", ("rouge",),
    )  # fmt: skip
    with pytest.raises(RulesRefusal) as lowest:
        terms_of(found, tier=None, at=monday)
    assert lowest.value.value == "insider"
    with pytest.raises(RulesRefusal) as now:
        terms_of(found, tier="rouge", at=sunday)
    assert (now.value.reason, now.value.value) == ("NOT_NOW", "2026-03-01T12:00:00-05:00")


def test_limits_name_their_period_in_the_programmes_zone() -> None:
    text = """
redemptions:
  - id: r
    currency: p
    limits:
      - {window: local_day, points: 100}
      - {window: local_week, points: 300}
      - {window: lifetime, points: 900}
"""
    berlin = SMALL.replace("zone: UTC", "zone: Europe/Berlin", 1)
    found = terms_of(policy(berlin + text), at=instant("2026-04-30T22:30:00Z"))
    assert [tuple(limit) for limit in found.limits] == [
        ("burn/r", "local_day", "2026-05-01", 100),
        ("burn/r", "local_week", "2026-W18", 300),
        ("burn/r", "lifetime", "", 900),
    ]


# --- rewards ------------------------------------------------------------------------------------

CATALOGUE = """
benefits: [{id: gift, kind: gift}]
rewards:
  - {id: drink, currency: p, points: 60, value: "2.00 USD", window: {from: 2026-03-10}, business_unit: [a]}
  - {id: big, currency: p, points: 2500, benefit: gift, tier: [rouge]}
"""  # noqa: E501 - one reward a line


def reward_of(reward_id: str, **asked: Any) -> RewardTerms:
    """A reward of the catalogue."""
    asked = {"business_unit": "a", "tier": None, "at": AT, **asked}
    return reward(with_tiers(CATALOGUE), reward_id, **asked)


def test_sb08_a_reward_is_in_the_catalogue_from_its_day_on() -> None:
    with pytest.raises(RulesRefusal, match="NOT_NOW"):
        reward_of("drink", at=instant("2026-03-09T17:00:00Z"))
    found = reward_of("drink", at=instant("2026-03-10T17:00:00Z"))
    assert found == RewardTerms("drink", "p", 60, 200, "USD", "")


def test_se09_a_reward_of_a_tier_is_for_that_tier() -> None:
    assert reward_of("big", tier="rouge") == RewardTerms("big", "p", 2500, 0, "", "gift")
    with pytest.raises(RulesRefusal, match="NOT_FOR_TIER"):
        reward_of("big", tier="vib")


def test_an_unknown_reward_is_refused_with_those_of_the_unit() -> None:
    with pytest.raises(RulesRefusal) as unknown:
        reward_of("bigg")
    assert (unknown.value.reason, unknown.value.known) == ("UNKNOWN_REWARD", ("big", "drink"))
    with pytest.raises(RulesRefusal) as elsewhere:
        reward_of("drink", business_unit="partner")
    assert elsewhere.value.known == ("big",)


# --- transfers ----------------------------------------------------------------------------------

BONVOY = """
transfers:
  - id: share
    currency: p
    min_points: 1000
    step: 1000
    max_points: 100000
    sender_limits: [{window: local_year, points: 100000}]
    receiver_limits: [{window: local_year, points: 500000}]
"""


def moves(text: str, points: int, **facts: Any) -> Transfer:
    """Ask for a transfer between two old members."""
    given = {"at": AT, "sender_since": 0, "receiver_since": 0, **facts}
    return transfer(policy(SMALL + text), TransferFacts("p", points, **given))


def refused(text: str, points: int, **facts: Any) -> RulesRefusal:
    """The refusal of a transfer."""
    with pytest.raises(RulesRefusal) as refusal:
        moves(text, points, **facts)
    return refusal.value


def test_mb12_the_yearly_cap_of_the_sender() -> None:
    march = instant("2026-03-01T12:00:00Z")
    sent = {("sent/share", "2026"): 60000}
    refusal = refused(BONVOY, 41000, at=march, sent=sent)
    assert (refusal.reason, refusal.path) == ("LIMIT_REACHED", "sender")
    assert refusal.bounds == {"limit": 100000, "used": 60000, "window": "local_year"}
    assert moves(BONVOY, 40000, at=march, sent=sent).points == 40000


def test_mb13_points_move_in_thousands() -> None:
    assert refused(BONVOY, 1500).reason == "NOT_A_STEP"
    assert refused(BONVOY, 500).reason == "BELOW_MINIMUM"
    assert refused(BONVOY, 101000).reason == "ABOVE_MAXIMUM"


def test_mb14_the_yearly_cap_of_the_receiver() -> None:
    received = {("received/share", "2026"): 450000}
    march = instant("2026-03-01T12:00:00Z")
    refusal = refused(BONVOY, 51000, at=march, received=received)
    assert (refusal.reason, refusal.path) == ("LIMIT_REACHED", "receiver")
    assert moves(BONVOY, 50000, at=march, received=received).fee == 0


def test_mb15_the_cap_begins_anew_with_the_calendar_year() -> None:
    first = moves(BONVOY, 100000, at=instant("2025-12-31T12:00:00Z"))
    sent = {(limit.name, limit.period): first.points for limit in first.sender_limits}
    assert refused(BONVOY, 1000, at=instant("2025-12-31T13:00:00Z"), sent=sent)
    assert moves(BONVOY, 100000, at=instant("2026-01-01T12:00:00Z"), sent=sent).points == 100000


@pytest.mark.parametrize(("points", "fee"), [(120, 12), (119, 11), (9, 0)])
def test_s24_the_fee_is_rounded_down_and_on_top(points: int, fee: int) -> None:
    found = moves('transfers: [{id: t, currency: p, fee_share: "10%", fee_unit: a}]', points)
    assert (found.points, found.fee, found.fee_unit) == (points, fee, "a")


def test_a_fixed_fee_comes_besides_the_share() -> None:
    found = moves('transfers: [{id: t, currency: p, fee_points: 5, fee_share: "10%"}]', 120)
    assert found.fee == 17


def test_both_members_must_be_old_enough() -> None:
    text = "transfers: [{id: t, currency: p, account_age_days: 30}]"
    at = instant("2026-03-31T01:00:00Z")
    young = instant("2026-03-02T00:00:00Z")
    assert refused(text, 10, at=at, sender_since=young).path == "sender"
    refusal = refused(text, 10, at=at, receiver_since=young)
    assert (refusal.reason, refusal.path) == ("ACCOUNT_TOO_YOUNG", "receiver")
    assert moves(text, 10, at=at, sender_since=instant("2026-03-01T23:00:00Z")).points == 10


def test_terms_of_a_household_are_for_a_household() -> None:
    only = "transfers: [{id: family, currency: p, relation: household}]"
    assert refused(only, 10).reason == "NO_RELATION"
    assert moves(only, 10, same_household=True).id == "family"
    both = (
        "transfers: [{id: family, currency: p, relation: household},"
        " {id: anybody, currency: p, fee_points: 1}]"
    )
    assert [moves(both, 10, same_household=same).fee for same in (True, False)] == [0, 1]


def test_acceptance_has_until_the_end_of_a_local_day() -> None:
    text = "transfers: [{id: t, currency: p, acceptance: required, accept_days: 3}]"
    found = moves(text, 10, at=instant("2026-03-01T12:00:00Z"))
    assert (found.needs_acceptance, found.accept_until) == (True, instant("2026-03-05T00:00:00Z"))
    found = moves("transfers: [{id: t, currency: p}]", 10)
    assert (found.needs_acceptance, found.accept_until) == (False, None)


def test_fee_and_limits_of_the_receiver_can_be_asked_for_by_the_terms() -> None:
    limits = "receiver_limits: [{window: local_month, points: 100}]"
    found = policy(SMALL + f"transfers: [{{id: t, currency: p, fee_points: 5, {limits}}}]")
    assert fee_of(found, "t", 120) == 5
    [limit] = receiver_limits(found, "t", instant("2026-03-01T12:00:00Z"))
    assert (limit.name, limit.period, limit.points) == ("received/t", "2026-03", 100)


def test_points_that_do_not_move_are_named() -> None:
    assert refused("", 10).reason == "UNKNOWN_CURRENCY"


# --- conversions --------------------------------------------------------------------------------


def converts(keys: str, points: int, at: str = NOON, scale: int = 0) -> int:
    """What points of p become in q."""
    nouns = f"{{id: p, role: spendable}}, {{id: q, role: spendable, scale: {scale}}}"
    text = SMALL.replace("{id: p, role: spendable}", nouns)
    found = policy(text + f"conversions: [{{id: c, currency: p, into: q, issuer: a, {keys}}}]")
    return convert(found, "c", points, at=instant(at)).received


def test_s26_four_fifths_are_rounded_down_once() -> None:
    assert converts("rate: 4/5", 159) == 127
    assert converts("rate: 4/5, rounding: half_up", 159) == 127
    assert converts("rate: 4/5, rounding: ceil", 159) == 128


@pytest.mark.parametrize(
    ("points", "miles", "at"),
    [
        (4000, 5000, "2026-05-06T12:00:00Z"),
        (3999, 3999, "2026-05-06T12:00:00Z"),
        (4000, 4000, "2026-05-11T00:00:00Z"),
    ],
)
def test_pb07_a_bonus_from_a_threshold_in_its_week(points: int, miles: int, at: str) -> None:
    week = "{from: 2026-05-04, until: 2026-05-11}"
    keys = f'rate: 1, bonuses: [{{from_points: 4000, share: "25%", window: {week}}}]'
    assert converts(keys, points, at) == miles


def test_of_several_bonuses_the_largest_counts() -> None:
    keys = 'rate: 1, bonuses: [{from_points: 10, share: "50%"}, {from_points: 20, share: "10%"}]'
    assert [converts(keys, points) for points in (9, 10, 20)] == [9, 15, 30]


def test_the_rate_is_for_whole_points_whatever_their_scale() -> None:
    assert converts("rate: 4/5", 10, scale=2) == 800


def test_what_is_too_little_for_one_point_is_refused_with_the_least() -> None:
    with pytest.raises(RulesRefusal) as refusal:
        converts("rate: 1/3", 2)
    assert (refusal.value.reason, refusal.value.bounds) == ("BELOW_MINIMUM", {"minimum": 3})
    assert converts("rate: 1/3", 3) == 1


def test_an_unknown_conversion_is_refused_with_those_there_are() -> None:
    with pytest.raises(RulesRefusal) as refusal:
        convert(policy(SMALL), "c", 10, at=AT)
    assert (refusal.value.reason, refusal.value.known) == ("UNKNOWN_CONVERSION", ())


def test_fee_and_issuer_are_told() -> None:
    nouns = "{id: p, role: spendable}, {id: q, role: spendable}"
    text = SMALL.replace("{id: p, role: spendable}", nouns)
    entry = "{id: c, currency: p, into: q, issuer: a, rate: 1/2, fee_points: 7}"
    found = convert(policy(text + f"conversions: [{entry}]"), "c", 10, at=AT)
    assert (found.fee, found.fee_unit, found.issuer, found.points) == (7, "a", "a", 10)
    assert (found.into, found.end.expires_at, found.end.life) == ("q", None, None)


@pytest.mark.parametrize(
    ("expiry", "gone"),
    [("kind: fixed, months: 1", "2025-07-02"), ("kind: anniversary", "2025-10-06")],
)
def test_new_points_live_as_their_currency_says(expiry: str, gone: str) -> None:
    nouns = "{id: p, role: spendable}, {id: q, role: spendable, expiry: e}"
    text = SMALL.replace("{id: p, role: spendable}", nouns) + f"expiries: [{{id: e, {expiry}}}]\n"
    found = policy(text + "conversions: [{id: c, currency: p, into: q, issuer: a, rate: 1}]")
    at, since = instant("2025-06-01T12:00:00Z"), instant("2024-10-05T10:00:00Z")
    end = convert(found, "c", 10, at=at, member_since=since).end
    assert end.expires_at == instant(f"{gone}T00:00:00Z")


def test_a_point_may_be_worth_a_part_that_no_decimal_says() -> None:
    text = '{id: r, currency: p, business_unit: [a], point_value: "1.00", per_points: 15}'
    terms = redemption(
        with_tiers(f"redemptions: [{text}]"), business_unit="a", currency="p", tier=None, at=AT
    )
    assert terms.point_value == Fraction(100, 15)
    assert points_for_money(terms, 10000) == 1500


def test_a_number_of_points_without_their_value_is_refused() -> None:
    with pytest.raises(PolicyRefused, match="'point_value'"):
        with_tiers("redemptions: [{id: r, currency: p, per_points: 15}]")

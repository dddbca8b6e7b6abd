"""Changes of a tier in words: each cause in both languages, with what staff said."""
# ruff: noqa: RUF001 - Chinese lines have Chinese colons and commas.

from ledger.answers.telling import Telling
from ledger.answers.tier_words import tier_line
from loyalty.v1.events_pb2 import (
    TIER_BASIS_GRACE,
    TIER_CAUSE_GRANT_ENDED,
    TIER_CAUSE_GRANTED,
    TIER_CAUSE_PERIOD_ENDED,
    TIER_CAUSE_REFUNDED,
    TIER_CAUSE_UNSPECIFIED,
    TierCause,
    TierChanged,
)
from tests.store.test_entry_words import at, telling

EN, ZH = telling("Europe/London"), telling("Europe/London", "zh")
YEAR_END = at("2028-01-01T00:00:00Z")


def lines(change: TierChanged) -> tuple[str, str]:
    return tier_line(change, EN), tier_line(change, ZH)


def test_every_cause_has_words_of_its_own_in_both_languages() -> None:
    causes = [cause for cause in TierCause.values() if cause != TIER_CAUSE_UNSPECIFIED]
    for how in (EN, ZH):
        told = {tier_line(TierChanged(to_tier="gold", cause=cause), how) for cause in causes}
        assert len(told) == len(causes)


def test_what_staff_gave_and_ended_is_told_with_their_reason() -> None:
    given = TierChanged(
        from_tier="silver",
        to_tier="gold",
        valid_until_time=YEAR_END,
        cause=TIER_CAUSE_GRANTED,
        granting_unit="hotel",
        reason="a match",
    )
    assert lines(given) == (
        "tier gold after silver until 2027-12-31: given by staff at hotel, reason: a match",
        "会员等级由 silver 变为 gold，有效期至 2027-12-31：由工作人员授予（hotel），原因：a match",
    )
    ended = TierChanged(from_tier="gold", to_tier="basic", cause=TIER_CAUSE_GRANT_ENDED)
    assert lines(ended) == (
        "tier basic after gold without an end: the time of what staff gave was over",
        "会员等级由 gold 变为 basic，永久有效：工作人员授予的等级到期",
    )
    ended.entry_id, ended.granting_unit, ended.reason = "e", "hotel", "a mistake"
    assert lines(ended) == (
        "tier basic after gold without an end: ended by staff at hotel, reason: a mistake",
        "会员等级由 gold 变为 basic，永久有效：由工作人员终止（hotel），原因：a mistake",
    )


def test_a_tier_that_stays_and_one_that_is_gone_are_told_as_such() -> None:
    kept = TierChanged(from_tier="gold", to_tier="gold", valid_until_time=YEAR_END)
    kept.cause = TIER_CAUSE_PERIOD_ENDED
    assert lines(kept) == (
        "still tier gold until 2027-12-31: the period of the tier before was over",
        "会员等级仍为 gold，有效期至 2027-12-31：上一等级有效期结束",
    )
    kept.basis = TIER_BASIS_GRACE
    assert lines(kept)[0].endswith("the policy lets it last some days more")
    kept.cause, kept.beneath.tier = TIER_CAUSE_REFUNDED, "basic"
    assert lines(kept) == (
        "still tier gold until 2027-12-31: what stood beneath it was taken back, and basic"
        " follows it",
        "会员等级仍为 gold，有效期至 2027-12-31：其下等级的消费已退回，此后为 basic",
    )
    gone = TierChanged(from_tier="gold", cause=TIER_CAUSE_REFUNDED)
    assert lines(gone) == (
        "no tier any more after gold: what had reached the tier before was taken back",
        "不再有会员等级，此前为 gold：达成上一等级的消费已退回",
    )


def test_without_a_programme_an_end_is_an_instant() -> None:
    ends = TierChanged(to_tier="gold", valid_until_time=YEAR_END, cause=TIER_CAUSE_GRANTED)
    told = tier_line(ends, Telling("en", EN.shown, None))
    assert told == "tier gold until 2028-01-01 00:00 UTC: given by staff"

"""The ladder: what a refund leaves beneath a tier that staff gave, and of one that was for ever."""

import pytest

from rules.ladder import Ladder
from rules.standing import Held
from rules.tier_answers import Covered, TierAnswer
from tests.rules.ladders import asked, at, held, ladder, midnight, points, standing, tier

THREE = ladder(
    tier("bronze", [points(100)]), tier("silver", [points(200)]), tier("gold", [points(500)])
)
BRONZE = held("bronze", "2024-05-01", "2026-01-01", "2024")
SILVER = held("silver", "2025-02-01", "2027-01-01", "2025")
MATCH = held("gold", "2025-03-01", "2025-09-01", basis="granted")
REFUNDED_ON, MATCH_ENDS = "2025-06-01", "2025-09-01"


def refunded(*spans: Held, qp: dict[str, int], on: Ladder = THREE) -> TierAnswer:
    return on.answer(standing(*spans, qp=qp), at(REFUNDED_ON), "refunded")


def after(answer: TierAnswer, *spans: Held) -> tuple[Held, ...]:
    """The spans that an account has once the answer was recorded."""
    assert answer.tier is not None
    beneath = answer.beneath
    since = at(REFUNDED_ON)
    lost = () if beneath is None else (
        Held(beneath.tier, since, beneath.valid_until, None, beneath.basis, beneath.window),
    )  # fmt: skip
    now = Held(answer.tier, since, answer.valid_until, None, answer.basis, answer.window)
    return (*spans, *lost, now)


@pytest.mark.parametrize(
    ("left", "beneath"),
    [
        ({"2024": 100, "2025": 200}, None),
        ({"2024": 100, "2025": 199}, Covered("bronze", BRONZE.valid_until, "earned", "2024")),
        ({"2024": 0, "2025": 199}, Covered("bronze", BRONZE.valid_until, "earned", "2024")),
        ({"2024": 99, "2025": 99}, Covered("base", None, "earned", "")),
    ],
)
def test_a_refund_takes_what_it_gave_beneath_a_granted_tier(
    left: dict[str, int], beneath: Covered | None
) -> None:
    spans = (BRONZE, SILVER, MATCH)
    answer = refunded(*spans, qp=left)
    assert asked(answer) == ("gold", MATCH.valid_until)
    assert answer.basis == "granted"
    assert answer.beneath == beneath
    if beneath is None:
        assert answer.cause == ""
        return
    assert answer.cause == "refunded"
    then = after(answer, *spans)
    ended = THREE.answer(standing(*then, qp=left), midnight(MATCH_ENDS))
    assert asked(ended) == (beneath.tier, beneath.valid_until)
    # Nothing more is lost by another refund that takes nothing of what is left.
    assert refunded(*then, qp=left).cause == ""


def test_what_is_beneath_and_over_anyway_is_not_asked() -> None:
    over = held("silver", "2024-02-01", "2025-05-01", "2024")
    assert refunded(over, MATCH, qp={"2024": 0}).cause == ""
    assert refunded(MATCH, qp={}).cause == ""


def test_a_refund_that_takes_a_tier_over_a_grant_takes_what_it_gave_beneath_it_too() -> None:
    platinum = tier("platinum", [points(900)])
    four = ladder(tier("silver", [points(200)]), tier("gold", [points(500)]), platinum)
    over = held("platinum", "2025-04-01", "2027-01-01", "2025")
    answer = refunded(SILVER, MATCH, over, qp={"2025": 10}, on=four)
    assert asked(answer) == ("gold", MATCH.valid_until)
    assert answer.beneath == Covered("base", None, "earned", "")
    then = standing(*after(answer, SILVER, MATCH, over), qp={"2025": 10})
    assert four.answer(then, midnight(MATCH_ENDS)).tier == "base"


FOR_EVER = ladder(
    tier("silver", [points(200)]),
    tier("gold", [points(500)], lifetime_any=[[points(1_000, window="lifetime")]]),
)
GOLD_FOR_EVER = held("gold", "2024-05-01", None, "2024", basis="lifetime")


def test_a_tier_for_ever_that_a_refund_took_does_not_come_back_when_another_ends() -> None:
    has = {"2024": 150, "2025": 250, "2026": 0}
    lost = refunded(GOLD_FOR_EVER, qp=has, on=FOR_EVER)
    assert asked(lost) == ("silver", midnight("2027-01-01"))
    then = standing(*after(lost, GOLD_FOR_EVER), qp=has)
    assert asked(FOR_EVER.answer(then, midnight("2027-01-01"))) == ("base", None)


def test_nor_when_a_grant_ends_that_covered_it() -> None:
    platinum = {"id": "platinum", "invite_only": True}
    club = ladder(
        tier("gold", [points(500)], lifetime_any=[[points(1_000, window="lifetime")]]), platinum
    )
    match = held("platinum", "2025-03-01", "2025-09-01", basis="granted")
    kept = refunded(GOLD_FOR_EVER, match, qp={"2022": 1_000}, on=club)
    assert kept.cause == ""
    lost = refunded(GOLD_FOR_EVER, match, qp={"2022": 999}, on=club)
    assert lost.beneath == Covered("base", None, "earned", "")
    then = standing(*after(lost, GOLD_FOR_EVER, match), qp={"2022": 999})
    assert club.answer(then, midnight(MATCH_ENDS)).tier == "base"

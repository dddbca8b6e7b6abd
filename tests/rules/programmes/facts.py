"""What a case says, as the facts that the rules look at."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

from rules import (
    Award,
    DocumentFacts,
    LineFacts,
    MemberFacts,
    Policy,
    Standing,
    evaluate,
    evaluate_upgrading,
    parse_quantity,
)
from rules.standing import METRIC
from tests.rules.programmes.published import Trial, noon

HOTELS = frozenset({"MB", "HY", "SL"})
BRANDS = frozenset({"MB", "HY"})
"""Programmes whose cases name a brand where they say category."""
UNITS = {"MB": "hotel", "HY": "hotel", "SL": "hotel", "SB": "cafe", "SE": "shop", "TC": "shop"}
PARTNERS = {"Tesco Mobile": "mobile", "Esso": "esso"}
"""What a case calls a category is another business unit of the programme."""
ACTIVITIES = {
    "register": "registered",
    "profile": "profile_completed",
    "app": "app_installed",
    "review": "review",
}
METRICS = {
    "MB": {"nights": "points/elite_nights", "spend": "spend"},
    "HY": {
        "nights": "nights",
        "base_points": "points/base_points",
        "bonus_points": "points/points",
        "events": "counter/meetings",
    },
    "SL": {"nights": "nights", "tier_points": "points/tier_points"},
    "SB": {"stars_12_months": "points/status_stars"},
    "SE": {"year_spend": "spend", "year_spend_before": "spend"},
}
"""What cases count: points of a currency, or a metric by its name."""
ANY_BILL = [{"category": None, "amount": "100.00", "currency": "USD"}]
"""For cases that ask for something else than points."""


def word(text: str) -> str:
    """Write a name as an id."""
    return text.lower().replace(" ", "_")


def minor(amount: str) -> int:
    """Money in minor units; all cases are in money of two digits."""
    return int(Decimal(amount).scaleb(2))


def smallest(policy: Policy, currency: str, points: str | int) -> int:
    """Points in the smallest unit of their currency."""
    return int(Decimal(points).scaleb(policy.currencies[currency].scale))


def main_currency(policy: Policy) -> str:
    """The currency that a case means when it says points."""
    return policy.model.currencies[0].id


def unit_of(trial: Trial, lines: list[Any]) -> str:
    """The business unit that posts."""
    if trial.programme == "PB":
        return word(trial.given.get("partner", "dm"))
    if trial.programme == "SL" and lines[0]["currency"] == "HKD":
        return "hotel_hong_kong"
    partner = next(
        (PARTNERS[line["category"]] for line in lines if line["category"] in PARTNERS), ""
    )
    return partner or UNITS[trial.programme]


def line_of(trial: Trial, number: int, line: Any) -> LineFacts:
    """A line; without a category it is whatever the unit sells."""
    said = line["category"]
    plain = said in (None, "eligible") or said in PARTNERS or trial.programme in BRANDS
    brand = word(said) if said and trial.programme in BRANDS else ""
    return LineFacts(
        str(number),
        "goods" if plain else word(said),
        parse_quantity(line.get("quantity", "1")),
        minor(line["amount"]),
        brand=brand,
    )


def document_of(trial: Trial, lines: list[Any]) -> DocumentFacts:
    """The sale or stay of a case."""
    given = trial.given
    tenders = given.get("tenders", [])
    if "tender" in given:
        tenders = [{"kind": given["tender"], "amount": line["amount"]} for line in lines]
    coupon = given.get("coupon_multiplier")
    return DocumentFacts(
        business_unit=unit_of(trial, lines),
        channel="",
        store="",
        kind="STAY" if trial.programme in HOTELS else "SALE",
        status="FINAL",
        currency_code=lines[0]["currency"],
        occurred_at=trial.at,
        lines=tuple(line_of(trial, number, line) for number, line in enumerate(lines, 1)),
        nights=given.get("nights", 0),
        payments=tuple((word(one["kind"]), minor(one["amount"])) for one in tenders),
        coupons=() if coupon is None else (f"{coupon}x",),
        rates=tuple((one["to"], Fraction(one["from_per_to"])) for one in given.get("rates", ())),
    )


def activity_of(trial: Trial, task: str) -> DocumentFacts:
    """A task that is done, as an activity."""
    sale = document_of(trial, ANY_BILL)
    return sale._replace(kind="ACTIVITY", activity=ACTIVITIES[task], lines=())


def member_of(trial: Trial) -> MemberFacts:
    """The member; `Base` is no tier but the lowest."""
    given = trial.given
    tier = given.get("tier")
    enrolled = given.get("enrolled_on")
    return MemberFacts(
        tier=None if tier in (None, "Base") else word(tier),
        birthday=(trial.day.month, 20) if given.get("birthday_month") else None,
        enrolled_at=None
        if enrolled is None
        else noon(trial.policy, type(trial.day).fromisoformat(enrolled)),
    )


def standing_of(trial: Trial, metrics: dict[str, Any]) -> Standing:
    """What the member has counted so far, on the day of the case."""
    policy = trial.policy
    ladder = policy.terms.ladder
    assert ladder is not None, "only programmes with tiers count"
    qualifying: dict[tuple[str, str], int] = {}
    counted: dict[tuple[str, str, str], int] = {}
    for said, amount in metrics.items():
        name = METRICS[trial.programme][said]
        if name.startswith("points/"):
            currency = name.removeprefix("points/")
            window = ladder.window_of(trial.day.isoformat())
            qualifying[currency, window] = smallest(policy, currency, amount)
            continue
        window = ladder.window_of(trial.day.isoformat(), name)
        unit = UNITS[trial.programme]
        if name == "spend":
            unit, amount = f"{unit}/{amount['currency']}", minor(amount["amount"])
        counted[METRIC + name, unit, window] = amount
    return Standing(qualifying, counted)


def award_of(trial: Trial, document: DocumentFacts) -> Award:
    """What a document earns, as the document that may reach a tier if the case says so."""
    before = trial.given.get("year_spend_before")
    if before is None:
        return evaluate(trial.policy, document, member_of(trial))
    standing = standing_of(trial, {"year_spend_before": before})
    return evaluate_upgrading(trial.policy, document, member_of(trial), standing=standing)


def bill(trial: Trial) -> DocumentFacts:
    """The document of the case, or any at its unit."""
    lines = trial.given.get("lines")
    if lines is None:
        category = trial.given.get("category")
        code = trial.policy.units[unit_of(trial, ANY_BILL)].currency_code
        lines = [{**ANY_BILL[0], "category": category, "currency": code}]
    return document_of(trial, lines)

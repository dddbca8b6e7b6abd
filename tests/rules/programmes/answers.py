"""What the rules and the core of the ledger answer to a case, in the words of its `expect`."""

from datetime import date
from fractions import Fraction
from typing import Any

from ledger.core.commands import BurnPoints
from ledger.core.commands import RedemptionTerms as BurnTerms
from ledger.ends import Ends
from loyalty.v1.events_pb2 import PointsBurned
from rules import (
    Award,
    Grant,
    Instant,
    Living,
    Policy,
    RulesRefusal,
    TransferFacts,
    convert,
    life_ends,
    most_redeemable,
    redemption,
    reward,
    tier_for,
    transfer,
)
from rules.lot_terms import add_months
from rules.transfers import check_amount
from rules.values import micros
from tests.core.spec import Grant as Granted
from tests.core.spec import Story
from tests.rules.programmes.facts import (
    UNITS,
    activity_of,
    award_of,
    bill,
    document_of,
    main_currency,
    smallest,
    standing_of,
    word,
)
from tests.rules.programmes.published import Trial, local_day, noon

Answer = dict[str, Any]
REWARDS = {"SB-08": "stars_60", "SE-09": "rouge_reward"}
"""Cases that redeem for an entry of the catalogue, and not points as money."""
LAST_DAYS = frozenset({"PB"})
"""Programmes that call the last day of points their expiry; others the first day without them."""
ACTIVITY = {"earn": "earn", "gift_received": "transfer", "purchase_points": "points_purchased"}
SEGMENTS = {"AmEx holder": "amex"}


def decimal(policy: Policy, currency: str, points: int) -> Fraction:
    """Whole points of a currency, with their part after the point."""
    return Fraction(points, 10 ** policy.currencies[currency].scale)


def money(amount: Fraction, code: str) -> Answer:
    """Money of two digits, from its minor units."""
    return {"amount": amount / 100, "currency": code}


# --- earning ------------------------------------------------------------------------------------


def earned(trial: Trial) -> Answer:
    """What one or several bills earn, or tasks."""
    given = trial.given
    if "tasks" in given:
        documents = [activity_of(trial, task) for task in given["tasks"]]
    elif "bills" in given:
        documents = [document_of(trial, lines) for lines in given["bills"]]
    else:
        documents = [bill(trial)]
    return _points(trial, [award_of(trial, document) for document in documents])


def _points(trial: Trial, awards: list[Award]) -> Answer:
    policy, currency = trial.policy, main_currency(trial.policy)
    kinds = {rule.id: rule.kind for rule in policy.model.earn}
    grants = [grant for award in awards for grant in award.grants]
    ours = [grant for grant in grants if grant.currency == currency]
    base = sum(grant.granted for grant in ours if kinds[grant.rule] == "base")
    total = sum(grant.granted for grant in ours)
    qualifying = [grant for grant in grants if grant.qualifying]
    return {
        "base": decimal(policy, currency, base),
        "bonus": decimal(policy, currency, total - base),
        "total": decimal(policy, currency, total),
        "tier_points": sum(decimal(policy, one.currency, one.granted) for one in qualifying),
        "elite_nights": sum(one.granted for one in qualifying),
    }


def usable(trial: Trial) -> Answer:
    """From which day points can be spent."""
    at = _lot(trial).pending_until
    return {"usable_from": None if at is None else local_day(trial.policy, at).isoformat()}


# --- tiers --------------------------------------------------------------------------------------


def tier(trial: Trial) -> Answer:
    """The tier that what was counted gives."""
    standing = standing_of(trial, trial.given["metrics"])
    return {"tier": tier_for(trial.policy, standing=standing, at=trial.at).tier}


def valid_to(trial: Trial) -> Answer:
    """The last day of a tier that is reached by as much as it needs."""
    policy = trial.policy
    assert policy.model.tiers is not None, "the case is about a tier"
    ladder = {step.id: step for step in policy.model.tiers.ladder}
    need = ladder[word(trial.given["tier"])].reach_any[0][0]
    said = {"nights": {"nights": need.at_least}} | {
        "spend": {"year_spend": {"amount": f"{need.at_least // 100}", "currency": need.money}}
    }
    standing = standing_of(trial, said[need.metric])
    found = tier_for(policy, standing=standing, at=trial.at)
    assert found.tier == word(trial.given["tier"])
    assert found.valid_until is not None, "it ends"
    return {"valid_to": local_day(policy, found.valid_until - 1).isoformat()}


# --- how long points live -----------------------------------------------------------------------


def _lot(trial: Trial) -> Grant:
    """Points of the main currency, earned on the day of the case by any bill."""
    currency = main_currency(trial.policy)
    award = award_of(trial, bill(trial))
    return next(grant for grant in award.grants if grant.currency == currency)


def _end(trial: Trial, lot: Grant, earned_at: Instant, living: Living) -> Instant | None:
    if lot.life is None:
        return lot.expires_at
    return life_ends(
        trial.policy, lot.life, earned_at=earned_at, expires_at=lot.expires_at, living=living
    )


def _expires_on(trial: Trial, end: Instant | None) -> str:
    assert end is not None, "they expire"
    return local_day(trial.policy, end - (trial.programme in LAST_DAYS)).isoformat()


def expires(trial: Trial) -> Answer:
    """When points expire that were earned on the day of the case, whatever comes."""
    return {"expires_on": _expires_on(trial, _end(trial, _lot(trial), trial.at, Living()))}


def expires_after(trial: Trial) -> Answer:
    """When points expire after a list of events, and what was forfeited before the last of them."""
    events = [(ACTIVITY[one["kind"]], _on(trial, one["date"])) for one in trial.given["events"]]
    earned_at = events[0][1]
    lot = _lot(trial._replace(day=date.fromisoformat(trial.given["events"][0]["date"])))
    before = _end(trial, lot, earned_at, Living(dict(events[:-1])))
    forfeited = lot.granted if before is not None and before <= events[-1][1] else 0
    end = _end(trial, lot, earned_at, Living(dict(events)))
    return {"expires_on": _expires_on(trial, end), "forfeited": forfeited}


def _on(trial: Trial, day: str) -> Instant:
    return noon(trial.policy, date.fromisoformat(day))


def _months_later(trial: Trial, months: int) -> Instant:
    return noon(trial.policy, add_months(trial.day, months))


def expired(trial: Trial) -> Answer:
    """Whether an old lot is gone, of a member with an attribute who earned since.

    The case names no day: it is one after which the lot would be gone without the attribute.
    """
    given = trial.given
    age = given["lot_age_months"]
    days = (trial._replace(day=add_months(trial.day, months)) for months in range(12))
    trial = next(one for one in days if (_lot(one).expires_at or 0) <= _months_later(one, age))
    now = _months_later(trial, age)
    last = _months_later(trial, age - given["last_earn_months_ago"])
    segments = frozenset({SEGMENTS[given["attribute"]]})
    end = _end(trial, _lot(trial), trial.at, Living({"earn": last}, segments=segments))
    return {"expired": end is not None and end <= now}


def lapsed(trial: Trial) -> Answer:
    """What becomes of points, nine months old, when the tier lapses that kept them alive."""
    lapse = _months_later(trial, 9)
    tiers = (("gold", micros(trial.policy.model.effective_from)), ("green", lapse))
    end = _end(trial, _lot(trial), trial.at, Living(tiers=tiers))
    later = trial._replace(day=local_day(trial.policy, lapse))
    fresh = _end(later, _lot(later), later.at, Living())
    return {"rule": {lapse: "expire at once", fresh: "clock from D"}.get(end, "neither")}


def voucher_used(trial: Trial) -> Answer:
    """Whether a voucher of a month can still be used on a day."""
    issued_at = _on(trial, f"{trial.given['voucher_issued']}-15")
    rule = trial.policy.terms.expiries[trial.policy.currencies["vouchers"].expiry or ""]
    end = rule.lot_end(issued_at).expires_at
    return {"accepted": end is None or _on(trial, trial.given["used_on"]) < end}


# --- spending -----------------------------------------------------------------------------------


def redeemed(trial: Trial) -> Answer:
    """Whether points can be redeemed, and what for."""
    try:
        return {"accepted": True, "value": _redeemed(trial)}
    except RulesRefusal as refused:
        return {"accepted": False, "reason": refused.reason}


def _redeemed(trial: Trial) -> Answer:
    policy, at = trial.policy, trial.at
    unit = UNITS.get(trial.programme, "dm")
    said = trial.given.get("tier")
    held = None if said is None else word(said)
    if trial.case in REWARDS:
        entry = reward(policy, REWARDS[trial.case], business_unit=unit, tier=held, at=at)
        assert entry.points == smallest(policy, entry.currency, trial.given["points"])
        return money(Fraction(entry.value_minor), entry.currency_code)
    currency = main_currency(policy)
    points = smallest(policy, currency, trial.given["points"])
    terms = redemption(policy, business_unit=unit, currency=currency, tier=held, at=at)
    check_amount(points, minimum=terms.min_points, step=terms.step, maximum=terms.max_points)
    assert most_redeemable(terms, points) == points
    return money(points * terms.point_value, terms.currency_code)


def _voucher_worth(trial: Trial, unit: str, vouchers: int) -> Answer:
    terms = redemption(
        trial.policy, business_unit=unit, currency="vouchers", tier=None, at=trial.at
    )
    return money(vouchers * terms.point_value, terms.currency_code)


def statement(trial: Trial) -> Answer:
    """What a statement turns into a voucher, and what it carries on."""
    points = int(trial.given["statement_points"])
    try:
        made = convert(trial.policy, "statement", points, at=trial.at)
    except RulesRefusal as refused:
        return {"voucher": None, "carried": points if refused.reason == "BELOW_MINIMUM" else None}
    voucher = _voucher_worth(trial, "shop", made.received)
    return {"voucher": voucher, "carried": points - made.points}


def voucher_worth(trial: Trial) -> Answer:
    """What a voucher is worth somewhere."""
    vouchers = smallest(trial.policy, "vouchers", trial.given["voucher"]["amount"])
    return {"value": _voucher_worth(trial, trial.given["at"], vouchers)}


# --- moving -------------------------------------------------------------------------------------


def transferred(trial: Trial) -> Answer:
    """Whether transfers are accepted, one after the other."""
    given = trial.given
    sent: dict[tuple[str, str], int] = {}
    received: dict[tuple[str, str], int] = {}
    probe = transfer(trial.policy, _transfer(trial, "1000", trial.at))
    for limits, key, used in (
        (probe.sender_limits, "sent_this_year", sent),
        (probe.receiver_limits, "received_this_year", received),
    ):
        used.update({(one.name, one.period): int(given.get(key, "0")) for one in limits})
    if "steps" not in given:
        facts = _transfer(trial, given["points"], trial.at)
        reason = _refused(trial.policy, facts, sent, received)
        return {"accepted": not reason, "reason": reason}
    answers = []
    for step in given["steps"]:
        year = trial.day.year + bool(step.get("next_year"))
        facts = _transfer(trial, step["points"], _on(trial, f"{year}-{step['month_day']}"))
        answers.append(not _refused(trial.policy, facts, sent, received))
    return {"accepted": answers}


def _transfer(trial: Trial, points: str, at: Instant) -> TransferFacts:
    long_ago = _months_later(trial, -36)
    currency = main_currency(trial.policy)
    units = smallest(trial.policy, currency, points)
    return TransferFacts(currency, units, at, sender_since=long_ago, receiver_since=long_ago)


def _refused(
    policy: Policy,
    facts: TransferFacts,
    sent: dict[tuple[str, str], int],
    received: dict[tuple[str, str], int],
) -> str:
    """Ask for a transfer, and count what moves; else say why it is refused."""
    try:
        moved = transfer(policy, facts._replace(sent=sent, received=received))
    except RulesRefusal as refused:
        return refused.reason
    for limits, used in ((moved.sender_limits, sent), (moved.receiver_limits, received)):
        for limit in limits:
            key = limit.name, limit.period
            used[key] = used.get(key, 0) + moved.points
    return ""


def exchanged(trial: Trial) -> Answer:
    """What points become in the week of a bonus."""
    entry = trial.policy.model.conversions[0]
    window = entry.bonuses[0].window
    assert window is not None
    assert window.from_ is not None
    at = noon(trial.policy, window.from_.date())
    return {"miles": convert(trial.policy, entry.id, int(trial.given["points"]), at=at).received}


# --- through the ledger's core ------------------------------------------------------------------


def _story(trial: Trial, at: Instant) -> Story:
    return Story(now=at, ends=Ends(lambda digest: trial.policy))


def _granted(lot: Grant, points: int) -> Granted:
    return Granted(
        points, lot.rule, lot.currency, lot.funder, expires_at=lot.expires_at, life=lot.life
    )


def forfeited(trial: Trial) -> Answer:
    """What is left after months in which nothing happened, and whether the account earns then."""
    lot = _lot(trial)
    story = _story(trial, trial.at)
    story.posts("stay-1", 1, _granted(lot, int(trial.given["balance"])), unit=lot.funder)
    story.now = _months_later(trial, trial.given["inactive_months"])
    story.passes_time()
    left = story.account.balance(lot.currency).available
    story.posts("stay-2", 1, _granted(lot, lot.granted), unit=lot.funder)
    open_again = story.account.balance(lot.currency).available == left + lot.granted > left
    return {"balance_before_stay": left, "account_open": open_again}


def settled(trial: Trial) -> Answer:
    """Who owes whom after points of one unit were spent at another."""
    policy, given = trial.policy, trial.given
    points = int(given["points"])
    # A point per euro: as many euros earn as many points.
    shopping = [{"category": None, "amount": f"{points}.00", "currency": "EUR"}]
    seller = replace_given(trial, partner=given["issued_at"], lines=shopping)
    lot = _lot(seller)
    assert lot.granted == points
    story = _story(trial, trial.at)
    story.posts("sale", 1, _granted(lot, points), unit=word(given["issued_at"]))
    unit = word(given["redeemed_at"])
    terms = redemption(policy, business_unit=unit, currency=lot.currency, tier=None, at=trial.at)
    asked = BurnTerms(terms.min_points, terms.step, policy.digest)
    burn = BurnPoints("burn", unit, lot.currency, points, None, trial.at, asked)
    burned = story.does(burn).facts[-1].event
    assert isinstance(burned, PointsBurned)
    names = {word(name): name for name in (given["issued_at"], given["redeemed_at"])}
    return {
        "settlement": [
            {"debtor": names[draw.issuer], "creditor": names[burned.business_unit]}
            | money(
                draw.points * policy.units[draw.issuer].point_value[lot.currency],
                policy.units[draw.issuer].currency_code,
            )
            for draw in burned.draws
            if draw.issuer != burned.business_unit
        ]
    }


def replace_given(trial: Trial, **more: Any) -> Trial:
    """Ask the same policy with more given."""
    return trial._replace(given=trial.given | more)

"""Checks of how points are spent, held, moved and taken back."""

from rules.checking.subject import Findings, Subject
from rules.model import Conversion, Limit, Redemption, Refunds, TimeWindow
from rules.reading import Place


def spending_findings(subject: Subject) -> Findings:
    """Find terms that contradict each other, and those that nothing could meet."""
    yield from _draw_first(subject)
    yield from _redemptions(subject)
    yield from _rewards(subject)
    yield from _holds(subject)
    yield from _transfers(subject)
    yield from _conversions(subject)
    yield from _refunds(subject, subject.model.refunds)
    for number, benefit in enumerate(subject.model.benefits):
        if benefit.percent is not None and not 0 < benefit.percent <= 1:
            message = f"{benefit.percent} of a price: say more than 0 and at most 100%"
            yield subject.error(("benefits", number, "percent"), message)


def _draw_first(subject: Subject) -> Findings:
    model = subject.model
    payers = {unit.funder or unit.id for unit in model.business_units}
    payers |= {each.funder for each in (*model.campaigns, *subject.points_rules) if each.funder}
    payers |= {unit for reason in model.adjustments.reasons for unit in reason.funder}
    for number, currency in enumerate(model.currencies):
        place: Place = ("currencies", number, "draw_first")
        if currency.draw_first and currency.role == "tier_qualifying":
            yield subject.error(place, f"{currency.id!r} decides tiers and cannot be spent")
        for index, unit in enumerate(currency.draw_first):
            if unit in currency.draw_first[:index]:
                yield subject.error((*place, index), f"{unit!r} is already given")
            elif unit not in payers:
                message = f"has no effect: {unit!r} is the 'funder' of nothing"
                yield subject.warning((*place, index), message)


def _spendable(subject: Subject, place: Place, currency: str, what: str) -> Findings:
    if subject.currencies[currency].role != "spendable":
        message = f"{currency!r} is not spendable, so it cannot be {what}"
        yield subject.error((*place, "currency"), message)


def _not_qualifying(subject: Subject, place: Place, currency: str, what: str) -> Findings:
    if subject.currencies[currency].role == "tier_qualifying":
        message = f"{currency!r} decides tiers and cannot be {what}"
        yield subject.error((*place, "currency"), message)


def _amounts(
    subject: Subject, place: Place, min_points: int, step: int, max_points: int | None
) -> Findings:
    """Check that some number of points is allowed at all."""
    if max_points is None:
        return
    least = -(-min_points // step) * step
    if max_points < least:
        message = f"{max_points} is less than {least}, the fewest in steps of {step}"
        yield subject.error((*place, "max_points"), message)


def _limits(
    subject: Subject, place: Place, key: str, limits: tuple[Limit, ...], min_points: int
) -> Findings:
    windows: set[str] = set()
    for number, limit in enumerate(limits):
        at: Place = (*place, key, number)
        if limit.window in windows:
            yield subject.error(at, f"a limit for {limit.window!r} is already given")
        windows.add(limit.window)
        if limit.points < min_points:
            message = f"{limit.points} is less than the fewest points at once, {min_points}"
            yield subject.error(at, message)


def _redemptions(subject: Subject) -> Findings:
    taken: dict[tuple[str, str], list[Redemption]] = {}
    for number, entry in enumerate(subject.model.redemptions):
        place: Place = ("redemptions", number)
        yield from _spendable(subject, place, entry.currency, "redeemed")
        yield from _amounts(subject, place, entry.min_points, entry.step, entry.max_points)
        yield from _limits(subject, place, "limits", entry.limits, entry.min_points)
        if entry.max_basket_share is not None and not 0 < entry.max_basket_share <= 1:
            message = f"{entry.max_basket_share} of a basket: say more than 0 and at most 100%"
            yield subject.error((*place, "max_basket_share"), message)
        for name in entry.business_unit or subject.units:
            if entry.point_value is None and subject.units[name].point_value is None:
                message = f"neither it nor business unit {name!r} says a 'point_value'"
                yield subject.error(place, message)
            others = taken.setdefault((entry.currency, name), [])
            first = next((other for other in others if _both_apply(other, entry)), None)
            if first is not None and first.id != entry.id:
                message = f"{entry.currency!r} at {name!r} is already redeemed by {first.id!r}"
                yield subject.error(place, message)
            others.append(entry)


def _both_apply(one: Redemption, other: Redemption) -> bool:
    """Say whether one burn could be under both: then nobody knows which counts."""
    tiers = not one.tier or not other.tier or bool({*one.tier} & {*other.tier})
    return tiers and _overlap(one.window, other.window)


def _overlap(one: TimeWindow | None, other: TimeWindow | None) -> bool:
    if one is None or other is None:
        return True
    if one.until is not None and other.from_ is not None and one.until <= other.from_:
        return False
    if other.until is not None and one.from_ is not None and other.until <= one.from_:
        return False
    return not (one.weekdays and other.weekdays) or bool({*one.weekdays} & {*other.weekdays})


def _rewards(subject: Subject) -> Findings:
    for number, reward in enumerate(subject.model.rewards):
        place: Place = ("rewards", number)
        yield from _not_qualifying(subject, place, reward.currency, "spent")
        benefit = next((b for b in subject.model.benefits if b.id == reward.benefit), None)
        if benefit is None or not benefit.business_unit or not reward.business_unit:
            continue
        if not {*benefit.business_unit} & {*reward.business_unit}:
            message = f"{benefit.id!r} cannot be used at any unit of the reward"
            yield subject.warning((*place, "business_unit"), message)


def _holds(subject: Subject) -> Findings:
    taken: set[str] = set()
    for number, entry in enumerate(subject.model.holds):
        for name in entry.business_unit or ("",):
            if name in taken:
                what = repr(name) if name else "all units"
                yield subject.error(("holds", number), f"a time for {what} is already given")
            taken.add(name)


def _transfers(subject: Subject) -> Findings:
    for number, terms in enumerate(subject.model.transfers):
        place: Place = ("transfers", number)
        yield from _not_qualifying(subject, place, terms.currency, "transferred")
        yield from _amounts(subject, place, terms.min_points, terms.step, terms.max_points)
        yield from _limits(subject, place, "sender_limits", terms.sender_limits, terms.min_points)
        yield from _limits(
            subject, place, "receiver_limits", terms.receiver_limits, terms.min_points
        )
        if terms.fee_share > 1:
            message = f"a fee of {terms.fee_share} times the points: say at most 100%"
            yield subject.error((*place, "fee_share"), message)
        fee = terms.fee_points or terms.fee_share
        if fee and terms.fee_unit is None:
            message = "whichever unit sends gets the fee: say the 'fee_unit' it goes to"
            yield subject.warning(place, message)
        if terms.fee_unit is not None and not fee:
            yield subject.warning((*place, "fee_unit"), "has no effect: there is no fee")
    yield from _shadowed_transfers(subject)


def _shadowed_transfers(subject: Subject) -> Findings:
    """Of a currency the first terms count whose relation fits; what comes after is not reached."""
    taken: dict[tuple[str, str], str] = {}
    for number, terms in enumerate(subject.model.transfers):
        first = taken.get((terms.currency, "any")) or taken.get((terms.currency, terms.relation))
        if first is not None:
            message = f"{terms.currency!r} is already transferred by {first!r}, which comes first"
            yield subject.error(("transfers", number), message)
        taken.setdefault((terms.currency, terms.relation), terms.id)


def _conversions(subject: Subject) -> Findings:
    for number, terms in enumerate(subject.model.conversions):
        place: Place = ("conversions", number)
        yield from _not_qualifying(subject, place, terms.currency, "converted")
        if terms.into == terms.currency:
            yield subject.error((*place, "into"), f"{terms.into!r} becomes itself")
        elif subject.currencies[terms.into].role == "tier_qualifying":
            yield subject.error((*place, "into"), f"{terms.into!r} decides tiers and is not bought")
        if terms.fee_unit is not None and not terms.fee_points:
            yield subject.warning((*place, "fee_unit"), "has no effect: there is no fee")
        if terms.rate == 0:
            yield subject.error((*place, "rate"), "must be above zero")
        elif terms.rounding == "floor" and terms.min_points * terms.rate < 1:
            message = f"{terms.min_points} points become none: the rate is {terms.rate}"
            yield subject.warning((*place, "min_points"), message)
        yield from _bonuses(subject, place, terms)


def _bonuses(subject: Subject, place: Place, terms: Conversion) -> Findings:
    taken: set[int] = set()
    for position, bonus in enumerate(terms.bonuses):
        at: Place = (*place, "bonuses", position)
        if bonus.window is None and bonus.from_points in taken:
            yield subject.error(at, f"a bonus from {bonus.from_points} is already given")
        if bonus.window is None:
            taken.add(bonus.from_points)
        if bonus.share == 0:
            yield subject.warning((*at, "share"), "adds nothing")


def _refunds(subject: Subject, refunds: Refunds) -> Findings:
    place: Place = ("refunds",)
    writes_off = refunds.when_spent == "write_off" or (
        refunds.when_spent == "arrears" and refunds.limits and refunds.over_limit == "write_off"
    )
    if refunds.write_off_to is not None and not writes_off:
        message = "has no effect: nothing is written off"
        yield subject.warning((*place, "write_off_to"), message)
    if refunds.limits and refunds.when_spent != "arrears":
        message = f"have no effect: 'when_spent: {refunds.when_spent}' leaves no debt"
        yield subject.warning((*place, "limits"), message)
    taken: set[str] = set()
    for number, limit in enumerate(refunds.limits):
        for name in limit.tier or ("",):
            if name in taken:
                what = repr(name) if name else "all other tiers"
                message = f"a limit for {what} is already given"
                yield subject.error((*place, "limits", number), message)
            taken.add(name)

"""At which tier the document earns that reaches a new one: before, after, or split between both."""

from typing import TypeVar

from rules.award import Award
from rules.evaluation import evaluate as evaluate_at_one_tier
from rules.evaluation import pins_for
from rules.facts import DocumentFacts, MemberFacts, Pins
from rules.ladder import Ladder
from rules.needs import Counts, Threshold, Window
from rules.policy import Policy
from rules.room import FREE, Room
from rules.splitting import basket_of, is_split, split_award, split_text
from rules.standing import METRIC, Standing
from rules.steps import Step

Key = TypeVar("Key")


def evaluate(
    policy: Policy,
    document: DocumentFacts,
    member: MemberFacts,
    pins: Pins | None = None,
    room: Room = FREE,
) -> Award:
    """Award points to a document as it stands. Pure: equal arguments give an equal award.

    A cancelled document gets none; a pending one gets what it would get as final. `pins` from an
    earlier award of the same policy evaluate under them: they decide over `member`. `room` is what
    other documents have left of caps, budgets and counters. RulesRefusal for a unit, category or
    currency the policy does not know, and for a rate that is missing.
    """
    if pins is not None and is_split(pins) and document.status != "CANCELLED":
        return split_award(policy, document, pins_for(policy, document, member, pins), room)
    return evaluate_at_one_tier(policy, document, member, pins, room)


def evaluate_upgrading(
    policy: Policy,
    document: DocumentFacts,
    member: MemberFacts,
    *,
    standing: Standing,
    room: Room = FREE,
) -> Award:
    """Award points to a document that has no pins yet, at the tier the policy's order says.

    `standing` is the member's without this document. When the document reaches a tier, all of it
    earns at the tier `before` or `after`; with `split` what lies above the threshold earns at the
    new tier. The award's pins say which, so `evaluate` gives the same again. The ladder is asked
    once: what a document earns by its new tier reaches no further one.
    """
    award = evaluate_at_one_tier(policy, document, member, None, room)
    ladder = policy.terms.ladder
    if ladder is None or ladder.tiers.upgrading_order == "before":
        return award
    counted = _with(standing, award)
    reached = ladder.answer(counted, document.occurred_at)
    rank, before = ladder.ranks.get(reached.tier or "", 0), _rank(ladder, award.pins.tier)
    if not reached.cause or rank <= before:
        return award
    pins = award.pins._replace(tier=reached.tier)
    if ladder.tiers.upgrading_order == "split":
        texts = _split_texts(policy, ladder, document, award, standing, ranks=(before, rank))
        pins = pins._replace(predicates=tuple(sorted((*pins.predicates, *texts))))
        return split_award(policy, document, pins, room)
    after = member._replace(tier=reached.tier)
    return evaluate_at_one_tier(policy, document, after, None, room)


def _rank(ladder: Ladder, tier: str | None) -> int:
    return ladder.ranks.get(tier or "", 0)


def _with(standing: Standing, award: Award) -> Standing:
    """Add what an award counts for."""
    qualifying: dict[tuple[str, str], int] = dict(standing.qualifying)
    metrics: dict[tuple[str, str, str], int] = dict(standing.metrics)
    for grant in award.grants:
        if grant.qualifying:
            _add(qualifying, (grant.currency, grant.window), grant.granted)
    for metric in award.metrics:
        _add(metrics, (METRIC + metric.name, metric.scope, metric.window), metric.amount)
    return standing._replace(qualifying=qualifying, metrics=metrics)


def _add(counted: dict[Key, int], key: Key, amount: int) -> None:
    counted[key] = counted.get(key, 0) + amount


def _split_texts(
    policy: Policy,
    ladder: Ladder,
    document: DocumentFacts,
    award: Award,
    standing: Standing,
    *,
    ranks: tuple[int, int],
) -> list[str]:
    """Say up to where the document earns at each tier below the one it reaches."""
    day = ladder.day(document.occurred_at)
    window = ladder.windows(standing, day)[0]
    whole = basket_of(policy, document, award.pins)
    basket = _Crossing(Counts(standing), Counts(_with(standing, award)), window, whole)
    texts, lower, passed = [], ladder.steps[ranks[0]], -1
    for step in ladder.steps[ranks[0] + 1 : ranks[1] + 1]:
        until = basket.threshold(step)
        if until is None:
            continue
        if until > passed:
            texts.append(split_text(until, lower.tier))
        passed, lower = max(passed, until), step
    return texts


class _Crossing:
    """Where on its way through the basket a document reaches a tier."""

    def __init__(self, before: Counts, after: Counts, window: Window, basket: int) -> None:
        self._before, self._after, self._window = before, after, window
        self._basket = basket

    def threshold(self, step: Step) -> int | None:
        """Minor units at which the tier is reached; None for a tier by invitation."""
        if step.invite_only:
            return None
        reached = [self._all_of(needs) for needs in (*step.reach, *step.lifetime)]
        found = [until for until in reached if until is not None]
        return min(found, default=None)

    def _all_of(self, needs: tuple[Threshold, ...]) -> int | None:
        until = 0
        for counted, at_least in needs:
            had = self._before.count(counted, self._window)
            has = self._after.count(counted, self._window)
            if has < at_least:
                return None
            if had >= at_least:
                continue
            if counted.metric not in ("spend", "qualifying_points"):
                # What is no money is there at the end of the document, not in its midst.
                return self._basket
            until = max(until, -(-(at_least - had) * self._basket // (has - had)))
        return until

"""The questions of tiers: which one a member has, how long, and what is missing for the next."""

from collections.abc import Mapping
from itertools import product
from typing import NamedTuple

from rules.facts import Instant
from rules.ladder import Ladder
from rules.needs import Choices, Counts, Threshold, Window
from rules.policy import Policy
from rules.standing import Standing
from rules.steps import Step
from rules.tier_answers import NO_TIERS, Occasion, TierAnswer


def tier_for(
    policy: Policy, *, standing: Standing, at: Instant, occasion: Occasion = "counted"
) -> TierAnswer:
    """Give the tier that a member holds from an instant on, and why.

    Asked after something was counted: the highest tier whose needs are met in the running window,
    unless the one in force is as high. Asked when the tier in force is over: what was earned since
    it was given, or the next lower one, or the same on grace. Asked when something was taken back:
    a tier that would not have been reached without it is lost. Asked when staff end what they gave:
    the tier beneath it, or what was earned meanwhile. What staff gave and is not over is what a
    higher tier ends in, whatever ended that. The lowest tier is everyone's and never ends.
    """
    ladder = policy.terms.ladder
    return NO_TIERS if ladder is None else ladder.answer(standing, at, occasion)


def tier_ranks(policy: Policy) -> Mapping[str, int]:
    """Give the rank of every tier, the lowest 0; empty for a programme without tiers."""
    ladder = policy.terms.ladder
    return {} if ladder is None else ladder.ranks


class NeedProgress(NamedTuple):
    """How far a member is with one need; `missing` is never below zero.

    `subject` is the point currency, the ISO 4217 code or the counter, where the metric has one.
    The window, which may be to come, is None for needs that count for life.
    """

    metric: str
    subject: str
    units: tuple[str, ...]
    have: int
    want: int
    missing: int
    window_starts: Instant | None
    window_ends: Instant | None


NeedsProgress = tuple[tuple[NeedProgress, ...], ...]
"""Any of the lists suffices, and in a list every need must be met."""


class Progress(NamedTuple):
    """A member on the ladder.

    `keep` is what keeps the tier when it is over, in a window that the ladder will look at then:
    not the one that gave it. It is empty for what never ends, and where nothing counted keeps it.
    `next_tier` is None at the top.
    `projected_tier` is what the member has once the tier in force is over, if nothing more is
    counted; it is the tier itself where that does not end.
    """

    tier: str
    valid_until: Instant | None
    basis: str
    keep: NeedsProgress
    next_tier: str | None
    reach: NeedsProgress
    projected_tier: str
    projected_at: Instant | None


def progress(policy: Policy, *, standing: Standing, at: Instant) -> Progress | None:
    """Tell where a member stands; None for a programme without tiers.

    A member who was never given a tier stands where the ladder would put them now.
    """
    ladder = policy.terms.ladder
    if ladder is None:
        return None
    now = ladder.answer(standing, at)
    assert now.tier is not None, "a ladder always answers"
    rank = ladder.ranks[now.tier]
    step = ladder.steps[rank]
    look = _Look(ladder, standing, at)
    higher = next((each for each in ladder.steps[rank + 1 :] if not each.invite_only), None)
    projected, over_at = now.tier, _next_question(now)
    if over_at is not None and standing.spans and not now.cause:
        projected = ladder.answer(standing, over_at).tier or now.tier
    return Progress(
        tier=now.tier,
        valid_until=now.valid_until,
        basis=now.basis,
        keep=() if now.valid_until is None else look.keep(step, now, now.valid_until),
        next_tier=None if higher is None else higher.tier,
        reach=() if higher is None else look.reach(higher.reach),
        projected_tier=projected,
        projected_at=over_at,
    )


def _next_question(now: TierAnswer) -> Instant | None:
    dates = [date for date in (now.valid_until, now.review_at) if date is not None]
    return min(dates, default=None)


class _Look:
    """Counts the needs of one member, in the window that runs or in one that decides later."""

    def __init__(self, ladder: Ladder, standing: Standing, at: Instant) -> None:
        self._ladder = ladder
        self._standing = standing
        self._running: Window = ladder.windows(standing, ladder.day(at))[0]
        self._counts = Counts(standing)

    def reach(self, choices: Choices) -> NeedsProgress:
        return self._needs(choices, self._running, self._ends(self._running))

    def keep(self, step: Step, held: TierAnswer, over_at: Instant) -> NeedsProgress:
        windows = self._keeping(held, over_at)
        ways = [choices for choices in _ways_to_keep(step, held) if choices]
        if not ways:
            return ()
        for window, choices in product(windows, ways):
            if self._counts.met(choices, window):
                return self._until(over_at, choices, window)
        open_yet = (window for window in windows if window.last >= self._running.last)
        following = min(open_yet, key=_first_day, default=None)
        return () if following is None else self._until(over_at, ways[0], following)

    def _until(self, over_at: Instant, choices: Choices, window: Window) -> NeedsProgress:
        return self._needs(choices, window, min(over_at, self._ends(window)))

    def _ends(self, window: Window) -> Instant:
        return self._ladder.validity.window_ends(window)

    def _keeping(self, held: TierAnswer, over_at: Instant) -> list[Window]:
        """Windows of which any keeps a tier when it is over, as `Ladder.answer` looks at them."""
        ladder = self._ladder
        day = ladder.day(over_at - 1)
        running, *earlier = ladder.windows(self._standing, day)
        after = "" if held.basis == "granted" else held.window
        windows = [running, *(window for window in earlier if window.label > after)]
        return [
            window
            for window in windows
            if ladder.validity.until(day, window, past=window is not running) > over_at
        ]

    def _needs(self, choices: Choices, window: Window, ends: Instant) -> NeedsProgress:
        starts = self._ladder.validity.window_starts(window)
        return tuple(
            tuple(self._need(each, window, (starts, ends)) for each in needs) for needs in choices
        )

    def _need(
        self, threshold: Threshold, window: Window, span: tuple[Instant, Instant]
    ) -> NeedProgress:
        counted, want = threshold
        have = self._counts.count(counted, window)
        starts, ends = (None, None) if counted.lifetime else span
        return NeedProgress(
            counted.metric,
            counted.subject,
            counted.units,
            have,
            want,
            max(0, want - have),
            starts,
            ends,
        )


def _ways_to_keep(step: Step, held: TierAnswer) -> tuple[Choices, ...]:
    """What keeps a tier: less than what reaches it may do, but not where staff gave it."""
    if step.invite_only:
        return (step.keep,)
    return (step.reach,) if held.basis == "granted" else (step.keep, step.reach)


def _first_day(window: Window) -> str:
    return window.first
